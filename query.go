// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"iter"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/handle"
)

// Query reads the items with one partition key, in the order of the sort key. It is immutable: every method returns a
// changed copy, so a query can be built once, kept in a variable, shared by goroutines and run many times. The call that
// runs it reports all its mistakes at once, and the use of a nil or zero Query.
//
// A query costs read units for the items that it reads, before the filter: the sizes of all items of a request are added and
// rounded up to 4 KB. Each 4 KB costs half a unit, or a whole unit if consistent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.html
type Query[T, SK any] core.ReadRef

// Query selects the items with a partition key.
func (t *Table[T, PK, SK]) Query(pk PK) *Query[T, SK] {
	return (*Query[T, SK])(t.Part().Query(&pk))
}

// Query selects the items with a partition key, in the order of the index's sort key.
func (x *LocalIndex[T, PK, SK]) Query(pk PK) *Query[T, SK] {
	return (*Query[T, SK])((*core.IndexRef)(x).Query(&pk))
}

// SortKey limits the query to a range of sort keys. Only one range is possible. The zero
// [SortCond] is refused.
func (q *Query[T, SK]) SortKey(c SortCond[SK]) *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).SortKey(handle.SortCond(c)))
}

// Filter drops the items for which a condition is false, after they were read and billed. The conditions of all calls must
// be true. A zero [Cond], and an [And] of nothing, drop no item; an [Or] of nothing is refused.
func (q *Query[T, SK]) Filter(conds ...Cond[T]) *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).Filtered(handle.Conditions(conds)))
}

// Project reads only the given attributes, and the keys, into T.
func (q *Query[T, SK]) Project(attrs ...AnyAttr) *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).Projected(handlesOf(attrs)))
}

// Descending reads from the highest sort key to the lowest.
func (q *Query[T, SK]) Descending() *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).Reversed())
}

// Limit is the number of items returned, however many the filter drops. Zero is no limit. It does not limit how many items
// are evaluated: with a filter that keeps little, [Query.Page] may read, and bill, a whole partition for one item.
// [MaxScanned] and [MaxReadUnits] limit that. (The API parameter Limit is different: it is how many items one request
// evaluates, see [Query.PageSize].)
func (q *Query[T, SK]) Limit(n int) *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).Limited(n))
}

// PageSize limits how many items one request evaluates, in place of the table's [PageSize].
func (q *Query[T, SK]) PageSize(n int) *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).Paged(n))
}

// Consistent makes the query see every write that completed before, at twice the cost.
func (q *Query[T, SK]) Consistent() *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).Strong())
}

// With adds options, such as [MaxScanned] and [MaxReadUnits], which end a page early, and [IncludeExpired].
func (q *Query[T, SK]) With(opts ...ReadOption) *Query[T, SK] {
	return (*Query[T, SK])(withOptions((*core.ReadRef)(q), opts))
}

// After continues after a cursor, usually [Page.Next]. The zero Cursor is the beginning.
func (q *Query[T, SK]) After(c Cursor[T]) *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).From(cursor.Cursor(c)))
}

// Before makes [Query.Page] read the page that ends before a cursor, usually
// [Page.Prev], in the query's own order. The zero Cursor has no effect.
func (q *Query[T, SK]) Before(c Cursor[T]) *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).Until(cursor.Cursor(c)))
}

// Page reads one page: as many items as the limit or, without a limit, those of one request. It continues after requests of
// which the filter dropped everything, unless [MaxScanned] or [MaxReadUnits] stops it.
//
// After an error the page is still valid: it holds the items that were read before, and Next continues after them. If the
// cause is an item that cannot be read into T, Next continues at that item.
func (q *Query[T, SK]) Page(ctx context.Context) (page Page[T], err error) {
	read, err := (*core.ReadRef)(q).Page(ctx, new([]T))
	fillPage(&page, read)
	return page, err
}

// Pages reads page after page, each of one request, up to the limit in total. Empty pages are not yielded. The next page is
// fetched while the caller works on the current one; if the loop is left it is dropped, but was billed. An error is yielded
// once, last, after the items that were read before it; their [Page.Next] continues after them.
func (q *Query[T, SK]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return pagesOf[T]((*core.ReadRef)(q).Pages(ctx))
}

