// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"iter"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/handle"
)

// IndexQuery is a [Query] on a global index. It has the methods of Query except Consistent: global indexes are updated after
// the table, and reads of them are eventually consistent.
//
// The items have the attributes that the index holds: attributes that are not projected into it ([KeysOnly], [Projecting])
// are zero, and filters on them are refused.
type IndexQuery[T, SK any] core.ReadRef

// NoSortKey is the sort key type of queries on a [SimpleIndex].
type NoSortKey struct{ _ [0]func() }

// Query selects the items with a partition key of the index.
func (x *Index[T, PK, SK]) Query(pk PK) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.IndexRef)(x).Query(&pk))
}

// Query selects the items with a partition key of the index.
func (x *SimpleIndex[T, PK]) Query(pk PK) *IndexQuery[T, NoSortKey] {
	return (*IndexQuery[T, NoSortKey])((*core.IndexRef)(x).Query(&pk))
}

// SortKey limits the query to a range of sort keys; see [Query.SortKey].
func (q *IndexQuery[T, SK]) SortKey(c SortCond[SK]) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.ReadRef)(q).SortKey(handle.SortCond(c)))
}

// Filter drops items after they were read; see [Query.Filter].
func (q *IndexQuery[T, SK]) Filter(conds ...Cond[T]) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.ReadRef)(q).Filtered(handle.Conditions(conds)))
}

// Project reads only the given attributes, and the keys; see [Query.Project].
func (q *IndexQuery[T, SK]) Project(attrs ...AnyAttr) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.ReadRef)(q).Projected(handlesOf(attrs)))
}

// Descending reads from the highest sort key to the lowest.
func (q *IndexQuery[T, SK]) Descending() *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.ReadRef)(q).Reversed())
}

// Limit is how many items are returned; see [Query.Limit].
func (q *IndexQuery[T, SK]) Limit(n int) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.ReadRef)(q).Limited(n))
}

// PageSize is how many items one request evaluates; see [Query.PageSize].
func (q *IndexQuery[T, SK]) PageSize(n int) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.ReadRef)(q).Paged(n))
}

// With adds options; see [Query.With].
func (q *IndexQuery[T, SK]) With(opts ...ReadOption) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])(withOptions((*core.ReadRef)(q), opts))
}

// After continues after a cursor; see [Query.After].
func (q *IndexQuery[T, SK]) After(c Cursor[T]) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.ReadRef)(q).From(cursor.Cursor(c)))
}

// Before reads the page that ends before a cursor; see [Query.Before].
func (q *IndexQuery[T, SK]) Before(c Cursor[T]) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.ReadRef)(q).Until(cursor.Cursor(c)))
}

// Page reads one page; see [Query.Page].
func (q *IndexQuery[T, SK]) Page(ctx context.Context) (page Page[T], err error) {
	read, err := (*core.ReadRef)(q).Page(ctx, new([]T))
	fillPage(&page, read)
	return page, err
}

// Pages reads page after page; see [Query.Pages].
func (q *IndexQuery[T, SK]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return pagesOf[T]((*core.ReadRef)(q).Pages(ctx))
}

// All yields the items one by one; see [Query.All].
func (q *IndexQuery[T, SK]) All(ctx context.Context) iter.Seq2[T, error] {
	return itemsOf[T]((*core.ReadRef)(q).All(ctx))
}

// Collect reads all items into memory; see [Query.Collect].
func (q *IndexQuery[T, SK]) Collect(ctx context.Context) (list []T, err error) {
	err = (*core.ReadRef)(q).Collect(ctx, &list)
	return list, err
}

// Count counts the items of the whole query; see [Query.Count].
func (q *IndexQuery[T, SK]) Count(ctx context.Context) (int, error) {
	return (*core.ReadRef)(q).Count(ctx)
}

// First returns the first item or [ErrNotFound]; see [Query.First].
func (q *IndexQuery[T, SK]) First(ctx context.Context) (item T, err error) {
	err = (*core.ReadRef)(q).First(ctx, &item)
	return item, err
}
