// SPDX-License-Identifier: Apache-2.0

package core

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/replykey"
)

// maxEntityTests is the largest number of attributes that recognise an item: the discriminator and the two keys.
const maxEntityTests = 3

// decodeRow reads an item into its place, or skips it if it is left out.
func decodeRow(r *Read, plan *codec.Plan, d *codec.Decoder, to reflect.Value, room *mixedRoom) (own bool, err error) {
	if r.mixed != nil {
		return decodeMixedRow(r.mixed, d, to, room)
	}
	return decodeOwnRow(r.Core, plan, d, to)
}

func decodeOwnRow(c *Table, plan *codec.Plan, d *codec.Decoder, to reflect.Value) (own bool, err error) {
	own, err = c.owns(d)
	switch {
	case err != nil:
		return false, err
	case own:
		return true, codec.DecodeFreshSlot(plan, d, to)
	}
	if err = d.Skip(); err == nil {
		err = c.otherEntity()
	}
	return false, err
}

// decodeGot reads an item that the batch returns.
func decodeGot(b *batchGetter, d *codec.Decoder, to reflect.Value) error {
	if b.mixed != nil {
		_, err := decodeMixedRow(b.mixed, d, to, nil)
		return err
	}
	return codec.DecodeNextSlot(b.core.Plan, d, to)
}

// decodeGotRaw is decodeGot of an item in wire form.
func decodeGotRaw(b *batchGetter, raw []byte, to reflect.Value) error {
	d := codec.NewDecoder(raw, codec.Options{})
	defer d.Release()
	return decodeGot(b, d, to)
}

// owns reports whether the next item is of the table's type.
func (c *Table) owns(d *codec.Decoder) (bool, error) {
	e := c.entity
	if e == nil {
		return true, nil
	}
	var values [maxEntityTests][]byte
	if len(e.tests) > 0 {
		if err := d.Lookahead(e.names, values[:len(e.names)]); err != nil {
			return false, err
		}
	}
	return e.fits(d, values[:])
}

// fits is owns for an item whose tested attributes are known.
func (e *entity) fits(d *codec.Decoder, values [][]byte) (bool, error) {
	for i := range e.tests {
		if !e.tests[i].holds(values[i]) {
			return false, nil
		}
	}
	if e.is == nil {
		return true, nil
	}
	item, err := d.RawAhead()
	if err != nil {
		return false, err
	}
	return e.recognises(item)
}

// ownsItem is owns for an item in wire form.
func (c *Table) ownsItem(item []byte) (bool, error) {
	if c.entity == nil {
		return true, nil
	}
	d := codec.NewDecoder(item, codec.Options{NoArena: true})
	defer d.Release()
	return c.owns(d)
}

// ownsMap is owns for an item in the SDK's form.
func (c *Table) ownsMap(item map[string]types.AttributeValue) (bool, error) {
	if c.entity == nil {
		return true, nil
	}
	data, err := codec.AppendItemMap(nil, item)
	if err != nil {
		return false, err
	}
	return c.ownsItem(data)
}

// otherEntity returns the error of an item of another type; nil if such items are left out.
func (c *Table) otherEntity() error {
	if c.entity.skip {
		return nil
	}
	return c.notOwn()
}

// notOwn returns the error of an item that is not a T.
func (c *Table) notOwn() error {
	return fmt.Errorf("%w: it is no %s, of which %s; read it by its own table or by package entity, or leave such items out by SkipOthers", ddberr.ErrOtherEntity, c.Plan.Type(), c.entity)
}

// withEntity adds the attributes that items are recognised by to a projection.
func (c *Table) withEntity(paths []expr.Path) []expr.Path {
	if c.entity == nil || len(paths) == 0 {
		return paths
	}
	for _, name := range c.entity.reads {
		paths = addPath(paths, expr.Attribute(name))
	}
	return paths
}

// checkEntityIndex makes an index with some attributes also project those that items are recognised by.
func (c *Table) checkEntityIndex(x *IndexInfo) {
	if c.entity == nil || x.projection != types.ProjectionTypeInclude {
		return
	}
	for _, name := range c.entity.reads {
		if !x.stores(c, name) {
			x.include = append(x.include, name)
		}
	}
}

