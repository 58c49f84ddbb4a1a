// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/rawitem"
)

// Mixed reads items of all types of a [SharedTable] as values of I, an interface that a pointer to each item type
// implements. Package entity is built on it; use that package.
//
// It is immutable and safe for concurrent use. Calls of a nil or zero Mixed, or of one that NewMixed refused, return an error.
type Mixed[I any] struct{ m *mixed }

// Format prints the table's name for every verb.
func (m *Mixed[I]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, m.label()) }

// LogValue returns the text that Format prints.
func (m *Mixed[I]) LogValue() slog.Value { return slog.StringValue(m.label()) }

// label returns the table's name; empty for a zero Mixed.
func (m *Mixed[I]) label() string {
	if m == nil || m.m == nil {
		return ""
	}
	return m.m.table
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
	m := newMixed(t.tableCore(), reflect.TypeFor[[]I]())
	if unknown != nil {
		m.keep = func(raw rawitem.Item, to any) bool {
			item, ok := unknown(raw)
			if ok {
				*to.(*I) = item //nolint:forcetypeassert // a place of the list
			}
			return ok
		}
	}
	return &Mixed[I]{m}, m.failed
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
	var of *mixed
	if m != nil {
		of = m.m
	}
	return (*Reader[I])(q.paged(nil).mixedAs(of, len(filters), func(i int) mixedFilter { return mixedFilter(filters[i]) }).ref())
}

// MixedKey is the key of an item of one of several types; make it with [MixedKeyOf].
type MixedKey mixedKey

// mixedKey is a key of one of the tables; key is a pointer to it.
type mixedKey struct {
	of  *core
	key any
}

// MixedKeyOf makes a key for [Mixed.BatchGet] from a key of a table.
func MixedKeyOf[T, K any](table KeyedTable[T, K], key K) MixedKey {
	if table == nil {
		return MixedKey{}
	}
	return MixedKey{table.part(), &key}
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
		return nil, operr.New("BatchGetItem", "", "", errZeroMixed)
	}
	err = m.m.batchGet(ctx, len(keys), func(i int) mixedKey { return mixedKey(keys[i]) }, &got, readOptions(opts))
	return got, err
}

// Decode reads an item as a read of all types does, for items from other sources, such as a stream. For an item of an
// unknown type it returns the result of the function given to [NewMixed], or an error that matches [ErrOtherEntity]. It
// sends nothing.
func (m *Mixed[I]) Decode(item rawitem.Item) (to I, err error) {
	const op = "Decode"
	switch {
	case m == nil || m.m == nil:
		return to, operr.New(op, "", "", errZeroMixed)
	case m.m.failed != nil:
		return to, m.m.failed
	}
	if err = decodeMixed(m.m, item, reflect.ValueOf(&to).Elem()); err != nil {
		var none I
		return none, operr.New(op, m.m.table, "", err)
	}
	return to, nil
}

func decodeMixed(m *mixed, item rawitem.Item, to reflect.Value) error {
	d := codec.NewDecoder(item.JSON(), codec.Options{})
	defer d.Release()
	own, err := decodeMixedRow(m, d, to, nil)
	if err == nil && !own {
		err = fmt.Errorf("%w, which is left out", ddberr.ErrOtherEntity)
	}
	return err
}

// base returns the part whose options apply to batches: the first, or the first with tombstones, which batches hide.
func (m *mixed) base() *core {
	if i := slices.IndexFunc(m.parts, func(c *core) bool { return c.tombstones != nil }); i >= 0 {
		return m.parts[i]
	}
	return m.parts[0]
}

var errZeroMixed = operr.Invalid(errors.New("a zero Mixed was used; make it by NewMixed"))

