// SPDX-License-Identifier: Apache-2.0

package dump_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

// stopper ends a context at one of the requests, or when one of the data files is opened.
type stopper struct {
	mu     sync.Mutex
	at     int // 0 for never
	after  bool
	seen   int
	cancel context.CancelFunc
	inner  interface {
		Do(*http.Request) (*http.Response, error)
	}
	reader dump.Reader
	opened []string
}

func (s *stopper) set(at int, after bool, cancel context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.after, s.seen, s.cancel, s.opened = at, after, 0, cancel, nil
}

// hit counts, and reports whether to stop here.
func (s *stopper) hit() (now, after bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
	return s.seen == s.at, s.after
}

func (s *stopper) Do(r *http.Request) (*http.Response, error) {
	now, after := s.hit()
	if !now {
		return s.inner.Do(r)
	}
	if after {
		if reply, err := s.inner.Do(r); err == nil {
			_ = reply.Body.Close()
		}
	}
	s.cancel()
	return nil, context.Canceled
}

func (s *stopper) List(ctx context.Context, prefix string) ([]string, error) {
	return s.reader.List(ctx, prefix)
}

// Open ends the context when a data file is opened.
func (s *stopper) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	file, err := s.reader.Open(ctx, name)
	if err != nil || !strings.Contains(name, "/data/") {
		return file, err
	}
	s.mu.Lock()
	s.opened = append(s.opened, path.Base(name))
	s.mu.Unlock()
	if now, after := s.hit(); now {
		s.cancel()
		if !after {
			return nil, errors.Join(context.Canceled, file.Close())
		}
	}
	return file, nil
}

// stopping is a client whose requests can be stopped.
func stopping(t testing.TB) (*stopper, *dynamodb.Client) {
	t.Helper()
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	s := &stopper{inner: e}
	return s, e.Client(func(o *dynamodb.Options) { o.HTTPClient, o.RetryMaxAttempts = s, 1 })
}

// A verification that is stopped at any file, before or after it is opened, and resumed has the result of one that was not stopped. It reads nothing twice except the file at which it was stopped and
// those with findings.
func TestVerifyResumes(t *testing.T) {
	t.Parallel()
	good := func(p string) string { return `{"Item":{"p":{"S":"` + p + `"},"q":{"N":"1"}}}` + "\n" }
	for name, files := range map[string][]string{
		"whole":    {good("a"), good("b") + good("c"), good("d"), good("e")},
		"findings": {good("a"), "{}\n" + good("b"), good("c"), "no\nno\n", good("d")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stopper{reader: dump.FS(writtenFiles(t, nil, files...))}
			open := func() *dump.Source {
				src, err := dump.Open(t.Context(), s, "")
				noError(t, err)
				return src
			}
			want := dump.Verify(t.Context(), open())
			if (want == nil) != (name == "whole") {
				t.Fatal(want)
			}
			for at := 1; at <= len(files); at++ {
				for _, after := range []bool{false, true} {
					ctx, cancel := context.WithCancel(t.Context())
					s.set(at, after, cancel)
					var position func() string
					positions := 0
					option := dump.OnPosition(func(p func() string) { position = p; positions++ })
					if err := dump.Verify(ctx, open(), option); !errors.Is(err, context.Canceled) || positions < 1 {
						t.Fatalf("file %d: %v, %d positions", at, err, positions)
					}
					cancel()
					s.set(0, false, nil)
					err := dump.Verify(t.Context(), open(), dump.From(position()), option)
					if fmt.Sprint(err) != fmt.Sprint(want) {
						t.Errorf("file %d, opened %v:\n%v\nwant\n%v", at, after, err, want)
					}
					var again []string
					for i, f := range files {
						if i+1 >= at || strings.Contains(f, "no") || strings.Contains(f, "{}") {
							again = append(again, fmt.Sprintf("f%d.json.gz", i))
						}
					}
					if got := s.opened; !slices.Equal(got, again) {
						t.Errorf("file %d, opened %v: it reads the files %v, want %v", at, after, got, again)
					}
					s.set(0, false, nil)
					if err := dump.Verify(t.Context(), open(), dump.From(position())); name == "whole" && (err != nil || len(s.opened) > 0) {
						t.Errorf("after everything was verified it reads %v, %v", s.opened, err)
					}
				}
			}
		})
	}
}

// side says which of two sides have an item.
type side int

const (
	onlyGiven side = iota
	onlyStored
	both
	different
	sides
)

