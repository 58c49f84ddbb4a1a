// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/consumers"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/schema"
)

// fragile is a handler that fails for some data.
type fragile struct {
	mu      sync.Mutex
	broken  map[string]bool
	handled []string
	calls   int
	again   int // commits that were replayed
}

var errBroken = errors.New("broken")

func (f *fragile) handle(_ context.Context, c eventstore.Commit) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	var text strings.Builder
	text.WriteString(c.Stream)
	for _, e := range c.Events {
		if f.broken[string(e.Data)] {
			return fmt.Errorf("%w by %s", errBroken, e.Data)
		}
		text.WriteString(":" + string(e.Data))
	}
	if c.Replayed {
		f.again++
	}
	f.handled = append(f.handled, text.String())
	return nil
}

// testPark: a commit that fails is set aside together with later ones of its stream, and is delivered again in order.
func testPark(t *testing.T, factory Factory) {
	for name, opts := range map[string][]eventstore.Option{"items": nil, "frames": {eventstore.Frames(4 << 10)}} {
		t.Run(name, func(t *testing.T) { testParkIn(t, factory, opts) })
	}
}

func testParkIn(t *testing.T, factory Factory, opts []eventstore.Option) {
	s := factory(t, append(opts, eventstore.Sequenced(1), eventstore.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))...)
	for _, data := range []string{"1", "bad", "3", "4"} {
		for _, stream := range []string{"a", "b"} {
			if data == "bad" && stream == "b" {
				data = "2"
			}
			must(t, s, stream, eventstore.Any(), event(stream+data), event("x"))
		}
	}
	f, p := &fragile{broken: map[string]bool{"abad": true}}, new(positions)
	run := func() {
		t.Helper()
		if err := s.Feed().Subscribe(t.Context(), "c#1", p, f.handle, eventstore.UntilEnd(), eventstore.Retries(1), eventstore.Park(0)); err != nil {
			t.Fatal(err)
		}
	}
	parked := func() (text string) {
		t.Helper()
		for is, err := range s.Feed().Parked(t.Context(), "c#1") {
			if err != nil {
				t.Fatal(err)
			}
			if is.At.IsZero() || is.CommitID == "" || (is.Reason != "") != (is.Attempts > 0) || is.Consumer != "c#1" {
				t.Errorf("parked: %+v %v", is, is.At)
			}
			text += fmt.Sprintf("%s %d-%d %d %t,", is.Stream, is.First, is.Last, is.Attempts, is.Replay)
		}
		return text
	}
	run()
	want(t, "handled", strings.Join(f.handled, " "), "a:a1:x b:b1:x b:b2:x b:b3:x b:b4:x")
	want(t, "parked", parked(), "a 3-4 2 false,a 5-6 0 false,a 7-8 0 false,")
	run() // nothing is delivered again without a request, and new commits wait
	must(t, s, "a", eventstore.Any(), event("a5"))
	run()
	want(t, "parked", parked(), "a 3-4 2 false,a 5-6 0 false,a 7-8 0 false,a 9-9 0 false,")
	// It fails again.
	replay := func(wanted int, streams ...string) {
		t.Helper()
		if n, err := s.Feed().Replay(t.Context(), "c#1", streams...); err != nil || n != wanted {
			t.Errorf("replay of %v: %d, %v", streams, n, err)
		}
	}
	replay(0, "b")
	replay(4, "a", "b")
	run()
	want(t, "parked after a replay that failed", parked(), "a 3-4 4 false,a 5-6 0 true,a 7-8 0 true,a 9-9 0 true,")
	// It succeeds.
	f.broken, f.handled = map[string]bool{"a4": true}, nil
	replay(4)
	run()
	want(t, "handled by a replay", strings.Join(f.handled, " "), "a:abad:x a:a3:x")
	want(t, "parked after a replay in part", parked(), "a 7-8 2 false,a 9-9 0 true,")
	for is, err := range s.Feed().Parked(t.Context(), "c#1") {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Feed().Discard(t.Context(), is); err != nil {
			t.Fatal(err)
		}
		break
	}
	run()
	want(t, "handled after it was discarded", strings.Join(f.handled, " "), "a:abad:x a:a3:x a:a5")
	want(t, "parked", parked(), "")
	must(t, s, "a", eventstore.Any(), event("a6"))
	f.handled = nil
	run()
	want(t, "handled when nothing is parked", strings.Join(f.handled, " "), "a:a6")
	if f.again != 3 {
		t.Errorf("%d commits came again, want 3", f.again)
	}
	wantError(t, "parked without a name", firstError(s.Feed().Parked(t.Context(), "")), ddb.ErrInvalid)
	wantError(t, "park and save", s.Feed().Subscribe(t.Context(), "c", p, f.handle, eventstore.Park(1), eventstore.HandlerSaves()), ddb.ErrInvalid)
}