// batchGet reads keys into the list at got, a *[]Got.
func (m *mixed) batchGet(ctx context.Context, n int, key func(int) mixedKey, got any, r readCall) error {
	const op = "BatchGetItem"
	switch {
	case m == nil:
		return operr.New(op, "", "", errZeroMixed)
	case m.failed != nil:
		return m.failed
	}
	ctx, stop := keepReportTime(ctx)
	defer stop()
	b := m.base().batchGetter(0)
	b.mixed = m
	defer func() { b.stats.report(r.stats) }()
	var errs []error
	if len(r.project) > 0 {
		errs = append(errs, errors.New("a projection of items of several types: others do not have the attributes; read whole items"))
	}
	for i := range n {
		if k := key(i); k.of == nil || !slices.Contains(m.parts, k.of) {
			errs = append(errs, fmt.Errorf("key %d is of a table that is none of those that were shared", i))
		}
	}
	if err := operr.Invalid(errs...); err != nil {
		return operr.New(op, m.table, "", err)
	}
	return b.getInto(ctx, n, func(data []byte, i int) ([]byte, error) {
		k := key(i)
		return appendKey(k.of, data, reflect.ValueOf(k.key).Elem())
	}, got, r)
}

// MixedFilter holds conditions for the items of one type in a read of several; see [FilterOf].
type MixedFilter mixedFilter

// mixedFilter is a filter of items of one of the tables.
type mixedFilter struct {
	of    *core
	conds []*handle.Condition
}

// FilterOf makes a read of several types leave out items of the table's own type for which a condition is false, after they
// were read and billed. The service must be able to recognise the type by a [Discriminator] or, in scans and on indexes, by
// a [KeyPrefix].
func FilterOf[T any](table AnyTable[T], conds ...Cond[T]) MixedFilter {
	return MixedFilter{coreOf(table), untyped(conds)}
}

func (f MixedFilter) text() string { return handle.AllOf(f.conds).Text() }

// String returns the conditions with a question mark for each value.
func (f MixedFilter) String() string { return f.text() }

// Format prints the same, for every verb.
func (f MixedFilter) Format(s fmt.State, verb rune) { quiet.Format(s, verb, f.text()) }

// MarshalJSON is the same text.
func (f MixedFilter) MarshalJSON() ([]byte, error) { return json.Marshal(f.text()) }

// LogValue is the same text.
func (f MixedFilter) LogValue() slog.Value { return slog.StringValue(f.text()) }

// mixed is a [Mixed] without its type.
type mixed struct {
	failed    error
	table     string
	list      gotype.Type // []I
	parts     []*core
	names     []string // of the attributes by which items are recognised
	at        [][]int  // of the tests of each part, in names
	exclusive bool     // an item belongs to at most one part
	keep      func(rawitem.Item, any) bool
}

const maxMixedNames = 16

func newMixed(c *core, list reflect.Type) *mixed {
	m := &mixed{list: gotype.Of(list), exclusive: true}
	var errs []error
	switch {
	case c == nil:
		errs = append(errs, errors.New("the table is nil; make it with ddb.Share"))
	case c.failed != nil:
		m.failed = c.failed
		return m
	case list.Elem().Kind() != reflect.Interface:
		errs = append(errs, fmt.Errorf("%s is no interface; name one that a pointer to each item type implements", list.Elem()))
	case len(c.parts) == 0:
		errs = append(errs, errors.New("no tables to share"))
	default:
		m.table = c.name
		for i, part := range c.parts {
			errs = append(errs, m.add(i, part))
		}
	}
	if len(m.names) > maxMixedNames {
		errs = append(errs, fmt.Errorf("items are recognised by %d attributes, the limit is %d", len(m.names), maxMixedNames))
	}
	if err := operr.Invalid(errs...); err != nil {
		m.failed = &ddberr.OpError{Op: "Share", Table: m.table, Err: err}
	}
	return m
}

