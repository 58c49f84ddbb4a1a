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

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/schema"
)

// Factory makes a store in a new, existing and empty table, and removes the table when the test ends.
type Factory func(t testing.TB, opts ...eventstore.Option) *eventstore.Store

// Run tests every method of a store, each on new stores of the factory.
func Run(t *testing.T, factory Factory) {
	for _, tc := range []struct {
		name string
		run  func(*testing.T, Factory)
	}{
		{"Envelope", testEnvelope}, {"Expected", testExpected}, {"Repeat", testRepeat}, {"RepeatInPart", testRepeatInPart}, {"Repeat with another expectation", testRepeatElsewhere},
		{"Commit id reused", testReused},
		{"Several streams", testSeveral}, {"With", testWith}, {"Too large", testTooLarge}, {"Refused input", testInput},
		{"Read", testRead}, {"Long stream", testLong}, {"ReadAt", testReadAt}, {"Frames", testFrames}, {"Upcast", testUpcast}, {"Upcast into several", testUpcastInto},
		{"Names", testNames}, {"Cost", testCost}, {"Unique ids", testUniqueIDs},
		{"Feed", testFeed}, {"Feed resumes", testFeedResumes}, {"Feed setup", testFeedSetup}, {"Feed filters", testFilters}, {"Filters cost", testFilterCost}, {"Last events", testLastEvents},
		{"Park", testPark}, {"Park limit", testParkLimit}, {"Park and views", testParkViews}, {"Inline projections", testInline}, {"Typed handler", testDecoded}, {"Projection", testProjection}, {"Figures", testFigures}, {"Subscribe", testSubscribe}, {"Subscribe fails", testSubscribeFails},
		{"Time feed", testTimeFeed}, {"Indexes", testIndexes}, {"Backfill", testBackfill}, {"Copy", testCopy},
		{"Truncate", testTruncate}, {"Delete", testDelete}, {"Scrub", testScrub}, {"Reset", testReset},
		{"Offload", testOffload}, {"Repository", testRepository}, {"State stored", testStateStored}, {"Views", testViews},
		{"Expire", testExpire}, {"Expire in order", testExpireOrder}, {"Expire elsewhere", testExpireElsewhere}, {"Encrypt", testEncrypt}, {"Sealed data", testSealed}, {"Compress", testCompress}, {"Cache", testCache}, {"Replay", testReplay}, {"Edition", testEdition}, {"Truncated state", testTruncatedState}, {"Views of the feed", testCommitViews},
		{"Metadata too large", testMetadataTooLarge}, {"Scrub tracing", testScrubTracing}, {"Default names", testDefaultNames},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.run(t, factory) })
	}
}

func event(data string) eventstore.NewEvent {
	return eventstore.NewEvent{Type: "happened", Data: []byte(data)}
}

func events(n int) []eventstore.NewEvent {
	list := make([]eventstore.NewEvent, n)
	for i := range list {
		list[i] = event(strconv.Itoa(i + 1))
	}
	return list
}

// must appends, and fails the test if that fails.
func must(t *testing.T, s *eventstore.Store, stream string, expected eventstore.Expected, args ...eventstore.AppendArg) eventstore.Appended {
	t.Helper()
	done, err := s.Append(t.Context(), stream, expected, args...)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return done
}

// read shows a stream as "1:data 2:data", with the error that ended it.
func read(t *testing.T, s *eventstore.Store, stream string, opts ...eventstore.ReadOption) string {
	t.Helper()
	var text []string
	for e, err := range s.Read(t.Context(), stream, opts...) {
		if err != nil {
			return strings.Join(append(text, err.Error()), " ")
		}
		text = append(text, fmt.Sprintf("%d:%s", e.Version, e.Data))
	}
	return strings.Join(text, " ")
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func wantError(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error %v, want one that matches %q", what, err, target)
	}
}

