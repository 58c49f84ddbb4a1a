// SPDX-License-Identifier: Apache-2.0

// Package values_test tests how values are stored, compared and changed, from the perspective of callers, and texts that callers pass
// in: keys, cursors, page tokens and expressions.
package values_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
var (
	forge         = apitest.Forge
	newClient     = apitest.NewClient
	orderCustomer = apitest.OrderCustomer
	orderKey      = apitest.OrderKey
)
