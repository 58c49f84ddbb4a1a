// SPDX-License-Identifier: Apache-2.0

package handles

import (
	"cmp"
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// field is a stored field of a struct, promoted ones included.
type field struct {
	tag    fieldTag
	attr   string   // attribute name
	goPath []string // the fields that lead to it
	index  []int    // the same, as indexes
	typ    types.Type
	pos    token.Pos
	owner  *types.Struct // the struct that declares it
}

// flattened returns the stored fields of a struct by the rules of the library's codec: fields of embedded structs without a name
// of their own are promoted, a shallower field hides deeper ones, and at one depth a tagged name hides an untagged one. Fields
// that cannot be stored are reported.
func flattened(s *types.Struct, problem func(token.Pos, string)) []field {
	type embedded struct {
		of     *types.Struct
		goPath []string
		index  []int
		chain  []*types.Struct
	}
	var all []field
	claimed := map[string]bool{}
	for level := []embedded{{of: s}}; len(level) > 0; {
		var next []embedded
		var names []string
		found := map[string][]field{}
		for _, e := range level {
			for i := range e.of.NumFields() {
				v := e.of.Field(i)
				f, inner := examine(v, e.of.Tag(i), problem)
				if f == nil {
					continue
				}
				f.goPath, f.index, f.owner = append(slices.Clone(e.goPath), v.Name()), append(slices.Clone(e.index), i), e.of
				if inner == nil {
					if found[f.attr] == nil {
						names = append(names, f.attr)
					}
					found[f.attr] = append(found[f.attr], *f)
					continue
				}
				chain := append(slices.Clone(e.chain), e.of)
				if slices.ContainsFunc(chain, func(s *types.Struct) bool { return types.Identical(s, inner) }) {
					problem(f.pos, fmt.Sprintf("field %s embeds a struct within itself; give the field a name or tag it \"-\"", v.Name()))
					continue
				}
				next = append(next, embedded{inner, f.goPath, f.index, chain})
			}
		}
		for _, name := range names {
			if !claimed[name] {
				claimed[name] = true
				all = append(all, dominant(found[name], problem))
			}
		}
		level = next
	}
	slices.SortStableFunc(all, func(a, b field) int { return slices.Compare(a.index, b.index) })
	return all
}

// examine examines one field. The result is nil if the field is not stored; inner is the struct whose fields it promotes.
func examine(v *types.Var, text string, problem func(token.Pos, string)) (f *field, inner *types.Struct) {
	tag, wrong := parseTag(text)
	switch {
	case tag.ignore || v.Name() == "_":
		return nil, nil
	case malformed(text):
		problem(v.Pos(), fmt.Sprintf("field %s: the struct tag cannot be read, since its value is not in quotes; write `dynamodbav:\"name\"`", v.Name()))
		return nil, nil
	case !v.Exported() && !v.Embedded():
		if tagged(text) {
			problem(v.Pos(), fmt.Sprintf("field %s: an unexported field cannot be stored; export it, or drop its tag", v.Name()))
		}
		return nil, nil
	case wrong != "":
		problem(v.Pos(), fmt.Sprintf("field %s: %s", v.Name(), wrong))
	}
	f = &field{tag: tag, attr: cmp.Or(tag.name, v.Name()), typ: v.Type(), pos: v.Pos()}
	base := v.Type()
	pointer, isPointer := types.Unalias(base).(*types.Pointer)
	if isPointer {
		base = pointer.Elem()
	}
	s, isStruct := base.Underlying().(*types.Struct)
	promote := v.Embedded() && tag.name == "" && !tag.unknown && isStruct
	if !v.Exported() {
		switch {
		case !isStruct:
			return nil, nil
		case !promote:
			problem(v.Pos(), fmt.Sprintf("field %s: an embedded unexported struct cannot have a name of its own; export the type or drop the name", v.Name()))
			return nil, nil
		case isPointer:
			problem(v.Pos(), fmt.Sprintf("field %s: an embedded pointer to an unexported struct cannot be filled when decoding; embed the struct itself or export it", v.Name()))
			return nil, nil
		}
	}
	if !promote {
		return f, nil
	}
	if isTime(base) || isTextOnly(base) {
		problem(v.Pos(), fmt.Sprintf("field %s: it is stored as one value; give it a name in its tag, or tag it \"-\"", v.Name()))
		return nil, nil
	}
	return f, s
}

// dominant returns the field that an attribute name refers to, among those at one depth.
func dominant(list []field, problem func(token.Pos, string)) field {
	if len(list) == 1 {
		return list[0]
	}
	named := slices.DeleteFunc(slices.Clone(list), func(f field) bool { return f.tag.name == "" })
	sameStruct := slices.ContainsFunc(list[1:], func(f field) bool { return f.owner == list[0].owner })
	if len(named) == 1 && !sameStruct {
		return named[0]
	}
	for _, f := range list[1:] {
		problem(f.pos, fmt.Sprintf("attribute name %q of field %s is taken by field %s; rename one or tag it \"-\"",
			f.attr, strings.Join(f.goPath, "."), strings.Join(list[0].goPath, ".")))
	}
	return list[0]
}
