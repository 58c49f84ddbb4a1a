// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

func testFeed(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(4))
	wanted := map[string]int{}
	for i := range 60 {
		stream := fmt.Sprint("s", i%7)
		must(t, s, stream, eventstore.Any(), eventstore.Events(events(1+i%3)))
		wanted[stream] += 1 + i%3
	}
	if _, err := s.Commit(t.Context(), eventstore.To("s0", eventstore.Any(), event("x")), eventstore.To("s1", eventstore.Any(), event("x"))); err != nil {
		t.Fatal(err)
	}
	wanted["s0"]++
	wanted["s1"]++
	got, numbers, commits := map[string]int{}, map[int]int64{}, 0
	for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		commits++
		if numbers[c.Shard]++; numbers[c.Shard] != c.Number {
			t.Errorf("shard %d: number %d after %d", c.Shard, c.Number, numbers[c.Shard]-1)
		}
		if c.CommitID == "" || c.RecordedAt.IsZero() || c.Last-c.First+1 != int64(len(c.Events)) {
			t.Errorf("commit %+v", c)
		}
		for _, e := range c.Events {
			if got[c.Stream]++; e.Version != int64(got[c.Stream]) || e.Stream != c.Stream || len(e.Data) == 0 {
				t.Errorf("%s: version %d after %d", c.Stream, e.Version, got[c.Stream]-1)
			}
		}
	}
	if commits != 62 || fmt.Sprint(got) != fmt.Sprint(wanted) {
		t.Errorf("%d commits %v, want 62 %v", commits, got, wanted)
	}
	end, err := s.Feed().End(t.Context())
	if err != nil || (eventstore.Position{}).Behind(end) != 62 {
		t.Errorf("end %s, %v", end, err)
	}
	if lag, err := s.Feed().Lag(t.Context(), end); lag != 0 || err != nil {
		t.Errorf("lag at the end: %d, %v", lag, err)
	}
	n := 0
	for shard := range 4 {
		for c, err := range s.Feed().ReadShard(t.Context(), shard, 1) {
			if err != nil || c.Shard != shard || c.Number < 2 {
				t.Fatalf("%+v, %v", c, err)
			}
			n++
		}
	}
	if n != 62-len(numbers) {
		t.Errorf("%d commits after the first of each shard, want %d", n, 62-len(numbers))
	}
}

func testFeedResumes(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(4))
	for i := range 40 {
		must(t, s, fmt.Sprint("s", i%5), eventstore.Any(), event(strconv.Itoa(i)))
	}
	var at eventstore.Position
	seen := map[string]bool{}
	for range 200 { // by one commit at a time, over the text of the position
		stopped := false
		for c, err := range s.Feed().Read(t.Context(), at) {
			if err != nil {
				t.Fatal(err)
			}
			if data := string(c.Events[0].Data); seen[data] {
				t.Errorf("event %s came twice", data)
			}
			seen[string(c.Events[0].Data)] = true
			var err2 error
			if at, err2 = eventstore.ParsePosition(at.After(c).String()); err2 != nil {
				t.Fatal(err2)
			}
			stopped = true
			break
		}
		if !stopped {
			break
		}
	}
	if len(seen) != 40 {
		t.Errorf("%d events, want 40", len(seen))
	}
	for _, text := range []string{"x", "p1:1,-2", "p1:a", "p2:1", "p1:1,,2"} {
		if _, err := eventstore.ParsePosition(text); err == nil {
			t.Errorf("%q is a position", text)
		}
	}
	far, err := eventstore.ParsePosition("p1:1,1,1,1,1,1")
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, "a position of another feed", firstError(s.Feed().Read(t.Context(), far)), ddb.ErrInvalid)
}

func testFeedSetup(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(2))
	must(t, s, "s", eventstore.NoStream(), event("a"))
	for _, opts := range [][]eventstore.Option{nil, {eventstore.Sequenced(4)}} {
		other, err := eventstore.New(s.Client(), s.Name(), opts...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = other.Append(t.Context(), "s", eventstore.Exactly(1), event("b"))
		wantError(t, "an append by a store with another feed", err, eventstore.ErrSetup)
	}
	want(t, "stream", read(t, s, "s"), "1:a")
}

// positions is a store of positions in memory.
type positions struct {
	mu    sync.Mutex
	at    map[string]int64
	saves int
	err   error
}

func (p *positions) Load(_ context.Context, consumer, partition string) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at[consumer+"/"+partition], nil
}

func (p *positions) Save(_ context.Context, consumer, partition string, position int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	if p.at == nil {
		p.at = map[string]int64{}
	}
	p.saves++
	p.at[consumer+"/"+partition] = max(p.at[consumer+"/"+partition], position)
	return nil
}

