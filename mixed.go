// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/rawitem"
)

// Mixed reads items of all types of a [SharedTable] as values of I, an interface that a pointer to each item type
// implements. Package entity is built on it; use that package.
//
// It is immutable and safe for concurrent use. Calls of a nil or zero Mixed, or of one that NewMixed refused, return an error.
type Mixed[I any] struct{ m *core.Mixed }

// Format prints the table's name for every verb.
func (m *Mixed[I]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, m.label()) }

// LogValue returns the text that Format prints.
func (m *Mixed[I]) LogValue() slog.Value { return slog.StringValue(m.label()) }

// label returns the table's name; empty for a zero Mixed.
func (m *Mixed[I]) label() string {
	if m == nil || m.m == nil {
		return ""
	}
	return m.m.Table
}

// NewMixed makes a Mixed for the parts of a table. Every part must have an option by which its items are recognised
// ([Discriminator], [KeyPrefix], [RecognizeBy]).
//
// unknown is called with each item of an unknown type. The read returns its result in place of the item, or leaves the item
// out if the result is false. If unknown is nil, a read fails with [ErrOtherEntity] at such an item. unknown may be called
// by several goroutines at once.
//
// NewMixed refuses a part that does not recognise its items, two parts that cannot be distinguished, and an item type whose
// pointer does not implement I. The error names everything that is wrong and matches [ErrInvalid]; each call then returns
// it.
func NewMixed[I any](t *SharedTable, unknown func(rawitem.Item) (item I, ok bool)) (*Mixed[I], error) {
	m := core.NewMixed(t.tableCore(), reflect.TypeFor[[]I]())
	if unknown != nil {
		m.Keep = func(raw rawitem.Item, to any) bool {
			item, ok := unknown(raw)
			if ok {
				*to.(*I) = item //nolint:forcetypeassert // a place of the list
			}
			return ok
		}
	}
	return &Mixed[I]{m}, m.Failed
}

// ReadMixed turns a query or scan of one item type, of its table or an index, into one of all types, with the same
// partition, range of sort keys, direction, limits and consistency. It refuses a projection, since other types do not have
// the attributes, and a view.
//
// The filters of the query apply only to items of its own type, and those of [FilterOf] only to items of theirs. A key
// condition that comes from [KeyPrefix] is dropped. Items are returned as pointers to their types. An index must hold the
// attributes by which the items of all parts are recognised.
func ReadMixed[I, T any](m *Mixed[I], q Paged[T], filters ...MixedFilter) *Reader[I] {
	if q == nil {
		return (*Reader[I])(nil)
	}
	var of *core.Mixed
	if m != nil {
		of = m.m
	}
	return (*Reader[I])(q.Paged(nil).MixedAs(of, len(filters), func(i int) core.MixedFilter { return filters[i].f }).Ref())
}

// MixedKey is the key of an item of one of several types; make it with [MixedKeyOf].
type MixedKey struct{ k core.MixedKey }

// MixedKeyOf makes a key for [Mixed.BatchGet] from a key of a table.
func MixedKeyOf[T, K any](table KeyedTable[T, K], key K) MixedKey {
	if table == nil {
		return MixedKey{}
	}
	return MixedKey{core.MixedKey{Of: table.Part(), Key: &key}}
}

// String does not show the key.
func (MixedKey) String() string { return "MixedKey" }

// Format prints the same, for every verb.
func (k MixedKey) Format(s fmt.State, verb rune) { quiet.Format(s, verb, k.String()) }

// MarshalJSON is the same text.
func (k MixedKey) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// LogValue is the same text.
func (k MixedKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// BatchGet reads items of all types by their keys: got[i] belongs to keys[i]. It is [Table.BatchGet] for keys of several
// parts, which share the requests. An item has the type that it is recognised as. [Project] is refused. The table options of
// the first part apply.
func (m *Mixed[I]) BatchGet(ctx context.Context, keys []MixedKey, opts ...GetOption) (got []Got[I], err error) {
	if m == nil {
		return nil, operr.New("BatchGetItem", "", "", core.ErrZeroMixed)
	}
	err = m.m.BatchGet(ctx, len(keys), func(i int) core.MixedKey { return keys[i].k }, &got, readOptions(opts))
	return got, err
}

// Decode reads an item as a read of all types does, for items from other sources, such as a stream. For an item of an
// unknown type it returns the result of the function given to [NewMixed], or an error that matches [ErrOtherEntity]. It
// sends nothing.
func (m *Mixed[I]) Decode(item rawitem.Item) (to I, err error) {
	const op = "Decode"
	switch {
	case m == nil || m.m == nil:
		return to, operr.New(op, "", "", core.ErrZeroMixed)
	case m.m.Failed != nil:
		return to, m.m.Failed
	}
	if err = core.DecodeMixed(m.m, item, reflect.ValueOf(&to).Elem()); err != nil {
		var none I
		return none, operr.New(op, m.m.Table, "", err)
	}
	return to, nil
}

// MixedFilter holds conditions for the items of one type in a read of several; see [FilterOf].
type MixedFilter struct{ f core.MixedFilter }

// FilterOf makes a read of several types leave out items of the table's own type for which a condition is false, after they
// were read and billed. The service must be able to recognise the type by a [Discriminator] or, in scans and on indexes, by
// a [KeyPrefix].
func FilterOf[T any](table AnyTable[T], conds ...Cond[T]) MixedFilter {
	return MixedFilter{core.MixedFilter{Of: coreOf(table), Conds: untyped(conds)}}
}

func (f MixedFilter) text() string { return handle.AllOf(f.f.Conds).Text() }

// String returns the conditions with a question mark for each value.
func (f MixedFilter) String() string { return f.text() }

// Format prints the same, for every verb.
func (f MixedFilter) Format(s fmt.State, verb rune) { quiet.Format(s, verb, f.text()) }

// MarshalJSON is the same text.
func (f MixedFilter) MarshalJSON() ([]byte, error) { return json.Marshal(f.text()) }

// LogValue is the same text.
func (f MixedFilter) LogValue() slog.Value { return slog.StringValue(f.text()) }
