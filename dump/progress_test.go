// SPDX-License-Identifier: Apache-2.0

package dump_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

// slow is a storage whose writes take a second each. After each it checks the progress, and after some of them it stops the call.
type slow struct {
	dump.Storage
	look  func() progress.Progress
	stop  func()
	after int // writes; 0 for never

	mu   sync.Mutex
	seen []progress.Progress
}

func (s *slow) Write(ctx context.Context, name string, data []byte) error {
	<-time.After(time.Second) // of the test's clock
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, s.look())
	if len(s.seen) == s.after {
		s.stop()
	}
	return s.Storage.Write(ctx, name, data)
}

func find(t testing.TB, jobs *progress.Tracker, name string) progress.Progress {
	t.Helper()
	p, ok := jobs.Find(name)
	if !ok {
		t.Fatalf("no call named %q has reported: %v", name, jobs.List())
	}
	return p
}

// spread fills a table with items in partitions of all segments.
func spread(t testing.TB, table *rawtable.Table, n int) {
	t.Helper()
	var list []rawitem.Item
	for i := range n {
		list = append(list, item(t, fmt.Sprintf(`{"p":{"S":"p%d"},"q":{"N":"1"}}`, i)))
	}
	noError(t, table.BatchPut(t.Context(), list))
}

// counts returns the counts of a progress as one line.
func counts(p progress.Progress) string {
	text := fmt.Sprintf("%s %d/%d items %d/%d parts", p.State, p.Items, p.Total, p.PartsDone, p.Parts)
	for _, c := range p.Counts {
		text += fmt.Sprintf(" %d %s", c.N, c.Name)
	}
	return text
}

// An export always reports how far it is, and how long the rest takes; a resumed export reports it for the rest.
func TestExportProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := engine(t)
		_ = newTable(t, client, "things")
		table, err := rawtable.Open(t.Context(), client, "things", ddb.PageSize(10))
		noError(t, err)
		spread(t, table, 120)
		if table, err = rawtable.Open(t.Context(), client, "things", ddb.PageSize(10)); err != nil { // with the number of items
			t.Fatal(err)
		}
		jobs := progress.NewTracker()
		ctx, cancel := context.WithCancel(jobs.With(t.Context()))
		defer cancel()
		look := func() progress.Progress { return find(t, jobs, "export of things") }
		store := &slow{Storage: dump.Dir(t.TempDir()), look: look, stop: cancel, after: 26}
		opts := []dump.Option{dump.Name("x"), dump.Segments(6), dump.Workers(1), dump.FileSize(1)}
		report, err := dump.Export(ctx, table, store, opts...)
		p := look()
		if !errors.Is(err, context.Canceled) || p.State != progress.Stopped || p.Reason == "" || p.Total != 120 || p.Parts != 6 {
			t.Fatalf("stopped: %v, %s", err, p)
		}
		known := false
		for i, s := range store.seen {
			if i > 0 && (s.Items < store.seen[i-1].Items || s.PartsDone < store.seen[i-1].PartsDone) {
				t.Errorf("it went back from %s to %s", store.seen[i-1], s)
			}
			if s.State != progress.Running || s.Items > 0 && s.Units.Read <= 0 {
				t.Errorf("in progress: %s", s)
			}
			if s.PartsDone >= 2 && (s.LeftLow <= 0 || s.LeftHigh < s.LeftLow || s.LeftHigh > 5*time.Minute) {
				t.Errorf("the remaining time is unknown: %s", s)
			}
			known = known || s.PartsDone >= 2
		}
		if !known {
			t.Fatal("the export was stopped before its second part was done")
		}

		done := p.PartsDone
		store = &slow{Storage: store.Storage, look: look}
		rest, err := dump.Export(jobs.With(t.Context()), table, store, opts...)
		noError(t, err)
		first := store.seen[0]
		if p = look(); first.PartsDone < done || first.Total != 120-report.Items {
			t.Errorf("resumed after %d items and %d parts: %s", report.Items, done, first)
		}
		if got, want := counts(p), fmt.Sprintf("done %d/%d items 6/6 parts", 120-report.Items, 120-report.Items); got != want || rest.Items != 120 {
			t.Errorf("%s, want %s; %+v", got, want, rest)
		}
	})
}

