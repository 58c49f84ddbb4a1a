// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
)

// Table is a DynamoDB table with a partition and a sort key, holding items of
// type T. PK and SK are the Go types of its keys; give them distinct named types
// and the compiler refuses swapped keys. Tables without a sort key are a [SimpleTable].
//
// A Table is immutable and safe for concurrent use. Make it once with [New]. Calls of a nil
// or zero Table return an error.
type Table[T, PK, SK any] struct{ core *core.Table }

// SimpleTable is a DynamoDB table without a sort key. It has the methods of [Table], with the partition key in place of a [Key].
type SimpleTable[T, PK any] struct{ core *core.Table }

// New describes a table with a partition and a sort key. It sends nothing: create the table with [Table.EnsureTable] or by
// other means. For a table without a sort key use [NewSimple]. All type parameters are inferred from the handles:
//
//	orders, err := ddb.New(client, "orders", orderCustomer, orderID, ddb.Version(orderVersion))
//
// The client is the SDK's *dynamodb.Client, as package ddbclient makes it too, or anything with the same methods.
//
// New refuses a key that is not text, number or binary or that an item could lack (omitempty), attribute names used twice,
// handles of another struct, field types that cannot be stored, and options that do not fit. The error names everything that
// is wrong at once and matches [ErrInvalid]. The returned table is then not nil, but each of its calls returns that error
// and sends nothing.
func New[T, PK, SK any](client Client, name string, partition KeyField[T, PK], sort KeyField[T, SK], opts ...TableOption) (*Table[T, PK, SK], error) {
	c, err := newCore(client, name, (*[]T)(nil), newConditionFailed[T], partition, sort, opts)
	return &Table[T, PK, SK]{c}, err
}

// NewSimple describes a table without a sort key; see [New].
//
//	users, err := ddb.NewSimple(client, "users", userID)
func NewSimple[T, PK any](client Client, name string, partition KeyField[T, PK], opts ...TableOption) (*SimpleTable[T, PK], error) {
	c, err := newCore(client, name, (*[]T)(nil), newConditionFailed[T], partition, core.NoSort{}, opts)
	return &SimpleTable[T, PK]{c}, err
}

// newCore makes what a table consists of; list is a nil *[]T. It is not inlined, since New is compiled for each type of item.
//
//go:noinline
func newCore(client Client, name string, list any, failed func(string, core.FailedCondition) error, partition, sort any, opts []TableOption) (*core.Table, error) {
	return core.New(client, name, core.NewItemOf(list, failed), partition, sort, tableOptions(opts), budgetOf(client))
}

// Name is the table's name, prefix included.
func (t *Table[T, PK, SK]) Name() string { return t.Part().Label() }

// Name is the table's name, prefix included.
func (t *SimpleTable[T, PK]) Name() string { return t.Part().Label() }

// String returns the table's name.
func (t *Table[T, PK, SK]) String() string { return t.Part().Label() }

// String returns the table's name.
func (t *SimpleTable[T, PK]) String() string { return t.Part().Label() }

// Key makes a key of the table, for methods that take one or several.
func (t *Table[T, PK, SK]) Key(pk PK, sk SK) Key[PK, SK] { return Key[PK, SK]{pk, sk} }

// KeyOf returns the key of an item, which need not be stored. For a nil item it returns the zero key.
func (t *Table[T, PK, SK]) KeyOf(item *T) (key Key[PK, SK]) {
	t.Part().KeyOf(item, &key)
	return key
}

// KeyOf returns the key of an item; see [Table.KeyOf].
func (t *SimpleTable[T, PK]) KeyOf(item *T) (key PK) {
	t.Part().KeyOf(item, &key)
	return key
}

// AnyTable is a [Table] or a [SimpleTable] with items of type T.
type AnyTable[T any] interface {
	TablePart
	// ItemSize returns the size that an item would have in DynamoDB; see [Table.ItemSize].
	ItemSize(item *T) (int, error)
}

// Part makes it a [TablePart]; it is for this library.
func (t *Table[T, PK, SK]) Part() *core.Table {
	if t == nil {
		return nil
	}
	return t.core
}

// Part makes it a [TablePart]; it is for this library.
func (t *SimpleTable[T, PK]) Part() *core.Table {
	if t == nil {
		return nil
	}
	return t.core
}

// boxed returns the address of a copy. It is not inlined, since most methods that a package compiles for its tables and handles call it.
//
//go:noinline
func boxed[V any](v V) *V {
	p := new(V)
	*p = v
	return p
}
