// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
)

// The kinds of batches.
type operation struct {
	name  string // name in the API
	write bool
	run   func(ctx context.Context, table *readings, list []reading, keys []key, opts ...statsTo) error
}

// statsTo is the result of StatsTo: an option of every kind of batch.
type statsTo interface {
	ddb.BatchOption
	ddb.GetOption
}

func asBatch(opts []statsTo) (all []ddb.BatchOption) {
	for _, o := range opts {
		all = append(all, o)
	}
	return all
}

func asGet(opts []statsTo) (all []ddb.GetOption) {
	for _, o := range opts {
		all = append(all, o)
	}
	return all
}

var operations = map[string]operation{
	"BatchPut": {"BatchWriteItem", true, func(ctx context.Context, table *readings, list []reading, _ []key, opts ...statsTo) error {
		return table.BatchPut(ctx, list, asBatch(opts)...)
	}},
	"BatchDelete": {"BatchWriteItem", true, func(ctx context.Context, table *readings, _ []reading, keys []key, opts ...statsTo) error {
		return table.BatchDelete(ctx, keys, asBatch(opts)...)
	}},
	"BatchPutAll": {"BatchWriteItem", true, func(ctx context.Context, table *readings, list []reading, _ []key, opts ...statsTo) error {
		return table.BatchPutAll(ctx, slices.Values(list), asBatch(opts)...)
	}},
	"BatchGet": {"BatchGetItem", false, func(ctx context.Context, table *readings, _ []reading, keys []key, opts ...statsTo) error {
		_, err := table.BatchGet(ctx, keys, asGet(opts)...)
		return err
	}},
	"BatchGetAll": {"BatchGetItem", false, func(ctx context.Context, table *readings, _ []reading, keys []key, opts ...statsTo) error {
		for _, err := range table.BatchGetAll(ctx, slices.Values(keys), asGet(opts)...) {
			if err != nil {
				return err
			}
		}
		return nil
	}},
}

// TestThrottledRequests: a request that is throttled as a whole counts as one with all its items unprocessed. With
// half of the requests throttled, or three of four, everything is written and read in the end.
func TestThrottledRequests(t *testing.T) {
	items := longtest.Size(400, 200)
	kinds := map[string]func(fault.Matcher) fault.Rule{
		"account":        fault.Matcher.Limit,
		"without reason": func(m fault.Matcher) fault.Rule { return m.Throttle() },
		"hot key":        func(m fault.Matcher) fault.Rule { return m.Throttle("TableWriteKeyRangeThroughputExceeded") },
		"provisioned":    func(m fault.Matcher) fault.Rule { return m.Throttle("TableWriteProvisionedThroughputExceeded") },
	}
	for kind, throttle := range kinds {
		for _, share := range []float64{0.5, 0.75} {
			for seed := range uint64(longtest.Size(2, 1)) {
				synctest.Test(t, func(t *testing.T) {
					e := engineOf(t, seed, throttle(fault.On("BatchWriteItem", "BatchGetItem").Chance(share)))
					table := tableOn(t, defaults(t, e))
					list, keys := manyReadings(items)
					var stats ddb.BatchStats
					if err := table.BatchPut(t.Context(), list, ddb.StatsTo(&stats)); err != nil || stats.Done != items || stats.Requests != items/25 || stats.Retries == 0 {
						t.Fatalf("%s, %v, seed %d: %+v, %v", kind, share, seed, stats, err)
					}
					got, err := table.BatchGet(t.Context(), keys, ddb.Consistent())
					if err != nil {
						t.Fatalf("%s, %v, seed %d: %v", kind, share, seed, err)
					}
					for i, g := range got {
						if !g.Found || g.Item != list[i] {
							t.Fatalf("got[%d]: found %t, or another item", i, g.Found)
						}
					}
					if err := table.BatchDelete(t.Context(), keys); err != nil {
						t.Fatalf("%s, %v, seed %d: %v", kind, share, seed, err)
					}
					if n, err := table.Scan().Count(t.Context()); err != nil || n != 0 {
						t.Errorf("%d items are left, %v", n, err)
					}
				})
			}
		}
	}
}

