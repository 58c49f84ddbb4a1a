// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/job"
	"github.com/dynamotable/ddb/progress"
)

// A run that is killed or stopped at any request is continued by the next: all items are changed, each once, and nothing else. A killed runner holds the
// lease until it expires; a stopped one stores the position and releases the lease.
func TestStoppedAtEveryRequest(t *testing.T) {
	t.Parallel()
	const n = 24
	for _, killed := range []bool{true, false} {
		k := 1 // the request, and after the loop the first one that a whole run does not reach
		for ; ; k += longtest.Every(3) {
			ended := false
			synctest.Test(t, func(t *testing.T) {
				var requests, updates atomic.Int64
				var kill func()
				e := ddbtest.NewEngine(ddbtest.WithObserver(func(r fault.Request) {
					if r.Operation == "UpdateItem" {
						updates.Add(1)
					}
				}), ddbtest.WithFaults(fault.On("Scan", "UpdateItem").Where(func(r fault.Request) bool {
					hit := r.Tables[0] == "orders" && kill != nil && int(requests.Add(1)) == k
					if hit {
						kill()
					}
					return hit
				}).Hang()))
				defer e.Close()
				client := newClient(e)
				table := newOrders(t, client, n)
				states, err := job.NewTableStore(client, "jobs")
				must(t, err)
				must(t, states.EnsureTable(t.Context()))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				store := &mortal{Store: states}
				kill = func() {
					store.dead.Store(killed)
					cancel()
				}
				r, err := newJob(t, table, lower, job.StoredIn(store)).Run(ctx)
				if ended = err == nil; ended {
					if r.Changed != n || r.Read != n {
						t.Errorf("request %d: %+v", k, r)
					}
					return
				}
				kill = nil
				again := newJob(t, table, lower, job.StoredIn(states))
				if killed {
					if _, err := again.Run(t.Context()); !errors.Is(err, job.ErrLeased) {
						t.Errorf("request %d: while the lease of the killed runner holds: %v", k, err)
					}
					<-time.After(time.Minute)
				}
				second, err := again.Run(t.Context())
				must(t, err)
				if second.Failed != 0 || second.Conflicts != 0 || second.Changed > n-r.Changed || second.Read > n || !killed && second.Read+r.Read > n+6 {
					t.Errorf("request %d: first %+v, then %+v", k, r, second)
				}
				if u := updates.Load(); u > n+2 { // updates that were in flight
					t.Errorf("request %d: %d updates", k, u)
				}
				allLower(t, table, n)
				v, err := again.Verify(t.Context())
				if err != nil || v.Changed != 0 || v.Kept != n {
					t.Errorf("request %d: verified %+v, %v", k, v, err)
				}
			})
			if ended {
				break
			}
		}
		if k <= n {
			t.Errorf("runs were stopped at only %d requests", k-1)
		}
	}
}

