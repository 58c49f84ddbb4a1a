// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/operr"
)

// GetOption is an option of reads by key, Get, Exists, BatchGet and TransactGet:
// [Consistent], [Project], [IncludeExpired] and, for batches, [StatsTo].
type GetOption interface{ ConsistentOrProject(*core.ReadCall) }

// Consistent makes a read strongly consistent: it sees every write that completed before. It costs twice the read units of
// an eventually consistent one.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
func Consistent() GetOption { return core.ConsistentOption{} }

// Project reads only the given attributes, and the key, into T; the other fields
// are zero. It saves transfer and decoding, not read units.
func Project(attrs ...AnyAttr) GetOption { return core.ProjectOption(handlesOf(attrs)) }

// readOptions is not inlined, since each package that uses a table would compile the function that it calls.
//
//go:noinline
func readOptions(opts []GetOption) core.ReadCall { return core.ReadOptions(opts) }

// Get reads one item. It returns [ErrNotFound] if there is none.
//
// The read is eventually consistent unless [Consistent] is given. It costs half a read unit for each 4 KB of the item,
// rounded up, or a whole unit if consistent. A missing item costs as much as one of 4 KB.
//
// A reply with another item than the requested one, for example from a proxy that mixes up its connections, is refused, and
// the read is sent again by the client's policy; if that does not help, the call fails. The same holds for all reads by key
// or with a partition key, for BatchGet and TransactGet. A reply that says that there is no item cannot be checked.
func (t *Table[T, PK, SK]) Get(ctx context.Context, pk PK, sk SK, opts ...GetOption) (T, error) {
	return t.GetKey(ctx, Key[PK, SK]{pk, sk}, opts...)
}

// GetKey is [Table.Get] by a key, made by [Table.Key] or [Table.KeyOf].
func (t *Table[T, PK, SK]) GetKey(ctx context.Context, key Key[PK, SK], opts ...GetOption) (T, error) {
	g := getCall[T, Key[PK, SK]]{key: key}
	err := getItem(ctx, t.Part(), &g.state, &g.key, &g.item, opts)
	return g.item, err
}

// Get reads one item; see [Table.Get].
func (t *SimpleTable[T, PK]) Get(ctx context.Context, pk PK, opts ...GetOption) (T, error) {
	g := getCall[T, PK]{key: pk}
	err := getItem(ctx, t.Part(), &g.state, &g.key, &g.item, opts)
	return g.item, err
}

// getItem is not inlined, since Get is compiled for each type of item.
//
//go:noinline
func getItem(ctx context.Context, c *core.Table, state *core.GetState, key, item any, opts []GetOption) error {
	return c.Get(ctx, state, key, item, readOptions(opts))
}

// Exists reports whether there is an item with the key. It reads only the key attributes, but costs as much as [Table.Get],
// since DynamoDB bills the whole item.
func (t *Table[T, PK, SK]) Exists(ctx context.Context, pk PK, sk SK, opts ...GetOption) (bool, error) {
	return t.Part().Exists(ctx, boxed(Key[PK, SK]{pk, sk}), readOptions(opts))
}

// ExistsKey is [Table.Exists] by a key.
func (t *Table[T, PK, SK]) ExistsKey(ctx context.Context, key Key[PK, SK], opts ...GetOption) (bool, error) {
	return t.Part().Exists(ctx, boxed(key), readOptions(opts))
}

// Exists reports whether there is an item with the key; see [Table.Exists].
func (t *SimpleTable[T, PK]) Exists(ctx context.Context, pk PK, opts ...GetOption) (bool, error) {
	return t.Part().Exists(ctx, boxed(pk), readOptions(opts))
}

// getCall is a read by a K into a V, in one allocation.
type getCall[V, K any] struct {
	state core.GetState
	key   K
	item  V
}

// GetView reads one item into a smaller type V: only the attributes that V has are read, by their names in V's tags. If V
// lacks an attribute of the key, the reply cannot be checked against the key; see [Table.Get].
//
//	s, err := ddb.GetView[Summary](ctx, orders, orders.Key("c1", "o9"))
func GetView[V, T, K any](ctx context.Context, table KeyedTable[T, K], key K, opts ...GetOption) (view V, err error) {
	if table == nil {
		return view, operr.New("GetItem", "", "", operr.Invalid(errors.New("the table is nil")))
	}
	g := getCall[V, K]{key: key}
	err = table.Part().GetView(ctx, &g.state, &g.key, &g.item, readOptions(opts))
	return g.item, err
}

// KeyedTable is a [Table] (K is [Key]) or a [SimpleTable] (K is the partition key).
type KeyedTable[T, K any] interface {
	AnyTable[T]
	// KeyOf returns the key of an item.
	KeyOf(item *T) K
}
