// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/base64"
	"fmt"
)

// CheckItem rejects bytes that are not exactly one item in wire form, as DynamoDB would store it: every value has one known type,
// numbers have at most 38 digits, sets are not empty and have no duplicates, and names are not empty and occur once. Its error
// contains the position and never the data.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
func CheckItem(data []byte) error {
	d := NewDecoder(data, Options{NoArena: true})
	defer d.Release()
	if err := d.checkEntries(0); err != nil {
		return err
	}
	return d.End()
}

// CheckValue is [CheckItem] for one attribute value.
func CheckValue(data []byte) error {
	d := NewDecoder(data, Options{NoArena: true})
	defer d.Release()
	if err := d.checkValue(1); err != nil {
		return err
	}
	return d.End()
}

// AppendCompact appends a value or an item that was checked, without white space between its parts.
func AppendCompact(b, data []byte) []byte {
	quoted := false
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case quoted && c == '\\' && i+1 < len(data):
			b = append(b, c)
			i++
			c = data[i]
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\n' || c == '\t' || c == '\r'):
			continue
		}
		b = append(b, c)
	}
	return b
}

// maxStored is the depth to which DynamoDB allows attribute values to nest.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxStored = 32

func (d *Decoder) checkEntries(level int) error {
	var (
		few   [fewNames]string
		n     int
		names map[string]struct{} // those of a larger map
	)
	return d.Object(func(k []byte) error {
		if len(k) == 0 {
			return d.fail("a name")
		}
		_, twice := names[string(k)]
		for _, name := range few[:min(n, fewNames)] {
			twice = twice || name == string(k)
		}
		if twice {
			return d.fail("each attribute name once")
		}
		if n < fewNames {
			few[n] = string(k)
		} else {
			if names == nil {
				names = map[string]struct{}{}
			}
			names[string(k)] = struct{}{}
		}
		n++
		return d.checkValue(level + 1)
	})
}

// fewNames is the number of names up to which they are compared one by one.
const fewNames = 16

func (d *Decoder) checkValue(level int) error {
	if level > maxStored {
		return d.fail(fmt.Sprintf("at most %d levels of nesting", maxStored))
	}
	k, err := d.kind()
	if err != nil {
		return err
	}
	if err := d.checkPayload(k, level); err != nil {
		return err
	}
	return d.close()
}

func (d *Decoder) checkPayload(k Kind, level int) error {
	switch k {
	case BOOL:
		_, err := d.boolean()
		return err
	case NULL:
		v, err := d.boolean()
		if err == nil && !v {
			err = d.fail("true")
		}
		return err
	case M:
		return d.checkEntries(level)
	case L:
		return d.Array(func() error { return d.checkValue(level + 1) })
	case SS, NS, BS:
		return d.checkSet(k)
	}
	return d.checkScalar(k, nil)
}

// checkScalar checks a text, number or binary. If seen is not nil, it contains the earlier members of the set.
func (d *Decoder) checkScalar(k Kind, seen map[string]struct{}) error {
	var id []byte
	switch k {
	case N:
		s, err := d.text()
		if err != nil {
			return err
		}
		n, problem := parseDecimal(s)
		if problem != "" {
			return d.fail("a number that DynamoDB can hold")
		}
		if seen != nil {
			id = n.appendKey(nil)
		}
	case B:
		s, err := d.base64()
		if err != nil {
			return err
		}
		id = make([]byte, base64.StdEncoding.DecodedLen(len(s)))
		n, err := decode64(id, s)
		if err != nil {
			return d.fail("base64")
		}
		id = id[:n]
	default:
		s, err := d.text()
		if err != nil {
			return err
		}
		id = s
	}
	if seen == nil {
		return nil
	}
	if _, twice := seen[string(id)]; twice {
		return d.fail("each member of a set once")
	}
	seen[string(id)] = struct{}{}
	return nil
}

func (d *Decoder) checkSet(k Kind) error {
	seen := map[string]struct{}{}
	err := d.Array(func() error { return d.checkScalar(k.member(), seen) })
	if err == nil && len(seen) == 0 {
		return d.fail("a member, since a set cannot be empty")
	}
	return err
}
