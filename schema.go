// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/schema"
)

// spec collects definition and options for an operation, and reports every mistake.
func (c *core) spec(ctx context.Context, op string, opts []schema.Option) (*schema.Spec, schema.Client, error) {
	if err := c.usable(); err != nil {
		return nil, nil, err
	}
	s, err := schema.New(c.described(), opts...)
	client, lacks := c.schemaClient()
	if lacks == nil {
		err = s.CheckClient(client) // with the mistakes of New
	}
	if err := operr.Invalid(operr.Wrong(err), lacks); err != nil {
		return s, client, err
	}
	return s, client, c.admitSchema(ctx, op)
}

// described returns the table with its indexes, and those of its parts.
func (c *core) described() schema.Table {
	t := schema.Table{Name: c.name, Key: c.key.described(), TTL: c.ttlAttribute()}
	for _, part := range append([]*core{c}, c.parts...) {
		part.mu.Lock()
		for _, i := range part.indexes {
			t.Indexes = append(t.Indexes, i.described())
		}
		part.mu.Unlock()
		for _, v := range part.vectorIndexes() {
			t.Vectors = append(t.Vectors, v.described())
		}
	}
	return t
}

func (i *indexInfo) described() schema.Index {
	return schema.Index{Name: i.name, Key: i.key.described(), Global: i.global, Projection: i.projection, Include: i.include}
}

// sameAs reports whether two descriptions describe the same index.
func (i *indexInfo) sameAs(o *indexInfo) bool { return i.described().Same(o.described()) }

func (s keySchema) described() schema.Key {
	attributes := func(parts []handle.KeyPart) []schema.KeyAttribute {
		all := make([]schema.KeyAttribute, len(parts))
		for i, p := range parts {
			all[i] = schema.KeyAttribute{Name: p.Name, Type: p.Kind}
		}
		return all
	}
	return schema.Key{Partition: attributes(s.partition), Sort: attributes(s.sort)}
}

func (c *core) schemaClient() (schema.Client, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	client, ok := c.client.(schema.Client)
	if !ok {
		return nil, fmt.Errorf("the client (%T) lacks the table methods of schema.Client", c.client)
	}
	return client, nil
}

// CreateTable creates the table with all indexes that were made for it so far ([NewIndex], [NewSimpleIndex],
// [NewLocalIndex]), enables TTL if the option [TTL] names an attribute, and waits until everything is active. It returns
// [schema.ErrTableExists] if there is a table with the name.
//
// The wait ends with the context, or after 10 minutes.
func (t *Table[T, PK, SK]) CreateTable(ctx context.Context, opts ...schema.Option) error {
	return t.part().createTable(ctx, opts)
}

// CreateTable creates the table with all of its indexes; see [Table.CreateTable].
func (t *SimpleTable[T, PK]) CreateTable(ctx context.Context, opts ...schema.Option) error {
	return t.part().createTable(ctx, opts)
}

func (c *core) createTable(ctx context.Context, opts []schema.Option) error {
	s, client, err := c.spec(ctx, "CreateTable", opts)
	if err == nil {
		err = s.Create(ctx, client)
	}
	return operr.New("CreateTable", c.label(), "", err)
}

// WaitTable waits until the table and all of its indexes are active. The wait
// ends with the context, or after 10 minutes.
func (t *Table[T, PK, SK]) WaitTable(ctx context.Context) error {
	return t.part().waitTable(ctx)
}

// WaitTable waits until the table and all of its indexes are active; see [Table.WaitTable].
func (t *SimpleTable[T, PK]) WaitTable(ctx context.Context) error {
	return t.part().waitTable(ctx)
}

func (c *core) waitTable(ctx context.Context) error {
	client, err := c.schemaClient()
	if err == nil {
		err = c.admitSchema(ctx, "DescribeTable")
	}
	if err == nil {
		_, err = schema.Wait(ctx, client, c.name)
	}
	return operr.New("DescribeTable", c.label(), "", err)
}

// DeleteTable deletes the table with all its items and waits until it is gone. A table that does not exist is not an error.
// The call is refused unless the permission names this table.
func (t *Table[T, PK, SK]) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	return t.part().deleteTable(ctx, allow)
}

// DeleteTable deletes the table with all its items; see [Table.DeleteTable].
func (t *SimpleTable[T, PK]) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	return t.part().deleteTable(ctx, allow)
}

func (c *core) deleteTable(ctx context.Context, allow schema.DeletePermission) error {
	client, err := c.schemaClient()
	if !allow.Allows(c.label()) {
		err = errors.Join(err, fmt.Errorf("the permission names table %q, not this one; nothing was deleted", allow.Table()))
	}
	if err := operr.Invalid(err); err != nil {
		return operr.New("DeleteTable", c.label(), "", err)
	}
	if err := c.admitSchema(ctx, "DeleteTable"); err != nil {
		return operr.New("DeleteTable", c.name, "", err)
	}
	return operr.New("DeleteTable", c.label(), "", schema.Delete(ctx, client, c.name))
}

// describe returns the description of the table.
func (c *core) describe(ctx context.Context, client schema.Client) (*types.TableDescription, error) {
	return schema.Describe(ctx, client, c.name)
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
	return t.part().ensureTable(ctx, opts)
}

// EnsureTable makes the table ready; see [Table.EnsureTable].
func (t *SimpleTable[T, PK]) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	return t.part().ensureTable(ctx, opts)
}

func (c *core) ensureTable(ctx context.Context, opts []schema.Option) error {
	s, client, err := c.spec(ctx, "EnsureTable", opts)
	if err == nil {
		var task *progress.Task
		ctx, task = progress.Start(ctx, "EnsureTable "+c.name)
		defer task.Stop("it ended with a panic") // unless it has ended before
		err = s.Ensure(ctx, client)
		task.End(err)
	}
	return operr.New("EnsureTable", c.label(), "", err)
}

// VerifyTable compares the live table with its definition and the options, and returns every difference: keys and their
// types, missing, extra and unready indexes, projections, billing, throughput, TTL, stream, table class, deletion
// protection, encryption. Settings that no option names are not compared, except for the billing mode, which is on-demand by
// default. It changes nothing and needs the permissions DescribeTable and DescribeTimeToLive.
//
// Differences that the table has in addition to its definition are marked as [schema.Difference.Extra]. For a table with
// items of several types call [SharedTable.VerifyTable], which knows the indexes of all.
func (t *Table[T, PK, SK]) VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	return t.part().verifyTable(ctx, opts)
}

// VerifyTable compares the live table with its definition; see [Table.VerifyTable].
func (t *SimpleTable[T, PK]) VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	return t.part().verifyTable(ctx, opts)
}

func (c *core) verifyTable(ctx context.Context, opts []schema.Option) ([]schema.Difference, error) {
	s, client, err := c.spec(ctx, "VerifyTable", opts)
	if err != nil {
		return nil, operr.New("VerifyTable", c.label(), "", err)
	}
	found, err := s.Verify(ctx, client)
	return found, operr.New("VerifyTable", c.label(), "", err)
}
