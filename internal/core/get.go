// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
)

// ReadCall holds the options of reads by key.
type ReadCall struct {
	consistent bool
	expired    bool // are returned on a table that hides them
	stats      *BatchStats
	project    []*handle.Handle
}

// ConsistentOption is the result of ddb.Consistent.
type ConsistentOption struct{}

// ConsistentOrProject makes it an option of reads by key.
func (ConsistentOption) ConsistentOrProject(r *ReadCall) { r.consistent = true }

// ProjectOption is the result of ddb.Project.
type ProjectOption []*handle.Handle

// ConsistentOrProject makes it an option of reads by key.
func (p ProjectOption) ConsistentOrProject(r *ReadCall) { r.project = append(r.project, p...) }

// addPath adds a path unless there is an ancestor of it, and drops the paths below it: DynamoDB refuses projections with
// overlapping paths.
func addPath(paths []expr.Path, p expr.Path) []expr.Path {
	kept := paths[:0]
	for i, q := range paths {
		if len(q) <= len(p) && q.Overlaps(p) {
			return append(kept, paths[i:]...)
		}
		if !q.Overlaps(p) {
			kept = append(kept, q)
		}
	}
	return append(kept, p)
}

// keyRoom is how many bytes most keys take in wire form at most.
const keyRoom = 128

// GetState is what one Get needs of memory: the caller allocates it together with the item.
type GetState struct {
	in   getInput
	room [keyRoom]byte
	row  oneRow
}

// getInput is a GetItem with an encoded key.
type getInput struct {
	dynamodb.GetItemInput
	core    *Table
	wireKey []byte
	paths   []expr.Path
	hide    bool // expired items
}

// projected limits the read to some paths, if there are any.
func (in *getInput) projected(paths []expr.Path) {
	if len(paths) == 0 {
		return
	}
	paths = in.core.withExpiry(in.core.withMark(paths), in.hide)
	in.paths = paths
	var w expr.Writer
	in.ProjectionExpression = aws.String(w.Projection(paths))
	in.ExpressionAttributeNames = w.Names()
}

func (in *getInput) send(ctx context.Context, c *Table, rows wire.Rows) (found bool, err error) {
	rows = c.live(rows, in.hide)
	info := requestInfo{op: "GetItem", key: in.wireKey, consistent: in.ConsistentRead != nil, project: in.paths}
	found, err = c.sendGet(ctx, &info, &in.GetItemInput, in.wireKey, rows)
	return found && !hides(rows), operr.New("GetItem", c.Name, "", err)
}

// send sends it; keyed means that the item has its key, so that a reply with another item is recognised.
func (g *GetState) send(ctx context.Context, c *Table, plan *codec.Plan, item any, keyed bool) error {
	g.row = oneRow{plan: plan, dst: item, of: c}
	if keyed {
		g.row.core, g.row.key = c, g.in.wireKey
	}
	found, err := g.in.send(ctx, c, &g.row)
	if err == nil && (!found || g.row.skip) {
		err = operr.New("GetItem", c.Name, "", ddberr.ErrNotFound)
	}
	if err != nil {
		reflect.ValueOf(g.row.dst).Elem().SetZero()
	}
	return err
}

// viewPlan returns the codec of a view type and the paths to read.
func viewPlan(c *Table, view reflect.Type) (*codec.Plan, []expr.Path, error) {
	plan, err := codec.PlanOf(view)
	if err != nil {
		return nil, nil, err
	}
	if plan.IsWire() {
		return plan, nil, nil // the whole item, as it is stored
	}
	var (
		paths []expr.Path
		errs  []error
	)
	for _, f := range plan.Fields() {
		have, ok := c.Plan.Field(f.Name)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("view %s: items of %s have no attribute %s", plan.Type(), c.Plan.Type(), f.Name))
		case f.Codec.Kind() != have.Codec.Kind() && !c.Plan.IsWire():
			errs = append(errs, fmt.Errorf("view %s: attribute %s is stored as %s by %s and read as %s", plan.Type(), f.Name, have.Codec.Kind(), c.Plan.Type(), f.Codec.Kind()))
		default:
			paths = append(paths, expr.Attribute(f.Name))
		}
	}
	if len(paths) == 0 {
		errs = append(errs, fmt.Errorf("view %s has no attributes", plan.Type()))
	}
	return plan, paths, errors.Join(errs...)
}

