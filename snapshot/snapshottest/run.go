// SPDX-License-Identifier: Apache-2.0

// Package snapshottest tests the guarantees of package snapshot against the server that a client talks to:
//
//	func TestStore(t *testing.T) {
//		snapshottest.Run(t, func(t testing.TB, opts ...snapshot.Option) *snapshot.Store {
//			store, err := snapshot.New(newClient(t), "snapshots", opts...)
//			if err != nil {
//				t.Fatal(err)
//			}
//			return store
//		})
//	}
package snapshottest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/snapshot"
)

// Factory makes a store in a new, existing and empty table, and removes the table when the test ends.
type Factory func(t testing.TB, opts ...snapshot.Option) *snapshot.Store

// Run tests every method of a store.
func Run(t *testing.T, factory Factory) {
	for name, run := range map[string]func(*testing.T, Factory){
		"Save": testSave, "Immutable": testImmutable, "AtOrBefore": testAtOrBefore, "Forms": testForms, "Policies": testPolicies,
		"Retention": testRetention, "Persistent": testPersistent, "Expiry": testExpiry, "Offload": testOffload, "Editions": testEditions, "Input": testInput,
	} {
		t.Run(name, func(t *testing.T) { run(t, factory) })
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error %v, want one that matches %q", what, err, target)
	}
}

func snap(version int64, state string) snapshot.Snapshot {
	return snapshot.Snapshot{Stream: "s", Version: version, Type: "t", Schema: 1, State: []byte(state)}
}

// versions lists the versions of the stream that all tests use, newest first.
func versions(t testing.TB, s *snapshot.Store) []int64 {
	t.Helper()
	list := []int64{}
	for sn, err := range s.List(t.Context(), "s") {
		ok(t, err)
		list = append(list, sn.Version)
	}
	return list
}

func testSave(t *testing.T, factory Factory) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("x", 3600))
	s := factory(t, snapshot.Clock(func() time.Time { return at }))
	_, err := s.Latest(t.Context(), "s")
	wantError(t, "no snapshot", err, ddb.ErrNotFound)
	ok(t, s.Save(t.Context(), snap(3, "three")))
	got, err := s.Latest(t.Context(), "s")
	if ok(t, err); got.Version != 3 || got.Type != "t" || got.Schema != 1 || string(got.State) != "three" || !got.TakenAt.Equal(at) || got.Stream != "s" {
		t.Errorf("latest: %+v", got)
	}
	ok(t, s.Save(t.Context(), snapshot.Snapshot{Stream: "empty", Version: 1}))
	if got, err := s.Latest(t.Context(), "empty"); err != nil || len(got.State) != 0 || got.Schema != 1 {
		t.Errorf("an empty state: %+v, %v", got, err)
	}
	ok(t, s.Delete(t.Context(), "s", 3))
	ok(t, s.Delete(t.Context(), "s", 3))
	_, err = s.Latest(t.Context(), "s")
	wantError(t, "deleted", err, ddb.ErrNotFound)
	wantError(t, "a reset without permission", s.ResetTable(t.Context(), schema.DeletePermission{}), ddb.ErrInvalid)
	ok(t, s.ResetTable(t.Context(), schema.AllowDelete(s.Name())))
	_, err = s.Latest(t.Context(), "empty")
	wantError(t, "reset", err, ddb.ErrNotFound)
}

func testImmutable(t *testing.T, factory Factory) {
	s := factory(t, snapshot.Keep(snapshot.Persist()))
	ok(t, s.Save(t.Context(), snap(5, "five")))
	ok(t, s.Save(t.Context(), snap(5, "five")))
	wantError(t, "another state of one version", s.Save(t.Context(), snap(5, "other")), snapshot.ErrConflict)
	ok(t, s.Save(t.Context(), snap(2, "two"))) // an older one, late
	if got, err := s.Latest(t.Context(), "s"); err != nil || string(got.State) != "five" {
		t.Errorf("latest: %+v, %v", got, err)
	}
	newer := snap(5, "five in another form")
	newer.Schema = 2
	ok(t, s.Save(t.Context(), newer))
	wantError(t, "an older form", s.Save(t.Context(), snap(5, "five")), snapshot.ErrConflict)
	if got, err := s.Latest(t.Context(), "s"); err != nil || got.Schema != 2 {
		t.Errorf("latest: %+v, %v", got, err)
	}
}

