// SPDX-License-Identifier: Apache-2.0

package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/sweep"
)

// begun returns the position of a sweep after its first page.
func begun[T any](t *testing.T, s *sweep.Sweep[T]) string {
	t.Helper()
	for page, err := range s.Pages(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		return page.Position()
	}
	t.Fatal("there is no page")
	return ""
}

// Positions of other sweeps and damaged positions are refused before anything is sent, with or without cursors. Positions of the same
// sweep with another projection, page size or number of workers are accepted.
func TestForeignPositions(t *testing.T) {
	var requests atomic.Int64
	e := ddbtest.NewEngine(ddbtest.WithObserver(func(fault.Request) { requests.Add(1) }))
	defer e.Close()
	table := newThings(t, e)
	byKind, err := ddb.NewSimpleIndex(table, "byKind", thingKind)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	filled(t, table, items, 10)
	other, err := ddb.NewSimple[Thing](e.Client(), "others", thingID)
	if err != nil {
		t.Fatal(err)
	}
	position := begun(t, small(table))
	finished := "" // has no cursor
	if err := drain(t.Context(), small(table), func(p sweep.Page[Thing]) { finished = p.Position() }); err != nil {
		t.Fatal(err)
	}
	requests.Store(0)
	for name, s := range map[string]*sweep.Sweep[Thing]{
		"another table":   sweep.Of(other.Scan()),
		"an index":        sweep.Of(byKind.Scan()),
		"another filter":  sweep.Of(table.Scan().Filter(thingKind.Eq("odd"))),
		"another N":       sweep.Of(table.Scan(), sweep.Segments(segments+1)),
		"a wrong sweep N": sweep.Of(table.Scan(), sweep.Segments(1)),
	} {
		for _, text := range []string{position, finished} {
			if _, err := s.Resume(text); !errors.Is(err, ddb.ErrBadCursor) || !strings.Contains(err.Error(), "another table, index, filter or number of segments") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	for i := range position {
		for _, text := range []string{position[:i], position[:i] + string(rune('A'+(position[i]+1)%26)) + position[i+1:], position[:i] + "!" + position[i:]} {
			if text == "" {
				continue
			}
			if _, err := small(table).Resume(text); !errors.Is(err, ddb.ErrBadCursor) {
				t.Fatalf("damaged at %d: %v", i, err)
			}
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	for name, s := range map[string]*sweep.Sweep[Thing]{
		"without N":          sweep.Of(table.Scan()),
		"another projection": sweep.Of(table.Scan().Project(thingKind), sweep.Workers(1)),
		"consistent":         sweep.Of(table.Scan().Consistent().PageSize(1)),
	} {
		for _, text := range []string{position, finished} {
			next, err := s.Resume(text)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			n := 0
			if err := drain(t.Context(), next, func(p sweep.Page[Thing]) { n += len(p.Items) }); err != nil || n != map[string]int{position: items - pageSize, finished: 0}[text] {
				t.Errorf("%s: %d items, %v", name, n, err)
			}
		}
	}
	if again, err := small(table).Resume(""); err != nil || begun(t, again) == "" {
		t.Errorf("from the beginning: %v", err)
	}
}

// Invalid arguments are refused before anything is sent, and the error names all of them.
func TestInvalidSweeps(t *testing.T) {
	var requests atomic.Int64
	e := ddbtest.NewEngine(ddbtest.WithObserver(func(fault.Request) { requests.Add(1) }))
	defer e.Close()
	table := newThings(t, e)
	requests.Store(0)
	cursor, err := ddb.CursorAfter(table.Scan(), &Thing{ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	var zero sweep.Sweep[Thing]
	byKind, err := ddb.NewSimpleIndex(table, "byKind", thingKind)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*sweep.Sweep[Thing]{
		"segments": sweep.Of(table.Scan(), sweep.Segments(0)), "many": sweep.Of(table.Scan(), sweep.Segments(4097)), "negative": sweep.Of(table.Scan(), sweep.Segments(-1)),
		"workers": sweep.Of(table.Scan(), sweep.Workers(0)), "many workers": sweep.Of(table.Scan(), sweep.Workers(65)), "no scan": sweep.Of[Thing](nil),
		"an option": sweep.Of(table.Scan(), nil), "limit": sweep.Of(table.Scan().Limit(3)), "parallel": sweep.Of(table.Scan().Parallel(3)),
		"a cursor": sweep.Of(table.Scan().After(cursor)), "a bound": sweep.Of(table.Scan().With(ddb.MaxScanned(3))),
		"a query": sweep.Of(byKind.Query("x")), "nil": nil, "zero": &zero,
	} {
		err := drain(t.Context(), s, func(sweep.Page[Thing]) { t.Error("a page") })
		if !errors.Is(err, ddb.ErrInvalid) || sweep.PositionOf(err) != "" {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := s.Resume("x"); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: Resume: got %v", name, err)
		}
	}
	err = drain(t.Context(), sweep.Of(table.Scan().Limit(1).Parallel(2), sweep.Segments(-1), sweep.Workers(100)), func(sweep.Page[Thing]) {})
	for _, part := range []string{"0 segments", "100 workers", "Limit", "Parallel"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	for _, share := range []float64{0, -1, 1.1} {
		if _, err := sweep.Sample(t.Context(), table.Scan(), share); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("share %g: got %v", share, err)
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// An index is swept like a table, filters and projections apply, and empty pages are yielded, so that their position can be stored.
func TestSweepOfTablesAndIndexes(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	table := newThings(t, e)
	byKind, err := ddb.NewSimpleIndex(table, "byKind", thingKind)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	filled(t, table, items, 10)
	for name, c := range map[string]struct {
		scan ddb.Paged[Thing]
		want int
	}{
		"a table":                   {table.Scan(), items},
		"an index":                  {byKind.Scan(), items},
		"a filter":                  {table.Scan().Filter(thingKind.Eq("odd")), items / 2},
		"a projection":              {table.Scan().Project(thingKind), items},
		"nothing passes the filter": {table.Scan().Filter(thingKind.Eq("none")).PageSize(pageSize), 0},
		"many segments":             {table.Scan().PageSize(1), items},
	} {
		seen, scanned, positions := make(map[string]bool), 0, 0
		if err := drain(t.Context(), sweep.Of(c.scan, sweep.Segments(4096/64)), func(p sweep.Page[Thing]) {
			for _, item := range p.Items {
				if seen[item.ID] || name == "a projection" && item.Data != "" || name == "a filter" && item.Kind != "odd" {
					t.Errorf("%s: %+v", name, item)
				}
				seen[item.ID] = true
			}
			scanned += p.Scanned
			if p.Position() != "" {
				positions++
			}
		}); err != nil || len(seen) != c.want || scanned != items || positions == 0 {
			t.Errorf("%s: %d items of %d, %d positions, %v", name, len(seen), scanned, positions, err)
		}
	}
}

// The number of segments depends on the size of the table, and does not change when the table grows.
func TestNumberOfSegments(t *testing.T) {
	var segmentsSeen sync.Map
	var size atomic.Int64
	e := ddbtest.NewEngine()
	defer e.Close()
	table := newThings(t, e)
	filled(t, table, items, 10)
	describes, err := ddb.NewSimple[Thing](describing{e.Client(), &size}, "things", thingID, ddb.WithHook(hook{&segmentsSeen}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		bytes int64
		want  int
	}{{0, 64}, {1 << 30, 64}, {100 << 30, 400}, {1 << 50, 4096}} {
		size.Store(c.bytes)
		segmentsSeen.Clear()
		position := begun(t, sweep.Of(describes.Scan(), sweep.Workers(1)))
		size.Store(500 << 30)
		next, err := sweep.Of(describes.Scan()).Resume(position)
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		if !long() {
			ctx = ddb.WithBudget(ctx, cost.NewBudget(cost.Limits{Requests: 500})) // the first requests show the number, too
		}
		if err := drain(ctx, next, func(sweep.Page[Thing]) {}); err != nil && !errors.Is(err, cost.ErrBudgetExceeded) {
			t.Fatal(err)
		}
		segmentsSeen.Range(func(n, _ any) bool {
			if n != c.want {
				t.Errorf("a table of %d bytes is read in %v segments, want %d", c.bytes, n, c.want)
			}
			return true
		})
	}
	// Without DescribeTable it is 64, and the progress has the reason; with a given number DescribeTable is not called.
	size.Store(-1)
	unknown := progress.Count{Name: "unknown table size", N: 1}
	for name, c := range map[string]struct {
		run  func(ctx context.Context) error
		want bool
	}{
		"a sweep": {func(ctx context.Context) error {
			return drain(ctx, sweep.Of(describes.Scan()), func(sweep.Page[Thing]) {})
		}, true},
		"a sample":          {func(ctx context.Context) error { _, err := sweep.Sample(ctx, describes.Scan(), 1); return err }, true},
		"a number given":    {func(ctx context.Context) error { return drain(ctx, small(describes), func(sweep.Page[Thing]) {}) }, false},
		"the size is known": {func(ctx context.Context) error { return drain(ctx, sweep.Of(table.Scan()), func(sweep.Page[Thing]) {}) }, false},
	} {
		segmentsSeen.Clear()
		tracker := progress.NewTracker()
		err := c.run(progress.Named(tracker.With(t.Context()), "it"))
		p, _ := tracker.Find("it")
		if err != nil || slices.Contains(p.Counts, unknown) != c.want || c.want != strings.Contains(p.String(), "1 unknown table size") {
			t.Errorf("%s: %v, %v", name, err, p)
		}
		if _, ok := segmentsSeen.Load(64); name == "a sweep" && !ok {
			t.Error("without DescribeTable it is not 64")
		}
	}
	if segments, err := ddb.SegmentsOf(describes.Scan()); err != nil {
		t.Error(err)
	} else if _, _, err := segments.Size(t.Context()); err == nil || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("LearnSizes: got %v", err)
	}
}

// describing reports another size of the table; -1 means an error.
type describing struct {
	*dynamodb.Client
	size *atomic.Int64
}

func (d describing) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput, opts ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	out, err := d.Client.DescribeTable(ctx, in, opts...)
	if err == nil {
		out.Table.TableSizeBytes = new(d.size.Load())
	}
	if d.size.Load() < 0 {
		return nil, errors.New("not allowed")
	}
	return out, err
}

// hook records the numbers of segments.
type hook struct{ seen *sync.Map }

func (h hook) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

func (h hook) End(_ context.Context, c *hooks.Call) {
	if c.Operation == "Scan" {
		h.seen.Store(c.Segments, true)
	}
}

// One Sweep can have several concurrent runs, and a position may be taken while other pages are read.
func TestConcurrentRuns(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	table := filled(t, newThings(t, e), items, 10)
	s := small(table)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			seen := 0
			var pages []sweep.Page[Thing]
			last := ""
			if err := drain(t.Context(), s, func(p sweep.Page[Thing]) {
				seen += len(p.Items)
				for _, old := range pages { // pages whose body has ended: they include those that ended before this page
					if got := old.Position(); got != last {
						t.Errorf("an old page has another position: %q, want %q", got, last)
					}
				}
				pages, last = append(pages, p), p.Position()
			}); err != nil || seen != items {
				t.Errorf("%d items, %v", seen, err)
			}
		})
	}
	wg.Wait()
}

// Positions, pages and errors show no key when they are printed or encoded by accident.
func TestPrintingShowsNoKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("Scan").Nth(5).InternalError()))
		defer e.Close()
		table := filled(t, newThings(t, e), items, 10)
		s := small(table)
		for page, err := range s.Pages(t.Context()) {
			if err == nil {
				if text := fmt.Sprintf("%v %+v %#v %d", page, page, page, page); strings.Contains(text, "xxxx") {
					t.Error(text)
				}
				if _, err := json.Marshal(page); err == nil {
					t.Error("a page is JSON")
				}
				continue
			}
			text, _ := json.Marshal(err)
			all := fmt.Sprintf("%v %+v %#v %d %s", err, err, err, err, text)
			if position := sweep.PositionOf(err); position == "" || strings.Contains(all, position) || !strings.Contains(all, "can be resumed") {
				t.Error(all)
			}
		}
	})
}
