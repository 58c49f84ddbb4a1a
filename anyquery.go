// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"iter"
)

// AnyRead is the constraint of functions that take a query or a scan of items of type T, whatever its kind: [Query], [IndexQuery],
// [Scan] or [IndexScan]. Q is the type of the query itself, which its steps return:
//
//	// page reads 20 items behind a cursor, of any query or scan of orders.
//	func page[Q ddb.AnyRead[Order, Q]](ctx context.Context, q Q, after ddb.Cursor[Order]) (ddb.Page[Order], error) {
//		return q.Limit(20).After(after).Page(ctx)
//	}
//
//	first, err := page(ctx, orders.Query("c1").Descending(), ddb.Cursor[Order]{})
//	first, err = page(ctx, byStatus.Query("open"), ddb.Cursor[Order]{})
//	first, err = page(ctx, orders.Scan(), ddb.Cursor[Order]{})
//
// Q is inferred. Steps that not every kind has, such as Consistent, are taken by the caller; for those that all queries
// have, and scans have not, see [AnyQuery].
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

// ReaderOf is a query or scan of any kind as one type, for programs that choose the kind at run time. It reads as the query does.
func ReaderOf[T any](q Paged[T]) *Reader[T] {
	if q == nil {
		return nil
	}
	return (*Reader[T])(q.paged(nil))
}

// AnyQuery is [AnyRead] for queries alone, of a table or of an index: [Query] or [IndexQuery]. They can be turned around, and read
// backwards from a cursor.
type AnyQuery[T, Q any] interface {
	AnyRead[T, Q]
	Descending() Q
	Before(c Cursor[T]) Q
}
