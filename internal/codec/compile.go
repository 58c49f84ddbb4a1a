// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

// compiled holds all codecs of the process. Only complete codecs without errors are added.
var compiled struct {
	mu     sync.Mutex // one compilation at a time
	plans  sync.Map   // planKey -> *Plan
	times  sync.Map   // reflect.Type of items -> bool, whether their times have the form of the SDK
	values sync.Map   // valueKey -> *Value
	items  sync.Map   // planKey -> *Plan, those of items
}

// planKey is a struct type and the form of its times.
type planKey struct {
	t       reflect.Type
	sdkTime bool
}

type valueKey struct {
	t reflect.Type
	o options
}

// compiler is one compilation: its results so far, and all problems.
type compiler struct {
	plans  map[planKey]*Plan
	values map[valueKey]*Value
	errs   []error
	where  []fieldPlace
	faults []fault // of types, in the order found
	faulty map[*Value][]fault
}

// fault is what is wrong with a type, wherever it is used.
type fault struct {
	typ  reflect.Type
	text string
}

// fieldPlace is the field that is being compiled, for problems.
type fieldPlace struct {
	owner        reflect.Type
	goPath, attr string
}

// compile runs one compilation and stores its result if there was no problem.
func compile(t reflect.Type, run func(c *compiler)) error {
	compiled.mu.Lock()
	defer compiled.mu.Unlock()
	c := &compiler{plans: map[planKey]*Plan{}, values: map[valueKey]*Value{}, faulty: map[*Value][]fault{}}
	run(c)
	if len(c.errs) > 0 {
		return fmt.Errorf("type %s cannot be stored: %w", t, errors.Join(c.errs...))
	}
	for k, v := range c.values {
		compiled.values.LoadOrStore(k, v)
	}
	for k, p := range c.plans {
		compiled.plans.LoadOrStore(k, p)
	}
	return nil
}

// problem records what is wrong with a field.
func (c *compiler) problem(owner reflect.Type, goPath, attr, text string) {
	at := owner.String()
	if goPath != "" {
		at += "." + goPath
	}
	if attr != "" {
		at += fmt.Sprintf(" (attribute %q)", attr)
	}
	c.errs = append(c.errs, fmt.Errorf("%s: %s", at, text))
}

// unfit records what is wrong with the type that is being compiled.
func (c *compiler) unfit(t reflect.Type, text string) {
	c.faults = append(c.faults, fault{t, text})
	if len(c.where) == 0 {
		c.problem(t, "", "", text)
		return
	}
	w := c.where[len(c.where)-1]
	c.problem(w.owner, w.goPath, w.attr, fmt.Sprintf("Go type %s: %s", t, text))
}

// below records that a field is being compiled, until the returned function is called.
func (c *compiler) below(owner reflect.Type, goPath, attr string) func() {
	c.where = append(c.where, fieldPlace{owner, goPath, attr})
	return func() { c.where = c.where[:len(c.where)-1] }
}

var (
	marshalerType      = reflect.TypeFor[attributevalue.Marshaler]()
	unmarshalerType    = reflect.TypeFor[attributevalue.Unmarshaler]()
	attributeValueType = reflect.TypeFor[types.AttributeValue]()
	unixTimeType       = reflect.TypeFor[attributevalue.UnixTime]()
	bigIntType         = reflect.TypeFor[big.Int]()
	bigFloatType       = reflect.TypeFor[big.Float]()
)

// value compiles a type with tag options. For a type that contains itself, the inner use receives the same, still incomplete
// codec, so codecs refer to each other by pointer.
func (c *compiler) value(t reflect.Type, o options) *Value {
	o = fitting(o, t)
	key := valueKey{t, o}
	if v, ok := compiled.values.Load(key); ok {
		return v.(*Value)
	}
	if v, ok := c.values[key]; ok {
		for _, f := range c.faulty[v] {
			c.unfit(f.typ, f.text)
		}
		return v
	}
	v := &Value{typ: gotype.Of(t), opts: o}
	c.values[key] = v
	v.empty, v.isNil = emptiness(t)
	errs, faults := len(c.errs), len(c.faults)
	c.natural(v)
	if c.methods(v) {
		// The type's own methods need nothing from its fields.
		c.errs, c.faults = c.errs[:errs], c.faults[:faults]
	}
	if !v.marshals && v.isContainer() {
		v.isNil = nil
	}
	c.checkOptions(v)
	c.faulty[v] = slices.Clone(c.faults[faults:])
	return v
}

