// SPDX-License-Identifier: Apache-2.0

package entity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/rawitem"
)

// Table is a DynamoDB table that holds items of several types, read as values of I: an interface, best sealed by a
// method that is not exported, that a pointer to each item type implements. Make it with [New].
//
// Its schema methods (CreateTable, EnsureTable, VerifyTable and so on) are those of [ddb.SharedTable], for the table with the indexes of all
// parts. It is immutable and safe for concurrent use. Calls of a Table that could not be made return the reason.
type Table[I any] struct {
	*ddb.SharedTable
	mixed *core.Mixed
}

// Format prints the table's name, for every verb.
func (t Table[I]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, t.Name()) }

// LogValue returns the text that Format prints.
func (t Table[I]) LogValue() slog.Value { return slog.StringValue(t.Name()) }

// Parts lists the typed tables for one DynamoDB table: a [ddb.Table] or [ddb.SimpleTable] for each item type.
func Parts(tables ...ddb.TablePart) []ddb.TablePart { return tables }

// Option says what reads do with items that are of none of the types: [SkipUnknown] or [KeepUnknown]. Without one they fail at such an item, with
// [ddb.ErrOtherEntity], after the items that were read before.
type Option[I any] struct {
	unknown func(rawitem.Item) (I, bool)
}

// SkipUnknown leaves items out that are of none of the types. They are billed all the same.
func SkipUnknown[I any]() Option[I] {
	return Option[I]{func(rawitem.Item) (none I, ok bool) { return none, false }}
}

// KeepUnknown gives items that are of none of the types as they came, made an I by wrap:
//
//	type Unknown struct{ rawitem.Item }
//
//	func (Unknown) record() {}
//
//	entity.KeepUnknown(func(item rawitem.Item) Record { return Unknown{item} })
//
// wrap may be called by several goroutines at once.
func KeepUnknown[I any](wrap func(rawitem.Item) I) Option[I] {
	if wrap == nil {
		return Option[I]{}
	}
	return Option[I]{func(item rawitem.Item) (I, bool) { return wrap(item), true }}
}

// New puts typed tables together. It sends nothing. Indexes that are described later for one of the parts belong to the table too.
//
// It refuses, with everything that is wrong: what [ddb.Share] refuses, a part that does not say how its items are recognised, two parts
// whose items cannot be distinguished, an item type whose pointer does not implement I, and several options. The error matches [ddb.ErrInvalid]. The table is
// not nil then: each of its calls returns that error.
func New[I any](parts []ddb.TablePart, opts ...Option[I]) (*Table[I], error) {
	shared, err := ddb.Share(parts...)
	t := &Table[I]{SharedTable: shared}
	if len(opts) > 1 {
		err = errors.Join(err, &ddb.InvalidError{Problems: []error{errors.New("several options say what to do with unknown items; give one")}})
	}
	var unknown func(rawitem.Item) (I, bool)
	for _, o := range opts {
		unknown = o.unknown
	}
	t.mixed = core.NewMixed(shared.Shared(), reflect.TypeFor[[]I]())
	if unknown != nil {
		t.mixed.Keep = func(raw rawitem.Item, to any) bool {
			item, ok := unknown(raw)
			if ok {
				*to.(*I) = item //nolint:forcetypeassert // a place of the list
			}
			return ok
		}
	}
	if err == nil {
		err = t.mixed.Failed
	}
	return t, err
}

// Read makes a query or scan of one of the typed tables, or of an index of it, one of all types:
//
//	page, err := entity.Read(shop, orders.Query("CUSTOMER#7").SortKey(ddb.Between("O#1", "O#9")).Descending().Limit(20)).Page(ctx)
//
// Partition, range of sort keys, direction, limit, page size, consistency and Hydrate are those of the query; a key condition that it has by
// itself, from [ddb.KeyPrefix], is dropped. Its filters apply only to items of its own type, and those of [Where] only to items of
// theirs; all other items pass. Projections and views are refused.
//
// Items come in the order of the query, as pointers to their types. Up to 64 items of a type share a piece of memory, which is kept as long as one of
// them is. Cursors, page tokens, Explain, budgets and hooks work as with the query itself. Count reads the items, as it must distinguish known from unknown items.
//
// An index must hold the attributes by which the items of all parts are recognised; a read of another is refused.
func Read[I, T any](t *Table[I], q ddb.Paged[T], where ...Filter) *ddb.Reader[I] {
	if q == nil {
		return (*ddb.Reader[I])(nil)
	}
	return (*ddb.Reader[I])(q.Paged(nil).MixedAs(t.part(), len(where), func(i int) core.MixedFilter { return where[i].f }).Ref())
}

