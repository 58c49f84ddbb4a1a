// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
	"github.com/dynamotable/ddb/schema"
)

// noted is an event of the model of inline projections.
type noted struct{ Text string }

func notedTypes() *eventstore.Types[noted] {
	return eventstore.NewTypes[noted](eventstore.JSON).Add(noted{})
}

// inlineWorld is a store with a view of each stream and a view of all, both written with the appends.
type inlineWorld struct {
	t         testing.TB
	e         aws.HTTPClient
	s         *eventstore.Store
	each, all *eventstore.Views[history]
}

func newInlineWorld(t testing.TB, e aws.HTTPClient) *inlineWorld {
	t.Helper()
	w := &inlineWorld{t: t, e: e}
	client := clientOver(t, slowly{e})
	w.s = openStore(t, client, "events", eventstore.Sequenced(2))
	w.each, w.all = w.views(client)
	if err := schema.EnsureTables(t.Context(), w.each, w.all); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *inlineWorld) views(client ddb.Client) (each, all *eventstore.Views[history]) {
	w.t.Helper()
	each, err1 := eventstore.NewViews[history](client, "each")
	all, err2 := eventstore.NewViews[history](client, "all")
	if err := errors.Join(err1, err2); err != nil {
		w.t.Fatal(err)
	}
	return each, all
}

// process is a repository in a process that crashes at a given step.
func (w *inlineWorld) process(at int, how end) (*mortal, context.Context, *eventstore.Repository[int, noted]) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	m := &mortal{next: slowly{w.e}, at: at, end: how, cancel: cancel}
	client := clientOver(w.t, m)
	s, err := eventstore.New(client, "events", eventstore.Sequenced(2))
	if err != nil {
		w.t.Fatal(err)
	}
	each, all := w.views(client)
	change := func(h *history, events ...eventstore.Event) error { return h.apply(events...) }
	return m, ctx, eventstore.NewRepository(s, notedTypes(), func(n int, _ noted) int { return n + 1 }, eventstore.UpdateTries(200), eventstore.Inline(
		each.Inline(s, func(stream string) string { return stream }, change),
		all.Inline(s, func(string) string { return "all" }, change)))
}

// notes decides to append two events that contain the id of their commit.
func notes(id string) func(int) ([]noted, error) {
	return func(int) ([]noted, error) { return []noted{{id}, {id + " too"}}, nil }
}

// inStep reads a stream's head before and after its view: the view is never behind or ahead of the events.
func (w *inlineWorld) inStep(what, stream string) {
	w.t.Helper()
	head := func() int64 {
		for {
			h, err := w.s.Head(w.t.Context(), stream)
			if err == nil || errors.Is(err, ddb.ErrNotFound) {
				return h.Version
			}
		}
	}
	first := head()
	var seen, all int64
	for {
		v, err1 := w.each.Load(w.t.Context(), stream)
		a, err2 := w.all.Load(w.t.Context(), "all")
		if (err1 == nil || errors.Is(err1, ddb.ErrNotFound)) && (err2 == nil || errors.Is(err2, ddb.ErrNotFound)) {
			seen, all = v.Value.Last[stream], a.Value.Last[stream]
			break
		}
	}
	if last := head(); seen < first || seen > last || all < first || all > last {
		w.t.Errorf("%s: the stream had version %d before and %d after its views were read, which had %d and %d", what, first, last, seen, all)
	}
}

// equal compares the views with all events, and each id with the one commit that it may have written.
func (w *inlineWorld) equal(what string, streams, commits int) {
	w.t.Helper()
	total, ids := int64(0), map[string]int{}
	for i := range streams {
		stream := fmt.Sprint("stream-", i)
		want := folded(w.t, w.s, stream)
		v, err := w.each.Load(w.t.Context(), stream)
		if err != nil && !errors.Is(err, ddb.ErrNotFound) {
			w.t.Fatal(err)
		}
		if v.Value.Sum != want.Sum || v.Value.Wrong != 0 {
			w.t.Errorf("%s: the view of %s is %+v, the events give %+v", what, stream, v.Value, want)
		}
		for e, err := range w.s.Read(w.t.Context(), stream) {
			if err != nil {
				w.t.Fatal(err)
			}
			ids[e.CommitID]++
		}
		total += want.Last[stream]
	}
	a, err := w.all.Load(w.t.Context(), "all")
	if err != nil {
		w.t.Fatal(err)
	}
	n := int64(0)
	for _, last := range a.Value.Last {
		n += last
	}
	if n != total || a.Value.Wrong != 0 {
		w.t.Errorf("%s: the view of all has %+v, there are %d events", what, a.Value, total)
	}
	for id, n := range ids {
		if n != 2 {
			w.t.Errorf("%s: commit %s wrote %d events", what, id, n)
		}
	}
	if len(ids) != commits {
		w.t.Errorf("%s: %d commits are stored, %d were made", what, len(ids), commits)
	}
}

