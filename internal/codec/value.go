// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

// Value is the compiled codec of one Go type with its tag options, for keys, conditions and updates. Values are immutable, cached
// and safe for concurrent use.
type Value struct {
	typ  gotype.Type
	opts options
	kind Kind
	elem *Value
	plan *Plan
	to   *Value // of a pointer: the codec of what it points to

	marshals, unmarshals bool   // with methods of the type
	isSet                bool   // it is a set itself, not a pointer to one
	members              *Value // of a set that is a map: the codec of its members as a slice

	enc   func(e *encoder, b []byte, r ref) ([]byte, error) // a whole attribute value
	dec   func(d *Decoder, k Kind, r ref) error             // a payload that is not NULL
	text  func(d *Decoder, k Kind, s []byte, r ref) error   // the payload of a text or number; nil for types that have none of their own
	null  func(r ref) error                                 // what NULL does; nil zeroes the value
	put   func(b []byte, r ref) ([]byte, error)             // appends that payload; set if text is
	empty func(r ref) bool                                  // what omitempty and nullempty mean; nil for never
	isNil func(r ref) bool                                  // stored as NULL; nil for never
	plain func(r ref) types.AttributeValue                  // the SDK's form of a scalar; may be nil
}

// ValueOf returns the codec of t. tag holds the options of a dynamodbav tag,
// such as "unixtime" or "stringset,omitempty".
func ValueOf(t reflect.Type, tag string) (*Value, error) {
	if t == nil {
		return nil, errors.New("no Go type")
	}
	ft, problems := parseOptions(tag)
	if len(problems) == 0 {
		if v, ok := compiled.values.Load(valueKey{t, ft.options}); ok {
			return v.(*Value), nil
		}
	}
	var v *Value
	err := compile(t, func(c *compiler) {
		for _, p := range problems {
			c.problem(t, "", "", p)
		}
		v = c.value(t, ft.options)
	})
	return v, err
}

// Kind returns the type of all stored values (apart from NULL), or [KindAny].
func (c *Value) Kind() Kind { return c.kind }

// Elem returns the codec of the elements of a list, set or map; nil for other types.
func (c *Value) Elem() *Value { return c.elem }

// Pointee returns the codec of the value that a pointer points to; nil for other types.
func (c *Value) Pointee() *Value { return c.to }

// Members returns the codec of a set that is a slice or a map, with its members as a slice; nil for other types.
func (c *Value) Members() *Value {
	if c.members != nil || !c.isSet {
		return c.members
	}
	return c
}

// Type returns the Go type.
func (c *Value) Type() gotype.Type { return c.typ }

// Struct returns the plan of a struct, or pointer to struct, that is stored as a map; nil for other types.
func (c *Value) Struct() *Plan { return c.plan }

// AppendValue appends *v as an attribute value in wire form, {"S":"a"}. A value that DynamoDB cannot store is an [*Error], and b
// is then returned unchanged.
func AppendValue[V any](b []byte, c *Value, v *V) ([]byte, error) {
	return AppendValueSlot(b, c, reflect.ValueOf(v).Elem())
}

// AppendValueSlot is [AppendValue] for an addressable value of the codec's type.
func AppendValueSlot(b []byte, c *Value, v reflect.Value) ([]byte, error) {
	if err := checkValueType(c, v.Type()); err != nil {
		return b, err
	}
	var out []byte
	var err error
	switch {
	case c.direct():
		out, err = c.wrapped(nil, b, refFrom(v))
	case c.lacksMembers(refFrom(v)):
		err = unfit(gotype.Reflect(c.typ), emptySet)
	default:
		e := encoders.Get().(*encoder)
		out, err = c.append(e, b, refFrom(v))
		e.release()
	}
	if err != nil {
		return b, withType(false, gotype.Reflect(c.typ), err)
	}
	return out, nil
}

// DecodeValue reads one attribute value, the whole of data, into *v.
func DecodeValue[V any](c *Value, data []byte, v *V) error {
	if err := checkValueType(c, reflect.TypeFor[V]()); err != nil {
		return err
	}
	d := NewDecoder(data, Options{})
	err := c.decode(d, refOf(v))
	if err == nil {
		err = d.End()
	}
	d.Release()
	if err != nil {
		err = withType(true, gotype.Reflect(c.typ), err)
	}
	return err
}

// ToAttributeValue is [AppendValue] with a result in the SDK's form.
func ToAttributeValue[V any](c *Value, v *V) (types.AttributeValue, error) {
	return c.AttributeValue(v)
}

// AttributeValue is [ToAttributeValue] for the value that v points to, for callers that do not know its type.
func (c *Value) AttributeValue(v any) (types.AttributeValue, error) {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return nil, fmt.Errorf("codec of %s used for a %T, not a pointer to one", gotype.Reflect(c.typ), v)
	}
	if err := checkValueType(c, p.Type().Elem()); err != nil {
		return nil, err
	}
	return c.attributeValue(refFrom(p.Elem()))
}

