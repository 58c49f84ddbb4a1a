package ddb

import (
	"errors"
	"reflect"
)

// A table or index whose constructor failed is there all the same, beside the error, and refuses every call
// with that error before anything is sent. So a program that goes on after an error stops at its first call.

var errZeroTable = errors.New("ddb: a zero table or index was used; make it with New, NewSimple or one of the functions for indexes")

// usable is why no call of the table can be made, nil if all can.
func (c *core) usable() error {
	if c == nil {
		return errZeroTable
	}
	return c.failed
}

// failedIndex is what an index that could not be made rests on.
func failedIndex[T any](c *core, name string, err error) indexBase[T] {
	failed := &core{failed: err}
	if c != nil {
		failed.name = c.name
	}
	return indexBase[T]{failed, &indexInfo{name: name}}
}

// coreOf is the core of a table that may be nil.
func coreOf[T any](table AnyTable[T]) *core {
	if v := reflect.ValueOf(table); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	return table.tableCore(nil)
}
