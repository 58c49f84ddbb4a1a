// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/progress"
)

// A job within a task of its caller does not change the counts of that task, unless the caller joins it.
func TestJobWithinATask(t *testing.T) {
	t.Parallel()
	table := newOrders(t, ddbtest.New(t), 10)
	for _, joins := range []bool{false, true} {
		tracker := progress.NewTracker()
		ctx, task := progress.Start(tracker.With(t.Context()), "all jobs")
		task.Parts(4, 0)
		if joins {
			ctx = progress.Join(ctx)
		}
		r, err := newJob(t, table, lower).Run(ctx)
		must(t, err)
		p := task.Progress()
		if items := map[bool]int64{true: 10}[joins]; r.Read != 10 || p.Items != items || !joins && (p.Parts != 4 || p.PartsDone != 0) || p.State != progress.Running || p.Units.Read == 0 {
			t.Errorf("joined %v: %+v, %v", joins, r, p)
		}
		task.End(nil)
	}
}

// While a write or read waits before a retry, the progress reports it with the reason; then the job continues.
func TestWaitsOfWrites(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules []fault.Rule
		apply bool
		want  []string
	}{
		"a throttled write": {
			rules: []fault.Rule{fault.On("UpdateItem").Nth(3).Throttle("TableWriteProvisionedThroughputExceeded")},
			want:  []string{"DynamoDB throttles a write"},
		},
		"the first read of Apply": {
			rules: []fault.Rule{fault.On("GetItem").Nth(1).Throttle("TableReadProvisionedThroughputExceeded"), fault.On("GetItem").Nth(1).InternalError()},
			apply: true,
			want:  []string{"DynamoDB throttles a read", "a read failed and is sent again"},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := ddbtest.NewEngine(ddbtest.WithFaults(c.rules...))
			defer e.Close()
			table := newOrders(t, newClient(e), 10)
			var mu sync.Mutex
			var reasons []string
			ctx, task := progress.Start(progress.With(t.Context(), func(p progress.Progress) {
				mu.Lock()
				defer mu.Unlock()
				if p.State == progress.Waiting {
					reasons = append(reasons, p.Reason)
				}
			}), "migration")
			j := newJob(t, table, lower)
			run := func() error { _, err := j.Run(ctx); return err }
			if c.apply {
				run = func() error { return j.Apply(ctx, "3") }
			}
			err := run()
			if p := task.Progress(); err != nil || !slices.Equal(reasons, c.want) || p.State != progress.Running {
				t.Errorf("%s: %v, waits for %q, now %v", name, err, reasons, p)
			}
			task.End(nil)
		})
	}
}
