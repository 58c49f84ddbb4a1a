// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb/eventstore"
)

// testBackfill: indexes that are added to a table with events are refused until they are filled, and are complete then.
func testBackfill(t *testing.T, factory Factory) {
	for name, common := range map[string][]eventstore.Option{"items": nil, "frames and a feed": {eventstore.Frames(1 << 10), eventstore.Sequenced(2)}} {
		now := time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC)
		noWait := eventstore.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
		common = append(common, noWait, eventstore.Clock(func() time.Time { now = now.Add(time.Hour); return now }))
		with := append(slices.Clone(common), eventstore.TimeBuckets(eventstore.Day, 3), eventstore.ByCategory(2, nil))
		before := factory(t, common...)
		wanted := map[string]bool{}
		fill := func(s *eventstore.Store, from, to int) {
			for i := from; i < to; i++ {
				stream := fmt.Sprint([]string{"a-", "b-"}[i%2], i%10)
				must(t, s, stream, eventstore.Any(), event(fmt.Sprint(i)), event(fmt.Sprint(i, "+")))
				wanted[fmt.Sprint(i)], wanted[fmt.Sprint(i, "+")] = true, true
			}
		}
		fill(before, 0, 40)
		must(t, before, "a-gone", eventstore.Any(), event("gone"))
		if err := before.Delete(t.Context(), "a-gone", eventstore.Any()); err != nil {
			t.Fatal(err)
		}
		after, err := eventstore.New(before.Client(), before.Name(), with...)
		if err != nil {
			t.Fatal(err)
		}
		if err := after.EnsureTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		// During a deployment both versions start and write.
		if err := before.EnsureTable(t.Context()); err != nil {
			t.Errorf("%s: the version before cannot start: %v", name, err)
		}
		for i := 40; i < 60; i += 2 {
			fill(before, i, i+1)
			fill(after, i+1, i+2)
		}
		feed := func() (got []string, err error) {
			for e, err := range after.TimeFeed(time.Time{}).Read(t.Context()) {
				if err != nil {
					return nil, err
				}
				got = append(got, string(e.Data))
			}
			return got, nil
		}
		streams := func() (names []string, err error) {
			for h, err := range after.Streams(t.Context(), "a") {
				if err != nil {
					return nil, err
				}
				names = append(names, h.Stream)
			}
			slices.Sort(names)
			return names, nil
		}
		_, err = feed()
		wantError(t, "the time feed before it is filled", err, eventstore.ErrSetup)
		_, err = streams()
		wantError(t, "the streams before they are filled", err, eventstore.ErrSetup)
		report, err := after.Backfill(t.Context())
		if err != nil || report.Filled == 0 {
			t.Fatalf("%s: %+v, %v", name, report, err)
		}
		fill(after, 60, 64)
		now = now.Add(time.Minute)
		wantedList := slices.Sorted(maps.Keys(wanted))
		got, err := feed()
		if slices.Sort(got); err != nil || !slices.Equal(got, wantedList) {
			t.Errorf("%s: the time feed has %d events, want %d, %v", name, len(got), len(wantedList), err)
		}
		names, err := streams()
		if text := strings.Join(names, " "); err != nil || text != "a-0 a-2 a-4 a-6 a-8" {
			t.Errorf("%s: streams %s, %v", name, text, err)
		}
		if report, err := after.Backfill(t.Context()); err != nil || report.Items != 0 {
			t.Errorf("%s: again: %+v, %v", name, report, err)
		}
		// From now on, every writer must have the option.
		for what, opts := range map[string][]eventstore.Option{
			"without": common, "without the time": append(slices.Clone(common), eventstore.ByCategory(2, nil)),
			"with other salts":      append(slices.Clone(common), eventstore.TimeBuckets(eventstore.Day, 4), eventstore.ByCategory(2, nil)),
			"with other units":      append(slices.Clone(common), eventstore.TimeBuckets(eventstore.Hour, 3), eventstore.ByCategory(2, nil)),
			"with other categories": append(slices.Clone(common), eventstore.TimeBuckets(eventstore.Day, 3), eventstore.ByCategory(3, nil)),
		} {
			other, err := eventstore.New(before.Client(), before.Name(), opts...)
			if err != nil {
				t.Fatal(err)
			}
			_, err = other.Append(t.Context(), "x", eventstore.Any(), event("x"))
			wantError(t, "an append "+what, err, eventstore.ErrSetup)
		}
	}
}
