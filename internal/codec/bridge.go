// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ParseItem converts an item in wire form, the whole of data, to the SDK's form. It rejects duplicate attribute names.
func ParseItem(data []byte) (map[string]types.AttributeValue, error) {
	d := NewDecoder(data, Options{NoArena: true})
	defer d.Release()
	item, err := d.itemMap()
	if err != nil {
		return nil, err
	}
	return item, d.End()
}

// ParseAttributeValue converts one attribute value in wire form, the whole of data, to the SDK's form.
func ParseAttributeValue(data []byte) (types.AttributeValue, error) {
	d := NewDecoder(data, Options{NoArena: true})
	defer d.Release()
	av, err := d.attributeValue()
	if err != nil {
		return nil, err
	}
	return av, d.End()
}

// AppendItemMap appends an item in wire form. Its attributes, and those of nested maps, are in the order of their names, so equal
// items result in equal bytes.
func AppendItemMap(b []byte, item map[string]types.AttributeValue) ([]byte, error) {
	out, err := appendMap(b, item, -1)
	if err != nil {
		return b, err
	}
	return out, nil
}

// AppendAttributeValue appends one attribute value in wire form. It rejects a nil value, a nil typed pointer and a member type
// that the SDK did not define. What DynamoDB itself would reject (empty sets, malformed numbers) is passed on. If it fails, b is
// returned unchanged.
func AppendAttributeValue(b []byte, av types.AttributeValue) ([]byte, error) {
	out, err := appendAV(b, av, 0)
	if err != nil {
		return b, err
	}
	return out, nil
}

func (d *Decoder) itemMap() (map[string]types.AttributeValue, error) {
	m, err := map[string]types.AttributeValue{}, d.takes(mapHeader)
	if err != nil {
		return nil, err
	}
	err = d.Object(func(k []byte) error {
		name := d.keep(k)
		if _, dup := m[name]; dup {
			return d.fail("each attribute name once")
		}
		var err error
		if m, err = withRoom(d, m); err != nil {
			return err
		}
		av, err := d.attributeValue()
		m[name] = av
		return err
	})
	return m, err
}

func (d *Decoder) attributeValue() (types.AttributeValue, error) {
	k, err := d.kind()
	if err != nil {
		return nil, err
	}
	av, err := d.payload(k)
	if err != nil {
		return nil, err
	}
	return av, d.close()
}

// payload reads the value after the type descriptor.
func (d *Decoder) payload(k Kind) (types.AttributeValue, error) {
	if err := d.takes(24); err != nil {
		return nil, err
	}
	switch k {
	case S:
		s, err := d.String()
		return &types.AttributeValueMemberS{Value: s}, err
	case N:
		s, err := d.String()
		return &types.AttributeValueMemberN{Value: s}, err
	case B:
		p, err := d.bytes()
		return &types.AttributeValueMemberB{Value: p}, err
	case BOOL:
		v, err := d.boolean()
		return &types.AttributeValueMemberBOOL{Value: v}, err
	case NULL:
		v, err := d.boolean()
		return &types.AttributeValueMemberNULL{Value: v}, err
	case M:
		m, err := d.itemMap()
		return &types.AttributeValueMemberM{Value: m}, err
	case L:
		l, err := roomFor[types.AttributeValue](d)
		if err != nil {
			return nil, err
		}
		err = d.Array(func() error {
			if err := listed(d, l); err != nil {
				return err
			}
			av, err := d.attributeValue()
			l = append(l, av)
			return err
		})
		return &types.AttributeValueMemberL{Value: l}, err
	case SS:
		l, err := d.stringList()
		return &types.AttributeValueMemberSS{Value: l}, err
	case NS:
		l, err := d.stringList()
		return &types.AttributeValueMemberNS{Value: l}, err
	default:
		n, err := d.distinct()
		if err == nil {
			err = d.takes(32 * n)
		}
		if err != nil {
			return nil, err
		}
		l := make([][]byte, 0, n)
		err = d.Array(func() error {
			p, err := d.bytes()
			l = append(l, p)
			return err
		})
		return &types.AttributeValueMemberBS{Value: l}, err
	}
}