func testSubscribe(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(4), eventstore.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))
	for i := range 30 {
		must(t, s, fmt.Sprint("s", i%5), eventstore.Any(), event(strconv.Itoa(i)))
	}
	p := new(positions)
	var mu sync.Mutex
	versions := map[string]int64{}
	handle := func(_ context.Context, c eventstore.Commit) error {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range c.Events {
			if versions[e.Stream]++; versions[e.Stream] != e.Version {
				t.Errorf("%s: version %d after %d", e.Stream, e.Version, versions[e.Stream]-1)
			}
		}
		return nil
	}
	total := func() int64 {
		mu.Lock()
		defer mu.Unlock()
		n := int64(0)
		for _, v := range versions {
			n += v
		}
		return n
	}
	if err := s.Feed().Subscribe(t.Context(), "c", p, handle, eventstore.UntilEnd(), eventstore.SaveEvery(1)); err != nil || total() != 30 {
		t.Fatalf("caught up with %d events, %v", total(), err)
	}
	if p.saves != 30 {
		t.Errorf("%d saves, want 30", p.saves)
	}
	// It continues where it stopped, and follows. It looks again when there is more, or when all is written.
	written := make(chan struct{}, 1)
	follower, err := eventstore.New(s.Client(), s.Name(), eventstore.Sequenced(4), eventstore.Waits(func(ctx context.Context, _ time.Duration) error {
		select {
		case <-written:
		case <-ctx.Done():
		}
		return ctx.Err()
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- follower.Feed().Subscribe(ctx, "c", p, func(ctx context.Context, c eventstore.Commit) error {
			defer func() {
				if total() == 60 {
					stop()
				}
			}()
			return handle(ctx, c)
		}, eventstore.Concurrency(2))
	}()
	for i := range 30 {
		must(t, s, fmt.Sprint("s", i%5), eventstore.Any(), event(strconv.Itoa(i)))
		select {
		case written <- struct{}{}:
		default: // it has not looked yet
		}
	}
	close(written)
	if err := <-ended; !errors.Is(err, context.Canceled) || total() != 60 {
		t.Errorf("followed to %d events, %v", total(), err)
	}
	// Some shards only.
	n := 0
	if err := s.Feed().Subscribe(t.Context(), "d", p, func(_ context.Context, c eventstore.Commit) error {
		if n++; c.Shard != 1 && c.Shard != 2 {
			t.Errorf("a commit of shard %d", c.Shard)
		}
		return nil
	}, eventstore.UntilEnd(), eventstore.Shards(2, 1, 2), eventstore.Concurrency(1)); err != nil {
		t.Error(err)
	}
}

func testSubscribeFails(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(1), eventstore.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))
	for i := range 5 {
		must(t, s, "s", eventstore.Exactly(int64(i)), event(strconv.Itoa(i)))
	}
	broken := errors.New("broken")
	p, calls := new(positions), []int64{}
	handle := func(_ context.Context, c eventstore.Commit) error {
		if calls = append(calls, c.Number); c.Number == 3 {
			return broken
		}
		return nil
	}
	err := s.Feed().Subscribe(t.Context(), "c", p, handle, eventstore.Retries(2), eventstore.UntilEnd())
	if !errors.Is(err, broken) || fmt.Sprint(calls) != "[1 2 3 3 3]" || p.at["c/0"] != 2 {
		t.Errorf("stopped with %v after %v at %v", err, calls, p.at)
	}
	calls = nil
	var dead []int64
	err = s.Feed().Subscribe(t.Context(), "c", p, handle, eventstore.Retries(0), eventstore.UntilEnd(), eventstore.OnFailure(func(_ context.Context, c eventstore.Commit, err error) error {
		dead = append(dead, c.Number)
		return nil
	}))
	if err != nil || fmt.Sprint(calls) != "[3 4 5]" || fmt.Sprint(dead) != "[3]" {
		t.Errorf("skipped %v with %v after %v", dead, err, calls)
	}
	fenced := errors.New("fenced")
	err = s.Feed().Subscribe(t.Context(), "d", &positions{err: fenced}, func(context.Context, eventstore.Commit) error { return nil }, eventstore.UntilEnd())
	wantError(t, "positions that belong to another", err, fenced)
	err = s.Feed().Subscribe(t.Context(), "", nil, nil, eventstore.Shards(7), eventstore.Concurrency(0))
	wantError(t, "bad input", err, ddb.ErrInvalid)
}

