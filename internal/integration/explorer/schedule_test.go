// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

const (
	tableName = "items"
	// patience is how long a caller waits for a reply that does not come. The transport applies it: a deadline of
	// the client would also end requests that wait for the scheduler.
	patience = 5 * time.Second
)

// user is a caller. The users of one program are reused by all its schedules.
type user struct {
	index  int
	engine *ddbtest.Engine
	client *dynamodb.Client
	table  *table
	events *eventUser // caller of an event store, instead of a table
	saves  *saveUser  // caller of positions and snapshots
	runs   chan *run  // the schedules to take part in
	run    *run
	call   *call // the running call
}

// run is one schedule: one order of the requests of one program, on its own item.
type run struct {
	*world
	key   string
	users []*user
	calls []*call

	mu       sync.Mutex // the callers and the scheduler take turns, but the race detector does not know that
	waiting  [maxCallers][]*request
	pending  []*request // requests that will arrive, whether or not their callers still wait
	done     [maxCallers]bool
	started  [maxCallers]bool
	wake     chan struct{}
	draining bool
	origin   fmt.Stringer // the initially stored item

	model   model   // model of a layer, instead of the states of an item
	states  []ghost // states of the item, in order
	writes  int
	tokens  map[string]bool // tokens of applied transactions
	writers circumstance    // the writes of the item
	events  []event
	used    [modes]int
	hit     *call // by the first misbehaviour

	prefix, taken, counts []int
	broken                map[finding]bool
}

// choice is a step that the scheduler can take next.
type choice struct {
	q       *request
	mode    mode
	arrives bool // a pending request
}

type event struct {
	kind   eventKind
	call   *call
	op     string
	mode   mode
	own    bool
	result result
	after  fmt.Stringer
	quiet  bool // known in advance to change nothing
}

type eventKind uint8

const (
	eventRequest eventKind = iota
	eventSecond
	eventArrives
	eventReturn
)

func (r *run) log(e event) {
	e.after = r.state()
	r.events = append(r.events, e)
}

// state is what is stored now.
func (r *run) state() fmt.Stringer {
	if r.model != nil {
		return r.model.stored()
	}
	return r.now()
}

// play runs the schedule that begins with the choices of the prefix and continues with the first choice of each
// step. It reports whether the schedule is distinct, and not an equivalent order of another one.
func (r *run) play() bool {
	for _, u := range r.users {
		u.run = r
		u.runs <- r
	}
	for {
		synctest.Wait()
		if r.busy() {
			<-r.wake // sleeping goroutines wake up in the time of the bubble
			continue
		}
		r.mu.Lock()
		if r.finished() {
			r.mu.Unlock()
			return !r.draining
		}
		choices := r.choices()
		if len(choices) == 0 && !r.draining {
			r.draining = true
			choices = r.choices()
		}
		k := 0
		if !r.draining {
			if len(r.taken) < len(r.prefix) {
				k = r.prefix[len(r.taken)]
			}
			r.taken, r.counts = append(r.taken, k), append(r.counts, len(choices))
		}
		if k >= len(choices) {
			panic(fmt.Sprintf("a schedule did not repeat itself: %v of %v at %s", r.prefix, r.counts, r.text()))
		}
		r.do(choices[k])
		r.mu.Unlock()
	}
}

// takePart is the goroutine of a caller. All schedules have the same, whose stack has grown.
func (u *user) takePart() {
	for r := range u.runs {
		r.act(u)
	}
}

// act makes the calls of a caller.
func (r *run) act(u *user) {
	ctx := context.Background()
	for _, c := range r.calls {
		if c.caller != u.index {
			continue
		}
		u.call = c
		if r.model == nil && c.verb.reads && !(c.verb.byKey && c.verb.demand(r.guard) == anything) {
			item, err := u.table.Get(ctx, r.key, ddb.Consistent())
			if err != nil {
				if !errors.Is(err, ddb.ErrNotFound) {
					panic(err)
				}
				c.result = skipped
				continue
			}
			c.read = item
		}
		r.begin(c)
		got, err := c.verb.run(ctx, u, c)
		r.end(c, got, err)
	}
	r.mu.Lock()
	r.done[u.index] = true
	r.mu.Unlock()
	r.awake()
}

// busy reports whether a caller is neither waiting at the scheduler nor finished.
func (r *run) busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.users {
		if !r.done[i] && len(r.waiting[i]) == 0 {
			return true
		}
	}
	return false
}

func (r *run) finished() bool {
	for i := range r.users {
		if !r.done[i] {
			return false
		}
	}
	return len(r.pending) == 0
}

// choices returns the next choices in a fixed order, regular ones first.
func (r *run) choices() []choice {
	var list []choice
	for i := range r.users {
		if !r.started[i] && i > 0 && !r.started[i-1] && r.twins[i] {
			continue // the order of two equal callers makes no difference
		}
		for _, q := range r.waiting[i] {
			if r.add(&list, choice{q: q}) && !r.draining && !q.own && !q.foreign && !q.again && r.bad() < r.misbehaviours {
				for m := lost; m < modes; m++ {
					if m == lost || q.writes() && (m != silent || r.silent) {
						r.add(&list, choice{q: q, mode: m})
					}
				}
			}
		}
	}
	for _, q := range r.pending {
		list = append(list, choice{q: q, arrives: true})
	}
	return list
}

