// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/rawitem"
)

// appendRawKey is appendKey of a table of raw items. key is a ddb.Key, whose sort key is zero in a table without one, or
// the value of a partition key alone.
func appendRawKey(c *Table, b []byte, key reflect.Value) ([]byte, error) {
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

// keyOfRaw copies the key of a raw item to a ddb.Key or to a partition key.
func keyOfRaw(c *Table, item, to reflect.Value) {
	raw, ok := reflect.TypeAssert[rawitem.Item](item)
	if !ok {
		return
	}
	for i, name := range c.KeyNames {
		value, _ := raw.Attr(name)
		if to.Type() == reflect.TypeFor[rawitem.Value]() {
			to.Set(reflect.ValueOf(value))
			return
		}
		to.Field(i).Set(reflect.ValueOf(value))
	}
}

// checkRawItem refuses a raw item whose key attributes are of another type than the table's, which the types of structs rule out.
func (c *Table) checkRawItem(data []byte) error {
	if !c.Plan.IsWire() {
		return nil
	}
	var errs []error
	for _, p := range slices.Concat(c.Key.partition, c.Key.sort) {
		value := codec.AttributeOf(data, p.Name)
		if have := codec.KindIn(value).String(); value != nil && have != string(p.Kind) {
			errs = append(errs, fmt.Errorf("key attribute %s is stored as %s, and the item has %s", p.Name, p.Kind, have))
		}
	}
	return errors.Join(errs...)
}
