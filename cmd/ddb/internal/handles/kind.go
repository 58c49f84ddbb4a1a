// SPDX-License-Identifier: Apache-2.0

package handles

import "go/types"

// kind is the way in which a field gets its handle.
type kind struct {
	maker  string        // the function of package ddb; empty if the field can have no handle
	nested *types.Struct // fields of the struct have handles of their own
	wrong  string        // why the field cannot be stored
}

const awsAttributeValue = "github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

// kindOf selects the handle of a field. docs/codec.md describes how types are stored.
func kindOf(t types.Type, tag fieldTag) kind { return kindAt(t, tag, maxLevels) }

// maxLevels limits how deep recursive types are followed.
const maxLevels = 16

func kindAt(t types.Type, tag fieldTag, levels int) kind {
	if levels == 0 {
		return kind{maker: "Field"}
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		k := kindAt(p.Elem(), tag, levels-1)
		if k.wrong == "" && k.maker != "" {
			k.maker = "Field" // a nil pointer can also be set and compared
		}
		return k
	}
	_, isNamed := types.Unalias(t).(*types.Named)
	switch {
	case hasMethod(t, "MarshalDynamoDBAttributeValue") && !isType(t, awsAttributeValue, "UnixTime"):
		return kind{maker: "Field"}
	case isType(t, "time", "Time"):
		return kind{maker: "TimeField"}
	case isTime(t), isBigNumber(t), isNumberText(t):
		return kind{maker: "OrdField"}
	case isTextOnly(t), tag.text && hasMethod(t, "MarshalText") && hasMethod(t, "UnmarshalText"):
		return kind{maker: "OrdField"}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return kindOfBasic(u, tag)
	case *types.Slice:
		switch {
		case isByte(u.Elem()) && types.Identical(u.Elem(), types.Typ[types.Byte]):
			return kind{maker: "BinField"}
		case isByte(u.Elem()):
			return kind{maker: "OrdField"}
		case isNamed:
			return elements(kind{maker: "Field"}, u.Elem(), tag, levels)
		case tag.set, types.Identical(t, types.NewSlice(types.NewSlice(types.Typ[types.Byte]))):
			return elements(kind{maker: "SetField"}, u.Elem(), tag, levels)
		}
		return elements(kind{maker: "ListField"}, u.Elem(), tag, levels)
	case *types.Array:
		switch {
		case u.Len() == 0:
			return kind{}
		case isByte(u.Elem()):
			return kind{maker: "OrdField"}
		}
		return elements(kind{maker: "Field"}, u.Elem(), tag, levels)
	case *types.Map:
		if tag.set {
			if s, ok := u.Elem().Underlying().(*types.Struct); ok && s.NumFields() == 0 && types.Identical(u.Elem(), s) && !isNamed {
				return kind{maker: "MapSetField"}
			}
			return kind{maker: "Field"}
		}
		key, text := u.Key().Underlying().(*types.Basic)
		if isNamed || !text || key.Info()&types.IsString == 0 {
			return elements(kind{maker: "Field"}, u.Elem(), tag, levels)
		}
		return elements(kind{maker: "MapField"}, u.Elem(), tag, levels)
	case *types.Struct:
		if sizeless(u) {
			return kind{} // its address is its neighbour's
		}
		if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == library+"/revision" {
			return kind{maker: "Field"} // what is in a revision is the library's
		}
		return kind{maker: "Field", nested: u}
	case *types.Interface:
		if u.NumMethods() > 0 && !isType(t, "github.com/aws/aws-sdk-go-v2/service/dynamodb/types", "AttributeValue") {
			return kind{wrong: "an interface with methods could be written and never read; use a type that can be stored, or tag the field \"-\""}
		}
		return kind{maker: "Field"}
	}
	return kind{wrong: "DynamoDB has no such type; tag the field \"-\" to leave it out"}
}

// elements returns k, unless elements of the type cannot be stored.
func elements(k kind, elem types.Type, tag fieldTag, levels int) kind {
	if k.wrong = kindAt(elem, fieldTag{text: tag.text}, levels-1).wrong; k.wrong != "" {
		k.maker = ""
	}
	return k
}

