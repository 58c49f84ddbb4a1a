// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/base64"
	"slices"
)

// AttributeSize returns the size of one attribute in bytes, including its name.
type AttributeSize struct {
	Name  string
	Bytes int
}

// ItemSize returns the number of bytes that an item in wire form, the whole of data, counts towards the 400 KB of an item and
// towards capacity. Names and text count their UTF-8 bytes, binary its own bytes, and a boolean or NULL one. A list or map counts
// three, one for each element, and its content. A set counts its members. A number counts one, one for every pair of significant
// digits (aligned at the decimal point), and one for a minus sign.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func ItemSize(data []byte) (int, error) {
	total := 0
	err := sizes(data, func(_ []byte, n int) { total += n })
	return total, err
}

// AttributeSizes returns the size of each top-level attribute, in the order of the item. Their sum is [ItemSize].
func AttributeSizes(data []byte) ([]AttributeSize, error) {
	var list []AttributeSize
	err := sizes(data, func(name []byte, n int) { list = append(list, AttributeSize{string(name), n}) })
	return list, err
}

func sizes(data []byte, add func(name []byte, n int)) error {
	d := NewDecoder(data, Options{})
	defer d.Release()
	var name []byte
	err := d.Object(func(k []byte) error {
		name = append(name[:0], k...)
		n, err := d.size()
		add(name, len(name)+n)
		return err
	})
	if err != nil {
		return err
	}
	return d.End()
}

// size reads one attribute value, with all checks of a decoding.
func (d *Decoder) size() (int, error) {
	k, err := d.kind()
	if err != nil {
		return 0, err
	}
	n, err := d.payloadSize(k)
	if err != nil {
		return 0, err
	}
	return n, d.close()
}

func (d *Decoder) payloadSize(k Kind) (int, error) {
	switch k {
	case S:
		s, err := d.text()
		return len(s), err
	case N:
		s, err := d.text()
		if err != nil {
			return 0, err
		}
		dec, problem := parseDecimal(s)
		if problem != "" {
			return 0, d.fail("number")
		}
		return dec.size(), nil
	case B:
		return d.binarySize()
	case BOOL, NULL:
		_, err := d.boolean()
		return 1, err
	case M:
		return d.mapSize()
	case L:
		n := 3
		err := d.Array(func() error {
			e, err := d.size()
			n += 1 + e
			return err
		})
		return n, err
	default:
		n := 0
		err := d.Array(func() error {
			e, err := d.payloadSize(k.member())
			n += e
			return err
		})
		return n, err
	}
}

func (d *Decoder) mapSize() (int, error) {
	n := 3
	var names []string
	err := d.Object(func(name []byte) error {
		n += 1 + len(name)
		names = append(names, d.keep(name))
		e, err := d.size()
		n += e
		return err
	})
	if err != nil {
		return 0, err
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(names) {
		return 0, d.fail("each attribute name once")
	}
	return n, nil
}

func (d *Decoder) binarySize() (int, error) {
	s, err := d.base64()
	if err != nil {
		return 0, err
	}
	var buf [768]byte
	n := 0
	for len(s) > 0 {
		part := s[:min(len(s), 1024)]
		m, err := base64.StdEncoding.Decode(buf[:], part)
		if err != nil || len(part) < len(s) && m < len(buf) {
			return 0, d.fail("base64") // padding is only allowed at the end
		}
		n += m
		s = s[len(part):]
	}
	return n, nil
}

// size counts pairs of digits, aligned at the decimal point.
func (d *decimal) size() int {
	if d.n == 0 {
		return 1
	}
	pairs := (d.n + d.exp&1 + 1) / 2
	if d.neg {
		return 2 + pairs
	}
	return 1 + pairs
}
