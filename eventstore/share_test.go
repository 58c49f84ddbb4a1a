// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/longtest"
)

var errFenced = fmt.Errorf("fenced: %w", ddb.ErrConditionFailed)

// claims are positions that are claimed when they are loaded. All processes share them.
type claims struct {
	mu     sync.Mutex
	at     map[string]int64
	owner  map[string]string
	fenced int
}

func newClaims() *claims { return &claims{at: map[string]int64{}, owner: map[string]string{}} }

func (c *claims) as(owner string) claimed { return claimed{c, owner} }

type claimed struct {
	*claims
	name string
}

func (c claimed) Load(_ context.Context, consumer, partition string) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner[consumer+partition] = c.name
	return c.at[consumer+partition], nil
}

func (c *claims) peek(consumer, partition string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at[consumer+partition]
}

func (c claimed) Save(ctx context.Context, consumer, partition string, position int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := consumer + partition
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case c.owner[key] != c.name:
		c.fenced++
		return errFenced
	case position < c.at[key]:
		return fmt.Errorf("stale: %w", ddb.ErrConditionFailed)
	}
	c.at[key] = position
	return nil
}

// handled records the commits that all processes have handled.
type handled struct {
	mu    sync.Mutex
	times map[string]int   // by shard and number
	last  map[string]int64 // the highest version of each stream
	by    map[string]map[int]bool
	twice int
}

func newHandled() *handled {
	return &handled{times: map[string]int{}, last: map[string]int64{}, by: map[string]map[int]bool{}}
}

func (h *handled) note(t testing.TB, process string, c eventstore.Commit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := fmt.Sprint(c.Shard, "/", c.Number)
	if h.times[key]++; h.times[key] > 1 {
		h.twice++
	}
	if c.First > h.last[c.Stream]+1 {
		t.Errorf("%s: version %d of %s before %d", process, c.First, c.Stream, h.last[c.Stream]+1)
	}
	h.last[c.Stream] = max(h.last[c.Stream], c.Last)
	if h.by[process] == nil {
		h.by[process] = map[int]bool{}
	}
	h.by[process][c.Shard] = true
}

// process is one of several that share a subscription. Once dead, it does nothing.
type process struct {
	name   string
	next   aws.HTTPClient
	dead   chan struct{}
	cancel context.CancelFunc
	ended  chan error
	kills  sync.Once
}

func (p *process) alive(ctx context.Context) error {
	select {
	case <-p.dead:
		<-ctx.Done()
		return ctx.Err()
	default:
		return nil
	}
}

func (p *process) Do(req *http.Request) (*http.Response, error) {
	if err := p.alive(req.Context()); err != nil {
		return nil, err
	}
	resp, err := p.next.Do(req)
	if dead := p.alive(req.Context()); dead != nil {
		return nil, dead
	}
	return resp, err
}

func (p *process) kill() { p.kills.Do(func() { close(p.dead) }) }

func join(t testing.TB, e *ddbtest.Engine, name string, c *claims, h *handled) *process {
	t.Helper()
	return joinAs(t, e, name, c, func(_ context.Context, commit eventstore.Commit) error {
		h.note(t, name, commit)
		return nil
	})
}

func joinAs(t testing.TB, e *ddbtest.Engine, name string, c *claims, to func(context.Context, eventstore.Commit) error, more ...eventstore.SubscribeOption) *process {
	t.Helper()
	p := &process{name: name, next: slowly{e}, dead: make(chan struct{}), ended: make(chan error, 1)}
	client := clientOver(t, p)
	s, err := eventstore.New(client, "events", eventstore.Sequenced(16))
	if err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, p.cancel = context.WithCancel(t.Context())
	handle := func(ctx context.Context, commit eventstore.Commit) error {
		if err := p.alive(ctx); err != nil {
			return err
		}
		if err := to(ctx, commit); err != nil {
			return err
		}
		return p.alive(ctx)
	}
	opts := append([]eventstore.SubscribeOption{eventstore.Shared(), eventstore.SubscriberName(name), eventstore.OnRetry(func(error) {}), eventstore.PollEvery(4 * time.Second)}, more...)
	go func() { p.ended <- s.Feed().Subscribe(ctx, "mailer", c.as(name), handle, opts...) }()
	return p
}

// write appends for a while, and returns the number of commits.
func write(t testing.TB, s *eventstore.Store, d time.Duration) int {
	t.Helper()
	return writeEvery(t, s, 300*time.Millisecond, d)
}

