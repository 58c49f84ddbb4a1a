// SPDX-License-Identifier: Apache-2.0

// Package positiontest tests the guarantees of package position against the server that a client talks to:
//
//	func TestStore(t *testing.T) {
//		positiontest.Run(t, func(t testing.TB, opts ...position.Option) *position.Store {
//			store, err := position.New(newClient(t), "positions", opts...)
//			if err != nil {
//				t.Fatal(err)
//			}
//			return store
//		})
//	}
package positiontest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/schema"
)

// Factory makes a store in a new, existing and empty table, and removes the table when the test ends.
type Factory func(t testing.TB, opts ...position.Option) *position.Store

// Run tests every method of a store.
func Run(t *testing.T, factory Factory) {
	for name, run := range map[string]func(*testing.T, Factory){
		"Save": testSave, "Claim": testClaim, "Owned": testOwned, "Release": testRelease, "SaveTx": testSaveTx,
		"Reset": testReset, "List": testList, "Names": testNames, "Input": testInput,
	} {
		t.Run(name, func(t *testing.T) { run(t, factory) })
	}
	t.Run("Storm", func(t *testing.T) { Storm(t, factory(t), 8, 20, uint64(time.Now().UnixNano())) })
}

func wantError(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error %v, want one that matches %q", what, err, target)
	}
}

