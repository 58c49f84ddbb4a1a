// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/protocol"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Plan applies rules to the requests of one engine. It is made by package ddbtest.
type Plan struct {
	rules   []Rule
	seed    uint64
	now     func() time.Time
	observe func(Request) // nil if there is none
	counts  []atomic.Int64
	mixed   []mixed // by rule, as counts are
	handler *protocol.Handler

	replicas map[time.Duration]*replica // by their lag
}

// NewPlan makes a plan. It is called by package ddbtest.
func NewPlan(seed uint64, now func() time.Time, observe func(Request), rules []Rule) *Plan {
	p := &Plan{rules: rules, seed: seed, now: now, observe: observe, counts: make([]atomic.Int64, len(rules)), mixed: make([]mixed, len(rules)), replicas: make(map[time.Duration]*replica)}
	for _, r := range rules {
		if r.lag > 0 && p.replicas[r.lag] == nil {
			p.replicas[r.lag] = newReplica(now)
		}
	}
	return p
}

// Bind sets the handler that the plan wraps.
func (p *Plan) Bind(h *protocol.Handler) { p.handler = h }

// Empty reports whether the plan has neither rules nor observers.
func (p *Plan) Empty() bool { return len(p.rules) == 0 && p.observe == nil }

// Stale reports whether a rule answers from a lagging replica.
func (p *Plan) Stale() bool { return len(p.replicas) > 0 }

// Random reports whether anything depends on the seed.
func (p *Plan) Random() bool {
	return slices.ContainsFunc(p.rules, func(r Rule) bool { return r.match.chances })
}

// Intercept applies the plan to a request of the handler.
func (p *Plan) Intercept(ctx context.Context, call *protocol.Call, next func(context.Context, *protocol.Call) *protocol.Reply) *protocol.Reply {
	r := Request{Operation: call.Operation, Body: call.Body, Time: p.now()}
	r.Tables = tablesOf(call.Body)
	for _, replica := range p.replicas {
		next = replica.following(next)
	}
	rule := p.decide(r)
	if rule >= 0 {
		r.Fault = p.rules[rule].name
	}
	if p.observe != nil {
		r.Body = slices.Clone(call.Body) // the caller's is reused
		p.observe(r)
	}
	if rule < 0 {
		return next(ctx, call)
	}
	return p.rules[rule].do(ctx, &faultedRequest{plan: p, mixed: &p.mixed[rule], call: call, next: next})
}

// decide returns the index of the rule that applies to a request, -1 if none does.
func (p *Plan) decide(r Request) int {
	for i := range p.rules {
		m := &p.rules[i].match
		if m.matches(r) && m.appliesTo(int(p.counts[i].Add(1)), mix(p.seed+uint64(i))) {
			return i
		}
	}
	return -1
}

func (p *Plan) fail(err error) *protocol.Reply { return p.handler.Fail(err) }

// Admit is the plan's hook in the engine: it leaves members of batches.
func (p *Plan) Admit(ctx context.Context, _ engine.Access) error {
	if left, ok := ctx.Value(unprocessedLeftKey{}).(*unprocessedLeft); ok && left.take() {
		return &engine.Error{Type: engine.ThrottlingException, Message: "left unprocessed"}
	}
	return nil
}

// Commit is the plan's hook for changes.
func (p *Plan) Commit(c *engine.Change) {
	for _, replica := range p.replicas {
		replica.commit(c)
	}
}

type unprocessedLeftKey struct{}

// unprocessedLeft counts the members of a batch that are still to be left unprocessed.
type unprocessedLeft struct{ n atomic.Int64 }

func newUnprocessedLeft(n int) *unprocessedLeft {
	l := new(unprocessedLeft)
	l.n.Store(int64(n))
	return l
}

func (l *unprocessedLeft) take() bool { return l.n.Add(-1) >= 0 }

