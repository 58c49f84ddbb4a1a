// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"maps"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// pageSize is the size of the data that a Query or Scan reads before it stops;
// the item that reaches it is still part of the page.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
const pageSize = 1 << 20

// pageRead is a Query or Scan that has passed validation.
type pageRead struct {
	operation  string
	in         *ReadInput
	table      *Table
	schema     *Schema
	index      *Index // nil to read the table itself
	key        *KeySchema
	filter     condition  // nil if there is none
	projection projection // nil for all attributes
	// fetch reads the items of a local index from the table, because the index
	// lacks attributes that the request needs.
	fetch   bool
	reverse bool
	bounds  storage.Range
	// partitionLength is the length of the partition key in the bounds of a query.
	partitionLength string
}

// parseLegacy checks the legacy filter and projection, before
// the start key is checked.
func (s *pageRead) parseLegacy() (err error) {
	l := s.in.Legacy
	if l == nil {
		return nil
	}
	if s.filter, err = legacyFilter(l); err != nil {
		return err
	}
	s.projection, err = readProjection(nil, nil, l)
	return err
}

// parse parses the expressions of the filter and the projection.
func (s *pageRead) parse(params *expression.Params) (err error) {
	if text := s.in.FilterExpression; text != nil {
		if s.filter, err = readFilterOf(text, params); err != nil {
			return err
		}
	}
	if text := s.in.ProjectionExpression; text != nil {
		if s.projection, err = projectionOf(text, params); err != nil {
			return err
		}
	}
	return unused(params)
}

// bindTable finds the table and the index and checks that the index can serve
// the request.
func (e *Engine) bindTable(s *pageRead) (err error) {
	in := s.in
	if s.table, err = e.table(text(in.TableName)); err != nil {
		return err
	}
	s.schema = s.table.Schema()
	s.key = &s.schema.Key
	if in.IndexName == nil {
		return nil
	}
	x := s.schema.Index(*in.IndexName)
	now := e.clock.Now()
	if x == nil || x.isDeleting() {
		return invalid("The table does not have the specified index: %s", *in.IndexName)
	}
	s.index, s.key = x, &x.Key
	if x.Local {
		s.fetch = s.needsTable()
		return nil
	}
	if in.ConsistentRead != nil && *in.ConsistentRead {
		return invalid("Consistent reads are not supported on global secondary indexes")
	}
	if now.Before(x.readyAt) || x.filling.Load() {
		return invalid("Cannot read from backfilling global secondary index: %s", x.Name)
	}
	return s.checkProjected()
}

