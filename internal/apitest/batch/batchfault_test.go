// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/internal/longtest"
)

// hooked is a client that passes its batch requests to functions of a test,
// with the number of the request, from 1.
type hooked struct {
	ddb.Client
	mu    sync.Mutex
	n     int
	write func(n int, in *dynamodb.BatchWriteItemInput, next func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error)
	read  func(n int, in *dynamodb.BatchGetItemInput, next func() (*dynamodb.BatchGetItemOutput, error)) (*dynamodb.BatchGetItemOutput, error)
}

func (h *hooked) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n++
	return h.n
}

func (h *hooked) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	n, next := h.count(), func() (*dynamodb.BatchWriteItemOutput, error) { return h.Client.BatchWriteItem(ctx, in, opts...) }
	if h.write == nil {
		return next()
	}
	return h.write(n, in, next)
}

func (h *hooked) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	n, next := h.count(), func() (*dynamodb.BatchGetItemOutput, error) { return h.Client.BatchGetItem(ctx, in, opts...) }
	if h.read == nil {
		return next()
	}
	return h.read(n, in, next)
}

// hookedOrders returns an orders table with a hooked client: one request at a time, no budget.
func hookedOrders(t *testing.T, opts ...ddb.TableOption) (*hooked, *ddb.Table[order, customerID, orderID]) {
	t.Helper()
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	h := &hooked{Client: e.Client()}
	return h, ordersOn(t, e, h, append([]ddb.TableOption{ddb.Concurrency(1)}, opts...)...)
}

// ordersOn returns an orders table of an engine for a client.
func ordersOn(t *testing.T, e *ddbtest.Engine, client ddb.Client, opts ...ddb.TableOption) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	plain, err := ddb.New(e.Client(), "orders", orderCustomer, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	orders, err := ddb.New(client, "orders", orderCustomer, orderKey, append([]ddb.TableOption{ddb.WithRetryBudget(nil)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return orders
}

// stored reports for each order whether it is in the table.
func stored(t testing.TB, orders *ddb.Table[order, customerID, orderID], list []order) []bool {
	t.Helper()
	got := make([]bool, len(list))
	for i, o := range list {
		ok, err := orders.Exists(context.Background(), o.Customer, o.ID, ddb.Consistent())
		if err != nil {
			t.Fatal(err)
		}
		got[i] = ok
	}
	return got
}

// TestBatchSingleFaults: after any fault of one request, the SDK sends it again and the batch completes.
func TestBatchSingleFaults(t *testing.T) {
	needsEngine(t, "faults")
	for what := lostBefore; what < faults; what++ {
		t.Run(what.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, client := newFaulty(t)
				orders := ordersOn(t, f.Engine, client)
				list, keys := manyOrders(60)
				f.Set(first("BatchWriteItem", what))
				if err := orders.BatchPut(t.Context(), list); err != nil {
					t.Fatal(err)
				}
				f.Set(first("BatchGetItem", what))
				got, err := orders.BatchGet(t.Context(), keys, ddb.Consistent())
				if err != nil {
					t.Fatal(err)
				}
				for i, g := range got {
					if !g.Found || g.Item.Total != int64(i) {
						t.Fatalf("got[%d]: found %t, or another item", i, g.Found)
					}
				}
				f.Set(first("BatchWriteItem", what))
				if err := orders.BatchDelete(t.Context(), keys); err != nil {
					t.Fatal(err)
				}
				if slices.Contains(stored(t, orders, list), true) {
					t.Error("an item is left")
				}
			})
		})
	}
}

