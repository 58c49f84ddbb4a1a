// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/eventstore"
)

func testRead(t *testing.T, factory Factory) {
	for name, opts := range map[string][]eventstore.Option{"items": nil, "frames": {eventstore.Frames(1 << 10)}} {
		t.Run(name, func(t *testing.T) {
			s := factory(t, opts...)
			must(t, s, "s", eventstore.NoStream(), event("a"), event("b"), event("c"))
			must(t, s, "s", eventstore.Exactly(3), event("d"))
			must(t, s, "s", eventstore.Exactly(4), event("e"), event("f"))
			all := []string{"1:a", "2:b", "3:c", "4:d", "5:e", "6:f"}
			for from := int64(-1); from <= 8; from++ {
				for to := range int64(9) {
					for limit := range 4 {
						for _, backward := range []bool{false, true} {
							var wanted []string
							for i := range all {
								v := i + 1
								if backward {
									v = len(all) - i
								}
								if int64(v) >= from && int64(v) <= to && (limit == 0 || len(wanted) < limit) {
									wanted = append(wanted, all[v-1])
								}
							}
							opts := []eventstore.ReadOption{eventstore.From(from), eventstore.UpTo(to)}
							if limit > 0 {
								opts = append(opts, eventstore.Limit(limit), eventstore.PageSize(limit))
							}
							if backward {
								opts = append(opts, eventstore.Backward())
							}
							want(t, fmt.Sprintf("from %d to %d, limit %d, backward %t", from, to, limit, backward), read(t, s, "s", opts...), strings.Join(wanted, " "))
						}
					}
				}
			}
			for range s.Read(t.Context(), "s") { // leaving the loop leaves nothing behind
				break
			}
		})
	}
}

// testLong reads more than the 1 MB of one request, and with pages of odd sizes.
func testLong(t *testing.T, factory Factory) {
	s := factory(t)
	const n = 600
	for v := int64(0); v < n; v += 50 {
		list := make([]eventstore.NewEvent, 50)
		for i := range list {
			list[i] = event(fmt.Sprintf("%d %s", v+int64(i)+1, strings.Repeat("x", 4000)))
		}
		must(t, s, "s", eventstore.Exactly(v), eventstore.Events(list))
	}
	for _, opts := range [][]eventstore.ReadOption{
		nil, {eventstore.PageSize(7)}, {eventstore.From(2)}, {eventstore.Backward()}, {eventstore.EventuallyConsistent()},
	} {
		count := 0
		for e, err := range s.Read(t.Context(), "s", opts...) {
			if err != nil || !strings.HasPrefix(string(e.Data), fmt.Sprintf("%d ", e.Version)) {
				t.Fatalf("version %d: %v", e.Version, err)
			}
			count++
		}
		if wanted := n - count; wanted != 0 && !(wanted == 1 && len(opts) == 1) {
			t.Errorf("%d events, want %d", count, n)
		}
	}
}

func testReadAt(t *testing.T, factory Factory) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := factory(t, eventstore.Clock(func() time.Time { return now }))
	for i := range 4 {
		must(t, s, "s", eventstore.Exactly(int64(i)), event(strconv.Itoa(i)))
		now = now.Add(time.Hour)
	}
	at := func(at time.Time) string {
		var text strings.Builder
		for e, err := range s.ReadAt(t.Context(), "s", at) {
			if err != nil {
				t.Fatal(err)
			}
			text.Write(e.Data)
		}
		return text.String()
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want(t, "before the first", at(start.Add(-1)), "")
	want(t, "at the first", at(start), "0")
	want(t, "between", at(start.Add(90*time.Minute)), "01")
	want(t, "in another zone", at(start.Add(2*time.Hour).In(time.FixedZone("x", -7200))), "012")
	want(t, "later", at(start.Add(time.Hour*24)), "0123")
}

func testFrames(t *testing.T, factory Factory) {
	ledger := cost.NewLedger()
	s := factory(t, eventstore.Frames(8<<10), eventstore.TableOptions(ddb.WithLedger(ledger)))
	small := events(40)
	for i := range small {
		small[i].ID, small[i].Metadata = fmt.Sprint("id", i), map[string]string{"n": strconv.Itoa(i)}
		if i >= 20 {
			small[i].CorrelationID = "other"
		}
	}
	must(t, s, "s", eventstore.NoStream(), eventstore.Events(small))
	n := 0
	for e, err := range s.Read(t.Context(), "s") {
		corr := ""
		if n >= 20 {
			corr = "other"
		}
		if err != nil || e.ID != fmt.Sprint("id", n) || e.Metadata["n"] != strconv.Itoa(n) || e.CorrelationID != corr || e.Version != int64(n)+1 || e.Type != "happened" {
			t.Fatalf("event %d: %+v, %v", n, e, err)
		}
		n++
	}
	if n != 40 {
		t.Errorf("%d events", n)
	}
	// A store without the option reads and continues a stream written with it.
	plain, err := eventstore.New(s.Client(), s.Name())
	if err != nil {
		t.Fatal(err)
	}
	must(t, plain, "s", eventstore.Exactly(40), event("x"))
	want(t, "from inside a frame", read(t, plain, "s", eventstore.From(39)), "39:39 40:40 41:x")
	_, err = plain.Append(t.Context(), "s", eventstore.Exactly(19), event("x"))
	if wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](err); !ok || wrong.Blocking == nil || wrong.Blocking.ID != "id19" {
		t.Errorf("an append that meets a frame: %v", err)
	}
	if again := must(t, s, "s", eventstore.NoStream(), eventstore.Events(small)); !again.Deduplicated || again.Last != 40 {
		t.Errorf("a repeat of frames: %+v", again)
	}
}

