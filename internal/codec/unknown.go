// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

// unknown is the field that keeps attributes for which the struct has no field (tag option unknown) and writes them back.
type unknown struct {
	at  location
	raw bool // json.RawMessage in wire form, else types.AttributeValue
}

var (
	valueMapType = reflect.TypeFor[map[string]types.AttributeValue]()
	rawMapType   = reflect.TypeFor[map[string]json.RawMessage]()
)

func (c *compiler) unknown(p *Plan, m member, at location) {
	switch {
	case m.tag.name != "":
		c.problem(gotype.Reflect(p.typ), m.goPath, m.name, "the field of unknown attributes has no name of its own; write `dynamodbav:\",unknown\"`")
	case m.typ != valueMapType && m.typ != rawMapType:
		c.problem(gotype.Reflect(p.typ), m.goPath, "", "unknown attributes need a map[string]types.AttributeValue or a map[string]json.RawMessage")
	case p.rest != nil:
		c.problem(gotype.Reflect(p.typ), m.goPath, "", "a second field of unknown attributes")
	default:
		p.rest = &unknown{at: at, raw: m.typ == rawMapType}
	}
}

func (u *unknown) clear(r ref) {
	fr, ok := u.at.find(r)
	switch {
	case !ok:
	case u.raw:
		*as[map[string]json.RawMessage](fr) = nil
	default:
		*as[map[string]types.AttributeValue](fr) = nil
	}
}

func (u *unknown) decode(d *Decoder, name string, r ref) error {
	fr := u.at.reach(r)
	if u.raw {
		m := as[map[string]json.RawMessage](fr)
		if *m == nil {
			*m = map[string]json.RawMessage{}
		}
		if _, dup := (*m)[name]; dup {
			return d.fail("each attribute name once")
		}
		d.Peek()
		from := d.i
		if _, err := d.size(); err != nil {
			return err
		}
		(*m)[name] = slices.Clone(d.b[from:d.i])
		return nil
	}
	m := as[map[string]types.AttributeValue](fr)
	if *m == nil {
		*m = map[string]types.AttributeValue{}
	}
	if _, dup := (*m)[name]; dup {
		return d.fail("each attribute name once")
	}
	av, err := d.attributeValue()
	(*m)[name] = av
	return err
}

// encode writes the kept attributes after those of the plan.
func (u *unknown) encode(e *encoder, b []byte, r ref, first bool, p *Plan) ([]byte, error) {
	fr, ok := u.at.find(r)
	if !ok {
		return b, nil
	}
	var names []string
	if u.raw {
		names = slices.Sorted(maps.Keys(*as[map[string]json.RawMessage](fr)))
	} else {
		names = slices.Sorted(maps.Keys(*as[map[string]types.AttributeValue](fr)))
	}
	for _, name := range names {
		if _, known := p.byName[name]; known {
			return b, under(name, unfit(nil, "an unknown attribute has the name of a field"))
		}
		if name == "" {
			return b, unfit(nil, emptyName)
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		var ok bool
		if b, ok = appendText(b, name); !ok {
			return b, unfit(nil, badName)
		}
		b = append(b, ':')
		var err error
		if u.raw {
			raw := (*as[map[string]json.RawMessage](fr))[name]
			if err = checkValue(raw); err != nil {
				return b, under(name, &Error{Err: err, Reason: "kept bytes are no attribute value in wire form: " + err.Error()})
			}
			b = append(b, raw...)
		} else if b, err = appendAV(b, (*as[map[string]types.AttributeValue](fr))[name], e.depth); err != nil {
			return b, under(name, err)
		}
	}
	return b, nil
}

// checkValue reports whether data is one attribute value in wire form.
func checkValue(data []byte) error {
	d := NewDecoder(data, Options{})
	defer d.Release()
	if _, err := d.size(); err != nil {
		return err
	}
	return d.End()
}
