// SPDX-License-Identifier: Apache-2.0

package unique_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
type user = apitest.User

var (
	newClient   = apitest.NewClient
	newUsers    = apitest.NewUsers
	tableName   = apitest.TableName
	userEmail   = apitest.UserEmail
	userID      = apitest.UserID
	userName    = apitest.UserName
	userNick    = apitest.UserNick
	userVersion = apitest.UserVersion
)

// second returns the error of a call that also returns a result.
func second[T any](_ T, err error) error { return err }
