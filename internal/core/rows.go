// SPDX-License-Identifier: Apache-2.0

package core

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/replykey"
	"github.com/dynamotable/ddb/rawitem"
)

// oneRow decodes a single item. With a table the item must have key, which is in wire form; see package replykey.
type oneRow struct {
	plan *codec.Plan
	dst  any // a pointer to the item
	seen bool
	core *Table
	key  []byte
	of   *Table // the table by which the item is recognised
	skip bool   // the item is of another type, and left out
}

func (r *oneRow) Reset(int) {
	reflect.ValueOf(r.dst).Elem().SetZero()
	r.seen, r.skip = false, false
}

func (r *oneRow) Row(d *codec.Decoder) error {
	r.seen = true
	if r.of.entity != nil {
		if err := r.recognise(d); err != nil || r.skip {
			return err
		}
	}
	if r.core == nil {
		return codec.DecodeNextSlot(r.plan, d, reflect.ValueOf(r.dst).Elem())
	}
	d.Capture(r.core.KeyNames)
	d.Peek()
	from := d.Pos()
	if err := codec.DecodeNextSlot(r.plan, d, reflect.ValueOf(r.dst).Elem()); err != nil {
		return err
	}
	return replykey.Check(r.core.KeyNames, r.key, d.Captured(), d.Since(from))
}

// discardRows skips items whose content is not needed.
type discardRows struct{}

func (discardRows) Reset(int) {}

func (discardRows) Row(d *codec.Decoder) error { return d.Skip() }

// keyRow reads an item of which only the key is needed.
type keyRow struct {
	core *Table
	key  []byte
	skip bool // it is of another type, and left out
}

func (r *keyRow) Reset(int) { r.skip = false }

func (r *keyRow) Row(d *codec.Decoder) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	if err := replykey.Check(r.core.KeyNames, r.key, itemid.Plain(raw, r.core.KeyNames), raw); err != nil {
		return err
	}
	own, err := r.core.ownsItem(raw)
	if err == nil && !own {
		r.skip, err = true, r.core.otherEntity()
	}
	return err
}

// DecodeRaw decodes an item of the table into to, a *T.
func (c *Table) DecodeRaw(item rawitem.Item, to any) error {
	if err := c.Usable(); err != nil {
		return err
	}
	return operr.New("DecodeRaw", c.Name, "", decodeOwn(c, item.JSON(), reflect.ValueOf(to).Elem()))
}

// decodeOwn reads an item in wire form, which must be of the table's type.
func decodeOwn(c *Table, item []byte, to reflect.Value) error {
	own, err := c.ownsItem(item)
	switch {
	case err != nil:
		return err
	case !own:
		return c.notOwn()
	}
	return codec.DecodeSlot(c.Plan, item, to)
}

// decodeOwnMap is decodeOwn for an item in the SDK's form.
func decodeOwnMap(c *Table, item map[string]types.AttributeValue, to reflect.Value) error {
	data, err := codec.AppendItemMap(nil, item)
	if err != nil {
		return err
	}
	return decodeOwn(c, data, to)
}

// decodeMap reads an item in the SDK's form.
func decodeMap(plan *codec.Plan, item map[string]types.AttributeValue, to reflect.Value) error {
	data, err := codec.AppendItemMap(nil, item)
	if err != nil {
		return err
	}
	return codec.DecodeSlot(plan, data, to)
}
