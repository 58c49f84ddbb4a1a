// SPDX-License-Identifier: Apache-2.0

// Package payloadtest tests object stores, and package payload on them. Use it for your own [payload.Objects]:
//
//	func TestObjects(t *testing.T) {
//		payloadtest.Run(t, func(t testing.TB) payload.Objects { return files.New(t.TempDir()) })
//	}
package payloadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/payload"
)

// Factory makes an empty object store, and removes it when the test ends.
type Factory func(t testing.TB) payload.Objects

// Run tests an object store, and a payload store on it.
func Run(t *testing.T, factory Factory, opts ...payload.Option) {
	for name, run := range map[string]func(*testing.T, payload.Objects){
		"Objects": testObjects, "Race": testRace, "Context": testContext,
	} {
		t.Run(name, func(t *testing.T) { run(t, factory(t)) })
	}
	for name, run := range map[string]func(*testing.T, payload.Objects, []payload.Option){
		"Payloads": testPayloads, "Order": testOrder, "Damage": testDamage, "Sweep": testSweep, "Drop": testDrop,
	} {
		t.Run(name, func(t *testing.T) { run(t, factory(t), opts) })
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

func keys(t testing.TB, o payload.Objects, prefix string) string {
	t.Helper()
	var list []string
	for obj, err := range o.List(t.Context(), prefix) {
		ok(t, err)
		list = append(list, fmt.Sprintf("%s:%d", obj.Key, obj.Size))
		if age := time.Since(obj.ModifiedAt); age < -time.Minute || age > time.Hour {
			t.Errorf("%s was written at %s", obj.Key, obj.ModifiedAt)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func testObjects(t *testing.T, o payload.Objects) {
	ctx := t.Context()
	_, err := o.Get(ctx, "a/b/1", 10)
	wantError(t, "get", err, payload.ErrMissing)
	ok(t, o.Put(ctx, "a/b/1", []byte("one")))
	ok(t, o.Put(ctx, "a/b/1", []byte("other"))) // is not changed
	ok(t, o.Put(ctx, "a/c/2", nil))
	ok(t, o.Put(ctx, "ab/3", []byte("three")))
	if data, err := o.Get(ctx, "a/b/1", 3); err != nil || string(data) != "one" {
		t.Errorf("get: %q, %v", data, err)
	}
	if data, err := o.Get(ctx, "a/c/2", 0); err != nil || len(data) != 0 {
		t.Errorf("get an empty one: %q, %v", data, err)
	}
	_, err = o.Get(ctx, "a/b/1", 2)
	wantError(t, "over the limit", err, payload.ErrCorrupt)
	if got := keys(t, o, "a/"); got != "a/b/1:3 a/c/2:0" {
		t.Errorf("list: %s", got)
	}
	for range o.List(ctx, "a") { // leaving the loop leaves nothing behind
		break
	}
	ok(t, o.Delete(ctx, "a/b/1"))
	ok(t, o.Delete(ctx, "a/b/1"))
	_, err = o.Get(ctx, "a/b/1", 10)
	wantError(t, "get what was deleted", err, payload.ErrMissing)
	ok(t, o.Put(ctx, "a/b/1", []byte("again")))
	if got := keys(t, o, "a"); got != "a/b/1:5 a/c/2:0 ab/3:5" {
		t.Errorf("list: %s", got)
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 400_000)
	ok(t, o.Put(ctx, "big", big))
	if data, err := o.Get(ctx, "big", int64(len(big))); err != nil || !bytes.Equal(data, big) {
		t.Errorf("get %d bytes: %d, %v", len(big), len(data), err)
	}
}

// testRace puts many objects under one key at once: one of them wins completely.
func testRace(t *testing.T, o payload.Objects) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := o.Put(t.Context(), "k", bytes.Repeat([]byte{byte(i)}, 10_000)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	data, err := o.Get(t.Context(), "k", 10_000)
	if ok(t, err); len(data) != 10_000 || !bytes.Equal(data, bytes.Repeat(data[:1], 10_000)) {
		t.Errorf("%d bytes of several writers", len(data))
	}
	if got := keys(t, o, ""); got != "k:10000" {
		t.Errorf("list: %s", got)
	}
}

func testContext(t *testing.T, o payload.Objects) {
	ok(t, o.Put(t.Context(), "k", []byte("x")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := o.Get(ctx, "k", 10)
	wantError(t, "get", err, context.Canceled)
	wantError(t, "put", o.Put(ctx, "l", nil), context.Canceled)
	wantError(t, "delete", o.Delete(ctx, "k"), context.Canceled)
	for _, err := range o.List(ctx, "") {
		wantError(t, "list", err, context.Canceled)
	}
}

func open(t testing.TB, o payload.Objects, opts []payload.Option, more ...payload.Option) *payload.Payloads {
	t.Helper()
	p, err := payload.New(o, append(slices.Clone(opts), more...)...)
	ok(t, err)
	return p
}

func testPayloads(t *testing.T, o payload.Objects, opts []payload.Option) {
	p := open(t, o, opts, payload.MaxSize(1<<20))
	refs := map[string]string{}
	for _, data := range []string{"", "x", "y", strings.Repeat("long ", 100_000)} {
		for _, space := range []string{"a", "b", "a/../b", ""} {
			ref, err := p.Store(t.Context(), space, []byte(data))
			ok(t, err)
			again, err := p.Store(t.Context(), space, []byte(data))
			if ok(t, err); again != ref {
				t.Errorf("the same data has two references")
			}
			if other, found := refs[ref]; found {
				t.Errorf("%q and %q have one reference", space+data[:min(3, len(data))], other)
			}
			refs[ref] = space + data[:min(3, len(data))]
			got, err := p.Fetch(t.Context(), ref)
			if err != nil || string(got) != data {
				t.Errorf("fetch: %d bytes, %v; want %d", len(got), err, len(data))
			}
		}
	}
	_, err := p.Store(t.Context(), "a", make([]byte, 1<<20+1))
	wantError(t, "too large", err, payload.ErrTooLarge)
	other := open(t, o, opts, payload.Prefix("other"))
	for ref := range refs {
		_, err := other.Fetch(t.Context(), ref)
		wantError(t, "a reference of another prefix", err, payload.ErrBadRef)
		break
	}
	small := open(t, o, opts, payload.MaxSize(100))
	for ref, what := range refs {
		if strings.HasSuffix(what, "lon") {
			_, err := small.Fetch(t.Context(), ref)
			wantError(t, "larger than the store takes", err, payload.ErrTooLarge)
		}
	}
}

func testOrder(t *testing.T, o payload.Objects, opts []payload.Option) {
	p := open(t, o, opts, payload.Concurrency(3))
	var refs []string
	for i := range 20 {
		ref, err := p.Store(t.Context(), "s", []byte(strconv.Itoa(i)))
		ok(t, err)
		refs = append(refs, ref)
	}
	n := 0
	for data, err := range p.FetchAll(t.Context(), refs) {
		if err != nil || string(data) != strconv.Itoa(n) {
			t.Errorf("%d: %q, %v", n, data, err)
		}
		n++
	}
	if n != 20 {
		t.Errorf("%d payloads", n)
	}
	ok(t, p.Drop(t.Context(), refs[5]))
	n = 0
	var last error
	for _, err := range p.FetchAll(t.Context(), refs) {
		last = err
		n++
	}
	if wantError(t, "one is missing", last, payload.ErrMissing); n != 6 {
		t.Errorf("it ended after %d", n)
	}
	for range p.FetchAll(t.Context(), refs) {
		break
	}
}

// testDamage replaces the object of a reference.
func testDamage(t *testing.T, o payload.Objects, opts []payload.Option) {
	p := open(t, o, opts)
	data := []byte(strings.Repeat("what was stored ", 100))
	ref, err := p.Store(t.Context(), "s", data)
	ok(t, err)
	key := ref[strings.LastIndex(ref, ":")+1:]
	whole, err := o.Get(t.Context(), key, 1<<20)
	ok(t, err)
	for what, damaged := range map[string][]byte{
		"cut": whole[:len(whole)-1], "empty": nil, "longer": append(slices.Clone(whole), 'x'),
		"one bit": append([]byte{whole[0] ^ 1}, whole[1:]...), "other": bytes.Repeat([]byte("x"), len(whole)),
	} {
		ok(t, o.Delete(t.Context(), key))
		ok(t, o.Put(t.Context(), key, damaged))
		got, err := p.Fetch(t.Context(), ref)
		if wantError(t, what, err, payload.ErrCorrupt); got != nil {
			t.Errorf("%s: it is returned", what)
		}
	}
}

func seq(refs ...string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, r := range refs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func testSweep(t *testing.T, o payload.Objects, opts []payload.Option) {
	now := time.Now()
	clock := payload.Clock(func() time.Time { return now })
	p := open(t, o, opts, clock)
	store := func(data string) string {
		ref, err := p.Store(t.Context(), "s", []byte(data))
		ok(t, err)
		return ref
	}
	used, orphan := store("used"), store("orphan")
	ok(t, o.Put(t.Context(), "payloads/foreign", []byte("x")))
	ok(t, o.Put(t.Context(), "elsewhere/x", []byte("x")))
	check := func(what string, want payload.SweepReport, opts ...payload.SweepOption) {
		t.Helper()
		got, err := p.Sweep(t.Context(), []iter.Seq2[string, error]{seq(used), seq()}, opts...)
		if ok(t, err); got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	check("young", payload.SweepReport{References: 1, Objects: 3, Kept: 1, Young: 1, Foreign: 1})
	now = now.Add(48 * time.Hour) // the day of the write has not been over for that long
	check("nearly", payload.SweepReport{References: 1, Objects: 3, Kept: 1, Young: 1, Foreign: 1})
	now = now.Add(25 * time.Hour)
	// A writer that stores the same data again writes under today's name.
	again := store("orphan")
	if again == orphan {
		t.Error("the same data has the same name on another day")
	}
	broken := errors.New("broken")
	_, err := p.Sweep(t.Context(), []iter.Seq2[string, error]{seq(used), func(yield func(string, error) bool) { yield("", broken) }})
	wantError(t, "references that cannot be read", err, broken)
	_, err = p.Sweep(t.Context(), []iter.Seq2[string, error]{seq("nonsense")})
	wantError(t, "references of something else", err, payload.ErrBadRef)
	size := int64(len("orphan"))
	check("dry", payload.SweepReport{References: 1, Objects: 4, Kept: 1, Young: 1, Foreign: 1, Removed: 1, Bytes: size}, payload.DryRun())
	check("old", payload.SweepReport{References: 1, Objects: 4, Kept: 1, Young: 1, Foreign: 1, Removed: 1, Bytes: size})
	check("again", payload.SweepReport{References: 1, Objects: 3, Kept: 1, Young: 1, Foreign: 1})
	for _, ref := range []string{used, again} {
		if _, err := p.Fetch(t.Context(), ref); err != nil {
			t.Errorf("used or new objects are gone: %v", err)
		}
	}
	_, err = p.Fetch(t.Context(), orphan)
	wantError(t, "a swept object", err, payload.ErrMissing)
	_, err = p.Sweep(t.Context(), nil, payload.MinAge(time.Hour))
	wantError(t, "a low age", err, ddb.ErrInvalid)
}

func testDrop(t *testing.T, o payload.Objects, opts []payload.Option) {
	p := open(t, o, opts)
	a, err1 := p.Store(t.Context(), "a", []byte("x"))
	b, err2 := p.Store(t.Context(), "b", []byte("x"))
	ok(t, errors.Join(err1, err2))
	ok(t, p.Drop(t.Context(), a))
	ok(t, p.Drop(t.Context(), a))
	_, err := p.Fetch(t.Context(), a)
	wantError(t, "dropped", err, payload.ErrMissing)
	if data, err := p.Fetch(t.Context(), b); err != nil || string(data) != "x" {
		t.Errorf("the same in another space: %q, %v", data, err)
	}
	wantError(t, "no reference", p.Drop(t.Context(), "x"), payload.ErrBadRef)
}