// While writers of the old format, which do not know of the job, and of the new format run, and replies and requests are lost, no write is lost: at the end
// every item is the result of the function for the item that its last writer wrote.
func TestNoWriteIsLost(t *testing.T) {
	t.Parallel()
	const n, writers = 30, 4
	for seed := range uint64(longtest.Size(6, 2)) {
		synctest.Test(t, func(t *testing.T) {
			var on atomic.Bool
			m := func() fault.Matcher {
				return fault.On("UpdateItem", "GetItem", "Scan").Where(func(r fault.Request) bool { return on.Load() && r.Tables[0] == "orders" })
			}
			e := ddbtest.NewEngine(ddbtest.WithSeed(seed), ddbtest.WithFaults(
				fault.On("UpdateItem").Where(func(fault.Request) bool { return on.Load() }).Chance(0.1).DropReply(), m().Chance(0.05).Throttle(), m().Chance(0.3).Delay(300*time.Millisecond),
				fault.On("UpdateItem").Where(func(fault.Request) bool { return on.Load() }).Chance(0.05).Late(2*time.Second)))
			defer e.Close()
			plain := e.Client()
			table := newOrders(t, plain, n)
			var wg sync.WaitGroup
			last := make([]int, n)
			stop := make(chan struct{})
			for w := range writers {
				rnd := rand.New(rand.NewPCG(seed, uint64(w)))
				wg.Go(func() {
					for seq := 1000 * (w + 1); ; seq++ {
						select {
						case <-stop:
							return
						case <-time.After(time.Duration(rnd.IntN(150)) * time.Millisecond):
						}
						i := rnd.IntN(n/writers)*writers + w // its own, so that the last write is known
						if i >= n {
							continue
						}
						item := map[string]types.AttributeValue{"id": text(fmt.Sprint(i)), "status": text(fmt.Sprint("OPEN-", seq)), "seq": number(seq), "unknown": number(seq)}
						if seq%3 == 0 {
							item["status"] = text(fmt.Sprint("open-", seq)) // the new form
						}
						put(t, plain, item)
						last[i] = seq
					}
				})
			}
			on.Store(true)
			var conflicts int64
			for range 4 {
				j := newJob(t, table, lower, job.MaxFailures(-1))
				r, err := j.Run(t.Context())
				if err != nil && !errors.Is(err, ddb.ErrThrottled) {
					t.Errorf("seed %d: %v", seed, err)
				}
				conflicts += r.Conflicts
			}
			close(stop)
			wg.Wait()
			on.Store(false)
			<-time.After(5 * time.Second) // late requests
			j := newJob(t, table, lower)
			if r, err := j.Run(t.Context()); err != nil || r.Failed != 0 {
				t.Errorf("seed %d: %+v, %v", seed, r, err)
			}
			if v, err := j.Verify(t.Context()); err != nil || v.Changed != 0 {
				t.Errorf("seed %d: %+v, %v", seed, v, err)
			}
			allLower(t, table, n)
			for i, seq := range last {
				if item := stored(t, plain, fmt.Sprint(i)); seq > 0 && (item["seq"].(*types.AttributeValueMemberN).Value != fmt.Sprint(seq) || item["unknown"] == nil) {
					t.Errorf("seed %d: item %d is not the last one that its writer wrote: %v", seed, i, seq)
				}
			}
			if conflicts == 0 {
				t.Errorf("seed %d: there was no conflict", seed)
			}
		})
	}
}

// meddle writes an item once, between the read and the write of a job.
func meddle(f func(Order) job.Change[Order], id string, write func()) func(Order) job.Change[Order] {
	var done atomic.Bool
	return func(o Order) job.Change[Order] {
		c := f(o)
		if o.ID == id && done.CompareAndSwap(false, true) {
			write()
		}
		return c
	}
}

// A write by others in between is a conflict and is counted, whatever they change: the attribute of the job, another one, or one that was missing. An
// attribute that the type does not have is kept, and a deleted item stays deleted.
func TestConflicts(t *testing.T) {
	t.Parallel()
	base := map[string]types.AttributeValue{"id": text("1"), "status": text("OPEN-1"), "seq": number(1)}
	with := func(name string, value types.AttributeValue) map[string]types.AttributeValue {
		item := map[string]types.AttributeValue{}
		maps.Copy(item, base)
		item[name] = value
		return item
	}
	for name, c := range map[string]struct {
		write     map[string]types.AttributeValue // nil deletes
		conflicts int64
		changed   int64
		status    string
		has       string
	}{
		"the same attribute":                  {with("status", text("PAID")), 1, 1, "paid", ""},
		"another attribute":                   {with("seq", number(7)), 1, 1, "open-1", "seq"},
		"one that was missing":                {with("note", text("new")), 1, 1, "open-1", "note"},
		"one that the type lacks":             {with("unknown", text("x")), 0, 1, "open-1", "unknown"},
		"the new form":                        {with("status", text("open-1")), 1, 0, "open-1", ""},
		"the same item again":                 {base, 0, 1, "open-1", ""},
		"the same number in another notation": {with("seq", number("1.0")), 0, 1, "open-1", ""},
		"it is deleted":                       {nil, 1, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := ddbtest.New(t)
			table := newOrders(t, client, 0)
			put(t, client, base)
			j := newJob(t, table, meddle(lower, "1", func() {
				if c.write == nil {
					must(t, table.Delete(context.Background(), "1"))
					return
				}
				put(t, client, c.write)
			}))
			r, err := j.Run(t.Context())
			if err != nil || r.Conflicts != c.conflicts || r.Changed != c.changed || r.Failed != 0 || r.Read != 1 {
				t.Errorf("%+v, %v", r, err)
			}
			item := stored(t, client, "1")
			if c.status == "" {
				if item != nil {
					t.Errorf("it exists again: %v", item)
				}
				return
			}
			if item["status"].(*types.AttributeValueMemberS).Value != c.status || c.has != "" && item[c.has] == nil {
				t.Errorf("stored is %v", item)
			}
		})
	}
}

