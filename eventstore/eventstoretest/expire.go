// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/eventstore"
)

// hourly is a store whose streams that begin with "cart" live for an hour, with a clock that the test sets.
type hourly struct {
	*eventstore.Store
	now time.Time
}

func newHourly(t *testing.T, factory Factory, opts ...eventstore.Option) *hourly {
	t.Helper()
	h := &hourly{now: time.Now().Truncate(time.Second)}
	h.Store = factory(t, append(opts, h.options()...)...)
	return h
}

func (h *hourly) options() []eventstore.Option {
	return []eventstore.Option{
		eventstore.Clock(func() time.Time { return h.now }),
		eventstore.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }),
		eventstore.Expiring(func(stream string) time.Duration {
			if strings.HasPrefix(stream, "cart") {
				return time.Hour
			}
			return 0
		}),
	}
}

// remove deletes events as DynamoDB does with expired ones: in any order.
func remove(t *testing.T, s *eventstore.Store, stream string, versions ...int64) {
	t.Helper()
	for _, v := range versions {
		name := s.Name()
		_, err := s.Client().(interface {
			DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
		}).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &name, Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "S#" + stream}, "sk": &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// testExpire: events expire in their order, whichever of their items DynamoDB has deleted; versions continue, the feed stays dense, and a missing event that has
// not expired is an error.
func testExpire(t *testing.T, factory Factory) {
	for i, removed := range [][]int64{nil, {1}, {2}, {1, 2}} {
		s := newHourly(t, factory, eventstore.Sequenced(1), eventstore.Frames(4<<10))
		begin := s.now
		must(t, s.Store, "cart-1", eventstore.NoStream(), event("a"), event("b"), eventstore.CommitID("c1"))
		s.now = begin.Add(30 * time.Minute)
		must(t, s.Store, "cart-1", eventstore.Exactly(2), event("c"), event("d"))
		want(t, "before", read(t, s.Store, "cart-1"), "1:a 2:b 3:c 4:d")
		s.now = begin.Add(time.Hour)
		remove(t, s.Store, "cart-1", removed...)
		for what, opts := range map[string][]eventstore.ReadOption{
			"3:c 4:d": nil, "4:d 3:c": {eventstore.Backward()}, "4:d": {eventstore.Last(1)}, "3:c": {eventstore.Limit(1)}, "": {eventstore.UpTo(2)},
		} {
			want(t, fmt.Sprint("expired, removed ", i), read(t, s.Store, "cart-1", opts...), what)
		}
		var text []string
		for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, fmt.Sprintf("%d: %d events, %d truncated", c.Number, len(c.Events), c.Truncated))
		}
		want(t, "feed", strings.Join(text, "; "), "1: 0 events, 2 truncated; 2: 2 events, 0 truncated")
		// A repeat is recognised among the last commits.
		if done := must(t, s.Store, "cart-1", eventstore.NoStream(), event("a"), event("b"), eventstore.CommitID("c1")); !done.Deduplicated || done.Last != 2 {
			t.Errorf("repeat: %+v", done)
		}
		// Everything has expired: versions continue.
		s.now = begin.Add(24 * time.Hour)
		remove(t, s.Store, "cart-1", 3)
		want(t, "all expired", read(t, s.Store, "cart-1"), "")
		head, err := s.Head(t.Context(), "cart-1")
		if err != nil || head.Version != 4 || !head.ExpiresAt.Equal(begin.Add(90*time.Minute)) {
			t.Errorf("head: %+v, %v", head, err)
		}
		_, err = s.Append(t.Context(), "cart-1", eventstore.NoStream(), event("x"))
		wantError(t, "NoStream for a stream that has expired", err, eventstore.ErrWrongExpectedVersion)
		if done := must(t, s.Store, "cart-1", eventstore.Any(), event("e")); done.First != 5 {
			t.Errorf("the stream goes on with %+v", done)
		}
		for v := int64(5); v < 14; v++ {
			must(t, s.Store, "cart-1", eventstore.Exactly(v), event("f"))
		}
		_, err = s.Append(t.Context(), "cart-1", eventstore.NoStream(), event("a"), event("b"), eventstore.CommitID("c1"))
		wantError(t, "a repeat of what is forgotten", err, eventstore.ErrWrongExpectedVersion)
		// Events that have not expired must be there.
		remove(t, s.Store, "cart-1", 7)
		if _, err := s.Append(t.Context(), "plain", eventstore.NoStream(), event("x"), event("y")); err != nil {
			t.Fatal(err)
		}
		var gap *eventstore.GapError
		for _, err := range s.Read(t.Context(), "cart-1", eventstore.From(6)) {
			if errors.As(err, &gap) && gap.Version == 7 {
				break
			}
		}
		if gap == nil {
			t.Error("an event that is missing and has not expired is skipped")
		}
	}
}

