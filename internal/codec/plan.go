// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"

	"github.com/dynamotable/ddb/internal/gotype"
)

// Plan is the compiled codec of one struct type: its attributes, and how each is written and read. Plans are immutable, cached
// for the life of the process and safe for concurrent use.
type Plan struct {
	typ    gotype.Type
	fields []Field
	byName map[string]int
	steps  []step             // one for each field
	names  names              // of the fields
	hops   []*embeddedPointer // embedded pointers that are reached without following another
	rest   *unknown           // the field for unknown attributes; may be nil
	self   *Value             // codec of the type as a single value
	wire   *wireForm          // of items that are held as bytes; nil for others
}

// Field is one attribute of a [Plan].
type Field struct {
	Name                string      // attribute name
	GoPath              string      // selector of the Go field, such as Zip, or Base.ID for a promoted one
	Index               []int       // for reflect's FieldByIndex; may lead through embedded pointers
	Type                gotype.Type // Go type of the field
	OmitEmpty, OmitZero bool        // tag options
	Codec               *Value
}

// step is the compiled form of a field.
type step struct {
	name   string
	header []byte // "name":
	plain  []byte // the header and the beginning of a plain value; nil if there is no such form
	begin  []byte // that beginning alone
	direct bool   // always written in that form, unless it is left out
	at     location
	value  *Value
	isZero func(ref) bool // set if omitzero
}

// PlanOf returns the plan of a struct type. Its error joins all problems of the type; each names Go type, field and attribute.
func PlanOf(t reflect.Type) (*Plan, error) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("item type %v is no struct", t)
	}
	key := planKey{t, keepsSDKTimes(t)}
	if p, ok := compiled.items.Load(key); ok {
		return p.(*Plan), nil
	}
	var p *Plan
	err := compile(t, func(c *compiler) {
		p = c.plan(t, key.sdkTime)
		c.readable(p, map[*Plan]bool{})
	})
	if err == nil {
		compiled.items.Store(key, p)
	}
	return p, err
}

// Type returns the struct type.
func (p *Plan) Type() gotype.Type { return p.typ }

// Fields returns the attributes in the order of their declaration, with those of embedded structs at the position of the struct.
// The slice must not be changed.
func (p *Plan) Fields() []Field { return p.fields }

// Field returns the attribute with a name; case matters. Items that are held as bytes have an attribute for every name.
func (p *Plan) Field(name string) (Field, bool) {
	if p.wire != nil {
		return Field{Name: name, GoPath: name, Type: p.wire.value.typ, Codec: p.wire.value}, name != ""
	}
	i, ok := p.byName[name]
	if !ok {
		return Field{}, false
	}
	return p.fields[i], true
}

// Append appends *v as an item in wire form, {"pk":{"S":"a"},...}. If b has enough room, it allocates nothing for plain types. A
// value that DynamoDB cannot store is an [*Error], and b is then returned unchanged.
func Append[T any](b []byte, p *Plan, v *T) ([]byte, error) {
	return AppendSlot(b, p, reflect.ValueOf(v).Elem())
}

// AppendSlot is [Append] for an addressable value of the plan's type.
func AppendSlot(b []byte, p *Plan, v reflect.Value) ([]byte, error) {
	if err := checkPlanType(p, v.Type()); err != nil {
		return b, err
	}
	e := encoders.Get().(*encoder)
	out, err := p.appendItem(e, b, refFrom(v))
	e.release()
	if err != nil {
		return b, withType(false, gotype.Reflect(p.typ), err)
	}
	return out, nil
}

// AppendCapturing is [AppendSlot]. It also returns the values of up to two attributes as parts of the result, in the order of
// names. A value is nil if the item lacks the attribute. All are nil if the type of the item encodes itself.
func AppendCapturing(b []byte, p *Plan, v reflect.Value, names []string) (out []byte, values [2][]byte, err error) {
	if err := checkPlanType(p, v.Type()); err != nil {
		return b, values, err
	}
	e := encoders.Get().(*encoder)
	e.capture = names[:min(len(names), len(values))]
	out, err = p.appendItem(e, b, refFrom(v))
	marks := e.marks
	e.release()
	if err != nil {
		return b, values, withType(false, gotype.Reflect(p.typ), err)
	}
	for i, m := range marks {
		if m.to > 0 {
			values[i] = out[m.from:m.to:m.to]
		}
	}
	return out, values, nil
}

// Decode reads one item, the whole of data, into *v. Attributes that the item lacks are set to their zero value; fields that the
// plan does not store are unchanged. Slices, maps and pointers are always newly allocated, so values that were taken from *v
// earlier are not overwritten. After an error *v is partly set.
func Decode[T any](p *Plan, data []byte, v *T) error {
	return DecodeSlot(p, data, reflect.ValueOf(v).Elem())
}

// DecodeSlot is [Decode] for an addressable value of the plan's type.
func DecodeSlot(p *Plan, data []byte, v reflect.Value) error {
	d := NewDecoder(data, Options{})
	err := DecodeNextSlot(p, d, v)
	if err == nil {
		err = d.End()
	}
	d.Release()
	return err
}