// projection resolves the attributes of a projected read; keys are always part of it.
func (c *Table) projection(attrs []*handle.Handle, keys ...string) ([]expr.Path, error) {
	if len(attrs) == 0 {
		return nil, nil
	}
	paths := make([]expr.Path, 0, len(attrs)+len(keys))
	for _, k := range keys {
		paths = append(paths, expr.Attribute(k))
	}
	var errs []error
	for _, h := range attrs {
		if err := resolveFor(c.Plan, h); err != nil {
			errs = append(errs, fmt.Errorf("projection: %w", err))
			continue
		}
		paths = addPath(paths, h.Path())
	}
	return paths, errors.Join(errs...)
}

// Get reads into what item points to, by the key that key points to.
func (c *Table) Get(ctx context.Context, g *GetState, key, item any, r ReadCall) error {
	if err := c.prepareGet(&g.in, key, g.room[:0], r); err != nil {
		return err
	}
	return g.send(ctx, c, c.Plan, item, true)
}

// Exists reports whether there is an item with the key that key points to. It reads the key attributes only; the units are those of the
// whole item.
func (c *Table) Exists(ctx context.Context, key any, r ReadCall) (bool, error) {
	r.project = nil
	var in getInput
	if err := c.prepareGet(&in, key, nil, r); err != nil {
		return false, err
	}
	paths := make([]expr.Path, len(c.KeyNames))
	for i, name := range c.KeyNames {
		paths[i] = expr.Attribute(name)
	}
	in.projected(paths)
	row := &keyRow{core: c, key: in.wireKey}
	found, err := in.send(ctx, c, row)
	return found && !row.skip, err
}

// GetView is Get into a smaller type than the table's; it reads only the attributes of that type.
func (c *Table) GetView(ctx context.Context, g *GetState, key, item any, r ReadCall) error {
	if err := c.Usable(); err != nil {
		return err
	}
	plan, paths, err := viewPlan(c, reflect.TypeOf(item).Elem())
	if err != nil {
		return operr.New("GetItem", c.Name, "", operr.Invalid(err))
	}
	if err := c.prepareGet(&g.in, key, g.room[:0], r); err != nil {
		return err
	}
	g.in.projected(paths)
	return g.send(ctx, c, plan, item, c.keyIn(plan))
}

// keyIn reports whether a type has all attributes of the primary key.
func (c *Table) keyIn(plan *codec.Plan) bool {
	for _, name := range c.KeyNames {
		if _, ok := plan.Field(name); !ok {
			return false
		}
	}
	return true
}

func (c *Table) prepareGet(in *getInput, key any, room []byte, r ReadCall) error {
	if err := c.Usable(); err != nil {
		return err
	}
	var err1 error
	in.wireKey, err1 = appendKey(c, room, reflect.ValueOf(key).Elem())
	paths, err2 := c.projection(r.project, c.KeyNames...)
	if err := operr.Invalid(err1, err2); err != nil {
		return operr.New("GetItem", c.Name, "", err)
	}
	in.TableName, in.core, in.hide = &c.Name, c, c.hides(r.expired)
	if r.consistent {
		in.ConsistentRead = aws.Bool(true)
	}
	in.projected(paths)
	return nil
}

// sendGet sends one GetItem. key is the key of the input in wire form, or nil.
func (c *Table) sendGet(ctx context.Context, info *requestInfo, in *dynamodb.GetItemInput, key []byte, rows wire.Rows) (found bool, err error) {
	_, err = c.send(ctx, info, c.wire, func(ctx context.Context, o outgoing) (r replyInfo, err error) {
		in.ReturnConsumedCapacity = o.capacity
		var out *dynamodb.GetItemOutput
		out, found, err = wire.GetItem(ctx, c.Client, in, key, o.options, rows)
		r.items, r.returned = 1, countOf(found)
		if out != nil {
			r.answered, r.capacity = true, out.ConsumedCapacity
		}
		return r, err
	})
	return found, err
}