// add leaves out choices that only swap two adjacent steps without an effect: of these the lower caller comes first.
func (r *run) add(list *[]choice, c choice) bool {
	if last := len(r.events) - 1; !r.draining && last >= 0 && c.quiet() && r.events[last].quiet && c.q.user.index < r.events[last].call.caller {
		return false
	}
	*list = append(*list, c)
	return true
}

// quiet reports whether a choice is known to change nothing in the store.
func (c choice) quiet() bool {
	return !c.arrives && (!c.q.writes() || c.mode == lost || c.mode == hopBefore || c.mode == late || c.mode == silent)
}

func (r *run) bad() (n int) {
	for m := lost; m < modes; m++ {
		n += r.used[m]
	}
	return n
}

// do executes one choice.
func (r *run) do(c choice) {
	q := c.q
	if c.arrives {
		i := slices.Index(r.pending, q)
		r.pending = slices.Delete(r.pending, i, i+1)
		a := r.happen(event{kind: eventArrives, call: q.call, op: q.op}, q)
		if q.awaited {
			q.awaited = false
			q.answer <- a
		}
		return
	}
	i := q.user.index
	r.started[i] = true
	if q.again {
		r.take(q)
		q.answer <- r.happen(event{kind: eventSecond, call: q.call, op: q.op}, q)
		return
	}
	r.used[c.mode]++
	if c.mode != delivered && r.hit == nil {
		r.hit = q.call
	}
	if c.mode != secondReply {
		r.take(q)
	}
	e := event{call: q.call, op: q.op, mode: c.mode, own: q.own, quiet: c.quiet()}
	switch c.mode {
	case delivered, replyLost, firstReply, secondReply, hopAfter:
		a := r.happen(e, q)
		switch c.mode {
		case delivered:
			q.answer <- a
		case firstReply:
			r.pending = append(r.pending, q)
			q.answer <- a
		case secondReply:
			q.again = true
		case hopAfter:
			q.answer <- gateway(r.status)
		default:
			q.answer <- reset()
		}
	default:
		r.log(e)
		switch c.mode {
		case lost:
			q.answer <- reset()
		case hopBefore:
			q.answer <- gateway(r.status)
		case late:
			r.pending = append(r.pending, q)
			q.answer <- reset()
		default:
			r.pending = append(r.pending, q)
			q.awaited = true
			time.AfterFunc(patience, func() { r.impatient(q) })
		}
	}
}

// impatient ends the wait for a reply.
func (r *run) impatient(q *request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.awaited {
		q.awaited = false
		q.answer <- answer{err: os.ErrDeadlineExceeded}
	}
}

// happen delivers a request and logs it, before its effect.
func (r *run) happen(e event, q *request) answer {
	r.log(e)
	at := len(r.events) - 1
	a := r.deliver(q)
	r.events[at].after = r.state()
	return a
}

// take ends the wait of a request. It reports whether it was waiting.
func (r *run) take(q *request) bool {
	w := r.waiting[q.user.index]
	i := slices.Index(w, q)
	if i < 0 {
		return false
	}
	r.waiting[q.user.index] = slices.Delete(w, i, i+1)
	return true
}

func (r *run) circumstance() circumstance {
	c := r.writers
	for m, n := range r.used {
		if n > 0 {
			c |= mode(m).circumstance()
		}
	}
	return c
}

func (r *run) violated(v violation, c *call) {
	if !r.draining {
		r.broken[finding{violation: v, verb: c.verb.name, in: r.circumstance()}] = true
	}
}

// text returns the history as text.
func (r *run) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "at first %v", r.origin)
	for _, e := range r.events {
		name := fmt.Sprintf("%c.%s", 'A'+rune(e.call.caller), e.call.verb.name)
		switch {
		case e.kind == eventReturn:
			fmt.Fprintf(&b, "; %s: %v", name, e.result)
		case e.kind == eventSecond:
			fmt.Fprintf(&b, "; second delivery of %s -> %v", name, e.after)
		case e.kind == eventArrives:
			fmt.Fprintf(&b, "; late delivery of %s -> %v", name, e.after)
		case e.own:
			fmt.Fprintf(&b, "; %s reads %v", name, e.after)
		case e.mode == delivered:
			fmt.Fprintf(&b, "; %s %s -> %v", name, e.op, e.after)
		default:
			fmt.Fprintf(&b, "; %s %s (%v) -> %v", name, e.op, e.mode, e.after)
		}
	}
	return b.String()
}

// rest lets the retry budgets of the clients fill up, and all remaining requests end.
func (r *run) rest() {
	for _, u := range r.users {
		u.run = nil
	}
	<-time.After(10 * time.Minute)
	synctest.Wait()
}