func (c *Value) attributeValue(r ref) (types.AttributeValue, error) {
	if c.plain != nil && !c.opts.nullEmpty {
		if av := c.plain(r); av != nil {
			return av, nil
		}
	}
	if c.lacksMembers(r) {
		return nil, withType(false, gotype.Reflect(c.typ), unfit(gotype.Reflect(c.typ), emptySet))
	}
	e := encoders.Get().(*encoder)
	buf, err := c.append(e, e.buf[:0], r)
	if err != nil {
		e.release()
		return nil, withType(false, gotype.Reflect(c.typ), err)
	}
	av, err := ParseAttributeValue(buf)
	e.buf = buf
	e.release()
	return av, err
}

func checkValueType(c *Value, t reflect.Type) error {
	if t != gotype.Reflect(c.typ) {
		return fmt.Errorf("codec of %s used for a %s", gotype.Reflect(c.typ), t)
	}
	return nil
}

// direct reports whether every value is written as a text or number, and never as NULL.
func (c *Value) direct() bool {
	return c.put != nil && c.kind != KindAny && c.isNil == nil && !c.opts.nullEmpty
}

// omit reports whether the container of the value leaves it out.
func (c *Value) omit(r ref) bool {
	return c.opts.omitEmpty && c.empty != nil && c.empty(r)
}

// absent reports whether a struct or map leaves the value out: because of omitempty, or because it is a set without members.
func (c *Value) absent(r ref) bool {
	return c.omit(r) || c.lacksMembers(r)
}

// lacksMembers reports whether the value is a set without members, which cannot be stored.
func (c *Value) lacksMembers(r ref) bool { return c.isSet && !c.opts.nullEmpty && c.empty(r) }

// append writes the value, or NULL in its place.
func (c *Value) append(e *encoder, b []byte, r ref) ([]byte, error) {
	if c.isNil != nil && c.isNil(r) || c.opts.nullEmpty && c.empty != nil && c.empty(r) {
		return append(b, nullValue...), nil
	}
	return c.enc(e, b, r)
}

// decode reads an attribute value.
func (c *Value) decode(d *Decoder, r ref) error {
	k, err := d.kind()
	if err != nil {
		return err
	}
	if k == NULL {
		err = c.decodeNull(d, r)
	} else {
		err = c.dec(d, k, r)
	}
	if err != nil {
		return err
	}
	return d.close()
}

func (c *Value) decodeNull(d *Decoder, r ref) error {
	if _, err := d.boolean(); err != nil {
		return err
	}
	if c.null != nil {
		return c.null(r)
	}
	c.clear(r)
	return nil
}

func (c *Value) clear(r ref) { valueAt(r, gotype.Reflect(c.typ)).SetZero() }

// mismatch returns the error for a wire type that the Go type cannot hold.
func (c *Value) mismatch(k Kind) error { return mismatch(k, gotype.Reflect(c.typ)) }

// encoder is the state of one encoding.
type encoder struct {
	depth   int    // nesting level of the value that is written
	steps   int    // pointers and interfaces that were followed
	pairs   []pair // map entries to be sorted
	members []span // set members to be compared, used as a stack
	buf     []byte

	capture []string // attributes of the item whose position is recorded
	marks   [2]span  // positions of their values; not present if to is 0
}

type span struct{ from, to int }

var encoders = sync.Pool{New: func() any { return new(encoder) }}

func (e *encoder) release() {
	clear(e.pairs)
	if e.pairs = e.pairs[:0]; cap(e.pairs) > 1<<9 {
		e.pairs = nil
	}
	if cap(e.members) > 1<<12 {
		e.members = nil
	}
	if cap(e.buf) > 64<<10 {
		e.buf = nil
	}
	e.capture, e.marks = nil, [2]span{}
	e.depth, e.steps, e.members = 0, 0, e.members[:0]
	encoders.Put(e)
}

// note records the position of a watched attribute.
func (e *encoder) note(name string, at span) {
	for i, w := range e.capture {
		if w == name {
			e.marks[i] = at
		}
	}
}

// enter counts one level of nesting. The limit stops cyclic values.
func (e *encoder) enter() error {
	if e.depth++; e.depth > maxLevels {
		return unfit(nil, tooDeep)
	}
	return nil
}

// follow counts a pointer or interface, because a cycle of those adds no level of nesting.
func (e *encoder) follow() error {
	if e.steps++; e.steps > 4*maxLevels {
		return unfit(nil, tooDeep)
	}
	return nil
}

var tooDeep = fmt.Sprintf("nested deeper than %d levels, or cyclic", maxLevels)

func (e *encoder) leave() { e.depth-- }
