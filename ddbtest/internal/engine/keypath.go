// SPDX-License-Identifier: Apache-2.0

package engine

import "github.com/dynamotable/ddb/ddbtest/internal/expression"

// pathed is a part of a request that returns the document paths in it.
type pathed interface{ Paths() []expression.Path }

// checkPaths refuses paths below the attributes of keys, which hold scalars.
// The key of the table comes before those of indexes.
//
// Dynalite has measured the texts and their order, validateKeyPaths in
// https://github.com/architect/dynalite/blob/master/db/index.js.
func (s *Schema) checkPaths(parts ...any) error {
	var nested map[string]bool
	for _, part := range parts {
		p, ok := part.(pathed)
		if !ok {
			continue
		}
		for _, path := range p.Paths() {
			if path.Nested() {
				if nested == nil {
					nested = make(map[string]bool)
				}
				nested[path.Attribute()] = true
			}
		}
	}
	if nested == nil {
		return nil
	}
	if err := s.Key.checkNested(nested, "Key"); err != nil {
		return err
	}
	for _, x := range s.Indexes {
		if x.isDeleting() {
			continue
		}
		if err := x.Key.checkNested(nested, "IndexKey"); err != nil {
			return err
		}
	}
	return nil
}

func (k *KeySchema) checkNested(nested map[string]bool, noun string) (err error) {
	k.Each(func(a KeyAttribute, _ bool) bool {
		if nested[a.Name] {
			err = invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: %s: %s", noun, a.Name)
		}
		return err == nil
	})
	return err
}
