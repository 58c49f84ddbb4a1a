// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/rawitem"
)

// MixedKey is a key of one of the tables; key is a pointer to it.
type MixedKey struct {
	Of  *Table
	Key any
}

// MixedFilter is a filter of items of one of the tables.
type MixedFilter struct {
	Of    *Table
	Conds []*handle.Condition
}

// Mixed is an entity.Table without its type.
type Mixed struct {
	Failed    error
	table     string
	list      gotype.Type // []I
	parts     []*Table
	names     []string // of the attributes by which items are recognised
	at        [][]int  // of the tests of each part, in names
	exclusive bool     // an item belongs to at most one part
	Keep      func(rawitem.Item, any) bool
}

const maxMixedNames = 16

// NewMixed returns the reads of all types of a shared table; list is the type of a list of the interface that the items have in common. A
// mistake is in Failed.
func NewMixed(c *Table, list reflect.Type) *Mixed {
	m := &Mixed{list: gotype.Of(list), exclusive: true}
	var errs []error
	switch {
	case c == nil:
		errs = append(errs, errors.New("the table is nil; make it with ddb.Share"))
	case c.Failed != nil:
		m.Failed = c.Failed
		return m
	case list.Elem().Kind() != reflect.Interface:
		errs = append(errs, fmt.Errorf("%s is no interface; name one that a pointer to each item type implements", list.Elem()))
	case len(c.parts) == 0:
		errs = append(errs, errors.New("no tables to share"))
	default:
		m.table = c.Name
		for i, part := range c.parts {
			errs = append(errs, m.add(i, part))
		}
	}
	if len(m.names) > maxMixedNames {
		errs = append(errs, fmt.Errorf("items are recognised by %d attributes, the limit is %d", len(m.names), maxMixedNames))
	}
	if err := operr.Invalid(errs...); err != nil {
		m.Failed = &ddberr.OpError{Op: "Share", Table: m.table, Err: err}
	}
	return m
}

// DecodeMixed reads an item into to, a settable value of the interface. It is a function since every package that uses a table
// reads the methods of a Mixed, and would compile those of reflect.Value too.
func DecodeMixed(m *Mixed, item rawitem.Item, to reflect.Value) error {
	const op = "Decode"
	switch {
	case m == nil:
		return operr.New(op, "", "", errZeroMixed)
	case m.Failed != nil:
		return m.Failed
	}
	d := codec.NewDecoder(item.JSON(), codec.Options{})
	defer d.Release()
	own, err := decodeMixedRow(m, d, to, nil)
	if err == nil && !own {
		err = fmt.Errorf("%w, which is left out", ddberr.ErrOtherEntity)
	}
	return operr.New(op, m.table, "", err)
}

var errZeroMixed = operr.Invalid(errors.New("a zero Table was used; make it with entity.New"))

// BatchGet reads keys into the list at got, a *[]Got.
func (m *Mixed) BatchGet(ctx context.Context, n int, key func(int) MixedKey, got any, r ReadCall) error {
	const op = "BatchGetItem"
	switch {
	case m == nil:
		return operr.New(op, "", "", errZeroMixed)
	case m.Failed != nil:
		return m.Failed
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
		if k := key(i); k.Of == nil || !slices.Contains(m.parts, k.Of) {
			errs = append(errs, fmt.Errorf("key %d is of a table that is none of those that were shared", i))
		}
	}
	if err := operr.Invalid(errs...); err != nil {
		return operr.New(op, m.table, "", err)
	}
	return b.getInto(ctx, n, func(data []byte, i int) ([]byte, error) {
		k := key(i)
		return appendKey(k.Of, data, reflect.ValueOf(k.Key).Elem())
	}, got, r)
}

// base returns the part whose options apply to batches: the first, or the first with tombstones, which batches hide.
func (m *Mixed) base() *Table {
	if i := slices.IndexFunc(m.parts, func(c *Table) bool { return c.tombstones != nil }); i >= 0 {
		return m.parts[i]
	}
	return m.parts[0]
}

