// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// maxPathDepth is the number of elements that a document path may have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxPathDepth = 32

// maxIndex is the largest list index that an expression may name.
const maxIndex = 1<<32 - 2

// element is one step of a document path: the name of a map entry, or the
// index of a list element.
type element struct {
	name    string
	index   int
	isIndex bool
}

// Path is a document path whose placeholders are resolved.
type Path []element

// String returns the path as the service's messages show it: [a, b, [1]].
func (p Path) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, e := range p {
		if i > 0 {
			b.WriteString(", ")
		}
		if e.isIndex {
			b.WriteString("[" + strconv.Itoa(e.index) + "]")
		} else {
			b.WriteString(e.name)
		}
	}
	b.WriteByte(']')
	return b.String()
}

// Attribute returns the top-level attribute that the path begins with.
func (p Path) Attribute() string { return p[0].name }

// Nested reports whether the path leads into a list or map.
func (p Path) Nested() bool { return len(p) > 1 }

// lookup returns the value at the path, or nil.
func (p Path) lookup(item value.Item) value.Value {
	v := item[p[0].name]
	for _, e := range p[1:] {
		switch w := v.(type) {
		case value.Map:
			if e.isIndex {
				return nil
			}
			v = w[e.name]
		case value.List:
			if !e.isIndex || e.index >= len(w) {
				return nil
			}
			v = w[e.index]
		default:
			return nil
		}
	}
	return v
}

// relation is the relation between two paths.
type relation uint8

const (
	separate relation = iota
	overlapping
	conflicting
)

// relate reports whether one path is the other or leads to it, or whether the
// two need different types in the same place.
func relate(p, q Path) relation {
	for i := range min(len(p), len(q)) {
		switch {
		case p[i] == q[i]:
		case p[i].isIndex != q[i].isIndex:
			return conflicting
		default:
			return separate
		}
	}
	return overlapping
}

// pathConflict returns the message for two of the paths that overlap or, if none do,
// two that conflict. It returns an empty string if all are separate.
func pathConflict(paths []Path) string {
	for _, bad := range []struct {
		relation
		verb string
	}{{overlapping, "overlap"}, {conflicting, "conflict"}} {
		for j, q := range paths {
			for _, p := range paths[:j] {
				if relate(p, q) == bad.relation {
					return "Two document paths " + bad.verb + " with each other; must remove or rewrite one of these paths; path one: " +
						p.String() + ", path two: " + q.String()
				}
			}
		}
	}
	return ""
}

// attributes returns the first elements of paths, each once.
func attributes(paths []Path) []string {
	var names []string
	seen := make(map[string]struct{}, len(paths))
	for _, p := range paths {
		if _, ok := seen[p[0].name]; !ok {
			seen[p[0].name] = struct{}{}
			names = append(names, p[0].name)
		}
	}
	return names
}