func wantNumber(t *testing.T, s *position.Store, consumer, partition string, number int64) {
	t.Helper()
	if n, err := s.Load(t.Context(), consumer, partition); err != nil || n != number {
		t.Errorf("position %d, %v; want %d", n, err, number)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testSave(t *testing.T, factory Factory) {
	s := factory(t)
	wantNumber(t, s, "c", "p", 0)
	ok(t, s.Save(t.Context(), "c", "p", 0))
	for _, n := range []int64{3, 3, 4, 10} {
		ok(t, s.Save(t.Context(), "c", "p", n))
		wantNumber(t, s, "c", "p", n)
	}
	wantError(t, "back", s.Save(t.Context(), "c", "p", 9), position.ErrStale)
	wantNumber(t, s, "c", "p", 10)
	wantNumber(t, s, "c", "q", 0)
	wantNumber(t, s, "d", "p", 0)
	wantError(t, "a reset without permission", s.ResetTable(t.Context(), schema.DeletePermission{}), ddb.ErrInvalid)
	ok(t, s.Delete(t.Context(), "c", "p"))
	wantNumber(t, s, "c", "p", 0)
	ok(t, s.Save(t.Context(), "c", "p", 3))
	ok(t, s.ResetTable(t.Context(), schema.AllowDelete(s.Name())))
	wantNumber(t, s, "c", "p", 0)
	_, err := s.Get(t.Context(), "c", "p")
	wantError(t, "get", err, ddb.ErrNotFound)
}

func testClaim(t *testing.T, factory Factory) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	s := factory(t, position.Clock(func() time.Time { return now }))
	ok(t, s.Save(t.Context(), "c", "p", 5))
	first, err := s.Claim(t.Context(), "c", "p", "one")
	ok(t, err)
	if want := (position.Position{Consumer: "c", Partition: "p", Number: 5, Owner: "one", Epoch: 1, UpdatedAt: now}); first.Start() != want {
		t.Errorf("start %+v, want %+v", first.Start(), want)
	}
	wantError(t, "a save that bypasses the claim", s.Save(t.Context(), "c", "p", 6), position.ErrFenced)
	ok(t, first.Save(t.Context(), 6))
	ok(t, first.Save(t.Context(), 6))
	wantError(t, "back", first.Save(t.Context(), 5), position.ErrStale)
	second, err := s.Claim(t.Context(), "c", "p", "one") // the same owner again: a restart
	ok(t, err)
	if second.Start().Number != 6 || second.Start().Epoch != 2 {
		t.Errorf("start %+v", second.Start())
	}
	wantError(t, "the first, late", first.Save(t.Context(), 7), position.ErrFenced)
	wantError(t, "the first, with what is stored", first.Save(t.Context(), 6), position.ErrFenced)
	ok(t, second.Save(t.Context(), 7))
	wantNumber(t, s, "c", "p", 7)
	if p, err := s.Get(t.Context(), "c", "p"); err != nil || p.Owner != "one" || p.Epoch != 2 {
		t.Errorf("get %+v, %v", p, err)
	}
}

func testOwned(t *testing.T, factory Factory) {
	s := factory(t)
	one, two := s.As("one"), s.As("two")
	wantError(t, "not loaded", one.Save(t.Context(), "c", "p", 1), ddb.ErrInvalid)
	_, err := one.Load(t.Context(), "c", "p")
	ok(t, err)
	ok(t, one.Save(t.Context(), "c", "p", 1))
	n, err := two.Load(t.Context(), "c", "p")
	if ok(t, err); n != 1 {
		t.Errorf("loaded %d", n)
	}
	wantError(t, "the one before", one.Save(t.Context(), "c", "p", 2), position.ErrFenced)
	ok(t, two.Save(t.Context(), "c", "p", 2))
	if c, err := two.Claimed("c", "p"); err != nil || c.Start().Number != 1 {
		t.Errorf("claimed %v, %v", c, err)
	}
}

func testRelease(t *testing.T, factory Factory) {
	s := factory(t)
	c, err := s.Claim(t.Context(), "c", "p", "one")
	ok(t, err)
	ok(t, c.Release(t.Context()))
	ok(t, s.Save(t.Context(), "c", "p", 1))
	wantError(t, "after the release", c.Save(t.Context(), 2), position.ErrFenced)
	d, err := s.Claim(t.Context(), "c", "p", "two")
	ok(t, err)
	ok(t, c.Release(t.Context())) // is no longer the owner's
	ok(t, d.Save(t.Context(), 2))
}

// effect is what a handler writes.
type effect struct {
	ID    string `dynamodbav:"pk"`
	Sort  string `dynamodbav:"sk"`
	Count int64  `dynamodbav:"count"`
}

var (
	effectID    = ddb.StrField(func(e *effect) *string { return &e.ID })
	effectSort  = ddb.StrField(func(e *effect) *string { return &e.Sort })
	effectCount = ddb.NumField(func(e *effect) *int64 { return &e.Count })
)

// effects are stored in the table of the positions, so that a test needs no second one.
func effects(t testing.TB, s *position.Store) *ddb.Table[effect, string, string] {
	t.Helper()
	table, err := ddb.New(s.Client(), s.Name(), effectID, effectSort)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func testSaveTx(t *testing.T, factory Factory) {
	s := factory(t)
	table := effects(t, s)
	handle := func(save ddb.TxOp) error {
		return ddb.Transact(t.Context(), s.Client(), table.TxUpsert(table.Key("effect", "x"), effectCount.Add(1)), save)
	}
	ok(t, handle(s.SaveTx("c", "p", 1)))
	err := handle(s.SaveTx("c", "p", 1))
	wantError(t, "the same number again", s.Rejected(err, 1), position.ErrStale)
	if s.Rejected(err, 0) != nil || s.Rejected(nil, 0) != nil {
		t.Error("the other operation is blamed")
	}
	c, err := s.Claim(t.Context(), "c", "p", "one")
	ok(t, err)
	wantError(t, "claimed", s.Rejected(handle(s.SaveTx("c", "p", 2)), 1), position.ErrFenced)
	ok(t, handle(c.SaveTx(2)))
	wantError(t, "stale", c.Rejected(handle(c.SaveTx(2)), 1), position.ErrStale)
	_, err = s.Claim(t.Context(), "c", "p", "two")
	ok(t, err)
	wantError(t, "fenced", c.Rejected(handle(c.SaveTx(3)), 1), position.ErrFenced)
	if e, err := table.Get(t.Context(), "effect", "x", ddb.Consistent()); err != nil || e.Count != 2 {
		t.Errorf("%d effects, %v; want 2", e.Count, err)
	}
}

func testReset(t *testing.T, factory Factory) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	s := factory(t, position.Clock(func() time.Time { now = now.Add(time.Second); return now }))
	c, err := s.Claim(t.Context(), "c", "p", "one")
	ok(t, err)
	ok(t, c.Save(t.Context(), 9))
	ok(t, s.Reset(t.Context(), "c", "p", 4, "admin", "replay"))
	wantNumber(t, s, "c", "p", 4)
	wantError(t, "who had claimed it", c.Save(t.Context(), 10), position.ErrFenced)
	ok(t, s.Save(t.Context(), "c", "p", 5))
	ok(t, s.Reset(t.Context(), "c", "p", 0, "admin", "again"))
	ok(t, s.Reset(t.Context(), "c", "p#x", 7, "admin", "another"))
	var got []string
	for r, err := range s.Resets(t.Context(), "c", "p") {
		ok(t, err)
		got = append(got, fmt.Sprintf("%d>%d %s %s %t", r.From, r.To, r.By, r.Reason, r.At.IsZero()))
	}
	if text := strings.Join(got, ", "); text != "9>4 admin replay false, 5>0 admin again false" {
		t.Errorf("resets: %s", text)
	}
}

func testList(t *testing.T, factory Factory) {
	s := factory(t)
	for i := range 12 {
		ok(t, s.Save(t.Context(), "c", fmt.Sprintf("%02d", i), int64(i)))
	}
	ok(t, s.Save(t.Context(), "d", "00", 1))
	ok(t, s.Reset(t.Context(), "c", "03", 1, "x", "y"))
	var got []string
	for p, err := range s.List(t.Context(), "c") {
		ok(t, err)
		got = append(got, fmt.Sprintf("%s:%d", p.Partition, p.Number))
	}
	if text := strings.Join(got, " "); text != "00:0 01:1 02:2 03:1 04:4 05:5 06:6 07:7 08:8 09:9 10:10 11:11" {
		t.Errorf("list: %s", text)
	}
}

func testNames(t *testing.T, factory Factory) {
	s := factory(t)
	hostile := []string{"", "a", "#", "%", "%23", "a#b", "a%23b", "ä", "##"}
	seen, n := map[string]position.HandlerKey{}, int64(0)
	for _, domain := range hostile {
		for _, edition := range hostile {
			for _, root := range hostile {
				k := position.HandlerKey{Handler: "h", Domain: domain, Edition: edition, Root: root}
				if other, found := seen[k.Partition()]; found {
					t.Fatalf("%+v and %+v have one partition", k, other)
				}
				seen[k.Partition()] = k
				back, err := position.ParseHandlerKey(k.Consumer(), k.Partition())
				if err != nil || back != k {
					t.Fatalf("%+v comes back as %+v, %v", k, back, err)
				}
			}
		}
		k := position.HandlerKey{Handler: "h#" + domain, Domain: domain}
		n++
		ok(t, s.Save(t.Context(), k.Consumer(), k.Partition(), n))
		wantNumber(t, s, k.Consumer(), k.Partition(), n)
	}
	for _, bad := range []string{"", "a", "a#b", "a#b#c#d", "a#%2#c%2a", "a#%41#b"} {
		if k, err := position.ParseHandlerKey("h", bad); err == nil && k.Partition() != bad {
			t.Errorf("%q is a key: %+v", bad, k)
		}
	}
}

func testInput(t *testing.T, factory Factory) {
	s := factory(t)
	_, err1 := s.Load(t.Context(), "", "p")
	_, err2 := s.Claim(t.Context(), "c", "p", "")
	for _, err := range []error{
		err1, err2, s.Save(t.Context(), "", "p", 1), s.Save(t.Context(), "c", "p", -1), s.Reset(t.Context(), "c", "p", 1, "", ""), s.Delete(t.Context(), "", "p"),
	} {
		wantError(t, "bad input", err, ddb.ErrInvalid)
	}
}

// Storm makes several owners handle the same numbers, each claiming the position again and again. It compares the effects,
// which are written with SaveTx, with the numbers: each took effect exactly once, whatever requests and replies were lost.
func Storm(t testing.TB, s *position.Store, owners, rounds int, seed uint64) {
	t.Helper()
	table := effects(t, s)
	var wg sync.WaitGroup
	for owner := range owners {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(owner)))
			for range rounds {
				c, err := s.Claim(t.Context(), "c", "p", fmt.Sprint("owner ", owner))
				if err != nil {
					continue
				}
				for n := c.Start().Number + 1; rng.IntN(5) > 0; n++ {
					err := ddb.Transact(t.Context(), s.Client(), table.TxUpsert(table.Key("effect", strconv.FormatInt(n, 10)), effectCount.Add(1)), c.SaveTx(n))
					if errors.Is(c.Rejected(err, 1), position.ErrStale) {
						t.Errorf("number %d was handled before, by a process that did not own the position", n)
					}
					if err != nil {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	var end int64
	var err error
	for range 20 { // the last reads may fail too
		if end, err = s.Load(t.Context(), "c", "p"); err == nil {
			break
		}
	}
	var counts map[string]int64
	for range 20 {
		if counts, err = effectCounts(t.Context(), table); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for n := int64(1); n <= end; n++ {
		if counts[strconv.FormatInt(n, 10)] != 1 {
			t.Errorf("number %d took effect %d times", n, counts[strconv.FormatInt(n, 10)])
		}
	}
	if int64(len(counts)) != end || end == 0 {
		t.Errorf("%d effects, the position is %d", len(counts), end)
	}
}

// effectCounts says how often each number took effect.
func effectCounts(ctx context.Context, table *ddb.Table[effect, string, string]) (map[string]int64, error) {
	counts := map[string]int64{}
	for e, err := range table.Query("effect").Consistent().All(ctx) {
		if err != nil {
			return nil, err
		}
		counts[e.Sort] = e.Count
	}
	return counts, nil
}