// testParkLimit: beyond the limit the subscription ends, and has lost nothing.
func testParkLimit(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(1), eventstore.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))
	f, p := &fragile{broken: map[string]bool{}}, new(positions)
	for i := range 6 {
		must(t, s, fmt.Sprint("s", i), eventstore.Any(), event(fmt.Sprint(i)))
		f.broken[fmt.Sprint(i)] = i > 0
	}
	err := s.Feed().Subscribe(t.Context(), "c", p, f.handle, eventstore.UntilEnd(), eventstore.Retries(0), eventstore.Park(3))
	if !errors.Is(err, errBroken) || p.at["c/0"] != 4 {
		t.Errorf("ended at %v with %v", p.at, err)
	}
	f.broken = nil
	if n, err := s.Feed().Replay(t.Context(), "c"); n != 3 || err != nil {
		t.Errorf("replay: %d, %v", n, err)
	}
	if err := s.Feed().Subscribe(t.Context(), "c", p, f.handle, eventstore.UntilEnd(), eventstore.Park(3)); err != nil || len(f.handled) != 6 {
		t.Errorf("handled %v, %v", f.handled, err)
	}
}

// testParkViews: a view of many streams applies a replayed commit after later ones, once.
func testParkViews(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(1), eventstore.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))
	views, err := eventstore.NewViews[int](s.Client(), s.Name()+"-views")
	if err == nil {
		err = views.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer views.Table().DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(views.Table().Name()))
	for i := range 6 {
		must(t, s, fmt.Sprint("s", i%2), eventstore.Any(), event("x"))
	}
	broken := true
	run := func() {
		t.Helper()
		err := s.Feed().Subscribe(t.Context(), "c", new(positions), func(ctx context.Context, c eventstore.Commit) error { // each time from the beginning
			if broken && c.Stream == "s0" {
				return errBroken
			}
			return views.ApplyCommit(ctx, "all", c, func(n *int) error { *n += len(c.Events); return nil })
		}, eventstore.UntilEnd(), eventstore.Retries(0), eventstore.Park(0))
		if err != nil {
			t.Fatal(err)
		}
	}
	run()
	broken = false
	if n, err := s.Feed().Replay(t.Context(), "c"); n != 3 || err != nil {
		t.Errorf("replay: %d, %v", n, err)
	}
	run()
	if v, err := views.Load(t.Context(), "all"); err != nil || v.Value != 6 {
		t.Errorf("the view counts %d events of 6, %v", v.Value, err)
	}
}

// testFigures: a running subscription is listed with what it has done and what is left.
func testFigures(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(2), eventstore.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))
	for i := range 10 {
		must(t, s, fmt.Sprint("s", i), eventstore.Any(), event(fmt.Sprint(i)))
	}
	figures := func() (is consumers.Stats, found bool) {
		for _, c := range consumers.List() {
			if c.Table == s.Name() {
				is, found = c, true
			}
		}
		return is, found
	}
	var first, last consumers.Stats
	n := 0
	err := s.Feed().Subscribe(t.Context(), "c", new(positions), func(_ context.Context, c eventstore.Commit) error {
		last, _ = figures()
		if n++; n == 1 {
			first = last
		}
		if c.Stream == "s3" {
			return errBroken
		}
		return nil
	}, eventstore.UntilEnd(), eventstore.Concurrency(1), eventstore.Retries(2), eventstore.Park(0))
	if err != nil {
		t.Fatal(err)
	}
	if first.Kind != "feed" || first.Consumer != "c" || first.Shards < 1 || first.Handled != 0 || first.Lag < 1 || first.Age <= 0 || first.GivenUp != 0 {
		t.Errorf("at the first commit: %+v", first)
	}
	// The last commit itself is not reported yet.
	if done := last.Handled + last.GivenUp; done < 9 || last.Lag != 1 || last.Retries < 2 || last.Parked > 1 {
		t.Errorf("at the last commit: %+v", last)
	}
	if is, found := figures(); found {
		t.Errorf("listed after its end: %+v", is)
	}
}