// testExpireOrder: whatever the clocks and the limits of writers, an event does not expire before those that precede it.
func testExpireOrder(t *testing.T, factory Factory) {
	ledger := cost.NewLedger()
	s := newHourly(t, factory, eventstore.TableOptions(ddb.WithLedger(ledger)))
	begin := s.now
	at := func(d time.Duration, args ...eventstore.AppendArg) {
		t.Helper()
		s.now = begin.Add(d)
		head, err := s.Head(t.Context(), "cart-1")
		if err != nil && !errors.Is(err, ddb.ErrNotFound) {
			t.Fatal(err)
		}
		expected := eventstore.Exactly(head.Version)
		if head.Version%2 == 0 {
			expected = eventstore.Any()
		}
		must(t, s.Store, "cart-1", expected, append(args, event("x"))...)
	}
	at(10 * time.Minute)
	at(0)                                                   // a clock that is late
	at(20*time.Minute, eventstore.ExpireAfter(time.Second)) // a shorter limit
	at(20*time.Minute, eventstore.ExpireAfter(2*time.Hour))
	at(20 * time.Minute)
	var last time.Time
	var text []string
	for e, err := range s.Read(t.Context(), "cart-1") {
		if err != nil || e.ExpiresAt.Before(last) {
			t.Errorf("version %d expires before the preceding one, %v", e.Version, err)
		}
		last = e.ExpiresAt
		text = append(text, e.ExpiresAt.Sub(begin).String())
	}
	want(t, "expires", strings.Join(text, " "), "1h10m0s 1h10m0s 1h10m0s 2h20m0s 2h20m0s")
	testExpireCost(t, s, ledger)
	// The first event of a stream decides.
	plain, err := eventstore.New(s.Client(), s.Name())
	if err != nil {
		t.Fatal(err)
	}
	must(t, plain, "lasting", eventstore.NoStream(), event("x"))
	for what, call := range map[string]func() error{
		"unlimited, at a version": func() error {
			_, err := plain.Append(t.Context(), "cart-1", eventstore.Exactly(5), event("x"))
			return err
		},
		"unlimited, at any": func() error { _, err := plain.Append(t.Context(), "cart-1", eventstore.Any(), event("x")); return err },
		"limited, at a version": func() error {
			_, err := s.Append(t.Context(), "lasting", eventstore.Exactly(1), event("x"), eventstore.ExpireAfter(time.Hour))
			return err
		},
		"limited, at any": func() error {
			_, err := s.Commit(t.Context(), eventstore.To("lasting", eventstore.Any(), event("x")), eventstore.ExpireAfter(time.Hour))
			return err
		},
	} {
		wantError(t, what, call(), eventstore.ErrTimeLimit)
	}
	_, err = s.Append(t.Context(), "cart-2", eventstore.Any(), event("x"), eventstore.ExpireAfter(time.Millisecond))
	wantError(t, "less than a second", err, ddb.ErrInvalid)
	_, err = eventstore.New(s.Client(), "x", eventstore.Expiring(nil))
	wantError(t, "no function", err, ddb.ErrInvalid)
}

// testExpireCost: a read of a whole stream reads at most a hundred live events twice, and a read of some events at most a hundred others.
func testExpireCost(t *testing.T, s *hourly, ledger *cost.Ledger) {
	t.Helper()
	data := strings.Repeat("x", 3<<10)
	for range 4 {
		var list []eventstore.NewEvent
		for range 90 {
			list = append(list, event(data))
		}
		must(t, s.Store, "cart-large", eventstore.Any(), eventstore.Events(list))
	}
	used := func(wanted int, opts ...eventstore.ReadOption) float64 {
		t.Helper()
		before := ledger.Snapshot().Total()
		n := 0
		for _, err := range s.Read(t.Context(), "cart-large", opts...) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != wanted {
			t.Errorf("%d events were read, want %d", n, wanted)
		}
		return ledger.Snapshot().Total() - before
	}
	const each = 3.5 / 4
	if units := used(360); units > (360+100)*each {
		t.Errorf("a read of the whole stream cost %g units", units)
	}
	if units := used(1, eventstore.Last(1)); units > 100*each+3 {
		t.Errorf("a read of the last event cost %g units", units)
	}
}

