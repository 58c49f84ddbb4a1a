package ddb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
)

// Query reads the items with one partition key, in the order of the sort key.
// It is an immutable value: every method returns a changed copy, so a query can be
// built once, kept in a variable, shared by goroutines and run many times. Its
// mistakes are reported, all at once, by the call that runs it.
//
// A query costs read units for the items it reads, before the filter: the sizes of
// all items of a request are summed and rounded up to 4 KB; half a unit for each, or
// a whole one when consistent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.html
type Query[T, SK any] struct {
	read read
	sort KeyField[T, SK]
	plan *codec.Plan
}

// Query selects the items with a partition key.
func (t *Table[T, PK, SK]) Query(pk PK) Query[T, SK] {
	return newQuery(t.core, nil, t.partition, t.sort, pk)
}

// Query selects the items with a partition key, in the order of the index's sort key.
func (x *LocalIndex[T, PK, SK]) Query(pk PK) Query[T, SK] {
	return newQuery(x.core, x.info, x.partition, x.sort, pk)
}

func newQuery[T, PK, SK any](c *core, index *indexInfo, partition KeyField[T, PK], sort KeyField[T, SK], pk PK) Query[T, SK] {
	return Query[T, SK]{read: newRead(c, index, partition, pk), sort: sort, plan: c.plan}
}

func newRead[T, PK any](c *core, index *indexInfo, partition KeyField[T, PK], pk PK) read {
	r := read{core: c, index: index}.changed()
	if c.usable() != nil {
		return r // every terminal refuses it
	}
	avs, err := encodeKey(partition, &pk)
	if err != nil {
		r.errs = append(r.errs, err)
		return r
	}
	r.partition = avs
	r.key = partitionNode(r.schema().partition, avs)
	return r
}

// SortKey limits the query to a range of sort keys. Only one range is possible. The zero
// [SortCond] is refused.
func (q Query[T, SK]) SortKey(c SortCond[SK]) Query[T, SK] {
	q.read = addSort(q.read, c, q.sort)
	return q
}

// Filter drops the items for which a condition is false, after they were read and
// billed. Several calls, and several conditions, must all hold. A zero [Cond], and an [And]
// of nothing, drop no item; an [Or] of nothing is refused.
func (q Query[T, SK]) Filter(conds ...Cond[T]) Query[T, SK] {
	q.read = addFilter(q.read, conds)
	return q
}

// Project reads only the given attributes, and the keys, into T.
func (q Query[T, SK]) Project(attrs ...AnyAttr) Query[T, SK] {
	q.read = q.read.projected(attrs)
	return q
}

// Descending reads from the highest sort key to the lowest.
func (q Query[T, SK]) Descending() Query[T, SK] {
	q.read = q.read.changed()
	q.read.descending = true
	return q
}

// Limit is how many items are returned, whatever the filter drops. Zero is no limit.
func (q Query[T, SK]) Limit(n int) Query[T, SK] {
	q.read = q.read.limited(n)
	return q
}

// PageSize is how many items one request evaluates at most, in place of the table's [PageSize].
func (q Query[T, SK]) PageSize(n int) Query[T, SK] {
	q.read = q.read.paged(n)
	return q
}

// Consistent makes the query see every write that was answered before, at twice the price.
func (q Query[T, SK]) Consistent() Query[T, SK] {
	q.read = q.read.changed()
	q.read.consistent = true
	return q
}

// After continues behind a cursor, usually [Page.Next]. The zero Cursor is the beginning.
func (q Query[T, SK]) After(c Cursor[T]) Query[T, SK] {
	q.read.after = c.at
	return q
}

// Before makes [Query.Page] read the page that ends before a cursor, usually
// [Page.Prev], in the query's own order. The zero Cursor is none.
func (q Query[T, SK]) Before(c Cursor[T]) Query[T, SK] {
	q.read.before = c.at
	return q
}

// Page reads one page: as many items as the limit says or, without a limit, as
// one request gives. Empty pages that a filter makes are followed.
//
// After an error the page is good as far as it goes: it holds the items that were
// read before, and Next goes on behind them. When the cause is an item that cannot
// be read into T, that is in front of this item.
func (q Query[T, SK]) Page(ctx context.Context) (Page[T], error) {
	return readPage[T](ctx, q.read, q.plan)
}

// Pages reads page after page, each of one request, up to the limit in all; empty
// pages are not handed out. The next page is fetched while the caller works on the
// last; it is dropped if the loop is left, but was billed. An error is yielded once,
// last, behind the items that were read before it; the [Page.Next] of these goes on
// behind them.
func (q Query[T, SK]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return readPages[T](ctx, q.read, q.plan)
}

// All yields the items one by one, fetching as it goes; it can be ranged again. An
// error is yielded once, last, with the zero T. Leaving the loop leaks nothing.
func (q Query[T, SK]) All(ctx context.Context) iter.Seq2[T, error] { return readAll(q.Pages(ctx)) }

