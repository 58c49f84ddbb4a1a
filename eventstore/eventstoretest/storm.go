// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// StormConfig configures a [Storm].
type StormConfig struct {
	// Writers is the number of writers that append at the same time, 16 by default; Streams the number of streams, 8 by
	// default; Appends the number of calls after which they end, 2,000 by default.
	Writers, Streams, Appends int
	// Seed decides what the writers do.
	Seed uint64
	// Feed is whether readers follow the feed in the meantime.
	Feed bool
	// Calm is called before the checks, to end faults.
	Calm func()
}

// StormReport counts what happened in a [Storm].
type StormReport struct {
	// Calls is the number of commits requested, Repeats the number of repeated requests.
	Calls, Repeats int
	// The outcomes of the calls: written, refused because of the version, otherwise failed without being
	// written, or ambiguous.
	Written, Refused, Failed, Ambiguous int
	// AmbiguousReplies is the number of calls, repeated ones included, that returned [eventstore.ErrAmbiguous].
	AmbiguousReplies int
	// Deduplicated is the number of calls whose commit was already written by an earlier attempt.
	Deduplicated int
	Events       int
}

// Storm makes writers append with random expectations, to one stream or to several at once. They repeat calls that
// were ambiguous, and some that were not. Then it compares what every call has reported with what is
// stored: nothing is lost, nothing is duplicated, there are no gaps, every reported success is stored, nothing that was
// refused is stored, commits are complete or absent, and the feed is dense, in order and equal to
// the streams.
//
// The store's client may fail in every way that a network can: that is what Storm is
// for. It can run inside a bubble of testing/synctest.
func Storm(t testing.TB, store *eventstore.Store, cfg StormConfig) StormReport {
	t.Helper()
	s := &storm{t: t, store: store, cfg: cfg}
	s.cfg.Writers, s.cfg.Streams, s.cfg.Appends = or(cfg.Writers, 16), or(cfg.Streams, 8), or(cfg.Appends, 2000)
	if s.cfg.Calm == nil {
		s.cfg.Calm = func() {}
	}
	s.run()
	s.cfg.Calm()
	s.check()
	return s.report
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

type storm struct {
	t      testing.TB
	store  *eventstore.Store
	cfg    StormConfig
	mu     sync.Mutex
	calls  []*call
	feeds  [][]eventstore.Commit
	report StormReport
}

// call is one commit that a writer asked for, however often it repeated it.
type call struct {
	id   string
	to   []target
	done []eventstore.Appended
	err  error // of the last try
}

type target struct {
	stream   string
	expected eventstore.Expected
	ids      []string
}

func (s *storm) run() {
	ctx, stop := context.WithCancel(s.t.Context())
	var writers, readers sync.WaitGroup
	for w := range s.cfg.Writers {
		n := s.cfg.Appends / s.cfg.Writers
		writers.Go(func() { s.write(ctx, w, n) })
	}
	if s.cfg.Feed {
		for range 2 {
			readers.Go(func() { s.follow(ctx) })
		}
	}
	writers.Wait()
	stop()
	readers.Wait()
}

// write is one writer.
func (s *storm) write(ctx context.Context, writer, n int) {
	rng := rand.New(rand.NewPCG(s.cfg.Seed, uint64(writer)))
	known := make(map[string]int64) // the versions that the writer assumes
	var earlier []func()
	for i := range n {
		c := &call{id: fmt.Sprintf("w%d-%d", writer, i)}
		streams := rng.Perm(s.cfg.Streams)[:1]
		if rng.IntN(10) == 0 {
			streams = rng.Perm(s.cfg.Streams)[:min(2+rng.IntN(2), s.cfg.Streams)]
		}
		var args []eventstore.CommitArg
		for _, number := range streams {
			t := target{stream: fmt.Sprintf("storm-%d", number)}
			var events []eventstore.NewEvent
			for e := range 1 + rng.IntN(3) {
				id := fmt.Sprintf("%s/%d/%d", c.id, number, e)
				t.ids = append(t.ids, id)
				events = append(events, eventstore.NewEvent{ID: id, Type: "stormed", Data: []byte(id)})
			}
			t.expected = expectation(rng, known[t.stream])
			c.to = append(c.to, t)
			args = append(args, eventstore.To(t.stream, t.expected, events...))
		}
		args = append(args, eventstore.CommitID(c.id))
		s.call(ctx, rng, c, args)
		if c.err == nil && exact(c) {
			earlier = append(earlier, func() { s.repeat(ctx, c, args) })
		}
		if len(earlier) > 0 && rng.IntN(4) == 0 { // however many commits followed
			earlier[rng.IntN(len(earlier))]()
		}
		for i, t := range c.to {
			if c.err == nil {
				known[t.stream] = c.done[i].Last
			} else if wrong, ok := errors.AsType[*eventstore.WrongExpectedVersion](c.err); ok && wrong.Stream == t.stream {
				known[t.stream] = wrong.Actual
			}
		}
		s.mu.Lock()
		s.calls = append(s.calls, c)
		s.mu.Unlock()
	}
}

func expectation(rng *rand.Rand, known int64) eventstore.Expected {
	switch rng.IntN(10) {
	case 0:
		return eventstore.NoStream()
	case 1:
		return eventstore.StreamExists()
	case 2, 3, 4:
		return eventstore.Any()
	}
	return eventstore.Exactly(known)
}

// call makes a call, and repeats it while it is ambiguous.
func (s *storm) call(ctx context.Context, rng *rand.Rand, c *call, args []eventstore.CommitArg) {
	for try := 0; ; try++ {
		one, cancel := ctx, context.CancelFunc(func() {})
		if rng.IntN(20) == 0 { // an impatient caller
			one, cancel = context.WithTimeout(ctx, time.Duration(rng.IntN(60))*time.Millisecond)
		}
		done, err := s.commit(one, try > 0, args)
		cancel()
		if c.done = done; err == nil || try == 0 || final(err) {
			c.err = err
		} // otherwise the previous try remains ambiguous
		if !errors.Is(err, eventstore.ErrAmbiguous) || try == 5 {
			return
		}
	}
}

// final reports whether an error holds for all tries of a commit, and not just for the last.
func final(err error) bool {
	return errors.Is(err, eventstore.ErrWrongExpectedVersion) || errors.Is(err, eventstore.ErrStreamDeleted) || errors.Is(err, eventstore.ErrCorruptIdempotency)
}

// repeat repeats a call that was reported as written.
func (s *storm) repeat(ctx context.Context, c *call, args []eventstore.CommitArg) {
	done, err := s.commit(ctx, true, args)
	switch {
	case errors.Is(err, eventstore.ErrWrongExpectedVersion), errors.Is(err, eventstore.ErrCorruptIdempotency):
		s.t.Errorf("commit %s was written, and a repeat reports: %v", c.id, err)
	case errors.Is(err, eventstore.ErrAmbiguous), ddb.IsRetryable(err), failedRead(err): // the outcome is unknown, and nothing was reported
	case err != nil:
		s.t.Errorf("commit %s was written, and a repeat fails: %v", c.id, err)
	case !slices.EqualFunc(done, c.done, func(a, b eventstore.Appended) bool { return a.First == b.First && a.Last == b.Last }):
		s.t.Errorf("commit %s was repeated and reports other versions than before", c.id)
	case !done[0].Deduplicated:
		s.t.Errorf("commit %s was repeated and reports that it was written now", c.id)
	}
}

// failedRead reports whether an error is that of a read, which changes nothing.
func failedRead(err error) bool {
	op, ok := errors.AsType[*ddb.OpError](err)
	return ok && (op.Op == "GetItem" || op.Op == "Query")
}

func (s *storm) commit(ctx context.Context, repeat bool, args []eventstore.CommitArg) ([]eventstore.Appended, error) {
	done, err := s.store.Commit(ctx, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if repeat {
		s.report.Repeats++
	}
	if err == nil && done[0].Deduplicated {
		s.report.Deduplicated++
	}
	if errors.Is(err, eventstore.ErrAmbiguous) {
		s.report.AmbiguousReplies++
	}
	return done, err
}

// exact reports whether all streams were expected at exact versions: only such calls are recognised however many commits followed.
func exact(c *call) bool {
	return !slices.ContainsFunc(c.to, func(t target) bool {
		return t.expected == eventstore.Any() || t.expected == eventstore.StreamExists()
	})
}

// follow reads the feed from position to position while the writers write.
func (s *storm) follow(ctx context.Context) {
	var (
		at   eventstore.Position
		seen []eventstore.Commit
	)
	for ctx.Err() == nil {
		for c, err := range s.store.Feed().Read(ctx, at) {
			if err != nil {
				if errors.Is(err, eventstore.ErrGap) {
					s.t.Errorf("feed: %v", err)
				}
				break
			}
			at = at.After(c)
			seen = append(seen, c)
		}
	}
	s.mu.Lock()
	s.feeds = append(s.feeds, seen)
	s.mu.Unlock()
}

// check compares the reports with the streams and the feed.
func (s *storm) check() {
	s.t.Helper()
	stored := s.streams()
	for _, c := range s.calls {
		s.report.Calls++
		present := s.present(c, stored)
		switch {
		case c.err == nil:
			s.report.Written++
			if present != whole {
				s.t.Errorf("commit %s was reported as written; it is %s", c.id, present)
			}
			for i, t := range c.to {
				for j, id := range t.ids {
					if at := stored[t.stream][id]; at != c.done[i].First+int64(j) {
						s.t.Errorf("event %s is reported at version %d and is at %d", id, c.done[i].First+int64(j), at)
					}
				}
			}
		case errors.Is(c.err, eventstore.ErrAmbiguous):
			s.report.Ambiguous++
			if present == partly {
				s.t.Errorf("commit %s is partly there", c.id)
			}
		default:
			if errors.Is(c.err, eventstore.ErrWrongExpectedVersion) {
				s.report.Refused++
			} else {
				s.report.Failed++
			}
			if present != absent {
				s.t.Errorf("commit %s was refused (%v); it is %s", c.id, c.err, present)
			}
		}
	}
	if s.cfg.Feed {
		s.checkFeed(stored)
	}
}

type presence string

const (
	absent presence = "absent"
	partly presence = "there in part"
	whole  presence = "there"
)

func (s *storm) present(c *call, stored map[string]map[string]int64) presence {
	n, all := 0, 0
	for _, t := range c.to {
		for _, id := range t.ids {
			all++
			if stored[t.stream][id] != 0 {
				n++
			}
		}
	}
	switch n {
	case 0:
		return absent
	case all:
		return whole
	}
	return partly
}

// streams reads all streams: the version of each event.
func (s *storm) streams() map[string]map[string]int64 {
	s.t.Helper()
	stored := make(map[string]map[string]int64)
	for number := range s.cfg.Streams {
		stream := fmt.Sprintf("storm-%d", number)
		events := make(map[string]int64)
		last := int64(0)
		for e, err := range s.store.Read(s.t.Context(), stream) {
			if err != nil {
				s.t.Fatalf("read %s: %v", stream, err)
			}
			if last++; e.Version != last {
				s.t.Fatalf("%s has version %d after %d", stream, e.Version, last-1)
			}
			if at, ok := events[e.ID]; ok {
				s.t.Errorf("event %s is in %s twice, at %d and %d", e.ID, stream, at, e.Version)
			}
			if string(e.Data) != e.ID {
				s.t.Errorf("%s version %d has the data of another event", stream, e.Version)
			}
			events[e.ID] = e.Version
		}
		if head, err := s.store.Head(s.t.Context(), stream); len(events) > 0 && (err != nil || head.Version != last) {
			s.t.Errorf("head of %s: version %d, %v; there are %d events", stream, head.Version, err, last)
		}
		s.report.Events += len(events)
		stored[stream] = events
	}
	return stored
}

// checkFeed compares the feed, and what the readers saw of it while it grew, with the streams.
func (s *storm) checkFeed(stored map[string]map[string]int64) {
	s.t.Helper()
	var end []eventstore.Commit
	for c, err := range s.store.Feed().Read(s.t.Context(), eventstore.Position{}) {
		if err != nil {
			s.t.Fatalf("read the feed: %v", err)
		}
		end = append(end, c)
	}
	for i, seen := range append(s.feeds, end) {
		numbers, versions := make(map[int]int64), make(map[string]int64)
		for _, c := range seen {
			if numbers[c.Shard]++; c.Number != numbers[c.Shard] {
				s.t.Fatalf("reader %d: shard %d has number %d after %d", i, c.Shard, c.Number, numbers[c.Shard]-1)
			}
			if c.Truncated != 0 || int64(len(c.Events)) != c.Last-c.First+1 {
				s.t.Errorf("reader %d: a commit of versions %d to %d came with %d events, %d truncated", i, c.First, c.Last, len(c.Events), c.Truncated)
			}
			for _, e := range c.Events {
				if versions[c.Stream]++; e.Version != versions[c.Stream] {
					s.t.Fatalf("reader %d: %s has version %d after %d", i, c.Stream, e.Version, versions[c.Stream]-1)
				}
				if stored[c.Stream][e.ID] != e.Version {
					s.t.Errorf("reader %d: event %s is not in the stream", i, e.ID)
				}
			}
		}
		if i == len(s.feeds) { // the last one read it all
			for _, stream := range slices.Sorted(maps.Keys(stored)) {
				if versions[stream] != int64(len(stored[stream])) {
					s.t.Errorf("the feed has %d events of %s, the stream %d", versions[stream], stream, len(stored[stream]))
				}
			}
		}
	}
}