func writeEvery(t testing.TB, s *eventstore.Store, pause, d time.Duration) int {
	t.Helper()
	n := 0
	for begin := time.Now(); time.Since(begin) < d; n++ {
		if _, err := s.Append(t.Context(), fmt.Sprint("stream-", rand.IntN(60)), eventstore.Any(), event("x")); err != nil {
			t.Fatal(err)
		}
		<-time.After(pause)
	}
	return n
}

// TestSharedSubscription: three processes share the shards for ten minutes, and two of them crash. No process is fenced, each shard has
// one process at a time, and a crash repeats at most one batch.
func TestSharedSubscription(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: a virtual clock")
	}
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		t.Cleanup(e.Close)
		s := openStore(t, stormClient(t, e), "events", eventstore.Sequenced(16))
		c, h := newClaims(), newHandled()
		a, b, d := join(t, e, "a", c, h), join(t, e, "b", c, h), join(t, e, "d", c, h)
		minute, pause := time.Duration(longtest.Either(60, 20))*time.Second, 300*time.Millisecond
		if !longtest.Enabled() {
			pause *= 3
		}
		total := write(t, s, 3*minute)
		h.mu.Lock()
		for name, shards := range h.by {
			if len(shards) < 4 {
				t.Errorf("%s handled %d shards", name, len(shards))
			}
		}
		if h.twice != 0 || len(h.by) != 3 {
			t.Errorf("%d commits were handled twice without a crash, by %d processes", h.twice, len(h.by))
		}
		h.mu.Unlock()
		for i, p := range []*process{a, b} {
			p.kill()
			total += writeEvery(t, s, pause, 2*minute)
			h.mu.Lock()
			if h.twice > 100*(i+1) || len(h.times) < total-20 {
				t.Errorf("%d crashes: %d commits handled twice, %d of %d handled", i+1, h.twice, len(h.times), total)
			}
			h.mu.Unlock()
		}
		x := join(t, e, "x", c, h) // takes over half of the shards, in order
		before := h.twice
		total += writeEvery(t, s, pause, 3*time.Minute) // also in the short form: half of them take that long
		total += writeEvery(t, s, 30*time.Millisecond, 3*time.Second)
		<-time.After(20 * time.Second)
		for _, p := range []*process{d, x} {
			p.cancel()
			if err := <-p.ended; !errors.Is(err, context.Canceled) {
				t.Errorf("%s ended with %v", p.name, err)
			}
		}
		if len(h.times) != total || h.twice != before || len(h.by["x"]) < 8 {
			t.Errorf("%d of %d commits handled; %d twice because of handovers; %d shards handed over", len(h.times), total, h.twice-before, len(h.by["x"]))
		}
		if c.fenced != 0 {
			t.Errorf("%d saves were fenced", c.fenced)
		}
		for _, p := range []*process{a, b} {
			p.cancel()
			<-p.ended
		}
		t.Logf("%d commits, %d handled twice after two crashes", total, h.twice)
	})
}

// TestSharedSubscriptionStandsBy: with more processes than shards, processes without a shard stand by, and a stopped process is replaced immediately.
func TestSharedSubscriptionStandsBy(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: a virtual clock")
	}
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		t.Cleanup(e.Close)
		s := openStore(t, stormClient(t, e), "events", eventstore.Sequenced(16))
		c, h := newClaims(), newHandled()
		var all []*process
		for i := range 20 {
			all = append(all, join(t, e, fmt.Sprint("p", i), c, h))
		}
		half := time.Duration(longtest.Size(60, 20)) * time.Second
		pause := 300 * time.Millisecond
		if !longtest.Enabled() {
			pause *= 2
		}
		total := writeEvery(t, s, pause, half)
		for _, p := range all[:10] {
			p.cancel()
			<-p.ended
		}
		total += writeEvery(t, s, pause, half)
		<-time.After(20 * time.Second)
		if h.twice != 0 || len(h.times) != total || c.fenced != 0 {
			t.Errorf("%d of %d handled, %d twice, %d fenced", len(h.times), total, h.twice, c.fenced)
		}
		for _, p := range all[10:] {
			p.cancel()
			<-p.ended
		}
	})
}

