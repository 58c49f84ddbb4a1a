// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/badinput"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemsize"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/tablename"
	"github.com/dynamotable/ddb/internal/unsent"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/progress"
)

// CallOptions are the options that a context carries for the calls made with it.
type CallOptions struct {
	Label       string
	Budgets     []*cost.Budget
	Gates       []hooks.Gate
	Explain     *Explainer
	Collections bool // the sizes of item collections are requested

	task *progress.Task // that the call is part of; updated when a request is sent
}

type callOptionsKey struct{}

// CallOptionsOf returns the options of a context; the zero options if it carries none.
func CallOptionsOf(ctx context.Context) CallOptions {
	if o, ok := ctx.Value(callOptionsKey{}).(*CallOptions); ok {
		return *o
	}
	return CallOptions{}
}

// Into returns a context that carries the options in place of its own.
func (o CallOptions) Into(ctx context.Context) context.Context {
	return context.WithValue(ctx, callOptionsKey{}, &o)
}

// requestInfo describes a request that is going to be sent, for hooks and for the cost estimates of budgets and ddb.Explain.
// It refers to the content of the request and copies nothing.
type requestInfo struct {
	op         string
	write      bool
	index      *IndexInfo
	consistent bool

	// Query and Scan
	read    *Read
	size    int // the most items that are evaluated, 0 for no bound
	segment Segment

	search bool // of a vector index, which costs no units

	// one item
	verb    string // of a write, such as Create
	key     []byte // in wire form
	id      []byte // of the key; one of key, id and keyMap is set
	keyMap  map[string]types.AttributeValue
	item    []byte // that is put
	cond    expr.Node
	project []expr.Path

	// several items
	entries []*batchEntry
	whole   []*batchEntry // all inputs of the batch, of which these are a part
	actions []txAction
}

func (i *requestInfo) transaction() bool { return i.actions != nil }

// inputs returns how many items are requested or written.
func (i *requestInfo) inputs() int {
	switch {
	case i.read != nil:
		return 0
	case i.entries != nil:
		return len(i.entries)
	case i.actions != nil:
		return len(i.actions)
	}
	return 1
}

// outgoing is an admitted request, as passed to the function that sends it.
type outgoing struct {
	options  wire.Options
	capacity types.ReturnConsumedCapacity
	metrics  types.ReturnItemCollectionMetrics // for writes
	watched  bool                              // by a hook, which may keep the content of the request
}

// replyInfo is the part of the result of one request that is counted.
type replyInfo struct {
	sent bool // the request was admitted
	// answered: DynamoDB sent an output. send also sets it for a failed condition and a cancelled transaction, since these
	// are answers, and billed.
	answered    bool
	capacity    *types.ConsumedCapacity                  // of a request on one table; nil if the output lacks it
	capacities  []types.ConsumedCapacity                 // of a batch or a transaction
	collection  *types.ItemCollectionMetrics             // of the write of one item; nil if the output lacks it
	collections map[string][]types.ItemCollectionMetrics // of a batch or a transaction, by table
	items       int                                      // read before the filter, or written
	returned    int                                      // in the output
	scanned     int                                      // by a Query or Scan
}

func (r *replyInfo) all() []types.ConsumedCapacity {
	if r.capacity != nil {
		return []types.ConsumedCapacity{*r.capacity}
	}
	return r.capacities
}

// sendFunc sends one request and reports its result.
type sendFunc func(context.Context, outgoing) (replyInfo, error)

// sendAll is send for a request on several tables.
func sendAll(ctx context.Context, cores []*Table, info *requestInfo, o wire.Options, do sendFunc) (replyInfo, error) {
	opts := CallOptionsOf(ctx)
	opts.task = progress.From(ctx)
	out := outgoing{options: o, capacity: opts.capacity(cores)}
	if !opts.observed(cores) {
		out.metrics = opts.collectionMetrics(cores)
		r, err := do(ctx, out)
		r.book(cores, info, opts.Label, err)
		r.spend(info, opts.task)
		r.reportCollections(cores, info)
		return r, err
	}
	q, err := admit(ctx, opts, cores, info)
	if err != nil {
		return replyInfo{}, &unsent.Error{Err: err}
	}
	if ctx = q.begin(ctx); q.call != nil {
		out.options, out.watched = q.watching(o), true
	}
	task := opts.task
	opts = CallOptionsOf(ctx) // to which hooks may have added
	out.metrics = opts.collectionMetrics(cores)
	r, err := do(ctx, out)
	r.book(cores, info, opts.Label, err)
	r.spend(info, task)
	q.end(ctx, &r, r.reportCollections(cores, info), err)
	return r, err
}

