// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
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
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/longtest"
)

// history is a view that records which events were applied to it, and in which order.
type history struct {
	Last  map[string]int64 // the last version, by stream
	Sum   uint64           // of all events in their order
	Wrong int              // events that were repeated or followed a gap
}

// apply adds events of one or several streams.
func (h *history) apply(events ...eventstore.Event) error {
	last := make(map[string]int64, len(h.Last)) // the value may be used again if the write fails
	maps.Copy(last, h.Last)
	h.Last = last
	for _, e := range events {
		if e.Version != h.Last[e.Stream]+1 {
			h.Wrong++
		}
		h.Last[e.Stream] = e.Version
		sum := fnv.New64a()
		fmt.Fprint(sum, h.Sum, e.Stream, e.Version, string(e.Data))
		h.Sum = sum.Sum64() >> 12 // a number that JSON and DynamoDB can hold
	}
	return nil
}

// folded returns the view of one stream that results from its events.
func folded(t testing.TB, s *eventstore.Store, stream string) history {
	t.Helper()
	var h history
	for e, err := range s.Read(t.Context(), stream) {
		if err != nil {
			t.Fatal(err)
		}
		_ = h.apply(e)
	}
	return h
}

// end is the way in which a process ends at one of its steps.
type end string

const (
	killedBefore end = "killed before the step"
	killedAfter  end = "killed after the step"
	noRequest    end = "the request is lost"
	noReply      end = "the reply is lost"
	paused       end = "paused before the step" // it waits to be released
)

var errKilled = errors.New("killed")

// mortal is a process that crashes, or loses a request or reply, at one of its steps. Steps are requests and uses of its positions.
type mortal struct {
	next   aws.HTTPClient
	as     claimed
	at     int // the step, from 1; 0 means none
	end    end
	cancel context.CancelFunc
	resume chan struct{}

	mu    sync.Mutex
	steps int
	dead  bool
}

// step runs a step, unless the process has crashed. It reports whether the process ended before or after it.
func (m *mortal) step(do func() error) error {
	m.mu.Lock()
	m.steps++
	hit := m.steps == m.at
	if hit && (m.end == killedBefore || m.end == killedAfter) {
		defer m.cancel()
		m.dead = m.dead || m.end == killedBefore
	}
	dead := m.dead
	m.mu.Unlock()
	if dead || hit && m.end == noRequest {
		return errKilled
	}
	if hit && m.end == paused {
		<-m.resume
		return do()
	}
	err := do()
	if hit {
		m.mu.Lock()
		m.dead = m.end == killedAfter
		m.mu.Unlock()
		return errKilled
	}
	return err
}

func (m *mortal) Do(req *http.Request) (resp *http.Response, err error) {
	err = m.step(func() (err error) { resp, err = m.next.Do(req); return err })
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return nil, err
	}
	return resp, nil
}

func (m *mortal) Load(ctx context.Context, consumer, partition string) (at int64, err error) {
	err = m.step(func() (err error) { at, err = m.as.Load(ctx, consumer, partition); return err })
	return at, transientStep(err)
}

func (m *mortal) Peek(_ context.Context, consumer, partition string) (at int64, err error) {
	err = m.step(func() error { at = m.as.peek(consumer, partition); return nil })
	return at, transientStep(err)
}

func (m *mortal) Save(ctx context.Context, consumer, partition string, position int64) error {
	return transientStep(m.step(func() error { return m.as.Save(ctx, consumer, partition, position) }))
}

// transientStep turns a lost call of the positions into a transient failure.
func transientStep(err error) error {
	if errors.Is(err, errKilled) {
		return fmt.Errorf("%w: %w", ddb.ErrReplyLost, err)
	}
	return err
}

// blueGreen is a projection with two versions over one table.
type blueGreen struct {
	t     testing.TB
	e     aws.HTTPClient
	s     *eventstore.Store
	c     *claims
	slow  time.Duration // the time that the second version takes for a commit
	views map[int]*eventstore.Views[history]
}

