// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/schema"
)

// testTruncatedState: if the first events of an aggregate were truncated and its state has another schema, the error says so and what to do.
func testTruncatedState(t *testing.T, factory Factory) {
	s := factory(t)
	old := eventstore.NewRepository(s, accountTypes(), fold, eventstore.StateStored("account", 1))
	for range 5 {
		if _, err := old.Update(t.Context(), "a", func(account) ([]moved, error) { return []moved{in{1}}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Truncate(t.Context(), "a", 4); err != nil {
		t.Fatal(err)
	}
	_, err := eventstore.NewRepository(s, accountTypes(), fold, eventstore.StateStored("account", 2)).Load(t.Context(), "a")
	gap, ok := errors.AsType[*eventstore.GapError](err)
	if !ok || gap.Version != 1 || gap.First != 4 || !strings.Contains(err.Error(), "truncated") || strings.Contains(err.Error(), "something else") {
		t.Errorf("a raised schema: %v", err)
	}
	if a, err := old.Load(t.Context(), "a"); err != nil || a.State.Balance != 5 {
		t.Errorf("the schema that was stored: %+v, %v", a, err)
	}
}

// testCommitViews: a view of many streams remembers the shards of the feed, not each stream; it uses the fold of the aggregate.
func testCommitViews(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(2))
	views, err := eventstore.NewViews[account](s.Client(), s.Name()+"-views")
	if err != nil {
		t.Fatal(err)
	}
	if err := views.Table().CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer views.Table().DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(views.Table().Name()))
	accounts := eventstore.NewRepository(s, accountTypes(), fold)
	for i := range 40 {
		if _, err := accounts.Update(t.Context(), fmt.Sprint("a", i), func(account) ([]moved, error) { return []moved{in{1}, in{2}}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // again, it changes nothing
		for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
			if err != nil {
				t.Fatal(err)
			}
			if err := views.ApplyCommit(t.Context(), "all", c, func(a *account) error { return accounts.Fold(a, c.Events...) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if v, err := views.Load(t.Context(), "all"); err != nil || v.Value.Balance != 120 || len(v.Seen) != 2 {
		t.Errorf("%+v, %v; want 120 of 2 sources", v, err)
	}
	state := account{Balance: 7}
	err = accounts.Fold(&state, eventstore.Event{Type: "in", Schema: 1, Data: []byte(`{"Amount":5}`)}, eventstore.Event{Type: "other"})
	if !errors.Is(err, eventstore.ErrUnknownType) || state.Balance != 7 {
		t.Errorf("a fold that fails: %+v, %v", state, err)
	}
}

// testMetadataTooLarge: if Offload cannot help, the error does not say that it does.
func testMetadataTooLarge(t *testing.T, factory Factory) {
	m := new(memory)
	s := factory(t, eventstore.Offload(m, 0))
	e := event("x")
	e.Metadata = map[string]string{"big": strings.Repeat("x", 410_000)}
	for _, data := range []string{"x", strings.Repeat("y", 100_000)} {
		e.Data = []byte(data)
		_, err := s.Append(t.Context(), "s", eventstore.NoStream(), e)
		large, ok := errors.AsType[*eventstore.EventTooLarge](err)
		if !ok || large.Data != len(data) || !strings.Contains(err.Error(), "metadata") || strings.Contains(err.Error(), "store large payloads outside") {
			t.Errorf("metadata of 410 KB: %v", err)
		}
	}
	if m.stored != 0 {
		t.Errorf("%d payloads were stored for what was refused", m.stored)
	}
}

// testScrubTracing: the correlation often names a person.
func testScrubTracing(t *testing.T, factory Factory) {
	for name, opts := range map[string][]eventstore.Option{"items": nil, "frames": {eventstore.Frames(64 << 10)}} {
		s := factory(t, append(opts, eventstore.ByCorrelation(), eventstore.ByCausation())...)
		e := event("x")
		e.CorrelationID, e.CausationID = "mail@example.org", "mail@example.org"
		must(t, s, "s", eventstore.NoStream(), e, e)
		left := func() (n int) {
			for got, err := range s.Correlated(t.Context(), "mail@example.org") {
				if err != nil {
					t.Fatal(err)
				}
				if got.CorrelationID != "" {
					n++
				}
			}
			for got, err := range s.Read(t.Context(), "s") {
				if err != nil || got.Scrubbed != (got.CorrelationID == "") || got.Scrubbed != (got.CausationID == "") {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
			}
			return n
		}
		for i := range 2 {
			if err := s.Scrub(t.Context(), "s", int64(i+1)); err != nil {
				t.Fatal(err)
			}
			if n := left(); n != 1-i {
				t.Errorf("%s: %d of 2 scrubbed, %d found by their correlation", name, i+1, n)
			}
		}
		for range s.Correlated(t.Context(), "mail@example.org") {
			t.Errorf("%s: the index still has them", name)
		}
	}
}

// Types with and without explicit names.
type (
	fundsMoved  struct{ Amount int }
	httpFailed  struct{}
	oldFashion  struct{}
	anyHappened any
)

func (oldFashion) EventType() string { return "old-fashioned" }
func (oldFashion) EventSchema() int  { return 3 }

// testDefaultNames: names and schemas come from the Go types, unless they are given.
func testDefaultNames(t *testing.T, factory Factory) {
	types := eventstore.NewTypes[anyHappened](eventstore.JSON).Add(fundsMoved{}, &httpFailed{}, oldFashion{})
	for wanted, e := range map[string]anyHappened{"funds_moved 1": fundsMoved{3}, "http_failed 1": &httpFailed{}, "old-fashioned 3": oldFashion{}} {
		encoded, err := types.Encode(e)
		if got := fmt.Sprint(encoded.Type, " ", encoded.Schema); err != nil || got != wanted {
			t.Errorf("%T is %s, %v; want %s", e, got, err, wanted)
		}
		back, err := types.Decode(eventstore.Event{Type: encoded.Type, Schema: encoded.Schema, Data: encoded.Data})
		if err != nil || fmt.Sprintf("%T%v", back, back) != fmt.Sprintf("%T%v", e, e) {
			t.Errorf("%T comes back as %T, %v", e, back, err)
		}
	}
	// The name of the state is that of its type; an older state without a name can still be read.
	s := factory(t)
	for schema, stateType := range []string{"account", "", "other"} {
		stream := fmt.Sprint("s", schema)
		saved := eventstore.NewRepository(s, accountTypes(), fold, eventstore.StateStored(stateType, 1))
		for range 3 {
			if _, err := saved.Update(t.Context(), stream, func(account) ([]moved, error) { return []moved{in{1}}, nil }); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Truncate(t.Context(), stream, 4); err != nil {
			t.Fatal(err)
		}
		a, err := eventstore.NewRepository(s, accountTypes(), fold, eventstore.StateStored("", 0)).Load(t.Context(), stream)
		if stateType == "other" {
			wantError(t, "a state of another name", err, eventstore.ErrGap)
		} else if err != nil || a.State.Balance != 3 {
			t.Errorf("the state of %q: %+v, %v", stateType, a, err)
		}
	}
}
