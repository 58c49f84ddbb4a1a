// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

// memberState is what is known about a member of a derived attribute during an update.
type memberState struct {
	name    string
	value   types.AttributeValue // after the update, nil for none
	known   bool                 // the value is
	changed bool                 // the update may change it
}

// updateState describes the effect of an update on members.
type updateState struct {
	key    map[string]types.AttributeValue
	update *expr.Update
	proven []fact
	states map[*handle.Handle]memberState
}

// fact is a value that a condition requires in the stored item.
type fact struct {
	path expr.Path
	av   types.AttributeValue // nil for none
}

// factsOf returns the values that a condition requires: those of all its comparisons for equality that must be true.
func factsOf(n expr.Node) []fact {
	switch n := n.(type) {
	case expr.Logic:
		if n.Op != "AND" {
			return nil
		}
		var all []fact
		for _, term := range n.Terms {
			all = append(all, factsOf(term)...)
		}
		return all
	case expr.Compare:
		path, isPath := n.Left.(expr.Path)
		v, isValue := n.Right.(expr.Value)
		if n.Op == "=" && isPath && isValue {
			return []fact{{path, v.AV}}
		}
	case expr.Call:
		if n.Name == "attribute_not_exists" && len(n.Args) == 1 {
			if path, ok := n.Args[0].(expr.Path); ok {
				return []fact{{path, nil}}
			}
		}
	}
	return nil
}

// at returns what the fact says about a path.
func (f fact) at(path expr.Path) (av types.AttributeValue, known bool) {
	if len(f.path) > len(path) || !f.path.Overlaps(path) {
		return nil, false
	}
	rest := path[len(f.path):]
	if len(rest) == 0 || f.av == nil {
		return f.av, true
	}
	if m, ok := f.av.(*types.AttributeValueMemberM); ok {
		return valueAt(m.Value, rest), true
	}
	return nil, true
}

func (s *updateState) of(m *handle.Handle) memberState {
	if have, ok := s.states[m]; ok {
		return have
	}
	state := memberState{name: m.Path().String()}
	var before types.AttributeValue
	proven := false
	for _, f := range s.proven {
		if av, known := f.at(m.Path()); known {
			before, proven = av, true
		}
	}
	state.changed = slices.ContainsFunc(s.update.Paths(), func(p expr.Path) bool { return p.Overlaps(m.Path()) })
	state.value, state.known = givenBy(s.key, s.update, m.Path())
	if !state.known && !state.changed && proven {
		state.value, state.known = before, true
	}
	if state.changed && state.known && proven && reflect.DeepEqual(before, state.value) {
		state.changed = false // it is set to what it is
	}
	s.states[m] = state
	return state
}

// closure returns everything that an update must set if it sets the missing members, since each of them may be a member of
// other derived attributes too. It is nil if the errors before have already named everything.
func (s *updateState) closure(derived []*derivation, wanted []string) error {
	if len(wanted) == 0 {
		return nil
	}
	all := slices.Clone(wanted)
	for grown := true; grown; {
		grown = false
		for _, d := range derived {
			if !slices.ContainsFunc(d.members, func(m *handle.Handle) bool { return slices.Contains(all, m.Path().String()) }) {
				continue
			}
			for _, m := range d.members {
				if state := s.of(m); !state.known && !slices.Contains(all, state.name) {
					all, grown = append(all, state.name), true
				}
			}
		}
	}
	if further := all[len(wanted):]; len(further) > 0 {
		return fmt.Errorf("setting %s changes members of other derived attributes, so that the update must give %s in all; what a condition proves needs no other member",
			strings.Join(wanted, ", "), strings.Join(all, ", "))
	}
	return nil
}

func appendNew(list []string, names ...string) []string {
	for _, n := range names {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// deriveUpdate adds the derived attributes to an update of the item with the key, under a condition.
func (c *Table) deriveUpdate(key map[string]types.AttributeValue, u *expr.Update, cond expr.Node, present bool) error {
	s := &updateState{key: key, update: u, proven: factsOf(cond), states: map[*handle.Handle]memberState{}}
	// A proven value means that there is an item.
	present = present || slices.ContainsFunc(s.proven, func(f fact) bool { return f.av != nil })
	var (
		errs   []error
		wanted []string // by what is refused
		more   expr.Update
	)
	for _, d := range c.derived {
		members := map[string]types.AttributeValue{}
		var changed, absent []string
		for _, m := range d.members {
			state := s.of(m)
			if state.changed {
				changed = append(changed, state.name)
			}
			if !state.known {
				absent = append(absent, state.name)
			}
			if state.value != nil {
				place(members, m.Path(), state.value)
			}
		}
		if len(changed) == 0 && present {
			continue
		}
		if len(changed) > 0 && len(absent) > 0 {
			errs = append(errs, fmt.Errorf("attribute %s is derived from %s: the update changes %s and must give %s too, by Set or Remove, "+
				"or prove it by a condition such as ddb.If(attr.Eq(value)), or it would become stale",
				d.target.Path(), d.memberNames(), strings.Join(changed, ", "), strings.Join(absent, ", ")))
			wanted = appendNew(wanted, absent...)
			continue
		}
		// An Upsert without the members may create an item that has only those in its key.
		av, err := c.computeFrom(d, members)
		switch {
		case err != nil:
			errs = append(errs, err)
		case av != nil && len(absent) > 0:
			errs = append(errs, fmt.Errorf("attribute %s is derived from %s and belongs to an item without them: an Upsert, which may make one, must give %s, by Set or Remove",
				d.target.Path(), d.memberNames(), strings.Join(absent, ", ")))
			wanted = appendNew(wanted, absent...)
		case av != nil:
			more.Set = append(more.Set, expr.Action{Path: d.target.Path(), Right: expr.Value{AV: av}})
		case len(changed) > 0:
			more.Remove = append(more.Remove, expr.Action{Path: d.target.Path()})
		}
	}
	u.Set, u.Remove = append(u.Set, more.Set...), append(u.Remove, more.Remove...)
	return errors.Join(append(errs, s.closure(c.derived, wanted))...)
}
