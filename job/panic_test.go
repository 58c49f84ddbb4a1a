// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/job"
	"github.com/dynamotable/ddb/progress"
)

// If the function of a job panics, the progress shows neither a run nor a plan as running or done.
func TestPanicsEndTheTask(t *testing.T) {
	t.Parallel()
	table := newOrders(t, ddbtest.New(t), 10)
	j := newJob(t, table, func(Order) job.Change[Order] { panic("the function") })
	tracker := progress.NewTracker()
	ctx := tracker.With(t.Context())
	for name, do := range map[string]func() error{
		"run":    func() error { _, err := j.Run(ctx); return err },
		"verify": func() error { _, err := j.Verify(ctx); return err },
		"plan":   func() error { _, err := j.Plan(ctx, 1); return err },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			t.Errorf("%s: it returned %v", name, do())
		}()
	}
	list := tracker.List()
	for _, p := range list {
		if p.State != progress.Stopped || p.Reason != "it ended with a panic" {
			t.Errorf("%v", p)
		}
	}
	if len(list) != 3 {
		t.Errorf("%d tasks", len(list))
	}
}
