// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
)

// TestBatchOfNothing: no input, no request, no error.
func TestBatchOfNothing(t *testing.T) {
	needsEngine(t, "a counting client")
	h, orders := hookedOrders(t)
	stats := ddb.BatchStats{Done: 7}
	got, err := orders.BatchGet(t.Context(), nil, ddb.StatsTo(&stats))
	if err != nil || len(got) != 0 || stats.Done != 0 {
		t.Errorf("BatchGet: %v, %v, %+v", got, err, stats)
	}
	for g, err := range orders.BatchGetAll(t.Context(), slices.Values([]ddb.Key[customerID, orderID]{})) {
		t.Errorf("BatchGetAll: %v, %v", g, err)
	}
	err = errors.Join(orders.BatchPut(t.Context(), nil), orders.BatchDelete(t.Context(), nil), orders.BatchWrite(t.Context(), nil, nil, nil),
		orders.BatchPutAll(t.Context(), slices.Values([]order{})))
	if err != nil || h.n != 0 {
		t.Errorf("%v after %d requests", err, h.n)
	}
	stats.Done = 7
	if err := orders.BatchPut(t.Context(), []order{{}}, ddb.StatsTo(&stats)); !errors.Is(err, ddb.ErrInvalid) || stats.Done != 0 {
		t.Errorf("a refused batch: %v, %+v", err, stats)
	}
}

// TestBatchGetOfLargeItems: a reply of 16 MB leaves the rest unprocessed, which
// is progress and not throttling, so the batch does not wait.
func TestBatchGetOfLargeItems(t *testing.T) {
	needsEngine(t, "memory")
	_, orders := hookedOrders(t, ddb.Retry(ddb.RetryPolicy{MaxIdle: 1}))
	list, keys := manyOrders(45) // 17 MB; a reply has at most 16
	large := strings.Repeat("x", 390<<10)
	for i := range list {
		list[i].Status = large
	}
	var stats ddb.BatchStats
	if err := orders.BatchPut(t.Context(), list, ddb.StatsTo(&stats)); err != nil || stats.Done != 45 {
		t.Fatalf("%v, %+v", err, stats)
	}
	got, err := orders.BatchGet(t.Context(), keys, ddb.StatsTo(&stats))
	if err != nil || stats.Retries == 0 || stats.Done != 45 {
		t.Fatalf("%v, %+v", err, stats)
	}
	for i, g := range got {
		if !g.Found || g.Item.Total != int64(i) || len(g.Item.Status) != 390<<10 {
			t.Fatalf("got[%d] is found %v, %d bytes", i, g.Found, len(g.Item.Status))
		}
	}
}

// TestBatchWriteBySize: a request body stays below 16 MB, whatever the size of the items in JSON.
func TestBatchWriteBySize(t *testing.T) {
	needsEngine(t, "memory")
	h, orders := hookedOrders(t)
	h.write = func(_ int, in *dynamodb.BatchWriteItemInput, _ func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error) {
		size := 0
		for _, r := range in.RequestItems["orders"] {
			if s, ok := r.PutRequest.Item["status"].(*types.AttributeValueMemberS); ok {
				size += 6 * len(s.Value) // \u0001
			}
		}
		if size > 16<<20 {
			t.Errorf("a request of more than %d bytes", size)
		}
		return &dynamodb.BatchWriteItemOutput{}, nil
	}
	list, _ := manyOrders(8)
	large := strings.Repeat("\x01", 390<<10)
	for i := range list {
		list[i].Status = large
	}
	if err := orders.BatchPut(t.Context(), list); err != nil || h.n != 2 { // 7 items of 2.3 MB fit
		t.Errorf("%v after %d requests", err, h.n)
	}
}