// stringList reads the members of a set.
func (d *Decoder) stringList() ([]string, error) {
	members, plain, err := d.setMembers()
	if err == nil {
		err = d.takes(24 + 32*len(members))
	}
	if err != nil {
		return nil, err
	}
	l := make([]string, 0, len(members))
	if plain {
		for _, m := range members {
			l = append(l, d.keep(d.at(m)))
		}
		return l, nil
	}
	err = d.Array(func() error {
		s, err := d.String()
		l = append(l, s)
		return err
	})
	return l, err
}

// appendMap writes the entries of a map at nesting level depth, which is -1 for an item.
func appendMap(b []byte, m map[string]types.AttributeValue, depth int) ([]byte, error) {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendString(b, name); err != nil {
			return b, unfit(nil, "an attribute name is not valid UTF-8")
		}
		b = append(b, ':')
		if b, err = appendAV(b, m[name], depth+1); err != nil {
			if depth >= 0 { // keys of nested maps are data
				return b, underKey(err)
			}
			return b, under(name, err)
		}
	}
	return append(b, '}'), nil
}

func appendAV(b []byte, av types.AttributeValue, depth int) (_ []byte, err error) {
	if depth > maxLevels {
		return b, unfit(nil, tooDeep)
	}
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		if v != nil {
			b, err = appendString(append(b, `{"S":`...), v.Value)
			return append(b, '}'), err
		}
	case *types.AttributeValueMemberN:
		if v != nil {
			b, err = appendString(append(b, `{"N":`...), v.Value)
			return append(b, '}'), err
		}
	case *types.AttributeValueMemberB:
		if v != nil {
			return append(appendBinary(append(b, `{"B":`...), v.Value), '}'), nil
		}
	case *types.AttributeValueMemberBOOL:
		if v != nil {
			return appendBool(b, v.Value), nil
		}
	case *types.AttributeValueMemberNULL:
		if v != nil && v.Value {
			return append(b, nullValue...), nil
		}
		if v != nil {
			return append(b, `{"NULL":false}`...), nil
		}
	case *types.AttributeValueMemberM:
		if v != nil {
			b, err = appendMap(append(b, `{"M":`...), v.Value, depth)
			return append(b, '}'), err
		}
	case *types.AttributeValueMemberL:
		if v != nil {
			return appendSeq(append(b, `{"L":`...), v.Value, func(b []byte, e types.AttributeValue) ([]byte, error) {
				return appendAV(b, e, depth+1)
			})
		}
	case *types.AttributeValueMemberSS:
		if v != nil {
			return appendSeq(append(b, `{"SS":`...), v.Value, appendString)
		}
	case *types.AttributeValueMemberNS:
		if v != nil {
			return appendSeq(append(b, `{"NS":`...), v.Value, appendString)
		}
	case *types.AttributeValueMemberBS:
		if v != nil {
			return appendSeq(append(b, `{"BS":`...), v.Value, func(b []byte, e []byte) ([]byte, error) {
				return appendBinary(b, e), nil
			})
		}
	}
	return b, unfit(nil, fmt.Sprintf("a %T is no attribute value that the service knows, or nil", av))
}

// appendSeq completes a list or set whose type descriptor is written.
func appendSeq[E any](b []byte, list []E, one func([]byte, E) ([]byte, error)) ([]byte, error) {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = one(b, e); err != nil {
			return b, underIndex(i, err)
		}
	}
	return append(b, `]}`...), nil
}

const nullValue = `{"NULL":true}`

func appendString(b []byte, s string) ([]byte, error) {
	b, ok := appendText(b, s)
	if !ok {
		return b, unfit(nil, notText)
	}
	return b, nil
}

func appendBinary(b, p []byte) []byte {
	return append(append64(append(b, '"'), p), '"')
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, `{"BOOL":true}`...)
	}
	return append(b, `{"BOOL":false}`...)
}
