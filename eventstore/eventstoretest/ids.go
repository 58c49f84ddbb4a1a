// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

func named(id string) eventstore.NewEvent {
	return eventstore.NewEvent{ID: id, Type: "happened", Data: []byte(id)}
}

func testUniqueIDs(t *testing.T, factory Factory) {
	for what, opts := range map[string][]eventstore.Option{
		"plain": nil, "feed": {eventstore.Sequenced(2)}, "frames": {eventstore.Sequenced(2), eventstore.Frames(64 << 10)},
	} {
		t.Run(what, func(t *testing.T) { uniqueIDs(t, factory(t, append(opts, eventstore.UniqueIDs())...)) })
	}
}

// byID returns the event with an id as text.
func byID(t *testing.T, s *eventstore.Store, id string) string {
	t.Helper()
	e, err := s.EventByID(t.Context(), id)
	switch {
	case errors.Is(err, ddb.ErrNotFound):
		return "none"
	case errors.Is(err, eventstore.ErrStreamDeleted):
		return "deleted"
	case err != nil:
		t.Fatal(err)
	}
	return fmt.Sprintf("%s/%d %s %s", e.Stream, e.Version, e.ID, e.Data)
}

func uniqueIDs(t *testing.T, s *eventstore.Store) {
	ctx := t.Context()
	must(t, s, "a", eventstore.NoStream(), named("1"), named("2"), named("3"))
	must(t, s, "b", eventstore.Any(), named("4"), event("derived"))
	want(t, "an event", byID(t, s, "2"), "a/2 2 2")
	want(t, "another stream", byID(t, s, "4"), "b/1 4 4")
	want(t, "no event", byID(t, s, "9"), "none")

	for what, try := range map[string]func() error{
		"the same stream": func() error {
			_, err := s.Append(ctx, "a", eventstore.Exactly(3), named("5"), named("2"))
			return err
		},
		"another stream": func() error {
			_, err := s.Append(ctx, "c", eventstore.NoStream(), named("2"))
			return err
		},
		"any version": func() error {
			_, err := s.Append(ctx, "b", eventstore.Any(), named("2"))
			return err
		},
		"several streams": func() error {
			_, err := s.Commit(ctx, eventstore.To("a", eventstore.Exactly(3), named("6")), eventstore.To("b", eventstore.Any(), named("7"), named("2")))
			return err
		},
	} {
		err := try()
		dup, ok := errors.AsType[*eventstore.DuplicateEventID](err)
		if !ok || !errors.Is(err, eventstore.ErrDuplicateEventID) || dup.ID != "2" || dup.Stream != "a" || dup.Version != 2 {
			t.Errorf("%s: %v", what, err)
		}
	}
	want(t, "the stream", read(t, s, "a"), "1:1 2:2 3:3")
	want(t, "the other", read(t, s, "b"), "1:4 2:derived")
	for _, id := range []string{"5", "6", "7"} {
		want(t, "an id of an append that was refused", byID(t, s, id), "none")
	}
	must(t, s, "a", eventstore.Exactly(3), named("5"))

	// A repeat of a commit that no head remembers is recognised by its ids.
	must(t, s, "r", eventstore.Any(), event("x"), event("y"), eventstore.CommitID("first"))
	for i := range 10 {
		must(t, s, "r", eventstore.Any(), event(fmt.Sprint(i)))
	}
	done := must(t, s, "r", eventstore.Any(), event("x"), event("y"), eventstore.CommitID("first"))
	if !done.Deduplicated || done.First != 1 || done.Last != 2 {
		t.Errorf("a repeat: %+v", done)
	}

	if err := s.Truncate(ctx, "a", 3); err != nil {
		t.Fatal(err)
	}
	want(t, "truncated", byID(t, s, "2"), "none")
	want(t, "not truncated", byID(t, s, "3"), "a/3 3 3")
	if err := s.Delete(ctx, "b", eventstore.Any()); err != nil {
		t.Fatal(err)
	}
	want(t, "deleted", byID(t, s, "4"), "deleted")
	for _, id := range []string{"2", "4"} {
		if _, err := s.Append(ctx, "z", eventstore.Any(), named(id)); !errors.Is(err, eventstore.ErrDuplicateEventID) {
			t.Errorf("the id of an event that is gone: %v", err)
		}
	}
	var many []eventstore.NewEvent
	for i := range 100 {
		many = append(many, named(fmt.Sprint("m", i)))
	}
	if _, err := s.Append(ctx, "m", eventstore.NoStream(), eventstore.Events(many)); !errors.Is(err, eventstore.ErrTooLarge) {
		t.Errorf("100 events: %v", err)
	}
	must(t, s, "m", eventstore.NoStream(), eventstore.Events(many[:48]))
	want(t, "one of many", byID(t, s, "m47"), "m/48 m47 m47") //nolint:dupword // type and id
}
