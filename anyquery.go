// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"iter"
)

// AnyRead is the constraint of functions that take any kind of query or scan of items of type T: [Query], [IndexQuery],
// [Scan] or [IndexScan]. Q is the type of the query itself, which its methods return:
//
//	// page reads 20 items after a cursor, of any query or scan of orders.
//	func page[Q ddb.AnyRead[Order, Q]](ctx context.Context, q Q, after ddb.Cursor[Order]) (ddb.Page[Order], error) {
//		return q.Limit(20).After(after).Page(ctx)
//	}
//
//	first, err := page(ctx, orders.Query("c1").Descending(), ddb.Cursor[Order]{})
//	first, err = page(ctx, byStatus.Query("open"), ddb.Cursor[Order]{})
//	first, err = page(ctx, orders.Scan(), ddb.Cursor[Order]{})
//
// Q is inferred. Methods that not every kind has, such as Consistent, must be called by the caller. For those that queries
// have and scans do not, see [AnyQuery].
type AnyRead[T, Q any] interface { //nolint:interfacebloat // a constraint with all that the kinds of reads have in common; nobody implements it
	Paged[T]
	Filter(conds ...Cond[T]) Q
	Project(attrs ...AnyAttr) Q
	Limit(n int) Q
	PageSize(n int) Q
	With(opts ...ReadOption) Q
	After(c Cursor[T]) Q
	Page(ctx context.Context) (Page[T], error)
	Pages(ctx context.Context) iter.Seq2[Page[T], error]
	All(ctx context.Context) iter.Seq2[T, error]
	Collect(ctx context.Context) ([]T, error)
	Count(ctx context.Context) (int, error)
	First(ctx context.Context) (T, error)
}

// ReaderOf returns any kind of query or scan as one type, for programs that choose the kind at run time. It reads what the
// query reads.
func ReaderOf[T any](q Paged[T]) *Reader[T] {
	if q == nil {
		return nil
	}
	return (*Reader[T])(q.Paged(nil).Ref())
}

// AnyQuery is [AnyRead] for queries only, of a table or of an index: [Query] or [IndexQuery]. They can be reversed, and read
// backwards from a cursor.
type AnyQuery[T, Q any] interface {
	AnyRead[T, Q]
	Descending() Q
	Before(c Cursor[T]) Q
}
