// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
)

// readRef is the content of [Query], [Scan], [IndexQuery], [IndexScan] and [Reader]. It is a part of the read that it refers
// to, by two pointers, since fmt follows one pointer of a value that does not fit the verb. So queries print nothing of the
// read without a method Format, which each package that uses a table would compile four times for each type of query.
type readRef struct{ r **read }

// read returns nil for a nil or zero query.
func (q *readRef) read() *read {
	if q == nil || q.r == nil {
		return nil
	}
	return *q.r
}

// ref returns what refers to the read.
func (r *read) ref() *readRef {
	if r == nil {
		return nil
	}
	return &r.self
}

// placed makes the read refer to itself, once it is where it stays.
func (r *read) placed() *read {
	r.this, r.self.r = r, &r.this
	return r
}

// newSpec allocates a read together with its text.
func newSpec(r read) *read {
	m := &struct { // one allocation
		read
		text readText
	}{read: r}
	m.ready = &m.text
	return m.placed()
}

// changed returns a copy whose text is built again, for every step that changes the text.
func (r *read) changed() *read {
	if r == nil || r.ready == nil {
		return new(read) // which every call that runs it returns
	}
	return newSpec(*r)
}

// bounded returns a copy with the same text: limits and cursors are not part of it.
func (r *read) bounded() *read {
	if r == nil || r.ready == nil {
		return new(read)
	}
	m := *r
	return m.placed()
}

// wrong returns a copy with an error for the call that runs it.
func (r *read) wrong(err error) *read {
	r = r.changed()
	if err != nil {
		r.errs = append(slices.Clip(r.errs), err)
	}
	return r
}

// sortKey limits the query to a range of sort keys, in place of an earlier one.
func (r *read) sortKey(c handle.SortCond) *read {
	r = r.changed()
	if r.ready == nil || r.core.usable() != nil {
		return r
	}
	schema := r.schema()
	node, err := c.Node(schema.sortField, schema.sort)
	if err != nil {
		r.errs = append(slices.Clip(r.errs), err)
		return r
	}
	if r.key != nil { // otherwise the error of the partition key is already there
		r.key, r.sorted = expr.All(partitionNode(schema.partition, r.partition), node), true
	}
	return r
}

func (r *read) filtered(conds []*handle.Condition) *read {
	nodes, err := handle.NodesOf(conds)
	r = r.wrong(err)
	r.filter = expr.All(append([]expr.Node{r.filter}, nodes...)...)
	return r
}

func (r *read) projected(attrs []*handle.Handle) *read {
	r = r.changed()
	if r.project == nil {
		r.project = attrs // which is the reader's own
	} else {
		r.project = append(slices.Clip(r.project), attrs...)
	}
	if len(r.project) == 0 {
		r.errs = append(slices.Clip(r.errs), errors.New("projection: no attributes"))
	}
	return r
}

func (r *read) reversed() *read {
	r = r.changed()
	r.backwards = true
	return r
}

func (r *read) strong() *read {
	r = r.changed()
	r.strongly = true
	return r
}

func (r *read) limited(n int) *read {
	if n < 0 {
		r = r.wrong(fmt.Errorf("limit %d is negative", n))
	} else {
		r = r.bounded()
	}
	r.limit = n
	return r
}

func (r *read) paged(n int) *read {
	if n < 1 {
		r = r.wrong(fmt.Errorf("page size %d: must be at least 1", n))
	} else {
		r = r.bounded()
	}
	r.pageSize = n
	return r
}

func (r *read) from(at *cursor.Position) *read {
	r = r.bounded()
	r.after = at
	return r
}

func (r *read) until(at *cursor.Position) *read {
	r = r.bounded()
	r.upTo = at
	return r
}

// viewedAs reads into a smaller type V; list is a *[]V.
func (r *read) viewedAs(of any) *read {
	r = r.changed()
	list := reflect.TypeOf(of).Elem()
	if r.ready == nil || r.core.usable() != nil {
		return r // which the calls that run it return
	}
	if r.mixed != nil {
		return r.wrong(errors.New("a view of items of several types: others do not have the attributes; read whole items"))
	}
	plan, paths, err := viewPlan(r.core, list.Elem())
	if err == nil && r.fromTable {
		err = errors.New("a view of a hydrated query: Hydrate reads whole items; leave it out, or use Project")
	}
	if err != nil {
		r.errs = append(slices.Clip(r.errs), err)
	}
	r.view, r.plan, r.list = paths, plan, gotype.Of(list)
	if plan == nil || !plan.IsWire() {
		r.project = nil
	}
	return r
}

// itemPlan returns the codec plan of the items.
func (r *read) itemPlan() *codec.Plan {
	if r.plan != nil {
		return r.plan
	}
	return r.core.plan
}

// listType returns the type of a list of the items.
func listType(r *read) reflect.Type {
	if t := gotype.Reflect(r.list); t != nil {
		return t
	}
	return gotype.Reflect(r.core.of.list)
}

// parseCursor reads the text of a cursor of the same table or index.
func (r *read) parseCursor(text string) (*cursor.Position, error) {
	if r == nil || r.ready == nil {
		return nil, r.fail(operr.Invalid(errZeroRead))
	}
	return index{r.core, r.index}.parseCursor(text)
}
