// SPDX-License-Identifier: Apache-2.0

// Package text_test tests texts that callers pass in: keys, cursors, page tokens and expressions.
package text_test

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