// tablesOf returns the tables of a request, by the members that name them.
func tablesOf(body []byte) []string {
	type named struct{ TableName string }
	var in struct {
		named
		RequestItems  map[string]json.RawMessage
		TransactItems []map[string]named
	}
	if json.Unmarshal(body, &in) != nil {
		return nil
	}
	var tables []string
	add := func(name string) {
		if name = engine.TableOf(name); name != "" && !slices.Contains(tables, name) {
			tables = append(tables, name)
		}
	}
	add(in.TableName)
	for name := range in.RequestItems {
		add(name)
	}
	slices.Sort(tables)
	for _, action := range in.TransactItems {
		for _, one := range action {
			add(one.TableName)
		}
	}
	return tables
}

// replica is an engine that lags behind.
type replica struct {
	now  func() time.Time
	core *engine.Engine
	h    *protocol.Handler

	mu      sync.Mutex
	changes []change // not yet executed, in order
}

// change is a change that the replica has not made.
type change struct {
	at        time.Time
	operation string // of a table
	body      []byte
	table     string
	put, key  []byte // of an item: its present state, or the key of a deleted one
}

func newReplica(now func() time.Time) *replica {
	r := &replica{now: now}
	r.core = engine.New(engine.Options{Clock: clock(now)})
	r.h = protocol.New(r.core, nil, nil)
	return r
}

type clock func() time.Time

func (c clock) Now() time.Time { return c() }

// following records the engine's changes of tables.
func (r *replica) following(next func(context.Context, *protocol.Call) *protocol.Reply) func(context.Context, *protocol.Call) *protocol.Reply {
	return func(ctx context.Context, call *protocol.Call) *protocol.Reply {
		switch call.Operation {
		case "CreateTable", "UpdateTable", "DeleteTable":
			reply := next(ctx, call)
			if reply.Status == http.StatusOK {
				r.add(change{operation: call.Operation, body: slices.Clone(call.Body)})
			}
			return reply
		}
		return next(ctx, call)
	}
}

func (r *replica) commit(c *engine.Change) {
	one := change{table: c.Table.Name()}
	if c.New != nil {
		one.put = c.New.Image
	} else {
		one.key = value.AppendItem(nil, c.Key)
	}
	r.add(one)
}

func (r *replica) add(c change) {
	c.at = r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.operation != "" { // tables do not lag
		r.h.Call(context.Background(), c.operation, c.body)
		return
	}
	r.changes = append(r.changes, c)
}

// catchUp applies the changes that are old enough.
func (r *replica) catchUp(until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for ; n < len(r.changes) && !r.changes[n].at.After(until); n++ {
		c := r.changes[n]
		// A change of a table that was deleted by now is dropped.
		if c.put != nil {
			_ = r.core.Restore(context.Background(), c.table, c.put)
		} else {
			_ = r.core.Forget(context.Background(), c.table, c.key)
		}
	}
	clear(r.changes[:n])
	r.changes = r.changes[n:]
}

// stale reads the replica if the request allows an old answer.
func (p *Plan) stale(ctx context.Context, v *faultedRequest, lag time.Duration, indexOnly bool) *protocol.Reply {
	var in struct {
		ConsistentRead bool
		TableName      string
		IndexName      string
		RequestItems   map[string]struct{ ConsistentRead bool }
	}
	reads := []string{"GetItem", "Query", "Scan", "BatchGetItem"}
	if json.Unmarshal(v.call.Body, &in) != nil || !slices.Contains(reads, v.call.Operation) || in.ConsistentRead || indexOnly && !p.global(lag, in.TableName, in.IndexName) {
		return v.next(ctx, v.call)
	}
	for _, table := range in.RequestItems {
		if table.ConsistentRead {
			return v.next(ctx, v.call)
		}
	}
	replica := p.replicas[lag]
	if replica == nil { // no lag at all
		return v.next(ctx, v.call)
	}
	replica.catchUp(p.now().Add(-lag))
	return replica.h.Call(ctx, v.call.Operation, v.call.Body)
}

// global reports whether an index is a global one.
func (p *Plan) global(lag time.Duration, table, index string) bool {
	replica := p.replicas[lag]
	if replica == nil || index == "" {
		return false
	}
	t := replica.core.Find(table)
	if t == nil {
		return false
	}
	x := t.Schema().Index(index)
	return x != nil && !x.Local
}