func newBlueGreen(t testing.TB, e aws.HTTPClient) *blueGreen {
	t.Helper()
	b := &blueGreen{t: t, e: e, c: newClaims(), views: map[int]*eventstore.Views[history]{}}
	client := clientOver(t, slowly{e})
	b.s = openStore(t, client, "events", eventstore.Sequenced(2))
	for version := 1; version <= 2; version++ {
		views, err := eventstore.NewViews[history](client, fmt.Sprint("views-", version))
		if err == nil {
			err = views.EnsureTable(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		b.views[version] = views
	}
	return b
}

// most is one more than the number of commits of a shard that a version may lack when it becomes the live one.
const most = 3

// start runs a version in a process that ends at a given step.
func (b *blueGreen) start(name string, version, at int, how end, opts ...eventstore.SubscribeOption) (*mortal, chan error) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	m := &mortal{next: slowly{b.e}, as: b.c.as(name), at: at, end: how, cancel: cancel, resume: make(chan struct{})}
	client := clientOver(b.t, m)
	s, err1 := eventstore.New(client, "events", eventstore.Sequenced(2))
	views, err2 := eventstore.NewViews[history](client, b.views[version].Table().Name())
	handle := func(ctx context.Context, c eventstore.Commit) error {
		if version == 2 && b.slow > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(b.slow):
			}
		}
		return views.ApplyCommit(ctx, c.Stream, c, func(h *history) error { return h.apply(c.Events...) })
	}
	p, err3 := eventstore.NewProjection(s.Feed(), "accounts", version, m, handle,
		append(opts, eventstore.SaveEvery(most), eventstore.OnRetry(func(error) {}), eventstore.SubscriberName(name))...)
	if err := errors.Join(err1, err2, err3); err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx); cancel() }()
	return m, ended
}

func (b *blueGreen) live() int {
	b.t.Helper()
	p, err := eventstore.NewProjection(b.s.Feed(), "accounts", 1, newClaims().as("reader"), func(context.Context, eventstore.Commit) error { return nil })
	if err != nil {
		b.t.Fatal(err)
	}
	for {
		if n, err := p.Live(b.t.Context()); err == nil {
			return n
		}
	}
}

func (b *blueGreen) append(n int) {
	b.t.Helper()
	for i := range n {
		_, err := b.s.Append(b.t.Context(), fmt.Sprint("stream-", i%5), eventstore.Any(), event(fmt.Sprint(i)), event("more"))
		if err != nil && !errors.Is(err, eventstore.ErrAmbiguous) && !ddb.IsRetryable(err) && !failed(err) {
			b.t.Fatal(err)
		}
	}
}

// failed reports whether an error is that of a request without a valid reply.
func failed(err error) bool {
	_, ok := errors.AsType[*ddb.OpError](err)
	return ok
}

func (b *blueGreen) view(version int, stream string) history {
	b.t.Helper()
	for {
		v, err := b.views[version].Load(b.t.Context(), stream)
		if err == nil || errors.Is(err, ddb.ErrNotFound) {
			return v.Value
		}
	}
}

// lacks returns how many events of the streams a view does not have.
func (b *blueGreen) lacks(version int, of map[string]int64) (n int64) {
	b.t.Helper()
	for stream, last := range of {
		n += max(0, last-b.view(version, stream).Last[stream])
	}
	return n
}

func (b *blueGreen) versions() map[string]int64 {
	b.t.Helper()
	of := map[string]int64{}
	for i := range 5 {
		h := folded(b.t, b.s, fmt.Sprint("stream-", i))
		of[fmt.Sprint("stream-", i)] = h.Last[fmt.Sprint("stream-", i)]
	}
	return of
}

// equal compares the views of a version with all events.
func (b *blueGreen) equal(what string, version int) {
	b.t.Helper()
	for i := range 5 {
		stream := fmt.Sprint("stream-", i)
		if is, want := b.view(version, stream), folded(b.t, b.s, stream); is.Sum != want.Sum || is.Wrong != 0 {
			b.t.Errorf("%s: version %d of the projection has %+v for %s, the events give %+v", what, version, is, stream, want)
		}
	}
}

// TestSwitchKilledAtEveryStep: the second version of a projection crashes at each of its steps, or loses a request or a reply there. Readers
// never get an incomplete version, and another process completes it.
func TestSwitchKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	every := longtest.Every(44)
	for i, how := range []end{killedBefore, killedAfter, noRequest, noReply} {
		steps, switched := 0, 0
		for at, more := 1+i*every/4, true; more; at += every { // other steps for each
			synctest.Test(t, func(t *testing.T) {
				e := ddbtest.NewEngine()
				t.Cleanup(e.Close)
				b := newBlueGreen(t, e)
				b.append(20)
				if _, ended := b.start("a", 1, 0, "", eventstore.UntilEnd()); <-ended != nil || b.live() != 1 {
					t.Fatal("the first version is not live")
				}
				backlog := b.versions()
				m, ended := b.start("b", 2, at, how, eventstore.UntilEnd())
				err := <-ended
				if steps, more = m.steps, m.steps >= at; !more || how == noRequest || how == noReply {
					if err != nil {
						t.Errorf("%s %d: %v", how, at, err)
					}
				}
				switch live := b.live(); {
				case live == 2:
					switched++
					if n := b.lacks(2, backlog); n != 0 {
						t.Errorf("%s %d: the live version lacks %d events", how, at, n)
					}
				case live != 1 || err == nil:
					t.Errorf("%s %d: version %d is live, %v", how, at, live, err)
				}
				b.append(7)
				if _, ended := b.start("c", 2, 0, "", eventstore.UntilEnd()); <-ended != nil || b.live() != 2 {
					t.Errorf("%s %d: the second version is not live", how, at)
				}
				b.equal(fmt.Sprint(how, " ", at), 2)
			})
		}
		if t.Logf("%s: %d steps, switched by the process itself %d times", how, steps, switched); steps < 20 {
			t.Errorf("%s: only %d steps", how, steps)
		}
	}
}

