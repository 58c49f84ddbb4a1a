// SPDX-License-Identifier: Apache-2.0

package core

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/badinput"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemid"
)

// keyAttr is an attribute of the primary key as it is written into keys in wire form.
type keyAttr struct {
	name  string
	value *codec.Value
	head  []byte // what precedes the value: punctuation and the quoted name
	limit int
	// prefix is what the keys of the type begin with; nil if there is no such rule.
	prefix *entityTest
}

func newKeyAttr(part handle.KeyPart, punctuation string, limit int) keyAttr {
	quoted, _ := json.Marshal(part.Name) //nolint:errchkjson // text
	return keyAttr{name: part.Name, value: part.Value, head: slices.Concat([]byte(punctuation), quoted, []byte{':'}), limit: limit}
}

// appendKeyAttr appends the attribute with the value v, which is addressable, and refuses values that cannot be keys.
func appendKeyAttr(a *keyAttr, b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, a.head...)
	from := len(b)
	b, err := codec.AppendValueSlot(b, a.value, v)
	if err != nil {
		return b, fmt.Errorf("attribute %s: %w", a.name, err)
	}
	if err := checkWireKey(a.name, b[from:], a.limit); err != nil {
		return b, err
	}
	return b, a.checkPrefix(b[from:])
}

// checkPrefix refuses a key that no item of the table can have.
func (a *keyAttr) checkPrefix(value []byte) error {
	if a.prefix == nil || a.prefix.holds(value) {
		return nil
	}
	return fmt.Errorf("no item of this table has such a key; required is: %s", a.prefix)
}

// checkStored is checkPrefix for a value in the SDK's form.
func (a *keyAttr) checkStored(av types.AttributeValue) error {
	b, err := codec.AppendAttributeValue(nil, av)
	if err != nil {
		return err
	}
	return a.checkPrefix(b)
}

// appendKey appends a primary key in wire form. key is an addressable ddb.Key, or a partition key if there is no sort key.
// After an error what it appended is not a key.
func appendKey(c *Table, b []byte, key reflect.Value) ([]byte, error) {
	if c.Plan.IsWire() {
		return appendRawKey(c, b, key)
	}
	if len(c.keyAttrs) == 1 {
		b, err := appendKeyAttr(&c.keyAttrs[0], b, key)
		return append(b, '}'), err
	}
	b, err1 := appendKeyAttr(&c.keyAttrs[0], b, key.Field(0))
	b, err2 := appendKeyAttr(&c.keyAttrs[1], b, key.Field(1))
	return append(b, '}'), errors.Join(err1, err2)
}

// checkWireKey is itemid.CheckValue for a value in wire form, such as {"S":"text"}.
func checkWireKey(name string, value []byte, limit int) error {
	const head, tail = `{"S":"`, `"}`
	if n := len(value) - len(head) - len(tail); n >= 0 && bytes.IndexByte(value, '\\') < 0 {
		switch value[len(`{"`)] {
		case 'S':
			return itemid.CheckLength(name, n, limit)
		case 'N':
			return nil
		}
	}
	av, err := codec.ParseAttributeValue(value)
	if err != nil {
		return err
	}
	return itemid.CheckValue(name, av, limit)
}

// keySchema is the key of a table or index: one attribute each for tables and local indexes, up to four each for global indexes.
type keySchema struct {
	partition, sort []handle.KeyPart
	// The fields that these parts were made from.
	partitionField, sortField any
}

// NoSort is the sort key of a table or an index that has none.
type NoSort struct{}

// newKeySchema makes the key of two fields (see handle.KeyHandles); sort may be NoSort. Items may lack the attributes of a sparse key.
func newKeySchema(plan *codec.Plan, partition, sort any, sparse bool) (keySchema, error) {
	s := keySchema{partitionField: partition, sortField: sort}
	var err1, err2 error
	s.partition, err1 = keyParts("partition", plan, handle.KeyHandles(partition), sparse)
	if len(s.partition) == 0 && err1 == nil {
		err1 = errors.New("partition key: it has no attribute")
	}
	if _, none := sort.(NoSort); !none {
		s.sort, err2 = keyParts("sort", plan, handle.KeyHandles(sort), sparse)
	}
	return s, errors.Join(err1, err2)
}

func (s keySchema) names() []string {
	var all []string
	for _, p := range s.partition {
		all = append(all, p.Name)
	}
	for _, p := range s.sort {
		all = append(all, p.Name)
	}
	return all
}

