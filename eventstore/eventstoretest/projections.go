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
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/rawexpr"
	"github.com/dynamotable/ddb/schema"
)

func newViews[V any](t *testing.T, s *eventstore.Store, name string) *eventstore.Views[V] {
	t.Helper()
	views, err := eventstore.NewViews[V](s.Client(), s.Name()+"-"+name)
	if err == nil {
		err = views.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = views.Table().DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(views.Table().Name()))
	})
	return views
}

// testInline: views are written with the appends of a repository by several writers, and a view that is added later reads what it lacks.
func testInline(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(2))
	plain := eventstore.NewRepository(s, accountTypes(), fold)
	put := func(r *eventstore.Repository[account, moved], stream string, events ...moved) error {
		_, err := r.Update(t.Context(), stream, func(account) ([]moved, error) { return events, nil })
		return err
	}
	if err := errors.Join(put(plain, "a", in{1}, in{2}), put(plain, "a", out{1})); err != nil {
		t.Fatal(err)
	}
	each, all := newViews[account](t, s, "each"), newViews[int](t, s, "all")
	count := func(n *int, events ...eventstore.Event) error { *n += len(events); return nil }
	r := eventstore.NewRepository(s, accountTypes(), fold, eventstore.StateStored("", 0), eventstore.UpdateTries(200), eventstore.Inline(
		each.Inline(s, func(stream string) string { return stream }, eventstore.Fold(accountTypes(), fold)),
		all.Inline(s, func(stream string) string {
			if stream == "hidden" {
				return ""
			}
			return "all"
		}, count),
	))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 5 {
				if err := put(r, []string{"a", "b", "hidden"}[(w+i)%3], in{1}, in{1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	events := 0
	for _, stream := range []string{"a", "b", "hidden"} {
		a, err := plain.Load(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		v, err := each.Load(t.Context(), stream)
		if err != nil || v.Value != a.State || v.Seen[stream] != a.Version {
			t.Errorf("%s: the view has %+v of version %d, the aggregate %+v of %d, %v", stream, v.Value, v.Seen[stream], a.State, a.Version, err)
		}
		if stream != "hidden" {
			events += int(a.Version)
		}
	}
	if v, err := all.Load(t.Context(), "all"); err != nil || v.Value != events {
		t.Errorf("the view of all counts %d events of %d, %v", v.Value, events, err)
	}
	// A failed condition of the caller's operation does not start the append again.
	calls := 0
	_, err := r.Update(t.Context(), "a", func(account) ([]moved, error) { calls++; return []moved{in{1}}, nil },
		eventstore.With(all.Table().TxCheck("none", rawexpr.CondText[eventstore.View[int]]("attribute_exists(id)", nil, nil))))
	if _, ok := errors.AsType[*ddb.TransactionError](err); !ok || calls != 1 {
		t.Errorf("a condition of the caller: %v after %d calls", err, calls)
	}
	broken := eventstore.NewRepository(s, accountTypes(), fold, eventstore.Inline(all.Inline(s, func(string) string { return "all" }, func(*int, ...eventstore.Event) error { return errBroken })))
	wantError(t, "a projection that fails", put(broken, "a", in{1}), errBroken)
}

// testDecoded: a typed handler gets registered events, and none that was scrubbed.
func testDecoded(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(1))
	accounts := eventstore.NewRepository(s, accountTypes(), fold)
	for range 2 {
		if _, err := accounts.Update(t.Context(), "a", func(account) ([]moved, error) { return []moved{in{5}, out{2}}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	must(t, s, "b", eventstore.NoStream(), event("unknown"))
	if err := s.Scrub(t.Context(), "a", 1); err != nil {
		t.Fatal(err)
	}
	var got []string
	handle := eventstore.Decoded(accountTypes(), func(_ context.Context, c eventstore.Commit, events []moved) error {
		for i, e := range events {
			got = append(got, fmt.Sprintf("%d:%+v", c.Events[i].Version, e))
		}
		return nil
	})
	if err := s.Feed().Filter(accountTypes().Filter()).Subscribe(t.Context(), "c", new(positions), handle, eventstore.UntilEnd()); err != nil {
		t.Fatal(err)
	}
	want(t, "typed", strings.Join(got, " "), "2:{Amount:2} 3:{Amount:5} 4:{Amount:2}")
	err := s.Feed().Subscribe(t.Context(), "d", new(positions), handle, eventstore.UntilEnd(), eventstore.Retries(0))
	wantError(t, "a type that is not registered", err, eventstore.ErrUnknownType)
}

// testProjection: a second version of a projection is built while the first is live, and becomes the live one when it has caught up.
func testProjection(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(2), eventstore.Waits(func(ctx context.Context, d time.Duration) error {
		select { // waits pass fast, but let others go on
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(d, 5*time.Millisecond)):
			return nil
		}
	}))
	p := new(positions)
	for i := range 20 {
		must(t, s, fmt.Sprint("account-", i%4), eventstore.Any(), event("x"))
	}
	describe := func(version int, handle func(context.Context, eventstore.Commit) error, opts ...eventstore.SubscribeOption) *eventstore.Projection {
		t.Helper()
		is, err := eventstore.NewProjection(s.Feed(), "balances", version, p, handle, append(opts, eventstore.SaveEvery(1))...)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	live := func(is *eventstore.Projection) int {
		t.Helper()
		n, err := is.Live(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var mu sync.Mutex
	counts := map[int]int{}
	gate := make(chan struct{})
	counting := func(version int) func(context.Context, eventstore.Commit) error {
		return func(ctx context.Context, c eventstore.Commit) error {
			if version == 2 {
				select {
				case <-gate:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			counts[version] += len(c.Events)
			return nil
		}
	}
	one := describe(1, counting(1), eventstore.UntilEnd())
	if n := live(one); n != 0 {
		t.Errorf("version %d is live before any was run", n)
	}
	if err := one.Run(t.Context()); err != nil || live(one) != 1 {
		t.Fatalf("the first version: live is %d, %v", live(one), err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	two, ended := describe(2, counting(2), eventstore.Park(0)), make(chan error, 1)
	go func() { ended <- two.Run(ctx) }()
	for len(versions(t, two)) < 2 { // it is registered
		<-time.After(time.Millisecond)
	}
	list := versions(t, two)
	if list[0].Version != 1 || !list[0].Live || list[0].Lag != 0 || list[0].Age != 0 || list[1].Live || list[1].Lag != 20 || list[1].Age <= 0 || list[1].Parked != 0 || list[1].Started.IsZero() {
		t.Errorf("while the second version is built: %+v", list)
	}
	if live(two) != 1 {
		t.Errorf("version %d is live while the second is built", live(two))
	}
	close(gate)
	for live(one) != 2 {
		<-time.After(time.Millisecond)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if counts[1] != 20 || counts[2] != 20 {
		t.Errorf("handled %v", counts)
	}
	wantError(t, "a version that was never run", two.Switch(t.Context(), 9), ddb.ErrNotFound)
	wantError(t, "no version", two.Switch(t.Context(), 0), ddb.ErrInvalid)
	wantError(t, "to forget the live version", two.Retire(t.Context(), 2), ddb.ErrInvalid)
	if err := two.Switch(t.Context(), 1); err != nil || live(two) != 1 {
		t.Errorf("gone back to version %d, %v", live(two), err)
	}
	if err := errors.Join(two.Switch(t.Context(), 2), two.Retire(t.Context(), 1)); err != nil || len(versions(t, two)) != 1 {
		t.Errorf("%d versions are left, %v", len(versions(t, two)), err)
	}
	if err := one.Run(t.Context()); err != nil || live(one) != 2 { // the former program: it replaces nothing
		t.Errorf("version %d is live after the former program ran again, %v", live(one), err)
	}
	_, err := eventstore.NewProjection(s.Feed(), "", 0, p, counting(1))
	wantError(t, "a projection without a name", err, ddb.ErrInvalid)
	_, err = eventstore.NewProjection(s.Feed(), "x", 1, nil, nil)
	wantError(t, "a projection without a handler", err, ddb.ErrInvalid)
}

func versions(t *testing.T, p *eventstore.Projection) []eventstore.ProjectionStatus {
	t.Helper()
	list, err := p.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}