func kindOfBasic(b *types.Basic, tag fieldTag) kind {
	switch {
	case b.Kind() == types.Uintptr || b.Kind() == types.UnsafePointer || b.Info()&types.IsComplex != 0:
		return kind{wrong: "DynamoDB has no such type; tag the field \"-\" to leave it out"}
	case b.Info()&types.IsString != 0:
		return kind{maker: "StrField"}
	case b.Info()&types.IsNumeric != 0 && !tag.asString:
		return kind{maker: "NumField"}
	}
	return kind{maker: "Field"} // a bool, or a number as text, which does not sort like the number
}

func isType(t types.Type, path, name string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == path
}

// isTime reports whether a type is time.Time or is made from it.
func isTime(t types.Type) bool {
	if isType(t, "time", "Time") {
		return true
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok || s.NumFields() != 3 {
		return false
	}
	for i, name := range []string{"wall", "ext", "loc"} {
		if f := s.Field(i); f.Name() != name || f.Pkg() == nil || f.Pkg().Path() != "time" {
			return false
		}
	}
	return true
}

func isBigNumber(t types.Type) bool {
	return isType(t, "math/big", "Int") || isType(t, "math/big", "Float")
}

// isNumberText reports whether a type is a text type that holds a number, such as json.Number.
func isNumberText(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	if !ok || b.Info()&types.IsString == 0 {
		return false
	}
	methods := types.NewMethodSet(t)
	for _, name := range []string{"Float64", "Int64", "String"} {
		if methods.Lookup(nil, name) == nil {
			return false
		}
	}
	return true
}

// isTextOnly reports whether a type is a struct that is stored as text: it has text methods, and no field to store.
func isTextOnly(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	if !ok || !hasMethod(t, "MarshalText") || !hasMethod(t, "UnmarshalText") {
		return false
	}
	return !hasStored(s, 8)
}

// hasStored reports whether a struct or those that it embeds have an exported field.
func hasStored(s *types.Struct, levels int) bool {
	for i := range s.NumFields() {
		f := s.Field(i)
		tag, _ := parseTag(s.Tag(i))
		if f.Exported() && !f.Embedded() && !tag.ignore {
			return true
		}
		t := f.Type()
		if p, ok := types.Unalias(t).(*types.Pointer); ok {
			t = p.Elem()
		}
		if inner, ok := t.Underlying().(*types.Struct); ok && f.Embedded() && levels > 0 && hasStored(inner, levels-1) {
			return true
		}
	}
	return false
}

// hasMethod reports whether a variable of the type has a method.
func hasMethod(t types.Type, name string) bool {
	if _, isInterface := t.Underlying().(*types.Interface); isInterface {
		return false
	}
	if n, ok := types.Unalias(t).(*types.Named); !ok || n.Obj() == nil {
		if _, isStruct := t.Underlying().(*types.Struct); !isStruct {
			return false
		}
	}
	return types.NewMethodSet(types.NewPointer(t)).Lookup(nil, name) != nil
}

func isByte(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Byte
}

// sizeless reports whether values of a type use no memory.
func sizeless(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if !sizeless(f.Type()) {
				return false
			}
		}
		return true
	case *types.Array:
		return u.Len() == 0 || sizeless(u.Elem())
	}
	return false
}

// invalid reports whether a type contains an error.
func invalid(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch u := types.Unalias(t).(type) {
	case *types.Basic:
		return u.Kind() == types.Invalid
	case *types.Pointer:
		return invalid(u.Elem(), seen)
	case *types.Slice:
		return invalid(u.Elem(), seen)
	case *types.Array:
		return invalid(u.Elem(), seen)
	case *types.Map:
		return invalid(u.Key(), seen) || invalid(u.Elem(), seen)
	case *types.Named:
		return invalid(u.Underlying(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if invalid(f.Type(), seen) {
				return true
			}
		}
	}
	return false
}
