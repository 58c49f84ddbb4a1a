// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/eventstore"
)

// filtered lists filters and the streams and types that they select.
var filtered = map[string]struct {
	filters []eventstore.FeedFilter
	stream  func(string) bool
	types   []string // nil: all
}{
	"prefix":      {[]eventstore.FeedFilter{eventstore.StreamPrefix("order-1", "x")}, func(s string) bool { return strings.HasPrefix(s, "order-1") }, nil},
	"category":    {[]eventstore.FeedFilter{eventstore.InCategory("account")}, func(s string) bool { return strings.HasPrefix(s, "account-") }, nil},
	"type":        {[]eventstore.FeedFilter{eventstore.OfType("closed")}, func(string) bool { return true }, []string{"closed"}},
	"two types":   {[]eventstore.FeedFilter{eventstore.OfType("closed", "renamed")}, func(string) bool { return true }, []string{"closed", "renamed"}},
	"old type":    {[]eventstore.FeedFilter{eventstore.OfType("named")}, func(string) bool { return true }, []string{}},
	"both":        {[]eventstore.FeedFilter{eventstore.OfType("opened", "closed"), eventstore.InCategory("order"), eventstore.OfType("opened")}, func(s string) bool { return strings.HasPrefix(s, "order-") }, []string{"opened"}},
	"nothing":     {[]eventstore.FeedFilter{eventstore.InCategory("none")}, func(string) bool { return false }, nil},
	"no filter":   {nil, func(string) bool { return true }, nil},
	"long, types": {[]eventstore.FeedFilter{eventstore.OfType(longType)}, func(string) bool { return true }, []string{longType}},
}

var longType = strings.Repeat("long", 100) // more than a row of the feed has room for

// testFilters compares the result of every filter with all commits, for each way to read them.
func testFilters(t *testing.T, factory Factory) {
	up := eventstore.Upcaster{Type: "named", Schema: 1, Up: func(e eventstore.Event) (eventstore.Event, error) {
		e.Type = "renamed"
		return e, nil
	}}
	for name, opts := range map[string][]eventstore.Option{"items": nil, "frames": {eventstore.Frames(4 << 10)}} {
		t.Run(name, func(t *testing.T) {
			s := factory(t, append(opts, eventstore.Sequenced(2), eventstore.Upcast(up), eventstore.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))...)
			rng := rand.New(rand.NewPCG(1, 2))
			types := []string{"opened", "closed", "named", "deposited", longType}
			for range 60 {
				var list []eventstore.NewEvent
				for range 1 + rng.IntN(3) {
					list = append(list, eventstore.NewEvent{Type: types[rng.IntN(len(types))], Data: []byte("x")})
				}
				must(t, s, fmt.Sprint([]string{"account-", "order-"}[rng.IntN(2)], rng.IntN(12)), eventstore.Any(), eventstore.Events(list))
			}
			var all []eventstore.Commit
			for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, c)
			}
			for name, tc := range filtered {
				var wanted []string
				for _, c := range all {
					var kept []eventstore.Event
					for _, e := range c.Events {
						if tc.stream(c.Stream) && (tc.types == nil || slices.Contains(tc.types, e.Type)) {
							kept = append(kept, e)
						}
					}
					if len(kept) > 0 {
						wanted = append(wanted, commitText(c, kept))
					}
				}
				checkFiltered(t, name, s.Feed().Filter(tc.filters...), wanted)
			}
		})
	}
	s := factory(t, eventstore.Sequenced(1))
	for _, f := range []eventstore.FeedFilter{eventstore.OfType(), eventstore.StreamPrefix(""), eventstore.InCategory("a", "")} {
		wantError(t, "a filter of nothing", firstError(s.Feed().Filter(f).Read(t.Context(), eventstore.Position{})), ddb.ErrInvalid)
		wantError(t, "a filter of nothing, last", firstError(s.Feed().Filter(f).Last(t.Context(), 1)), ddb.ErrInvalid)
		wantError(t, "a filter of nothing, subscribed", s.Feed().Filter(f).Subscribe(t.Context(), "c", new(positions), func(context.Context, eventstore.Commit) error { return nil }), ddb.ErrInvalid)
	}
	wantError(t, "the last 0 commits", firstError(s.Feed().Last(t.Context(), 0)), ddb.ErrInvalid)
}

func commitText(c eventstore.Commit, events []eventstore.Event) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d/%d %s", c.Shard, c.Number, c.Stream)
	for _, e := range events {
		fmt.Fprintf(&text, " %d:%s", e.Version, e.Type)
	}
	return text.String()
}

