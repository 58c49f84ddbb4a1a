// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/partiql"
	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The conditions of a SELECT are distributed over every OR and IN that names a key
// attribute, so that each branch reads at most one partition and one range of
// the sort key.
//
// https://github.com/floci-io/floci/pull/3798 has measured this and the texts.

// branch is one alternative.
type branch struct {
	hashes, ranges []keyCondition
	filters        []partiql.Node
	partition      value.Value // set if the branch is on one partition
}

// keyCondition is a condition on a key attribute.
type keyCondition struct {
	term expression.KeyTerm
	node partiql.Node
}

func (b branch) and(o branch) branch {
	return branch{
		hashes:  slices.Concat(b.hashes, o.hashes),
		ranges:  slices.Concat(b.ranges, o.ranges),
		filters: slices.Concat(b.filters, o.filters),
	}
}

// branches distributes the conditions of a SELECT. It reports whether each branch is on one partition.
func (s *pageRead) branches(conditions []partiql.Node) ([]branch, bool) {
	spread := s.spreadAll(conditions)
	keyed := true
	for i := range spread {
		b := &spread[i]
		for _, c := range b.hashes {
			v := c.term.Values[0]
			if b.partition == nil {
				b.partition = v
			} else if !value.Equal(b.partition, v) {
				keyed = false
			}
		}
		keyed = keyed && b.partition != nil
	}
	return spread, keyed
}

// maxBranches limits the work for conditions that name keys in many combinations; the service accepts fewer.
const maxBranches = 10 * maxInPartitions

func (s *pageRead) spreadAll(conditions []partiql.Node) []branch {
	spread := []branch{{}}
	for _, n := range conditions {
		parts := s.spread(n)
		if len(spread)*len(parts) > maxBranches {
			parts = []branch{{filters: []partiql.Node{n}}}
		}
		var next []branch
		for _, b := range spread {
			for _, p := range parts {
				next = append(next, b.and(p))
			}
		}
		spread = next
	}
	return spread
}

func (s *pageRead) spread(n partiql.Node) []branch {
	whole := []branch{{filters: []partiql.Node{n}}}
	if in, ok := n.(*partiql.In); ok && len(in.List) > 1 {
		name, ok := partiql.Attribute(in.Operand)
		if !ok || !s.key.Has(name) || slices.ContainsFunc(in.List, func(m partiql.Node) bool { _, ok := m.(*partiql.Literal); return !ok }) {
			return whole
		}
		var parts []branch
		for _, m := range in.List {
			parts = append(parts, s.spread(&partiql.Compare{Op: expression.OpEqual, Left: in.Operand, Right: m})...)
		}
		return parts
	}
	if j, ok := n.(*partiql.Junction); ok {
		if !j.Or {
			return s.spreadAll(j.Parts)
		}
		if !s.namesKey(n) {
			return whole
		}
		var parts []branch
		for _, p := range j.Parts {
			parts = append(parts, s.spread(p)...)
		}
		return parts
	}
	c, ok := s.keyConditionOf(n)
	switch {
	case !ok:
		return whole
	case c.term.Attribute == s.key.Hash[0].Name:
		return []branch{{hashes: []keyCondition{c}}}
	default:
		return []branch{{ranges: []keyCondition{c}}}
	}
}

// keyConditionOf returns a node as a key condition of a query, if it is one.
func (s *pageRead) keyConditionOf(n partiql.Node) (keyCondition, bool) {
	t, ok := keyTermOf(n)
	if !ok || !s.key.Has(t.Attribute) || t.Attribute == s.key.Hash[0].Name && t.Op != expression.OpEqual {
		return keyCondition{}, false
	}
	return keyCondition{t, n}, true
}

// namesKey reports whether a condition restricts the key in one of its parts.
func (s *pageRead) namesKey(n partiql.Node) bool {
	switch n := n.(type) {
	case *partiql.Junction:
		return slices.ContainsFunc(n.Parts, s.namesKey)
	case *partiql.In:
		name, ok := partiql.Attribute(n.Operand)
		return ok && s.key.Has(name)
	}
	_, ok := s.keyConditionOf(n)
	return ok
}

// checkKeyTypes makes sure that conditions on the key have values of its types.
func (s *pageRead) checkKeyTypes(branches []branch) error {
	for _, b := range branches {
		for _, c := range slices.Concat(b.hashes, b.ranges) {
			for _, v := range c.term.Values {
				switch v.Kind() {
				case s.kindOf(c.term.Attribute):
				case value.KindString, value.KindNumber, value.KindBinary:
					return invalid("Key attribute's data type should match its data type in table's schema: Key %s", c.term.Attribute)
				default:
					return invalid("Key value must be of type S, N, or B. Key name: %s, Key type: %s", c.term.Attribute, v.Kind())
				}
			}
		}
	}
	return nil
}

// kindOf returns the type of a key attribute.
func (s *pageRead) kindOf(attribute string) (kind value.Kind) {
	s.key.Each(func(a KeyAttribute, _ bool) bool {
		if a.Name == attribute {
			kind = a.Kind
		}
		return true
	})
	return kind
}

// checkOverlap makes sure that no item belongs to two branches.
func (s *pageRead) checkOverlap(branches []branch) error {
	for i, a := range branches {
		for _, b := range branches[:i] {
			p, q := s.rangeOf(a), s.rangeOf(b)
			if low := max(p.Low, q.Low); before(low, p.High) && before(low, q.High) {
				return invalid("Overlapping conditions with range keys are not supported in where clause")
			}
		}
	}
	return nil
}

// before reports whether a key lies before the end of a range; "" means no end.
func before(key, high string) bool { return high == "" || key < high }

// rangeOf returns the storage keys of a branch on one partition.
func (s *pageRead) rangeOf(b branch) storage.Range {
	prefix := []byte(s.key.collectionKey(value.Item{s.key.Hash[0].Name: b.partition}))
	r := storage.Range{Low: string(prefix), High: storage.PrefixEnd(string(prefix))}
	for i := range b.ranges {
		one := termRange(prefix, &b.ranges[i].term)
		r.Low = max(r.Low, one.Low)
		if before(one.High, r.High) && one.High != "" {
			r.High = one.High
		}
	}
	return r
}

// bindBranch turns a branch into a read of one partition. The first condition on the sort key limits what
// is read, the others are checked by the filter.
func (s *pageRead) bindBranch(b branch) error {
	terms := []expression.KeyTerm{b.hashes[0].term}
	filters := b.filters
	for i, c := range b.ranges {
		if i == 0 {
			terms = append(terms, c.term)
		} else {
			filters = append(slices.Clip(filters), c.node)
		}
	}
	filter, err := statementCondition(filterParameter, filters)
	if err != nil {
		return err
	}
	s.filter = filter
	return s.bindTerms(terms)
}
