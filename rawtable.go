// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/rawitem"
)

// RawTable is a table whose items are of no Go type: its methods are those of every [Table], and functions that take a table, an item
// type or a handle take it, for [rawitem.Item]. A table without a sort key is a RawTable as well; the Sort of its keys is the zero [rawitem.Value].
type RawTable = Table[rawitem.Item, rawitem.Value, rawitem.Value]

// NewRaw describes a table by the attributes of its key; sort is nil for a table without a sort key:
//
//	t, err := ddb.NewRaw(client, "orders", ddb.RawKey("customer", attrtype.String), ddb.RawKey("id", attrtype.String))
//
// Items are read and written as the service writes them, through no struct, so nothing of them is lost or changed. Package rawtable
// makes such a table by what DynamoDB says of it. Options that keep an attribute of the item, such as [Version] and [TTL], are refused. NewRaw sends nothing. Its
// error is as that of [New].
func NewRaw(client Client, name string, partition, sort Ord[rawitem.Item, rawitem.Value], opts ...TableOption) (*RawTable, error) {
	var by any = sort
	if sort == nil {
		by = noSort{}
	}
	c, err := newCore(client, name, newItemOf((*[]rawitem.Item)(nil), newConditionFailed[rawitem.Item]), partition, by, tableOptions(opts), budgetOf(client))
	return &RawTable{c}, err
}

// appendRawKey is appendKey of a table of raw items. key is a [Key], whose sort key is zero in a table without one, or
// the value of a partition key alone.
func appendRawKey(c *core, b []byte, key reflect.Value) ([]byte, error) {
	parts := []reflect.Value{key}
	if key.Type() != reflect.TypeFor[rawitem.Value]() {
		parts = []reflect.Value{key.Field(0), key.Field(1)}
	}
	var errs []error
	for i, part := range parts {
		if i >= len(c.keyAttrs) {
			if v, ok := reflect.TypeAssert[rawitem.Value](part); !ok || !v.IsZero() {
				errs = append(errs, errors.New("a sort key is given, and the table has none"))
			}
			continue
		}
		var err error
		b, err = appendKeyAttr(&c.keyAttrs[i], b, part)
		errs = append(errs, err)
	}
	return append(b, '}'), errors.Join(errs...)
}

// checkRawItem refuses a raw item whose key attributes are of another type than the table's, which the types of structs rule out.
func (c *core) checkRawItem(data []byte) error {
	if !c.plan.IsWire() {
		return nil
	}
	var errs []error
	for _, p := range slices.Concat(c.key.partition, c.key.sort) {
		value := codec.AttributeOf(data, p.Name)
		if have := codec.KindIn(value).String(); value != nil && have != string(p.Kind) {
			errs = append(errs, fmt.Errorf("key attribute %s is stored as %s, and the item has %s", p.Name, p.Kind, have))
		}
	}
	return errors.Join(errs...)
}

// keyOfRaw copies the key of a raw item to a [Key] or to a partition key.
func keyOfRaw(c *core, item, to reflect.Value) {
	raw, ok := reflect.TypeAssert[rawitem.Item](item)
	if !ok {
		return
	}
	for i, name := range c.keyNames {
		value, _ := raw.Attr(name)
		if to.Type() == reflect.TypeFor[rawitem.Value]() {
			to.Set(reflect.ValueOf(value))
			return
		}
		to.Field(i).Set(reflect.ValueOf(value))
	}
}
