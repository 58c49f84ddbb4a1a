// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"fmt"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/core"
)

// NewTable returns a new, empty table of a client. It is generic, so that each package compiles its own types of tables, and this one none.
func NewTable[T, PK, SK any](t testing.TB, client ddb.Client, partition ddb.KeyField[T, PK], sort ddb.KeyField[T, SK], opts ...ddb.TableOption) *ddb.Table[T, PK, SK] {
	t.Helper()
	table, err := ddb.New(client, TableName(t), partition, sort, opts...)
	if err == nil {
		err = table.CreateTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// NewUsers returns a new, empty table of users.
func NewUsers(t testing.TB, opts ...ddb.TableOption) *ddb.SimpleTable[User, string] {
	t.Helper()
	users, err := ddb.NewSimple(NewClient(t), TableName(t), UserID, opts...)
	if err == nil {
		err = users.CreateTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return users
}

// Untyped describes a table as [ddb.New] and [ddb.NewSimple] do, but without a type for it; sort is [core.NoSort] if there is no sort
// key. A package compiles about 170 functions for each pair of item and key types that it has a table for. This is for tests of many
// such pairs.
func Untyped[T any](client ddb.Client, name string, partition, sort any, opts ...ddb.TableOption) (*core.Table, error) {
	return untyped(client, name, (*[]T)(nil), partition, sort, opts)
}

//go:noinline
func untyped(client ddb.Client, name string, list, partition, sort any, opts []ddb.TableOption) (*core.Table, error) {
	all := make([]core.AnyTableOption, len(opts))
	for i, o := range opts {
		all[i] = o
	}
	failed := func(condition string, _ core.FailedCondition) error {
		return fmt.Errorf("%w: %s", ddb.ErrConditionFailed, condition)
	}
	return core.New(client, name, core.NewItemOf(list, failed), partition, sort, all, nil)
}