// compared are two tables and an export of the first.
type compared struct {
	stop       *stopper
	from, with *rawtable.Table
	src        *dump.Source
}

func comparedOf(t *testing.T, list []side, pad int) compared {
	t.Helper()
	s, client := stopping(t)
	c := compared{stop: s, from: newTable(t, client, "from"), with: newTable(t, client, "with")}
	var given, stored []rawitem.Item
	for n, at := range list {
		version := func(version int) rawitem.Item {
			return item(t, fmt.Sprintf(`{"p":{"S":"p%d"},"q":{"N":"%d"},"v":{"N":"%d"},"pad":{"S":"%s"}}`, n%9, n, version, strings.Repeat("x", pad)))
		}
		switch at {
		case onlyGiven:
			given = append(given, version(1))
		case onlyStored:
			stored = append(stored, version(1))
		case both:
			given, stored = append(given, version(1)), append(stored, version(1))
		case different:
			given, stored = append(given, version(1)), append(stored, version(2))
		}
	}
	noError(t, c.from.BatchPut(t.Context(), given))
	noError(t, c.with.BatchPut(t.Context(), stored))
	_, c.src, _ = exportOf(t, c.from, dump.Segments(2))
	return c
}

// runs returns the comparisons that can be resumed.
func (c compared) runs() map[string]func(context.Context, ...dump.Option) iter.Seq2[dump.Difference, error] {
	return map[string]func(context.Context, ...dump.Option) iter.Seq2[dump.Difference, error]{
		"tables": func(ctx context.Context, o ...dump.Option) iter.Seq2[dump.Difference, error] {
			return dump.CompareTables(ctx, c.from, c.with, o...)
		},
		"export": func(ctx context.Context, o ...dump.Option) iter.Seq2[dump.Difference, error] {
			return dump.CompareExport(ctx, c.src, c.with, o...)
		},
	}
}

func text(d dump.Difference) string {
	return fmt.Sprint(d.Kind, string(d.Key.Partition.JSON()), string(d.Key.Sort.JSON()), d.Item.Has("v"), d.Stored.Has("v"))
}

// part runs a comparison until it ends, with an error or without one.
func part(ctx context.Context, run func(context.Context, ...dump.Option) iter.Seq2[dump.Difference, error], from string) (list []string, to string, err error) {
	position := func() string { return "" }
	for d, err := range run(ctx, dump.From(from), dump.OnPosition(func(p func() string) { position = p })) {
		if err != nil {
			return list, position(), err
		}
		list = append(list, text(d))
	}
	return list, position(), nil
}

// wanted returns the differences by the sides that have the item.
func wanted(list []side) (want []string) {
	for n, at := range list {
		key := fmt.Sprintf(`{"S":"p%d"}{"N":"%d"}`, n%9, n)
		switch at {
		case onlyGiven:
			want = append(want, "missing"+key+"true false")
		case onlyStored:
			want = append(want, "extra"+key+"false true")
		case different:
			want = append(want, "changed"+key+"true true")
		}
	}
	slices.Sort(want)
	return want
}