// TestBatchUnknown: a write whose reply was lost is unknown, even if the last attempt was
// throttled; a write that was refused each time is not. Reads are never unknown.
func TestBatchUnknown(t *testing.T) {
	needsEngine(t, "faults")
	synctest.Test(t, func(t *testing.T) {
		f, client := newFaulty(t)
		orders := ordersOn(t, f.Engine, client, ddb.Concurrency(1))
		list, keys := manyOrders(60)
		f.Set(func(_ string, n int) apitest.Fault {
			if n == 0 {
				return lostAfter
			}
			return throttled
		})
		err := orders.BatchPut(t.Context(), list)
		f.Set(nil)
		failed := batchError(t, err)
		in := stored(t, orders, list)
		if len(failed.Failed) != 60 || !errors.Is(err, ddb.ErrThrottled) || !errors.Is(err, ddb.ErrOutcomeUnknown) {
			t.Fatalf("got %v", err)
		}
		for _, n := range failed.Failed {
			unknown := n.Index < 25 // the first request
			if n.Unknown != unknown || errors.Is(n.Err, ddb.ErrOutcomeUnknown) != unknown || in[n.Index] != unknown {
				t.Errorf("failure %+v, stored %v", n, in[n.Index])
			}
		}
		f.Set(func(string, int) apitest.Fault { return lostAfter })
		_, err = orders.BatchGet(t.Context(), keys)
		f.Set(nil)
		if failed = batchError(t, err); len(failed.Failed) != 60 || failed.Failed[0].Unknown || errors.Is(err, ddb.ErrOutcomeUnknown) {
			t.Errorf("BatchGet: %v", err)
		}
	})
}

// TestBatchUnprocessedAfterLostReply: an input that a repeated request leaves
// unprocessed may have been written by the request before it.
func TestBatchUnprocessedAfterLostReply(t *testing.T) {
	needsEngine(t, "faults")
	synctest.Test(t, func(t *testing.T) {
		f, client := newFaulty(t)
		h := &hooked{Client: client}
		orders := ordersOn(t, f.Engine, h, ddb.Concurrency(1), ddb.Retry(ddb.RetryPolicy{MaxAttempts: 2}))
		h.write = func(_ int, in *dynamodb.BatchWriteItemInput, next func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error) {
			out, err := next()
			if err == nil {
				out.UnprocessedItems = map[string][]types.WriteRequest{"orders": in.RequestItems["orders"][:1]}
			}
			return out, err
		}
		list, _ := manyOrders(2)
		f.Set(first("BatchWriteItem", lostAfter))
		failed := batchError(t, orders.BatchPut(t.Context(), list))
		if len(failed.Failed) != 1 || failed.Failed[0].Index != 0 || !failed.Failed[0].Unknown {
			t.Errorf("after a lost reply: %+v", failed.Failed)
		}
		f.Set(nil)
		failed = batchError(t, orders.BatchPut(t.Context(), list))
		if len(failed.Failed) != 1 || failed.Failed[0].Unknown {
			t.Errorf("without a lost reply: %+v", failed.Failed)
		}
	})
}

// TestBatchRequestErrors: a refused request fails only its own inputs, unless all
// other requests would be refused as well.
func TestBatchRequestErrors(t *testing.T) {
	needsEngine(t, "chosen errors")
	for _, tc := range []struct {
		code     string
		failed   int
		requests int
	}{
		{"ValidationException", 25, 3},
		{"ItemCollectionSizeLimitExceededException", 25, 3},
		{"ThrottlingException", 0, 4}, // sent again
		{"InternalServerError", 25, 3},
		{"AccessDeniedException", 60, 1},
		{"UnrecognizedClientException", 60, 1},
	} {
		t.Run(tc.code, func(t *testing.T) {
			h, orders := hookedOrders(t)
			h.write = func(n int, _ *dynamodb.BatchWriteItemInput, next func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error) {
				if n == 1 {
					return nil, &smithy.GenericAPIError{Code: tc.code, Message: "no", Fault: smithy.FaultClient}
				}
				return next()
			}
			list, _ := manyOrders(60)
			err := orders.BatchPut(t.Context(), list)
			if tc.failed == 0 {
				if err != nil || h.n != tc.requests {
					t.Errorf("%v after %d requests", err, h.n)
				}
				return
			}
			if failed := batchError(t, err); len(failed.Failed) != tc.failed || h.n != tc.requests {
				t.Errorf("%d failed after %d requests: %v", len(failed.Failed), h.n, err)
			}
			if !strings.Contains(err.Error(), tc.code) {
				t.Errorf("text %v", err)
			}
		})
	}
}

