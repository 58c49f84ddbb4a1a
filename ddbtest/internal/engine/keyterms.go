// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// bindTerms turns the key condition of a query into bounds. Every attribute of
// the partition key must have a value. The attributes of the sort key may have
// conditions from left to right, all of them equalities except the last.
func (s *pageRead) bindTerms(terms []expression.KeyTerm) error {
	if err := s.checkTerms(terms); err != nil {
		return err
	}
	find := func(a KeyAttribute) *expression.KeyTerm {
		i := slices.IndexFunc(terms, func(t expression.KeyTerm) bool { return t.Attribute == a.Name })
		if i < 0 {
			return nil
		}
		return &terms[i]
	}
	partition := make(value.Item, len(s.key.Hash))
	for _, a := range s.key.Hash {
		partition[a.Name] = find(a).Values[0]
	}
	s.partitionLength = s.key.collectionKey(partition)
	prefix := []byte(s.partitionLength)
	s.bounds = storage.Range{Low: s.partitionLength, High: storage.PrefixEnd(s.partitionLength)}
	for _, a := range s.key.Range {
		term := find(a)
		if term == nil {
			break
		}
		s.bounds = termRange(prefix, term)
		if term.Op == expression.OpEqual {
			prefix = value.AppendKey(prefix, term.Values[0])
		}
	}
	return nil
}

// checkTerms checks that the conditions fit the key.
func (s *pageRead) checkTerms(terms []expression.KeyTerm) error {
	single := s.key.Len() <= 2 && len(s.key.Hash) == 1
	if single && len(terms) > 2 {
		return invalid("Conditions can be of length 1 or 2 only")
	}
	used := 0
	for i, a := range append(slices.Clone(s.key.Hash), s.key.Range...) {
		hash := i < len(s.key.Hash)
		at := slices.IndexFunc(terms, func(t expression.KeyTerm) bool { return t.Attribute == a.Name })
		if at < 0 {
			if hash || used < len(terms) {
				return invalid("Query condition missed key schema element: %s", a.Name)
			}
			return nil
		}
		t := terms[at]
		used++
		if t.Op != expression.OpEqual && (hash || used < len(terms)) {
			return invalid("Query key condition not supported")
		}
		if err := checkTerm(a, t, hash); err != nil {
			return err
		}
	}
	if used < len(terms) {
		return invalid("Query key condition not supported")
	}
	return nil
}

// checkTerm checks the values of one condition.
func checkTerm(a KeyAttribute, t expression.KeyTerm, hash bool) error {
	for _, v := range t.Values {
		if v.Kind() != a.Kind {
			return invalidParameter("Condition parameter type does not match schema type")
		}
		if t.Op == expression.OpBeginsWith {
			continue
		}
		if err := checkKeyValue(a.Name, v, hash); err != nil {
			return err
		}
	}
	return nil
}

// checkFilter makes sure that the filter of a query does not use key
// attributes, nor attributes that the index lacks.
func (s *pageRead) checkFilter() error {
	n, ok := s.filter.(named)
	if !ok {
		return nil
	}
	for _, name := range n.Attributes() {
		if s.key.Has(name) {
			if _, legacy := s.filter.(*comparisons); legacy {
				return invalid("QueryFilter can only contain non-primary key attributes: Primary key attribute: %s", name)
			}
			return invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", name)
		}
	}
	return s.checkFiltered()
}

// checkFiltered makes sure that the filter of a query uses no attributes that the
// index lacks.
func (s *pageRead) checkFiltered() error {
	if s.index == nil {
		return nil
	}
	if names := s.missing(s.filter); len(names) > 0 {
		slices.Sort(names)
		return invalidParameter("Secondary index %s does not project one or more filter attributes: [%s]", s.index.Name, strings.Join(names, ", "))
	}
	return nil
}

// termRange returns the keys that begin with prefix and meet the condition on
// the attribute that follows it.
func termRange(prefix []byte, t *expression.KeyTerm) storage.Range {
	prefix = slices.Clip(prefix)
	whole := string(prefix)
	end := storage.PrefixEnd(whole)
	at := func(i int) string { return string(value.AppendKey(prefix, t.Values[i])) }
	switch t.Op {
	case expression.OpEqual:
		return storage.Range{Low: at(0), High: storage.PrefixEnd(at(0))}
	case expression.OpLess:
		return storage.Range{Low: whole, High: at(0)}
	case expression.OpLessEqual:
		return storage.Range{Low: whole, High: storage.PrefixEnd(at(0))}
	case expression.OpGreater:
		return storage.Range{Low: storage.PrefixEnd(at(0)), High: end}
	case expression.OpGreaterEqual:
		return storage.Range{Low: at(0), High: end}
	case expression.OpBetween:
		return storage.Range{Low: at(0), High: storage.PrefixEnd(at(1))}
	default: // begins_with
		low := string(value.AppendKeyPrefix(prefix, t.Values[0]))
		return storage.Range{Low: low, High: storage.PrefixEnd(low)}
	}
}
