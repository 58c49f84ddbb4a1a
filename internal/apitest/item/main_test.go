// SPDX-License-Identifier: Apache-2.0

// Package item_test tests items and keys of every type, the path that items take, handles, conditions and changes, and updates of derived
// attributes.
package item_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
type (
	address = apitest.Address
	line    = apitest.Line
)

var (
	newClient = apitest.NewClient
	tableName = apitest.TableName
)
