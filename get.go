// SPDX-License-Identifier: Apache-2.0

package ddb

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
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
)

// GetOption is an option of reads by key, Get, Exists, BatchGet and TransactGet:
// [Consistent], [Project], [IncludeExpired] and, for batches, [StatsTo].
type GetOption interface{ ConsistentOrProject(*readCall) }

type readCall struct {
	consistent bool
	expired    bool // are returned on a table that hides them
	stats      *batchStats
	project    []*handle.Handle
}

type consistentOption struct{}

func (consistentOption) ConsistentOrProject(r *readCall) { r.consistent = true }

// Consistent makes a read strongly consistent: it sees every write that completed before. It costs twice the read units of
// an eventually consistent one.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
func Consistent() GetOption { return consistentOption{} }

type projectOption []*handle.Handle

func (p projectOption) ConsistentOrProject(r *readCall) { r.project = append(r.project, p...) }

// Project reads only the given attributes, and the key, into T; the other fields
// are zero. It saves transfer and decoding, not read units.
func Project(attrs ...AnyAttr) GetOption { return projectOption(handlesOf(attrs)) }

// projection resolves the attributes of a projected read; keys are always part of it.
func (c *core) projection(attrs []*handle.Handle, keys ...string) ([]expr.Path, error) {
	if len(attrs) == 0 {
		return nil, nil
	}
	paths := make([]expr.Path, 0, len(attrs)+len(keys))
	for _, k := range keys {
		paths = append(paths, expr.Attribute(k))
	}
	var errs []error
	for _, h := range attrs {
		if err := h.Resolve(); err != nil {
			errs = append(errs, fmt.Errorf("projection: %w", err))
			continue
		}
		if !gotype.Same(h.Item(), c.plan.Type()) {
			errs = append(errs, fmt.Errorf("projection: handle of %s used on a table of %s", h.Item(), c.plan.Type()))
			continue
		}
		paths = addPath(paths, h.Path())
	}
	return paths, errors.Join(errs...)
}

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

func readOptions(opts []GetOption) (r readCall) {
	for _, o := range opts {
		if o != nil {
			o.ConsistentOrProject(&r)
		}
	}
	return r
}

// Get reads one item. It returns [ErrNotFound] if there is none.
//
// The read is eventually consistent unless [Consistent] is given. It costs half a read unit for each 4 KB of the item,
// rounded up, or a whole unit if consistent. A missing item costs as much as one of 4 KB.
//
// A reply with another item than the requested one, for example from a proxy that mixes up its connections, is refused, and
// the read is sent again by the client's policy; if that does not help, the call fails. The same holds for all reads by key
// or with a partition key, for BatchGet and TransactGet. A reply that says that there is no item cannot be checked.
func (t *Table[T, PK, SK]) Get(ctx context.Context, pk PK, sk SK, opts ...GetOption) (T, error) {
	return t.GetKey(ctx, Key[PK, SK]{pk, sk}, opts...)
}

// GetKey is [Table.Get] by a key, made by [Table.Key] or [Table.KeyOf].
func (t *Table[T, PK, SK]) GetKey(ctx context.Context, key Key[PK, SK], opts ...GetOption) (T, error) {
	g := getCall[T, Key[PK, SK]]{key: key}
	err := t.part().get(ctx, &g.state, &g.key, &g.item, readOptions(opts))
	return g.item, err
}

// Get reads one item; see [Table.Get].
func (t *SimpleTable[T, PK]) Get(ctx context.Context, pk PK, opts ...GetOption) (T, error) {
	g := getCall[T, PK]{key: pk}
	err := t.part().get(ctx, &g.state, &g.key, &g.item, readOptions(opts))
	return g.item, err
}

// Exists reports whether there is an item with the key. It reads only the key attributes, but costs as much as [Table.Get],
// since DynamoDB bills the whole item.
func (t *Table[T, PK, SK]) Exists(ctx context.Context, pk PK, sk SK, opts ...GetOption) (bool, error) {
	return t.part().exists(ctx, &Key[PK, SK]{pk, sk}, readOptions(opts))
}

// ExistsKey is [Table.Exists] by a key.
func (t *Table[T, PK, SK]) ExistsKey(ctx context.Context, key Key[PK, SK], opts ...GetOption) (bool, error) {
	return t.part().exists(ctx, &key, readOptions(opts))
}

// Exists reports whether there is an item with the key; see [Table.Exists].
func (t *SimpleTable[T, PK]) Exists(ctx context.Context, pk PK, opts ...GetOption) (bool, error) {
	return t.part().exists(ctx, &pk, readOptions(opts))
}

// getCall is a read by a K into a V, in one allocation.
type getCall[V, K any] struct {
	state getState
	key   K
	item  V
}

// keyRoom is how many bytes most keys take in wire form at most.
const keyRoom = 128

// getState is the part of a getCall without type parameters.
type getState struct {
	in   getInput
	room [keyRoom]byte
	row  oneRow
}

// get reads into what item points to, by the key that key points to.
func (c *core) get(ctx context.Context, g *getState, key, item any, r readCall) error {
	if err := c.prepareGet(&g.in, key, g.room[:0], r); err != nil {
		return err
	}
	return g.send(ctx, c, c.plan, item, true)
}

func (c *core) exists(ctx context.Context, key any, r readCall) (bool, error) {
	r.project = nil
	var in getInput
	if err := c.prepareGet(&in, key, nil, r); err != nil {
		return false, err
	}
	paths := make([]expr.Path, len(c.keyNames))
	for i, name := range c.keyNames {
		paths[i] = expr.Attribute(name)
	}
	in.projected(paths)
	row := &keyRow{core: c, key: in.wireKey}
	found, err := in.send(ctx, c, row)
	return found && !row.skip, err
}

