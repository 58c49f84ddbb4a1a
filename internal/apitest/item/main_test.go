// SPDX-License-Identifier: Apache-2.0

// Package item_test tests items, keys and values of every type: how they are stored, compared and changed, handles and conditions, names
// that callers pass in, the path that items take, and updates of derived attributes.
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
