// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/schema"
)

func testTruncate(t *testing.T, factory Factory) {
	for name, opts := range map[string][]eventstore.Option{"items": {eventstore.Sequenced(1)}, "frames": {eventstore.Sequenced(1), eventstore.Frames(64 << 10)}} {
		t.Run(name, func(t *testing.T) {
			s := factory(t, opts...)
			must(t, s, "s", eventstore.NoStream(), event("a"), event("b"), event("c"))
			must(t, s, "s", eventstore.Exactly(3), event("d"), event("e"))
			for range 2 { // a repeat changes nothing
				if err := s.Truncate(t.Context(), "s", 3); err != nil {
					t.Fatal(err)
				}
			}
			want(t, "the rest", read(t, s, "s"), "3:c 4:d 5:e")
			want(t, "from before", read(t, s, "s", eventstore.From(2), eventstore.Backward()), "5:e 4:d 3:c")
			if err := s.Truncate(t.Context(), "s", 1); err != nil { // never back
				t.Fatal(err)
			}
			want(t, "the rest", read(t, s, "s"), "3:c 4:d 5:e")
			truncated := 0
			for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
				if err != nil {
					t.Fatal(err)
				}
				truncated += c.Truncated
			}
			// In a frame, an event is removed when the whole frame is.
			if wanted := map[string]int{"items": 2}[name]; truncated != wanted {
				t.Errorf("the feed reports %d truncated events, want %d", truncated, wanted)
			}
			if err := s.Truncate(t.Context(), "s", 6); err != nil {
				t.Fatal(err)
			}
			want(t, "an empty stream", read(t, s, "s"), "")
			must(t, s, "s", eventstore.Exactly(5), event("f"))
			want(t, "what follows", read(t, s, "s"), "6:f")
			wantError(t, "no stream", s.Truncate(t.Context(), "none", 1), ddb.ErrNotFound)
		})
	}
}

func testDelete(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(1))
	must(t, s, "s", eventstore.NoStream(), event("a"), event("b"))
	must(t, s, "other", eventstore.NoStream(), event("a"))
	wantError(t, "another version", s.Delete(t.Context(), "s", eventstore.Exactly(1)), eventstore.ErrWrongExpectedVersion)
	want(t, "still there", read(t, s, "s"), "1:a 2:b")
	for range 2 {
		if err := s.Delete(t.Context(), "s", eventstore.Exactly(2)); err != nil {
			t.Fatal(err)
		}
	}
	for _, expected := range []eventstore.Expected{eventstore.Any(), eventstore.NoStream(), eventstore.Exactly(2), eventstore.StreamExists()} {
		_, err := s.Append(t.Context(), "s", expected, event("c"))
		wantError(t, "append to a deleted stream, expecting "+expected.String(), err, eventstore.ErrStreamDeleted)
	}
	wantError(t, "read", firstError(s.Read(t.Context(), "s")), eventstore.ErrStreamDeleted)
	wantError(t, "read backward", firstError(s.Read(t.Context(), "s", eventstore.Backward())), eventstore.ErrStreamDeleted)
	if head, err := s.Head(t.Context(), "s"); err != nil || head.Version != 2 || head.Deleted.IsZero() {
		t.Errorf("head: %+v, %v", head, err)
	}
	var got []string
	for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %d events %d truncated", c.Stream, len(c.Events), c.Truncated))
	}
	want(t, "feed", strings.Join(got, ", "), "s 0 events 2 truncated, other 1 events 0 truncated")
	wantError(t, "no stream", s.Delete(t.Context(), "none", eventstore.Any()), ddb.ErrNotFound)
}

func testScrub(t *testing.T, factory Factory) {
	for name, opts := range map[string][]eventstore.Option{"items": nil, "frames": {eventstore.Frames(64 << 10)}, "offloaded": {eventstore.Offload(new(memory), 20)}} {
		t.Run(name, func(t *testing.T) {
			s := factory(t, opts...)
			secret := event("secret")
			secret.Metadata = map[string]string{"name": "secret"}
			must(t, s, "s", eventstore.NoStream(), event("a"), secret, event("c"), event("secret"))
			for range 2 {
				if err := s.Scrub(t.Context(), "s", 2); err != nil {
					t.Fatal(err)
				}
			}
			want(t, "stream", read(t, s, "s"), "1:a 2: 3:c 4:secret")
			for e, err := range s.Read(t.Context(), "s", eventstore.From(2), eventstore.UpTo(2)) {
				if err != nil || !e.Scrubbed || e.Metadata != nil || e.ID == "" || e.Type == "" {
					t.Errorf("the scrubbed event: %+v, %v", e, err)
				}
			}
			wantError(t, "no such version", s.Scrub(t.Context(), "s", 5), ddb.ErrNotFound)
			if err := s.Scrub(t.Context(), "s", 4, 3); err != nil {
				t.Fatal(err)
			}
			want(t, "stream", read(t, s, "s"), "1:a 2: 3: 4:")
			refs := 0
			for _, err := range s.References(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				refs++
			}
			if wanted := map[string]int{"offloaded": 1}[name]; refs != wanted {
				t.Errorf("%d references, want %d", refs, wanted)
			}
		})
	}
}