func checkFiltered(t *testing.T, name string, feed *eventstore.Feed, wanted []string) {
	t.Helper()
	gather := func(seq func(func(eventstore.Commit, error) bool)) (list []string) {
		for c, err := range seq {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c.Truncated != 0 {
				t.Errorf("%s: a commit lacks %d events as truncated", name, c.Truncated)
			}
			list = append(list, commitText(c, c.Events))
		}
		return list
	}
	compare := func(way string, got, wanted []string) {
		t.Helper()
		got, wanted = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(wanted))
		if !slices.Equal(got, wanted) {
			t.Errorf("%s, %s: %q\nwant %q", name, way, got, wanted)
		}
	}
	read := gather(feed.Read(t.Context(), eventstore.Position{}))
	compare("read", read, wanted)
	compare("shards", append(gather(feed.ReadShard(t.Context(), 0, 0)), gather(feed.ReadShard(t.Context(), 1, 0))...), wanted)
	compare("last", gather(feed.Last(t.Context(), 1000)), wanted)
	for _, n := range []int{1, 7} {
		last := gather(feed.Last(t.Context(), n))
		if len(last) != min(n, len(wanted)) {
			t.Errorf("%s: the last %d are %d", name, n, len(last))
		}
		newest := slices.Clone(read)
		slices.Reverse(newest)
		if len(last) > 0 && n == 1 && !slices.Contains(newest[:min(len(newest), 2)], last[0]) {
			t.Errorf("%s: the last commit is %s, the last that was read %s", name, last[0], newest[0])
		}
	}
	var handled []string
	p := new(positions)
	err := feed.Subscribe(t.Context(), name, p, func(_ context.Context, c eventstore.Commit) error {
		handled = append(handled, commitText(c, c.Events))
		return nil
	}, eventstore.UntilEnd(), eventstore.Concurrency(1))
	if err != nil {
		t.Errorf("%s: subscribe: %v", name, err)
	}
	compare("subscription", handled, wanted)
	end, err := feed.End(t.Context())
	if err != nil || p.at[name+"/0"] != end.Of(0) || p.at[name+"/1"] != end.Of(1) {
		t.Errorf("%s: the subscription ended at %v, the feed at %s, %v", name, p.at, end, err)
	}
}

// testFilterCost: dropped commits cost their rows, but not their events nor a save of the position.
func testFilterCost(t *testing.T, factory Factory) {
	ledger := cost.NewLedger()
	s := factory(t, eventstore.Sequenced(1), eventstore.TableOptions(ddb.WithLedger(ledger)))
	for i := range 50 {
		must(t, s, fmt.Sprint("account-", i), eventstore.NoStream(), eventstore.NewEvent{Type: "opened", Data: make([]byte, 3000)})
	}
	must(t, s, "order-1", eventstore.NoStream(), eventstore.NewEvent{Type: "placed"})
	for name, filter := range map[string]eventstore.FeedFilter{
		"prefix": eventstore.StreamPrefix("order-"), "category": eventstore.InCategory("order"), "type": eventstore.OfType("placed"),
	} {
		p := new(positions)
		ledger.Reset()
		n := 0
		if err := s.Feed().Filter(filter).Subscribe(t.Context(), "c", p, func(context.Context, eventstore.Commit) error { n++; return nil }, eventstore.UntilEnd()); err != nil || n != 1 {
			t.Errorf("%s: %d commits, %v", name, n, err)
		}
		// The counters, rows of 51 commits (3 units), and the one event.
		if units := ledger.Snapshot().Read(); units > 8 || p.saves != 1 {
			t.Errorf("%s: %g read units and %d saves for one commit of 51", name, units, p.saves)
		}
	}
}

func testLastEvents(t *testing.T, factory Factory) {
	for name, opts := range map[string][]eventstore.Option{"items": nil, "frames": {eventstore.Frames(4 << 10)}} {
		s := factory(t, opts...)
		must(t, s, "s", eventstore.NoStream(), eventstore.Events(events(5)))
		must(t, s, "s", eventstore.Exactly(5), eventstore.Events(events(3)))
		for _, tc := range []struct {
			opts []eventstore.ReadOption
			want string
		}{
			{[]eventstore.ReadOption{eventstore.Last(1)}, "8:3"},
			{[]eventstore.ReadOption{eventstore.Last(4)}, "5:5 6:1 7:2 8:3"},
			{[]eventstore.ReadOption{eventstore.Last(99)}, "1:1 2:2 3:3 4:4 5:5 6:1 7:2 8:3"},
			{[]eventstore.ReadOption{eventstore.Last(2), eventstore.UpTo(4)}, "3:3 4:4"},
			{[]eventstore.ReadOption{eventstore.Last(4), eventstore.From(7)}, "7:2 8:3"},
			{[]eventstore.ReadOption{eventstore.Last(2), eventstore.Backward()}, "8:3 7:2"},
			{[]eventstore.ReadOption{eventstore.Last(3), eventstore.Limit(2)}, "6:1 7:2"},
		} {
			want(t, fmt.Sprint(name, ": last events"), read(t, s, "s", tc.opts...), tc.want)
		}
		want(t, "the last of no stream", read(t, s, "none", eventstore.Last(2)), "")
		if err := s.Truncate(t.Context(), "s", 6); err != nil {
			t.Fatal(err)
		}
		want(t, "the last of what is left", read(t, s, "s", eventstore.Last(5)), "6:1 7:2 8:3")
		wantError(t, "the last 0", firstError(s.Read(t.Context(), "s", eventstore.Last(0))), ddb.ErrInvalid)
	}
}