// The item count that DynamoDB describes is hours old: at the end of an export the progress has the right one.
func TestExportProgressWithStaleItemCount(t *testing.T) {
	table := newTable(t, engine(t), "things") // described as empty
	spread(t, table, 30)
	jobs := progress.NewTracker()
	_, err := dump.Export(jobs.With(t.Context()), table, dump.Dir(t.TempDir()), dump.Segments(2))
	noError(t, err)
	if got := counts(find(t, jobs, "export of things")); got != "done 30/30 items 2/2 parts" {
		t.Error(got)
	}
}

// Imports and copies count written, kept, deleted and bad items; when resumed, those of the rest.
func TestImportAndCopyProgress(t *testing.T) {
	client := engine(t)
	from, to := newTable(t, client, "from"), newTable(t, client, "target")
	spread(t, from, 120)
	_, src, _ := exportOf(t, from, dump.Segments(4))
	for name, run := range map[string]func(ctx context.Context, opts ...dump.Option) (dump.Report, error){
		"import into target": func(ctx context.Context, opts ...dump.Option) (dump.Report, error) {
			return dump.Import(ctx, src, to, opts...)
		},
		"copy of from": func(ctx context.Context, opts ...dump.Option) (dump.Report, error) {
			return dump.Copy(ctx, from, to, append(opts, dump.Segments(4))...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			noError(t, to.BatchDelete(t.Context(), keysOf(t, to)))
			jobs := progress.NewTracker()
			ctx, cancel := context.WithCancel(jobs.With(t.Context()))
			defer cancel()
			positions := 0
			report, err := run(ctx, dump.Workers(1), dump.OnPosition(func(func() string) {
				p := find(t, jobs, name)
				if positions++; positions == 3 {
					cancel()
				}
				if p.Position() == "" || p.Items == 0 || p.Units.Write <= 0 || p.State.Ended() {
					t.Errorf("in progress: %s", p)
				}
			}))
			p := find(t, jobs, name)
			if !errors.Is(err, context.Canceled) || p.State != progress.Stopped || p.Items != report.Items || p.Position() != report.Position {
				t.Fatalf("stopped: %v, %s, %+v", err, p, report)
			}
			_, err = run(jobs.With(t.Context()), dump.From(report.Position), dump.OnlyMissing())
			noError(t, err)
			p = find(t, jobs, name)
			total := int64(0)
			if strings.HasPrefix(name, "import") {
				total = 120 - report.Items
			}
			if got, want := counts(p), fmt.Sprintf("done %d/%d items 4/4 parts", 120-report.Items, total); got != want {
				t.Errorf("resumed: %s, want %s", got, want)
			}
			_, err = run(jobs.With(t.Context()), dump.OnlyMissing())
			noError(t, err)
			if got := counts(find(t, jobs, name)); !strings.HasPrefix(got, "done 120/") || !strings.HasSuffix(got, " 120 kept") {
				t.Errorf("with all items present: %s", got)
			}
		})
	}
}

// The remaining time of an import and a copy is known once two parts are done, even if it was resumed within a part.
func TestImportTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := engine(t)
		from, to := newTable(t, client, "from"), newTable(t, client, "target")
		spread(t, from, 240)
		store := dump.Dir(t.TempDir())
		_, err := dump.Export(t.Context(), from, store, dump.Name("x"), dump.Segments(8))
		noError(t, err)
		src, err := dump.Open(t.Context(), store, "x")
		noError(t, err)
		for name, run := range map[string]func(ctx context.Context, opts ...dump.Option) (dump.Report, error){
			"import into target": func(ctx context.Context, opts ...dump.Option) (dump.Report, error) {
				return dump.Import(ctx, src, to, opts...)
			},
			"copy of from": func(ctx context.Context, opts ...dump.Option) (dump.Report, error) {
				return dump.Copy(ctx, from, to, append(opts, dump.Segments(8))...)
			},
		} {
			jobs := progress.NewTracker()
			known := 0
			_, err := run(jobs.With(t.Context()), dump.Workers(1), dump.OnPosition(func(func() string) {
				<-time.After(time.Second)
				p := find(t, jobs, name)
				if p.PartsDone < 2 || p.PartsDone == p.Parts {
					return
				}
				if known++; p.LeftHigh <= 0 || p.LeftHigh < p.LeftLow || p.LeftHigh > time.Minute {
					t.Errorf("left: %s", p)
				}
			}))
			if err != nil || known == 0 {
				t.Errorf("%s: %v, checked %d times", name, err, known)
			}
		}
	})
}