// TestBatchStreams: streams count items, requests and units over all their requests, and
// can be run again.
func TestBatchStreams(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t, ddb.Concurrency(2), ddb.WithLedger(cost.NewLedger()))
	list, keys := manyOrders(130)
	var stats ddb.BatchStats
	if err := orders.BatchPutAll(ctx, slices.Values(list), ddb.StatsTo(&stats)); err != nil {
		t.Fatal(err)
	}
	if stats.Done != 130 || stats.Requests != 6 || stats.Elapsed <= 0 || stats.Consumed.WriteUnits != 130 {
		t.Errorf("put %+v", stats)
	}
	all := orders.BatchGetAll(ctx, slices.Values(append(keys, keys...)), ddb.Consistent(), ddb.StatsTo(&stats))
	for range 2 {
		i := 0
		for g, err := range all {
			if err != nil || !g.Found || g.Item.Total != int64(i%130) {
				t.Fatalf("result %d: %+v, %v", i, g, err)
			}
			i++
		}
		if i != 260 || stats.Done != 260 || stats.Requests != 3 || stats.Consumed.ReadUnits < 130 {
			t.Errorf("%d results, %+v", i, stats)
		}
	}
	for range all {
		break
	}
	if stats.Done != 200 {
		t.Errorf("after the first window: %+v", stats)
	}
}

// TestBatchStreamIgnoresTheEnd: an iterator that goes on after yield has returned false causes no further request, and no panic.
func TestBatchStreamIgnoresTheEnd(t *testing.T) {
	needsEngine(t, "a counting client")
	h, orders := hookedOrders(t)
	list, keys := manyOrders(230)
	if err := orders.BatchPut(t.Context(), list[:100]); err != nil {
		t.Fatal(err)
	}
	h.n = 0
	yielded := 0
	for g, err := range orders.BatchGetAll(t.Context(), func(yield func(ddb.Key[customerID, orderID]) bool) {
		for _, key := range keys {
			yield(key)
			yielded++
		}
	}) {
		if err != nil || !g.Found {
			t.Errorf("%+v, %v", g, err)
		}
		break
	}
	if h.n != 1 || yielded != len(keys) {
		t.Errorf("%d requests, %d keys", h.n, yielded)
	}
	list[30] = order{} // in the second window, which is refused
	h.n = 0
	err := orders.BatchPutAll(t.Context(), func(yield func(order) bool) {
		for _, o := range list {
			yield(o)
		}
	})
	if !errors.Is(err, ddb.ErrInvalid) || h.n != 1 {
		t.Errorf("%d requests, %v", h.n, err)
	}
}

// TestBatchGetAllFails: a stream yields what it read up to the first key that failed, then
// the error, whose indexes count from the first key.
func TestBatchGetAllFails(t *testing.T) {
	needsEngine(t, "chosen errors")
	h, orders := hookedOrders(t)
	list, keys := manyOrders(350)
	if err := orders.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	h.n = 0
	h.read = func(n int, _ *dynamodb.BatchGetItemInput, next func() (*dynamodb.BatchGetItemOutput, error)) (*dynamodb.BatchGetItemOutput, error) {
		if n == 3 {
			return nil, &smithy.GenericAPIError{Code: "InternalServerError", Fault: smithy.FaultServer}
		}
		return next()
	}
	read := func(seq func(func(ddb.Got[order], error) bool)) (n int, last error) {
		for g, err := range seq {
			if last != nil {
				t.Fatal("the stream continues after its error")
			}
			if last = err; err == nil {
				if g.Item.Total != int64(n) {
					t.Fatalf("result %d is %+v", n, g)
				}
				n++
			}
		}
		return n, last
	}
	var stats ddb.BatchStats
	n, err := read(orders.BatchGetAll(t.Context(), slices.Values(keys), ddb.StatsTo(&stats)))
	failed := batchError(t, err)
	if n != 200 || len(failed.Failed) != 100 || failed.Failed[0].Index != 200 || failed.Failed[99].Index != 299 || failed.Total != 300 || stats.Done != 200 {
		t.Errorf("%d results, then %v, %+v", n, err, stats)
	}
	keys[320].Sort = ""
	n, err = read(orders.BatchGetAll(t.Context(), slices.Values(keys)))
	if n != 300 || !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "key 320: ") {
		t.Errorf("%d results, then %v", n, err)
	}
	// One item that cannot be read.
	h.read = func(_ int, _ *dynamodb.BatchGetItemInput, next func() (*dynamodb.BatchGetItemOutput, error)) (*dynamodb.BatchGetItemOutput, error) {
		out, err := next()
		if err != nil {
			return nil, err
		}
		for _, item := range out.Responses["orders"] {
			if id, ok := item["order_id"].(*types.AttributeValueMemberS); ok && id.Value == "00150" {
				item["total"] = &types.AttributeValueMemberS{Value: "many"}
			}
		}
		return out, nil
	}
	n, err = read(orders.BatchGetAll(t.Context(), slices.Values(keys[:300])))
	if failed = batchError(t, err); n != 150 || len(failed.Failed) != 1 || failed.Failed[0].Index != 150 || strings.Contains(err.Error(), "many") {
		t.Errorf("%d results, then %v", n, err)
	}
}