// All yields the items one by one and fetches pages as needed; it can be ranged over again. An error is yielded once, last,
// with the zero T. The loop can be left at any time.
func (q *Query[T, SK]) All(ctx context.Context) iter.Seq2[T, error] {
	return itemsOf[T]((*core.ReadRef)(q).All(ctx))
}

// Collect reads all items into memory. On an error it also returns the items read before it.
func (q *Query[T, SK]) Collect(ctx context.Context) (list []T, err error) {
	err = (*core.ReadRef)(q).Collect(ctx, &list)
	return list, err
}

// Count counts the items of the whole query, over all pages. It costs as much as reading them.
func (q *Query[T, SK]) Count(ctx context.Context) (int, error) {
	return (*core.ReadRef)(q).Count(ctx)
}

// First returns the first item, in the query's order, or [ErrNotFound].
func (q *Query[T, SK]) First(ctx context.Context) (item T, err error) {
	err = (*core.ReadRef)(q).First(ctx, &item)
	return item, err
}

// View reads into a smaller type V instead of T: only the attributes that V has are read, by their names in V's tags. It
// accepts queries and scans of a table or an index, and must be the last step. If V is [rawitem.Item], whole items are read as
// they are stored.
//
//	for s, err := range ddb.View[Summary](orders.Query("c1")).All(ctx) { ... }
//
// A global index must hold all attributes of V; for a local one DynamoDB fetches the others from the table, see [LocalIndex].
// A hydrated read of a global index, a parallel scan and a read of several item types are refused.
func View[V, T any](q Paged[T]) *Reader[V] {
	if q == nil {
		return nil
	}
	return (*Reader[V])(q.Paged(nil).Sequential().ViewedAs((*[]V)(nil)).Ref())
}

// Reader runs a query or scan that reads into another type; see [View].
type Reader[V any] core.ReadRef

// Page reads one page; see [Query.Page].
func (v *Reader[V]) Page(ctx context.Context) (page Page[V], err error) {
	read, err := (*core.ReadRef)(v).Page(ctx, new([]V))
	fillPage(&page, read)
	return page, err
}

// Pages reads page after page; see [Query.Pages].
func (v *Reader[V]) Pages(ctx context.Context) iter.Seq2[Page[V], error] {
	return pagesOf[V]((*core.ReadRef)(v).Pages(ctx))
}

// All yields the items one by one; see [Query.All].
func (v *Reader[V]) All(ctx context.Context) iter.Seq2[V, error] {
	return itemsOf[V]((*core.ReadRef)(v).All(ctx))
}

// Collect reads all items into memory; see [Query.Collect].
func (v *Reader[V]) Collect(ctx context.Context) (list []V, err error) {
	err = (*core.ReadRef)(v).Collect(ctx, &list)
	return list, err
}

// First returns the first item or [ErrNotFound]; see [Query.First].
func (v *Reader[V]) First(ctx context.Context) (item V, err error) {
	err = (*core.ReadRef)(v).First(ctx, &item)
	return item, err
}

// Count counts the items; see [Query.Count].
func (v *Reader[V]) Count(ctx context.Context) (int, error) {
	return (*core.ReadRef)(v).Count(ctx)
}

// After continues after a cursor of the same query, usually [Page.Next].
func (v *Reader[V]) After(c Cursor[V]) *Reader[V] {
	return (*Reader[V])((*core.ReadRef)(v).From(cursor.Cursor(c)))
}

// Before makes [Reader.Page] read the page that ends before a cursor; see [Query.Before].
func (v *Reader[V]) Before(c Cursor[V]) *Reader[V] {
	return (*Reader[V])((*core.ReadRef)(v).Until(cursor.Cursor(c)))
}

// ParseCursor reads the text of a cursor of the same table or index; see [Table.ParseCursor].
func (v *Reader[V]) ParseCursor(text string) (Cursor[V], error) {
	at, err := (*core.ReadRef)(v).Read().ParseCursor(text)
	return Cursor[V](cursor.Of(at)), err
}
