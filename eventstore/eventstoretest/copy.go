// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/schema"
)

// testCopy: a store is copied to one with another feed, call after call while it is written to, and the copy is complete.
func testCopy(t *testing.T, factory Factory) {
	for name, tc := range map[string]struct{ from, to []eventstore.Option }{
		"more shards":   {[]eventstore.Option{eventstore.Sequenced(2)}, []eventstore.Option{eventstore.Sequenced(8)}},
		"a feed at all": {nil, []eventstore.Option{eventstore.Sequenced(2), eventstore.TimeBuckets(eventstore.Month, 2), eventstore.ByCategory(1, nil)}},
		"frames":        {[]eventstore.Option{eventstore.Frames(1 << 10)}, []eventstore.Option{eventstore.Sequenced(4), eventstore.Frames(4 << 10)}},
	} {
		t.Run(name, func(t *testing.T) {
			m := new(memory)
			now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
			clock := eventstore.Clock(func() time.Time { now = now.Add(time.Minute); return now })
			from := factory(t, append(slices.Clone(tc.from), eventstore.Offload(m, 600), clock)...)
			to, err := eventstore.New(from.Client(), from.Name()+"-copy", append(slices.Clone(tc.to), eventstore.Offload(m, 600))...)
			if err != nil {
				t.Fatal(err)
			}
			if err := to.EnsureTable(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer to.DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(to.Name()))
			n := 0
			write := func(times int) {
				for range times {
					n++
					e := event(fmt.Sprint(n))
					e.Metadata, e.CorrelationID = map[string]string{"n": fmt.Sprint(n)}, "corr"
					list := []eventstore.NewEvent{e, event("second")}
					if n%5 == 0 {
						list = append(list, event(strings.Repeat("large", 200)))
					}
					must(t, from, fmt.Sprint("s-", n%7), eventstore.Any(), eventstore.Events(list), eventstore.CommitID(fmt.Sprint("c", n)))
				}
			}
			check := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(t, from, "marked", eventstore.Any(), event("m"), eventstore.CommitID("marked"), eventstore.Dedup(1000*time.Hour))
			for range 10 {
				must(t, from, "marked", eventstore.Any(), event("x"))
			}
			write(40)
			check(from.Truncate(t.Context(), "s-1", 4))
			check(from.Scrub(t.Context(), "s-2", 1, 2))
			check(from.Delete(t.Context(), "s-3", eventstore.Any()))
			first, err := eventstore.Copy(t.Context(), from, to)
			if check(err); first.Commits == 0 || first.Streams != 8 {
				t.Errorf("first: %+v", first)
			}
			again, err := eventstore.Copy(t.Context(), from, to)
			if check(err); again.Commits != 0 || again.Events != 0 {
				t.Errorf("nothing new: %+v", again)
			}
			n++ // the deleted stream takes no more
			for n%7 == 3 {
				n++
			}
			for range 5 {
				for (n+1)%7 == 3 {
					n++
				}
				write(1)
			}
			check(from.Truncate(t.Context(), "s-4", 6))
			check(from.Delete(t.Context(), "s-5", eventstore.Any()))
			_, err = eventstore.Copy(t.Context(), from, to)
			check(err)
			for _, stream := range []string{"marked", "s-0", "s-1", "s-2", "s-3", "s-4", "s-5", "s-6"} {
				a, b := allOf(t, from, stream), allOf(t, to, stream)
				if diff := cmp.Diff(a, b, cmpopts.IgnoreUnexported(eventstore.Event{}), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s (-source +copy):\n%s", stream, diff)
				}
			}
			// The feed has every existing commit, in the order of its stream.
			last, events := map[string]int64{}, 0
			for c, err := range to.Feed().Read(t.Context(), eventstore.Position{}) {
				if check(err); c.First <= last[c.Stream] {
					t.Errorf("%s: version %d after %d", c.Stream, c.First, last[c.Stream])
				}
				last[c.Stream] = c.Last
				events += len(c.Events)
			}
			if events == 0 {
				t.Error("the feed is empty")
			}
			// Repeats are recognised, and writing goes on.
			again2 := must(t, to, "marked", eventstore.Any(), event("m"), eventstore.CommitID("marked"), eventstore.Dedup(1000*time.Hour))
			if !again2.Deduplicated {
				t.Errorf("a repeat with a marker: %+v", again2)
			}
			head, err := to.Head(t.Context(), "s-1")
			check(err)
			if done := must(t, to, "s-1", eventstore.Exactly(head.Version), event("new")); done.First != head.Version+1 {
				t.Errorf("going on: %+v", done)
			}
			_, err = eventstore.Copy(t.Context(), to, to)
			wantError(t, "a copy onto itself", err, ddb.ErrInvalid)
		})
	}
}

// allOf reads a stream, and how it ended.
func allOf(t *testing.T, s *eventstore.Store, stream string) (list []eventstore.Event) {
	t.Helper()
	for e, err := range s.Read(t.Context(), stream) {
		if err != nil {
			return append(list, eventstore.Event{Type: err.Error()})
		}
		list = append(list, e)
	}
	return list
}