// stores reports whether the entries of the index themselves have an attribute.
func (i *IndexInfo) stores(c *Table, name string) bool {
	return i == nil || i.projection == types.ProjectionTypeAll || slices.Contains(i.key.names(), name) || slices.Contains(c.KeyNames, name) || slices.Contains(i.include, name)
}

// checkEntityRead refuses to read an index in which items cannot be recognised.
func (r *Read) checkEntityRead() error {
	if r.fromTable || r.wholeItems {
		return nil
	}
	for _, c := range r.entities() {
		for _, name := range c.entity.reads {
			if !r.Index.stores(c, name) {
				return fmt.Errorf("index %s does not hold attribute %s, by which items are recognised: define the index with Projecting, or, unless items are only counted, add Hydrate to the query", r.Index.name, name)
			}
		}
	}
	return nil
}

// entities returns the tables by which the items of the read are recognised.
func (r *Read) entities() []*Table {
	switch {
	case r.mixed != nil:
		return r.mixed.parts
	case r.Core.entity != nil:
		return []*Table{r.Core}
	}
	return nil
}

// prefixNode returns the key condition that limits a query of one type to its own items; nil if there is none.
func (r *Read) prefixNode() expr.Node {
	sort := r.schema().sort
	if r.scan || r.Core.entity == nil || len(sort) != 1 {
		return nil
	}
	for i := range r.Core.entity.tests {
		if t := &r.Core.entity.tests[i]; t.prefix && t.name == sort[0].Name {
			return t.node()
		}
	}
	return nil
}

// entityFilter returns the filter by which the service leaves out items of other types, as far as it can.
func (r *Read) entityFilter() expr.Node {
	if r.mixed != nil || r.Core.entity == nil || !r.Core.entity.skip {
		return nil
	}
	keys := r.schema().names()
	var all []expr.Node
	for i := range r.Core.entity.tests {
		t := &r.Core.entity.tests[i]
		if r.Index.stores(r.Core, t.name) && (r.scan || !slices.Contains(keys, t.name)) {
			all = append(all, t.node())
		}
	}
	return expr.All(all...)
}

// node returns the test as a condition.
func (t *entityTest) node() expr.Node {
	value := expr.Value{AV: &types.AttributeValueMemberS{Value: t.value}}
	if t.prefix {
		return expr.Call{Name: "begins_with", Args: []expr.Node{expr.Attribute(t.name), value}}
	}
	return expr.Compare{Left: expr.Attribute(t.name), Op: "=", Right: value}
}

// drops reports whether the read may leave out items that were evaluated.
func (r *Read) drops() bool {
	return r.filter != nil || r.mixed != nil && r.mixed.drops() || r.mixed == nil && r.Core.entity != nil && r.Core.entity.skip
}

// recognise skips an item of another type.
func (r *oneRow) recognise(d *codec.Decoder) error {
	own, err := r.of.owns(d)
	if err != nil || own {
		return err
	}
	raw, err := d.Raw()
	if err == nil && r.core != nil {
		err = replykey.Check(r.core.KeyNames, r.key, itemid.Plain(raw, r.core.KeyNames), raw)
	}
	if err == nil {
		r.skip, err = true, r.of.otherEntity()
	}
	return err
}

// takes reports whether the read returns the next item.
func (r *Read) takes(d *codec.Decoder) (bool, error) {
	if r.mixed != nil {
		return r.mixed.takes(d)
	}
	return r.Core.owns(d)
}

// takes reports whether the batch returns the next item.
func (b *batchGetter) takes(d *codec.Decoder) (bool, error) {
	if b.mixed != nil {
		return b.mixed.takes(d)
	}
	return b.core.owns(d)
}

// other skips an item of another type: the key then has no item, or an error.
func (r *batchRows) other(d *codec.Decoder, err error) error {
	if err != nil {
		return err
	}
	_, e, err := r.rawEntry(d)
	if err != nil {
		return err
	}
	e.other = true
	if r.b.mixed != nil {
		e.err = r.b.mixed.unknownError()
	} else {
		e.err = r.b.core.otherEntity()
	}
	return nil
}
