// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

// IndexQuery is a [Query] on a global index. It has the methods of Query except Consistent: global indexes are updated after
// the table, and reads of them are eventually consistent.
//
// The items have the attributes that the index holds: attributes that are not projected into it ([KeysOnly], [Projecting])
// are zero, and filters on them are refused.
type IndexQuery[T, SK any] readRef

// NoSortKey is the sort key type of queries on a [SimpleIndex].
type NoSortKey struct{ _ [0]func() }

// noSort is the sort key of a table or an index that has none.
type noSort struct{}

// Query selects the items with a partition key of the index.
func (x *Index[T, PK, SK]) Query(pk PK) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])(newRead((*indexRef)(x).index(), &pk).ref())
}

// Query selects the items with a partition key of the index.
func (x *SimpleIndex[T, PK]) Query(pk PK) *IndexQuery[T, NoSortKey] {
	return (*IndexQuery[T, NoSortKey])(newRead((*indexRef)(x).index(), &pk).ref())
}

// SortKey limits the query to a range of sort keys; see [Query.SortKey].
func (q *IndexQuery[T, SK]) SortKey(c SortCond[SK]) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*readRef)(q).read().sortKey(c.c).ref())
}

// Filter drops items after they were read; see [Query.Filter].
func (q *IndexQuery[T, SK]) Filter(conds ...Cond[T]) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*readRef)(q).read().filtered(untyped(conds)).ref())
}

// Project reads only the given attributes, and the keys; see [Query.Project].
func (q *IndexQuery[T, SK]) Project(attrs ...AnyAttr) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*readRef)(q).read().projected(handlesOf(attrs)).ref())
}

// Descending reads from the highest sort key to the lowest.
func (q *IndexQuery[T, SK]) Descending() *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*readRef)(q).read().reversed().ref())
}

// Limit is how many items are returned; see [Query.Limit].
func (q *IndexQuery[T, SK]) Limit(n int) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*readRef)(q).read().limited(n).ref())
}

// PageSize is how many items one request evaluates; see [Query.PageSize].
func (q *IndexQuery[T, SK]) PageSize(n int) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*readRef)(q).read().paged(n).ref())
}

// With adds options; see [Query.With].
func (q *IndexQuery[T, SK]) With(opts ...ReadOption) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])(withOptions((*readRef)(q).read(), opts).ref())
}

// After continues after a cursor; see [Query.After].
func (q *IndexQuery[T, SK]) After(c Cursor[T]) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*readRef)(q).read().from(c.at).ref())
}

// Before reads the page that ends before a cursor; see [Query.Before].
func (q *IndexQuery[T, SK]) Before(c Cursor[T]) *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*readRef)(q).read().until(c.at).ref())
}

// Page reads one page; see [Query.Page].
func (q *IndexQuery[T, SK]) Page(ctx context.Context) (Page[T], error) {
	return pageOf[T]((*readRef)(q).read().page(ctx, new([]T)))
}

// Pages reads page after page; see [Query.Pages].
func (q *IndexQuery[T, SK]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return pagesOf[T]((*readRef)(q).read().pages(ctx))
}

// All yields the items one by one; see [Query.All].
func (q *IndexQuery[T, SK]) All(ctx context.Context) iter.Seq2[T, error] {
	return itemsOf[T]((*readRef)(q).read().all(ctx))
}

// Collect reads all items into memory; see [Query.Collect].
func (q *IndexQuery[T, SK]) Collect(ctx context.Context) (list []T, err error) {
	err = (*readRef)(q).read().collect(ctx, &list)
	return list, err
}

// Count counts the items of the whole query; see [Query.Count].
func (q *IndexQuery[T, SK]) Count(ctx context.Context) (int, error) {
	return (*readRef)(q).read().count(ctx)
}

// First returns the first item or [ErrNotFound]; see [Query.First].
func (q *IndexQuery[T, SK]) First(ctx context.Context) (item T, err error) {
	err = (*readRef)(q).read().first(ctx, &item)
	return item, err
}

// partitionNode returns the condition that all partition attributes are equal.
func partitionNode(parts []handle.KeyPart, avs []types.AttributeValue) expr.Node {
	if len(parts) == 1 {
		return equals(parts[0], avs[0])
	}
	terms := make([]expr.Node, len(parts))
	for i, p := range parts {
		terms[i] = equals(p, avs[i])
	}
	return expr.All(terms...)
}

func equals(p handle.KeyPart, av types.AttributeValue) expr.Node {
	return expr.Compare{Left: expr.Attribute(p.Name), Op: "=", Right: expr.Value{AV: av}}
}
