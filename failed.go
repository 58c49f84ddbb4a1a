// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
)

// A constructor that fails returns a table or index together with the error. It refuses every call with that error before
// anything is sent. So a program that ignores the error stops at its first call.

// coreOf returns the core of a table that may be nil.
func coreOf[T any](table AnyTable[T]) *core.Table {
	if table == nil {
		return nil
	}
	return table.Part()
}
