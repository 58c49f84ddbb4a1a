// SPDX-License-Identifier: Apache-2.0

// Package table_test tests tables, indexes and queries as values: their names, their keys, builders that never change
// their receivers, nil and zero values, which refuse every call, functions for several queries and batches, and programs that share
// a table. It also tests definitions of tables and handles, and the operations on tables.
package table_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
var (
	needsEngine = apitest.NeedsEngine
	newClient   = apitest.NewClient
	orderTotal  = apitest.OrderTotal
	tableName   = apitest.TableName
)

// second returns the error of a call that also returns a result.
func second[T any](_ T, err error) error { return err }
