// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Schema is the layout of a table: its key and its indexes. It is immutable; a
// change of the table replaces it.
type Schema struct {
	Key     KeySchema
	Indexes []*Index // global ones in the order of their creation, then local ones

	vectors    []*vectorIndex
	attributes []AttributeDefinition
}

// KeySchema is the key of a table or an index.
type KeySchema struct {
	// Hash are the attributes of the partition key: one, or up to four for a
	// global secondary index.
	Hash []KeyAttribute
	// Range are the attributes of the sort key: none or one, or up to four for
	// a global secondary index.
	Range []KeyAttribute

	// seed changes the hashes of partition keys, and with them the orders that the service does
	// not guarantee: of partitions, and of equal keys of an index. 0
	// keeps equal keys in the order of the table's key.
	seed uint64
}

// KeyAttribute is one attribute of a key.
type KeyAttribute struct {
	Name string
	Kind value.Kind
}

// Index is a secondary index. Its definition is immutable.
type Index struct {
	Name           string
	Local          bool
	Key            KeySchema
	ProjectionType string // ALL, KEYS_ONLY or INCLUDE
	NonKey         []string

	// projected are the attributes that entries hold, nil for ALL.
	projected map[string]struct{}
	entries   *storage.Set

	// filling is set while the index is being filled with the items that the
	// table already had.
	filling    *atomic.Bool
	throughput throughput
	onDemand   *OnDemandThroughput
	warm       *WarmThroughput
	// backfillAt is when the filling of a new index begins according to its description, and
	// readyAt when it is complete; changedAt is when the last update of its
	// throughput is complete.
	backfillAt, readyAt, changedAt time.Time
	deletedAt                      time.Time // when it disappears; zero unless it is being deleted
}

// Index returns the index with the name, or nil.
func (s *Schema) Index(name string) *Index {
	for _, x := range s.Indexes {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// Has reports whether an attribute belongs to the key.
func (k *KeySchema) Has(name string) bool {
	for i := range k.Hash {
		if k.Hash[i].Name == name {
			return true
		}
	}
	for i := range k.Range {
		if k.Range[i].Name == name {
			return true
		}
	}
	return false
}

// Len returns the number of attributes in the key.
func (k *KeySchema) Len() int { return len(k.Hash) + len(k.Range) }

// Each calls visit for every attribute of the key, the partition key first,
// until visit returns false.
func (k *KeySchema) Each(visit func(attr KeyAttribute, hash bool) bool) {
	for _, a := range k.Hash {
		if !visit(a, true) {
			return
		}
	}
	for _, a := range k.Range {
		if !visit(a, false) {
			return
		}
	}
}

// Of returns the key attributes of an item.
func (k *KeySchema) Of(item value.Item) value.Item {
	key := make(value.Item, k.Len())
	k.Each(func(a KeyAttribute, _ bool) bool {
		if v, ok := item[a.Name]; ok {
			key[a.Name] = v
		}
		return true
	})
	return key
}

// Projects reports whether the entries of the index hold an attribute.
func (x *Index) Projects(name string) bool {
	if x.projected == nil {
		return true
	}
	_, ok := x.projected[name]
	return ok
}

// project returns the part of an item that the index holds.
func (x *Index) project(item value.Item) value.Item {
	if x.projected == nil {
		return item
	}
	part := make(value.Item, len(x.projected))
	for name := range x.projected {
		if v, ok := item[name]; ok {
			part[name] = v
		}
	}
	return part
}

// newIndex makes the runtime form of an index definition.
func newIndex(def *SecondaryIndex, local bool, table KeySchema, attributes []AttributeDefinition) *Index {
	x := &Index{
		Name:           text(def.IndexName),
		Local:          local,
		Key:            newKeySchema(def.KeySchema, attributes),
		ProjectionType: text(def.Projection.ProjectionType),
		NonKey:         def.Projection.NonKeyAttributes,
		entries:        storage.NewSet(),
		filling:        new(atomic.Bool),
		onDemand:       mergedCeiling(nil, def.OnDemandThroughput),
		warm:           def.WarmThroughput,
	}
	x.Key.seed = table.seed
	if x.ProjectionType == projectAll {
		return x
	}
	x.projected = make(map[string]struct{})
	note := func(a KeyAttribute, _ bool) bool {
		x.projected[a.Name] = struct{}{}
		return true
	}
	table.Each(note)
	x.Key.Each(note)
	for _, name := range x.NonKey {
		x.projected[name] = struct{}{}
	}
	return x
}

func newKeySchema(elements []KeySchemaElement, attributes []AttributeDefinition) KeySchema {
	var key KeySchema
	for _, e := range elements {
		attr := KeyAttribute{Name: text(e.AttributeName)}
		for _, d := range attributes {
			if text(d.AttributeName) == attr.Name {
				attr.Kind, _ = value.ParseKind(text(d.AttributeType))
			}
		}
		if is(e.KeyType, keyHash) {
			key.Hash = append(key.Hash, attr)
		} else {
			key.Range = append(key.Range, attr)
		}
	}
	return key
}

// The values of enumerated members of table definitions.
const (
	keyHash  = "HASH"
	keyRange = "RANGE"

	projectAll     = "ALL"
	projectKeys    = "KEYS_ONLY"
	projectInclude = "INCLUDE"
)
