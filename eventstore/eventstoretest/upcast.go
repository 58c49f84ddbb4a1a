// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// splitting returns upcasters that turn one event into movements of several accounts, and drop another event.
func splitting() eventstore.Option {
	into := func(events ...eventstore.Event) func(eventstore.Event) ([]eventstore.Event, error) {
		return func(eventstore.Event) ([]eventstore.Event, error) { return events, nil }
	}
	return eventstore.Upcast(
		eventstore.Upcaster{Type: "many", Schema: 1, Into: func(e eventstore.Event) (list []eventstore.Event, err error) {
			for n := range bytes.FieldsSeq(e.Data) {
				list = append(list, eventstore.Event{Type: "in", Schema: 1, Data: []byte(`{"Amount":` + string(n) + `}`), Version: 99, Stream: "forged"})
			}
			return list, nil
		}},
		eventstore.Upcaster{Type: "noise", Schema: 1, Into: into()},
		// Steps: a part is converted further by other upcasters.
		eventstore.Upcaster{Type: "pair", Schema: 1, Into: into(eventstore.Event{Type: "many", Schema: 1, Data: []byte("1 2")}, eventstore.Event{Type: "noise", Schema: 1},
			eventstore.Event{Type: "out", Schema: 1, Data: []byte(`{"Amount":3}`)})},
		eventstore.Upcaster{Type: "out", Schema: 1, Up: func(e eventstore.Event) (eventstore.Event, error) { e.Schema = 2; return e, nil }},
	)
}

