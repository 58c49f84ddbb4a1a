// SPDX-License-Identifier: Apache-2.0

// Package index_test tests indexes of every kind, vector indexes included: their definition, and queries and searches, also against a model.
package index_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
var (
	newClient = apitest.NewClient
	tableName = apitest.TableName
	userName  = apitest.UserName
)

// second returns the error of a call that also returns a result.
func second[T any](_ T, err error) error { return err }
