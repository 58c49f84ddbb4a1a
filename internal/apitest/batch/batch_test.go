// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/internal/longtest"
)

// patient is a policy that never ends a batch for lack of progress.
var patient = ddb.Retry(ddb.RetryPolicy{MaxAttempts: 1000, MaxIdle: 1000, MaxElapsed: 24 * time.Hour})

// moody is a client that leaves a part of each batch unprocessed, or fails, by a seeded random choice. A real client does the
// rest.
type moody struct {
	ddb.Client
	mu    sync.Mutex
	rng   *rand.Rand
	leave float64 // chance that an input is left unprocessed
	fail  float64 // chance that a request fails
	err   error
	sizes []int
	puts  []string // ids in the order of the requests
}

func (m *moody) roll(p float64) bool { return p > 0 && m.rng.Float64() < p }

func (m *moody) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	m.mu.Lock()
	taken, left, n := map[string][]types.WriteRequest{}, map[string][]types.WriteRequest{}, 0
	for table, requests := range in.RequestItems {
		for _, r := range requests {
			n++
			if r.PutRequest != nil {
				if id, ok := r.PutRequest.Item["order_id"].(*types.AttributeValueMemberS); ok {
					m.puts = append(m.puts, id.Value)
				}
			}
			if m.roll(m.leave) {
				left[table] = append(left[table], r)
				continue
			}
			taken[table] = append(taken[table], r)
		}
	}
	m.sizes = append(m.sizes, n)
	failed := m.roll(m.fail)
	m.mu.Unlock()
	if failed {
		return nil, m.err
	}
	out := &dynamodb.BatchWriteItemOutput{}
	if len(taken) > 0 {
		cp := *in
		cp.RequestItems = taken
		var err error
		if out, err = m.Client.BatchWriteItem(ctx, &cp, opts...); err != nil {
			return nil, err
		}
	}
	out.UnprocessedItems = left
	return out, nil
}

func (m *moody) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	m.mu.Lock()
	taken, left, n := map[string]types.KeysAndAttributes{}, map[string]types.KeysAndAttributes{}, 0
	for table, ka := range in.RequestItems {
		yes, no := ka, ka
		yes.Keys, no.Keys = nil, nil
		for _, k := range ka.Keys {
			n++
			if m.roll(m.leave) {
				no.Keys = append(no.Keys, k)
				continue
			}
			yes.Keys = append(yes.Keys, k)
		}
		if len(yes.Keys) > 0 {
			taken[table] = yes
		}
		if len(no.Keys) > 0 {
			left[table] = no
		}
	}
	m.sizes = append(m.sizes, n)
	failed := m.roll(m.fail)
	m.mu.Unlock()
	if failed {
		return nil, m.err
	}
	out := &dynamodb.BatchGetItemOutput{}
	if len(taken) > 0 {
		cp := *in
		cp.RequestItems = taken
		var err error
		if out, err = m.Client.BatchGetItem(ctx, &cp, opts...); err != nil {
			return nil, err
		}
		for _, items := range out.Responses { // the service promises no order
			m.mu.Lock()
			m.rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
			m.mu.Unlock()
		}
	}
	out.UnprocessedKeys = left
	return out, nil
}