// testExpireElsewhere: indexes, the feed by time, ids, states, editions and copies take expired events into account.
func testExpireElsewhere(t *testing.T, factory Factory) {
	s := newHourly(t, factory, eventstore.ByCorrelation(), eventstore.TimeBuckets(eventstore.Day, 1), eventstore.UniqueIDs(), eventstore.Sequenced(1))
	begin := s.now
	old := eventstore.NewEvent{ID: "old", Type: "in", Data: []byte(`{"Amount":5}`), CorrelationID: "x"}
	must(t, s.Store, "cart-1", eventstore.NoStream(), old)
	s.now = begin.Add(50 * time.Minute)
	snaps := new(snapshots)
	for name, opt := range map[string]eventstore.RepositoryOption{"snapshots": eventstore.WithSnapshots(snaps, "", 0), "stored": eventstore.StateStored("", 0)} {
		carts := eventstore.NewRepository(s.Store, accountTypes(), fold, opt)
		for range 4 {
			if _, err := carts.Update(t.Context(), "cart-1", func(account) ([]moved, error) { return []moved{in{1}}, nil }); err != nil {
				t.Fatal(err)
			}
		}
		a, err := carts.Load(t.Context(), "cart-1")
		if err != nil || a.State.Balance != int(a.Version)+4 {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		s.now = begin.Add(time.Hour)
		if a, err = carts.Load(t.Context(), "cart-1"); err != nil || a.State.Balance != int(a.Version)-1 {
			t.Errorf("%s: with the first event expired: %+v, %v", name, a, err)
		}
		s.now = begin.Add(50 * time.Minute)
	}
	if len(snaps.saved) != 0 {
		t.Error("a snapshot was taken")
	}
	s.now = begin.Add(time.Hour)
	n := 0
	for _, err := range s.Correlated(t.Context(), "x") {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range s.TimeFeed(begin.Add(-time.Minute), eventstore.HoldBack(0)).Read(t.Context()) {
		if err != nil || e.Version == 1 {
			t.Errorf("the feed by time has version %d, %v", e.Version, err)
		}
	}
	_, err := s.EventByID(t.Context(), "old")
	wantError(t, "an event by its id", err, ddb.ErrNotFound)
	_, err = s.Append(t.Context(), "cart-2", eventstore.Any(), old)
	wantError(t, "the id of an expired event", err, eventstore.ErrDuplicateEventID)
	if n != 0 {
		t.Errorf("%d expired events are correlated", n)
	}
	to := factory(t, s.options()...)
	for range 2 {
		if _, err := eventstore.Copy(t.Context(), s.Store, to); err != nil {
			t.Fatal(err)
		}
	}
	if e, err := s.Edition(t.Context(), "cart-1", "what-if", 5); err != nil {
		t.Error(err)
	} else if _, err = e.Append(t.Context(), eventstore.Any(), event("x")); err != nil {
		t.Error(err)
	}
	_, err = s.Edition(t.Context(), "cart-1", "what-if", -1)
	if err != nil {
		t.Errorf("an edition that has not expired: %v", err)
	}
	remove(t, s.Store, eventstore.EditionStream("cart-1", "what-if"), 1)
	if _, err = s.Edition(t.Context(), "cart-1", "what-if", -1); err == nil {
		t.Error("an edition without its first event is taken for a new one")
	}
	want(t, "copy", read(t, to, "cart-1"), read(t, s.Store, "cart-1"))
	h1, _ := s.Head(t.Context(), "cart-1")
	h2, err := to.Head(t.Context(), "cart-1")
	if err != nil || h1.Version != h2.Version || !h1.ExpiresAt.Equal(h2.ExpiresAt) {
		t.Errorf("copied head: %+v, %v, want %+v", h2, err, h1)
	}
	s.now = begin.Add(48 * time.Hour)
	must(t, to, "cart-1", eventstore.Exactly(h1.Version), event("x"))
}