// Put and Delete are refused without a guard, and lose no write with it.
func TestPutAndDelete(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(Order) job.Change[Order]{
		"put":    func(o Order) job.Change[Order] { o.Status = strings.ToLower(o.Status); return job.Put(o) },
		"delete": func(Order) job.Change[Order] { return job.Delete[Order]() },
	} {
		client := ddbtest.New(t)
		table := newOrders(t, client, 4)
		once := func(o Order) job.Change[Order] {
			if o.Status == strings.ToLower(o.Status) {
				return job.Keep[Order]()
			}
			return f(o)
		}
		var failures bytes.Buffer
		r, err := newJob(t, table, once, job.FailuresTo(&failures)).Run(t.Context())
		if err != nil || r.Failed != 4 || strings.Count(failures.String(), "option Guard") != 4 || !strings.Contains(failures.String(), `{"key":{"id":{"S":"1"}},`) {
			t.Errorf("%s without a guard: %+v, %v, %s", name, r, err, failures.String())
		}
		guarded := meddle(once, "1", func() {
			put(t, client, map[string]types.AttributeValue{"id": text("1"), "status": text("PAID"), "seq": number(100), "unknown": text("x")})
		})
		r, err = newJob(t, table, guarded, job.Guard(orderSeq)).Run(t.Context())
		if err != nil || r.Changed != 4 || r.Conflicts != 1 || r.Failed != 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		list, err := table.Scan().Collect(t.Context())
		must(t, err)
		if want := map[string]int{"put": 4, "delete": 0}[name]; len(list) != want {
			t.Errorf("%s: %d items are left", name, len(list))
		}
	}
}

// Failed items are reported with their keys and do not end the run unless there are too many; the report, progress and errors show no data.
func TestFailures(t *testing.T) {
	t.Parallel()
	client := ddbtest.New(t)
	table := newOrders(t, client, 10)
	put(t, client, map[string]types.AttributeValue{"id": text("broken"), "status": number(7), "seq": text("x")})
	f := func(o Order) job.Change[Order] {
		switch o.ID {
		case "1":
			return job.Fail[Order](errors.New("no such customer"))
		case "2":
			return job.Change[Order]{}
		case "3":
			return job.Update[Order]()
		case "4":
			return job.Update[Order](orderID.Set("x"))
		}
		return lower(o)
	}
	var mu sync.Mutex
	got := map[string]string{}
	tracker := progress.NewTracker()
	r, err := newJob(t, table, f, job.OnFailure(func(f job.Failure) error {
		mu.Lock()
		defer mu.Unlock()
		got[string(f.Key())] = f.Err().Error()
		return nil
	})).Run(tracker.With(t.Context()))
	if err != nil || r.Failed != 5 || r.Changed != 6 || r.Read != 11 || len(got) != 5 || got[`{"id":{"S":"1"}}`] != "no such customer" {
		t.Errorf("%+v, %v, %v", r, err, got)
	}
	p, _ := tracker.Find("lower")
	if p.State != progress.Done || p.Items != 11 || p.PartsDone != 3 || p.Units.Write < 6 || r.Spent.WriteUnits < 6 || strings.Contains(p.String(), "customer") {
		t.Errorf("the progress is %v", p)
	}
	for _, c := range p.Counts {
		if want := map[string]int64{"changed": 6, "failed": 5, "kept": 0}[c.Name]; c.N != want {
			t.Errorf("%s is %d", c.Name, c.N)
		}
	}
	few := newJob(t, table, f, job.MaxFailures(2), job.OnFailure(func(job.Failure) error { got["more"] = ""; return nil }))
	if r, err := few.Verify(t.Context()); err != nil || r.Failed != 4 || r.Changed != 1 || r.Read != 11 || len(got) != 5 { // one fails only when it is written
		t.Errorf("%+v, %v, %v", r, err, got)
	}
	if r, err := newJob(t, table, f, job.MaxFailures(2)).Run(t.Context()); !errors.Is(err, job.ErrFailures) || r.Failed != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	broken := errors.New("the disk is full")
	if _, err := newJob(t, table, f, job.OnFailure(func(job.Failure) error { return broken })).Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() {
			if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "bug in the function") {
				t.Errorf("got %v", p)
			}
		}()
		_, _ = newJob(t, table, func(Order) job.Change[Order] { panic("bug in the function") }, job.StoredIn(job.NewFileStore(filepath.Join(t.TempDir(), "jobs")))).Run(t.Context())
	}()
}

