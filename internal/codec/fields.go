// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
)

// member is a struct field before its type is compiled.
type member struct {
	tag    fieldTag
	name   string // attribute name
	goPath string
	index  []int
	typ    reflect.Type
	owner  reflect.Type // the struct that declares the field
}

// embedded is a struct whose members are promoted.
type embedded struct {
	typ    reflect.Type
	goPath string
	index  []int
	chain  []reflect.Type // the structs that contain it
}

// members returns the fields of a struct type with embedded structs flattened: fields of embedded structs without a name of their
// own are promoted, a shallower field hides deeper ones, and at one depth a tagged name hides an untagged one. Where
// attributevalue would silently drop fields (two fields with one name), members reports a problem.
func members(t reflect.Type, problem func(goPath, attr, text string)) []member {
	var all []member
	claimed := map[string]bool{}
	for level := []embedded{{typ: t}}; len(level) > 0; {
		var next []embedded
		found := map[string][]member{}
		var names []string
		for _, e := range level {
			for i := range e.typ.NumField() {
				m, inner := examine(e, i, problem)
				switch {
				case inner != nil:
					next = append(next, *inner)
				case m != nil:
					if found[m.name] == nil {
						names = append(names, m.name)
					}
					found[m.name] = append(found[m.name], *m)
				}
			}
		}
		for _, name := range names {
			if claimed[name] {
				continue
			}
			claimed[name] = true
			all = append(all, dominant(found[name], problem))
		}
		level = next
	}
	slices.SortStableFunc(all, func(a, b member) int { return slices.Compare(a.index, b.index) })
	return all
}

// examine classifies a field: it is a member, an embedded struct, or neither.
func examine(e embedded, i int, problem func(goPath, attr, text string)) (*member, *embedded) {
	sf := e.typ.Field(i)
	goPath := sf.Name
	if e.goPath != "" {
		goPath = e.goPath + "." + sf.Name
	}
	tag, problems := parseTag(sf.Tag)
	if tag.ignore {
		return nil, nil
	}
	if malformed(sf.Tag) {
		problem(goPath, sf.Name, "the struct tag cannot be read, since its value is not in quotes; write `dynamodbav:\"name\"`")
		return nil, nil
	}
	if !sf.IsExported() && !sf.Anonymous {
		if _, tagged := sf.Tag.Lookup(tagKey); tagged && sf.Name != "_" {
			problem(goPath, cmp.Or(tag.name, sf.Name), "an unexported field cannot be stored; export it, or drop its tag")
		}
		return nil, nil
	}
	name := cmp.Or(tag.name, sf.Name)
	for _, p := range problems {
		problem(goPath, name, p)
	}
	index := append(slices.Clip(slices.Clone(e.index)), i)
	base := sf.Type
	if base.Name() == "" && base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	promote := sf.Anonymous && tag.name == "" && !tag.unknown && base.Kind() == reflect.Struct
	if !sf.IsExported() {
		switch {
		case base.Kind() != reflect.Struct:
			return nil, nil
		case !promote:
			problem(goPath, name, "an embedded unexported struct cannot have a name of its own; export the type or drop the name")
			return nil, nil
		case sf.Type.Kind() == reflect.Pointer:
			problem(goPath, name, "an embedded pointer to an unexported struct cannot be filled when decoding; embed the struct itself or export it")
			return nil, nil
		}
	}
	if !promote {
		return &member{tag: tag, name: name, goPath: goPath, index: index, typ: sf.Type, owner: e.typ}, nil
	}
	chain := append(slices.Clip(slices.Clone(e.chain)), e.typ)
	switch {
	case slices.Contains(chain, base):
		problem(goPath, name, fmt.Sprintf("embeds %s within itself; give the field a name or tag it \"-\"", base))
		return nil, nil
	case isTime(base) || isTextOnly(base):
		problem(goPath, name, fmt.Sprintf("embedded %s is stored as one value; give it a name in its tag, or tag it \"-\"", base))
		return nil, nil
	}
	return nil, &embedded{typ: base, goPath: goPath, index: index, chain: chain}
}

// dominant returns the member that a name refers to, among those at one depth.
func dominant(list []member, problem func(goPath, attr, text string)) member {
	tagged := slices.DeleteFunc(slices.Clone(list), func(m member) bool { return m.tag.name == "" })
	if len(list) == 1 {
		return list[0]
	}
	sameStruct := slices.ContainsFunc(list[1:], func(m member) bool { return m.owner == list[0].owner })
	if len(tagged) == 1 && !sameStruct {
		return tagged[0]
	}
	for _, m := range list[1:] {
		problem(m.goPath, m.name, fmt.Sprintf("attribute name %q is taken by field %s; rename one or tag it \"-\"", m.name, list[0].goPath))
	}
	return list[0]
}
