// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/progress"
)

// A job within a task of its caller leaves the figures of that task alone; one that the caller joins has them.
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