func testAtOrBefore(t *testing.T, factory Factory) {
	s := factory(t, snapshot.Keep(snapshot.Persist()))
	saved := []int64{2, 3, 10, 25}
	for _, v := range saved {
		ok(t, s.Save(t.Context(), snap(v, strconv.FormatInt(v, 10))))
	}
	for v := range int64(30) {
		want := int64(0)
		for _, sv := range saved {
			if sv <= v {
				want = sv
			}
		}
		got, err := s.AtOrBefore(t.Context(), "s", v)
		if want == 0 {
			wantError(t, fmt.Sprint("at ", v), err, ddb.ErrNotFound)
		} else if err != nil || got.Version != want || string(got.State) != strconv.FormatInt(want, 10) {
			t.Errorf("at %d: %+v, %v; want %d", v, got, err, want)
		}
	}
	if got := versions(t, s); !slices.Equal(got, []int64{25, 10, 3, 2}) {
		t.Errorf("list: %v", got)
	}
	ok(t, s.DeleteAll(t.Context(), "s"))
	if got := versions(t, s); len(got) != 0 {
		t.Errorf("list after DeleteAll: %v", got)
	}
}

// testForms loads states of one format only; all other snapshots are ignored.
func testForms(t *testing.T, factory Factory) {
	s := factory(t, snapshot.Keep(snapshot.Persist()))
	for v, form := range map[int64]struct {
		name   string
		schema int
	}{4: {"a", 1}, 6: {"a", 2}, 8: {"b", 1}} {
		ok(t, s.Save(t.Context(), snapshot.Snapshot{Stream: "s", Version: v, Type: form.name, Schema: form.schema, State: []byte("x")}))
	}
	for _, tc := range []struct {
		name          string
		schema        int
		atMost, wants int64
	}{{"a", 1, 100, 4}, {"a", 2, 100, 6}, {"b", 1, 100, 8}, {"a", 2, 5, 0}, {"a", 3, 100, 0}, {"c", 1, 100, 0}, {"b", 1, 8, 8}, {"b", 1, 7, 0}} {
		version, _, state, err := s.LoadState(t.Context(), "s", tc.name, tc.schema, tc.atMost)
		if ok(t, err); version != tc.wants || (len(state) > 0) != (tc.wants > 0) {
			t.Errorf("%s %d at %d: version %d, want %d", tc.name, tc.schema, tc.atMost, version, tc.wants)
		}
	}
}