// GetView reads one item into a smaller type V: only the attributes that V has are read, by their names in V's tags. If V
// lacks an attribute of the key, the reply cannot be checked against the key; see [Table.Get].
//
//	s, err := ddb.GetView[Summary](ctx, orders, orders.Key("c1", "o9"))
func GetView[V, T, K any](ctx context.Context, table KeyedTable[T, K], key K, opts ...GetOption) (view V, err error) {
	if table == nil {
		return view, operr.New("GetItem", "", "", operr.Invalid(errors.New("the table is nil")))
	}
	g := getCall[V, K]{key: key}
	err = table.part().getView(ctx, &g.state, &g.key, &g.item, readOptions(opts))
	return g.item, err
}

func (c *core) getView(ctx context.Context, g *getState, key, item any, r readCall) error {
	if err := c.usable(); err != nil {
		return err
	}
	plan, paths, err := viewPlan(c, reflect.TypeOf(item).Elem())
	if err != nil {
		return operr.New("GetItem", c.name, "", operr.Invalid(err))
	}
	if err := c.prepareGet(&g.in, key, g.room[:0], r); err != nil {
		return err
	}
	g.in.projected(paths)
	return g.send(ctx, c, plan, item, c.keyIn(plan))
}

// keyIn reports whether a type has all attributes of the primary key.
func (c *core) keyIn(plan *codec.Plan) bool {
	for _, name := range c.keyNames {
		if _, ok := plan.Field(name); !ok {
			return false
		}
	}
	return true
}

// KeyedTable is a [Table] (K is [Key]) or a [SimpleTable] (K is the partition key).
type KeyedTable[T, K any] interface {
	AnyTable[T]
	// KeyOf returns the key of an item.
	KeyOf(item *T) K
}

// getInput is a GetItem with an encoded key.
type getInput struct {
	dynamodb.GetItemInput
	core    *core
	wireKey []byte
	paths   []expr.Path
	hide    bool // expired items
}

func (c *core) prepareGet(in *getInput, key any, room []byte, r readCall) error {
	if err := c.usable(); err != nil {
		return err
	}
	var err1 error
	in.wireKey, err1 = appendKey(c, room, reflect.ValueOf(key).Elem())
	paths, err2 := c.projection(r.project, c.keyNames...)
	if err := operr.Invalid(err1, err2); err != nil {
		return operr.New("GetItem", c.name, "", err)
	}
	in.TableName, in.core, in.hide = &c.name, c, c.hides(r.expired)
	if r.consistent {
		in.ConsistentRead = aws.Bool(true)
	}
	in.projected(paths)
	return nil
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

func (in *getInput) send(ctx context.Context, c *core, rows wire.Rows) (found bool, err error) {
	rows = c.live(rows, in.hide)
	info := requestInfo{op: "GetItem", key: in.wireKey, consistent: in.ConsistentRead != nil, project: in.paths}
	found, err = c.sendGet(ctx, &info, &in.GetItemInput, in.wireKey, rows)
	return found && !hides(rows), operr.New("GetItem", c.name, "", err)
}

// sendGet sends one GetItem. key is the key of the input in wire form, or nil.
func (c *core) sendGet(ctx context.Context, info *requestInfo, in *dynamodb.GetItemInput, key []byte, rows wire.Rows) (found bool, err error) {
	_, err = c.send(ctx, info, c.wire, func(ctx context.Context, o outgoing) (r replyInfo, err error) {
		in.ReturnConsumedCapacity = o.capacity
		var out *dynamodb.GetItemOutput
		out, found, err = wire.GetItem(ctx, c.client, in, key, o.options, rows)
		r.items, r.returned = 1, countOf(found)
		if out != nil {
			r.answered, r.capacity = true, out.ConsumedCapacity
		}
		return r, err
	})
	return found, err
}

// send sends it; keyed means that the item has its key, so that a reply with another item is recognised.
func (g *getState) send(ctx context.Context, c *core, plan *codec.Plan, item any, keyed bool) error {
	g.row = oneRow{plan: plan, dst: item, of: c}
	if keyed {
		g.row.core, g.row.key = c, g.in.wireKey
	}
	found, err := g.in.send(ctx, c, &g.row)
	if err == nil && (!found || g.row.skip) {
		err = operr.New("GetItem", c.name, "", ddberr.ErrNotFound)
	}
	if err != nil {
		reflect.ValueOf(g.row.dst).Elem().SetZero()
	}
	return err
}

// viewPlan returns the codec of a view type and the paths to read.
func viewPlan(c *core, view reflect.Type) (*codec.Plan, []expr.Path, error) {
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
		have, ok := c.plan.Field(f.Name)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("view %s: items of %s have no attribute %s", plan.Type(), c.plan.Type(), f.Name))
		case f.Codec.Kind() != have.Codec.Kind() && !c.plan.IsWire():
			errs = append(errs, fmt.Errorf("view %s: attribute %s is stored as %s by %s and read as %s", plan.Type(), f.Name, have.Codec.Kind(), c.plan.Type(), f.Codec.Kind()))
		default:
			paths = append(paths, expr.Attribute(f.Name))
		}
	}
	if len(paths) == 0 {
		errs = append(errs, fmt.Errorf("view %s has no attributes", plan.Type()))
	}
	return plan, paths, errors.Join(errs...)
}