// TestBatchCancelledAtEachCall: whichever request the context ends before, all inputs
// are either done or named, and nothing is sent afterwards.
func TestBatchCancelledAtEachCall(t *testing.T) {
	needsEngine(t, "unprocessed items")
	for at := 0; at < 12; at += longtest.Every(3) {
		synctest.Test(t, func(t *testing.T) {
			m, orders := moodyOrders(t, uint64(at), patient, ddb.Concurrency(1))
			m.leave = 0.3
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			h := &hooked{Client: m}
			h.write = func(n int, _ *dynamodb.BatchWriteItemInput, next func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error) {
				out, err := next()
				if n == at {
					cancel()
				}
				return out, err
			}
			if at == 0 {
				cancel()
			}
			list, _ := manyOrders(250)
			watched, err := ddb.New(h, "orders", orderCustomer, orderKey, patient, ddb.Concurrency(1), ddb.WithRetryBudget(nil))
			if err != nil {
				t.Fatal(err)
			}
			err = watched.BatchPut(ctx, list)
			named := map[int]bool{}
			for _, f := range batchError(t, err).Failed {
				named[f.Index] = true
				if !errors.Is(f.Err, context.Canceled) || f.Unknown {
					t.Errorf("cancelled after call %d: %+v", at, f)
				}
			}
			if h.n != at {
				t.Errorf("cancelled after call %d, %d were made", at, h.n)
			}
			for i, in := range stored(t, orders, list) {
				if in == named[i] {
					t.Errorf("cancelled after call %d: item %d stored %v, named %v", at, i, in, named[i])
				}
			}
		})
	}
}

// TestBatchCancelledInFlight: a write that was in flight when the context ended is unknown.
func TestBatchCancelledInFlight(t *testing.T) {
	needsEngine(t, "faults")
	e := ddbtest.NewEngine()
	defer e.Close()
	ctx, cancel := context.WithCancel(t.Context())
	client := e.Client(func(o *dynamodb.Options) {
		o.HTTPClient = apitest.Doer(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.Header.Get("X-Amz-Target"), "BatchWriteItem") {
				resp, err := e.Do(req)
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
				}
				cancel()
				return nil, ctx.Err()
			}
			return e.Do(req)
		})
	})
	orders := ordersOn(t, e, client, ddb.Concurrency(1))
	list, _ := manyOrders(60)
	err := orders.BatchPut(ctx, list)
	failed := batchError(t, err)
	if len(failed.Failed) != 60 || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	for i, in := range stored(t, orders, list) {
		if failed.Failed[i].Unknown != in {
			t.Errorf("item %d: stored %v, unknown %v", i, in, failed.Failed[i].Unknown)
		}
	}
}

// listErrors is an error of a type that is not comparable.
type listErrors []error

func (e listErrors) Error() string { return fmt.Sprint(len(e), " errors") }

