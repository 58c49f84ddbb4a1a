// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/schema"
)

// The aggregate of the tests: an account.
type (
	moved   interface{ amount() int }
	in      struct{ Amount int }
	out     struct{ Amount int }
	account struct{ Balance, Moves int }
)

func (m in) amount() int  { return m.Amount }
func (m out) amount() int { return -m.Amount }

func accountTypes() *eventstore.Types[moved] {
	types := eventstore.NewTypes[moved](eventstore.JSON)
	eventstore.Register[in](types, "in", 1)
	eventstore.Register[out](types, "out", 2)
	return types
}

func fold(a account, m moved) account {
	return account{Balance: a.Balance + m.amount(), Moves: a.Moves + 1}
}

// snapshots in memory: every third version, many of each stream.
type snapshots struct {
	mu    sync.Mutex
	saved map[string]map[int64]string
	loads int
	fail  error
}

func (s *snapshots) LoadState(_ context.Context, stream, stateType string, schema int, atMost int64) (version int64, taken time.Time, state []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v, text := range s.saved[fmt.Sprint(stream, stateType, schema)] {
		if v <= atMost && v > version {
			version, state = v, []byte(text)
		}
	}
	s.loads++
	return version, taken, state, s.fail
}

func (s *snapshots) OfferState(_ context.Context, stream, stateType string, schema int, version, last int64, _ time.Time, encode func() ([]byte, error)) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil || version-last < 3 {
		return false, s.fail
	}
	state, err := encode()
	if s.saved == nil {
		s.saved = map[string]map[int64]string{}
	}
	key := fmt.Sprint(stream, stateType, schema)
	if s.saved[key] == nil {
		s.saved[key] = map[int64]string{}
	}
	s.saved[key][version] = string(state)
	return true, err
}

func testRepository(t *testing.T, factory Factory) {
	s := factory(t)
	snaps, reported := new(snapshots), 0
	repo := eventstore.NewRepository(s, accountTypes(), fold, eventstore.WithSnapshots(snaps, "account", 1), eventstore.OnSnapshotError(func(error) { reported++ }))
	deposit := func(n int) func(account) ([]moved, error) {
		return func(account) ([]moved, error) { return []moved{in{n}, out{1}}, nil }
	}
	for range 10 {
		a, err := repo.Update(t.Context(), "a", deposit(10))
		if err != nil || a.State.Moves != int(a.Version) || a.State.Balance != 9*a.State.Moves/2 {
			t.Fatalf("update: %+v, %v", a, err)
		}
	}
	// Whatever the snapshot, the state results from all events: a snapshot's version is the version of its state.
	for v := range int64(22) {
		a, err := repo.LoadAt(t.Context(), "a", v)
		if err != nil || a.State.Moves != int(min(v, 20)) || a.Version != min(v, 20) {
			t.Errorf("at version %d: %+v, %v", v, a, err)
		}
	}
	if len(snaps.saved) != 1 || len(snaps.saved["aaccount1"]) < 4 {
		t.Errorf("snapshots: %v", snaps.saved)
	}
	// Snapshots that are broken, of another schema, or ahead of the stream are skipped.
	snaps.saved["aaccount1"][20] = "{broken"
	snaps.saved["aaccount1"][math.MaxInt64] = `{"Balance":-1}`
	a, err := repo.Load(t.Context(), "a")
	if err != nil || a.State.Moves != 20 || reported != 1 {
		t.Errorf("with broken snapshots: %+v, %v, %d reports", a, err, reported)
	}
	snaps.fail = errors.New("no snapshots today")
	if a, err := repo.Update(t.Context(), "a", deposit(1)); err != nil || a.Version != 22 {
		t.Errorf("without snapshots: %+v, %v", a, err)
	}
	snaps.fail = nil
	// Deciding nothing, and an error.
	if a, err := repo.Update(t.Context(), "a", func(account) ([]moved, error) { return nil, nil }); err != nil || a.Version != 22 {
		t.Errorf("no events: %+v, %v", a, err)
	}
	noFunds := errors.New("no funds")
	_, err = repo.Update(t.Context(), "a", func(account) ([]moved, error) { return nil, noFunds })
	wantError(t, "decide", err, noFunds)
	// A repeat is not decided again.
	decided := 0
	for range 3 {
		a, err = repo.Update(t.Context(), "a", func(account) ([]moved, error) { decided++; return []moved{in{1}}, nil }, eventstore.CommitID("once"))
		if err != nil || a.Version != 23 || a.CommitID != "once" {
			t.Errorf("repeat: %+v, %v", a, err)
		}
	}
	if decided != 1 {
		t.Errorf("decided %d times", decided)
	}
	// Other writers are faster.
	tries := 0
	a, err = repo.Update(t.Context(), "a", func(account) ([]moved, error) {
		if tries++; tries < 4 {
			must(t, s, "a", eventstore.Any(), eventstore.NewEvent{Type: "in", Data: []byte(`{"Amount":0}`)})
		}
		return []moved{in{1}}, nil
	})
	if err != nil || tries != 4 || a.Version != 27 || a.State.Moves != 27 {
		t.Errorf("with others: %d tries, %+v, %v", tries, a, err)
	}
	// An event type that is not registered.
	must(t, s, "b", eventstore.NoStream(), eventstore.NewEvent{Type: "odd", Data: []byte("{}")})
	must(t, s, "c", eventstore.NoStream(), eventstore.NewEvent{Type: "out", Schema: 1, Data: []byte("{}")})
	must(t, s, "d", eventstore.NoStream(), eventstore.NewEvent{Type: "out", Schema: 3, Data: []byte("{}")})
	for _, stream := range []string{"b", "c", "d"} {
		_, err = repo.Load(t.Context(), stream)
		wantError(t, stream, err, eventstore.ErrUnknownType)
	}
	if a, err := repo.Load(t.Context(), "none"); err != nil || a.Version != 0 || a.State != (account{}) {
		t.Errorf("no stream: %+v, %v", a, err)
	}
	// A stream that is truncated after a snapshot can be loaded; one truncated before it cannot.
	if err := s.Truncate(t.Context(), "a", 5); err != nil {
		t.Fatal(err)
	}
	delete(snaps.saved["aaccount1"], math.MaxInt64)
	if a, err := repo.Load(t.Context(), "a"); err != nil || a.State.Moves != 27 {
		t.Errorf("truncated: %+v, %v", a, err)
	}
	snaps.saved = nil
	_, err = repo.Load(t.Context(), "a")
	wantError(t, "truncated without a snapshot", err, eventstore.ErrGap)
}

