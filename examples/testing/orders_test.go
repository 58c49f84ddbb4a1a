// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/schema"
)

// anyOrders returns the service on its own engine, or with its own table on the endpoint in
// DYNAMODB_ENDPOINT.
func anyOrders(t *testing.T) *Orders {
	t.Helper()
	orders, err := NewOrders(t.Context(), ddbtest.NewFromEnv(t), ddbtest.TableName(t), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := orders.table.DeleteTable(context.Background(), schema.AllowDelete(orders.table.Name())); err != nil {
			t.Error(err)
		}
	})
	return orders
}

// engineOrders returns the service on an engine with options, such as faults and a clock.
func engineOrders(t *testing.T, opts ...ddbtest.Option) (*Orders, *ddbtest.Engine) {
	t.Helper()
	if os.Getenv("DYNAMODB_ENDPOINT") != "" {
		t.Skip("only the embedded engine has faults and a clock")
	}
	engine := ddbtest.NewEngine(opts...)
	t.Cleanup(engine.Close)
	for range 20 { // a storm may also hit this request
		orders, err := NewOrders(t.Context(), engine.Client(), "orders", engine.Clock().Now)
		if err == nil {
			return orders, engine
		}
		t.Log(err)
	}
	t.Fatal("no table")
	return nil, nil
}

func place(t *testing.T, orders *Orders, id string, total int64) {
	t.Helper()
	if err := orders.Place(t.Context(), "ann", id, total); err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, orders *Orders, id string) Order {
	t.Helper()
	o, err := orders.table.Get(t.Context(), "ann", id, ddb.Consistent())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPlaceOnce(t *testing.T) {
	t.Parallel()
	orders := anyOrders(t)
	place(t, orders, "o1", 100)
	if err := orders.Place(t.Context(), "ann", "o1", 5); !errors.Is(err, ErrPlaced) {
		t.Errorf("placed again: %v", err)
	}
	if o := stored(t, orders, "o1"); o.Total != 100 {
		t.Errorf("stored %+v", o)
	}
}

func TestPaymentsAtOnce(t *testing.T) {
	t.Parallel()
	orders := anyOrders(t)
	place(t, orders, "o1", 100)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := orders.Pay(t.Context(), "ann", "o1", 10); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if o := stored(t, orders, "o1"); o.Paid != 80 {
		t.Errorf("paid %d, want 80", o.Paid)
	}
}

// A rule for one request: the reply to the second write is lost. The payment counts once.
func TestPaymentWithLostReply(t *testing.T) {
	t.Parallel()
	orders, _ := engineOrders(t, ddbtest.WithFaults(fault.On("PutItem").Nth(2).DropReply()))
	place(t, orders, "o1", 100)
	if _, err := orders.Pay(t.Context(), "ann", "o1", 60); err != nil {
		t.Fatal(err)
	}
	if o := stored(t, orders, "o1"); o.Paid != 60 || o.Revision.Number != 2 {
		t.Errorf("stored %+v", o)
	}
}

// A rule for all requests: the caller gets the reason. In a bubble of testing/synctest the waits
// before retries take no time.
func TestPaymentUnderThrottling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		orders, _ := engineOrders(t, ddbtest.WithFaults(fault.On("PutItem").Throttle("TableWriteKeyRangeThroughputExceeded")))
		err := orders.Place(t.Context(), "ann", "o1", 100)
		if !errors.Is(err, ddb.ErrThrottled) || !ddb.IsRetryable(err) {
			t.Errorf("got %v", err)
		}
	})
}

// At random: one in ten requests fails in some way. Confirmed writes are stored,
// refused writes are not, and only writes with an unknown outcome may be either. DDBTEST_SEED repeats a run.
func TestPaymentsUnderFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		orders, engine := engineOrders(t, ddbtest.WithFaults(fault.Storm(0.1)...))
		t.Log("seed", engine.Seed())
		for {
			err := orders.Place(t.Context(), "ann", "o1", 1000)
			if err == nil || errors.Is(err, ErrPlaced) {
				break
			}
		}
		var confirmed, unknown int64
		for range 100 {
			switch _, err := orders.Pay(t.Context(), "ann", "o1", 1); {
			case err == nil:
				confirmed++
			case errors.Is(err, ddb.ErrOutcomeUnknown):
				unknown++
			}
		}
		var (
			o   Order
			err error
		)
		for range 20 { // the storm continues
			if o, err = orders.table.Get(t.Context(), "ann", "o1", ddb.Consistent()); err == nil {
				break
			}
		}
		if err != nil || o.Paid < confirmed || o.Paid > confirmed+unknown {
			t.Errorf("%d confirmed, %d unknown, but %d stored: %v", confirmed, unknown, o.Paid, err)
		}
		if confirmed == 0 {
			t.Error("no payment succeeded")
		}
	})
}

// A clock that stands still until the test moves it: an order that is not paid in time is deleted,
// and the stream shows that it expired.
func TestHoldExpires(t *testing.T) {
	t.Parallel()
	orders, engine := engineOrders(t, ddbtest.WithVirtualClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)))
	place(t, orders, "paid", 10)
	place(t, orders, "unpaid", 10)
	if _, err := orders.Pay(t.Context(), "ann", "paid", 10); err != nil {
		t.Fatal(err)
	}
	engine.Clock().Advance(hold + time.Minute)
	left, err := orders.Of(t.Context(), "ann")
	if err != nil || len(left) != 1 || left[0].ID != "paid" {
		t.Fatalf("left: %+v, %v", left, err)
	}

	stream, err := change.NewStream[Order](engine.StreamsClient(), change.OfTable("orders"))
	if err != nil {
		t.Fatal(err)
	}
	for c, err := range stream.All(t.Context(), change.FromHorizon()) {
		if err != nil {
			t.Fatal(err)
		}
		if c.Kind == change.Remove {
			if c.Keys.ID != "unpaid" || !c.TTLExpired {
				t.Errorf("removed: %+v", c)
			}
			return
		}
	}
}