// part returns the table without its type, nil for a nil or zero Table.
func (t *Table[I]) part() *core.Mixed {
	if t == nil {
		return nil
	}
	return t.mixed
}

// Decode reads an item that comes by another way than a read, such as the stream of the table, as what it is:
//
//	for _, c := range changes { // of type change.Change[rawitem.Item]
//		r, err := shop.Decode(*c.New)
//	}
//
// An item that is of none of the types is what [KeepUnknown] makes of it, and otherwise an error that matches [ddb.ErrOtherEntity]. For an item of one type there is
// typeditem.FromRaw. It sends nothing.
func (t *Table[I]) Decode(item rawitem.Item) (to I, err error) {
	if err := core.DecodeMixed(t.part(), item, reflect.ValueOf(&to).Elem()); err != nil {
		var none I
		return none, err
	}
	return to, nil
}

// Where makes a read leave out items of one type for which a condition is false, after they were read and billed:
//
//	entity.Read(shop, customers.Query("CUSTOMER#7"), entity.Where(orders, orderTotal.Gt(100)), entity.Where(lines, lineQty.Gt(1)))
//
// DynamoDB evaluates it, so the type must be recognised by a [ddb.Discriminator], or, in scans and on indexes, by a [ddb.KeyPrefix] of an attribute
// that is no key of what is read.
func Where[T any](table ddb.AnyTable[T], conds ...ddb.Cond[T]) Filter {
	return Filter{core.MixedFilter{Of: core.PartOf(table), Conds: handle.Conditions(conds)}}
}

// Filter holds conditions for the items of one type in a read of several; see [Where].
type Filter struct{ f core.MixedFilter }

func (f Filter) text() string { return handle.AllOf(f.f.Conds).Text() }

// String returns the conditions with a question mark for each value.
func (f Filter) String() string { return f.text() }

// Format prints the same, for every verb.
func (f Filter) Format(s fmt.State, verb rune) { quiet.Format(s, verb, f.text()) }

// MarshalJSON is the same text.
func (f Filter) MarshalJSON() ([]byte, error) { return json.Marshal(f.text()) }

// LogValue is the same text.
func (f Filter) LogValue() slog.Value { return slog.StringValue(f.text()) }

// Key is the key of an item of one of the types, for [Table.BatchGet]; see [KeyOf].
type Key struct{ k core.MixedKey }

// String does not show the key.
func (Key) String() string { return "Key" }

// Format prints the same, for every verb.
func (k Key) Format(s fmt.State, verb rune) { quiet.Format(s, verb, k.String()) }

// MarshalJSON is the same text.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// LogValue is the same text.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// KeyOf is a key of one of the typed tables:
//
//	got, err := shop.BatchGet(ctx, []entity.Key{
//		entity.KeyOf(customers, customers.Key("CUSTOMER#7", "PROFILE")),
//		entity.KeyOf(orders, orders.Key("CUSTOMER#7", "O#1")),
//	})
func KeyOf[T, K any](table ddb.KeyedTable[T, K], key K) Key {
	if table == nil {
		return Key{}
	}
	return Key{core.MixedKey{Of: table.Part(), Key: &key}}
}

// BatchGet reads items of all types by their keys, in shared requests of up to 100: got[i] belongs to keys[i]. It behaves as the BatchGet of a typed
// table, see [ddb.Table.BatchGet]. What is stored under a key is given as what it is recognised as, even if the key was made by another typed table.
// An unknown item is the error of its key, or left out, or kept, as the option of [New] says.
func (t *Table[I]) BatchGet(ctx context.Context, keys []Key, opts ...ddb.GetOption) (got []ddb.Got[I], err error) {
	err = t.part().BatchGet(ctx, len(keys), func(i int) core.MixedKey { return keys[i].k }, &got, core.ReadOptions(opts))
	return got, err
}