// DecodeNext reads the item at the decoder's position into *v, as [Decode] does.
func DecodeNext[T any](p *Plan, d *Decoder, v *T) error {
	return DecodeNextSlot(p, d, reflect.ValueOf(v).Elem())
}

// DecodeFreshSlot is [DecodeNextSlot] for a value that is already zero.
func DecodeFreshSlot(p *Plan, d *Decoder, v reflect.Value) error {
	d.fresh = true
	err := DecodeNextSlot(p, d, v)
	d.fresh = false
	return err
}

// DecodeNextSlot is [DecodeNext] for an addressable value of the plan's type.
func DecodeNextSlot(p *Plan, d *Decoder, v reflect.Value) error {
	if err := checkPlanType(p, v.Type()); err != nil {
		return err
	}
	if err := p.decodeItem(d, refFrom(v)); err != nil {
		return withType(true, gotype.Reflect(p.typ), err)
	}
	return nil
}

func checkPlanType(p *Plan, t reflect.Type) error {
	if t != gotype.Reflect(p.typ) {
		return fmt.Errorf("plan of %s used for a %s", gotype.Reflect(p.typ), t)
	}
	return nil
}

// appendItem writes the item, with the type's own methods if it has them.
func (p *Plan) appendItem(e *encoder, b []byte, r ref) ([]byte, error) {
	if p.wire != nil {
		return p.wire.append(b, r), nil
	}
	if !p.self.marshals {
		return p.encode(e, b, r)
	}
	from := len(b)
	b, err := p.self.enc(e, b, r)
	if err != nil {
		return b, err
	}
	const wrap = `{"M":`
	if !bytes.HasPrefix(b[from:], []byte(wrap)) {
		return b, unfit(gotype.Reflect(p.typ), "MarshalDynamoDBAttributeValue must give a map (M) to be an item")
	}
	return slices.Delete(b[:len(b)-1], from, from+len(wrap)), nil
}

func (p *Plan) decodeItem(d *Decoder, r ref) error {
	d.captured = [2][]byte{}
	if p.wire != nil {
		return p.wire.decode(d, r)
	}
	if p.self.unmarshals {
		return p.self.dec(d, M, r)
	}
	if len(d.capture) > 0 && d.captureOf != p {
		d.captureOf = p
		for i, name := range d.capture {
			d.captureAt[i] = p.lookup([]byte(name))
		}
	}
	return p.decode(d, r, true)
}

// encode writes the attributes as a JSON object.
func (p *Plan) encode(e *encoder, b []byte, r ref) ([]byte, error) {
	if err := e.enter(); err != nil {
		return b, err
	}
	b = append(b, '{')
	first := true
	for i := range p.steps {
		s := &p.steps[i]
		fr, ok := s.at.find(r)
		if !ok || s.value.absent(fr) || s.isZero != nil && s.isZero(fr) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		from := len(b) + len(s.header)
		var err error
		if s.direct {
			b, err = s.value.put(append(b, s.plain...), fr)
			b = append(b, endText...)
		} else {
			b, err = s.value.append(e, append(b, s.header...), fr)
		}
		if err != nil {
			return b, under(s.name, err)
		}
		if e.depth == 1 && len(e.capture) > 0 {
			e.note(s.name, span{from, len(b)})
		}
	}
	if p.rest != nil {
		var err error
		if b, err = p.rest.encode(e, b, r, first, p); err != nil {
			return b, err
		}
	}
	e.leave()
	return append(b, '}'), nil
}