// Collect reads all items into memory; on an error it returns those before it too.
func (q Query[T, SK]) Collect(ctx context.Context) ([]T, error) { return readCollect(q.All(ctx)) }

// Count counts the items of the whole query, over all of its pages. It costs as
// much as reading them.
func (q Query[T, SK]) Count(ctx context.Context) (int, error) {
	return readCount(ctx, q.read, segment{})
}

// First returns the first item, in the query's order, or [ErrNotFound].
func (q Query[T, SK]) First(ctx context.Context) (T, error) {
	return readFirst[T](ctx, q.read, q.plan)
}

// View reads into a smaller type V instead of T: only the attributes that V has
// are read, by their names in V's tags. Make it the last step.
//
//	for s, err := range ddb.View[Summary](orders.Query("c1")).All(ctx) { ... }
func View[V, T, SK any](q Query[T, SK]) Reader[V] { return viewOf[V](q.read) }

// Reader runs a query or scan that reads into another type; see [View].
type Reader[V any] struct {
	read read
	plan *codec.Plan
}

// Page reads one page; see [Query.Page].
func (v Reader[V]) Page(ctx context.Context) (Page[V], error) {
	return readPage[V](ctx, v.read, v.plan)
}

// Pages reads page after page; see [Query.Pages].
func (v Reader[V]) Pages(ctx context.Context) iter.Seq2[Page[V], error] {
	return readPages[V](ctx, v.read, v.plan)
}

// All yields the items one by one; see [Query.All].
func (v Reader[V]) All(ctx context.Context) iter.Seq2[V, error] { return readAll(v.Pages(ctx)) }

// Collect reads all items into memory; see [Query.Collect].
func (v Reader[V]) Collect(ctx context.Context) ([]V, error) { return readCollect(v.All(ctx)) }

// First returns the first item or [ErrNotFound]; see [Query.First].
func (v Reader[V]) First(ctx context.Context) (V, error) { return readFirst[V](ctx, v.read, v.plan) }

// Count counts the items; see [Query.Count].
func (v Reader[V]) Count(ctx context.Context) (int, error) {
	return readCount(ctx, v.read, segment{})
}

// After continues behind a cursor of the same query, usually [Page.Next].
func (v Reader[V]) After(c Cursor[V]) Reader[V] {
	v.read.after = c.at
	return v
}

// Before makes [Reader.Page] read the page that ends before a cursor; see [Query.Before].
func (v Reader[V]) Before(c Cursor[V]) Reader[V] {
	v.read.before = c.at
	return v
}

// ParseCursor reads the text of a cursor of the same table or index; see [Table.ParseCursor].
func (v Reader[V]) ParseCursor(text string) (Cursor[V], error) {
	if v.read.core == nil {
		return Cursor[V]{}, v.read.fail(invalid(errZeroRead))
	}
	return cursorOf[V](text, v.read.core, v.read.index)
}

func viewOf[V any](r read) Reader[V] {
	if r.core.usable() != nil {
		return Reader[V]{read: r} // whose methods refuse it
	}
	plan, paths, err := viewPlan[V](r.core)
	r = r.changed().wrong(err)
	if r.hydrate {
		r = r.wrong(errors.New("a view of a hydrated query: Hydrate reads whole items; leave it out, or use Project"))
	}
	r.project, r.view = nil, paths
	return Reader[V]{r, plan}
}

func addSort[T, SK any](r read, c SortCond[SK], sort KeyField[T, SK]) read {
	r = r.changed()
	node, err := c.c.node(sort, r.schema().sort)
	if err != nil {
		return r.wrong(err)
	}
	if r.key == nil {
		return r // the partition key is wrong already
	}
	return r.sorted(node)
}

func addFilter[T any](r read, conds []Cond[T]) read {
	r = r.changed()
	all, err := allOf(untyped(conds)).parts()
	r.filter = expr.All(r.filter, all)
	return r.wrong(err)
}

// wrong keeps an error for the call that runs the read.
func (r read) wrong(err error) read {
	if err != nil {
		r.errs = append(slices.Clip(r.errs), err)
	}
	return r
}

func (r read) projected(attrs []AnyAttr) read {
	r = r.changed()
	r.project = append(slices.Clip(r.project), attrs...)
	if len(r.project) == 0 {
		return r.wrong(errors.New("projection: no attributes"))
	}
	return r
}

func (r read) limited(n int) read {
	r.limit = n
	if n < 0 {
		return r.changed().wrong(fmt.Errorf("limit %d is negative", n))
	}
	return r
}

func (r read) paged(n int) read {
	r.pageSize = n
	if n < 1 {
		return r.changed().wrong(fmt.Errorf("page size %d: must be at least 1", n))
	}
	return r
}
