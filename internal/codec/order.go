package codec

import (
	"math"
	"unicode/utf8"
)

// order is where the fields of a struct stood in its last item. Items of one body,
// and of one table, mostly agree in it, so a name is compared before it is looked up.
type order struct {
	plan *Plan
	at   []int16 // fields in wire order, -1 for an unknown attribute
}

// maxOrders is how many struct types of a body have their order remembered.
const maxOrders = 8

// orderOf is the order of a plan's fields; nil if there is no room for it.
func (d *Decoder) orderOf(p *Plan) *order {
	for i := range d.known {
		o := &d.orders[i]
		if o.plan == p {
			return o
		}
	}
	if d.known == maxOrders {
		return nil
	}
	o := &d.orders[d.known]
	d.known++
	o.plan, o.at = p, o.at[:0]
	return o
}

// next is the field that stood at a place, -1 if that is not known.
func (o *order) next(pos int) int {
	if o == nil || pos >= len(o.at) {
		return -1
	}
	return int(o.at[pos])
}

// note remembers the field at a place.
func (o *order) note(pos, field int) {
	switch {
	case o == nil || field > math.MaxInt16 || pos > len(o.at):
	case pos == len(o.at):
		o.at = append(o.at, int16(field))
	default:
		o.at[pos] = int16(field)
	}
}

// plain reads a value if it is written as lit, text without escapes, and its end, such
// as {"S":"a"} after the lit {"S":". That is how the service writes nearly all text and
// numbers. Otherwise, and for malformed text, it leaves d as it is.
func (d *Decoder) plain(lit []byte) (text []byte, ok bool) {
	b, i := d.b, d.i
	if len(b)-i < len(lit) || string(b[i:i+len(lit)]) != string(lit) || d.depth >= maxDepth {
		return nil, false
	}
	i += len(lit)
	end, seen := plainUntil(b, i, 0)
	if len(b)-end < len(endText) || string(b[end:end+len(endText)]) != endText || seen&hi8 != 0 && !utf8.Valid(b[i:end]) {
		return nil, false
	}
	d.i = end + len(endText)
	return b[i:end], true
}

// plainMember is plain of a string that stands by itself, as the members of sets do.
func (d *Decoder) plainMember() (text []byte, ok bool) {
	b, i := d.b, d.i
	if i >= len(b) || b[i] != '"' {
		return nil, false
	}
	i++
	end, seen := plainUntil(b, i, 0)
	if end >= len(b) || b[end] != '"' || seen&hi8 != 0 && !utf8.Valid(b[i:end]) {
		return nil, false
	}
	d.i = end + 1
	return b[i:end], true
}

// plainString begins a text value.
var plainString = []byte(`{"S":"`)