// A call that waits, because of its rate limit or because the table leaves items unprocessed, reports the reason.
func TestWaitingProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := engine(t, fault.On("BatchWriteItem").Nth(6).Unprocessed(1))
		from, to := newTable(t, client, "from"), newTable(t, client, "target")
		spread(t, from, 100) // four batches
		var reasons []string
		ctx := progress.With(t.Context(), func(p progress.Progress) {
			if p.State == progress.Waiting && !slices.Contains(reasons, p.Reason) {
				reasons = append(reasons, p.Reason)
			}
		})
		_, err := dump.Copy(ctx, from, to, dump.Workers(1))
		noError(t, err)
		if len(reasons) != 1 || !strings.Contains(reasons[0], "unprocessed") {
			t.Errorf("the copy waited for %q", reasons)
		}
		jobs := progress.NewTracker()
		limit := func() progress.Limit {
			return progress.Limit{Ceiling: progress.Units{Read: 7}, Waiting: true, Reason: "the pace"}
		}
		look := func() progress.Progress { return find(t, jobs, "export of from") }
		store := &slow{Storage: dump.Dir(t.TempDir()), look: look}
		_, err = dump.Export(progress.WithLimit(jobs.With(t.Context()), limit), from, store, dump.Workers(1))
		noError(t, err)
		for _, p := range store.seen {
			if p.State != progress.Waiting || p.Reason != "the pace" || p.Ceiling.Read != 7 {
				t.Errorf("the export reports %s", p)
			}
		}
		if p := look(); p.State != progress.Done {
			t.Errorf("at the end it reports %s", p)
		}
	})
}