// observed reports whether anything besides the ledger needs to see a request.
func (o *CallOptions) observed(cores []*Table) bool {
	if o.Explain != nil || len(o.Budgets) > 0 || len(o.Gates) > 0 || len(hooks.Registered()) > 0 {
		return true
	}
	for _, c := range cores {
		if len(c.hooks) > 0 {
			return true
		}
	}
	return false
}

// capacity requests the consumed capacity, by index, if a ledger, a budget, a gate or a progress counts it.
func (o *CallOptions) capacity(cores []*Table) types.ReturnConsumedCapacity {
	if o.task != nil || len(o.Budgets) > 0 || len(o.Gates) > 0 || slices.ContainsFunc(cores, func(c *Table) bool { return c.ledger != nil }) {
		return types.ReturnConsumedCapacityIndexes
	}
	return types.ReturnConsumedCapacityNone
}

// request is an admitted request that hooks or budgets observe.
type request struct {
	write   bool
	hooks   []hooks.Hook
	call    *trackedCall // of the hooks and gates; nil if there are none
	gates   []hooks.Gate
	budgets []*cost.Budget
	held    cost.Reserved
}

// admit calls Explain, the budgets and the gates, which may wait. end must be called for an admitted request.
func admit(ctx context.Context, opts CallOptions, cores []*Table, info *requestInfo) (q request, err error) {
	estimate, whole := info.estimate(cores[0])
	if opts.Explain != nil {
		x := info.explain(cores[0], estimate)
		x.PathReason = cores[0].pathReason(ctx)
		return q, opts.Explain.keep(x)
	}
	q = request{write: info.write, hooks: hooksOf(cores), budgets: opts.Budgets}
	if len(q.budgets) > 0 {
		if q.held, err = cost.Reserve(q.budgets, info.least(whole)); err != nil {
			if wrong, ok := errors.AsType[*badinput.DefinitionError](err); ok {
				err = operr.Invalid(wrong.Cause)
			}
			if errors.Is(err, cost.ErrBudgetExceeded) {
				reportFailure(ctx, cores, hooks.Failure{Operation: info.op, Table: cores[0].Name, Index: info.index.Label(), Items: info.inputs(), Err: err})
			}
			return q, err
		}
	}
	if len(q.hooks) > 0 || len(opts.Gates) > 0 {
		q.call = newCall(info, cores, opts.Label, estimate)
	}
	if len(opts.Gates) > 0 {
		if err := q.pass(ctx, opts.Gates); err != nil {
			q.held.Release()
			return q, err
		}
		q.call.Start = time.Now()
	}
	return q, nil
}

// begin passes the request to its hooks.
func (q *request) begin(ctx context.Context) context.Context {
	for _, h := range q.hooks {
		ctx = h.Begin(ctx, &q.call.Call) //nolint:fatcontext // each hook adds to it
	}
	return ctx
}

// pass calls the gates in order. If one refuses, Done is called on those that have admitted the request.
func (q *request) pass(ctx context.Context, gates []hooks.Gate) error {
	for i, g := range gates {
		if err := g.Admit(ctx, &q.call.Call); err != nil {
			q.call.Err = err
			for _, admitted := range gates[:i] {
				admitted.Done(&q.call.Call)
			}
			return err
		}
	}
	q.gates = gates
	return nil
}

// watching records each attempt of the SDK in the call of the hooks.
func (q *request) watching(o wire.Options) wire.Options {
	call := q.call
	o.Took = &call.took
	o.Client = append(slices.Clip(o.Client), func(so *dynamodb.Options) {
		so.Retryer = &watchingRetryer{asRetryerV2(so.Retryer), call, q.gates}
	})
	return o
}

// watchingRetryer records failed attempts in a call.
type watchingRetryer struct {
	aws.RetryerV2
	call  *trackedCall
	gates []hooks.Gate
}

// IsErrorRetryable is called for every failed attempt.
func (w *watchingRetryer) IsErrorRetryable(err error) bool {
	if reasons, throttled := w.call.failed(err); throttled {
		for _, g := range w.gates {
			g.Throttled(&w.call.Call, reasons)
		}
	}
	return w.RetryerV2.IsErrorRetryable(err)
}

