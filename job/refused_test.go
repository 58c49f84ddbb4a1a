// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/job"
)

// An item that DynamoDB refuses, when it is written or read again, has failed and does not end the run, unless there are too many.
func TestRefusedItems(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"ValidationException", "ItemCollectionSizeLimitExceededException"} {
		for _, all := range []bool{false, true} {
			rule := fault.On("UpdateItem")
			if !all {
				rule = rule.Nth(2)
			}
			e := ddbtest.NewEngine(ddbtest.WithFaults(rule.Error(kind, "refused")))
			table := newOrders(t, newClient(e), 10)
			r, err := newJob(t, table, lower, job.MaxFailures(3)).Run(t.Context())
			switch {
			case all && (!errors.Is(err, job.ErrFailures) || r.Changed != 0):
				t.Errorf("%s for all items: %+v, %v", kind, r, err)
			case !all && (err != nil || r.Failed != 1 || r.Changed != 9):
				t.Errorf("%s for one item: %+v, %v", kind, r, err)
			}
			e.Close()
		}
	}
	var got atomic.Int64
	e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("GetItem").Error("ValidationException", "refused")))
	defer e.Close()
	client := newClient(e)
	table := newOrders(t, client, 10)
	j := newJob(t, table, meddle(lower, "1", func() { must(t, table.Put(t.Context(), &Order{ID: "1", Status: "PAID"})) }), job.OnFailure(func(f job.Failure) error {
		if strings.Contains(string(f.Key()), `"1"`) {
			got.Add(1)
		}
		return nil
	}))
	if r, err := j.Run(t.Context()); err != nil || r.Failed != 1 || r.Changed != 9 || r.Conflicts != 1 || got.Load() != 1 {
		t.Errorf("refused when it was read again: %+v, %v, %d reports", r, err, got.Load())
	}
}