// TestSubscriptionSurvivesFailures: half an hour of throttling, outages or unanswered requests ends no subscription, shared or not, and
// neither does a handler that fails because of DynamoDB; afterwards everything is handled.
func TestSubscriptionSurvivesFailures(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	number := 0
	for name, rule := range map[string]func(m fault.Matcher) fault.Rule{
		"throttled": func(m fault.Matcher) fault.Rule { return m.Throttle() }, "errors of the service": fault.Matcher.InternalError,
		"no network": fault.Matcher.DropRequest, "lost replies": fault.Matcher.DropReply, "never answered": fault.Matcher.Hang,
		"cut": fault.Matcher.TruncateBody, "partly": func(m fault.Matcher) fault.Rule { return m.Chance(0.7).InternalError() },
	} {
		number++
		for mode, opts := range map[string][]eventstore.SubscribeOption{"alone": nil, "shared": {eventstore.Shared()}} {
			if !longtest.Enabled() && (mode == "shared") != (number%2 == 0) {
				continue // in the short form, each failure in one mode, and other ones in each run
			}
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					on, retried := new(atomic.Bool), new(atomic.Int64)
					m := fault.On("Query", "GetItem", "BatchGetItem", "UpdateItem", "PutItem").Where(func(fault.Request) bool { return on.Load() })
					e := ddbtest.NewEngine(ddbtest.WithFaults(rule(m)))
					t.Cleanup(e.Close)
					client := stormClient(t, e)
					s := openStore(t, client, "events", eventstore.Sequenced(2))
					v, err := eventstore.NewViews[counted](client, "views")
					if err = errors.Join(err, v.Table().EnsureTable(t.Context())); err != nil {
						t.Fatal(err)
					}
					ctx, stop := context.WithCancel(t.Context())
					ended := make(chan error, 1)
					go func() {
						ended <- s.Feed().Subscribe(ctx, "c", newClaims().as("x"), func(ctx context.Context, c eventstore.Commit) error {
							return v.Apply(ctx, fmt.Sprint(c.Shard), "feed", c.Number, func(v *counted) error { v.Events++; return nil })
						}, append(opts, eventstore.OnRetry(func(error) { retried.Add(1) }), eventstore.PollEvery(5*time.Second))...)
					}()
					while := time.Duration(longtest.Size(10, 4)) * time.Second
					total := write(t, s, while)
					on.Store(true)
					for range longtest.Size(30, 3) {
						<-time.After(time.Minute)
						select {
						case err := <-ended:
							t.Fatalf("ended with %v", err)
						default:
						}
					}
					on.Store(false)
					total += write(t, s, while)
					handled := func() (int, error) {
						a, err1 := v.Load(t.Context(), "0")
						b, err2 := v.Load(t.Context(), "1")
						return a.Value.Events + b.Value.Events, errors.Join(err1, err2)
					}
					for range 10 {
						<-time.After(time.Minute)
						if n, err := handled(); err == nil && n >= total {
							break
						}
					}
					stop()
					if err := <-ended; !errors.Is(err, context.Canceled) {
						t.Errorf("ended with %v", err)
					}
					if n, err := handled(); err != nil || n != total {
						t.Errorf("%d of %d handled, %v", n, total, err)
					}
					if retried.Load() == 0 {
						t.Error("the failures were not reported")
					}
				})
			})
		}
	}
}

// TestSubscriptionEndsOnPermanentError: a permanent error of DynamoDB ends a subscription, shared or not, and so does a handler that fails permanently.
func TestSubscriptionEndsOnPermanentError(t *testing.T) {
	broken := errors.New("broken")
	for mode, opts := range map[string][]eventstore.SubscribeOption{"alone": nil, "shared": {eventstore.Shared()}} {
		for name, want := range map[string]string{"denied": "AccessDeniedException", "broken": "broken"} {
			synctest.Test(t, func(t *testing.T) {
				denied := new(atomic.Bool)
				e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("Query").Where(func(fault.Request) bool { return denied.Load() }).Error("AccessDeniedException", "denied")))
				t.Cleanup(e.Close)
				s := openStore(t, stormClient(t, e), "events", eventstore.Sequenced(2))
				write(t, s, time.Second)
				denied.Store(name == "denied")
				err := s.Feed().Subscribe(t.Context(), "c", newClaims().as("x"), func(context.Context, eventstore.Commit) error { return broken }, append(opts, eventstore.OnRetry(func(error) {}))...)
				if err == nil || name == "broken" && !errors.Is(err, broken) || name == "denied" && errors.Is(err, broken) {
					t.Errorf("%s, %s: ended with %v, want %s", mode, name, err, want)
				}
			})
		}
	}
}