// TestInlineKilledAtEveryStep: a process that updates aggregates with inline projections crashes at each of its steps, or loses a request
// or a reply there, and another process repeats the command. Events and views are always complete and consistent..
func TestInlineKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	every := longtest.Every(5)
	for i, how := range []end{killedBefore, killedAfter, noRequest, noReply} {
		steps := 0
		for at, more := 1+i%every, true; more; at += every { // other steps for each
			synctest.Test(t, func(t *testing.T) {
				e := ddbtest.NewEngine()
				t.Cleanup(e.Close)
				w := newInlineWorld(t, e)
				what := fmt.Sprint(how, " ", at)
				// Events older than the views: the first update of each must catch up.
				plain := eventstore.NewRepository(w.s, notedTypes(), func(n int, _ noted) int { return n + 1 })
				if _, err := plain.Update(t.Context(), "stream-0", notes("before"), eventstore.CommitID("before")); err != nil {
					t.Fatal(err)
				}
				m, ctx, r := w.process(at, how)
				defer m.cancel()
				for i := range 4 {
					id, stream := fmt.Sprint("id-", i), fmt.Sprint("stream-", i%2)
					if _, err := r.Update(ctx, stream, notes(id), eventstore.CommitID(id)); err != nil {
						if !m.dead {
							t.Errorf("%s: %v", what, err)
						}
						var again *mortal
						again, ctx, r = w.process(0, "")
						defer again.cancel()
						if i > 0 {
							w.inStep(what, stream)
						}
						if _, err := r.Update(ctx, stream, notes(id), eventstore.CommitID(id)); err != nil {
							t.Errorf("%s: repeated: %v", what, err)
						}
					}
					w.inStep(what, "stream-0")
				}
				steps, more = m.steps, m.steps >= at
				w.equal(what, 2, 5)
			})
		}
		if t.Logf("%s: %d steps", how, steps); steps < 15 {
			t.Errorf("%s: only %d steps", how, steps)
		}
	}
}

// TestInlineWithCrashes: several processes write the same streams and views over a faulty network and crash at random steps, and others
// repeat their commands. A reader always sees views that match the events, and at the end each command has taken effect once in both.
func TestInlineWithCrashes(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	const writers, streams = 4, 3
	runs, commands := longtest.Size(20, 1), longtest.Either(25, 16)
	deaths := new(atomic.Int64)
	for run := range runs {
		synctest.Test(t, func(t *testing.T) {
			seed := uint64(run) + 1
			on := new(atomic.Bool)
			e := ddbtest.NewEngine(ddbtest.WithSeed(seed), ddbtest.WithFaults(storms(0.05, on)...))
			t.Cleanup(e.Close)
			w := newInlineWorld(t, e)
			on.Store(true)
			done := make(chan struct{})
			var wg, reader sync.WaitGroup
			for p := range writers {
				rng := rand.New(rand.NewPCG(seed, uint64(p)))
				wg.Go(func() {
					m, ctx, r := w.process(1+rng.IntN(60), killedBefore)
					for i := range commands {
						id, stream := fmt.Sprint("p", p, "-", i), fmt.Sprint("stream-", rng.IntN(streams))
						for try := 0; ; try++ {
							_, err := r.Update(ctx, stream, notes(id), eventstore.CommitID(id), eventstore.Dedup(time.Hour))
							if err == nil {
								break
							}
							if m.dead {
								deaths.Add(1)
								m.cancel()
								m, ctx, r = w.process(1+rng.IntN(60), []end{killedBefore, killedAfter}[rng.IntN(2)])
							} else if !errors.Is(err, eventstore.ErrAmbiguous) && !ddb.IsRetryable(err) && !failed(err) || try > 50 {
								t.Errorf("run %d: %v", run, err)
								break
							}
						}
					}
					m.cancel()
				})
			}
			reader.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-done:
						return
					case <-time.After(5 * time.Millisecond):
						w.inStep(fmt.Sprint("run ", run), fmt.Sprint("stream-", i%streams))
					}
				}
			})
			wg.Wait()
			close(done)
			reader.Wait()
			on.Store(false)
			<-time.After(time.Minute)
			w.equal(fmt.Sprint("run ", run), streams, writers*commands)
		})
	}
	if t.Logf("%d deaths", deaths.Load()); deaths.Load() < int64(5*runs) {
		t.Error("too few crashes")
	}
}
