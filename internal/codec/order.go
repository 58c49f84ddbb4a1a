// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"
)

// order is what field followed each field the last time. Items of one body, and of one table, mostly agree in it, so a
// name is compared with that of the field that is expected before it is looked up. An attribute that an item lacks, or
// has at another place, costs a look-up or two there, and nothing behind.
type order struct {
	plan *Plan
	next []int16 // by the field before, plus 1; -1 if it is not known
	lost int     // attributes that stood elsewhere, less those that did not
}

// maxLost is how many attributes stand at another place until the order is taken for random, for the rest of the body.
const maxLost = 32

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
	if d.known == maxOrders || len(p.steps) > math.MaxInt16 {
		return nil
	}
	o := &d.orders[d.known]
	d.known++
	o.plan, o.next, o.lost = p, append(o.next[:0], p.names.order...), 0
	return o
}

// after is the field that followed a field, -1 if that is not known.
func (o *order) after(before int) int {
	if o == nil || o.lost > maxLost {
		return -1
	}
	return int(o.next[before+1])
}

// note remembers which field followed a field, other than expected.
func (o *order) note(before, field int) {
	if o != nil && o.lost <= maxLost {
		o.next[before+1] = int16(field)
		o.lost++
	}
}

// found says that a field followed that was expected.
func (o *order) found() {
	if o.lost > 0 {
		o.lost--
	}
}

// names finds fields by their names as the plan writes them, which is how they are written nearly always.
type names struct {
	slots []int32 // fields by a hash of their names, -1 for none; twice as many as fields at least
	shift uint    // what is left of a hash is the place of the first slot to look at
	order []int16 // that of the plan, with which a body begins
}

func newNames(steps []step) (n names) {
	size := 4
	for size < 2*len(steps) {
		size *= 2
	}
	n.slots, n.shift = make([]int32, size), uint(64-bits.TrailingZeros(uint(size)))
	for i := range n.slots {
		n.slots[i] = -1
	}
	for i := range steps {
		name := steps[i].header[1 : len(steps[i].header)-2]
		at := n.first(hashName(name))
		for n.slots[at] >= 0 {
			at = (at + 1) % size
		}
		n.slots[at] = int32(i)
	}
	for i := range len(steps) + 1 {
		if i == len(steps) || i > math.MaxInt16 {
			i = -1
		}
		n.order = append(n.order, int16(i))
	}
	return n
}

func (n *names) first(hash uint64) int { return int(hash >> n.shift) }

// mixName makes a hash of the first and last bytes of a name, which overlap if it is short.
func mixName(first, last uint64, length int) uint64 {
	return (first ^ bits.RotateLeft64(last, 29) ^ uint64(length)) * 0x9E3779B97F4A7C15
}

func hashName(name []byte) uint64 {
	if len(name) > 8 {
		return mixName(binary.LittleEndian.Uint64(name), binary.LittleEndian.Uint64(name[len(name)-8:]), len(name))
	}
	var room [8]byte
	copy(room[:], name)
	w := binary.LittleEndian.Uint64(room[:])
	return mixName(w, w, len(name))
}

// field skips the name that comes next if it is that of a field and written as the plan writes it, and returns
// the field. Otherwise it stays where it is and returns -1.
func (p *Plan) field(d *Decoder) int {
	b := d.b[d.i:]
	if len(b) < 10 || b[0] != '"' {
		return -1
	}
	first := binary.LittleEndian.Uint64(b[1:])
	var h uint64
	if m := special(first); m != 0 {
		n := bits.TrailingZeros64(m) >> 3
		first &= 1<<(uint(n)*8) - 1
		h = mixName(first, first, n)
	} else {
		end, _ := plainUntil(b, 9, 0)
		h = mixName(first, binary.LittleEndian.Uint64(b[end-8:end]), end-1)
	}
	for at := p.names.first(h); ; at = (at + 1) & (len(p.names.slots) - 1) {
		i := int(p.names.slots[at])
		if i < 0 {
			return -1
		}
		if header := p.steps[i].header; len(b) >= len(header) && string(b[:len(header)]) == string(header) {
			d.i += len(header)
			return i
		}
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

// plainDigits begins a number.
var plainDigits = []byte(`{"N":"`)