func testPolicies(t *testing.T, factory Factory) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		policy        snapshot.Policy
		version, last int64
		age           time.Duration
		size          int
		want          bool
	}{
		"every 10, at 9":            {snapshot.EveryN(10), 9, 0, 0, 1, false},
		"every 10, at 10":           {snapshot.EveryN(10), 10, 0, 0, 1, true},
		"every 10, 9 later":         {snapshot.EveryN(10), 19, 10, 0, 1, false},
		"every 10, 12 at once":      {snapshot.EveryN(10), 22, 10, 0, 1, true},
		"not older":                 {snapshot.OlderThan(time.Hour), 5, 4, time.Hour, 1, false},
		"older":                     {snapshot.OlderThan(time.Hour), 5, 4, time.Hour + 1, 1, true},
		"older, the first":          {snapshot.OlderThan(time.Hour), 5, 0, 0, 1, true},
		"not larger":                {snapshot.LargerThan(10), 5, 0, 0, 10, false},
		"larger":                    {snapshot.LargerThan(10), 5, 0, 0, 11, true},
		"any, none":                 {snapshot.Any(snapshot.EveryN(10), snapshot.LargerThan(10)), 5, 0, 0, 5, false},
		"any, one":                  {snapshot.Any(snapshot.EveryN(10), snapshot.LargerThan(10)), 5, 0, 0, 15, true},
		"all, one":                  {snapshot.All(snapshot.EveryN(10), snapshot.LargerThan(10)), 5, 0, 0, 15, false},
		"all, both":                 {snapshot.All(snapshot.EveryN(5), snapshot.LargerThan(10)), 5, 0, 0, 15, true},
		"all of nothing":            {snapshot.All(), 5, 0, 0, 15, false},
		"never":                     {snapshot.Never(), 500, 0, 0, 15, false},
		"the version has not grown": {snapshot.EveryN(0), 5, 5, 0, 1, false},
	} {
		s := factory(t, snapshot.When(tc.policy), snapshot.Clock(func() time.Time { return now }))
		saved, err := s.OfferState(t.Context(), "s", "t", 1, tc.version, tc.last, now.Add(-tc.age), func() ([]byte, error) { return make([]byte, tc.size), nil })
		if err != nil || saved != tc.want {
			t.Errorf("%s: %t, %v", name, saved, err)
		}
		if got := versions(t, s); len(got) > 0 != tc.want || tc.want && got[0] != tc.version {
			t.Errorf("%s: %v", name, got)
		}
	}
	s := factory(t, snapshot.When(snapshot.EveryN(1)))
	broken := errors.New("broken")
	saved, err := s.OfferState(t.Context(), "s", "t", 1, 1, 0, now, func() ([]byte, error) { return nil, broken })
	if wantError(t, "a state that cannot be encoded", err, broken); saved {
		t.Error("it is saved")
	}
}

// testRetention saves versions in random order, also late ones, against a model.
func testRetention(t *testing.T, factory Factory) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 20 {
		n := 1 + rng.IntN(5)
		s := factory(t, snapshot.Keep(snapshot.KeepLast(n)))
		var model []int64
		for range 1 + rng.IntN(12) {
			v := int64(1 + rng.IntN(30))
			ok(t, s.Save(t.Context(), snap(v, strconv.FormatInt(v, 10))))
			if !slices.Contains(model, v) {
				model = append(model, v)
			}
			slices.Sort(model)
			slices.Reverse(model)
			model = model[:min(len(model), n)]
			if got := versions(t, s); !slices.Equal(got, model) {
				t.Fatalf("round %d, keep %d: %v, want %v", round, n, got, model)
			}
		}
		for range 2 {
			ok(t, s.Prune(t.Context(), "s"))
		}
		if got := versions(t, s); !slices.Equal(got, model) {
			t.Errorf("pruned again: %v, want %v", got, model)
		}
	}
	// The lowest valid number keeps the newest.
	s := factory(t, snapshot.Keep(snapshot.KeepLast(-3)))
	ok(t, s.Save(t.Context(), snap(1, "1")))
	ok(t, s.Save(t.Context(), snap(2, "2")))
	if got := versions(t, s); !slices.Equal(got, []int64{2}) {
		t.Errorf("keep -3: %v", got)
	}
}

func testPersistent(t *testing.T, factory Factory) {
	s := factory(t, snapshot.Keep(snapshot.Transient()))
	for v := int64(1); v <= 6; v++ {
		sn := snap(v, strconv.FormatInt(v, 10))
		sn.Persistent = v%3 == 0
		ok(t, s.Save(t.Context(), sn))
	}
	ok(t, s.Save(t.Context(), snap(7, "7")))
	ok(t, s.Save(t.Context(), snap(8, "8")))
	if got := versions(t, s); !slices.Equal(got, []int64{8, 6, 3}) {
		t.Errorf("kept: %v", got)
	}
}