// A verification reports its progress, and ends with the state of its result.
func TestVerifyProgress(t *testing.T) {
	client := engine(t)
	table := newTable(t, client, "things")
	fill(t, table, 50)
	store, _, _ := exportOf(t, table, dump.Segments(3))
	for _, c := range []struct {
		name, want, reason string
		damage             func(t *testing.T)
	}{
		{"whole", "done 50/50 items 3/3 parts", "", nil},
		{"damaged", "failed", "and 1 more", func(t *testing.T) {
			names, err := store.List(t.Context(), "AWSDynamoDB/x/data/")
			noError(t, err)
			for _, name := range names[:2] {
				noError(t, store.Remove(t.Context(), name))
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.damage != nil {
				c.damage(t)
			}
			src, err := dump.Open(t.Context(), store, "x")
			noError(t, err)
			jobs := progress.NewTracker()
			err = dump.Verify(jobs.With(t.Context()), src)
			p := find(t, jobs, "verification of export x")
			if got := counts(p); !strings.HasPrefix(got, c.want) || (err == nil) != (p.State == progress.Done) || !strings.Contains(p.Reason, c.reason) {
				t.Errorf("%v, %s", err, p)
			}
			ctx, cancel := context.WithCancel(jobs.With(t.Context()))
			cancel()
			if err := dump.Verify(ctx, src); !errors.Is(err, context.Canceled) || find(t, jobs, "verification of export x").State != progress.Stopped {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
}

// A comparison counts the items compared, the differences and the items scanned; its task ends when its loop ends.
func TestCompareProgress(t *testing.T) {
	client := engine(t)
	from, to := newTable(t, client, "from"), newTable(t, client, "target")
	fill(t, from, 130)
	_, err := dump.Copy(t.Context(), from, to)
	noError(t, err)
	changed, extra := itemOf(t, 5, 2), itemOf(t, 500, 1)
	noError(t, to.BatchPut(t.Context(), []rawitem.Item{changed, extra}))
	errItems := errors.New("a bad item")
	good := func(ctx context.Context) iter.Seq2[rawitem.Item, error] { return from.Scan().All(ctx) }
	bad := func(context.Context) iter.Seq2[rawitem.Item, error] {
		return func(yield func(rawitem.Item, error) bool) { _ = yield(rawitem.Item{}, errItems) }
	}
	for _, c := range []struct {
		name  string
		items func(context.Context) iter.Seq2[rawitem.Item, error]
		leave bool
		want  string
	}{
		{"all", good, false, "done 130/0 items 0/0 parts 1 changed 1 extra 131 scanned"},
		{"left", good, true, "stopped"},
		{"items that fail", bad, false, "failed 0/0 items 0/0 parts 131 extra 131 scanned"},
		{"items that fail, left by break", bad, true, "failed 0/0 items 0/0 parts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			jobs := progress.NewTracker()
			for _, err := range dump.Compare(jobs.With(t.Context()), c.items(t.Context()), to) {
				if err != nil && !errors.Is(err, errItems) {
					t.Fatal(err)
				}
				if c.leave {
					break
				}
			}
			p := find(t, jobs, "comparison with target")
			if got := counts(p); !strings.HasPrefix(got, c.want) || p.State == progress.Done && p.Units.Read <= 0 {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	jobs := progress.NewTracker()
	for _, err := range dump.Compare(jobs.With(ctx), good(t.Context()), to) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
	if p := find(t, jobs, "comparison with target"); p.State != progress.Stopped {
		t.Errorf("cancelled: %s", p)
	}
}

// An export that is already complete is not a call in progress.
func TestCompleteExportIsNoTask(t *testing.T) {
	client := engine(t)
	table := newTable(t, client, "things")
	store, _, _ := exportOf(t, table)
	jobs := progress.NewTracker()
	if _, err := dump.Export(jobs.With(t.Context()), table, store, dump.Name("x")); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if p := find(t, jobs, "export of things"); p.State != progress.Failed {
		t.Errorf("got %s", p)
	}
}

// Exports and copies wait while DynamoDB throttles their reads, and continue. If it lasts, they end with the error after some time, and can be resumed.
func TestThrottledReads(t *testing.T) {
	for name, run := range map[string]func(ctx context.Context, from, to *rawtable.Table, store dump.Storage) (dump.Report, error){
		"export": func(ctx context.Context, from, _ *rawtable.Table, store dump.Storage) (dump.Report, error) {
			return dump.Export(ctx, from, store, dump.Name("x"), dump.Workers(1), dump.Segments(2))
		},
		"copy": func(ctx context.Context, from, to *rawtable.Table, _ dump.Storage) (dump.Report, error) {
			return dump.Copy(ctx, from, to, dump.Workers(1), dump.Segments(2))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				left := 5
				client := engine(t, fault.On("Scan").Where(func(fault.Request) bool { left--; return left >= 0 }).Throttle("TableReadProvisionedThroughputExceeded"))
				from, to := newTable(t, client, "from"), newTable(t, client, "target")
				spread(t, from, 30)
				store := dump.Dir(t.TempDir())
				waited := 0
				report, err := run(progress.With(t.Context(), func(p progress.Progress) {
					if p.State == progress.Waiting && p.Reason == "DynamoDB throttles the scan" {
						waited++
					}
				}), from, to, store)
				if err != nil || report.Items != 30 || waited != 5 {
					t.Errorf("%d items, waited %d times: %v", report.Items, waited, err)
				}

				left = math.MaxInt
				store = dump.Dir(t.TempDir())
				begin := time.Now()
				_, err = run(t.Context(), from, to, store)
				if took := time.Since(begin); !errors.Is(err, ddb.ErrThrottled) || took < 15*time.Second || took > time.Minute {
					t.Errorf("after %v: %v", took, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err = run(ctx, from, to, store); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the context ended: %v", err)
				}
				left = 0
				if report, err = run(t.Context(), from, to, store); err != nil || report.Items != 30 {
					t.Errorf("later: %d items, %v", report.Items, err)
				}
			})
		})
	}
}
