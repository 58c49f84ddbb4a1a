// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"fmt"
	"maps"
)

// A reply can be constructed so that its decoded form needs many times its size: a map with one entry has twenty bytes on the
// wire, and 350 in memory. The decoder counts the memory of interfaces, maps and values in the SDK's form, and rejects a body
// that would need more than these limits.
const (
	// perByte is the memory allowed for each byte of a body. Together with the body itself that is eight times its size.
	perByte = 7
	// minRoom is the memory allowed for a body of any size. A page of Query or Scan, which ends at 1 MB of items, and a single
	// item of 400 KB never need as much: a map with one entry counts as 5 bytes, if it is in an entry with a name of one letter.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
	minRoom = 80 << 20
)

// The memory of a map in Go 1.26: its header and, if it has entries, a group of eight slots.
const (
	mapHeader = 48
	smallMap  = 8
	slot      = 33  // a string, an interface, and a byte of the table
	mapTable  = 128 // additional memory of a map with more than eight entries
)

// takes counts n bytes that will be allocated, and fails if they exceed the limit.
func (d *Decoder) takes(n int) error {
	if d.taken += n; d.taken <= max(perByte*len(d.b), minRoom) {
		return nil
	}
	return &Error{Decode: true, Reason: fmt.Sprintf("the reply has %d KB and would take up more than %d MB, since it holds many small maps, lists or sets; "+
		"read fewer items at once, or give the attribute a struct type in place of an interface or a map", len(d.b)>>10, max(perByte*len(d.b), minRoom)>>20)}
}

// boxed returns the memory of n bytes in an interface whose value has a header.
func boxed(n, header int) int {
	if n == 0 {
		return 0
	}
	return n + header
}

// maxCounted is the depth up to which the elements of lists and maps are counted before they are read. Counting reads them twice.
const maxCounted = 16

// roomFor returns an empty list with room for all elements of the array that comes next. A list that grows by append needs five
// times its size.
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

// listed counts the next element of a list that was not counted before and so grows by append.
func listed[E any](d *Decoder, list []E) error {
	if len(list) < cap(list) {
		return nil
	}
	return d.takes(16 * 2 * (len(list) + 1))
}

// withRoom returns the map with room for its entries and the next one. d is after the name of the entry. A small map has room for
// eight; the entries of a larger map are counted and it is made once, because a map that grows needs four times its size.
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

// count returns the number of elements of the array that comes next, without moving d. It returns 0 for a malformed array.
func (d *Decoder) count() (n int) {
	at := d.mark()
	more, err := d.open('[', ']')
	if more && err == nil {
		n = d.remaining()
	}
	d.rewind(at)
	return n
}

// remaining returns the number of elements that remain of the current array, without moving d, which is before an element. It returns
// 0 for a malformed array.
func (d *Decoder) remaining() (n int) {
	at := d.mark()
	more, err := true, error(nil)
	for more && err == nil {
		if err = d.Skip(); err == nil {
			n++
			more, err = d.more(']')
		}
	}
	d.rewind(at)
	if err != nil {
		return 0 // the decoding reports what is wrong
	}
	return n
}

// entries returns the number of entries that remain of the current object, without moving d, which is before a value. It returns
// 1 for a malformed object.
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
	d.rewind(at)
	if err != nil {
		return 1
	}
	return n
}