// TestBatchPutAllFails: the error of a stream names all that was taken from it and not written.
func TestBatchPutAllFails(t *testing.T) {
	needsEngine(t, "a counting client")
	h, orders := hookedOrders(t)
	list, _ := manyOrders(110)
	list[30].ID = ""
	taken := 0
	stream := func(yield func(order) bool) {
		for _, o := range list {
			taken++
			if !yield(o) {
				return
			}
		}
	}
	var stats ddb.BatchStats
	err := orders.BatchPutAll(t.Context(), stream, ddb.StatsTo(&stats))
	failed := batchError(t, err)
	if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "item 30: key attribute order_id is empty") || taken != 50 {
		t.Errorf("%v after %d items", err, taken)
	}
	if len(failed.Failed) != 25 || failed.Failed[0].Index != 25 || failed.Total != 50 || stats.Done != 25 || h.n != 1 {
		t.Errorf("%+v, %+v, %d requests", failed, stats, h.n)
	}
	list[30].ID = "30"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h.n = 0
	h.write = func(n int, _ *dynamodb.BatchWriteItemInput, next func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error) {
		if n == 3 {
			defer cancel()
		}
		return next()
	}
	err = orders.BatchPutAll(ctx, slices.Values(list), ddb.StatsTo(&stats))
	if failed = batchError(t, err); failed.Total != 100 || failed.Failed[0].Index != 75 || stats.Done != 75 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %+v", err, stats)
	}
}

// TestBatchDeleteUnprocessed: unprocessed deletes are decoded as keys, whatever
// attributes the item type requires (dynamo_table decoded them as whole items and lost the result).
func TestBatchDeleteUnprocessed(t *testing.T) {
	needsEngine(t, "unprocessed items")
	synctest.Test(t, func(t *testing.T) {
		m, orders := moodyOrders(t, 9, patient)
		list, keys := manyOrders(40)
		if err := orders.BatchPut(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		m.leave = 0.6
		more, _ := manyOrders(50)
		var stats ddb.BatchStats
		if err := orders.BatchWrite(t.Context(), more[40:], keys, ddb.StatsTo(&stats)); err != nil || stats.Done != 50 || stats.Retries == 0 {
			t.Errorf("%v, %+v", err, stats)
		}
		for i, in := range stored(t, orders, more) {
			if in != (i >= 40) {
				t.Errorf("item %d is stored: %v", i, in)
			}
		}
	})
}

// TestBatchNamesTheFailed: the failed inputs are those that were not written, wherever
// they are in the batch (dynamo_table counted the first inputs as done).
func TestBatchNamesTheFailed(t *testing.T) {
	needsEngine(t, "unprocessed items")
	synctest.Test(t, func(t *testing.T) {
		h, orders := hookedOrders(t)
		h.write = func(_ int, in *dynamodb.BatchWriteItemInput, next func() (*dynamodb.BatchWriteItemOutput, error)) (*dynamodb.BatchWriteItemOutput, error) {
			var stuck, rest []types.WriteRequest
			for _, r := range in.RequestItems["orders"] {
				if id, ok := r.PutRequest.Item["order_id"].(*types.AttributeValueMemberS); ok && (id.Value == "00001" || id.Value == "00027") {
					stuck = append(stuck, r)
					continue
				}
				rest = append(rest, r)
			}
			out := &dynamodb.BatchWriteItemOutput{}
			if len(rest) > 0 {
				in.RequestItems["orders"] = rest
				var err error
				if out, err = next(); err != nil {
					return nil, err
				}
			}
			if len(stuck) > 0 {
				out.UnprocessedItems = map[string][]types.WriteRequest{"orders": stuck}
			}
			return out, nil
		}
		list, _ := manyOrders(60)
		failed := batchError(t, orders.BatchPut(t.Context(), list))
		if got := failed.Puts(); !slices.Equal(got, []int{1, 27}) {
			t.Errorf("named %v", got)
		}
		for i, in := range stored(t, orders, list) {
			if in == (i == 1 || i == 27) {
				t.Errorf("item %d is stored: %v", i, in)
			}
		}
	})
}
