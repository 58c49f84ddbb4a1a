// SPDX-License-Identifier: Apache-2.0

// Package tableinfo says what is known of a table: how it was made, its definition for tools that deploy it, and what the
// service says of it:
//
//	info, err := tableinfo.Of(orders) // name, client, key
//
//	d, err := tableinfo.Definition(orders, schema.OnDemand()) // for package definition
//
//	err = tableinfo.LearnSizes(ctx, orders) // for the estimates of ddb.Explain
package tableinfo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/schema"
)

// Info is what a table was made with, for packages that build on this one; see [Of].
type Info struct {
	Name   string
	Client ddb.Client `json:"-"`
	Key    schema.Key
	// Version is the attribute of [ddb.Version], empty for none.
	Version string
}

// String is the name of the table.
func (i Info) String() string { return i.Name }

// Format prints the name of the table, for every verb: a client may show secrets.
func (i Info) Format(s fmt.State, verb rune) { quiet.Format(s, verb, i.Name) }

// LogValue is the name of the table.
func (i Info) LogValue() slog.Value { return slog.StringValue(i.Name) }

// Of returns the definition of a table. The error is that of the table's constructor, or says that the table is nil. It sends nothing.
func Of(table ddb.TablePart) (Info, error) {
	c := core.PartOf(table)
	if err := c.Usable(); err != nil {
		return Info{Name: c.Label()}, err
	}
	info := Info{Name: c.Name, Client: c.Client, Key: c.Key.Described()}
	if h := c.GuardAttr(); h != nil {
		info.Version = h.Path().String()
	}
	return info, nil
}

// Definition describes a table as [ddb.Table.CreateTable] would create it, with all indexes made for it so far and the settings
// of the options. It is for tools that deploy tables: package definition writes it for CloudFormation, Terraform and CDK.
// For a table with items of several types pass the [ddb.SharedTable], which has the indexes of all. Nothing is sent, and the
// table needs no client. The caller may change the result.
//
// The error matches [ddb.ErrInvalid] and names all options that are wrong at once.
func Definition(table schema.Ensurer, opts ...schema.Option) (*schema.Definition, error) {
	var c *core.Table
	switch t := table.(type) {
	case interface{ Shared() *core.Table }: // a SharedTable
		c = t.Shared()
	case ddb.TablePart:
		c = t.Part()
	default:
		return nil, operr.New("Definition", "", "", operr.Invalid(fmt.Errorf("%T is no table of package ddb", table)))
	}
	if err := c.Usable(); err != nil {
		return nil, operr.New("Definition", c.Label(), "", err)
	}
	s, err := schema.New(c.Described(), opts...)
	if err := operr.Invalid(operr.Wrong(err)); err != nil {
		return nil, operr.New("Definition", c.Label(), "", err)
	}
	return s.Definition(), nil
}

// Describe returns the service's description of a table: its status, throughput, indexes, and its size as of some hours
// ago. It needs the permission dynamodb:DescribeTable and costs no units.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
func Describe(ctx context.Context, t ddb.TablePart) (*types.TableDescription, error) {
	if t == nil {
		return nil, operr.New("DescribeTable", "", "", operr.Invalid(errors.New("the table is nil")))
	}
	return t.Part().AdmittedDescription(ctx)
}

// LearnSizes requests the sizes of tables and their indexes from DynamoDB, so that [ddb.Explain] can estimate what a whole call
// costs: a scan, Collect, or a page with a filter that drops much. It sends one DescribeTable for each table, which is free
// and needs that permission; the library never does this by itself. Call it again to update the sizes.
//
// DynamoDB updates the sizes about every six hours, so ranges include a margin of a quarter. A table that it reports as
// empty may be new, so its size counts as unknown:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
func LearnSizes(ctx context.Context, tables ...ddb.TablePart) error {
	var wrong []error
	for i, t := range tables {
		if t == nil {
			wrong = append(wrong, fmt.Errorf("LearnSizes: table %d is nil", i))
		}
	}
	if err := operr.Invalid(wrong...); err != nil {
		return &ddberr.OpError{Op: "LearnSizes", Err: err}
	}
	errs := make([]error, len(tables))
	var wg sync.WaitGroup
	for i, t := range tables {
		wg.Go(func() { errs[i] = t.Part().LearnSizes(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