func testReset(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(2))
	must(t, s, "s", eventstore.NoStream(), event("a"))
	if err := s.Reset(t.Context(), schema.DeletePermission{}); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("a reset without permission: %v", err)
	}
	want(t, "stream", read(t, s, "s"), "1:a")
	if err := s.Reset(t.Context(), schema.AllowDelete(s.Name())); err != nil {
		t.Fatal(err)
	}
	want(t, "stream", read(t, s, "s"), "")
	must(t, s, "s", eventstore.NoStream(), event("b"))
	want(t, "stream", read(t, s, "s"), "1:b")
	if diffs, err := s.VerifyTable(t.Context()); err != nil || len(diffs) != 0 {
		t.Errorf("verify: %v, %v", diffs, err)
	}
}

// memory is a payload store in memory.
type memory struct {
	mu     sync.Mutex
	data   map[string][]byte
	stored int
	fail   error
}

func (m *memory) Store(_ context.Context, space string, data []byte) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return "", m.fail
	}
	if m.data == nil {
		m.data = map[string][]byte{}
	}
	m.stored++
	ref := fmt.Sprintf("%s/%x", space, data[:min(len(data), 40)])
	m.data[ref] = data
	return ref, nil
}

func (m *memory) Fetch(_ context.Context, ref string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.data[ref]
	if !ok {
		return nil, errors.New("no such payload")
	}
	return data, m.fail
}

func (m *memory) Drop(_ context.Context, ref string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.data, ref)
	return nil
}

func testOffload(t *testing.T, factory Factory) {
	m := new(memory)
	s := factory(t, eventstore.Offload(m, 0), eventstore.Sequenced(1))
	big := strings.Repeat("b", 2<<20)
	list := []eventstore.NewEvent{event("1 small"), event("2" + big), event("3 small"), event("4" + big), event("5" + big)}
	must(t, s, "s", eventstore.NoStream(), eventstore.Events(list))
	check := func(events []eventstore.Event) {
		t.Helper()
		if len(events) != len(list) {
			t.Fatalf("%d events", len(events))
		}
		for i, e := range events {
			if string(e.Data) != string(list[i].Data) {
				t.Errorf("event %d has %d bytes of another event", i+1, len(e.Data))
			}
		}
	}
	var got []eventstore.Event
	for e, err := range s.Read(t.Context(), "s") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	check(got)
	for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		check(c.Events)
	}
	if m.stored != 3 {
		t.Errorf("%d payloads stored, want 3", m.stored)
	}
	// The threshold is exact: what fits stays in the item.
	for size, offloaded := range map[int]int{340_000: 0, 358_300: 1} {
		before := m.stored
		must(t, s, fmt.Sprint("edge", size), eventstore.NoStream(), event(strings.Repeat("e", size)))
		if m.stored-before != offloaded {
			t.Errorf("%d bytes: %d payloads, want %d", size, m.stored-before, offloaded)
		}
	}
	m.fail = errors.New("no payloads today")
	_, err := s.Append(t.Context(), "s", eventstore.Exactly(5), event(big))
	wantError(t, "a payload store that fails", err, m.fail)
	wantError(t, "a payload store that fails", firstError(s.Read(t.Context(), "s")), m.fail)
	m.fail = nil
	if head, err := s.Head(t.Context(), "s"); err != nil || head.Version != 5 {
		t.Errorf("head: %+v, %v", head, err)
	}
	plain, err := eventstore.New(s.Client(), s.Name(), eventstore.Sequenced(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := firstError(plain.Read(t.Context(), "s")); err == nil || !strings.Contains(err.Error(), "Offload") {
		t.Errorf("a store without the payloads: %v", err)
	}
}
