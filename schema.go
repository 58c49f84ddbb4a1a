// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"

	"github.com/dynamotable/ddb/schema"
)

// CreateTable creates the table with all indexes that were made for it so far ([NewIndex], [NewSimpleIndex],
// [NewLocalIndex]), enables TTL if the option [TTL] names an attribute, and waits until everything is active. It returns
// [schema.ErrTableExists] if there is a table with the name.
//
// The wait ends with the context, or after 10 minutes.
func (t *Table[T, PK, SK]) CreateTable(ctx context.Context, opts ...schema.Option) error {
	return t.Part().CreateTable(ctx, opts)
}

// CreateTable creates the table with all of its indexes; see [Table.CreateTable].
func (t *SimpleTable[T, PK]) CreateTable(ctx context.Context, opts ...schema.Option) error {
	return t.Part().CreateTable(ctx, opts)
}

// WaitTable waits until the table and all of its indexes are active. The wait
// ends with the context, or after 10 minutes.
func (t *Table[T, PK, SK]) WaitTable(ctx context.Context) error {
	return t.Part().WaitTable(ctx)
}

// WaitTable waits until the table and all of its indexes are active; see [Table.WaitTable].
func (t *SimpleTable[T, PK]) WaitTable(ctx context.Context) error {
	return t.Part().WaitTable(ctx)
}

// DeleteTable deletes the table with all its items and waits until it is gone. A table that does not exist is not an error.
// The call is refused unless the permission names this table.
func (t *Table[T, PK, SK]) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	return t.Part().DeleteTable(ctx, allow)
}

// DeleteTable deletes the table with all its items; see [Table.DeleteTable].
func (t *SimpleTable[T, PK]) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	return t.Part().DeleteTable(ctx, allow)
}

// EnsureTable creates the missing parts of the table and waits for them: the table itself, global and vector indexes (one
// after the other, as DynamoDB requires, each filled from the existing items), TTL, and the stream. It never changes or
// drops what exists. Remaining differences are returned as a [*schema.Error]; for example a missing local index, which only
// a new table can have. It is safe to call from several processes at once.
//
// A table that has more than this definition is not an error, nor is an index that another program is adding at the moment.
// So a program that is older than the table can start, as during a rolling restart or after a rollback. [Table.VerifyTable]
// lists the additional parts, with [schema.Difference.Extra] set.
//
// The wait ends with the context, or after 10 minutes for each index; the error then says in which state the table is. Call
// it again to continue.
func (t *Table[T, PK, SK]) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	return t.Part().EnsureTable(ctx, opts)
}

// EnsureTable makes the table ready; see [Table.EnsureTable].
func (t *SimpleTable[T, PK]) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	return t.Part().EnsureTable(ctx, opts)
}

// VerifyTable compares the live table with its definition and the options, and returns every difference: keys and their
// types, missing, extra and unready indexes, projections, billing, throughput, TTL, stream, table class, deletion
// protection, encryption. Settings that no option names are not compared, except for the billing mode, which is on-demand by
// default. It changes nothing and needs the permissions DescribeTable and DescribeTimeToLive.
//
// Differences that the table has in addition to its definition are marked as [schema.Difference.Extra]. For a table with
// items of several types call [SharedTable.VerifyTable], which knows the indexes of all.
func (t *Table[T, PK, SK]) VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	return t.Part().VerifyTable(ctx, opts)
}

// VerifyTable compares the live table with its definition; see [Table.VerifyTable].
func (t *SimpleTable[T, PK]) VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	return t.Part().VerifyTable(ctx, opts)
}