func testExpiry(t *testing.T, factory Factory) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := factory(t, snapshot.Keep(snapshot.Persist().Expire(time.Hour)), snapshot.Clock(func() time.Time { return now }))
	ok(t, s.Save(t.Context(), snap(1, "1")))
	keep := snap(2, "2")
	keep.Persistent = true
	ok(t, s.Save(t.Context(), keep))
	now = now.Add(30 * time.Minute)
	ok(t, s.Save(t.Context(), snap(3, "3")))
	now = now.Add(time.Hour - time.Second)
	if got := versions(t, s); !slices.Equal(got, []int64{3, 2}) {
		t.Errorf("before the second expires: %v", got)
	}
	now = now.Add(2 * time.Second)
	if got := versions(t, s); !slices.Equal(got, []int64{2}) {
		t.Errorf("after it: %v", got)
	}
}

// payloads in memory.
type payloads struct {
	data map[string][]byte
	fail error
}

func (p *payloads) Store(_ context.Context, space string, data []byte) (string, error) {
	if p.data == nil {
		p.data = map[string][]byte{}
	}
	ref := fmt.Sprint(space, len(p.data))
	p.data[ref] = data
	return ref, p.fail
}

func (p *payloads) Fetch(_ context.Context, ref string) ([]byte, error) { return p.data[ref], p.fail }

func testOffload(t *testing.T, factory Factory) {
	p := new(payloads)
	s := factory(t, snapshot.Offload(p, 0), snapshot.Keep(snapshot.Persist()))
	big := strings.Repeat("b", 1<<20)
	ok(t, s.Save(t.Context(), snap(1, "small")))
	ok(t, s.Save(t.Context(), snap(2, big)))
	ok(t, s.Save(t.Context(), snap(2, big)))
	if got, err := s.Latest(t.Context(), "s"); err != nil || string(got.State) != big {
		t.Errorf("latest: %d bytes, %v", len(got.State), err)
	}
	refs := 0
	for ref, err := range s.References(t.Context()) {
		ok(t, err)
		p.data[ref] = []byte("other")
		refs++
	}
	if refs != 1 {
		t.Errorf("%d references", refs)
	}
	if _, err := s.Latest(t.Context(), "s"); err == nil {
		t.Error("a state that was replaced in the payload store is returned")
	}
	if got, err := s.AtOrBefore(t.Context(), "s", 1); err != nil || string(got.State) != "small" {
		t.Errorf("the small one: %+v, %v", got, err)
	}
	p.fail = errors.New("no payloads today")
	wantError(t, "save", s.Save(t.Context(), snap(3, big)), p.fail)
	if got := versions(t, factory(t)); len(got) != 0 {
		t.Errorf("another table has %v", got)
	}
}

func testEditions(t *testing.T, factory Factory) {
	s := factory(t, snapshot.Keep(snapshot.Persist()))
	for _, v := range []int64{5, 10, 15} {
		ok(t, s.Save(t.Context(), snap(v, fmt.Sprint("main ", v))))
	}
	read := func(diverges, atMost int64) string {
		got, err := s.InEdition(t.Context(), "s", "e", diverges, atMost)
		if errors.Is(err, ddb.ErrNotFound) {
			return "none"
		}
		ok(t, err)
		return string(got.State)
	}
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	check("before its own", read(12, 100), "main 10")
	check("before all", read(4, 100), "none")
	own := snap(14, "own 14")
	own.Stream = snapshot.EditionStream("s", "e")
	ok(t, s.Save(t.Context(), own))
	check("its own", read(12, 100), "own 14")
	check("at a version before its own", read(12, 13), "main 10")
	check("at a version before it branches off", read(12, 9), "main 5")
	if snapshot.EditionStream("a@b", "c") == snapshot.EditionStream("a", "b@c") {
		t.Error("two editions have one stream")
	}
}

func testInput(t *testing.T, factory Factory) {
	s := factory(t)
	_, err1 := s.Latest(t.Context(), "")
	_, err2 := snapshot.New(s.Client(), "x", snapshot.When(nil))
	_, err3 := snapshot.New(s.Client(), "x", snapshot.Offload(nil, 1<<20))
	for _, err := range []error{err1, err2, err3, s.Save(t.Context(), snap(0, "x")), s.Save(t.Context(), snapshot.Snapshot{Version: 1}), s.Delete(t.Context(), "", 1)} {
		wantError(t, "bad input", err, ddb.ErrInvalid)
	}
}
