package ddb

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/wire"
)

// scope is what a context carries for the calls made with it.
type scope struct {
	label   string
	budgets []*Budget
	explain *explainer
}

type scopeKey struct{}

func scopeOf(ctx context.Context) scope {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		return *s
	}
	return scope{}
}

func (s scope) into(ctx context.Context) context.Context {
	return context.WithValue(ctx, scopeKey{}, &s)
}

// shape says what a request is going to do, for those who watch it, pay for it or
// ask what it would cost. It refers to what the request is made of and copies nothing.
type shape struct {
	op         string
	write      bool
	index      *indexInfo
	consistent bool

	// Query and Scan
	read    *read
	size    int // how many items are evaluated at most, 0 for no bound
	segment segment

	// one item
	verb    string // of a write, such as Create
	key     []byte // in wire form
	id      []byte // of the key; one of key, id and keyMap is there
	keyMap  map[string]types.AttributeValue
	item    []byte // that is put
	cond    expr.Node
	project []expr.Path

	// several items
	entries []*batchEntry
	actions []txAction
}

func (s *shape) transaction() bool { return s.actions != nil }

// inputs is how many items are asked for or written.
func (s *shape) inputs() int {
	switch {
	case s.read != nil:
		return 0
	case s.entries != nil:
		return len(s.entries)
	case s.actions != nil:
		return len(s.actions)
	}
	return 1
}

// request is one request under way. When nobody watches, pays or asks it is but a
// few words on the stack.
type request struct {
	refused error // why it must not be sent
	write   bool
	hooks   []Hook
	call    *Call
	budgets []*Budget
	held    spending
}

// begin is called before a request is sent, with the context that it returns; a request
// that is not refused must be ended.
func (c *core) begin(ctx context.Context, s shape) (context.Context, request) {
	sc := scopeOf(ctx)
	if globalHooks.Load() == nil && len(c.hooks) == 0 && len(sc.budgets) == 0 && sc.explain == nil {
		return ctx, request{}
	}
	return attend(ctx, sc, s, []*core{c})
}

// beginAll is begin for a request on several tables.
func beginAll(ctx context.Context, cores []*core, s shape) (context.Context, request) {
	sc := scopeOf(ctx)
	if len(hooksOf(cores)) == 0 && len(sc.budgets) == 0 && sc.explain == nil {
		return ctx, request{}
	}
	return attend(ctx, sc, s, cores)
}

func attend(ctx context.Context, sc scope, s shape, cores []*core) (context.Context, request) {
	q := request{write: s.write, hooks: hooksOf(cores), budgets: sc.budgets}
	estimate := s.estimate(cores[0])
	if sc.explain != nil {
		q.refused = sc.explain.note(s, cores[0], estimate)
		return ctx, q
	}
	if len(q.budgets) > 0 {
		q.held = s.spending(estimate)
		if q.refused = admit(q.budgets, q.held); q.refused != nil {
			return ctx, q
		}
	}
	if len(q.hooks) > 0 {
		q.call = newCall(s, cores, sc.label, estimate)
		for _, h := range q.hooks {
			ctx = h.Begin(ctx, q.call) //nolint:fatcontext // each hook adds to it
		}
	}
	return ctx, q
}

// options lets the request see each of its attempts.
func (q *request) options(o wire.Options) wire.Options {
	if q.call == nil {
		return o
	}
	call := q.call
	o.Client = append(slices.Clip(o.Client), func(so *dynamodb.Options) {
		so.Retryer = &watchingRetryer{asRetryerV2(so.Retryer), call}
	})
	return o
}

// watchingRetryer tells a call of its failed attempts.
type watchingRetryer struct {
	aws.RetryerV2
	call *Call
}

// IsErrorRetryable is asked about every failed attempt.
func (w *watchingRetryer) IsErrorRetryable(err error) bool {
	w.call.failed(err)
	return w.RetryerV2.IsErrorRetryable(err)
}

// end is called with what came of a request for one item; cc may be nil.
func (q *request) end(ctx context.Context, cc *types.ConsumedCapacity, returned int, err error) {
	q.ended(ctx, cc, received{items: 1, returned: returned, err: err})
}

func (q *request) ended(ctx context.Context, cc *types.ConsumedCapacity, r received) {
	if q.call == nil && len(q.budgets) == 0 {
		return
	}
	if cc != nil {
		r.capacity = []types.ConsumedCapacity{*cc}
	}
	q.endedAll(ctx, r)
}

// endedAll is called with what came of a request on several tables.
func (q *request) endedAll(ctx context.Context, r received) {
	if r.err != nil {
		r.items = 0
	}
	settle(q.budgets, q.held, r, q.write)
	if q.call == nil {
		return
	}
	q.call.complete(r)
	for i := range q.hooks {
		q.hooks[len(q.hooks)-1-i].End(ctx, q.call)
	}
}

// consumed asks for capacity by index whenever somebody counts it.
func (c *core) consumed(ctx context.Context) types.ReturnConsumedCapacity {
	if c.ledger != nil || len(scopeOf(ctx).budgets) > 0 {
		return types.ReturnConsumedCapacityIndexes
	}
	return types.ReturnConsumedCapacityNone
}

// wrote books what came of the write of one item.
func (c *core) wrote(ctx context.Context, q *request, op string, answered bool, cc *types.ConsumedCapacity, err error) {
	if answered {
		c.observe(ctx, op, true, cc)
	}
	if cc != nil {
		c.sizes.observe(1, partsOf(true, *cc)[0].units.WriteUnits, writeBlock)
	}
	q.end(ctx, cc, 0, err)
}

func countOf(found bool) int {
	if found {
		return 1
	}
	return 0
}
