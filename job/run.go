// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/prefetch"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/sweep"
)

// ErrFailures means that a run ended because more items failed than [MaxFailures] allows.
var ErrFailures = errors.New("too many items failed")

// Report counts what a run has done. After an error it shows how far the run got.
type Report struct {
	// Read is the number of items that were read, Kept of those that were not changed, Changed of those that were changed or, by [Job.Verify], would be.
	Read, Kept, Changed int64
	// Conflicts is how often an item was read again because another program had written it.
	Conflicts int64
	// Failed is the number of items that failed; [OnFailure] gets their keys.
	Failed int64
	// Spent is the cost of the requests of the run, as far as replies state it.
	Spent   cost.Consumed
	Elapsed time.Duration
}

// Failure is an item that failed.
type Failure struct {
	key rawitem.Item
	err error
}

// Key is the key of the item as DynamoDB JSON.
func (f Failure) Key() []byte { return f.key.JSON() }

// Err is why it failed.
func (f Failure) Err() error { return f.err }

// Format prints no data, for every verb.
func (f Failure) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "job.Failure") }

// MarshalJSON returns an error: use [FailuresTo] to write failures.
func (f Failure) MarshalJSON() ([]byte, error) {
	return nil, errors.New("job: a failure cannot be encoded: use FailuresTo, or its Key")
}

// FailuresTo writes each failed item as a line of JSON, {"key":{"id":{"S":"a"}},"error":"..."}. The lines contain keys, and the texts of the function's errors.
func FailuresTo(w io.Writer) Option {
	if w == nil {
		return OnFailure(nil)
	}
	var mu sync.Mutex
	return OnFailure(func(f Failure) error {
		line, err := json.Marshal(struct {
			Key   json.RawMessage `json:"key"`
			Error string          `json:"error"`
		}{f.Key(), f.Err().Error()})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		_, err = w.Write(append(line, '\n'))
		return err
	})
}

type itemResult int

const (
	kept itemResult = iota
	changed
	failed
)

// outcome is the result for an item.
type outcome struct {
	result    itemResult
	conflicts int64
	unknown   bool // the reply of a write was lost
	err       error
}

func (o outcome) failed(err error) outcome {
	o.result, o.err = failed, err
	return o
}

// totals are the sums of a run.
type totals struct {
	mu   sync.Mutex
	r    Report
	task *progress.Task

	meter *cost.Budget
}

func (t *totals) add(o outcome) (failures int64) {
	t.mu.Lock()
	t.r.Read++
	t.r.Conflicts += o.conflicts
	name := "failed"
	switch o.result {
	case kept:
		t.r.Kept++
		name = "kept"
	case changed:
		t.r.Changed++
		name = "changed"
	default:
		t.r.Failed++
	}
	failures = t.r.Failed
	t.mu.Unlock()
	t.task.Count("conflicts", o.conflicts)
	t.task.Count(name, 1)
	return failures
}

// Run applies the job to all items. It can be stopped at any time. Called again, it continues from the position in the store, or starts from the
// beginning if the last run has finished. Another runner of the same job fails with [ErrLeased].
//
// It costs a scan of the table, eventually consistent, and a write for each item that changes; one that another program writes at the same time costs a consistent read and
// another write. Failed items do not end it until there are too many. Budgets and
// gates of the context limit the work, but not the calls of the store.
func (j *Job[T, K]) Run(ctx context.Context) (Report, error) { return j.run(ctx, false) }

// Restart is [Job.Run] from the beginning, whatever position is stored: for a function that was corrected after an earlier run had passed some items. The stored position is dropped when
// the lease is taken. If another runner has the job, it keeps both, and Restart fails with [ErrLeased]. After a stop, Run continues where it was.
func (j *Job[T, K]) Restart(ctx context.Context) (Report, error) { return j.run(ctx, true) }

func (j *Job[T, K]) run(ctx context.Context, restart bool) (Report, error) {
	if err := j.usable(); err != nil {
		return Report{}, err
	}
	return j.withReport(ctx, j.name, func(ctx context.Context, sums *totals) error {
		lease, err := j.claim(ctx, sums.meter, restart)
		if err != nil {
			return err
		}
		ctx, stop := lease.keep(ctx)
		defer stop() //nolint:errcheck // after a panic of the function
		err = j.sweep(ctx, sums, lease, false, func(ctx context.Context, raw rawitem.Item) error {
			o, err := j.one(ctx, raw)
			if err != nil {
				return err
			}
			return j.report(sums, raw, o)
		})
		if lost := stop(); lost != nil {
			return lost
		}
		return lease.end(context.WithoutCancel(ctx), err)
	})
}

// Verify reads the whole table consistently, and reports how many items the job would still change or fail. It writes nothing, and needs no lease. It counts all items, however many
// would fail, and calls no [OnFailure]; an item that only its write would fail counts as Changed. Changed must be 0 when all is done; items that programs of before write meanwhile count again.
func (j *Job[T, K]) Verify(ctx context.Context) (Report, error) {
	if err := j.usable(); err != nil {
		return Report{}, err
	}
	return j.withReport(ctx, "verification of "+j.name, func(ctx context.Context, sums *totals) error {
		return j.sweep(ctx, sums, &claim{}, true, func(_ context.Context, raw rawitem.Item) error {
			o := outcome{result: changed}
			switch _, c := j.decide(raw); c.kind {
			case keep:
				o.result = kept
			case fail:
				o = o.failed(c.err)
			default:
			}
			sums.add(o)
			return nil
		})
	})
}