// end charges the budgets and passes the reply to the hooks.
func (q *request) end(ctx context.Context, r *replyInfo, collections []hooks.ItemCollection, err error) {
	if err != nil {
		r.items = 0
	}
	capacities := r.all()
	if len(q.budgets) > 0 {
		q.held.Charge(cost.ConsumedOf(q.write, capacities...), r.items)
	}
	if q.call == nil {
		return
	}
	q.call.ItemCollections = collections
	q.call.complete(r, capacities, err)
	for _, g := range q.gates {
		g.Done(&q.call.Call)
	}
	for i := range q.hooks {
		q.hooks[len(q.hooks)-1-i].End(ctx, &q.call.Call)
	}
}

// book counts an answered request in the ledgers of its tables and records how large the items are.
func (r *replyInfo) book(cores []*Table, info *requestInfo, label string, err error) {
	r.sent, r.answered = true, r.answered || isBilledRefusal(err)
	if !r.answered {
		return
	}
	c := cores[0]
	switch {
	case info.transaction():
		bookTables(info, label, cores, r.capacities)
	case info.entries != nil:
		c.ledger.Book(label, info.op, info.write, c.Name, r.capacities...)
		c.observeBatch(info.write, r.capacities, r.items, info.consistent)
	case r.capacity == nil:
		c.ledger.Book(label, info.op, info.write, c.Name)
	default:
		c.ledger.Book(label, info.op, info.write, c.Name, *r.capacity)
		r.observeSizes(c, info)
	}
}

// spend adds the units to the progress of the call that the request is part of.
func (r *replyInfo) spend(info *requestInfo, task *progress.Task) {
	if task != nil {
		c := cost.ConsumedOf(info.write, r.all()...)
		task.Spend(progress.Units{Read: c.ReadUnits, Write: c.WriteUnits})
	}
}

// observeSizes records the sizes of a request on one item or page.
func (r *replyInfo) observeSizes(c *Table, info *requestInfo) {
	switch {
	case info.write:
		c.sizes.Observe(1, cost.PartsOf(true, *r.capacity)[0].Units.WriteUnits, itemsize.WriteBlock)
	case info.read == nil:
		c.sizes.Read(r.returned, readUnits(r.capacity), info.consistent)
	case info.index == nil:
		c.sizes.Read(r.scanned, readUnits(r.capacity), info.consistent)
	case info.read.fetches(): // the units are those of the entries and of the items
	default:
		info.index.sizes.Read(r.scanned, readUnits(r.capacity), info.consistent)
	}
}

// bookTables counts a transaction in the ledgers of its tables. Several item types may share a table, which is counted once.
func bookTables(info *requestInfo, label string, cores []*Table, ccs []types.ConsumedCapacity) {
	seen := map[string]bool{}
	for _, c := range cores {
		name := tablename.Short(c.Name)
		if seen[name] {
			continue
		}
		seen[name] = true
		var own []types.ConsumedCapacity
		for _, cc := range ccs {
			if tablename.Short(aws.ToString(cc.TableName)) == name {
				own = append(own, cc)
			}
		}
		c.ledger.Book(label, info.op, info.write, name, own...)
	}
}

// isBilledRefusal reports whether an error is an answer that DynamoDB bills: a failed condition or a cancelled transaction.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
func isBilledRefusal(err error) bool {
	if err == nil {
		return false
	}
	var cancelled *types.TransactionCanceledException
	return conditionFailure(err) != nil || errors.As(err, &cancelled)
}

func countOf(found bool) int {
	if found {
		return 1
	}
	return 0
}

// send sends every request on items: budgets, gates and ddb.Explain admit it or refuse it, hooks see it begin, do sends it,
// the ledger counts it, budgets are charged, hooks see it end. A refused request is not sent, and the error says why.
func (c *Table) send(ctx context.Context, info *requestInfo, o wire.Options, do sendFunc) (replyInfo, error) {
	return sendAll(ctx, []*Table{c}, info, o, do)
}

// admitSchema calls Explain for a call that creates, describes or deletes the table. These calls cost no units, so budgets
// and ledgers do not count them, and hooks do not see them.
func (c *Table) admitSchema(ctx context.Context, op string) error {
	if x := CallOptionsOf(ctx).Explain; x != nil {
		return x.keep(cost.Explanation{Operation: op, Table: c.Name})
	}
	return nil
}

// DefaultLedger counts the units of tables without a ledger of their own.
var DefaultLedger = cost.NewLedger()
