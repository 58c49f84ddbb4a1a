// SPDX-License-Identifier: Apache-2.0

package core

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
func (c *Table) spec(ctx context.Context, op string, opts []schema.Option) (*schema.Spec, schema.Client, error) {
	if err := c.Usable(); err != nil {
		return nil, nil, err
	}
	s, err := schema.New(c.Described(), opts...)
	client, lacks := c.schemaClient()
	if lacks == nil {
		err = s.CheckClient(client) // with the mistakes of New
	}
	if err := operr.Invalid(operr.Wrong(err), lacks); err != nil {
		return s, client, err
	}
	return s, client, c.admitSchema(ctx, op)
}

// Described returns the table with its indexes, and those of its parts.
func (c *Table) Described() schema.Table {
	t := schema.Table{Name: c.Name, Key: c.Key.Described(), TTL: c.ttlAttribute()}
	for _, part := range append([]*Table{c}, c.parts...) {
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

func (i *IndexInfo) described() schema.Index {
	return schema.Index{Name: i.name, Key: i.key.Described(), Global: i.global, Projection: i.projection, Include: i.include}
}

// sameAs reports whether two descriptions describe the same index.
func (i *IndexInfo) sameAs(o *IndexInfo) bool { return i.described().Same(o.described()) }

func (s keySchema) Described() schema.Key {
	attributes := func(parts []handle.KeyPart) []schema.KeyAttribute {
		all := make([]schema.KeyAttribute, len(parts))
		for i, p := range parts {
			all[i] = schema.KeyAttribute{Name: p.Name, Type: p.Kind}
		}
		return all
	}
	return schema.Key{Partition: attributes(s.partition), Sort: attributes(s.sort)}
}

func (c *Table) schemaClient() (schema.Client, error) {
	if err := c.Usable(); err != nil {
		return nil, err
	}
	client, ok := c.Client.(schema.Client)
	if !ok {
		return nil, fmt.Errorf("the client (%T) lacks the table methods of schema.Client", c.Client)
	}
	return client, nil
}

// CreateTable creates the table and waits until it is active.
func (c *Table) CreateTable(ctx context.Context, opts []schema.Option) error {
	s, client, err := c.spec(ctx, "CreateTable", opts)
	if err == nil {
		err = s.Create(ctx, client)
	}
	return operr.New("CreateTable", c.Label(), "", err)
}

// WaitTable waits until the table and its indexes are active.
func (c *Table) WaitTable(ctx context.Context) error {
	client, err := c.schemaClient()
	if err == nil {
		err = c.admitSchema(ctx, "DescribeTable")
	}
	if err == nil {
		_, err = schema.Wait(ctx, client, c.Name)
	}
	return operr.New("DescribeTable", c.Label(), "", err)
}

// DeleteTable deletes the table that the permission names.
func (c *Table) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	client, err := c.schemaClient()
	if !allow.Allows(c.Label()) {
		err = errors.Join(err, fmt.Errorf("the permission names table %q, not this one; nothing was deleted", allow.Table()))
	}
	if err := operr.Invalid(err); err != nil {
		return operr.New("DeleteTable", c.Label(), "", err)
	}
	if err := c.admitSchema(ctx, "DeleteTable"); err != nil {
		return operr.New("DeleteTable", c.Name, "", err)
	}
	return operr.New("DeleteTable", c.Label(), "", schema.Delete(ctx, client, c.Name))
}

// describe returns the description of the table.
func (c *Table) describe(ctx context.Context, client schema.Client) (*types.TableDescription, error) {
	return schema.Describe(ctx, client, c.Name)
}

// AdmittedDescription asks Explain first.
func (c *Table) AdmittedDescription(ctx context.Context) (*types.TableDescription, error) {
	client, err := c.schemaClient()
	if err == nil {
		err = c.admitSchema(ctx, "DescribeTable")
	}
	if err != nil {
		return nil, operr.New("DescribeTable", c.Label(), "", err)
	}
	d, err := c.describe(ctx, client)
	return d, operr.New("DescribeTable", c.Label(), "", err)
}

// EnsureTable creates the table if it is missing, adds what it lacks, and waits.
func (c *Table) EnsureTable(ctx context.Context, opts []schema.Option) error {
	s, client, err := c.spec(ctx, "EnsureTable", opts)
	if err == nil {
		var task *progress.Task
		ctx, task = progress.Start(ctx, "EnsureTable "+c.Name)
		defer task.Stop("it ended with a panic") // unless it has ended before
		err = s.Ensure(ctx, client)
		task.End(err)
	}
	return operr.New("EnsureTable", c.Label(), "", err)
}

// VerifyTable returns the differences between the table and its definition.
func (c *Table) VerifyTable(ctx context.Context, opts []schema.Option) ([]schema.Difference, error) {
	s, client, err := c.spec(ctx, "VerifyTable", opts)
	if err != nil {
		return nil, operr.New("VerifyTable", c.Label(), "", err)
	}
	found, err := s.Verify(ctx, client)
	return found, operr.New("VerifyTable", c.Label(), "", err)
}