// A comparison that is stopped at any of its requests, before or after it was executed, and resumed yields each difference once.
func TestComparisonsResume(t *testing.T) {
	t.Parallel()
	list := make([]side, 450) // in several pages of each table, of several batches
	for n := range list {
		list[n] = []side{different, onlyGiven, different, onlyStored, onlyStored}[n%5]
	}
	c := comparedOf(t, list, 9000)
	for name, run := range c.runs() {
		c.stop.set(0, false, nil)
		want, _, err := part(t.Context(), run, "")
		noError(t, err)
		requests := c.stop.seen
		if sorted := slices.Sorted(slices.Values(want)); !slices.Equal(sorted, wanted(list)) || requests < 7 {
			t.Fatalf("%s: %d requests, %q", name, requests, sorted)
		}
		for at := 1; at <= requests; at += longtest.Every(10) {
			for _, after := range []bool{false, true} {
				if !longtest.Enabled() && after != (at/longtest.Every(10)%2 == 1) { // before one request, after the next
					continue
				}
				ctx, cancel := context.WithCancel(t.Context())
				c.stop.set(at, after, cancel)
				got, position, err := part(ctx, run, "")
				cancel()
				if !errors.Is(err, context.Canceled) || position == "" {
					t.Fatalf("%s, request %d: %v", name, at, err)
				}
				c.stop.set(0, false, nil)
				more, last, err := part(t.Context(), run, position)
				noError(t, err)
				if !slices.Equal(slices.Concat(got, more), want) {
					t.Errorf("%s, request %d: %q, then %q", name, at, got, more)
				}
				if rest := c.stop.seen; name == "export" && rest > requests-at+1 {
					t.Errorf("%s, stopped at request %d of %d: resumed, it sends %d", name, at, requests, rest)
				}
				c.stop.set(0, false, nil)
				if more, _, err := part(t.Context(), run, last); err != nil || len(more) > 0 || c.stop.seen > 0 {
					t.Errorf("%s: after everything was compared it sends %d requests: %q, %v", name, c.stop.seen, more, err)
				}
			}
		}
		// It is stopped and resumed repeatedly.
		var got []string
		position := ""
		for n := range 5 * requests {
			ctx, cancel := context.WithCancel(t.Context())
			c.stop.set([]int{4, 1}[n%2], false, cancel)
			more, to, err := part(ctx, run, position)
			cancel()
			got, position = append(got, more...), to
			if err == nil {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, stopped repeatedly: %q", name, got)
		}
	}
}

// A loop that is left in its body, as when a program is killed there, and resumed yields every difference, and at most those of 100 items twice.
func TestComparisonsLeftByBreak(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		list := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, int(sides)-1), func(n int) side { return side(n) }), 0, longtest.Size(260, 130)).Draw(r, "list")
		c := comparedOf(t, list, 1)
		want := wanted(list)
		leave := rapid.IntRange(0, max(0, len(want)-1)).Draw(r, "leave")
		for name, run := range c.runs() {
			position := func() string { return "" }
			var got []string
			for d, err := range run(t.Context(), dump.OnPosition(func(p func() string) { position = p })) {
				noError(t, err)
				if got = append(got, text(d)); len(got) > leave {
					break
				}
			}
			more, _, err := part(t.Context(), run, position())
			noError(t, err)
			all := slices.Concat(got, more)
			twice := len(all)
			slices.Sort(all)
			all = slices.Compact(all)
			if twice -= len(all); !slices.Equal(all, want) || twice > 100 {
				r.Errorf("%s: %d differences twice, %q, want %q", name, twice, all, want)
			}
		}
	})
}