// add adds a part.
func (m *Mixed) add(i int, c *Table) error {
	if c.entity == nil {
		return fmt.Errorf("table %d, of %s, does not say how its items are recognised: give it Discriminator, KeyPrefix or RecognizeBy", i, c.Plan.Type())
	}
	var errs []error
	if !reflect.PointerTo(gotype.Reflect(c.of.item)).Implements(gotype.Reflect(m.list).Elem()) {
		errs = append(errs, fmt.Errorf("table %d: *%s is no %s, it lacks methods of it", i, c.Plan.Type(), gotype.Reflect(m.list).Elem()))
	}
	for j, o := range m.parts {
		if c.tombstones != nil && o.tombstones != nil && c.tombstones.attr != o.tombstones.attr {
			errs = append(errs, fmt.Errorf("tables %d and %d mark tombstones by attributes %s and %s; let them share one", j, i, o.tombstones.attr, c.tombstones.attr))
		}
		switch {
		case c.entity.excludes(o.entity):
		case c.entity.is == nil && o.entity.is == nil:
			errs = append(errs, fmt.Errorf("tables %d and %d, of %s and %s, cannot be distinguished: an item can be of both", j, i, o.Plan.Type(), c.Plan.Type()))
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

// part returns the table whose type the next item has; nil if there is none.
func (m *Mixed) part(d *codec.Decoder) (found *Table, err error) {
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
			return nil, fmt.Errorf("the item is recognised as %s and as %s; let RecognizeBy take one of them alone", found.Plan.Type(), c.Plan.Type())
		default:
			found = c
		}
	}
	return found, nil
}

// unknownError returns the error of an item of an unknown type; nil if such items are left out.
func (m *Mixed) unknownError() error {
	if m.Keep != nil {
		return nil
	}
	var types []string
	for _, c := range m.parts {
		types = append(types, fmt.Sprintf("%s (%s)", c.Plan.Type(), c.entity))
	}
	return fmt.Errorf("%w: it is none of %s; share the table of its type too, or say that unknown items are skipped or kept", ddberr.ErrOtherEntity, strings.Join(types, ", "))
}

// drops reports whether reads may leave out items.
func (m *Mixed) drops() bool { return m.Keep != nil }

// takes reports whether a read returns the next item.
func (m *Mixed) takes(d *codec.Decoder) (bool, error) {
	c, err := m.part(d)
	if c != nil || err != nil || m.Keep == nil {
		return c != nil, err
	}
	raw, err := d.RawAhead()
	return err == nil && m.Keep(rawitem.Unchecked(slices.Clone(raw)), reflect.New(gotype.Reflect(m.list).Elem()).Interface()), err
}

// decodeMixedRow reads an item into its place, an I, or skips it if it is left out.
func decodeMixedRow(m *Mixed, d *codec.Decoder, to reflect.Value, room *mixedRoom) (own bool, err error) {
	c, err := m.part(d)
	switch {
	case err != nil:
		return false, err
	case c != nil:
		item := room.next(gotype.Reflect(c.of.item))
		if err := codec.DecodeFreshSlot(c.Plan, d, item); err != nil {
			return false, err
		}
		to.Set(item.Addr())
		return true, nil
	}
	raw, err := d.Raw()
	switch {
	case err != nil:
		return false, err
	case m.Keep == nil:
		return false, m.unknownError()
	}
	return m.Keep(rawitem.Unchecked(slices.Clone(raw)), to.Addr().Interface()), nil
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

// MixedAs returns a copy that reads items of several types.
func (r *Read) MixedAs(m *Mixed, n int, filterAt func(int) MixedFilter) *Read {
	r = r.Changed()
	if r.ready == nil || r.Core.Usable() != nil {
		return r // whose terminals refuse it
	}
	var errs []error
	switch {
	case m == nil:
		errs = append(errs, errZeroMixed)
	case m.Failed != nil:
		errs = append(errs, m.Failed)
	case !slices.Contains(m.parts, r.Core):
		errs = append(errs, fmt.Errorf("the query is of a table of %s that is none of those that were shared", r.Core.Plan.Type()))
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
	filter, err := r.ofType(r.Core, r.filter)
	errs = append(errs, err)
	for i := range n {
		f := filterAt(i)
		if f.Of == nil || !slices.Contains(m.parts, f.Of) {
			errs = append(errs, fmt.Errorf("filter %d is for a table that is none of those that were shared", i))
			continue
		}
		nodes, err := handle.NodesOf(f.Conds)
		errs = append(errs, err)
		node, err := r.ofType(f.Of, expr.All(nodes...))
		errs = append(errs, err)
		filter = expr.All(filter, node)
	}
	r.filter = filter
	r.errs = append(slices.Clip(r.errs), operr.Flatten(errors.Join(errs...))...)
	return r
}

// ofType returns a filter that applies to items of one type only, and is true for all others.
func (r *Read) ofType(c *Table, filter expr.Node) (expr.Node, error) {
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
	return nil, fmt.Errorf("a filter for items of %s alone: a filter of this query cannot tell them from others; give their table a Discriminator", c.Plan.Type())
}
