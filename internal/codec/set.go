// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"math/bits"
	"reflect"
	"slices"

	"github.com/dynamotable/ddb/internal/gotype"
)

const (
	emptySet  = "the set has no members, which DynamoDB refuses; leave it out, or remove the attribute"
	duplicate = "the set holds this member twice, which DynamoDB refuses"
)

// setCodec stores a slice or array as a set. A set without members is left out of structs and maps, or is NULL with nullempty.
// Elsewhere it is rejected, except for a nil set in a list: its position must be kept, so it is NULL.
func setCodec(v *Value) {
	v.kind, v.isSet = v.opts.set, true
	v.empty = func(r ref) bool { return valueAt(r, gotype.Reflect(v.typ)).Len() == 0 }
	head := `{"` + v.kind.String() + `":[`
	want := `{"` + v.kind.member().String() + `":`
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		if err := e.enter(); err != nil { // an interface can contain the slice itself
			return b, err
		}
		rv := valueAt(r, gotype.Reflect(v.typ))
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
			// Here the member is a value of its own: {"S":"a"}.
			if string(b[from:min(from+len(want), len(b))]) != want {
				return b, underIndex(i, unfit(gotype.Reflect(v.elem.typ), "a set of type "+v.kind.String()+" cannot hold it"))
			}
			to := from + copy(b[from:], b[from+len(want):len(b)-1])
			b = b[:to]
			e.members = append(e.members, span{from, to})
		}
		members := e.members[base:]
		e.members = e.members[:base]
		if len(members) == 0 {
			return b, unfit(gotype.Reflect(v.typ), emptySet)
		}
		if i := firstDuplicate(b, members, v.kind); i >= 0 {
			return b, underIndex(i, unfit(gotype.Reflect(v.typ), duplicate))
		}
		e.leave()
		return append(b, `]}`...), nil
	}
	v.dec = v.decodeElems
	if gotype.Reflect(v.typ).Kind() == reflect.Slice && gotype.Reflect(v.typ).Elem() == reflect.TypeFor[string]() {
		v.empty = func(r ref) bool { return len(*as[[]string](r)) == 0 }
		v.isNil = func(r ref) bool { return *as[[]string](r) == nil }
		v.dec = v.decodeStrings
		if v.kind == SS && v.opts.elem() == (options{}) {
			v.enc = encodeStringSet(v, v.enc)
		}
	}
	numberLists(v)
}

// encodeStringSet encodes short sets that are a []string. It calls rest for other values.
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
				return b, underIndex(i, unfit(gotype.Reflect(v.elem.typ), notText))
			}
			if slices.Contains(list[:i], s) {
				return b, underIndex(i, unfit(gotype.Reflect(v.typ), duplicate))
			}
		}
		return append(b, `]}`...), nil
	}
}

// firstDuplicate returns the index of a member that equals an earlier one, as DynamoDB compares them: numbers by value, so 1 and 1.0 are
// equal. It returns -1 if there is none.
func firstDuplicate(b []byte, members []span, k Kind) int {
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
	fewMembers  = 6       // up to here each is compared with each
	someMembers = 256     // up to here they are listed without being counted first
	manyMembers = 1 << 12 // above this they are sorted
)

// extent is the position of a member in the body. Replies are much smaller than 4 GB.
type extent struct{ from, to uint32 }

func (d *Decoder) at(m extent) []byte { return d.b[m.from:m.to] }

// mark is a position to which a decoder can return.
type mark struct{ i, depth int }

func (d *Decoder) mark() mark { return mark{d.i, d.depth} }

func (d *Decoder) rewind(m mark) { d.i, d.depth = m.i, m.depth }

// setMembers skips the set that comes next and lists its members; the list is valid until the next set is read. plain reports
// that all members are texts without escapes, which are listed without their quotes. It rejects a set that contains a member
// twice in the same spelling: a reply with equal members, of a byte or two each, would need many times its size. If the set is
// not plain, the decoder is not moved. If it is malformed, nothing is listed either: the decoding reports what is wrong.
func (d *Decoder) setMembers() (members []extent, plain bool, err error) {
	start := d.mark()
	members, plain = d.extents[:0], true
	more, err := d.open('[', ']')
	for more && err == nil {
		if len(members) == someMembers && cap(members) < manyMembers {
			members = append(make([]extent, 0, someMembers+d.remaining()), members...)
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
		d.rewind(start)
		return nil, false, nil //nolint:nilerr // the decoding will find it
	}
	if d.again(members) {
		return nil, false, &Error{Decode: true, Reason: repeated}
	}
	if !plain {
		d.rewind(start)
	}
	return members, plain, nil
}

// distinct counts the members of the set that comes next, and rejects it if it contains one twice. It does not move the decoder.
func (d *Decoder) distinct() (n int, err error) {
	at := d.mark()
	members, _, err := d.setMembers()
	d.rewind(at)
	return len(members), err
}

// again reports whether a member equals another one.
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

// hashed is again with a hash table. It gives up, and returns ok false, if many members have the same hash.
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
