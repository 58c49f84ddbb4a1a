// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"

	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/handle"
)

// ReadRef is the content of ddb.Query, ddb.Scan, ddb.IndexQuery, ddb.IndexScan and ddb.Reader. It is a part of the read that it refers
// to, by two pointers, since fmt follows one pointer of a value that does not fit the verb. So queries print nothing of the
// read without a method Format, which each package that uses a table would compile four times for each type of query.
//
// Its methods are what the methods of those types do; see [Read]. Each package that uses a table compiles the methods of those
// types, twice for each type of item. So they are one call each, and none of what they call is inlined there.
type ReadRef struct{ r **Read }

// Read returns the read; nil for a nil or zero query.
func (q *ReadRef) Read() *Read {
	if q == nil || q.r == nil {
		return nil
	}
	return *q.r
}

// Ref returns what refers to the read.
func (r *Read) Ref() *ReadRef {
	if r == nil {
		return nil
	}
	return &r.self
}

// Query returns a query of the table for the partition key that pk points to.
//
//go:noinline
func (c *Table) Query(pk any) *ReadRef { return newRead(Index{Core: c}, pk).Ref() }

// Scan returns a scan of the table.
//
//go:noinline
func (c *Table) Scan() *ReadRef { return newScan(Index{Core: c}).Ref() }

// Query returns a query of the index for the partition key that pk points to.
//
//go:noinline
func (x *IndexRef) Query(pk any) *ReadRef { return newRead(x.Index(), pk).Ref() }

// Scan returns a scan of the index.
//
//go:noinline
func (x *IndexRef) Scan() *ReadRef { return newScan(x.Index()).Ref() }

func newScan(x Index) *Read { return newSpec(Read{Core: x.Core, Index: x.Info, scan: true}) }

// Filtered is ddb.Query.Filter.
//
//go:noinline
func (q *ReadRef) Filtered(conds []*handle.Condition) *ReadRef { return q.Read().Filtered(conds).Ref() }

// Projected is ddb.Query.Project.
//
//go:noinline
func (q *ReadRef) Projected(attrs []*handle.Handle) *ReadRef { return q.Read().Projected(attrs).Ref() }

// SortKey is ddb.Query.SortKey.
//
//go:noinline
func (q *ReadRef) SortKey(c handle.SortCond) *ReadRef { return q.Read().SortKey(c).Ref() }

// Reversed is ddb.Query.Descending.
//
//go:noinline
func (q *ReadRef) Reversed() *ReadRef { return q.Read().Reversed().Ref() }

// Strong is ddb.Query.Consistent.
//
//go:noinline
func (q *ReadRef) Strong() *ReadRef { return q.Read().Strong().Ref() }

// Limited is ddb.Query.Limit.
//
//go:noinline
func (q *ReadRef) Limited(n int) *ReadRef { return q.Read().Limited(n).Ref() }

// Paged is ddb.Query.PageSize.
//
//go:noinline
func (q *ReadRef) Paged(n int) *ReadRef { return q.Read().Paged(n).Ref() }

// From is ddb.Query.After.
//
//go:noinline
func (q *ReadRef) From(c cursor.Cursor) *ReadRef { return q.Read().From(c.Position()).Ref() }

// Until is ddb.Query.Before.
//
//go:noinline
func (q *ReadRef) Until(c cursor.Cursor) *ReadRef { return q.Read().Until(c.Position()).Ref() }

// Parallel is ddb.Scan.Parallel.
//
//go:noinline
func (q *ReadRef) Parallel(n int) *ReadRef { return q.Read().Parallel(n).Ref() }

// Hydrated is ddb.IndexQuery.Hydrate.
//
//go:noinline
func (q *ReadRef) Hydrated() *ReadRef { return q.Read().Hydrated().Ref() }

// Page is ddb.Query.Page; list is a pointer to the list of items.
//
//go:noinline
func (q *ReadRef) Page(ctx context.Context, list any) (*PageData, error) {
	return q.Read().Page(ctx, list)
}

// Pages is ddb.Query.Pages.
//
//go:noinline
func (q *ReadRef) Pages(ctx context.Context) PageSeq { return q.Read().Pages(ctx) }

// All is ddb.Query.All.
//
//go:noinline
func (q *ReadRef) All(ctx context.Context) PageSeq { return q.Read().All(ctx) }

// Collect is ddb.Query.Collect; list is a pointer to the list of items.
//
//go:noinline
func (q *ReadRef) Collect(ctx context.Context, list any) error { return q.Read().Collect(ctx, list) }

// Count is ddb.Query.Count.
//
//go:noinline
func (q *ReadRef) Count(ctx context.Context) (int, error) { return q.Read().Count(ctx) }

// First is ddb.Query.First; item is a pointer to the item.
//
//go:noinline
func (q *ReadRef) First(ctx context.Context, item any) error { return q.Read().First(ctx, item) }

// Where is ddb.Query.String.
//
//go:noinline
func (q *ReadRef) Where() string { return q.Read().Where() }

// PartitionHash is ddb.Table.PartitionHash.
//
//go:noinline
func (q *ReadRef) PartitionHash() (hooks.PartitionHash, error) { return q.Read().PartitionHash() }
