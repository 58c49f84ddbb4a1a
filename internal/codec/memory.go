// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"fmt"
	"maps"
)

// A reply may be written so that what is made of it takes up many times its size: a map of one entry has twenty bytes on
// the wire, and 350 in memory. The decoder counts what interfaces, maps and values in the SDK's form take up, and refuses a body that
// would take up more than these bounds.
const (
	// perByte is how much may be taken up for each byte of a body. With the body itself that is eight times its size.
	perByte = 7
	// minRoom may be taken up whatever the size of the body. A page of Query or Scan, which ends at 1 MB of items, and a single item of
	// 400 KB never need as much: a map of one entry is counted as 5 bytes, a map in an entry with a name of one letter.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
	minRoom = 80 << 20
)

// What a map takes up in Go 1.26: its header, and with an entry a group of eight slots.
const (
	mapHeader = 48
	smallMap  = 8
	slot      = 33  // a string, an interface, and a byte of the table
	mapTable  = 128 // what a map of more than eight entries needs besides
)

// takes counts n bytes that are about to be taken up, and refuses them beyond the bound.
func (d *Decoder) takes(n int) error {
	if d.taken += n; d.taken <= max(perByte*len(d.b), minRoom) {
		return nil
	}
	return &Error{Decode: true, Reason: fmt.Sprintf("the reply has %d KB and would take up more than %d MB, since it holds many small maps, lists or sets; "+
		"read fewer items at once, or give the attribute a struct type in place of an interface or a map", len(d.b)>>10, max(perByte*len(d.b), minRoom)>>20)}
}

// boxed is what n bytes take up in an interface whose value has a header.
func boxed(n, header int) int {
	if n == 0 {
		return 0
	}
	return n + header
}

// maxCounted is how deep lists and maps are counted before they are read, which reads them twice.
const maxCounted = 16

// roomFor is an empty list with room for all elements of the array that comes next: a list that grows by itself takes up five times its size.
func roomFor[E any](d *Decoder) ([]E, error) {
	n := 0
	if d.depth <= maxCounted {
		n = d.count()
	}
	if err := d.takes(24 + 16*n); err != nil {
		return nil, err
	}
	return make([]E, 0, n), nil
}

// listed counts the element that follows those of a list: one that was not counted before grows by itself.
func listed[E any](d *Decoder, list []E) error {
	if len(list) < cap(list) {
		return nil
	}
	return d.takes(16 * 2 * (len(list) + 1))
}

// withRoom is a map with its entries and room for the next one. d stands behind its name. A small map has room for eight; one that is larger is
// counted and made once, since a map that grows by itself takes up four times its size.
func withRoom[V any](d *Decoder, m map[string]V) (map[string]V, error) {
	switch n := len(m); {
	case n == 0:
		return m, d.takes(slot*smallMap + 32)
	case n == smallMap && d.depth <= maxCounted:
		n += d.entries()
		room := 2 * smallMap
		for room*7/8 < n {
			room *= 2
		}
		if err := d.takes(mapTable + slot*room); err != nil {
			return nil, err
		}
		larger := make(map[string]V, n)
		maps.Copy(larger, m)
		return larger, nil
	case n >= smallMap && n&(n-1) == 0 && d.depth > maxCounted:
		return m, d.takes(mapTable + slot*5*n/2)
	}
	return m, nil
}

// count is the number of elements of the array in front of which d is and stays, 0 for a malformed one.
func (d *Decoder) count() (n int) {
	at := d.mark()
	more, err := d.open('[', ']')
	if more && err == nil {
		n = d.left()
	}
	d.back(at)
	return n
}

// left is the number of elements that are left of the array in which d is and stays, in front of one. It is 0 for a malformed array.
func (d *Decoder) left() (n int) {
	at := d.mark()
	more, err := true, error(nil)
	for more && err == nil {
		if err = d.Skip(); err == nil {
			n++
			more, err = d.more(']')
		}
	}
	d.back(at)
	if err != nil {
		return 0 // the decoding says what is wrong
	}
	return n
}

// entries is the number of entries that are left of the object in which d is and stays, in front of a value. It is 1 for a malformed object.
func (d *Decoder) entries() (n int) {
	at := d.mark()
	err := d.Skip()
	for n = 1; err == nil; n++ {
		var more bool
		if more, err = d.more('}'); err != nil || !more {
			break
		}
		if _, err = d.name(); err == nil {
			err = d.Skip()
		}
	}
	d.back(at)
	if err != nil {
		return 1
	}
	return n
}