// add adds a part.
func (m *mixed) add(i int, c *core) error {
	if c.entity == nil {
		return fmt.Errorf("table %d, of %s, does not say how its items are recognised: give it Discriminator, KeyPrefix or RecognizeBy", i, c.plan.Type())
	}
	var errs []error
	if !reflect.PointerTo(gotype.Reflect(c.of.item)).Implements(gotype.Reflect(m.list).Elem()) {
		errs = append(errs, fmt.Errorf("table %d: *%s is no %s, it lacks methods of it", i, c.plan.Type(), gotype.Reflect(m.list).Elem()))
	}
	for j, o := range m.parts {
		if c.tombstones != nil && o.tombstones != nil && c.tombstones.attr != o.tombstones.attr {
			errs = append(errs, fmt.Errorf("tables %d and %d mark tombstones by attributes %s and %s; let them share one", j, i, o.tombstones.attr, c.tombstones.attr))
		}
		switch {
		case c.entity.excludes(o.entity):
		case c.entity.is == nil && o.entity.is == nil:
			errs = append(errs, fmt.Errorf("tables %d and %d, of %s and %s, cannot be distinguished: an item can be of both", j, i, o.plan.Type(), c.plan.Type()))
		default:
			m.exclusive = false
		}
	}
	var at []int
	for k := range c.entity.tests {
		m.names = appendNew(m.names, c.entity.tests[k].name)
		at = append(at, slices.Index(m.names, c.entity.tests[k].name))
	}
	m.parts, m.at = append(m.parts, c), append(m.at, at)
	return errors.Join(errs...)
}

// excludes reports whether no item passes the tests of both.
func (e *entity) excludes(o *entity) bool {
	for i := range e.tests {
		for j := range o.tests {
			a, b := &e.tests[i], &o.tests[j]
			if a.name == b.name && !a.fits(b.value) && !b.fits(a.value) {
				return true
			}
		}
	}
	return false
}

// part returns the table whose type the next item has; nil if there is none.
func (m *mixed) part(d *codec.Decoder) (found *core, err error) {
	var values [maxMixedNames][]byte
	if len(m.names) > 0 {
		if err := d.Lookahead(m.names, values[:len(m.names)]); err != nil {
			return nil, err
		}
	}
	for i, c := range m.parts {
		var own [maxEntityTests][]byte
		for k, at := range m.at[i] {
			own[k] = values[at]
		}
		ok, err := c.entity.fits(d, own[:])
		switch {
		case err != nil:
			return nil, err
		case !ok:
		case m.exclusive:
			return c, nil
		case found != nil:
			return nil, fmt.Errorf("the item is recognised as %s and as %s; let RecognizeBy take one of them alone", found.plan.Type(), c.plan.Type())
		default:
			found = c
		}
	}
	return found, nil
}

// unknownError returns the error of an item of an unknown type; nil if such items are left out.
func (m *mixed) unknownError() error {
	if m.keep != nil {
		return nil
	}
	var types []string
	for _, c := range m.parts {
		types = append(types, fmt.Sprintf("%s (%s)", c.plan.Type(), c.entity))
	}
	return fmt.Errorf("%w: it is none of %s; share the table of its type too, or say that unknown items are skipped or kept", ddberr.ErrOtherEntity, strings.Join(types, ", "))
}

// drops reports whether reads may leave out items.
func (m *mixed) drops() bool { return m.keep != nil }

// takes reports whether a read returns the next item.
func (m *mixed) takes(d *codec.Decoder) (bool, error) {
	c, err := m.part(d)
	if c != nil || err != nil || m.keep == nil {
		return c != nil, err
	}
	raw, err := d.RawAhead()
	return err == nil && m.keep(rawitem.Unchecked(slices.Clone(raw)), reflect.New(gotype.Reflect(m.list).Elem()).Interface()), err
}

// decodeMixedRow reads an item into its place, an I, or skips it if it is left out.
func decodeMixedRow(m *mixed, d *codec.Decoder, to reflect.Value, room *mixedRoom) (own bool, err error) {
	c, err := m.part(d)
	switch {
	case err != nil:
		return false, err
	case c != nil:
		item := room.next(gotype.Reflect(c.of.item))
		if err := codec.DecodeFreshSlot(c.plan, d, item); err != nil {
			return false, err
		}
		to.Set(item.Addr())
		return true, nil
	}
	raw, err := d.Raw()
	switch {
	case err != nil:
		return false, err
	case m.keep == nil:
		return false, m.unknownError()
	}
	return m.keep(rawitem.Unchecked(slices.Clone(raw)), to.Addr().Interface()), nil
}

