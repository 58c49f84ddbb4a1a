// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"math/bits"
	"reflect"
	"slices"
)

const (
	emptySet  = "the set has no members, which DynamoDB refuses; leave it out, or remove the attribute"
	duplicate = "the set holds this member twice, which DynamoDB refuses"
)

// setCodec stores a slice or array as a set. One without members is left out of structs and maps, or NULL by nullempty, and
// rejected elsewhere, but for a nil one in a list, whose place must be kept: it is NULL.
func setCodec(v *Value) {
	v.kind, v.isSet = v.opts.set, true
	v.empty = func(r ref) bool { return valueAt(r, v.typ).Len() == 0 }
	head := `{"` + v.kind.String() + `":[`
	want := `{"` + v.kind.member().String() + `":`
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		if err := e.enter(); err != nil { // an interface may hold the slice itself
			return b, err
		}
		rv := valueAt(r, v.typ)
		b = append(b, head...)
		base := len(e.members)
		for i := range rv.Len() {
			er := refFrom(rv.Index(i))
			if v.elem.omit(er) {
				continue
			}
			if len(e.members) > base {
				b = append(b, ',')
			}
			from := len(b)
			var err error
			if b, err = v.elem.append(e, b, er); err != nil {
				return b, underIndex(i, err)
			}
			// The member stands there as a value of its own: {"S":"a"}.
			if string(b[from:min(from+len(want), len(b))]) != want {
				return b, underIndex(i, unfit(v.elem.typ, "a set of type "+v.kind.String()+" cannot hold it"))
			}
			to := from + copy(b[from:], b[from+len(want):len(b)-1])
			b = b[:to]
			e.members = append(e.members, span{from, to})
		}
		members := e.members[base:]
		e.members = e.members[:base]
		if len(members) == 0 {
			return b, unfit(v.typ, emptySet)
		}
		if i := twice(b, members, v.kind); i >= 0 {
			return b, underIndex(i, unfit(v.typ, duplicate))
		}
		e.leave()
		return append(b, `]}`...), nil
	}
	v.dec = v.decodeElems
	if v.typ.Kind() == reflect.Slice && v.typ.Elem() == reflect.TypeFor[string]() {
		v.empty = func(r ref) bool { return len(*as[[]string](r)) == 0 }
		v.isNil = func(r ref) bool { return *as[[]string](r) == nil }
		v.dec = v.decodeStrings
		if v.kind == SS && v.opts.elem() == (options{}) {
			v.enc = encodeStringSet(v, v.enc)
		}
	}
	numberLists(v)
}

// encodeStringSet is the encoder of short sets that are a []string; it leaves others to rest.
func encodeStringSet(v *Value, rest func(*encoder, []byte, ref) ([]byte, error)) func(*encoder, []byte, ref) ([]byte, error) {
	return func(e *encoder, b []byte, r ref) ([]byte, error) {
		list := *as[[]string](r)
		if len(list) == 0 || len(list) > 16 {
			return rest(e, b, r)
		}
		b = append(b, `{"SS":[`...)
		for i, s := range list {
			if i > 0 {
				b = append(b, ',')
			}
			var ok bool
			if b, ok = appendText(b, s); !ok {
				return b, underIndex(i, unfit(v.elem.typ, notText))
			}
			if slices.Contains(list[:i], s) {
				return b, underIndex(i, unfit(v.typ, duplicate))
			}
		}
		return append(b, `]}`...), nil
	}
}

// twice finds a member that equals an earlier one, as DynamoDB compares them:
// numbers by value, so 1 and 1.0 are equal. It returns -1 if there is none.
func twice(b []byte, members []span, k Kind) int {
	if k != NS && len(members) <= 16 {
		for i, m := range members {
			for _, o := range members[:i] {
				if string(b[m.from:m.to]) == string(b[o.from:o.to]) {
					return i
				}
			}
		}
		return -1
	}
	seen := make(map[string]struct{}, len(members))
	var buf [64]byte
	for i, m := range members {
		key := b[m.from:m.to]
		if k == NS {
			if dec, problem := parseDecimal(key[1 : len(key)-1]); problem == "" {
				key = dec.appendKey(buf[:0])
			}
		}
		if _, dup := seen[string(key)]; dup {
			return i
		}
		seen[string(key)] = struct{}{}
	}
	return -1
}