// testTimeFeed covers ends of months, a leap day and daylight saving changes, with clocks in several zones.
func testTimeFeed(t *testing.T, factory Factory) {
	zones := []*time.Location{time.UTC, time.FixedZone("+14", 14*3600), time.FixedZone("-11:30", -11*3600-1800)}
	for _, name := range []string{"Europe/Berlin", "America/New_York"} {
		if zone, err := time.LoadLocation(name); err == nil { // not every machine knows them
			zones = append(zones, zone)
		}
	}
	for _, unit := range []eventstore.BucketUnit{eventstore.Month, eventstore.Day, eventstore.Hour} {
		for _, zone := range zones {
			t.Run(string(unit)+" "+zone.String(), func(t *testing.T) { testTimeFeedIn(t, factory, unit, zone) })
		}
	}
}

func testTimeFeedIn(t *testing.T, factory Factory, unit eventstore.BucketUnit, zone *time.Location) {
	// The beginning of daylight saving time in both zones; with hours, only the days around it.
	now, step := time.Date(2024, 2, 28, 22, 0, 0, 0, time.UTC), 9*time.Hour
	if unit == eventstore.Hour {
		now, step = time.Date(2024, 3, 9, 22, 0, 0, 0, time.UTC), 35*time.Minute
		if zone.String() == "Europe/Berlin" {
			now = now.AddDate(0, 0, 21)
		}
	}
	s := factory(t, eventstore.TimeBuckets(unit, 3), eventstore.Clock(func() time.Time { return now.In(zone) }))
	var wanted []string
	for i := range 100 {
		must(t, s, fmt.Sprint("s", i%4), eventstore.Any(), event(strconv.Itoa(i)))
		wanted = append(wanted, strconv.Itoa(i))
		now = now.Add(step)
	}
	f := s.TimeFeed(time.Time{}, eventstore.HoldBack(time.Minute))
	gather := func() []string {
		t.Helper()
		var got []string
		for e, err := range f.Read(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(e.Data))
		}
		return got
	}
	if got := gather(); !slices.Equal(got, wanted) {
		t.Errorf("all: %v, want %v", got, wanted)
	}
	if got := gather(); got != nil {
		t.Errorf("nothing new: %v", got)
	}
	must(t, s, "s0", eventstore.Any(), event("new"))
	if got := gather(); got != nil {
		t.Errorf("held back: %v", got)
	}
	late := now.Add(-30 * time.Second)
	now = now.Add(time.Minute)
	if got := gather(); !slices.Equal(got, []string{"new"}) {
		t.Errorf("after the hold-back: %v", got)
	}
	back := now
	now = late // a writer whose clock is late
	must(t, s, "s1", eventstore.Any(), event("late"))
	now = back
	if got := gather(); !slices.Equal(got, []string{"late"}) {
		t.Errorf("late, but within the window: %v", got)
	}
	resumed := s.TimeFeed(f.Cursor(), eventstore.HoldBack(time.Minute))
	for e, err := range resumed.Read(t.Context()) {
		if err != nil || string(e.Data) != "new" && string(e.Data) != "late" {
			t.Errorf("resumed, beyond the window: %s, %v", e.Data, err)
		}
	}
}

func testIndexes(t *testing.T, factory Factory) {
	s := factory(t, eventstore.ByCorrelation(), eventstore.ByCausation(), eventstore.ByCategory(2, nil))
	for i := range 30 {
		e := event(strconv.Itoa(i))
		e.CorrelationID, e.CausationID = fmt.Sprint("corr", i%2), fmt.Sprint("caus", i%3)
		must(t, s, fmt.Sprint([]string{"a-", "b-"}[i%2], i/10), eventstore.Any(), e, eventstore.NewEvent{Type: "lonely"})
	}
	for what, tc := range map[string]struct {
		seq  func(func(eventstore.Event, error) bool)
		want int
	}{
		"correlated": {s.Correlated(t.Context(), "corr1"), 15}, "caused": {s.Caused(t.Context(), "caus2"), 10}, "nothing": {s.Caused(t.Context(), "none"), 0},
	} {
		n := 0
		for e, err := range tc.seq {
			if err != nil || len(e.Data) == 0 || e.Type != "happened" || e.Stream == "" {
				t.Fatalf("%s: %+v, %v", what, e, err)
			}
			n++
		}
		if n != tc.want {
			t.Errorf("%s: %d events, want %d", what, n, tc.want)
		}
	}
	categories := func() string {
		var names []string
		for h, err := range s.Streams(t.Context(), "a") {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, fmt.Sprintf("%s:%d", h.Stream, h.Version))
		}
		return strings.Join(names, " ")
	}
	want(t, "streams", categories(), "a-0:10 a-1:10 a-2:10")
	if err := s.Delete(t.Context(), "a-1", eventstore.Any()); err != nil {
		t.Fatal(err)
	}
	want(t, "streams without a deleted one", categories(), "a-0:10 a-2:10")
}