// A plan writes nothing and predicts what a run does.
func TestPlan(t *testing.T) {
	t.Parallel()
	var writes atomic.Int64
	e := ddbtest.NewEngine(ddbtest.WithObserver(func(r fault.Request) {
		if r.Operation != "Scan" && r.Operation != "DescribeTable" {
			writes.Add(1)
		}
	}))
	defer e.Close()
	table := newOrders(t, newClient(e), 40)
	half := func(o Order) job.Change[Order] {
		switch o.Seq % 4 {
		case 0:
			return lower(o)
		case 1:
			return job.Fail[Order](errors.New("no"))
		}
		return job.Keep[Order]()
	}
	j := newJob(t, table, half)
	writes.Store(0)
	ctx := progress.WithLimit(t.Context(), func() progress.Limit { return progress.Limit{Ceiling: progress.Units{Read: 1000, Write: 2}} })
	p, err := j.Plan(ctx, 1)
	if err != nil || p.Changes.Count != 10 || p.Changes.Scanned != 40 || p.Failed != 10 || p.Spend.WriteUnits != 10 || p.Takes != 5*time.Second || writes.Load() != 0 {
		t.Errorf("%v, %v, %d writes", p, err, writes.Load())
	}
	r, err := j.Run(t.Context())
	if err != nil || r.Changed != 10 || r.Failed != 10 || r.Spent.WriteUnits != 10 {
		t.Errorf("%+v, %v", r, err)
	}
	if v, err := j.Verify(t.Context()); err != nil || v.Changed != 0 || v.Kept != 30 || v.Failed != 10 {
		t.Errorf("%+v, %v", v, err)
	}
}

// onlyTable is a gate that lets requests on one table pass.
type onlyTable string

func (onlyTable) PageSize(string, string, bool) int { return 0 }
func (g onlyTable) Admit(_ context.Context, c *hooks.Call) error {
	if c.Table != string(g) {
		return errors.New("a request of another table")
	}
	return nil
}
func (onlyTable) Throttled(*hooks.Call, []ddberr.ThrottlingReason) {}
func (onlyTable) Done(*hooks.Call)                                 {}

