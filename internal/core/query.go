// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
)

// newSpec allocates a read together with its text.
func newSpec(r Read) *Read {
	m := &struct { // one allocation
		Read
		text ReadText
	}{Read: r}
	m.ready = &m.text
	return m.placed()
}

// newRead returns a query for the partition key that pk points to.
func newRead(x Index, pk any) *Read {
	r := newSpec(Read{Core: x.Core, Index: x.Info})
	if x.Core.Usable() != nil {
		return r // every call that runs it returns the error
	}
	schema := r.schema()
	avs, err := handle.EncodeKey(schema.partitionField, pk, maxIndexKey)
	if err != nil {
		r.errs = append(r.errs, err)
		return r
	}
	if x.Info == nil || !x.Info.global {
		if err := x.Core.checkPartition(avs[0]); err != nil {
			r.errs = append(r.errs, err)
		}
	}
	r.partition = avs
	r.key = expr.All(partitionNode(schema.partition, avs), r.prefixNode())
	return r
}

// partitionNode returns the condition that all partition attributes are equal.
func partitionNode(parts []handle.KeyPart, avs []types.AttributeValue) expr.Node {
	if len(parts) == 1 {
		return equals(parts[0], avs[0])
	}
	terms := make([]expr.Node, len(parts))
	for i, p := range parts {
		terms[i] = equals(p, avs[i])
	}
	return expr.All(terms...)
}

func equals(p handle.KeyPart, av types.AttributeValue) expr.Node {
	return expr.Compare{Left: expr.Attribute(p.Name), Op: "=", Right: expr.Value{AV: av}}
}

// listType returns the type of a list of the items.
func listType(r *Read) reflect.Type {
	if t := gotype.Reflect(r.list); t != nil {
		return t
	}
	return gotype.Reflect(r.Core.of.list)
}

// placed makes the read refer to itself, once it is where it stays.
func (r *Read) placed() *Read {
	r.this, r.self.r = r, &r.this
	return r
}

// Changed returns a copy whose text is built again, for every step that changes the text.
func (r *Read) Changed() *Read {
	if r == nil || r.ready == nil {
		return new(Read) // which every call that runs it returns
	}
	return newSpec(*r)
}

// bounded returns a copy with the same text: limits and cursors are not part of it.
func (r *Read) bounded() *Read {
	if r == nil || r.ready == nil {
		return new(Read)
	}
	m := *r
	return m.placed()
}

// Wrong returns a copy with an error for the call that runs it.
func (r *Read) Wrong(err error) *Read {
	r = r.Changed()
	if err != nil {
		r.errs = append(slices.Clip(r.errs), err)
	}
	return r
}

// SortKey limits the query to a range of sort keys, in place of an earlier one.
func (r *Read) SortKey(c handle.SortCond) *Read {
	r = r.Changed()
	if r.ready == nil || r.Core.Usable() != nil {
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

// Filtered adds conditions that DynamoDB checks after it has read, and billed, an item.
func (r *Read) Filtered(conds []*handle.Condition) *Read {
	nodes, err := handle.NodesOf(conds)
	r = r.Wrong(err)
	r.filter = expr.All(append([]expr.Node{r.filter}, nodes...)...)
	return r
}

// Projected limits the read to attributes.
func (r *Read) Projected(attrs []*handle.Handle) *Read {
	r = r.Changed()
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

// Reversed reads in descending order of the sort key.
func (r *Read) Reversed() *Read {
	r = r.Changed()
	r.backwards = true
	return r
}

// Strong makes the reads strongly consistent.
func (r *Read) Strong() *Read {
	r = r.Changed()
	r.strongly = true
	return r
}

// Limited sets how many items are read in all; 0 is no limit.
func (r *Read) Limited(n int) *Read {
	if n < 0 {
		r = r.Wrong(fmt.Errorf("limit %d is negative", n))
	} else {
		r = r.bounded()
	}
	r.limit = n
	return r
}

// Paged sets how many items one request evaluates.
func (r *Read) Paged(n int) *Read {
	if n < 1 {
		r = r.Wrong(fmt.Errorf("page size %d: must be at least 1", n))
	} else {
		r = r.bounded()
	}
	r.pageSize = n
	return r
}

// From continues after a cursor; nil is the beginning.
func (r *Read) From(at *cursor.Position) *Read {
	r = r.bounded()
	r.after = at
	return r
}

// Until reads the page that ends before a cursor; nil has no effect.
func (r *Read) Until(at *cursor.Position) *Read {
	r = r.bounded()
	r.upTo = at
	return r
}

// ViewedAs reads into a smaller type V; of is a nil *[]V.
func (r *Read) ViewedAs(of any) *Read {
	r = r.Changed()
	list := reflect.TypeOf(of).Elem()
	if r.ready == nil || r.Core.Usable() != nil {
		return r // which the calls that run it return
	}
	if r.mixed != nil {
		return r.Wrong(errors.New("a view of items of several types: others do not have the attributes; read whole items"))
	}
	plan, paths, err := viewPlan(r.Core, list.Elem())
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
func (r *Read) itemPlan() *codec.Plan {
	if r.plan != nil {
		return r.plan
	}
	return r.Core.Plan
}

// ParseCursor reads the text of a cursor of the same table or index.
func (r *Read) ParseCursor(text string) (*cursor.Position, error) {
	if r == nil || r.ready == nil {
		return nil, r.Fail(operr.Invalid(errZeroRead))
	}
	return Index{r.Core, r.Index}.ParseCursor(text)
}