func testStateStored(t *testing.T, factory Factory) {
	s := factory(t)
	repo := eventstore.NewRepository(s, accountTypes(), fold, eventstore.StateStored("account", 1))
	for i := range 5 {
		a, err := repo.Update(t.Context(), "a", func(account) ([]moved, error) { return []moved{in{1}, in{2}}, nil })
		if err != nil || a.Version != int64(2*i+2) {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	must(t, s, "a", eventstore.Any(), eventstore.NewEvent{Type: "in", Data: []byte(`{"Amount":5}`)}) // by a store without the state
	for name, r := range map[string]*eventstore.Repository[account, moved]{
		"stored": repo, "folded": eventstore.NewRepository(s, accountTypes(), fold), "other schema": eventstore.NewRepository(s, accountTypes(), fold, eventstore.StateStored("account", 2)),
	} {
		if a, err := r.Load(t.Context(), "a"); err != nil || a.Version != 11 || a.State != (account{20, 11}) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	// The stored state is enough: the events may be gone.
	if _, err := repo.Update(t.Context(), "a", func(account) ([]moved, error) { return []moved{in{1}}, nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Truncate(t.Context(), "a", 13); err != nil {
		t.Fatal(err)
	}
	if a, err := repo.Load(t.Context(), "a"); err != nil || a.State != (account{21, 12}) {
		t.Errorf("truncated: %+v, %v", a, err)
	}
}

func testViews(t *testing.T, factory Factory) {
	s := factory(t)
	views, err := eventstore.NewViews[account](s.Client(), s.Name()+"-views")
	if err != nil {
		t.Fatal(err)
	}
	if err := views.Table().CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer views.Table().DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(views.Table().Name()))
	var wg sync.WaitGroup
	for source := range 4 {
		wg.Go(func() {
			for n := range int64(10) {
				for range 2 { // a repeat is skipped
					if err := views.Apply(t.Context(), "v", strconv.Itoa(source), n+1, func(a *account) error { a.Moves++; return nil }); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if v, err := views.Load(t.Context(), "v"); err != nil || v.Value.Moves != 40 || v.Version != 40 {
		t.Errorf("view: %+v, %v", v, err)
	}
	broken := errors.New("broken")
	wantError(t, "a change that fails", views.Apply(t.Context(), "v", "0", 99, func(*account) error { return broken }), broken)
	_, err = views.Load(t.Context(), "none")
	wantError(t, "no view", err, ddb.ErrNotFound)
}

func testReplay(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(2))
	for i := range 20 {
		must(t, s, fmt.Sprint("s", i%3), eventstore.Any(), event(strconv.Itoa(i)))
	}
	n := 0
	count := func(context.Context, eventstore.Event) error { n++; return nil }
	if err := s.Replay(t.Context(), "s1", count); err != nil || n != 7 {
		t.Errorf("one stream: %d events, %v", n, err)
	}
	n = 0
	end, err := s.ReplayAll(t.Context(), eventstore.Position{}, count)
	if err != nil || n != 20 {
		t.Errorf("all: %d events, %v", n, err)
	}
	if _, err = s.ReplayAll(t.Context(), end, count); err != nil || n != 20 {
		t.Errorf("from the end: %d events, %v", n, err)
	}
	broken := errors.New("broken")
	n = 0
	fifth := func(context.Context, eventstore.Event) error {
		if n++; n == 5 {
			return broken
		}
		return nil
	}
	stopped, err := s.ReplayAll(t.Context(), eventstore.Position{}, fifth)
	wantError(t, "a projection that fails", err, broken)
	if n != 5 {
		t.Errorf("it went on for %d events", n)
	}
	if _, err = s.ReplayAll(t.Context(), stopped, fifth); err != nil || n != 21 { // the fifth is delivered again
		t.Errorf("resumed: %d events, %v", n, err)
	}
	n = 0
	var passed []string
	_, err = s.ReplayAll(t.Context(), eventstore.Position{}, fifth, eventstore.OnReplayError(func(_ context.Context, e eventstore.Event, _ error) error {
		passed = append(passed, e.ID)
		return nil
	}))
	if err != nil || n != 20 || len(passed) != 1 {
		t.Errorf("skipped %v of %d, %v", passed, n, err)
	}
}

func testEdition(t *testing.T, factory Factory) {
	s := factory(t)
	must(t, s, "s", eventstore.NoStream(), event("a"), event("b"), event("c"))
	show := func(e *eventstore.Edition, from int64) string {
		var text []string
		for ev, err := range e.Read(t.Context(), from) {
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, fmt.Sprintf("%d:%s", ev.Version, ev.Data))
		}
		return strings.Join(text, " ")
	}
	e, err := s.Edition(t.Context(), "s", "what-if", 2)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "a new edition", show(e, 1), "1:a 2:b")
	done, err := e.Append(t.Context(), eventstore.Exactly(2), event("x"), event("y"))
	if err != nil || done.First != 3 || done.Last != 4 {
		t.Errorf("append: %+v, %v", done, err)
	}
	_, err = e.Append(t.Context(), eventstore.Exactly(3), event("z"))
	if wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](err); !ok || wrong.Actual != 4 || wrong.Blocking.Version != 4 {
		t.Errorf("append at another version: %v", err)
	}
	must(t, s, "s", eventstore.Exactly(3), event("d"))
	want(t, "main", read(t, s, "s"), "1:a 2:b 3:c 4:d")
	again, err := s.Edition(t.Context(), "s", "what-if", -1)
	if err != nil || again.Divergence() != 2 {
		t.Fatalf("opened again: %v", err)
	}
	want(t, "the edition", show(again, 2), "2:b 3:x 4:y")
	want(t, "its own events", show(again, 4), "4:y")
	if v, err := again.Version(t.Context()); err != nil || v != 4 {
		t.Errorf("version %d, %v", v, err)
	}
	if _, err := s.Edition(t.Context(), "s", "what-if", 3); err == nil {
		t.Error("another divergence was accepted")
	}
	_, err = s.Edition(t.Context(), "s", "far", 9)
	wantError(t, "beyond the main timeline", err, ddb.ErrInvalid)
}