func testEnvelope(t *testing.T, factory Factory) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("somewhere", 3600))
	s := factory(t, eventstore.Clock(func() time.Time { return at }))
	full := eventstore.NewEvent{
		ID: "id-1", Type: "opened", Schema: 3, Data: []byte{0, 1, 255}, Metadata: map[string]string{"by": "x", "empty": ""},
		CorrelationID: "corr", CausationID: "caus",
	}
	must(t, s, "s", eventstore.NoStream(), full, eventstore.NewEvent{Type: "bare"}, eventstore.CommitID("c-1"))
	var got []eventstore.Event
	for e, err := range s.Read(t.Context(), "s") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if len(got) != 2 {
		t.Fatalf("%d events", len(got))
	}
	if got[1].ID == "" || got[1].ID == got[0].ID {
		t.Errorf("the second event has id %q", got[1].ID)
	}
	got[1].ID = ""
	wanted := []eventstore.Event{
		{
			Stream: "s", Version: 1, ID: "id-1", Type: "opened", Schema: 3, Data: []byte{0, 1, 255}, Metadata: map[string]string{"by": "x", "empty": ""},
			CorrelationID: "corr", CausationID: "caus", CommitID: "c-1", RecordedAt: at.UTC(),
		},
		{Stream: "s", Version: 2, Type: "bare", Schema: 1, CommitID: "c-1", RecordedAt: at.UTC()},
	}
	if diff := cmp.Diff(wanted, got, cmpopts.IgnoreUnexported(eventstore.Event{})); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	head, err := s.Head(t.Context(), "s")
	if diff := cmp.Diff(eventstore.Head{Stream: "s", Version: 2, First: 1, CreatedAt: at.UTC(), LastCommit: "c-1"}, head); diff != "" || err != nil {
		t.Errorf("head: %v\n%s", err, diff)
	}
	_, err = s.Head(t.Context(), "none")
	wantError(t, "head of a missing stream", err, ddb.ErrNotFound)
}

func testExpected(t *testing.T, factory Factory) {
	s := factory(t)
	for i, tc := range []struct {
		before   int // events
		expected eventstore.Expected
		ok       bool
	}{
		{0, eventstore.NoStream(), true}, {0, eventstore.Exactly(0), true}, {0, eventstore.Any(), true},
		{0, eventstore.StreamExists(), false}, {0, eventstore.Exactly(1), false},
		{2, eventstore.NoStream(), false}, {2, eventstore.Exactly(0), false}, {2, eventstore.Exactly(1), false},
		{2, eventstore.Exactly(2), true}, {2, eventstore.Exactly(3), false}, {2, eventstore.Any(), true}, {2, eventstore.StreamExists(), true},
	} {
		stream := fmt.Sprintf("%d: %d events, expecting %s", i, tc.before, tc.expected)
		if tc.before > 0 {
			must(t, s, stream, eventstore.NoStream(), eventstore.Events(events(tc.before)))
		}
		done, err := s.Append(t.Context(), stream, tc.expected, event("a"), event("b"))
		if tc.ok {
			if err != nil || done.First != int64(tc.before)+1 || done.Last != int64(tc.before)+2 || done.Deduplicated {
				t.Errorf("%s: %+v, %v", stream, done, err)
			}
			continue
		}
		wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](err)
		if !ok || !errors.Is(err, eventstore.ErrWrongExpectedVersion) || wrong.Actual != int64(tc.before) || wrong.Expected != tc.expected || wrong.Stream != stream {
			t.Errorf("%s: %v", stream, err)
			continue
		}
		if wrong.Blocking != nil && strings.Contains(err.Error(), stream) {
			t.Errorf("%s: the text of the error names the stream: %v", stream, err)
		}
		got := ""
		if tc.before > 0 {
			got = "1:1 2:2"
		}
		want(t, stream, read(t, s, stream), got)
	}
}

func testRepeat(t *testing.T, factory Factory) {
	s := factory(t)
	args := []eventstore.AppendArg{event("a"), event("b"), eventstore.CommitID("c")}
	first := must(t, s, "exact", eventstore.NoStream(), args...)
	for v := range 20 { // more than the head remembers
		must(t, s, "exact", eventstore.Exactly(int64(2+v)), event("x"))
	}
	again := must(t, s, "exact", eventstore.NoStream(), args...)
	if again.First != first.First || again.Last != first.Last || !again.Deduplicated || again.CommitID != "c" {
		t.Errorf("a repeat after 20 commits: %+v, first %+v", again, first)
	}
	// Any is recognised among the last 8 commits.
	must(t, s, "any", eventstore.Any(), args...)
	for range 7 {
		must(t, s, "any", eventstore.Any(), event("x"))
	}
	if again := must(t, s, "any", eventstore.Any(), args...); again.Last != 2 || !again.Deduplicated {
		t.Errorf("a repeat after 7 commits: %+v", again)
	}
	// With Dedup it is recognised behind more.
	args = append(args, eventstore.Dedup(time.Hour))
	must(t, s, "marked", eventstore.Any(), args...)
	for range 9 {
		must(t, s, "marked", eventstore.Any(), event("x"))
	}
	if again := must(t, s, "marked", eventstore.Any(), args...); again.Last != 2 || !again.Deduplicated {
		t.Errorf("a repeat after 9 commits with a marker: %+v", again)
	}
	for stream, n := range map[string]int64{"exact": 22, "any": 9, "marked": 11} {
		if head, err := s.Head(t.Context(), stream); err != nil || head.Version != n {
			t.Errorf("%s has %d versions, %v, want %d", stream, head.Version, err, n)
		}
	}
	// An id that was not used before is no repeat.
	_, err := s.Append(t.Context(), "exact", eventstore.NoStream(), event("a"), eventstore.CommitID("d"))
	wantError(t, "another commit with the same data", err, eventstore.ErrWrongExpectedVersion)
}