// keyParts checks that handles can be key attributes of T and reports every mistake. Items may lack the attributes of an
// index key, but not those of the primary key.
func keyParts(role string, plan *codec.Plan, handles []*handle.Handle, sparse bool) ([]handle.KeyPart, error) {
	var (
		parts []handle.KeyPart
		errs  []error
	)
	for _, h := range handles {
		if err := resolveFor(plan, h); err != nil {
			errs = append(errs, fmt.Errorf("%s key: %w", role, err))
			continue
		}
		part, err := keyPartOf(role, h, sparse)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		parts = append(parts, part)
	}
	return parts, errors.Join(errs...)
}

func keyPartOf(role string, h *handle.Handle, sparse bool) (handle.KeyPart, error) {
	part := handle.KeyPart{Name: h.Path().String(), Value: h.Value()}
	if len(h.Path()) != 1 {
		return part, fmt.Errorf("%s key: %s is not a top-level attribute", role, h.Path())
	}
	if gotype.Reflect(h.Field().Type) == nil { // made by Deref or the like
		return part, fmt.Errorf("%s key: attribute %s is not named by the handle of its field, as made by ddb.Field, StrField or another constructor; "+
			"a pointer cannot be a key, so make its field a value with omitempty", role, part.Name)
	}
	if !sparse && (h.Field().OmitEmpty || h.Field().OmitZero) {
		return part, fmt.Errorf("%s key: attribute %s has omitempty or omitzero, so an item could lack its key; remove the option", role, part.Name)
	}
	kind, ok := scalarKind(h.Value().Kind())
	if !ok {
		hint := ""
		if gotype.Reflect(h.Field().Type).Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			hint = "; its MarshalText is used with the tag option text"
		}
		return part, fmt.Errorf("%s key: attribute %s is a %s, stored as %s; a key is text, number or binary%s", role, part.Name, h.Field().Type, h.Value().Kind(), hint)
	}
	if err := checkKeyFormat(gotype.Reflect(h.Field().Type)); err != nil {
		return part, fmt.Errorf("%s key: attribute %s: %w", role, part.Name, err)
	}
	part.Kind = kind
	return part, nil
}

func scalarKind(k codec.Kind) (types.ScalarAttributeType, bool) {
	switch k {
	case codec.S:
		return types.ScalarAttributeTypeS, true
	case codec.N:
		return types.ScalarAttributeTypeN, true
	case codec.B:
		return types.ScalarAttributeTypeB, true
	}
	return "", false
}

// checkKeyFormat reports the mistakes of the key format behind a key type's MarshalText, if there is one.
func checkKeyFormat(t reflect.Type) (err error) {
	m, ok := reflect.TypeAssert[encoding.TextMarshaler](reflect.Zero(t))
	if !ok || t.Kind() == reflect.Pointer {
		return nil
	}
	defer func() {
		if recover() != nil {
			err = nil // a zero value that cannot be encoded says nothing about others
		}
	}()
	_, err = m.MarshalText()
	if def, ok := errors.AsType[*badinput.DefinitionError](err); ok {
		return def
	}
	return nil
}

// checkPartition refuses a partition key that no item of the table can have.
func (c *Table) checkPartition(av types.AttributeValue) error {
	if c.keyAttrs[0].prefix == nil {
		return nil
	}
	return c.keyAttrs[0].checkStored(av)
}

// encodeKey returns the key that the pointer points to in the SDK's form.
func (c *Table) encodeKey(key any) (map[string]types.AttributeValue, error) {
	if err := c.Usable(); err != nil {
		return nil, err
	}
	data, err := appendKey(c, nil, reflect.ValueOf(key).Elem())
	if err != nil {
		return nil, err
	}
	return codec.ParseItem(data)
}

// KeyOf copies the key of an item to the variable that key points to.
func (c *Table) KeyOf(item, key any) {
	from, to := reflect.ValueOf(item), reflect.ValueOf(key).Elem()
	if c.Usable() != nil || from.IsNil() {
		return
	}
	if c.Plan.IsWire() {
		keyOfRaw(c, from.Elem(), to)
		return
	}
	for i, index := range c.keyIndexes {
		field, err := from.Elem().FieldByIndexErr(index)
		switch {
		case err != nil: // it is in a nil embedded pointer
		case len(c.keyIndexes) == 1:
			to.Set(field)
		default:
			to.Field(i).Set(field)
		}
	}
}