// readFilterOf parses the filter of a read. It returns a nil interface if
// there is none.
func readFilterOf(text *string, params *expression.Params) (condition, error) {
	if text == nil {
		return nil, nil
	}
	c, err := expression.ParseCondition(filterParameter, *text, params)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// named is anything that returns the attributes that it uses.
type named interface{ Attributes() []string }

// missing returns the attributes used by x that the index does not hold.
func (s *pageRead) missing(x any) []string {
	n, ok := x.(named)
	if !ok {
		return nil
	}
	var names []string
	for _, name := range n.Attributes() {
		if !s.index.Projects(name) {
			names = append(names, name)
		}
	}
	return names
}

// needsTable reports whether the request needs what the local index lacks.
func (s *pageRead) needsTable() bool {
	if s.index.projected == nil {
		return false
	}
	return is(s.in.Select, selectAll) || len(s.missing(s.projection)) > 0
}

// checkProjected makes sure that a global index has what the request needs.
func (s *pageRead) checkProjected() error {
	if s.index.projected == nil {
		return nil
	}
	if is(s.in.Select, selectAll) {
		return invalidParameter("Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", s.index.Name)
	}
	if names := s.missing(s.projection); len(names) > 0 {
		return invalidParameter("Global secondary index %s does not project [%s]", s.index.Name, strings.Join(names, ", "))
	}
	return nil
}

// page is what is read at a time.
type page struct {
	begin string
	keys  []string // of the items; nil unless they are needed
	items []*storage.Item
	size  int
	more  bool
}

// readPage reads one page and returns the parts of it that the request asks for.
func (e *Engine) readPage(ctx context.Context, s *pageRead) (*ReadOutput, error) {
	var m meter
	out, err := e.readMetered(ctx, s, &m)
	if err != nil {
		return nil, err
	}
	out.ConsumedCapacity = m.report(s.table.name, s.in.ReturnConsumedCapacity, unnamedUnits)
	return out, nil
}

// readMetered reads one page and counts its units.
func (e *Engine) readMetered(ctx context.Context, s *pageRead, m *meter) (*ReadOutput, error) {
	access := Access{Operation: s.operation, Kind: AccessRead, Table: s.table}
	set := s.table.items
	if s.index != nil {
		access.Index, set = s.index.Name, s.index.entries
	}
	if err := e.admit(ctx, access); err != nil {
		return nil, err
	}
	use := e.allow(s.table)
	p := s.read(set, use != nil)
	consistent := s.in.ConsistentRead != nil && *s.in.ConsistentRead
	cost := readCost(p.size, consistent)
	if s.index != nil {
		m.addIndex(s.index, cost)
	} else {
		m.addTable(cost)
	}
	if err := use.page(s.index, &p, cost); err != nil {
		return nil, err
	}
	var last *storage.Item
	if p.more {
		last = p.items[len(p.items)-1]
	}
	if s.fetch {
		if err := s.fetchItems(p.items, m, consistent, use); err != nil {
			return nil, err
		}
	}
	out := &ReadOutput{ScannedCount: len(p.items)}
	if err := s.collect(p.items, out); err != nil {
		return nil, err
	}
	if last != nil {
		item, err := decodeStored(last)
		if err != nil {
			return nil, err
		}
		out.LastEvaluatedKey = value.AppendItem(nil, s.position(item))
	}
	return out, nil
}

// read collects the items of one page, and their storage keys on request.
func (s *pageRead) read(set *storage.Set, keys bool) page {
	limit := -1
	if s.in.Limit != nil {
		limit = int(*s.in.Limit)
	}
	s.bounds.Reverse = s.reverse
	p := page{begin: cmp.Or(s.bounds.After, s.bounds.Low)}
	set.Walk(s.bounds, func(key string, item *storage.Item) bool {
		if keys {
			p.keys = append(p.keys, key)
		}
		p.items = append(p.items, item)
		p.size += item.Size
		p.more = len(p.items) == limit || p.size >= pageSize
		return !p.more
	})
	return p
}

// fetchItems replaces the entries of a local index by the items of the table.
func (s *pageRead) fetchItems(items []*storage.Item, m *meter, consistent bool, use *allowance) error {
	for i, entry := range items {
		part, err := decodeStored(entry)
		if err != nil {
			return err
		}
		key := s.schema.Key.storageKey(part)
		if item := s.table.items.Get(key); item != nil {
			items[i] = item
			use.lock()
			use.take(nil, false, key, readCost(item.Size, consistent))
			use.unlock()
			m.addTable(readCost(item.Size, consistent))
		}
	}
	return nil
}

// collect filters and projects the items of a page.
func (s *pageRead) collect(items []*storage.Item, out *ReadOutput) error {
	count := is(s.in.Select, selectCount)
	if !count {
		out.Items = make([][]byte, 0, len(items))
	}
	for _, stored := range items {
		if s.filter == nil && s.projection == nil {
			out.Count++
			if !count {
				out.Items = append(out.Items, stored.Image)
			}
			continue
		}
		item, err := decodeStored(stored)
		if err != nil {
			return err
		}
		if s.filter != nil {
			met, err := s.filter.Eval(item)
			if err != nil {
				return err
			}
			if !met {
				continue
			}
		}
		out.Count++
		if count {
			continue
		}
		image := stored.Image
		if s.projection != nil {
			image = value.AppendItem(nil, s.projection.Apply(item))
		}
		out.Items = append(out.Items, image)
	}
	return nil
}

// position returns the attributes that give the position of an item: the table
// key and, in an index, the index key.
func (s *pageRead) position(item value.Item) value.Item {
	at := s.schema.Key.Of(item)
	if s.index != nil {
		maps.Copy(at, s.index.Key.Of(item))
	}
	return at
}