const repeated = "the set holds this member twice, which DynamoDB never sends"

const (
	fewMembers  = 6       // are compared each with each
	someMembers = 256     // are listed without being counted before
	manyMembers = 1 << 12 // and more are sorted
)

// extent is where a member is written. Replies are much smaller than 4 GB.
type extent struct{ from, to uint32 }

func (d *Decoder) at(m extent) []byte { return d.b[m.from:m.to] }

// mark is where a decoder can go back to.
type mark struct{ i, depth int }

func (d *Decoder) mark() mark { return mark{d.i, d.depth} }

func (d *Decoder) back(m mark) { d.i, d.depth = m.i, m.depth }

// setMembers skips the set that comes next and lists its members, until the next set is read. plain says that all of
// them are texts without escapes, and listed without their quotes. It refuses a set that holds a member twice, as it is
// written: a reply of equal members, of a byte or two each, would take up many times its size. In front of a set that is not
// plain it stays, and in front of a malformed one it lists nothing besides: the decoding says what is wrong.
func (d *Decoder) setMembers() (members []extent, plain bool, err error) {
	start := d.mark()
	members, plain = d.extents[:0], true
	more, err := d.open('[', ']')
	for more && err == nil {
		if len(members) == someMembers && cap(members) < manyMembers {
			members = append(make([]extent, 0, someMembers+d.left()), members...)
		}
		if d.i < len(d.b) && d.b[d.i] != '"' {
			d.Peek()
		}
		from := d.i
		if text, ok := d.plainMember(); ok {
			members = append(members, extent{uint32(from + 1), uint32(from + 1 + len(text))})
		} else {
			plain = false
			if err = d.Skip(); err != nil {
				break
			}
			members = append(members, extent{uint32(from), uint32(d.i)})
		}
		more, err = d.more(']')
	}
	if cap(members) <= manyMembers {
		d.extents = members
	}
	if err != nil {
		d.back(start)
		return nil, false, nil //nolint:nilerr // the decoding will find it
	}
	if d.again(members) {
		return nil, false, &Error{Decode: true, Reason: repeated}
	}
	if !plain {
		d.back(start)
	}
	return members, plain, nil
}

// distinct counts the members of the set that comes next, and refuses it if it holds one twice. It stays in front of it.
func (d *Decoder) distinct() (n int, err error) {
	at := d.mark()
	members, _, err := d.setMembers()
	d.back(at)
	return len(members), err
}

// again reports whether a member equals another.
func (d *Decoder) again(members []extent) bool {
	if len(members) <= fewMembers {
		for i, m := range members {
			for _, o := range members[:i] {
				if string(d.at(m)) == string(d.at(o)) {
					return true
				}
			}
		}
		return false
	}
	if len(members) <= manyMembers {
		if twice, ok := d.hashed(members); ok {
			return twice
		}
	}
	sorted := slices.Clone(members)
	slices.SortFunc(sorted, func(a, b extent) int { return bytes.Compare(d.at(a), d.at(b)) })
	for i, m := range sorted[1:] {
		if bytes.Equal(d.at(m), d.at(sorted[i])) {
			return true
		}
	}
	return false
}

// hashed is again by a table. It gives up, and is not ok, if many members have the same hash.
func (d *Decoder) hashed(members []extent) (twice, ok bool) {
	size := 16
	for size < 2*len(members) {
		size *= 2
	}
	if cap(d.slots) < size {
		d.slots = make([]uint16, size)
	}
	slots := d.slots[:size]
	clear(slots)
	shift := uint(64 - bits.TrailingZeros(uint(size)))
	for i, tries := 0, 8*len(members); i < len(members); i++ {
		text := d.at(members[i])
		at := int(hashName(text) >> shift)
		for ; slots[at] > 0; at = (at + 1) & (size - 1) {
			if string(d.at(members[slots[at]-1])) == string(text) {
				return true, true
			}
			if tries--; tries < 0 {
				return false, false
			}
		}
		slots[at] = uint16(i + 1)
	}
	return false, true
}