// TestSwitchIsNotUndone: a process with the first version is paused before each of its steps, and continues when the second one has become live: the
// live version never decreases.
func TestSwitchIsNotUndone(t *testing.T) {
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	steps := 0
	for at, more := 1, true; more; at += longtest.Every(5) {
		synctest.Test(t, func(t *testing.T) {
			e := ddbtest.NewEngine()
			t.Cleanup(e.Close)
			b := newBlueGreen(t, e)
			b.append(5)
			m, first := b.start("a", 1, at, paused, eventstore.UntilEnd())
			<-time.After(time.Second)
			if _, ended := b.start("b", 2, 0, "", eventstore.UntilEnd()); <-ended != nil || b.live() != 2 {
				t.Errorf("step %d: the second version is not live", at)
			}
			close(m.resume)
			if err := <-first; err != nil || b.live() != 2 {
				t.Errorf("step %d: version %d is live after the first one has continued, %v", at, b.live(), err)
			}
			b.equal(fmt.Sprint("step ", at), 1)
			steps, more = m.steps, m.steps >= at
		})
	}
	if t.Logf("%d steps", steps); steps < 15 {
		t.Errorf("only %d steps", steps)
	}
}

// TestSwitchWithCrashes: several processes run both versions of a projection, share the shards, crash at random steps and are replaced, over a faulty
// network and while writers continue. The live version never decreases and is never incomplete, and at the end both versions have exactly the result of the events.
func TestSwitchWithCrashes(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	runs := longtest.Size(16, 1)
	deaths := new(atomic.Int64)
	for run := range runs {
		synctest.Test(t, func(t *testing.T) {
			seed := uint64(run) + 1
			on := new(atomic.Bool)
			e := ddbtest.NewEngine(ddbtest.WithSeed(seed), ddbtest.WithFaults(storms(0.03, on)...))
			t.Cleanup(e.Close)
			b := newBlueGreen(t, e)
			b.slow = time.Second
			b.append(40)
			backlog := b.versions()
			on.Store(true)
			done := make(chan struct{})
			var wg sync.WaitGroup
			for p := range 4 {
				rng := rand.New(rand.NewPCG(seed, uint64(p)))
				wg.Go(func() {
					for life := 0; ; life++ {
						at := 20 + rng.IntN(400)
						select {
						case <-done:
							at = 0
						default:
						}
						version := 1 + p%2
						m, ended := b.start(fmt.Sprint("p", p, "-", life), version, at, []end{killedBefore, killedAfter}[rng.IntN(2)], eventstore.Shared())
						if at == 0 { // the last one lives until everything is handled
							for b.lacks(version, b.versions()) > 0 {
								<-time.After(time.Second)
							}
							m.cancel()
						}
						err := <-ended
						if at == 0 {
							return
						}
						if m.dead {
							deaths.Add(1)
						} else if !errors.Is(err, ddb.ErrConditionFailed) { // fenced by its replacement
							t.Errorf("run %d: version %d ended with %v", run, version, err)
						}
						<-time.After(time.Duration(rng.IntN(20)) * time.Second)
					}
				})
			}
			before := 0
			for range longtest.Size(120, 80) {
				b.append(1 + rand.IntN(2))
				switch live := b.live(); {
				case live < before:
					t.Errorf("run %d: version %d is live after %d", run, live, before)
				case live > before:
					if n := b.lacks(live, backlog); n > 2*2*(most-1) { // of two shards, commits of two events
						t.Errorf("run %d: version %d became live and lacks %d events", run, live, n)
					}
					before = live
				}
				<-time.After(2 * time.Second)
			}
			on.Store(false)
			<-time.After(time.Minute)
			close(done)
			wg.Wait()
			if live := b.live(); live != 2 {
				t.Errorf("run %d: version %d is live", run, live)
			}
			b.equal(fmt.Sprint("run ", run), 1)
			b.equal(fmt.Sprint("run ", run), 2)
		})
	}
	if t.Logf("%d deaths", deaths.Load()); deaths.Load() < int64(5*runs) {
		t.Error("too few crashes")
	}
}
