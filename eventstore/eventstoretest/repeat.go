// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dynamotable/ddb/eventstore"
)

// testRepeatElsewhere: a client that does not know the outcome of its call loads the stream again, and repeats the call with the
// version that it finds, which may be the version of its own events.
func testRepeatElsewhere(t *testing.T, factory Factory) {
	s := factory(t)
	for after := range int64(8) { // commits that follow it
		stream, id := fmt.Sprint("s", after), fmt.Sprint("id-", after)
		must(t, s, stream, eventstore.NoStream(), event("x"), eventstore.CommitID(id+"0")) // begins as the id does
		first := must(t, s, stream, eventstore.Exactly(1), event("a"), event("b"), eventstore.CommitID(id))
		for v := range after {
			must(t, s, stream, eventstore.Exactly(3+v), event("x"))
		}
		for _, expected := range []eventstore.Expected{
			eventstore.Exactly(1), eventstore.Exactly(3 + after), eventstore.Exactly(100), eventstore.Any(), eventstore.StreamExists(), eventstore.NoStream(),
		} {
			again, err := s.Append(t.Context(), stream, expected, event("a"), event("b"), eventstore.CommitID(id))
			if err != nil || !again.Deduplicated || again.First != first.First || again.Last != first.Last {
				t.Errorf("%d commits later, expecting %s: %+v, %v", after, expected, again, err)
			}
		}
		if head, err := s.Head(t.Context(), stream); err != nil || head.Version != 3+after {
			t.Errorf("%d commits later: version %d, %v", after, head.Version, err)
		}
		// An id that is a prefix of another is a different id.
		if done := must(t, s, stream, eventstore.Exactly(3+after), event("y"), eventstore.CommitID("id")); done.Deduplicated {
			t.Errorf("another id is taken for a repeat: %+v", done)
		}
	}
	// The money is transferred once.
	must(t, s, "from", eventstore.NoStream(), event("x"))
	for i, v := range []int64{1, 2, 2} {
		done, err := s.Commit(t.Context(), eventstore.To("from", eventstore.Exactly(v), event("out")), eventstore.To("to", eventstore.Exactly(v-1), event("in")), eventstore.CommitID("move"))
		if err != nil || done[0].Deduplicated != (i > 0) || done[0].Last != 2 || done[1].Last != 1 {
			t.Errorf("commit %d: %+v, %v", i, done, err)
		}
	}
	want(t, "from", read(t, s, "from"), "1:x 2:out")
	want(t, "to", read(t, s, "to"), "1:in")
	// With Dedup it is recognised after any number of commits.
	args := []eventstore.AppendArg{event("a"), eventstore.CommitID("marked"), eventstore.Dedup(time.Hour)}
	must(t, s, "marked", eventstore.NoStream(), args...)
	for v := range int64(12) {
		must(t, s, "marked", eventstore.Exactly(1+v), event("x"))
	}
	if again := must(t, s, "marked", eventstore.Exactly(13), args...); !again.Deduplicated || again.Last != 1 {
		t.Errorf("a repeat after 12 commits with a marker: %+v", again)
	}
	// The empty id means no id.
	must(t, s, "none", eventstore.NoStream(), event("a"), eventstore.CommitID(""))
	if done := must(t, s, "none", eventstore.Exactly(1), event("a"), eventstore.CommitID("")); done.Deduplicated || done.CommitID == "" {
		t.Errorf("the empty id: %+v", done)
	}
	// Callers that repeat it at the same time, each based on what it has loaded.
	must(t, s, "race", eventstore.NoStream(), event("x"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 4 {
				head, err := s.Head(t.Context(), "race")
				if err == nil {
					_, err = s.Append(t.Context(), "race", eventstore.Exactly(head.Version), event("once"), eventstore.CommitID("once"))
				}
				if err != nil && !errors.Is(err, eventstore.ErrWrongExpectedVersion) {
					t.Errorf("race: %v", err)
				}
			}
		})
	}
	wg.Wait()
	want(t, "race", read(t, s, "race"), "1:x 2:once")
}