// A spent budget stops a run, and the next run continues. Neither the budget nor the gates of the run apply to the store.
func TestBudget(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"file", "table"} {
		client := ddbtest.New(t)
		table := newOrders(t, client, 30)
		states, err := job.NewTableStore(client, "jobs")
		must(t, err)
		must(t, states.EnsureTable(t.Context()))
		var store job.Store = states
		if kind == "file" {
			store = job.NewFileStore(filepath.Join(t.TempDir(), "jobs.json"))
		}
		sum, bookkeeping := int64(0), 0.0
		for runs := 0; ; runs++ {
			tracker := progress.NewTracker()
			ctx := ddb.WithGate(ddb.WithBudget(tracker.With(t.Context()), cost.NewBudget(cost.Limits{WriteUnits: 7})), onlyTable("orders"))
			r, err := newJob(t, table, lower, job.StoredIn(store)).Run(ctx)
			bookkeeping += r.Spent.WriteUnits - float64(r.Changed)
			if sum += r.Changed; err == nil {
				if runs < 3 || sum != 30 {
					t.Errorf("%s: %d items in %d runs", kind, sum, runs)
				}
				break
			}
			if !errors.Is(err, cost.ErrBudgetExceeded) || runs > 10 || strings.Contains(err.Error(), "could not be stored") {
				t.Fatal(kind, err)
			}
			if p, _ := tracker.Find("lower"); p.State != progress.Stopped {
				t.Errorf("%s: the progress is %v", kind, p)
			}
			if s, err := store.Load(t.Context(), "lower"); err != nil || s.Token != "" || s.Position == "" {
				t.Errorf("%s: after a run: %v, %v", kind, s, err)
			}
		}
		if (bookkeeping > 0) != (kind == "table") {
			t.Errorf("%s: the reports count %g units of the store", kind, bookkeeping)
		}
		allLower(t, table, 30)
	}
}

// Apply updates one item, as a consumer of the stream does.
func TestApply(t *testing.T) {
	t.Parallel()
	client := ddbtest.New(t)
	table := newOrders(t, client, 3)
	j := newJob(t, table, func(o Order) job.Change[Order] {
		if o.ID == "2" {
			return job.Fail[Order](errors.New("no"))
		}
		return lower(o)
	})
	for name, c := range map[string]struct {
		item Order
		want bool
	}{
		"an item to change":  {Order{ID: "0", Status: "OPEN"}, true},
		"a changed item":     {Order{ID: "0", Status: "open"}, false},
		"an item that fails": {Order{ID: "2", Status: "open"}, true},
	} {
		if got := j.Needs(c.item); got != c.want {
			t.Errorf("%s: it needs the job: %t, want %t", name, got, c.want)
		}
	}
	if !new(job.Job[Order, string]).Needs(Order{}) { // Apply returns the problem
		t.Error("Needs of an invalid job is true")
	}
	must(t, j.Apply(t.Context(), "1"))
	must(t, j.Apply(t.Context(), "1"))
	must(t, j.Apply(t.Context(), "none"))
	if err := j.Apply(t.Context(), "2"); err == nil || err.Error() != "no" {
		t.Errorf("got %v", err)
	}
	if v, err := j.Verify(t.Context()); err != nil || v.Changed != 1 || v.Kept != 1 || v.Failed != 1 {
		t.Errorf("%+v, %v", v, err)
	}
}

// Invalid arguments are refused before anything is sent.
func TestInvalidJobs(t *testing.T) {
	t.Parallel()
	client := ddbtest.New(t)
	table := newOrders(t, client, 1)
	var none *orders
	_, err := job.New[Order, string]("", none, nil, nil, job.StoredIn(nil), job.Lease(time.Millisecond), job.OnFailure(nil), job.FailuresTo(nil), job.Concurrency(0), job.Guard(nil))
	if !errors.Is(err, ddb.ErrInvalid) {
		t.Fatal(err)
	}
	for _, part := range []string{"name", "function is nil", "option is nil", "store is nil", "lease", "OnFailure", "concurrency", "Guard", "table is nil"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	j, err := job.New[Order, string]("", table, lower)
	var zero job.Job[Order, string]
	for _, j := range []*job.Job[Order, string]{j, nil, &zero} {
		_, err1 := j.Run(t.Context())
		_, err2 := j.Verify(t.Context())
		_, err3 := j.Plan(t.Context(), 1)
		for _, err := range []error{err1, err2, err3, j.Apply(t.Context(), "1")} {
			if !errors.Is(err, ddb.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		}
	}
	if !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
}