// TestBatchForeignReplies: replies to other requests are errors, and cause no panics, no hangs and no items of others.
func TestBatchForeignReplies(t *testing.T) {
	needsEngine(t, "wrong replies")
	list, keys := manyOrders(30)
	other := map[string]types.AttributeValue{"customer_id": &types.AttributeValueMemberS{Value: "x"}, "order_id": &types.AttributeValueMemberS{Value: "y"}}
	odd := map[string]types.AttributeValue{"customer_id": &types.AttributeValueMemberBOOL{Value: true}}
	for _, key := range []map[string]types.AttributeValue{other, odd, nil} {
		h, orders := hookedOrders(t, patient)
		h.write = func(int, *dynamodb.BatchWriteItemInput, func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error) {
			return &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{"orders": {{DeleteRequest: &types.DeleteRequest{Key: key}}}}}, nil
		}
		err := orders.BatchPut(t.Context(), list)
		if failed := batchError(t, err); len(failed.Failed) != 30 || !failed.Failed[0].Unknown || !strings.Contains(err.Error(), "not in the request") {
			t.Errorf("foreign unprocessed item: %v", err)
		}
		h.read = func(int, *dynamodb.BatchGetItemInput, func() (*dynamodb.BatchGetItemOutput, error)) (*dynamodb.BatchGetItemOutput, error) {
			return &dynamodb.BatchGetItemOutput{UnprocessedKeys: map[string]types.KeysAndAttributes{"orders": {Keys: []map[string]types.AttributeValue{key}}}}, nil
		}
		_, err = orders.BatchGet(t.Context(), keys)
		if failed := batchError(t, err); len(failed.Failed) != 30 || !strings.Contains(err.Error(), "not in the request") {
			t.Errorf("foreign unprocessed key: %v", err)
		}
		h.read = func(int, *dynamodb.BatchGetItemInput, func() (*dynamodb.BatchGetItemOutput, error)) (*dynamodb.BatchGetItemOutput, error) {
			return &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{"orders": {key}}}, nil
		}
		got, err := orders.BatchGet(t.Context(), keys)
		if failed := batchError(t, err); len(failed.Failed) != 30 || got[0].Found {
			t.Errorf("foreign item: %v", err)
		}
	}
	// The same item left twice is one item; an item that another request asked for is foreign.
	h, orders := hookedOrders(t, patient)
	h.write = func(n int, in *dynamodb.BatchWriteItemInput, next func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error) {
		out, err := next()
		if one := in.RequestItems["orders"][:1]; err == nil && n == 1 {
			out.UnprocessedItems = map[string][]types.WriteRequest{"orders": {one[0], one[0]}}
		}
		return out, err
	}
	if err := orders.BatchPut(t.Context(), list); err != nil || h.n != 2 {
		t.Errorf("left twice: %v after %d requests", err, h.n)
	}
	h.write = func(int, *dynamodb.BatchWriteItemInput, func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error) {
		return nil, listErrors{errReset}
	}
	err := orders.BatchPut(t.Context(), list)
	if failed := batchError(t, err); len(failed.Failed) != 30 || !errors.Is(err, ddb.ErrOutcomeUnknown) || errors.Is(err, errReset) {
		t.Errorf("an error that is not comparable: %v", err)
	}
}

// TestBatchGetModel: for any list of keys, in any order, with duplicates and missing
// keys, each result belongs to its key, however many requests it takes.
func TestBatchGetModel(t *testing.T) {
	needsEngine(t, "unprocessed items")
	const there = 150
	longtest.Checks(t, 30)
	rapid.Check(t, func(rt *rapid.T) {
		picks := draw.Ints(rt, 0, 2*there-1, 0, 500, "keys")
		seed := draw.Uint64(rt, "seed")
		leave := draw.Float(rt, 0, 0.8, "leave")
		synctest.Test(t, func(t *testing.T) {
			m, orders := moodyOrders(t, seed, patient)
			list, all := manyOrders(2 * there)
			if err := orders.BatchPut(t.Context(), list[:there]); err != nil {
				rt.Fatal(err)
			}
			m.leave = leave
			keys := make([]ddb.Key[customerID, orderID], len(picks))
			for i, p := range picks {
				keys[i] = all[p]
			}
			var stats ddb.BatchStats
			got, err := orders.BatchGet(t.Context(), keys, ddb.Consistent(), ddb.StatsTo(&stats))
			if err != nil || len(got) != len(keys) || stats.Done != len(keys) {
				rt.Fatalf("%d results of %d keys, %+v, %v", len(got), len(keys), stats, err)
			}
			for i, p := range picks {
				if got[i].Found != (p < there) || got[i].Found && got[i].Item.Total != int64(p) {
					rt.Fatalf("key %d: found %t, or another item", i, got[i].Found)
				}
			}
			for _, n := range m.sizes {
				if n > 100 {
					rt.Fatalf("a request of %d keys", n)
				}
			}
		})
	})
}