// moodyOrders returns an orders table with a moody client, in virtual time.
func moodyOrders(t *testing.T, seed uint64, opts ...ddb.TableOption) (*moody, *ddb.Table[order, customerID, orderID]) {
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	m := &moody{Client: e.Client(), rng: rand.New(rand.NewPCG(seed, 0))}
	plain, err := ddb.New(e.Client(), "orders", orderCustomer, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	orders, err := ddb.New(m, "orders", orderCustomer, orderKey, append([]ddb.TableOption{ddb.WithRetryBudget(nil)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m, orders
}

func manyOrders(n int) ([]order, []ddb.Key[customerID, orderID]) {
	list := make([]order, n)
	keys := make([]ddb.Key[customerID, orderID], n)
	for i := range list {
		list[i] = order{Customer: customerID(fmt.Sprintf("c%d", i%7)), ID: orderID(fmt.Sprintf("%05d", i)), Total: int64(i)}
		keys[i] = ddb.Key[customerID, orderID]{Partition: list[i].Customer, Sort: list[i].ID}
	}
	return list, keys
}

func TestBatchOfAnySize(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t, ddb.WithLedger(cost.NewLedger()))
	for _, n := range []int{0, 1, 25, 26, 101, longtest.Size(10_000, 2010)} {
		list, keys := manyOrders(n)
		var stats ddb.BatchStats
		if err := orders.BatchPut(ctx, list, ddb.StatsTo(&stats)); err != nil {
			t.Fatal(err)
		}
		if want := (n + 24) / 25; stats.Done != n || stats.Requests != want || stats.Retries != 0 || stats.Consumed.WriteUnits != float64(n) {
			t.Errorf("put %d: %+v", n, stats)
		}
		got, err := orders.BatchGet(ctx, keys, ddb.Consistent(), ddb.StatsTo(&stats))
		if err != nil || len(got) != n {
			t.Fatalf("get %d: %d, %v", n, len(got), err)
		}
		for i := range got {
			if !got[i].Found || got[i].Item.Total != int64(i) {
				t.Fatalf("got[%d]: found %t, or another item", i, got[i].Found)
			}
		}
		if stats.Done != n || stats.Requests != (n+99)/100 || stats.Consumed.ReadUnits != float64(n) {
			t.Errorf("get %d: %+v", n, stats)
		}
		if err := orders.BatchDelete(ctx, keys, ddb.StatsTo(&stats)); err != nil || stats.Done != n {
			t.Errorf("delete %d: %+v, %v", n, stats, err)
		}
	}
	if n, err := orders.Scan().Count(ctx); err != nil || n != 0 {
		t.Errorf("%d items are left, %v", n, err)
	}
}

// TestBatchGetMatchesKeys: order, duplicates and missing keys (boto3#4131, guregu/dynamo#67, #161).
func TestBatchGetMatchesKeys(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	list, keys := manyOrders(5)
	list[3].Tags = []string{"x"}
	if err := orders.BatchPut(ctx, list[:4]); err != nil {
		t.Fatal(err)
	}
	got, err := orders.BatchGet(ctx, []ddb.Key[customerID, orderID]{keys[3], keys[4], keys[0], keys[3]}, ddb.Project(orderTotal, orderTags))
	if err != nil {
		t.Fatal(err)
	}
	var found []bool
	for _, g := range got {
		found = append(found, g.Found)
	}
	if diff := cmp.Diff([]bool{true, false, true, true}, found); diff != "" || got[0].Item.Total != 3 || got[2].Item.Total != 0 || got[3].Item.ID != "00003" {
		t.Errorf("%s\n%+v", diff, got)
	}
	got[0].Item.Tags[0] = "changed"
	if got[3].Item.Tags[0] != "x" {
		t.Error("duplicates share memory")
	}
	stream := func(yield func(ddb.Key[customerID, orderID]) bool) {
		for i := range 2000 {
			if !yield(keys[i%5]) {
				return
			}
		}
	}
	n, foundN := 0, 0
	for g, err := range orders.BatchGetAll(ctx, stream) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; g.Found {
			foundN++
		}
		if n == 1500 {
			break
		}
	}
	if n != 1500 || foundN != 1200 {
		t.Errorf("stream: %d results, %d found", n, foundN)
	}
}

// TestBatchRefusals: all problems of all inputs are named at once, before anything is sent.
func TestBatchRefusals(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	big := order{Customer: "c", ID: "big", Status: strings.Repeat("x", ddb.MaxItemSize)}
	err := orders.BatchWrite(ctx, []order{{ID: "a"}, {Customer: "c", ID: "b"}, big, {}}, []ddb.Key[customerID, orderID]{{Partition: "c", Sort: "b"}, {Sort: "x"}})
	for _, w := range []string{"item 0: key attribute customer_id is empty", "item 2: item too large", "status (", "item 3: key attribute customer_id is empty", "item 3: key attribute order_id is empty", "key 1: key attribute customer_id", "item 1 and delete 0 have the same key"} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q", err, w)
		}
	}
	if _, err := orders.BatchGet(ctx, []ddb.Key[customerID, orderID]{{}, {Partition: "c", Sort: "x"}}, ddb.Project(userName)); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "key 0") || !strings.Contains(err.Error(), "handle of") {
		t.Errorf("BatchGet: %v", err)
	}
	if n, _ := orders.Scan().Count(ctx); n != 0 {
		t.Error("a refused batch wrote something")
	}
	versioned := newOrders(t, ddb.Version(orderTotal))
	for name, err := range map[string]error{
		"put": versioned.BatchPut(ctx, []order{{Customer: "c", ID: "o"}}), "delete": versioned.BatchDelete(ctx, []ddb.Key[customerID, orderID]{versioned.Key("c", "o")}),
	} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "takes no conditions") {
			t.Errorf("%s on a versioned table: %v", name, err)
		}
	}
}

// TestBatchLastPutWins: DynamoDB accepts a key once in a request, so only the last put of a key is sent.
func TestBatchLastPutWins(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	var list []order
	for i := range 60 {
		list = append(list, order{Customer: "c", ID: orderID(fmt.Sprint(i % 4)), Total: int64(i)})
	}
	var stats ddb.BatchStats
	if err := orders.BatchPut(ctx, list, ddb.StatsTo(&stats)); err != nil || stats.Done != 60 || stats.Requests != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	got, err := orders.Query("c").Collect(ctx)
	if err != nil || len(got) != 4 || got[0].Total != 56 || got[3].Total != 59 {
		t.Errorf("%d items, or not the last puts, %v", len(got), err)
	}
	key := orders.Key("c", "1")
	if err := orders.BatchDelete(ctx, []ddb.Key[customerID, orderID]{key, key}); err != nil {
		t.Errorf("the same key deleted twice: %v", err)
	}
}

