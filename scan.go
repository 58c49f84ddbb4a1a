// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"iter"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/handle"
)

// Scan reads a whole table or index, in no particular order. It is immutable like [Query]. A scan costs read units for
// everything that the table holds, including what its filter drops.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html
type Scan[T any] core.ReadRef

// IndexScan is a [Scan] of a global index, without Consistent.
type IndexScan[T any] core.ReadRef

// Scan selects all items of the table.
func (t *Table[T, PK, SK]) Scan() *Scan[T] {
	return (*Scan[T])(t.Part().Scan())
}

// Scan selects all items of the table.
func (t *SimpleTable[T, PK]) Scan() *Scan[T] {
	return (*Scan[T])(t.Part().Scan())
}

// Scan selects all items that the index holds.
func (x *Index[T, PK, SK]) Scan() *IndexScan[T] {
	return (*IndexScan[T])((*core.IndexRef)(x).Scan())
}

// Scan selects all items that the index holds.
func (x *SimpleIndex[T, PK]) Scan() *IndexScan[T] {
	return (*IndexScan[T])((*core.IndexRef)(x).Scan())
}

// Scan selects all items that the index holds.
func (x *LocalIndex[T, PK, SK]) Scan() *Scan[T] {
	return (*Scan[T])((*core.IndexRef)(x).Scan())
}

// Filter drops items after they were read and billed; see [Query.Filter].
func (s *Scan[T]) Filter(conds ...Cond[T]) *Scan[T] {
	return (*Scan[T])((*core.ReadRef)(s).Filtered(handle.Conditions(conds)))
}

// Project reads only the given attributes, and the keys, into T.
func (s *Scan[T]) Project(attrs ...AnyAttr) *Scan[T] {
	return (*Scan[T])((*core.ReadRef)(s).Projected(handlesOf(attrs)))
}

// Limit is the number of items returned, however many are evaluated; see [Query.Limit]. Zero is no limit.
func (s *Scan[T]) Limit(n int) *Scan[T] {
	return (*Scan[T])((*core.ReadRef)(s).Limited(n))
}

// PageSize limits how many items one request evaluates, in place of the table's [PageSize].
func (s *Scan[T]) PageSize(n int) *Scan[T] {
	return (*Scan[T])((*core.ReadRef)(s).Paged(n))
}

// Consistent makes the scan strongly consistent, at twice the cost.
func (s *Scan[T]) Consistent() *Scan[T] {
	return (*Scan[T])((*core.ReadRef)(s).Strong())
}

// With adds options; see [Query.With].
func (s *Scan[T]) With(opts ...ReadOption) *Scan[T] {
	return (*Scan[T])(withOptions((*core.ReadRef)(s), opts))
}

// After continues after a cursor. The zero Cursor is the beginning.
func (s *Scan[T]) After(c Cursor[T]) *Scan[T] {
	return (*Scan[T])((*core.ReadRef)(s).From(cursor.Cursor(c)))
}

// Parallel reads n parts of the table, as many at the same time as the table's [Concurrency] allows. Pages, All, Collect and
// Count then return items of all parts as they arrive. Page, First, After and Before are refused, because a cursor cannot
// hold a position in all parts.
func (s *Scan[T]) Parallel(n int) *Scan[T] {
	return (*Scan[T])((*core.ReadRef)(s).Parallel(n))
}

// Page reads one page; see [Query.Page].
func (s *Scan[T]) Page(ctx context.Context) (page Page[T], err error) {
	read, err := (*core.ReadRef)(s).Page(ctx, new([]T))
	fillPage(&page, read)
	return page, err
}

// Pages reads page after page; see [Query.Pages].
func (s *Scan[T]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return pagesOf[T]((*core.ReadRef)(s).Pages(ctx))
}

// All yields the items one by one; see [Query.All].
func (s *Scan[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return itemsOf[T]((*core.ReadRef)(s).All(ctx))
}

// Collect reads all items into memory. On an error it also returns the items read before it.
func (s *Scan[T]) Collect(ctx context.Context) (list []T, err error) {
	err = (*core.ReadRef)(s).Collect(ctx, &list)
	return list, err
}

// Count counts the items of the whole scan. It costs as much as reading them.
func (s *Scan[T]) Count(ctx context.Context) (int, error) {
	return (*core.ReadRef)(s).Count(ctx)
}

// First returns any one item, or [ErrNotFound] if there is none.
func (s *Scan[T]) First(ctx context.Context) (item T, err error) {
	err = (*core.ReadRef)(s).First(ctx, &item)
	return item, err
}

// Filter drops items after they were read and billed; see [Query.Filter].
func (s *IndexScan[T]) Filter(conds ...Cond[T]) *IndexScan[T] {
	return (*IndexScan[T])((*core.ReadRef)(s).Filtered(handle.Conditions(conds)))
}

// Project reads only the given attributes, and the keys, into T.
func (s *IndexScan[T]) Project(attrs ...AnyAttr) *IndexScan[T] {
	return (*IndexScan[T])((*core.ReadRef)(s).Projected(handlesOf(attrs)))
}

// Limit is the number of items returned; see [Query.Limit].
func (s *IndexScan[T]) Limit(n int) *IndexScan[T] {
	return (*IndexScan[T])((*core.ReadRef)(s).Limited(n))
}

// PageSize limits how many items one request evaluates.
func (s *IndexScan[T]) PageSize(n int) *IndexScan[T] {
	return (*IndexScan[T])((*core.ReadRef)(s).Paged(n))
}

// With adds options; see [Query.With].
func (s *IndexScan[T]) With(opts ...ReadOption) *IndexScan[T] {
	return (*IndexScan[T])(withOptions((*core.ReadRef)(s), opts))
}

// After continues after a cursor.
func (s *IndexScan[T]) After(c Cursor[T]) *IndexScan[T] {
	return (*IndexScan[T])((*core.ReadRef)(s).From(cursor.Cursor(c)))
}

// Parallel reads n parts of the index at the same time; see [Scan.Parallel].
func (s *IndexScan[T]) Parallel(n int) *IndexScan[T] {
	return (*IndexScan[T])((*core.ReadRef)(s).Parallel(n))
}

// Page reads one page; see [Query.Page].
func (s *IndexScan[T]) Page(ctx context.Context) (page Page[T], err error) {
	read, err := (*core.ReadRef)(s).Page(ctx, new([]T))
	fillPage(&page, read)
	return page, err
}

// Pages reads page after page; see [Query.Pages].
func (s *IndexScan[T]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return pagesOf[T]((*core.ReadRef)(s).Pages(ctx))
}

// All yields the items one by one; see [Query.All].
func (s *IndexScan[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return itemsOf[T]((*core.ReadRef)(s).All(ctx))
}

// Collect reads all items into memory.
func (s *IndexScan[T]) Collect(ctx context.Context) (list []T, err error) {
	err = (*core.ReadRef)(s).Collect(ctx, &list)
	return list, err
}

// Count counts the items of the whole scan.
func (s *IndexScan[T]) Count(ctx context.Context) (int, error) {
	return (*core.ReadRef)(s).Count(ctx)
}

// First returns any one item, or [ErrNotFound] if there is none.
func (s *IndexScan[T]) First(ctx context.Context) (item T, err error) {
	err = (*core.ReadRef)(s).First(ctx, &item)
	return item, err
}
