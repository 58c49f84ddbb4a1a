// SPDX-License-Identifier: Apache-2.0

// Package index_test tests queries on indexes of every kind, against a model too.
package index_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// What is shared, by its short name.
var (
	newClient = apitest.NewClient
	tableName = apitest.TableName
	userName  = apitest.UserName
)

// second is the error of a call with a result.
func second[T any](_ T, err error) error { return err }