// TestBatchKeepsItsInput: a batch does not change its input (guregu/dynamo sent [2 1 2] at the second run).
func TestBatchKeepsItsInput(t *testing.T) {
	needsEngine(t, "unprocessed items")
	synctest.Test(t, func(t *testing.T) {
		m, orders := moodyOrders(t, 3, patient, ddb.Concurrency(1))
		m.leave = 0.5
		list, _ := manyOrders(3)
		before := slices.Clone(list)
		for range 2 {
			if err := orders.BatchPut(t.Context(), list); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(before, list); diff != "" {
			t.Error(diff)
		}
	})
}

// TestBatchBackoff: unprocessed items are sent again after a wait, never immediately (AWS's
// proposed mapper re-sends in a hot loop), and the error after giving up names the rest.
func TestBatchBackoff(t *testing.T) {
	needsEngine(t, "unprocessed items")
	synctest.Test(t, func(t *testing.T) {
		m, orders := moodyOrders(t, 4, ddb.Retry(ddb.RetryPolicy{MaxAttempts: 6, BaseDelay: time.Second, MaxDelay: time.Minute}))
		m.leave = 1
		list, keys := manyOrders(30)
		start := time.Now()
		var stats ddb.BatchStats
		err := orders.BatchPut(t.Context(), list, ddb.StatsTo(&stats))
		var failed *ddb.BatchError
		if !errors.As(err, &failed) || len(failed.Failed) != 30 || failed.Total != 30 || stats.Done != 0 {
			t.Fatalf("got %v, %+v", err, stats)
		}
		if took := time.Since(start); took < time.Second || stats.Elapsed != took {
			t.Errorf("gave up after %v, stats say %v", took, stats.Elapsed)
		}
		if again := ddberr.Pick(list, failed.Puts()); len(again) != 30 || again[29].ID != list[29].ID {
			t.Errorf("picked %d", len(again))
		}
		if !strings.Contains(err.Error(), "30 of 30 not done") || !strings.Contains(err.Error(), "unprocessed") || !ddb.IsRetryable(err) {
			t.Errorf("text %v, retryable %v", err, ddb.IsRetryable(err))
		}
		got, err := orders.BatchGet(t.Context(), keys)
		if !errors.As(err, &failed) || len(failed.Failed) != 30 || len(got) != 30 || got[0].Found {
			t.Errorf("BatchGet: %v", err)
		}
		if err := orders.BatchDelete(t.Context(), keys); !errors.As(err, &failed) || len(failed.Deletes()) != 30 || len(failed.Puts()) != 0 {
			t.Errorf("BatchDelete: %v", err)
		}
	})
}

// TestBatchReportsEveryInput: with random unprocessed inputs, failing requests and cancelled contexts, every input is either stored
// or named in the error, never both and never neither.
func TestBatchReportsEveryInput(t *testing.T) {
	needsEngine(t, "unprocessed items")
	longtest.Checks(t, 30)
	rapid.Check(t, func(rt *rapid.T) {
		var (
			n      = draw.Int(rt, 1, 200, "items")
			leave  = draw.Float(rt, 0, 0.9, "leave")
			fails  = draw.Float(rt, 0, 0.3, "fail")
			cancel = draw.Int(rt, 0, 20, "cancel after")
			seed   = draw.Uint64(rt, "seed")
		)
		synctest.Test(t, func(t *testing.T) {
			m, orders := moodyOrders(t, seed, ddb.Concurrency(1+n%5))
			m.leave, m.fail, m.err = leave, fails, &types.ProvisionedThroughputExceededException{}
			ctx := t.Context()
			if cancel > 0 {
				var stop context.CancelFunc
				ctx, stop = context.WithTimeout(ctx, time.Duration(cancel)*20*time.Millisecond)
				defer stop()
			}
			list, keys := manyOrders(n)
			err := orders.BatchPut(ctx, list)
			named := map[int]bool{}
			var failed *ddb.BatchError
			switch {
			case errors.As(err, &failed):
				for _, f := range failed.Failed {
					if named[f.Index] || f.Err == nil || f.Delete || f.Unknown {
						rt.Fatalf("failure %+v", f)
					}
					named[f.Index] = true
				}
			case err != nil:
				rt.Fatal(err)
			}
			m.leave, m.fail = 0, 0
			for i, k := range keys {
				ok, err := orders.Exists(t.Context(), k.Partition, k.Sort, ddb.Consistent())
				if err != nil {
					rt.Fatal(err)
				}
				if ok == named[i] {
					rt.Fatalf("item %d: stored %v, named %v", i, ok, named[i])
				}
			}
			m.leave, m.fail = leave, fails
			got, err := orders.BatchGet(ctx, keys)
			missed := map[int]bool{}
			if errors.As(err, &failed) {
				for _, f := range failed.Failed {
					missed[f.Index] = true
				}
			} else if err != nil {
				rt.Fatal(err)
			}
			for i := range got {
				if got[i].Found && (missed[i] || named[i] || got[i].Item.Total != int64(i)) || !got[i].Found && !missed[i] && !named[i] {
					rt.Fatalf("key %d: found %v, missed %v, stored %v", i, got[i].Found, missed[i], !named[i])
				}
			}
		})
	})
}

// TestBatchOutcomes: a lost reply is unknown, a refusal stops the rest, throttling is typed.
func TestBatchOutcomes(t *testing.T) {
	needsEngine(t, "faults")
	synctest.Test(t, func(t *testing.T) {
		m, orders := moodyOrders(t, 5, ddb.Concurrency(1))
		list, _ := manyOrders(60)
		var failed *ddb.BatchError
		m.fail = 1
		m.err = errReset
		if err := orders.BatchPut(t.Context(), list); !errors.As(err, &failed) || !failed.Failed[0].Unknown || !errors.Is(err, errReset) {
			t.Errorf("lost reply: %v", err)
		}
		m.err = &types.ProvisionedThroughputExceededException{}
		if err := orders.BatchPut(t.Context(), list); !errors.Is(err, ddb.ErrThrottled) || errors.Is(err, ddb.ErrOutcomeUnknown) {
			t.Errorf("throttled: %v", err)
		}
		m.err = &types.ResourceNotFoundException{}
		m.sizes = nil
		if err := orders.BatchPut(t.Context(), list); !errors.Is(err, ddb.ErrTableNotFound) || !errors.As(err, &failed) || len(failed.Failed) != 60 || len(m.sizes) != 1 {
			t.Errorf("no table: %v after %d requests", err, len(m.sizes))
		}
		err := orders.BatchPutAll(t.Context(), slices.Values(list))
		if !errors.As(err, &failed) || failed.Failed[0].Index != 0 {
			t.Errorf("stream: %v", err)
		}
		m.fail = 0
		if err := orders.BatchPutAll(t.Context(), slices.Values(list)); err != nil {
			t.Error(err)
		}
		if n, err := orders.Scan().Count(t.Context()); err != nil || n != 60 {
			t.Errorf("stream stored %d, %v", n, err)
		}
	})
}

// TestBatchGetOfUnreadableItem: one item that cannot be decoded does not fail the others (AWS's proposed mapper panics).
func TestBatchGetOfUnreadableItem(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	name := tableName(t)
	orders, err := ddb.New(client, name, orderCustomer, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	list, keys := manyOrders(5)
	if err := orders.BatchPut(ctx, list); err != nil {
		t.Fatal(err)
	}
	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: map[string]types.AttributeValue{
		"customer_id": &types.AttributeValueMemberS{Value: string(keys[2].Partition)}, "order_id": &types.AttributeValueMemberS{Value: string(keys[2].Sort)},
		"total": &types.AttributeValueMemberS{Value: "much"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := orders.BatchGet(ctx, keys)
	var failed *ddb.BatchError
	if !errors.As(err, &failed) || len(failed.Failed) != 1 || failed.Failed[0].Index != 2 || !strings.Contains(err.Error(), "total") {
		t.Fatalf("got %v", err)
	}
	for i, g := range got {
		if g.Found != (i != 2) {
			t.Errorf("got[%d].Found = %v", i, g.Found)
		}
	}
}

// TestBatchKeysOfNumbers: a number key is recognised in every notation that a reply may use.
func TestBatchKeysOfNumbers(t *testing.T) {
	ctx := t.Context()
	type numbered struct {
		Key  float64 `dynamodbav:"k"`
		Data string  `dynamodbav:"data"`
	}
	table, err := ddb.NewSimple(newClient(t), tableName(t), ddb.NumField(func(r *numbered) *float64 { return &r.Key }))
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	keys := []float64{0, -1, 10, 1e21, 1.5e-7, 123456789.125, -0.001, 1e100}
	var list []numbered
	for _, k := range keys {
		list = append(list, numbered{k, "x"})
	}
	if err := table.BatchPut(ctx, list); err != nil {
		t.Fatal(err)
	}
	got, err := table.BatchGet(ctx, keys)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range got {
		if !g.Found || g.Item.Key != keys[i] {
			t.Errorf("key %v: %+v", keys[i], g)
		}
	}
}