func testRepeatInPart(t *testing.T, factory Factory) {
	s := factory(t)
	must(t, s, "s", eventstore.NoStream(), event("a"), event("b"), eventstore.CommitID("c"))
	for what, args := range map[string][]eventstore.AppendArg{
		"more events":  {event("a"), event("b"), event("c")},
		"fewer events": {event("a")},
	} {
		_, err := s.Append(t.Context(), "s", eventstore.NoStream(), append(args, eventstore.CommitID("c"))...)
		if what == "fewer events" {
			// All of its events are there, so it is a repeat.
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		wantError(t, what, err, eventstore.ErrCorruptIdempotency)
	}
	want(t, "stream", read(t, s, "s"), "1:a 2:b")
}

func testSeveral(t *testing.T, factory Factory) {
	for name, opts := range map[string][]eventstore.Option{"plain": nil, "one shard": {eventstore.Sequenced(1)}, "many shards": {eventstore.Sequenced(64)}} {
		t.Run(name, func(t *testing.T) {
			s := factory(t, opts...)
			must(t, s, "a", eventstore.NoStream(), event("1"))
			args := []eventstore.CommitArg{
				eventstore.To("a", eventstore.Exactly(1), event("2")), eventstore.To("b", eventstore.Any(), event("1"), event("2")),
				eventstore.To("c", eventstore.NoStream(), event("1")), eventstore.CommitID("c"),
			}
			for _, repeat := range []bool{false, true} {
				done, err := s.Commit(t.Context(), args...)
				if err != nil || len(done) != 3 || done[0].Last != 2 || done[1].First != 1 || done[1].Last != 2 || done[2].Last != 1 || done[0].Deduplicated != repeat {
					t.Fatalf("commit, repeat %t: %+v, %v", repeat, done, err)
				}
			}
			_, err := s.Commit(t.Context(), eventstore.To("b", eventstore.Any(), event("3")), eventstore.To("a", eventstore.Exactly(1), event("x")))
			wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](err)
			if !ok || wrong.Stream != "a" || wrong.Actual != 2 || wrong.Blocking == nil || wrong.Blocking.Version != 2 {
				t.Errorf("one of two streams at another version: %v", err)
			}
			want(t, "a", read(t, s, "a"), "1:1 2:2")
			want(t, "b", read(t, s, "b"), "1:1 2:2")
		})
	}
}

// note is an item of a caller's own table.
type note struct {
	ID   string `dynamodbav:"id"`
	Text string `dynamodbav:"text"`
}

var (
	noteID   = ddb.StrField(func(n *note) *string { return &n.ID })
	noteText = ddb.StrField(func(n *note) *string { return &n.Text })
)

func testWith(t *testing.T, factory Factory) {
	s := factory(t)
	notes, err := ddb.NewSimple(s.Client(), s.Name()+"-notes", noteID)
	if err != nil {
		t.Fatal(err)
	}
	if err := notes.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer notes.DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(notes.Name()))
	must(t, s, "s", eventstore.NoStream(), event("a"), eventstore.With(notes.TxCreate(&note{ID: "n", Text: "x"})))
	_, err = s.Append(t.Context(), "s", eventstore.Exactly(1), event("b"),
		eventstore.With(notes.TxUpdate("n", noteText.Set("y")), notes.TxCreate(&note{ID: "n2"}), notes.TxCheck("n3", ddb.Exists(noteID))))
	te, ok := errors.AsType[*ddb.TransactionError](err)
	if !ok || te.At(2) == nil || te.At(0) != nil || te.At(1) != nil {
		t.Errorf("an operation of the caller fails: %v", err)
	}
	want(t, "stream", read(t, s, "s"), "1:a")
	_, err = s.Append(t.Context(), "s", eventstore.Exactly(0), event("b"), eventstore.With(notes.TxUpdate("n", noteText.Set("y"))))
	wantError(t, "another version", err, eventstore.ErrWrongExpectedVersion)
	if n, err := notes.Get(t.Context(), "n", ddb.Consistent()); err != nil || n.Text != "x" {
		t.Errorf("the caller's item: %+v, %v", n, err)
	}
}