// natural compiles a type by its structure.
func (c *compiler) natural(v *Value) {
	t := gotype.Reflect(v.typ)
	item, value := wireItemOf(t), wireValueOf(t)
	switch {
	case item != nil:
		wireItemCodec(v, item)
	case value != nil:
		wireValueCodec(v, value)
	case t == unixTimeType:
		v.opts.unixTime = true
		timeCodec(v)
	case t == attributeValueType:
		bridgeCodec(v)
	case t == bigIntType:
		bigIntCodec(v)
	case t == bigFloatType:
		bigFloatCodec(v)
	case isTime(t):
		timeCodec(v)
	case isNumber(t):
		numberCodec(v)
	case v.opts.text || isTextOnly(t):
		c.text(v)
	default:
		c.kind(v)
	}
}

// kind compiles by the kind of the Go type.
func (c *compiler) kind(v *Value) {
	switch gotype.Reflect(v.typ).Kind() {
	case reflect.Bool:
		boolCodec(v)
	case reflect.String:
		stringCodec(v)
	case reflect.Int:
		intCodec[int](v)
	case reflect.Int8:
		intCodec[int8](v)
	case reflect.Int16:
		intCodec[int16](v)
	case reflect.Int32:
		intCodec[int32](v)
	case reflect.Int64:
		intCodec[int64](v)
	case reflect.Uint:
		uintCodec[uint](v)
	case reflect.Uint8:
		uintCodec[uint8](v)
	case reflect.Uint16:
		uintCodec[uint16](v)
	case reflect.Uint32:
		uintCodec[uint32](v)
	case reflect.Uint64:
		uintCodec[uint64](v)
	case reflect.Float32:
		floatCodec[float32](v, 32)
	case reflect.Float64:
		floatCodec[float64](v, 64)
	case reflect.Slice, reflect.Array:
		c.sequence(v)
	case reflect.Map:
		c.mapping(v)
	case reflect.Pointer:
		c.pointer(v)
	case reflect.Interface:
		ifaceCodec(v)
	case reflect.Struct:
		structCodec(v, c.plan(gotype.Reflect(v.typ), v.opts.sdkTime))
	default: // chan, func, complex, uintptr, unsafe.Pointer
		c.unfit(gotype.Reflect(v.typ), "DynamoDB has no such type; tag the field \"-\" to leave it out")
	}
}

// checkOptions rejects options that cannot have an effect.
func (c *compiler) checkOptions(v *Value) {
	base := gotype.Reflect(v.typ)
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if v.marshals || base.Kind() == reflect.Interface || gotype.Reflect(v.typ).Kind() == reflect.Pointer {
		return // checked for the type that the pointer points to, or at run time
	}
	if v.opts.set != KindAny && !canBeSet(base) {
		c.unfit(base, "a set needs a slice, an array, or a map to struct{} or bool, of members")
	}
	if v.opts.unixTime && !isTime(base) {
		c.unfit(base, "tag option unixtime needs a time.Time")
	}
}

// isContainer reports whether a type is a slice or map that is stored as a list or map. A nil value is stored as an empty one, so
// that updates can add to the stored value. Sets, which cannot be empty, are left out; see absent.
func (c *Value) isContainer() bool {
	switch gotype.Reflect(c.typ).Kind() {
	case reflect.Slice, reflect.Map:
		return c.kind == L || c.kind == M
	}
	return false
}

// emptiness sets the meaning of omitempty and of nil for a type. As in attributevalue, it depends on the kind: structs, and
// arrays with elements, are never empty.
func emptiness(t reflect.Type) (empty, isNil func(ref) bool) {
	nilTest := func(r ref) bool { return valueAt(r, t).IsNil() }
	switch t.Kind() {
	case reflect.String:
		return func(r ref) bool { return *as[string](r) == "" }, nil
	case reflect.Slice:
		if t.Elem() == reflect.TypeFor[byte]() {
			none := func(r ref) bool { return *as[[]byte](r) == nil }
			return none, none
		}
		return nilTest, nilTest
	case reflect.Map, reflect.Pointer, reflect.Interface:
		return nilTest, nilTest
	case reflect.Float32, reflect.Float64:
		return func(r ref) bool { return valueAt(r, t).Float() == 0 }, nil
	case reflect.Array:
		if t.Len() == 0 {
			return func(ref) bool { return true }, nil
		}
		return nil, nil
	case reflect.Struct:
		return nil, nil
	}
	return func(r ref) bool { return valueAt(r, t).IsZero() }, nil
}

// structCodec stores a struct as a map.
func structCodec(v *Value, p *Plan) {
	v.kind, v.plan = M, p
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		b, err := p.encode(e, append(b, `{"M":`...), r)
		return append(b, '}'), err
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		if k != M {
			return v.mismatch(k)
		}
		return p.decode(d, r, false)
	}
}
