// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/internal/gotype"
)

// mapping compiles maps. Keys are text, numbers, booleans, or types with MarshalText and UnmarshalText.
func (c *compiler) mapping(v *Value) {
	if v.opts.set != KindAny {
		c.mapSet(v)
		return
	}
	v.kind = M
	key, ok := keyText(gotype.Reflect(v.typ).Key())
	if !ok {
		c.unfit(gotype.Reflect(v.typ), "a map key must be text, a number, a boolean, or have MarshalText and UnmarshalText")
		return
	}
	v.elem = c.value(gotype.Reflect(v.typ).Elem(), v.opts.elem())
	if gotype.Reflect(v.typ).Key() == reflect.TypeFor[string]() && gotype.Reflect(v.typ).Elem() == reflect.TypeFor[string]() && v.opts.elem() == (options{}) {
		stringMapCodec(v)
		return
	}
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		if err := e.enter(); err != nil {
			return b, err
		}
		b, err := encodeMap(v, e, b, valueAt(r, gotype.Reflect(v.typ)), key)
		e.leave()
		return b, err
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		if k != M {
			return v.mismatch(k)
		}
		return decodeMap(v, d, valueAt(r, gotype.Reflect(v.typ)), key)
	}
	if gotype.Reflect(v.typ) == reflect.TypeFor[map[string]any]() && v.opts.elem() == (options{}) {
		v.dec = func(d *Decoder, k Kind, r ref) (err error) {
			if k != M {
				return v.mismatch(k)
			}
			*as[map[string]any](r), err = d.naturalMap()
			return err
		}
	}
}

const (
	emptyName = "a map key is empty, which DynamoDB refuses"
	badName   = "a map key is not valid UTF-8"
	sameName  = "two map keys have the same text"
)

// encodeMap writes the entries in order of their names.
func encodeMap(v *Value, e *encoder, b []byte, m reflect.Value, key keyCodec) ([]byte, error) {
	type entry struct {
		name string
		i    int
	}
	// The values are copied to be addressable, so that methods on their pointers can be called.
	values := reflect.MakeSlice(reflect.SliceOf(gotype.Reflect(v.typ).Elem()), m.Len(), m.Len())
	entries := make([]entry, 0, m.Len())
	k := reflect.New(gotype.Reflect(v.typ).Key()).Elem()
	for it := m.MapRange(); it.Next(); {
		if len(entries) == m.Len() {
			break // written concurrently; entries that it adds are ignored
		}
		k.SetIterKey(it)
		values.Index(len(entries)).SetIterValue(it)
		name, err := key.format(k)
		if err != nil {
			return b, custom(false, gotype.Reflect(v.typ).Key(), "MarshalText", err)
		}
		if name == "" {
			return b, unfit(gotype.Reflect(v.typ), emptyName)
		}
		entries = append(entries, entry{name, len(entries)})
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.name < b.name {
			return -1
		}
		if a.name > b.name {
			return 1
		}
		return 0
	})
	b = append(b, `{"M":{`...)
	first := true
	for i, en := range entries {
		if i > 0 && entries[i-1].name == en.name {
			return b, unfit(gotype.Reflect(v.typ), sameName)
		}
		er := refFrom(values.Index(en.i))
		if v.elem.absent(er) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		var ok bool
		if b, ok = appendText(b, en.name); !ok {
			return b, unfit(gotype.Reflect(v.typ), badName)
		}
		var err error
		if b, err = v.elem.append(e, append(b, ':'), er); err != nil {
			return b, underKey(err)
		}
	}
	return append(b, `}}`...), nil
}

func decodeMap(v *Value, d *Decoder, dst reflect.Value, key keyCodec) error {
	m := reflect.MakeMap(gotype.Reflect(v.typ))
	if err := d.takes(mapHeader + 16 + smallMap*int(gotype.Reflect(v.typ).Key().Size()+gotype.Reflect(v.typ).Elem().Size())); err != nil {
		return err
	}
	k := reflect.New(gotype.Reflect(v.typ).Key()).Elem()
	elem := reflect.New(gotype.Reflect(v.typ).Elem()).Elem()
	er := refFrom(elem)
	more, err := d.open('{', '}')
	for ; more && err == nil; more, err = d.more('}') {
		name, err := d.name()
		if err != nil {
			return err
		}
		k.SetZero()
		if problem, err := key.parse(d, name, k); err != nil {
			return custom(true, gotype.Reflect(v.typ).Key(), "UnmarshalText", err)
		} else if problem != "" {
			return refuse(M, gotype.Reflect(v.typ), "a map key does not fit: "+problem)
		}
		if m.MapIndex(k).IsValid() {
			return d.fail("each attribute name once")
		}
		elem.SetZero()
		if err := v.elem.decode(d, er); err != nil {
			return underKey(err)
		}
		m.SetMapIndex(k, elem)
	}
	if err == nil {
		dst.Set(m)
	}
	return err
}

// keyCodec converts map keys to attribute names and back.
type keyCodec struct {
	format func(k reflect.Value) (string, error)
	parse  func(d *Decoder, name []byte, k reflect.Value) (problem string, err error)
}