// An item is extra only if the first table lacks it when it is read: a resumed comparison reads it again.
func TestResumedComparisonReadsAgain(t *testing.T) {
	t.Parallel()
	c := comparedOf(t, []side{both, onlyStored, onlyStored}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.stop.set(3, false, cancel) // the scan of the second table
	run := c.runs()["tables"]
	if got, position, err := part(ctx, run, ""); len(got) > 0 || err == nil {
		t.Errorf("%q, %v", got, err)
	} else {
		c.stop.set(0, false, nil)
		late := item(t, `{"p":{"S":"p1"},"q":{"N":"1"},"v":{"N":"1"}}`)
		noError(t, c.from.Put(t.Context(), &late))
		if got, _, err := part(t.Context(), run, position); err != nil || !slices.Equal(got, []string{`extra{"S":"p2"}{"N":"2"}false true`}) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// An export may have a key in another notation than the table.
func TestKeysInOtherNotation(t *testing.T) {
	t.Parallel()
	s, client := stopping(t)
	with := newTable(t, client, "with")
	noError(t, with.BatchPut(t.Context(), []rawitem.Item{item(t, `{"p":{"S":"a/b"},"q":{"N":"100"}}`), item(t, `{"p":{"S":"é"},"q":{"N":"-0.5"}}`)}))
	src := written(t, nil, `{"Item":{"p":{"S":"\u0061\/b"},"q":{"N":"1.0E2"}}}`, `{"Item":{"p":{"S":"\u00e9"},"q":{"N":"-.50"}}}`)
	run := func(ctx context.Context, o ...dump.Option) iter.Seq2[dump.Difference, error] {
		return dump.CompareExport(ctx, src, with, o...)
	}
	for at := range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		s.set(at, false, cancel)
		got, position, err := part(ctx, run, "")
		cancel()
		if (err == nil) != (at == 0) {
			t.Fatal(err)
		}
		s.set(0, false, nil)
		more, _, err := part(t.Context(), run, position)
		if len(got)+len(more) > 0 || err != nil {
			t.Errorf("stopped at %d: %q, %q, %v", at, got, more, err)
		}
	}
}

// A position is valid for one export, one table and one kind of call.
func TestForeignPositionsAreRefused(t *testing.T) {
	t.Parallel()
	c := comparedOf(t, []side{both, onlyGiven, onlyStored}, 1)
	positionOf := func(call func(dump.Option) error) (to string) {
		t.Helper()
		noError(t, call(dump.OnPosition(func(p func() string) { to = p() })))
		return to
	}
	first := func(list iter.Seq2[dump.Difference, error]) error {
		for _, err := range list {
			if err != nil {
				return err
			}
		}
		return nil
	}
	ofVerify := positionOf(func(o dump.Option) error { return dump.Verify(t.Context(), c.src, o) })
	ofExport := positionOf(func(o dump.Option) error { return first(dump.CompareExport(t.Context(), c.src, c.with, o)) })
	ofTables := positionOf(func(o dump.Option) error { return first(dump.CompareTables(t.Context(), c.from, c.with, o)) })

	target := newTable(t, engine(t), "target")
	imported := func(src *dump.Source, to *rawtable.Table, o dump.Option) error {
		_, err := dump.Import(t.Context(), src, to, o)
		return err
	}
	copied := func(from, to *rawtable.Table, o dump.Option) error {
		_, err := dump.Copy(t.Context(), from, to, dump.Segments(2), o)
		return err
	}
	ofImport := positionOf(func(o dump.Option) error { return imported(c.src, target, o) })
	ofCopy := positionOf(func(o dump.Option) error { return copied(c.from, target, o) })

	changed := itemOf(t, 0, 9)
	noError(t, c.from.Put(t.Context(), &changed))
	_, other, _ := exportOf(t, c.from, dump.Segments(2)) // with the same name
	_, client := stopping(t)
	again, same := newTable(t, client, "with"), newTable(t, client, "from") // with the same names
	for name, call := range map[string]func(dump.Option) error{
		"verify " + ofVerify:            func(o dump.Option) error { return dump.Verify(t.Context(), other, o) },
		"verify, of tables " + ofTables: func(o dump.Option) error { return dump.Verify(t.Context(), c.src, o) },
		"export " + ofExport:            func(o dump.Option) error { return first(dump.CompareExport(t.Context(), other, c.with, o)) },
		"export, with " + ofExport:      func(o dump.Option) error { return first(dump.CompareExport(t.Context(), c.src, again, o)) },
		"export, verified " + ofVerify:  func(o dump.Option) error { return first(dump.CompareExport(t.Context(), c.src, c.with, o)) },
		"tables, from " + ofTables:      func(o dump.Option) error { return first(dump.CompareTables(t.Context(), same, c.with, o)) },
		"tables, with " + ofTables:      func(o dump.Option) error { return first(dump.CompareTables(t.Context(), c.from, again, o)) },
		"tables, changed " + ofTables:   func(o dump.Option) error { return first(dump.CompareTables(t.Context(), c.with, c.from, o)) },
		"import " + ofImport:            func(o dump.Option) error { return imported(other, target, o) },
		"import, into " + ofImport:      func(o dump.Option) error { return imported(c.src, again, o) },
		"import, copied " + ofCopy:      func(o dump.Option) error { return imported(c.src, target, o) },
		"copy, from " + ofCopy:          func(o dump.Option) error { return copied(same, target, o) },
		"copy, to " + ofCopy:            func(o dump.Option) error { return copied(c.from, again, o) },
		"damaged x" + ofTables:          func(o dump.Option) error { return first(dump.CompareTables(t.Context(), c.from, c.with, o)) },
	} {
		c.stop.set(0, false, nil)
		position := name[strings.LastIndex(name, " ")+1:]
		if err := call(dump.From(position)); err == nil || !strings.Contains(err.Error(), "start from the beginning") || c.stop.seen > 0 {
			t.Errorf("%s: %v, after %d requests", strings.TrimSuffix(name, position), err, c.stop.seen)
		}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("other"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("p"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("p"), KeyType: "HASH"}},
	})
	noError(t, err)
	unlike, err := rawtable.Open(t.Context(), client, "other")
	noError(t, err)
	for name, list := range map[string]iter.Seq2[dump.Difference, error]{
		"keys": dump.CompareTables(t.Context(), c.from, unlike), "no table": dump.CompareTables(t.Context(), nil, c.with), "no other": dump.CompareTables(t.Context(), c.from, nil),
		"nothing": dump.CompareExport(t.Context(), c.src, nil), "option": dump.CompareExport(t.Context(), c.src, c.with, nil), "items": dump.Compare(t.Context(), nil, c.with),
	} {
		if err := first(list); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := first(dump.CompareExport(t.Context(), nil, c.with)); err == nil {
		t.Error("a nil export was accepted")
	}
}
