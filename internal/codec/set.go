package codec

import (
	"bytes"
	"reflect"
	"slices"
)

const (
	emptySet  = "the set has no members, which DynamoDB refuses; leave it out, or remove the attribute"
	duplicate = "the set holds this member twice, which DynamoDB refuses"
)

// setCodec stores a slice or array as a set. One without members is left out of structs and maps, or NULL by nullempty, and
// refused elsewhere, but for a nil one in a list, whose place must be kept: it is NULL.
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

// fewMembers are compared each with each.
const fewMembers = 16

// distinct refuses a set that holds a member twice, as it is written, and leaves d in front of the set: a reply of equal
// members, of a byte or two each, would take up many times its size. It counts the members. What is malformed is left to the decoding.
func (d *Decoder) distinct() (n int, err error) {
	n = d.count()
	if n < 2 {
		return n, nil
	}
	var room [fewMembers]extent
	members := room[:0]
	if n > len(room) {
		members = make([]extent, 0, n)
	}
	at, depth := d.i, d.depth
	more, err := d.open('[', ']')
	for more && err == nil {
		d.Peek()
		from := d.i
		if err = d.Skip(); err == nil {
			members = append(members, extent{uint32(from), uint32(d.i)})
			more, err = d.more(']')
		}
	}
	d.i, d.depth = at, depth
	if d.again(members) {
		return n, &Error{Decode: true, Reason: repeated}
	}
	return n, nil
}

// extent is where a member is written. Replies are much smaller than 4 GB.
type extent struct{ from, to uint32 }

// again reports whether a member equals another.
func (d *Decoder) again(members []extent) bool {
	text := func(m extent) []byte { return d.b[m.from:m.to] }
	if len(members) <= fewMembers {
		for i, m := range members {
			for _, o := range members[:i] {
				if bytes.Equal(text(m), text(o)) {
					return true
				}
			}
		}
		return false
	}
	slices.SortFunc(members, func(a, b extent) int { return bytes.Compare(text(a), text(b)) })
	for i, m := range members[1:] {
		if bytes.Equal(text(m), text(members[i])) {
			return true
		}
	}
	return false
}
