// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"

	"github.com/dynamotable/ddb/internal/operr"
)

// A constructor that fails returns a table or index together with the error. It refuses every call with that error before
// anything is sent. So a program that ignores the error stops at its first call.

var errZeroTable = operr.Invalid(errors.New("a zero table or index was used; make it with ddb.New, ddb.NewSimple or one of the functions for indexes"))

// usable returns why the table cannot be used, or nil.
func (c *core) usable() error {
	if c == nil {
		return errZeroTable
	}
	return c.failed
}

// failedIndex returns an index that could not be made.
func failedIndex(c *core, name string, err error) index {
	return index{&core{name: c.label(), failed: err}, &indexInfo{name: name}}
}

// coreOf returns the core of a table that may be nil.
func coreOf[T any](table AnyTable[T]) *core {
	if table == nil {
		return nil
	}
	return table.part()
}
