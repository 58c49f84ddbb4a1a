// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/rawitem"
)

// Discriminator makes a text attribute name the type of each item, for DynamoDB tables that hold items of several types
// (single-table design):
//
//	customers, err := ddb.New(client, "shop", customerPK, customerSK, ddb.Discriminator("type", "customer"))
//	orders, err := ddb.New(client, "shop", orderPK, orderSK, ddb.Discriminator("type", "order"))
//
// The table writes the attribute itself with every Put, Create, Replace and Upsert, also in transactions and batches. T
// needs no field for it; a text field of that name gets the value.
//
// The table then reads only items of its own type as a T. An item of another type is an error that matches [ErrOtherEntity],
// or is left out with [SkipOthers]: in Get, Exists, BatchGet, TransactGet, queries, scans and counts, of the table and of
// its indexes, hydrated or not. Package entity reads items of all types with one query.
//
// Writes have a condition, which costs nothing: Put, Delete and Upsert apply only if the key has no item or an item of the
// type, Update and Replace only if it has an item of the type. Otherwise they fail with a [*ConditionFailed] that also
// matches ErrOtherEntity, and nothing is overwritten. The BatchWriteItem API takes no conditions, so batch writes are
// refused unless [KeyPrefix] keeps the keys of the types apart.
//
// An index that projects some attributes ([Projecting]) also projects this one. Reads of an index with [KeysOnly] are refused, unless
// they are hydrated or [KeyPrefix] recognises the items.
//
// Items that were stored before without the attribute have no type, and are not overwritten either. To add it, use a table
// that recognises them in another way and has a field for it: Update(ctx, key, orderType.Set("order"),
// ddb.If(ddb.NotExists(orderType))).
func Discriminator(attr, value string) TableOption { return core.DiscriminatorOption(attr, value) }

// KeyPrefix recognises the items of the table by a prefix of one of their key attributes:
//
//	orders, err := ddb.New(client, "shop", orderPK, orderSK, ddb.KeyPrefix(orderSK, "ORDER#"))
//
// Reads treat other items as described for [Discriminator]; with both options, or with a prefix for each key, an item must
// match all of them. Every call with a key that lacks the prefix is refused before anything is sent, so no write reaches an
// item of another type. A query of the table, or of a local index with the same sort key, that has no SortKey condition
// selects the prefix automatically, and neither reads nor pays for other items of the partition.
func KeyPrefix(key AnyAttr, prefix string) TableOption {
	return core.KeyPrefixOption(handle.Of(key), prefix)
}

// RecognizeBy recognises the items of the table by a function, where a [Discriminator] or a [KeyPrefix] does not suffice:
//
//	ddb.RecognizeBy(func(item rawitem.Item) bool { return item.Has("total") && !item.Has("sku") }, "total", "sku")
//
// attrs are the attributes that the function uses; reads with a projection read them too. The function may be called by
// several goroutines at once and must not keep the item. If it panics the read fails.
//
// The service cannot check a function. So Put, Replace, Update, Upsert, Delete and DeleteItem are refused unless the call
// has a condition ([If]) that protects items of other types, or the table also has a Discriminator or a KeyPrefix. Create
// needs no condition. An item that the function does not recognise is not stored.
func RecognizeBy(is func(item rawitem.Item) bool, attrs ...string) TableOption {
	return core.RecognizeByOption(is, attrs)
}

// SkipOthers makes reads of the table leave out items of other types: Get then returns [ErrNotFound], and queries continue
// with the next item. Without it they fail with [ErrOtherEntity]. Where a filter can distinguish the items, the service
// leaves them out; they are billed all the same. It needs [Discriminator], [KeyPrefix] or [RecognizeBy].
func SkipOthers() TableOption { return core.SkipOthersOption() }
