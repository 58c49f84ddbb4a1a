// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"maps"
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// edit applies the actions of one update.
type edit struct {
	exists bool // whether the item existed before
	values map[*action]value.Value
}

// entries changes the entries of m, which must not be shared. level is their
// level of nesting.
func (e *edit) entries(t *tree, m map[string]value.Value, level int) error {
	for _, b := range t.branches {
		v, err := e.change(b.tree, m[b.name], level)
		if err != nil {
			return err
		}
		if v == nil {
			delete(m, b.name)
		} else {
			m[b.name] = v
		}
	}
	return nil
}

// elements returns the list after its changes. The indexes are those of the
// old list; elements beyond its end are appended in order of their indexes.
func (e *edit) elements(t *tree, old value.List, level int) (value.List, error) {
	list := slices.Clone(old)
	removed := false
	for _, b := range t.branches {
		var v value.Value
		if b.index < len(old) {
			v = old[b.index]
		}
		v, err := e.change(b.tree, v, level)
		if err != nil {
			return nil, err
		}
		switch {
		case b.index < len(old):
			list[b.index] = v
			removed = removed || v == nil
		case v != nil:
			list = append(list, v)
		}
	}
	if removed {
		list = slices.DeleteFunc(list, func(v value.Value) bool { return v == nil })
	}
	return list, nil
}

// change returns the new value for old, which is nil if it does not exist. The
// result is nil if it does not exist afterwards.
func (e *edit) change(t *tree, old value.Value, level int) (value.Value, error) {
	if t.action != nil {
		v, err := e.act(t.action, old)
		if err == nil && v != nil && level-1+value.Depth(v) > value.MaxDepth {
			return nil, value.ErrNesting
		}
		return v, err
	}
	byIndex := t.branches[0].isIndex
	switch v := old.(type) {
	case value.Map:
		if !byIndex {
			m := maps.Clone(v)
			return m, e.entries(t, m, level+1)
		}
	case value.List:
		if byIndex {
			return e.elements(t, v, level+1)
		}
	case nil:
		if !e.exists && onlyRemoves(t) {
			return nil, nil
		}
	}
	return nil, errPath
}

// onlyRemoves reports whether the tree adds nothing. An item that does not exist
// accepts such changes at any path.
func onlyRemoves(t *tree) bool {
	if t.action != nil {
		return t.action.clause == "REMOVE" || t.action.clause == "DELETE"
	}
	return !slices.ContainsFunc(t.branches, func(b branch) bool { return !onlyRemoves(b.tree) })
}

func (e *edit) act(a *action, old value.Value) (value.Value, error) {
	switch a.clause {
	case "SET":
		return e.values[a], nil
	case "ADD":
		return addTo(old, a.value.(*valueNode).value)
	case "DELETE":
		return deleteFrom(old, a.value.(*valueNode).value)
	default:
		return nil, nil
	}
}

// addTo adds a number or the members of a set.
func addTo(old, v value.Value) (value.Value, error) {
	switch old := old.(type) {
	case nil:
		return v, nil
	case value.Number:
		if v, ok := v.(value.Number); ok {
			return number(old.Add(v))
		}
	case value.StringSet:
		if v, ok := v.(value.StringSet); ok {
			return union(old, v), nil
		}
	case value.NumberSet:
		if v, ok := v.(value.NumberSet); ok {
			return union(old, v), nil
		}
	case value.BinarySet:
		if v, ok := v.(value.BinarySet); ok {
			return union(old, v), nil
		}
	}
	return nil, errOperand
}

// deleteFrom removes members from a set. An empty set is removed.
func deleteFrom(old, v value.Value) (value.Value, error) {
	switch old := old.(type) {
	case nil:
		return nil, nil
	case value.StringSet:
		if v, ok := v.(value.StringSet); ok {
			if rest := without(old, v); len(rest) > 0 {
				return rest, nil
			}
			return nil, nil
		}
	case value.NumberSet:
		if v, ok := v.(value.NumberSet); ok {
			if rest := without(old, v); len(rest) > 0 {
				return rest, nil
			}
			return nil, nil
		}
	case value.BinarySet:
		if v, ok := v.(value.BinarySet); ok {
			if rest := without(old, v); len(rest) > 0 {
				return rest, nil
			}
			return nil, nil
		}
	}
	return nil, errOperand
}

func union[S ~[]E, E comparable](a, b S) S {
	return append(slices.Clone(a), without(b, a)...)
}

// without returns the members of a that are not in b.
func without[S ~[]E, E comparable](a, b S) S {
	in := make(map[E]struct{}, len(b))
	for _, m := range b {
		in[m] = struct{}{}
	}
	var rest S
	for _, m := range a {
		if _, ok := in[m]; !ok {
			rest = append(rest, m)
		}
	}
	return rest
}