// TestAlwaysThrottled: when every request is throttled, the batch ends after the policy's time without progress.
// Nothing was applied, so nothing is unknown and all inputs can be retried. The short form tries a part of the
// long batches with each operation.
func TestAlwaysThrottled(t *testing.T) {
	for k, name := range slices.Sorted(maps.Keys(operations)) {
		op := operations[name]
		for i, tc := range []struct {
			what   string
			opts   []ddb.TableOption
			after  time.Duration // 0 for less than a second
			text   string
			within [2]int // requests
		}{
			{"by default", nil, time.Minute, "for 1m0s (RetryPolicy.MaxElapsed)", [2]int{20, 250}},
			{"with a policy", []ddb.TableOption{ddb.Retry(ddb.RetryPolicy{MaxElapsed: 3 * time.Minute, MaxDelay: 20 * time.Second})}, 3 * time.Minute, "for 3m0s", [2]int{20, 300}},
			{"with the zero policy", []ddb.TableOption{ddb.Retry(ddb.RetryPolicy{})}, time.Minute, "for 1m0s", [2]int{20, 250}},
			{"with a number of attempts", []ddb.TableOption{ddb.Retry(ddb.RetryPolicy{MaxAttempts: 2})}, 0, "after 2 attempts (RetryPolicy.MaxAttempts)", [2]int{4, 16}},
			{"with attempts without progress", []ddb.TableOption{ddb.Retry(ddb.RetryPolicy{MaxIdle: 3})}, 0, "after 3 attempts without progress (RetryPolicy.MaxIdle)", [2]int{6, 24}},
			{"without a budget", []ddb.TableOption{ddb.WithRetryBudget(nil)}, time.Minute, "for 1m0s", [2]int{20, 800}},
			{"with a budget for one", []ddb.TableOption{ddb.WithRetryBudget(ddb.NewRetryBudget(1))}, time.Minute, "for 1m0s", [2]int{20, 8 + 1 + 61}},
			{"with a budget for none", []ddb.TableOption{ddb.WithRetryBudget(ddb.NewRetryBudget(0))}, 0, "the retry budget is empty", [2]int{2, 8}},
		} {
			if tc.after > 0 && (k+i)%longtest.Every(4) != 0 {
				continue
			}
			t.Run(name+" "+tc.what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var sent atomic.Int64
					e := engineOf(t, 1, fault.On(op.name).Where(func(fault.Request) bool { sent.Add(1); return true }).Throttle())
					table := tableOn(t, defaults(t, e), append([]ddb.TableOption{ddb.Concurrency(8)}, tc.opts...)...)
					list, keys := manyReadings(200)
					if !op.write {
						list, keys = manyReadings(800)
					}
					var stats ddb.BatchStats
					err := op.run(t.Context(), table, list, keys, ddb.StatsTo(&stats))
					failed := batchError(t, err)
					if len(failed.Failed) != len(list) || !errors.Is(err, ddb.ErrThrottled) || errors.Is(err, ddb.ErrOutcomeUnknown) || !ddb.IsRetryable(err) {
						t.Errorf("%d failed, %v", len(failed.Failed), err)
					}
					for _, f := range failed.Failed {
						if f.Unknown || !ddb.IsRetryable(f.Err) {
							t.Fatalf("failure %+v", f)
						}
					}
					if !strings.Contains(err.Error(), tc.text) {
						t.Errorf("the error %q does not say %q", err, tc.text)
					}
					if tc.after > 0 && stats.Elapsed != tc.after || tc.after == 0 && stats.Elapsed > time.Second {
						t.Errorf("ended after %v, want %v", stats.Elapsed, tc.after)
					}
					if requests := int(sent.Load()); requests < tc.within[0] || requests > tc.within[1] {
						t.Errorf("%d requests, want %v", requests, tc.within)
					}
					if stats.Requests != 0 || stats.Done != 0 {
						t.Errorf("%+v", stats)
					}
				})
			})
		}
	}
}

// TestThrottledThenRefused: the error after a throttled attempt has the same effect as without it.
func TestThrottledThenRefused(t *testing.T) {
	for _, tc := range []struct {
		what    string
		then    func(fault.Matcher) fault.Rule
		want    error
		unknown bool
	}{
		{"denied", func(m fault.Matcher) fault.Rule { return m.Error("AccessDeniedException", "no") }, nil, false},
		{"lost", fault.Matcher.DropReply, ddb.ErrOutcomeUnknown, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			op := fault.On("BatchWriteItem")
			e := engineOf(t, 1, op.First(5).Throttle(), tc.then(op))
			list, _ := manyReadings(25)
			err := tableOn(t, defaults(t, e)).BatchPut(t.Context(), list)
			failed := batchError(t, err)
			if len(failed.Failed) != 25 || failed.Failed[7].Unknown != tc.unknown || errors.Is(err, ddb.ErrOutcomeUnknown) != tc.unknown {
				t.Errorf("%s: %v", tc.what, err)
			}
		})
	}
}