func testTooLarge(t *testing.T, factory Factory) {
	for name, tc := range map[string]struct {
		opts   []eventstore.Option
		events []eventstore.NewEvent
		ok     bool
	}{
		"99 events":                   {nil, events(99), true},
		"100 events":                  {nil, events(100), false},
		"97 events with the feed":     {[]eventstore.Option{eventstore.Sequenced(1)}, events(97), true},
		"98 events with the feed":     {[]eventstore.Option{eventstore.Sequenced(1)}, events(98), false},
		"5,000 events in frames":      {[]eventstore.Option{eventstore.Frames(64 << 10)}, events(5000), true},
		"4 MB":                        {nil, sized(11, 390_000), false},
		"3.9 MB":                      {nil, sized(10, 380_000), true},
		"an item of 400 KB and more":  {nil, sized(1, 410_000), false},
		"an item of nearly 400 KB":    {nil, sized(1, 409_000), true},
		"4 MB and more in frames":     {[]eventstore.Option{eventstore.Frames(300 << 10)}, sized(45, 100_000), false},
		"too large among small ones":  {nil, append(events(3), sized(1, 410_000)...), false},
		"300 KB in a frame of 350 KB": {[]eventstore.Option{eventstore.Frames(350 << 10)}, sized(3, 300_000), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := factory(t, tc.opts...)
			_, err := s.Append(t.Context(), "s", eventstore.NoStream(), eventstore.Events(tc.events))
			if !tc.ok {
				wantError(t, "append", err, eventstore.ErrTooLarge)
				want(t, "stream", read(t, s, "s"), "")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for e, err := range s.Read(t.Context(), "s") {
				if err != nil || string(e.Data) != string(tc.events[n].Data) {
					t.Fatalf("version %d: %v", e.Version, err)
				}
				n++
			}
			if n != len(tc.events) {
				t.Errorf("%d events, want %d", n, len(tc.events))
			}
		})
	}
}

func sized(n, bytes int) []eventstore.NewEvent {
	list := make([]eventstore.NewEvent, n)
	for i := range list {
		list[i] = event(strings.Repeat(string(rune('a'+i%26)), bytes))
	}
	return list
}

func testInput(t *testing.T, factory Factory) {
	s := factory(t)
	for what, call := range map[string]func() error{
		"no stream": func() error { _, err := s.Append(t.Context(), "", eventstore.Any(), event("a")); return err },
		"a long name": func() error {
			_, err := s.Append(t.Context(), strings.Repeat("x", 2001), eventstore.Any(), event("a"))
			return err
		},
		"no events": func() error { _, err := s.Append(t.Context(), "s", eventstore.Any()); return err },
		"no type": func() error {
			_, err := s.Append(t.Context(), "s", eventstore.Any(), eventstore.NewEvent{})
			return err
		},
		"a nil argument": func() error { _, err := s.Append(t.Context(), "s", eventstore.Any(), event("a"), nil); return err },
		"a negative time to keep": func() error {
			_, err := s.Append(t.Context(), "s", eventstore.Any(), event("a"), eventstore.Dedup(-1))
			return err
		},
		"a low version": func() error { _, err := s.Append(t.Context(), "s", eventstore.Exactly(-1), event("a")); return err },
		"no part":       func() error { _, err := s.Commit(t.Context()); return err },
		"one stream twice": func() error {
			_, err := s.Commit(t.Context(), eventstore.To("s", eventstore.Any(), event("a")), eventstore.To("s", eventstore.Any(), event("b")))
			return err
		},
		"one id twice": func() error {
			e := event("a")
			e.ID = "x"
			_, err := s.Append(t.Context(), "s", eventstore.Any(), e, e)
			return err
		},
		"a limit of 0":      func() error { return firstError(s.Read(t.Context(), "s", eventstore.Limit(0))) },
		"backward in time":  func() error { return firstError(s.ReadAt(t.Context(), "s", time.Now(), eventstore.Backward())) },
		"a feed it has not": func() error { _, err := s.Feed().End(t.Context()); return err },
		"an index it lacks": func() error { return firstError(s.Correlated(t.Context(), "x")) },
		"a time feed":       func() error { return firstError(s.TimeFeed(time.Time{}).Read(t.Context())) },
		"no categories":     func() error { return firstError(s.Streams(t.Context(), "x")) },
		"before version 9":  func() error { must(t, s, "t", eventstore.Any(), event("a")); return s.Truncate(t.Context(), "t", 9) },
		"bad options": func() error {
			_, err := eventstore.New(s.Client(), "x", eventstore.Sequenced(3), eventstore.Frames(1), eventstore.TimeBuckets("year", 0), eventstore.Offload(nil, -1), eventstore.MaxTries(0), eventstore.ByCategory(0, nil))
			return err
		},
	} {
		wantError(t, what, call(), ddb.ErrInvalid)
	}
	want(t, "stream", read(t, s, "s"), "")
}

func firstError[T any](seq func(func(T, error) bool)) (err error) {
	for _, err = range seq {
		if err != nil {
			return err
		}
	}
	return nil
}
