// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/snapshot"
)

var wantedSaves = flag.Int("explorer.saves", 1_500, "number of schedules of positions and snapshots together")

// saveUser is a caller of positions or snapshots.
type saveUser struct {
	positions *position.Store
	snapshots *snapshot.Store
}

// saveCall is what a call saves: a value of higher rank may replace a stored one of lower rank.
type saveCall struct {
	rank int64  // a position, or the schema of a snapshot
	text string // the state of a snapshot
}

func (s saveCall) String() string {
	if s.rank == 0 {
		return "nothing"
	}
	return fmt.Sprint(s.rank, s.text)
}

// saves is the checker's knowledge of the position or snapshot of a schedule.
type saves struct {
	run    *run
	read   func() saveCall
	states []saveCall
}

func (s *saves) now() saveCall        { return s.states[len(s.states)-1] }
func (s *saves) stored() fmt.Stringer { return s.now() }
func (s *saves) finish()              {}

func (s *saves) begin(c *call) { c.since = len(s.states) - 1 }

func (s *saves) effect(c *call) {
	old, now := s.now(), s.read()
	s.states = append(s.states, now)
	c.applied++
	if now != *c.save || old.rank > now.rank || old.rank == now.rank && old != now {
		s.run.violated(wentBack, c)
	}
	switch c.result {
	case rejected:
		s.run.violated(failedLater, c)
	case failed:
		s.run.violated(errorApplied, c)
	}
}

func (s *saves) end(c *call) {
	was, blocked := false, false
	for _, state := range s.states[c.since:] {
		was = was || state == *c.save
		blocked = blocked || state != *c.save && state.rank >= c.save.rank
	}
	switch {
	case c.result == succeeded && !was:
		s.run.violated(okNotApplied, c)
	case c.result == rejected && c.applied > 0:
		s.run.violated(failedApplied, c)
	case c.result == rejected && !blocked:
		s.run.violated(failedTrue, c)
	case c.result == failed, c.result == unknown && !blocked:
		s.run.violated(gaveUp, c)
	}
}

func (s *saves) result(err error) result {
	switch {
	case err == nil:
		return succeeded
	case errors.Is(err, ddb.ErrOutcomeUnknown), errors.Is(err, ddb.ErrReplyLost):
		return unknown
	case errors.Is(err, position.ErrStale), errors.Is(err, snapshot.ErrConflict):
		return rejected
	}
	return failed
}

// TestSaves explores positions and snapshots.
func TestSaves(t *testing.T) { exploreAll(t, chosen(t, saveStores()), *wantedSaves) }

func saveStores() []*protection {
	// The report is correct: another value is stored by then.
	repeated := []exception{{whyCopies, failedApplied, second, nil}}
	return []*protection{
		{name: "Positions", excepted: repeated, layer: &layer{create: createSaves, begins: beginsSaves(readPosition), verbs: positionVerbs, programs: savePrograms(positionVerbs)}},
		{name: "Snapshots", excepted: repeated, layer: &layer{create: createSaves, begins: beginsSaves(readSnapshot), verbs: snapshotVerbs, programs: savePrograms(snapshotVerbs)}},
	}
}

// createSaves creates the table and both stores on it: their keys have the same names, but different types.
func createSaves(t *testing.T, w *world, users []*user) {
	for i, u := range users {
		positions, err := position.New(u.client, tableName, position.TableOptions(quick))
		snapshots, err2 := snapshot.New(u.client, tableName, snapshot.TableOptions(quick), snapshot.Keep(snapshot.Persist()))
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		u.saves = &saveUser{positions, snapshots}
		create := positions.EnsureTable
		if w.guard.name == "Snapshots" {
			create = snapshots.EnsureTable
		}
		if i > 0 {
			continue
		}
		if err := create(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func beginsSaves(read func(r *run) saveCall) func(r *run, s start) {
	return func(r *run, _ start) {
		s := &saves{run: r, read: func() saveCall { return read(r) }, states: []saveCall{{}}}
		r.model, r.origin = s, s.now()
	}
}

func readPosition(r *run) saveCall {
	item := r.rawItem(r.key, `"S":"P#p"`)
	return saveCall{rank: number(item, "number")}
}

func readSnapshot(r *run) saveCall {
	item := r.rawItem(r.key, `"N":"1"`)
	return saveCall{rank: number(item, "schema"), text: string(binary(item, "state"))}
}

func positionVerbs() []*verb {
	return saveVerbs([]saveCall{{rank: 1}, {rank: 2}, {rank: 3}}, func(ctx context.Context, u *user, s *saveCall) error {
		return u.saves.positions.Save(ctx, u.run.key, "p", s.rank)
	})
}

func snapshotVerbs() []*verb {
	return saveVerbs([]saveCall{{1, "one"}, {1, "two"}, {2, "one"}, {2, "two"}}, func(ctx context.Context, u *user, s *saveCall) error {
		return u.saves.snapshots.Save(ctx, snapshot.Snapshot{Stream: u.run.key, Version: 1, Type: "t", Schema: int(s.rank), State: []byte(s.text)})
	})
}

func saveVerbs(list []saveCall, save func(context.Context, *user, *saveCall) error) (verbs []*verb) {
	for _, s := range list {
		verbs = append(verbs, &verb{
			name: "Save " + s.String(), save: &s, demand: always(anything), free: never,
			run: func(ctx context.Context, u *user, c *call) (*record, error) { return nil, save(ctx, u, c.save) },
		})
	}
	return verbs
}

// savePrograms returns programs of one to three calls, by one to three callers.
func savePrograms(verbs func() []*verb) func() []program {
	return func() (out []program) {
		all := verbs()
		add := func(bad int, silent bool, callers ...[]*verb) {
			out = append(out, program{callers: callers, bad: bad, silent: silent})
		}
		for _, a := range all {
			add(1, true, []*verb{a})
		}
		for i, a := range all {
			for _, b := range all[i:] {
				add(1, false, []*verb{a}, []*verb{b})
			}
		}
		for _, a := range all {
			for _, b := range all {
				add(1, true, []*verb{a, b})
			}
		}
		for _, bad := range []int{0, 1, 2} {
			for i, a := range all {
				for j, b := range all[i:] {
					add(bad, true, []*verb{a}, []*verb{b})
					for _, c := range all[i+j:] {
						add(bad, false, []*verb{a}, []*verb{b}, []*verb{c})
					}
				}
			}
		}
		return out
	}
}
