// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/schema"
)

// TablePart is a table of one item type: a [Table] or a [SimpleTable]. [Share] combines several.
type TablePart interface {
	schema.Ensurer
	Part() *core.Table
}

// SharedTable is a DynamoDB table that holds items of several types (single-table design). Its schema methods use the
// indexes and the TTL attribute of all types. Items are read and written through the typed tables. Make it with [Share]. It
// is immutable and safe for concurrent use.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/data-modeling-foundations.html
type SharedTable struct {
	core *core.Table
}

// Share combines the definitions of typed tables that share one DynamoDB table:
//
//	table, err := ddb.Share(customers, orders, invoices)
//	err = table.EnsureTable(ctx)
//
// It sends nothing. Indexes that are described later for one of the parts are included. Several parts may describe the same
// index; their definitions must agree.
//
// Share refuses parts of different tables, with different primary keys, or with different attributes for TTL. The error
// names everything that is wrong and matches [ErrInvalid]; each call of the table then returns it. Requests go through the
// client of the first part.
func Share(parts ...TablePart) (*SharedTable, error) {
	shared := &core.Table{}
	var errs []error
	if len(parts) == 0 {
		errs = append(errs, errors.New("no tables to share"))
	}
	for i, p := range parts {
		if p == nil || p.Part() == nil {
			errs = append(errs, fmt.Errorf("table %d is nil", i))
			continue
		}
		c := p.Part()
		if err := c.Usable(); err != nil {
			errs = append(errs, fmt.Errorf("table %d: %w", i, err))
			continue
		}
		if shared.Client == nil {
			shared.Client, shared.Name, shared.Key, shared.KeyNames = c.Client, c.Name, c.Key, c.KeyNames
		}
		errs = append(errs, shared.Share(c, i))
	}
	if err := operr.Invalid(errs...); err != nil {
		shared.Failed = &ddberr.OpError{Op: "Share", Table: shared.Name, Err: err}
	}
	return &SharedTable{shared}, shared.Failed
}

// Name returns the table's name, including the prefix.
func (t *SharedTable) Name() string {
	if c := t.Shared(); c != nil {
		return c.Name
	}
	return ""
}

// Shared returns the table without its types; it is for this library.
func (t *SharedTable) Shared() *core.Table {
	if t == nil {
		return nil
	}
	return t.core
}

// CreateTable creates the table with the indexes of all parts; see [Table.CreateTable].
func (t *SharedTable) CreateTable(ctx context.Context, opts ...schema.Option) error {
	return t.Shared().CreateTable(ctx, opts)
}

// EnsureTable creates what is missing of the table and of the indexes of all parts; see [Table.EnsureTable].
func (t *SharedTable) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	return t.Shared().EnsureTable(ctx, opts)
}

// VerifyTable lists how the live table differs from the definitions of all parts; see [Table.VerifyTable].
func (t *SharedTable) VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	return t.Shared().VerifyTable(ctx, opts)
}

// WaitTable waits until the table and all of its indexes are active; see [Table.WaitTable].
func (t *SharedTable) WaitTable(ctx context.Context) error { return t.Shared().WaitTable(ctx) }

// DeleteTable deletes the table with the items of all types; see [Table.DeleteTable].
func (t *SharedTable) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	return t.Shared().DeleteTable(ctx, allow)
}