// mixedRoom allocates the items of a page, many of a type at a time. Its zero value is ready to use.
type mixedRoom struct{ blocks []mixedBlock }

type mixedBlock struct {
	list reflect.Value
	used int
}

const (
	firstMixedBlock = 4
	lastMixedBlock  = 64
)

// next returns a zero item to decode into.
func (r *mixedRoom) next(item reflect.Type) reflect.Value {
	if r == nil {
		return reflect.New(item).Elem()
	}
	i := slices.IndexFunc(r.blocks, func(b mixedBlock) bool { return b.list.Type().Elem() == item })
	if i < 0 {
		i = len(r.blocks)
		r.blocks = append(r.blocks, mixedBlock{list: reflect.MakeSlice(reflect.SliceOf(item), firstMixedBlock, firstMixedBlock)})
	}
	b := &r.blocks[i]
	if b.used == b.list.Len() {
		n := min(2*b.used, lastMixedBlock)
		b.list, b.used = reflect.MakeSlice(b.list.Type(), n, n), 0
	}
	b.used++
	return b.list.Index(b.used - 1)
}

// mixedAs returns a copy that reads items of several types.
func (r *read) mixedAs(m *mixed, n int, filterAt func(int) mixedFilter) *read {
	r = r.changed()
	if r.ready == nil || r.core.usable() != nil {
		return r // whose terminals refuse it
	}
	var errs []error
	switch {
	case m == nil:
		errs = append(errs, errZeroMixed)
	case m.failed != nil:
		errs = append(errs, m.failed)
	case !slices.Contains(m.parts, r.core):
		errs = append(errs, fmt.Errorf("the query is of a table of %s that is none of those that were shared", r.core.plan.Type()))
	}
	if len(errs) > 0 {
		r.errs = append(slices.Clip(r.errs), errs...)
		return r
	}
	if len(r.project) > 0 || r.plan != nil {
		errs = append(errs, errors.New("a projection or a view of items of several types: others do not have the attributes; read whole items"))
	}
	r.mixed, r.list = m, m.list
	if !r.scan && !r.sorted && r.key != nil {
		r.key = partitionNode(r.schema().partition, r.partition)
	}
	filter, err := r.ofType(r.core, r.filter)
	errs = append(errs, err)
	for i := range n {
		f := filterAt(i)
		if f.of == nil || !slices.Contains(m.parts, f.of) {
			errs = append(errs, fmt.Errorf("filter %d is for a table that is none of those that were shared", i))
			continue
		}
		nodes, err := handle.NodesOf(f.conds)
		errs = append(errs, err)
		node, err := r.ofType(f.of, expr.All(nodes...))
		errs = append(errs, err)
		filter = expr.All(filter, node)
	}
	r.filter = filter
	r.errs = append(slices.Clip(r.errs), operr.Flatten(errors.Join(errs...))...)
	return r
}

// ofType returns a filter that applies to items of one type only, and is true for all others.
func (r *read) ofType(c *core, filter expr.Node) (expr.Node, error) {
	if filter == nil {
		return nil, nil
	}
	if m := c.entity.mark; m != nil {
		t := entityTest{name: m.attr, value: m.value}
		return expr.Any(expr.Not{Term: t.node()}, filter), nil
	}
	var own []expr.Node
	keys := r.schema().names()
	inRequest := c.entity.is == nil
	for i := range c.entity.tests {
		t := &c.entity.tests[i]
		inRequest = inRequest && (r.scan || !slices.Contains(keys, t.name))
		own = append(own, t.node())
	}
	if inRequest {
		return expr.Any(expr.Not{Term: expr.All(own...)}, filter), nil
	}
	return nil, fmt.Errorf("a filter for items of %s alone: a filter of this query cannot tell them from others; give their table a Discriminator", c.plan.Type())
}