// TestUnknownThenThrottled: after a lost reply a write is unknown, whatever is refused afterwards, until an attempt succeeds.
func TestUnknownThenThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := fault.On("BatchWriteItem")
		e := engineOf(t, 1, op.Nth(1).DropReply(), op.First(9).Throttle())
		list, _ := manyReadings(25)
		table := tableOn(t, defaults(t, e))
		if err := table.BatchPut(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		e = engineOf(t, 1, op.Nth(1).DropReply(), op.Throttle())
		table = tableOn(t, defaults(t, e), ddb.Concurrency(1))
		list, keys := manyReadings(50)
		err := table.BatchPut(t.Context(), list)
		if failed := batchError(t, err); len(failed.Failed) != 50 || !errors.Is(err, ddb.ErrThrottled) {
			t.Fatal(err)
		} else {
			for _, f := range failed.Failed {
				if f.Unknown != (f.Index < 25) {
					t.Errorf("failure %+v", f)
				}
			}
		}
		got, err := table.BatchGet(t.Context(), keys, ddb.Consistent())
		if err != nil || !got[24].Found || got[25].Found {
			t.Errorf("stored %v, %v, %v", got[24], got[25], err)
		}
	})
}

// TestStuckItemsDelayNoOthers: items that DynamoDB leaves unprocessed again and again, such as those of a hot
// partition, do not delay others, however few requests are in flight, and are the only ones that fail.
func TestStuckItemsDelayNoOthers(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			e := engineOf(t, 1)
			list, keys := manyReadings(500)
			stuck := map[int]bool{}
			for i := 0; i < len(list); i += 25 { // one in each request
				stuck[i] = true
			}
			h := &held{Client: e.Client(), stuck: func(minute string) bool {
				i, _ := strconv.Atoi(minute)
				return stuck[i]
			}}
			table := tableOn(t, h, ddb.Concurrency(concurrency), ddb.WithRetryBudget(nil))
			var stats ddb.BatchStats
			err := table.BatchPut(t.Context(), list, ddb.StatsTo(&stats))
			failed := batchError(t, err)
			if len(failed.Failed) != len(stuck) || stats.Done != len(list)-len(stuck) || !ddb.IsRetryable(err) || errors.Is(err, ddb.ErrThrottled) {
				t.Errorf("%d failed, %+v: %v", len(failed.Failed), stats, err)
			}
			for _, f := range failed.Failed {
				if !stuck[f.Index] || f.Unknown {
					t.Errorf("failure %+v", f)
				}
			}
			if stats.Elapsed < time.Minute || stats.Elapsed > 62*time.Second {
				t.Errorf("ended after %v, all others being done within two seconds", stats.Elapsed)
			}
			got, err := table.BatchGet(t.Context(), keys, ddb.Consistent())
			if err != nil {
				t.Fatal(err)
			}
			for i, g := range got {
				if g.Found == stuck[i] {
					t.Errorf("item %d is found: %v", i, g.Found)
				}
			}
		})
	}
}

// held is a client that always leaves some items unprocessed.
type held struct {
	ddb.Client
	stuck func(minute string) bool
}

func (h *held) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	left, rest := map[string][]types.WriteRequest{}, *in
	rest.RequestItems = map[string][]types.WriteRequest{}
	for table, writes := range in.RequestItems {
		for _, w := range writes {
			if minute, ok := w.PutRequest.Item["minute"].(*types.AttributeValueMemberN); ok && h.stuck(minute.Value) {
				left[table] = append(left[table], w)
			} else {
				rest.RequestItems[table] = append(rest.RequestItems[table], w)
			}
		}
	}
	if len(rest.RequestItems) == 0 {
		return &dynamodb.BatchWriteItemOutput{UnprocessedItems: left}, nil
	}
	out, err := h.Client.BatchWriteItem(ctx, &rest, opts...)
	if err == nil {
		out.UnprocessedItems = left
	}
	return out, err
}
