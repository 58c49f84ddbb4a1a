// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// tree holds the paths of a projection or an update by their common
// beginnings. A leaf has no branches.
type tree struct {
	action   *action // what to do at a leaf of an update
	branches []branch
}

// branch is the subtree of a map entry or list element. The entries of one
// map are in the order of the text, the elements of one list in that of their
// indexes.
type branch struct {
	element
	*tree
}

// add puts a path into the tree and returns its leaf. The paths of one tree
// neither overlap nor conflict.
func (t *tree) add(path Path) *tree {
	for _, e := range path {
		i := slices.IndexFunc(t.branches, func(b branch) bool { return b.element == e })
		if i < 0 {
			i = len(t.branches)
			if e.isIndex {
				i, _ = slices.BinarySearchFunc(t.branches, e.index, func(b branch, index int) int { return b.index - index })
			}
			t.branches = slices.Insert(t.branches, i, branch{e, &tree{}})
		}
		t = t.branches[i].tree
	}
	return t
}

// project returns the parts of v that the tree names, or nil if there are none.
func (t *tree) project(v value.Value) value.Value {
	if len(t.branches) == 0 {
		return v
	}
	switch v := v.(type) {
	case value.Map:
		if part := t.projectMap(v); len(part) > 0 {
			return value.Map(part)
		}
	case value.List:
		var part value.List
		for _, b := range t.branches {
			if b.isIndex && b.index < len(v) {
				if e := b.project(v[b.index]); e != nil {
					part = append(part, e)
				}
			}
		}
		if len(part) > 0 {
			return part
		}
	}
	return nil
}

func (t *tree) projectMap(m map[string]value.Value) map[string]value.Value {
	part := make(map[string]value.Value, len(t.branches))
	for _, b := range t.branches {
		if b.isIndex {
			continue
		}
		if w, ok := m[b.name]; ok {
			if e := b.project(w); e != nil {
				part[b.name] = e
			}
		}
	}
	return part
}