// testUpcastInto: one stored event becomes several or none, and versions, positions, snapshots and repeats count stored events.
func testUpcastInto(t *testing.T, factory Factory) {
	now := time.Now().Truncate(time.Second)
	s := factory(t, eventstore.Sequenced(1), splitting(), eventstore.TimeBuckets(eventstore.Day, 1), eventstore.Clock(func() time.Time { return now }))
	e := func(typ, data string) eventstore.NewEvent { return eventstore.NewEvent{Type: typ, Data: []byte(data)} }
	must(t, s, "a", eventstore.NoStream(), e("many", "10 20 30"), e("noise", ""), eventstore.CommitID("c1"))
	must(t, s, "a", eventstore.Exactly(2), e("noise", ""), eventstore.CommitID("c2"))
	must(t, s, "a", eventstore.Exactly(3), eventstore.NewEvent{Type: "pair", ID: "p"}, e("in", `{"Amount":7}`), e("noise", ""))
	show := func(events []eventstore.Event) string {
		var text []string
		for _, e := range events {
			if e.Stream != "a" {
				t.Errorf("an upcaster changed the stream of version %d", e.Version)
			}
			text = append(text, fmt.Sprintf("%d.%d:%s%d%s", e.Version, e.Part, e.Type, e.Schema, strings.Trim(string(e.Data), `{}"Amount:`)))
		}
		return strings.Join(text, " ")
	}
	all := collect(t, s, "a")
	want(t, "read", show(all), "1.0:in110 1.1:in120 1.2:in130 4.0:in11 4.1:in12 4.2:out23 5.0:in17")
	ids := map[string]bool{}
	for _, e := range all {
		ids[e.ID] = true
	}
	if len(ids) != len(all) || all[3].ID != "p" || all[5].ID != "p/2" {
		t.Errorf("%d ids of %d events; those of parts are %q and %q", len(ids), len(all), all[3].ID, all[5].ID)
	}
	for what, tc := range map[string][]eventstore.ReadOption{
		"5.0:in17 4.2:out23 4.1:in12 4.0:in11 1.2:in130 1.1:in120 1.0:in110": {eventstore.Backward()},
		"4.0:in11 4.1:in12 4.2:out23":                                        {eventstore.From(3), eventstore.UpTo(4)},
		"5.0:in17":                                                           {eventstore.Last(2)}, "": {eventstore.From(2), eventstore.Limit(2)},
	} {
		var list []eventstore.Event
		for e, err := range s.Read(t.Context(), "a", tc...) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, e)
		}
		want(t, "read with options", show(list), what)
	}
	var feed []string
	for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
		if err != nil || c.Truncated != 0 {
			t.Fatalf("feed: %d truncated, %v", c.Truncated, err)
		}
		feed = append(feed, fmt.Sprint(c.Number, "[", show(c.Events), "]"))
	}
	want(t, "feed", strings.Join(feed, " "), "1[1.0:in110 1.1:in120 1.2:in130] 2[] 3[4.0:in11 4.1:in12 4.2:out23 5.0:in17]")
	p, seen := new(positions), 0
	err := s.Feed().Filter(eventstore.OfType("out")).Subscribe(t.Context(), "outs", p, func(_ context.Context, c eventstore.Commit) error { seen += len(c.Events); return nil }, eventstore.UntilEnd())
	progress, err2 := s.Feed().Progress(t.Context(), "outs", p)
	if err := errors.Join(err, err2); err != nil || seen != 1 || progress.Lag != 0 {
		t.Errorf("filtered: %d events, lag %d, %v", seen, progress.Lag, err)
	}
	// A time feed that is left in the middle of an event returns to it.
	now = now.Add(time.Minute)
	f, got := s.TimeFeed(now.Add(-time.Hour), eventstore.HoldBack(0)), map[string]int{}
	for _, most := range []int{2, 4, 100} { // 2 ends within the first event, and 4 after it
		n := 0
		for e, err := range f.Read(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got[e.ID]++
			if n++; n == most {
				break
			}
		}
	}
	for _, e := range all {
		if got[e.ID] == 0 {
			t.Errorf("the feed by time has lost part %d of version %d", e.Part, e.Version)
		}
	}
	// States: the version is that of what is stored.
	snaps := new(snapshots)
	r := eventstore.NewRepository(s, accountTypes(), fold, eventstore.WithSnapshots(snaps, "", 0))
	for v, balance := range []int{0, 60, 60, 60, 60, 67, 67} {
		a, err := r.LoadAt(t.Context(), "a", int64(v))
		if err != nil || a.Version != int64(v) || a.State.Balance != balance {
			t.Errorf("at version %d: %+v, %v, want %d", v, a, err, balance)
		}
	}
	for range 5 {
		a, err := r.Update(t.Context(), "a", func(account) ([]moved, error) { return []moved{in{1}}, nil })
		if err != nil {
			t.Fatal(err)
		}
		if head, err := s.Head(t.Context(), "a"); err != nil || head.Version != a.Version {
			t.Errorf("updated to %d, the head has %d, %v", a.Version, head.Version, err)
		}
	}
	if a, err := r.Load(t.Context(), "a"); err != nil || a.State.Balance != 72 || a.Version != 11 || len(snaps.saved) == 0 {
		t.Errorf("from a snapshot: %+v, %v", a, err)
	}
	// A commit whose events are dropped is recognised however far back it lies.
	plain := eventstore.NewRepository(s, accountTypes(), fold)
	for range 8 {
		if _, err := plain.Update(t.Context(), "a", func(account) ([]moved, error) { return []moved{in{0}}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	decided := false
	if _, err := plain.Update(t.Context(), "a", func(account) ([]moved, error) { decided = true; return nil, nil }, eventstore.CommitID("c2")); err != nil || decided {
		t.Errorf("a repeat was decided again: %t, %v", decided, err)
	}
	for what, u := range map[string]eventstore.Upcaster{
		"neither": {Type: "x", Schema: 1}, "both": {Type: "x", Schema: 1, Up: func(e eventstore.Event) (eventstore.Event, error) { return e, nil }, Into: func(eventstore.Event) ([]eventstore.Event, error) { return nil, nil }},
	} {
		_, err := eventstore.New(s.Client(), s.Name(), eventstore.Upcast(u))
		wantError(t, what, err, ddb.ErrInvalid)
	}
	cycle, err := eventstore.New(s.Client(), s.Name(), eventstore.Upcast(
		eventstore.Upcaster{Type: "many", Schema: 1, Into: func(e eventstore.Event) ([]eventstore.Event, error) {
			e.Type = "noise"
			return []eventstore.Event{e}, nil
		}},
		eventstore.Upcaster{Type: "noise", Schema: 1, Into: func(e eventstore.Event) ([]eventstore.Event, error) {
			e.Type = "many"
			return []eventstore.Event{e}, nil
		}}))
	if err != nil {
		t.Fatal(err)
	}
	if err := firstError(cycle.Read(t.Context(), "a")); err == nil || !strings.Contains(err.Error(), "cycle") {
		t.Errorf("upcasters in a cycle: %v", err)
	}
}
