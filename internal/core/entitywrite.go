// SPDX-License-Identifier: Apache-2.0

package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
)

// markField sets T's field for the discriminator, if it has one; next is the item to store, and may be item.
func markField(c *Table, item, next reflect.Value, done func()) (reflect.Value, func()) {
	if c.entity == nil || c.entity.mark == nil || c.entity.mark.index == nil {
		return next, done
	}
	m := c.entity.mark
	if next.FieldByIndex(m.index).String() == m.value {
		return next, done
	}
	if next.UnsafeAddr() == item.UnsafeAddr() {
		next = copyOf(item)
	}
	next.FieldByIndex(m.index).SetString(m.value)
	return next, func() {
		done()
		item.FieldByIndex(m.index).SetString(m.value)
	}
}

// markItem adds the discriminator to an encoded item, and refuses the item if the table would not recognise it.
func (c *Table) markItem(item []byte) ([]byte, error) {
	e := c.entity
	if e == nil {
		return item, nil
	}
	d := codec.NewDecoder(item, codec.Options{NoArena: true})
	defer d.Release()
	var values [maxEntityTests][]byte
	if err := d.Lookahead(e.names, values[:len(e.names)]); err != nil {
		return item, err
	}
	for i := range e.tests {
		t := &e.tests[i]
		switch {
		case t.holds(values[i]):
		case values[i] == nil && e.mark != nil && t.name == e.mark.attr:
			item = e.mark.append(item)
		default:
			return item, fmt.Errorf("the item is not stored, as it would not be recognised: it must be that %s", t)
		}
	}
	if e.is == nil {
		return item, nil
	}
	ok, err := e.recognises(item)
	if err == nil && !ok {
		err = errors.New("the item is not stored, as it would not be recognised: the function of RecognizeBy does not take it")
	}
	return item, err
}

// append adds the discriminator after the other attributes of an encoded item, which has at least one.
func (m *entityMark) append(item []byte) []byte {
	name, _ := json.Marshal(m.attr) //nolint:errchkjson // text
	b := item[:len(item)-1]
	b = append(append(append(b, ','), name...), ':')
	// Text can always be encoded.
	b, _ = codec.AppendAttributeValue(b, &types.AttributeValueMemberS{Value: m.value})
	return append(b, '}')
}

// markUpdate adds the discriminator to an update that may create an item.
func (c *Table) markUpdate(u *expr.Update, present bool) {
	if c.entity != nil && c.entity.mark != nil && !present {
		m := c.entity.mark
		u.Set = append(u.Set, expr.Action{Path: expr.Attribute(m.attr), Right: expr.Value{AV: &types.AttributeValueMemberS{Value: m.value}}})
	}
}

// ofEntity adds to the condition of a write that the key has no item, or an item of the type.
func (c *Table) ofEntity(cond expr.Node) expr.Node { return expr.All(cond, c.entityGuard()) }

func (c *Table) entityGuard() expr.Node {
	if c.entity == nil || c.entity.mark == nil {
		return nil
	}
	t := entityTest{name: c.entity.mark.attr, value: c.entity.mark.value}
	return expr.Any(c.keyCall("attribute_not_exists"), t.node())
}

// needsCondition refuses a write that could overwrite an item of another type, if only a function can recognise the table's
// own items.
func (c *Table) needsCondition(v string, cond expr.Node) error {
	if c.entity == nil || c.entity.mark != nil || c.entity.prefixed() || cond != nil {
		return nil
	}
	return fmt.Errorf("%s on a table whose items a function recognises, which could hit an item of another type: give a condition, ddb.If(...), or the table a Discriminator or a KeyPrefix", v)
}

// needsPrefix refuses a batch write that could overwrite an item of another type.
func (c *Table) needsPrefix() error {
	if c.entity == nil || c.entity.prefixed() {
		return nil
	}
	return errors.New("a batch write on a table of several item types: the BatchWriteItem API takes no conditions, so it could overwrite an item of another type; " +
		"use Put, Delete or Transact, or keep the keys of the types apart by KeyPrefix")
}

// markTombstone adds the discriminator to a tombstone.
func (c *Table) markTombstone(item map[string]types.AttributeValue) {
	if c.entity != nil && c.entity.mark != nil {
		item[c.entity.mark.attr] = &types.AttributeValueMemberS{Value: c.entity.mark.value}
	}
}