func testUpcast(t *testing.T, factory Factory) {
	s := factory(t)
	must(t, s, "s", eventstore.NoStream(), eventstore.NewEvent{Type: "named", Data: []byte(`{"n":"x"}`)}, eventstore.NewEvent{Type: "named", Schema: 3, Data: []byte(`{"title":"y"}`)})
	up := func(typ string, schema int, from, to string) eventstore.Upcaster {
		return eventstore.Upcaster{Type: typ, Schema: schema, Up: func(e eventstore.Event) (eventstore.Event, error) {
			var m map[string]string
			if err := json.Unmarshal(e.Data, &m); err != nil {
				return e, err
			}
			m[to] = m[from]
			delete(m, from)
			var err error
			e.Schema++
			e.Version, e.Stream = 99, "forged"
			e.Data, err = json.Marshal(m)
			return e, err
		}}
	}
	open := func(upcasters ...eventstore.Upcaster) *eventstore.Store {
		s, err := eventstore.New(s.Client(), s.Name(), eventstore.Upcast(upcasters...))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want(t, "two steps", read(t, open(up("named", 1, "n", "name"), up("named", 2, "name", "title")), "s"), `1:{"title":"x"} 2:{"title":"y"}`)
	stuck := up("named", 1, "n", "name")
	stuck.Up = func(e eventstore.Event) (eventstore.Event, error) { return e, nil }
	if got := read(t, open(stuck), "s"); !strings.Contains(got, "raise") {
		t.Errorf("an upcaster that changes nothing: %q", got)
	}
	failing := stuck
	failing.Up = func(e eventstore.Event) (eventstore.Event, error) { return e, errors.New("broken") }
	if got := read(t, open(failing), "s"); !strings.Contains(got, "broken") {
		t.Errorf("an upcaster that fails: %q", got)
	}
	if _, err := eventstore.New(s.Client(), s.Name(), eventstore.Upcast(stuck, stuck)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("the same upcaster twice: %v", err)
	}
}

// testNames: streams whose names contain separators are distinct.
func testNames(t *testing.T, factory Factory) {
	s := factory(t, eventstore.Sequenced(2))
	names := []string{"a", "a#b", "a::b", "a#1", "#", "S#a", "a%23b", "ä\x00ö", " ", "a@b", strings.Repeat("n", 2000)}
	for _, n := range names {
		must(t, s, n, eventstore.NoStream(), event(n[:1]))
	}
	for _, n := range names {
		want(t, n, read(t, s, n), "1:"+n[:1])
	}
	seen := map[string]bool{}
	for c, err := range s.Feed().Read(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[c.Stream] = true
	}
	for _, n := range names {
		if !seen[n] {
			t.Errorf("the feed has no stream of the name %.20q", n)
		}
	}
	pairs := map[string]string{}
	for _, p := range [][2]string{{"a", "b-c"}, {"a-b", "c"}, {"a%2Db", "c"}, {"a%", "c"}, {"a%25", "c"}, {"", "x"}} {
		name := eventstore.StreamName(p[0], p[1])
		if other, ok := pairs[name]; ok {
			t.Errorf("%q and %q have one name", p, other)
		}
		pairs[name] = fmt.Sprint(p)
		want(t, "category of "+name, eventstore.CategoryOf(name), p[0])
	}
}

// testCost compares the write units of the documentation with those that are billed.
func testCost(t *testing.T, factory Factory) {
	for _, tc := range []struct {
		name        string
		opts        []eventstore.Option
		args        []eventstore.AppendArg
		first, next float64
	}{
		{"one event", nil, []eventstore.AppendArg{event("a")}, 4, 4},
		{"three events", nil, []eventstore.AppendArg{eventstore.Events(events(3))}, 8, 8},
		{"one event, with the feed", []eventstore.Option{eventstore.Sequenced(1)}, []eventstore.AppendArg{event("a")}, 8, 8},
		{"three events in a frame", []eventstore.Option{eventstore.Frames(64 << 10)}, []eventstore.AppendArg{eventstore.Events(events(3))}, 4, 4},
		{"one event, with a marker", nil, []eventstore.AppendArg{event("a"), eventstore.Dedup(time.Hour)}, 6, 6},
	} {
		ledger := cost.NewLedger()
		s := factory(t, append(tc.opts, eventstore.TableOptions(ddb.WithLedger(ledger)))...)
		must(t, s, "warm", eventstore.NoStream(), event("a")) // paid once
		for v, units := range []float64{tc.first, tc.next} {
			stream, expected := "s", eventstore.NoStream()
			if v > 0 {
				head, err := s.Head(context.Background(), stream)
				if err != nil {
					t.Fatal(err)
				}
				expected = eventstore.Exactly(head.Version)
			}
			ledger.Reset()
			must(t, s, stream, expected, tc.args...)
			if got := ledger.Snapshot(); got.Write() != units {
				t.Errorf("%s, append %d: %g write units, want %g (%+v)", tc.name, v+1, got.Write(), units, got.Entries)
			}
		}
	}
}