// testReused: an id that was used for other events is a specific error, and nothing is dropped silently.
func testReused(t *testing.T, factory Factory) {
	paid := eventstore.NewEvent{Type: "paid", Data: []byte("100"), Metadata: map[string]string{"trace": "1"}, CorrelationID: "c1"}
	otherType, otherData, otherSchema, otherID, traced := paid, paid, paid, paid, paid
	otherType.Type, otherData.Data, otherSchema.Schema, otherID.ID = "refunded", []byte("999"), 2, "mine"
	traced.Metadata, traced.CorrelationID, traced.CausationID = map[string]string{"trace": "2"}, "c2", "x"
	for name, opts := range map[string][]eventstore.Option{"items": nil, "frames": {eventstore.Frames(1 << 10)}, "feed": {eventstore.Sequenced(2)}} {
		s := factory(t, opts...)
		for what, dedup := range map[string][]eventstore.AppendArg{"": nil, "+marker": {eventstore.Dedup(time.Hour)}} {
			stream, id := name+what, eventstore.CommitID("req-1"+what)
			must(t, s, stream, eventstore.NoStream(), event("x"))
			must(t, s, stream, eventstore.Exactly(1), append(dedup, paid, event("y"), id)...)
			for _, expected := range []eventstore.Expected{eventstore.Any(), eventstore.Exactly(1), eventstore.Exactly(3)} {
				for how, events := range map[string][]eventstore.NewEvent{
					"type": {otherType, event("y")}, "data": {otherData, event("y")}, "schema": {otherSchema, event("y")}, "id": {otherID, event("y")},
					"second": {paid, event("z")}, "more": {paid, event("y"), event("z")},
				} {
					_, err := s.Append(t.Context(), stream, expected, append(dedup, eventstore.Events(events), id)...)
					reused, ok := errors.AsType[*eventstore.CommitIDReused](err)
					if how == "id" && expected == eventstore.Exactly(1) {
						ok = ok || errors.Is(err, eventstore.ErrCorruptIdempotency) // one of the two ids is there
					} else if !ok || !errors.Is(err, eventstore.ErrCommitIDReused) || reused.Stream != stream || strings.Contains(err.Error(), "100") {
						t.Errorf("%s, other %s, expecting %s: %v", stream, how, expected, err)
					}
					if !ok {
						t.Errorf("%s, other %s, expecting %s: %v", stream, how, expected, err)
					}
				}
				// Tracing data may differ.
				again, err := s.Append(t.Context(), stream, expected, append(dedup, traced, event("y"), id)...)
				if err != nil || !again.Deduplicated || again.First != 2 {
					t.Errorf("%s, other tracing, expecting %s: %+v, %v", stream, expected, again, err)
				}
			}
			want(t, stream, read(t, s, stream), "1:x 2:100 3:y")
			// Removed data cannot be compared.
			if err := s.Scrub(t.Context(), stream, 2); err != nil {
				t.Fatal(err)
			}
			if again, err := s.Append(t.Context(), stream, eventstore.Any(), append(dedup, otherData, event("y"), id)...); err != nil || !again.Deduplicated {
				t.Errorf("%s, scrubbed: %+v, %v", stream, again, err)
			}
		}
		// One of several streams is enough.
		move := func(in string) error {
			_, err := s.Commit(t.Context(), eventstore.To("p", eventstore.Any(), event("out")), eventstore.To("q", eventstore.Any(), event(in)), eventstore.CommitID("move"))
			return err
		}
		if err := errors.Join(move("in"), move("in")); err != nil {
			t.Error(err)
		}
		wantError(t, "another event of the second stream", move("other"), eventstore.ErrCommitIDReused)
		_, err := s.Commit(t.Context(), eventstore.To("p", eventstore.Any(), event("out")), eventstore.To("r", eventstore.Any(), event("in")), eventstore.CommitID("move"))
		wantError(t, "another stream", err, eventstore.ErrCommitIDReused)
		want(t, "q", read(t, s, "q"), "1:in")
	}
}

// readKeys counts how often a key was read by its id.
type readKeys struct {
	eventstore.Keys
	n atomic.Int64
}

func (k *readKeys) ByID(ctx context.Context, id string) (eventstore.Key, error) {
	k.n.Add(1)
	return k.Keys.ByID(ctx, id)
}

// testRepeatReadsKeysOnce: a repeat of a commit compares its events with what is stored, for which it reads each key once.
func testRepeatReadsKeysOnce(t *testing.T, s *secretive) {
	counting := &readKeys{Keys: s.keys}
	store, err := eventstore.New(s.Client(), s.Name(), eventstore.Sequenced(1), eventstore.Encrypt(counting, personOf))
	if err != nil {
		t.Fatal(err)
	}
	commit := func() eventstore.Appended {
		done, err := store.Commit(t.Context(), eventstore.CommitID("many"),
			eventstore.To("person-eve-1", eventstore.Any(), events(20)...), eventstore.To("person-fay-1", eventstore.Any(), events(20)...))
		if err != nil {
			t.Fatal(err)
		}
		return done[1]
	}
	commit()
	counting.n.Store(0)
	if done := commit(); !done.Deduplicated || counting.n.Load() != 2 {
		t.Errorf("the repeat of a commit about two subjects read keys %d times; deduplicated: %t", counting.n.Load(), done.Deduplicated)
	}
}
