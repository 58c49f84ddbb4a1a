// SPDX-License-Identifier: Apache-2.0

// Package dumptest tests implementations of the storage of package dump. Run its tests on your own [dump.Storage]:
//
//	func TestStorage(t *testing.T) {
//		dumptest.Run(t, func(t testing.TB) dump.Storage { return dump.Dir(t.TempDir()) })
//	}
package dumptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

// Factory returns a new, empty storage and removes it when the test ends.
type Factory func(t testing.TB) dump.Storage

// Run tests a storage by itself, and with exports that are stopped at each of their writes, resumed, verified and imported. The
// tables are in an engine in the process.
func Run(t *testing.T, factory Factory) {
	for name, run := range map[string]func(*testing.T, Factory){
		"Objects": testObjects, "Names": testNames, "Race": testRace, "Context": testContext, "Exports": testExports,
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

func read(ctx context.Context, s dump.Storage, name string) (string, error) {
	r, err := s.Open(ctx, name)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	return string(data), errors.Join(err, r.Close())
}

func wantData(t testing.TB, s dump.Storage, name, want string) {
	t.Helper()
	if got, err := read(t.Context(), s, name); err != nil || got != want {
		t.Errorf("%s has %d bytes (%.20q), %v; want %d", name, len(got), got, err, len(want))
	}
}

func wantNames(t testing.TB, s dump.Storage, prefix string, want ...string) {
	t.Helper()
	names, err := s.List(t.Context(), prefix)
	ok(t, err)
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Errorf("the list of %q is %q, want %q", prefix, names, want)
	}
}

func testObjects(t *testing.T, factory Factory) {
	s, ctx := factory(t), t.Context()
	_, err := read(ctx, s, "a/b/1")
	wantError(t, "open what was never there", err, fs.ErrNotExist)
	wantNames(t, s, "")
	ok(t, s.Remove(ctx, "a/b/1"))
	ok(t, s.Write(ctx, "a/b/1", []byte("one, which is longer")))
	ok(t, s.Write(ctx, "a/b/1", []byte("other")))
	ok(t, s.Write(ctx, "a/c/2", nil))
	ok(t, s.Write(ctx, "ab/3", []byte("three")))
	wantData(t, s, "a/b/1", "other")
	wantData(t, s, "a/c/2", "")
	_, err = read(ctx, s, "a/b")
	if err == nil {
		t.Error("the beginning of a name is an object")
	}
	wantNames(t, s, "", "a/b/1", "a/c/2", "ab/3")
	wantNames(t, s, "a/", "a/b/1", "a/c/2")
	wantNames(t, s, "a/b", "a/b/1")
	wantNames(t, s, "ab", "ab/3")
	wantNames(t, s, "a/b/1/")
	wantNames(t, s, "b")
	r, err := s.Open(ctx, "a/b/1") // it is not read
	ok(t, err)
	ok(t, r.Close())
	ok(t, s.Remove(ctx, "a/b/1"))
	ok(t, s.Remove(ctx, "a/b/1"))
	_, err = read(ctx, s, "a/b/1")
	wantError(t, "open what was removed", err, fs.ErrNotExist)
	wantNames(t, s, "a", "a/c/2", "ab/3")
	big := strings.Repeat("0123456789abcdef", 400_000)
	ok(t, s.Write(ctx, "big", []byte(big)))
	wantData(t, s, "big", big)
	var many []string
	for i := range 1_100 { // more than a page of a listing in S3
		many = append(many, fmt.Sprintf("many/%04d", i))
		ok(t, s.Write(ctx, many[i], nil))
	}
	wantNames(t, s, "many/", many...)
}

// testNames checks that names that are not paths are rejected, and reach nothing outside of the storage.
func testNames(t *testing.T, factory Factory) {
	s, ctx := factory(t), t.Context()
	for _, name := range []string{"", ".", "..", "/a", "a/", "a//b", "a/../b", "../a", "./a"} {
		if err := s.Write(ctx, name, []byte("x")); err == nil {
			t.Errorf("write of %q has no error", name)
		}
		if _, err := read(ctx, s, name); err == nil {
			t.Errorf("open of %q has no error", name)
		}
		if err := s.Remove(ctx, name); err == nil {
			t.Errorf("remove of %q has no error", name)
		}
	}
	wantNames(t, s, "")
}

// testRace writes one name concurrently: the last write wins, and each reader sees the whole object of one of the writes.
func testRace(t *testing.T, factory Factory) {
	s := factory(t)
	ok(t, s.Write(t.Context(), "k", bytes.Repeat([]byte{'a'}, 10_000)))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := s.Write(t.Context(), "k", bytes.Repeat([]byte{'a' + byte(i)}, 10_000)); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			got, err := read(t.Context(), s, "k")
			if err != nil || len(got) != 10_000 || strings.Trim(got, got[:1]) != "" {
				t.Errorf("read %d bytes of several writes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	wantNames(t, s, "", "k")
}

func testContext(t *testing.T, factory Factory) {
	s := factory(t)
	ok(t, s.Write(t.Context(), "k", []byte("x")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := read(ctx, s, "k")
	wantError(t, "open", err, context.Canceled)
	_, err = s.List(ctx, "")
	wantError(t, "list", err, context.Canceled)
	wantError(t, "write", s.Write(ctx, "k", []byte("y")), context.Canceled)
	wantError(t, "remove", s.Remove(ctx, "k"), context.Canceled)
	wantData(t, s, "k", "x")
}

// stopping fails its nth write, either before or after the write is done.
type stopping struct {
	dump.Storage
	mu    sync.Mutex
	left  int
	after bool
}

var errStopped = errors.New("stopped by the test")

func (s *stopping) Write(ctx context.Context, name string, data []byte) error {
	s.mu.Lock()
	s.left--
	stops := s.left == 0
	s.mu.Unlock()
	if stops && !s.after {
		return errStopped
	}
	err := s.Storage.Write(ctx, name, data)
	if stops && err == nil {
		err = errStopped
	}
	return err
}

const exported = 24

// testExports stops an export at each of its writes, and after each.
func testExports(t *testing.T, factory Factory) {
	client := ddbtest.New(t)
	from := newTable(t, client, "from")
	newTable(t, client, "copied")
	items := make([]thing, exported)
	for i := range items {
		items[i] = thing{strconv.Itoa(i), strings.Repeat("text ", i)}
	}
	ok(t, from.BatchPut(t.Context(), items))
	raw, err := rawtable.Open(t.Context(), client, "from", ddb.PageSize(7))
	ok(t, err)
	target, err := rawtable.Open(t.Context(), client, "copied")
	ok(t, err)
	for n, stopped := 1, true; stopped; n++ {
		for _, after := range []bool{false, true} {
			s := &stopping{Storage: factory(t), left: n, after: after}
			opts := []dump.Option{dump.Name("x"), dump.Segments(2), dump.FileSize(1)}
			_, err := dump.Export(t.Context(), raw, s, opts...)
			stopped = errors.Is(err, errStopped)
			for range 2 { // the second time there is nothing to do, or the export has been whole after its last write
				if err == nil || errors.Is(err, fs.ErrExist) {
					break
				}
				_, err = dump.Export(t.Context(), raw, s, opts...)
			}
			if err != nil && !errors.Is(err, fs.ErrExist) {
				t.Fatalf("stopped at write %d: %v", n, err)
			}
			src, err := dump.Open(t.Context(), s, "x")
			ok(t, err)
			ok(t, dump.Verify(t.Context(), src))
			if src.Items() != exported {
				t.Errorf("stopped at write %d: the export has %d items", n, src.Items())
			}
			for d, err := range dump.Compare(t.Context(), dump.Items[rawitem.Item](t.Context(), src), raw) {
				ok(t, err)
				t.Errorf("stopped at write %d: an item is %s", n, d.Kind)
			}
			if stopped {
				continue
			}
			_, err = dump.Import(t.Context(), src, target)
			ok(t, err)
			for d, err := range dump.Compare(t.Context(), raw.Scan().All(t.Context()), target) {
				ok(t, err)
				t.Errorf("after the import an item is %s", d.Kind)
			}
		}
	}
}

type thing struct {
	ID   string `dynamodbav:"id"`
	Text string `dynamodbav:"text"`
}

func newTable(t testing.TB, client ddb.Client, name string) *ddb.SimpleTable[thing, string] {
	t.Helper()
	table, err := ddb.NewSimple[thing](client, name, ddb.StrField(func(t *thing) *string { return &t.ID }))
	ok(t, err)
	ok(t, table.CreateTable(t.Context()))
	return table
}