// withReport reports progress, time and cost.
func (j *Job[T, K]) withReport(ctx context.Context, name string, do func(context.Context, *totals) error) (Report, error) {
	begun := time.Now()
	meter := cost.NewBudget(cost.Limits{})
	ctx, task := progress.Start(ddb.WithBudget(ctx, meter), name)
	defer task.Stop("it ended with a panic") // unless it has ended before
	sums := &totals{task: task, meter: meter}
	err := do(ctx, sums)
	task.End(ddberr.Redact(err))
	sums.mu.Lock()
	defer sums.mu.Unlock()
	spent := meter.Spent()
	sums.r.Spent = cost.Consumed{ReadUnits: spent.ReadUnits, WriteUnits: spent.WriteUnits}
	sums.r.Elapsed = time.Since(begun)
	return sums.r, err
}

// sweep reads the table and applies each to all items.
func (j *Job[T, K]) sweep(ctx context.Context, sums *totals, lease *claim, consistent bool, each func(context.Context, rawitem.Item) error) error {
	s, err := sweep.Of(j.scan(consistent), j.set.segments...).Resume(lease.position())
	if err != nil {
		return err
	}
	if sums.task != nil { // otherwise a running task is that of a caller, with its own figures
		ctx = progress.Join(ctx)
	}
	for page, err := range s.Pages(ctx) {
		if err != nil {
			return err
		}
		if err := j.page(ctx, page.Items, each); err != nil {
			return err
		}
		lease.at(page.Position)
	}
	return nil
}

// page applies each to the items of a page, several at a time.
func (j *Job[T, K]) page(ctx context.Context, items []rawitem.Item, each func(context.Context, rawitem.Item) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	slots := make(chan struct{}, j.set.concurrency)
	for _, raw := range items {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			err := prefetch.ErrGoexit
			defer func() {
				if err != nil {
					cancel(err)
				}
				<-slots
			}()
			if p := prefetch.Catch(func() { err = each(ctx, raw) }); p != nil {
				err = p
			}
		})
	}
	wg.Wait()
	err := context.Cause(ctx)
	prefetch.Repanic(err)
	return err
}

// report counts what was done with an item, and reports it when it has failed.
func (j *Job[T, K]) report(sums *totals, raw rawitem.Item, o outcome) error {
	if o.result == failed && j.set.onFailure != nil {
		if err := j.set.onFailure(j.failure(raw, o.err)); err != nil {
			return fmt.Errorf("job: a failed item could not be reported: %w", err)
		}
	}
	if n := sums.add(o); o.result == failed && j.set.maxFailures >= 0 && n > j.set.maxFailures {
		return fmt.Errorf("job: %w: more than %d; the last cause is in OnFailure", ErrFailures, j.set.maxFailures)
	}
	return nil
}

// failure has only the key of the item.
func (j *Job[T, K]) failure(raw rawitem.Item, err error) Failure {
	var key rawitem.Item
	for _, name := range j.keys {
		if value, ok := raw.Attr(name); ok {
			key, _ = key.With(name, value)
		}
	}
	return Failure{key, err}
}

// Plan is an estimate of what a run would do, from a sample.
type Plan struct {
	// Changes is the estimated number of items that would change, and of all items.
	Changes sweep.Estimate
	// Failed is the number of items of the sample that would fail.
	Failed int
	// Spend is the estimated cost of the run: the scan, and a write unit for each KB of an item that changes. Indexes cost more.
	Spend cost.Consumed
	// Takes is about how long the run would take at the pace of the context; 0 without one.
	Takes time.Duration
}

// String returns the plan in one line.
func (p Plan) String() string {
	text := fmt.Sprintf("would change %v; about %.0f read and %.0f write units", p.Changes, p.Spend.ReadUnits, p.Spend.WriteUnits)
	if p.Takes > 0 {
		text += fmt.Sprintf(", %v at this pace", p.Takes.Round(time.Second))
	}
	return text + fmt.Sprintf("; %d items of the sample would fail", p.Failed)
}

// Plan estimates from a share of the table, above 0 and up to 1, how many items would change, what a run would cost, and how long it would take at the pace of the context; see [sweep.Sample]. It
// writes nothing.
func (j *Job[T, K]) Plan(ctx context.Context, share float64) (p Plan, err error) {
	if err := j.usable(); err != nil {
		return Plan{}, err
	}
	writes := 0.0
	p.Changes, err = sweep.SampleOf(progress.Named(ctx, "plan of "+j.name), j.scan(false), share, func(raw rawitem.Item) bool {
		_, c := j.decide(raw)
		switch c.kind {
		case keep:
			return false
		case fail:
			p.Failed++
			return false
		default:
			writes += math.Ceil(float64(len(raw.JSON())) / 1024) // a little more than the item: JSON has types and quotes
			return true
		}
	})
	p.Spend.ReadUnits = p.Changes.WholeUnits
	if p.Changes.Found > 0 {
		p.Spend.WriteUnits = writes / float64(p.Changes.Found) * p.Changes.Count
	}
	if limit, ok := progress.LimitOf(ctx); ok {
		for _, u := range [][2]float64{{p.Spend.ReadUnits, limit.Ceiling.Read}, {p.Spend.WriteUnits, limit.Ceiling.Write}} {
			if u[1] > 0 {
				p.Takes = max(p.Takes, time.Duration(u[0]/u[1]*float64(time.Second)))
			}
		}
	}
	return p, err
}
