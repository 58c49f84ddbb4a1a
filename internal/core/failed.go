// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"

	"github.com/dynamotable/ddb/internal/operr"
)

var errZeroTable = operr.Invalid(errors.New("a zero table or index was used; make it with ddb.New, ddb.NewSimple or one of the functions for indexes"))

// failedIndex returns an index that could not be made.
func failedIndex(c *Table, name string, err error) Index {
	return Index{&Table{Name: c.Label(), Failed: err}, &IndexInfo{name: name}}
}

// Usable returns why the table cannot be used, or nil.
func (c *Table) Usable() error {
	if c == nil {
		return errZeroTable
	}
	return c.Failed
}
