// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"
)

// order records which field followed each field the last time. The items of one body, and of one table, mostly have the same
// order. So a name is first compared with the name of the expected field, and looked up only if they differ. An attribute that an
// item lacks, or has at another position, costs one or two look-ups there, and none after it.
type order struct {
	plan *Plan
	next []int16 // by the previous field, plus 1; -1 if it is not known
	lost int     // attributes that were not at the expected position, minus those that were
}

// maxLost is the value of lost from which the order counts as random for the rest of the body.
const maxLost = 32

// maxOrders is the number of struct types of a body whose order is recorded.
const maxOrders = 8

// orderOf returns the order of the fields of a plan; nil if there is no room for it.
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

// after returns the field that followed a field, or -1 if that is not known.
func (o *order) after(before int) int {
	if o == nil || o.lost > maxLost {
		return -1
	}
	return int(o.next[before+1])
}

// note records which field followed a field, if it is not the expected one.
func (o *order) note(before, field int) {
	if o != nil && o.lost <= maxLost {
		o.next[before+1] = int16(field)
		o.lost++
	}
}

// found records that the expected field followed.
func (o *order) found() {
	if o.lost > 0 {
		o.lost--
	}
}

// names finds fields by their names in the form in which the plan writes them, which nearly all items have.
type names struct {
	slots []int32 // fields by a hash of their names, -1 for none; at least twice as many as fields
	shift uint    // shift of a hash that results in the first slot to examine
	order []int16 // the order of the plan, with which a body begins
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

// mixName returns a hash of the first and last bytes of a name; they overlap if it is short.
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

// field skips the name that comes next if it is the name of a field in the form in which the plan writes it, and returns the
// field. Otherwise it does not move d and returns -1.
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

// plain reads a value if it consists of lit, text without escapes, and its end, such as {"S":"a"} after the lit {"S":". That is
// how the service writes nearly all text and numbers. Otherwise, and for malformed text, it does not move d.
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

// plainMember is plain for a string alone, such as a member of a set.
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

// plainString is the beginning of a text value.
var plainString = []byte(`{"S":"`)

// plainDigits is the beginning of a number.
var plainDigits = []byte(`{"N":"`)
