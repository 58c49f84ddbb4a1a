package ddb

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
)

// IndexQuery is a [Query] on a global index. Its methods are those of Query but
// Consistent: global indexes are updated after the table, and can only be read
// eventually consistent.
//
// The items hold what the index holds: attributes that are not projected into it
// ([KeysOnly], [Projecting]) are zero, and filters on them are refused.
type IndexQuery[T, SK any] struct {
	read read
	sort KeyField[T, SK]
	plan *codec.Plan
}

// NoSortKey is the sort key type of queries on a [SimpleIndex].
type NoSortKey struct{ _ [0]func() }

// Query selects the items with a partition key of the index.
func (x *Index[T, PK, SK]) Query(pk PK) IndexQuery[T, SK] {
	return IndexQuery[T, SK]{newRead(x.core, x.info, x.partition, pk), x.sort, x.plan}
}

// Query selects the items with a partition key of the index.
func (x *SimpleIndex[T, PK]) Query(pk PK) IndexQuery[T, NoSortKey] {
	return IndexQuery[T, NoSortKey]{newRead(x.core, x.info, x.partition, pk), nil, x.plan}
}

// SortKey limits the query to a range of sort keys; see [Query.SortKey].
func (q IndexQuery[T, SK]) SortKey(c SortCond[SK]) IndexQuery[T, SK] {
	q.read = addSort(q.read, c, q.sort)
	return q
}

// Filter drops items after they were read; see [Query.Filter].
func (q IndexQuery[T, SK]) Filter(conds ...Cond[T]) IndexQuery[T, SK] {
	q.read = addFilter(q.read, conds)
	return q
}

// Project reads only the given attributes, and the keys; see [Query.Project].
func (q IndexQuery[T, SK]) Project(attrs ...AnyAttr) IndexQuery[T, SK] {
	q.read = q.read.projected(attrs)
	return q
}

// Descending reads from the highest sort key to the lowest.
func (q IndexQuery[T, SK]) Descending() IndexQuery[T, SK] {
	q.read = q.read.changed()
	q.read.descending = true
	return q
}

// Limit is how many items are returned; see [Query.Limit].
func (q IndexQuery[T, SK]) Limit(n int) IndexQuery[T, SK] {
	q.read = q.read.limited(n)
	return q
}

// PageSize is how many items one request evaluates; see [Query.PageSize].
func (q IndexQuery[T, SK]) PageSize(n int) IndexQuery[T, SK] {
	q.read = q.read.paged(n)
	return q
}

// After continues behind a cursor; see [Query.After].
func (q IndexQuery[T, SK]) After(c Cursor[T]) IndexQuery[T, SK] {
	q.read.after = c.at
	return q
}

// Before reads the page that ends before a cursor; see [Query.Before].
func (q IndexQuery[T, SK]) Before(c Cursor[T]) IndexQuery[T, SK] {
	q.read.before = c.at
	return q
}

// Page reads one page; see [Query.Page].
func (q IndexQuery[T, SK]) Page(ctx context.Context) (Page[T], error) {
	return readPage[T](ctx, q.read, q.plan)
}

// Pages reads page after page; see [Query.Pages].
func (q IndexQuery[T, SK]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return readPages[T](ctx, q.read, q.plan)
}

// All yields the items one by one; see [Query.All].
func (q IndexQuery[T, SK]) All(ctx context.Context) iter.Seq2[T, error] { return readAll(q.Pages(ctx)) }

// Collect reads all items into memory; see [Query.Collect].
func (q IndexQuery[T, SK]) Collect(ctx context.Context) ([]T, error) { return readCollect(q.All(ctx)) }

// Count counts the items of the whole query; see [Query.Count].
func (q IndexQuery[T, SK]) Count(ctx context.Context) (int, error) {
	return readCount(ctx, q.read, segment{})
}

// First returns the first item or [ErrNotFound]; see [Query.First].
func (q IndexQuery[T, SK]) First(ctx context.Context) (T, error) {
	return readFirst[T](ctx, q.read, q.plan)
}

// ViewIndex is [View] for queries on a global index.
func ViewIndex[V, T, SK any](q IndexQuery[T, SK]) Reader[V] { return viewOf[V](q.read) }

// partitionNode is the condition that all partition attributes are equal.
func partitionNode(parts []keyPart, avs []types.AttributeValue) expr.Node {
	if len(parts) == 1 {
		return equals(parts[0], avs[0])
	}
	terms := make([]expr.Node, len(parts))
	for i, p := range parts {
		terms[i] = equals(p, avs[i])
	}
	return expr.All(terms...)
}

func equals(p keyPart, av types.AttributeValue) expr.Node {
	return expr.Compare{Left: expr.Attribute(p.name), Op: "=", Right: expr.Value{AV: av}}
}

// sorted adds the sort-key condition, in place of an earlier one.
func (r read) sorted(node expr.Node) read {
	r.key = expr.All(partitionNode(r.schema().partition, r.partition), node)
	return r
}
