// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/longtest"
)

// modelCommit is a commit that a call has written to a stream.
type modelCommit struct {
	id     string
	first  int64
	events []string
}

// model is the expected state of the streams.
type model map[string][]modelCommit

func (m model) version(stream string) int64 {
	n := int64(0)
	for _, c := range m[stream] {
		n += int64(len(c.events))
	}
	return n
}

// holds finds the commit with an id that a call to a stream must recognise: among the last 8, or at the version where the call expects to write.
func (m model) holds(stream, id string, exactly int64) (modelCommit, bool) {
	list := m[stream]
	for i, c := range list {
		if c.id == id && (i >= len(list)-8 || exactly == c.first-1) {
			return c, true
		}
	}
	return modelCommit{}, false
}

// target is what a call requests for one stream; exactly is -1 for any version.
type target struct {
	stream  string
	exactly int64
	events  []string
}

// expect is the result that a call must return, with its versions.
func (m model) expect(id string, to []target) (repeated bool, first []int64, report error) {
	for _, t := range to {
		if _, ok := m.holds(t.stream, id, t.exactly); ok {
			repeated = true
		}
	}
	for _, t := range to {
		at := m.version(t.stream) + 1
		switch {
		case !repeated && t.exactly >= 0 && t.exactly != at-1:
			return false, nil, eventstore.ErrWrongExpectedVersion
		case repeated:
			var is *modelCommit
			for i, c := range m[t.stream] {
				if c.id == id {
					is = &m[t.stream][i]
				}
			}
			// A commit requested at its own version may be a part of the stored events.
			if is == nil || fmt.Sprint(is.events) != fmt.Sprint(t.events) {
				return false, nil, eventstore.ErrCommitIDReused
			}
			at = is.first
		}
		first = append(first, at)
	}
	return repeated, first, nil
}

func (m model) apply(id string, to []target) {
	for _, t := range to {
		m[t.stream] = append(m[t.stream], modelCommit{id, m.version(t.stream) + 1, t.events})
	}
}

// TestAppendsAgainstAModel: appends and commits reuse ids, with the same events or others, at any version, under faults.
// The result is that of the model, or an unknown outcome, and the streams are those of the model..
func TestAppendsAgainstAModel(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	for name, opts := range map[string][]eventstore.Option{"plain": nil, "feed": {eventstore.Sequenced(2)}, "frames": {eventstore.Frames(1 << 10)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls, unknown, repeats, reused := 0, 0, 0, 0
			runs := longtest.Size(30, 1)
			for run := range uint64(runs) {
				synctest.Test(t, func(t *testing.T) {
					on := new(atomic.Bool)
					writes := fault.On("TransactWriteItems").Where(func(fault.Request) bool { return on.Load() })
					e := ddbtest.NewEngine(ddbtest.WithSeed(run), ddbtest.WithFaults(
						writes.Chance(0.08).DropReply(), writes.Chance(0.04).DropRequest(), writes.Chance(0.04).Applied().InternalError(),
						writes.Chance(0.04).Duplicate(), writes.Chance(0.04).Late(time.Second), writes.Chance(0.04).TruncateBody()))
					t.Cleanup(e.Close)
					s := openStore(t, stormClient(t, e), "model", opts...)
					on.Store(true)
					rng, m := rand.New(rand.NewPCG(run, 7)), model{}
					streams := []string{"a", "b"}
					for range 60 {
						id := fmt.Sprint("id-", rng.IntN(12)) // id-1 is a prefix of id-10
						var to []target
						for _, stream := range streams {
							if len(to) > 0 && rng.IntN(3) > 0 {
								continue
							}
							at := target{stream: stream, exactly: m.version(stream), events: []string{fmt.Sprint("data ", rng.IntN(2))}}
							if rng.IntN(3) == 0 {
								at.events = append(at.events, "second")
							}
							switch rng.IntN(6) {
							case 0, 1:
								at.exactly = -1
							case 2:
								at.exactly = rng.Int64N(m.version(stream) + 1)
							}
							to = append(to, at)
						}
						if rng.IntN(2) == 0 { // both orders
							streams[0], streams[1] = streams[1], streams[0]
						}
						var args []eventstore.CommitArg
						for _, at := range to {
							expected := eventstore.Any()
							if at.exactly >= 0 {
								expected = eventstore.Exactly(at.exactly)
							}
							var list []eventstore.NewEvent
							for _, data := range at.events {
								list = append(list, event(data))
							}
							args = append(args, eventstore.To(at.stream, expected, list...))
						}
						done, err := s.Commit(t.Context(), append(args, eventstore.CommitID(id))...)
						<-time.After(time.Minute) // late requests arrive before the next call
						calls++
						if unclear(m, id, to) {
							if err != nil && !errors.Is(err, eventstore.ErrWrongExpectedVersion) && !errors.Is(err, eventstore.ErrCorruptIdempotency) && !errors.Is(err, eventstore.ErrAmbiguous) {
								t.Errorf("run %d: %+v: %v", run, to, err)
							}
							if err == nil && !done[0].Deduplicated {
								t.Errorf("run %d: %+v was written again", run, to)
							}
							continue
						}
						repeated, first, report := m.expect(id, to)
						if errors.Is(err, eventstore.ErrAmbiguous) {
							unknown++
							if head, _ := s.Head(t.Context(), to[0].stream); head.Version != m.version(to[0].stream) {
								m.apply(id, to)
							}
							continue
						}
						if !errors.Is(err, report) || err == nil && report != nil {
							t.Fatalf("run %d: commit %s of %+v: %v, want %v; the streams are %+v", run, id, to, err, report, m)
						}
						switch {
						case errors.Is(report, eventstore.ErrCommitIDReused):
							reused++
						case err == nil && repeated:
							repeats++
						}
						for i := range first {
							// An attempt of the same call whose reply was lost counts as found, too.
							if done[i].First != first[i] || repeated && !done[i].Deduplicated {
								t.Fatalf("run %d: commit %s of %+v: %+v, want first %d, repeated %t", run, id, to, done, first[i], repeated)
							}
						}
						if err == nil && !repeated {
							m.apply(id, to)
						}
					}
					for _, stream := range streams {
						want, n := "", 0
						for _, c := range m[stream] {
							for _, data := range c.events {
								n++
								want += fmt.Sprintf("%d:%s ", n, data)
							}
						}
						if got := texts(t, s, stream); got != want {
							t.Fatalf("run %d: stream %s is %q, want %q", run, stream, got, want)
						}
					}
				})
			}
			t.Logf("%d calls: %d repeats, %d ids reused, %d unknown", calls, repeats, reused, unknown)
			if repeats < 3*runs || reused < 5*runs || unknown*50 > calls {
				t.Error("too few repeats or too many unknown")
			}
		})
	}
}

// unclear reports whether a call requests a part of what its id has written, at its own version, or uses an id that was used more
// than once, further back than what is remembered: then several results are correct if nothing is written twice.
func unclear(m model, id string, to []target) bool {
	for _, t := range to {
		n, held := 0, false
		for _, c := range m[t.stream] {
			if c.id != id {
				continue
			}
			n++
			if t.exactly >= 0 && t.exactly >= c.first-int64(len(t.events)) && t.exactly < c.first+int64(len(c.events)) && fmt.Sprint(c.events) != fmt.Sprint(t.events) {
				held = true
			}
		}
		if n > 1 || held {
			return true
		}
	}
	return false
}
