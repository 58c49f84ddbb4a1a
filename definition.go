// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"fmt"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/schema"
)

// Definition describes a table as [Table.CreateTable] would create it, with all indexes made for it so far and the settings
// of the options. It is for tools that deploy tables: package definition writes it for CloudFormation, Terraform and CDK.
// For a table with items of several types pass the [SharedTable], which has the indexes of all. Nothing is sent, and the
// table needs no client. The caller may change the result.
//
// The error matches [ErrInvalid] and names all options that are wrong at once.
func Definition(table schema.Ensurer, opts ...schema.Option) (*schema.Definition, error) {
	var c *core.Table
	switch t := table.(type) {
	case *SharedTable:
		c = t.tableCore()
	case TablePart:
		c = t.Part()
	default:
		return nil, operr.New("Definition", "", "", operr.Invalid(fmt.Errorf("%T is no table of this package", table)))
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