var (
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func keyText(t reflect.Type) (keyCodec, bool) {
	if t.Kind() != reflect.Pointer && hasMethods(t, textMarshalerType) && hasMethods(t, textUnmarshalerType) {
		return keyCodec{
			format: func(k reflect.Value) (string, error) {
				text, err := k.Addr().Interface().(encoding.TextMarshaler).MarshalText()
				return string(text), err
			},
			parse: func(_ *Decoder, name []byte, k reflect.Value) (string, error) {
				return "", k.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(name)
			},
		}, true
	}
	switch t.Kind() {
	case reflect.String:
		return keyCodec{
			format: func(k reflect.Value) (string, error) { return k.String(), nil },
			parse: func(d *Decoder, name []byte, k reflect.Value) (string, error) {
				k.SetString(d.keep(name))
				return "", nil
			},
		}, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return keyCodec{
			format: func(k reflect.Value) (string, error) { return strconv.FormatInt(k.Int(), 10), nil },
			parse: func(_ *Decoder, name []byte, k reflect.Value) (string, error) {
				n, problem := parseInt(name)
				if problem == "" && k.OverflowInt(n) {
					problem = overflow
				}
				k.SetInt(n)
				return problem, nil
			},
		}, true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return keyCodec{
			format: func(k reflect.Value) (string, error) { return strconv.FormatUint(k.Uint(), 10), nil },
			parse: func(_ *Decoder, name []byte, k reflect.Value) (string, error) {
				n, problem := parseUint(name)
				if problem == "" && k.OverflowUint(n) {
					problem = overflow
				}
				k.SetUint(n)
				return problem, nil
			},
		}, true
	case reflect.Float32, reflect.Float64:
		return floatKey(t.Bits()), true
	case reflect.Bool:
		return keyCodec{
			format: func(k reflect.Value) (string, error) { return strconv.FormatBool(k.Bool()), nil },
			parse: func(_ *Decoder, name []byte, k reflect.Value) (string, error) {
				b, err := strconv.ParseBool(string(name))
				k.SetBool(b)
				if err != nil {
					return "not a boolean", nil //nolint:nilerr // the caller makes the error
				}
				return "", nil
			},
		}, true
	}
	return keyCodec{}, false
}

func floatKey(bits int) keyCodec {
	return keyCodec{
		format: func(k reflect.Value) (string, error) {
			return strconv.FormatFloat(k.Float(), 'g', -1, bits), nil
		},
		parse: func(_ *Decoder, name []byte, k reflect.Value) (string, error) {
			f, err := strconv.ParseFloat(string(name), bits)
			k.SetFloat(f)
			if err != nil {
				return "not a number", nil //nolint:nilerr // the caller makes the error
			}
			return "", nil
		},
	}
}

// stringMapCodec is for map[string]string, without reflection.
func stringMapCodec(v *Value) {
	v.empty = func(r ref) bool { return *as[map[string]string](r) == nil }
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		m := *as[map[string]string](r)
		var few [8]pair // on the stack, where the garbage collector's write barrier is not needed
		pairs := few[:0]
		if len(m) > len(few) {
			pairs = e.room(len(m))
		}
		for name, text := range m {
			if name == "" {
				return b, unfit(gotype.Reflect(v.typ), emptyName)
			}
			pairs = append(pairs, pair{name, text})
		}
		sortPairs(pairs)
		b = append(b, `{"M":{`...)
		for i, p := range pairs {
			if i > 0 {
				b = append(b, ',')
			}
			var ok bool
			if b, ok = appendEscaped(append(b, '"'), p.name); !ok {
				return b, unfit(gotype.Reflect(v.typ), badName)
			}
			if b, ok = appendEscaped(append(b, `":{"S":"`...), p.text); !ok {
				return b, underKey(unfit(gotype.Reflect(v.elem.typ), notText))
			}
			b = append(b, endText...)
		}
		return append(b, `}}`...), nil
	}
	v.dec = v.decodeStringMap
}

func (v *Value) decodeStringMap(d *Decoder, k Kind, r ref) error {
	if k != M {
		return v.mismatch(k)
	}
	m := map[string]string{}
	more, err := d.open('{', '}')
	for ; more && err == nil; more, err = d.more('}') {
		name, err := d.name()
		if err != nil {
			return err
		}
		key, n := d.keep(name), len(m)
		if n == smallMap && d.depth <= maxCounted { // a map that grows is reallocated repeatedly
			larger := make(map[string]string, n+d.entries())
			maps.Copy(larger, m)
			m = larger
		}
		if text, ok := d.plain(plainString); ok {
			m[key] = d.keep(text)
		} else {
			d.str = ""
			if err := v.elem.decode(d, refOf(&d.str)); err != nil {
				return underKey(err)
			}
			m[key] = d.str
		}
		if len(m) == n {
			return d.fail("each attribute name once")
		}
	}
	if err == nil {
		*as[map[string]string](r) = m
	}
	return err
}

// pair is an entry of a map[string]string.
type pair struct{ name, text string }

// room returns memory for the n entries of a map; it is valid until the next call.
func (e *encoder) room(n int) []pair {
	if cap(e.pairs) < n {
		e.pairs = make([]pair, n)
	}
	e.pairs = e.pairs[:max(n, len(e.pairs))]
	return e.pairs[:0:n]
}

// sortPairs sorts by name.
func sortPairs(pairs []pair) {
	if len(pairs) > 16 {
		slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
		return
	}
	for i := range pairs {
		for j := i; j > 0 && pairs[j].name < pairs[j-1].name; j-- {
			pairs[j], pairs[j-1] = pairs[j-1], pairs[j]
		}
	}
}
