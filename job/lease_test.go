// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/job"
)

// deaf is a store that loses some replies.
type deaf struct {
	job.Store
	swaps atomic.Int64
	lost  func(ctx context.Context, swap int) error // after the state was stored
}

func (d *deaf) Swap(ctx context.Context, name string, was, will job.State) error {
	if err := d.Store.Swap(ctx, name, was, will); err != nil {
		return err
	}
	return d.lost(ctx, int(d.swaps.Add(1)))
}

// A renewal whose reply is lost, or never comes, is not taken for the lease of another runner.
func TestLostRenewals(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]func(context.Context) error{
		"lost": func(context.Context) error { return errors.New("the reply is lost") },
		"hangs": func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		for k := 2; k <= 6; k++ { // the first takes the lease
			synctest.Test(t, func(t *testing.T) {
				e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("UpdateItem").Delay(10 * time.Second)))
				defer e.Close()
				client := newClient(e)
				table := newOrders(t, client, 30)
				states, err := job.NewTableStore(client, "jobs")
				must(t, err)
				must(t, states.EnsureTable(t.Context()))
				store := &deaf{Store: states, lost: func(ctx context.Context, swap int) error {
					if swap != k {
						return nil
					}
					return lost(ctx)
				}}
				r, err := newJob(t, table, lower, job.StoredIn(store)).Run(t.Context())
				if err != nil || r.Changed != 30 || store.swaps.Load() < int64(k) {
					t.Errorf("%s, reply %d: %+v, %v, after %d", name, k, r, err, store.swaps.Load())
				}
				if s, err := states.Load(t.Context(), "lower"); err != nil || s.Token != "" || s.Position != "" || s.Runs != 1 {
					t.Errorf("%s, reply %d: %v, %v", name, k, s, err)
				}
			})
		}
	}
}