// decode reads a JSON object of attributes; row reports that it is an item.
func (p *Plan) decode(d *Decoder, r ref, row bool) error { //nolint:gocognit // one loop over the bytes of an item: a call in it is paid for each attribute
	if !d.fresh {
		for _, h := range p.hops {
			valueAt(h.place.in(r), gotype.Reflect(h.ptr)).SetZero()
		}
	}
	if p.rest != nil {
		p.rest.clear(r)
	}
	var few [4]uint64
	seen := few[:]
	if len(p.steps) > 64*len(few) {
		seen = make([]uint64, len(p.steps)/64+1)
	}
	count, o, before, captured := 0, d.orderOf(p), -1, row && len(d.capture) > 0
	more, err := d.open('{', '}')
	for more && err == nil {
		i := o.after(before)
		var s *step
		var text, k []byte
		from, plain := 0, false // of the value
		if i >= 0 {
			s = &p.steps[i]
			if s.plain != nil {
				from = d.i + len(s.header)
				text, plain = d.plain(s.plain)
			}
			if !plain {
				i = s.follows(d, i)
			}
			if i >= 0 {
				o.found()
			}
		}
		expected := i >= 0 // the value was compared above
		if i < 0 {
			if i = p.field(d); i < 0 {
				if k, err = d.name(); err != nil {
					return err
				}
				i = p.lookup(k)
			}
			o.note(before, i)
		}
		before = i
		if i < 0 {
			if p.rest != nil {
				err = p.rest.decode(d, d.keep(k), r)
			} else {
				err = d.Skip()
			}
			if err != nil {
				return err
			}
		} else {
			if seen[i>>6]&(1<<(i&63)) != 0 {
				return d.fail("each attribute name once")
			}
			seen[i>>6] |= 1 << (i & 63)
			count++
			s = &p.steps[i]
			if !plain {
				from = d.i
				if s.begin != nil && !expected {
					text, plain = d.plain(s.begin)
				}
			}
			if plain {
				err = s.value.text(d, s.value.kind, text, s.at.reach(r))
			} else {
				err = s.value.decode(d, s.at.reach(r))
			}
			if err != nil {
				return under(s.name, err)
			}
			if captured {
				d.note(i, from)
			}
		}
		if d.i < len(d.b) && d.b[d.i] == ',' {
			d.i++
		} else if more, err = d.more('}'); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if count < len(p.steps) && !d.fresh {
		p.clear(r, seen)
	}
	return nil
}

// follows skips the name of field i if it comes next, and returns i; otherwise -1.
func (s *step) follows(d *Decoder, i int) int {
	if rest := d.b[d.i:]; len(rest) < len(s.header) || string(rest[:len(s.header)]) != string(s.header) {
		return -1
	}
	d.i += len(s.header)
	return i
}

// lookup returns the field with a name; -1 if there is none.
func (p *Plan) lookup(name []byte) int {
	if i, ok := p.byName[string(name)]; ok {
		return i
	}
	return -1
}

// clear zeroes the fields that were not seen.
func (p *Plan) clear(r ref, seen []uint64) {
	for i := range p.steps {
		if seen[i>>6]&(1<<(i&63)) != 0 {
			continue
		}
		s := &p.steps[i]
		if fr, ok := s.at.find(r); ok {
			s.value.clear(fr)
		}
	}
}

// plan compiles a struct type. For a type that contains itself, the inner use refers to the same plan.
func (c *compiler) plan(t reflect.Type, sdkTime bool) *Plan {
	key := planKey{t, sdkTime}
	if p, ok := compiled.plans.Load(key); ok {
		return p.(*Plan)
	}
	if p, ok := c.plans[key]; ok {
		return p
	}
	p := &Plan{typ: gotype.Of(t), byName: map[string]int{}}
	c.plans[key] = p
	if p.wire = wireItemOf(t); p.wire != nil {
		p.names = newNames(nil)
		p.self = c.value(t, options{sdkTime: sdkTime})
		return p
	}
	hops := map[string]*embeddedPointer{}
	list := members(t, func(goPath, attr, text string) { c.problem(t, goPath, attr, text) })
	for _, m := range list {
		at := locate(t, m.index, hops, p)
		if m.tag.unknown {
			c.unknown(p, m, at)
			continue
		}
		leave := c.below(t, m.goPath, m.name)
		if m.tag.sdkTime && !holdsTime(m.typ, 8) {
			c.problem(t, m.goPath, m.name, "tag option sdktime needs a time.Time, or what may hold one")
		}
		opts := m.tag.options
		opts.sdkTime = opts.sdkTime || sdkTime
		v := c.value(m.typ, opts)
		leave()
		s := step{name: m.name, at: at, value: v}
		if s.header, _ = appendText(nil, m.name); s.header == nil || m.name == "" {
			c.problem(t, m.goPath, m.name, "the attribute name is not valid UTF-8")
		}
		s.header = append(s.header, ':')
		if v.text != nil && v.kind != KindAny {
			s.plain = fmt.Appendf(nil, `%s{"%s":"`, s.header, v.kind)
			s.begin = s.plain[len(s.header):]
			s.direct = v.direct()
		}
		if m.tag.omitZero {
			s.isZero = zeroTest(m.typ)
		}
		p.byName[m.name] = len(p.steps)
		p.steps = append(p.steps, s)
		p.fields = append(p.fields, Field{Name: m.name, GoPath: m.goPath, Index: m.index, Type: gotype.Of(m.typ),
			OmitEmpty: m.tag.omitEmpty, OmitZero: m.tag.omitZero, Codec: v})
	}
	p.names = newNames(p.steps)
	p.self = c.value(t, options{sdkTime: sdkTime})
	return p
}

// zeroTest returns the test of omitzero: the type's IsZero method, or a comparison with its zero value.
func zeroTest(t reflect.Type) func(ref) bool {
	type zeroer interface{ IsZero() bool }
	z := reflect.TypeFor[zeroer]()
	if t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(z) {
		return func(r ref) bool {
			v := valueAt(r, t)
			if t.Kind() == reflect.Pointer && v.IsNil() {
				return true
			}
			return v.Addr().Interface().(zeroer).IsZero()
		}
	}
	return func(r ref) bool { return valueAt(r, t).IsZero() }
}
