// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

// faulty is an engine with rules and a client that does not retry.
func faulty(t testing.TB, opts ...ddbtest.Option) (*ddbtest.Engine, *dynamodb.Client) {
	t.Helper()
	e := ddbtest.NewEngine(opts...)
	t.Cleanup(e.Close)
	c := e.Client(func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	mustCreate(t, c, pairTable("orders"))
	return e, c
}

func putOrder(ctx context.Context, c *dynamodb.Client, sk string) error {
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: item{"pk": str("a"), "sk": str(sk)}})
	return err
}

func stored(t testing.TB, c *dynamodb.Client) int {
	t.Helper()
	out, err := c.Query(context.Background(), &dynamodb.QueryInput{
		TableName: aws.String("orders"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("a")}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	return int(out.Count)
}

func TestFaults(t *testing.T) {
	put := fault.On("PutItem")
	for name, c := range map[string]struct {
		rule    fault.Rule
		applied bool
		want    func(error) bool
	}{
		"reply dropped":     {put.DropReply(), true, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		"request dropped":   {put.DropRequest(), false, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		"refused":           {put.Refuse(), false, func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }},
		"internal error":    {put.InternalError(), false, func(err error) bool { return code(err) == "InternalServerError" }},
		"applied and 500":   {put.Applied().InternalError(), true, func(err error) bool { return code(err) == "InternalServerError" }},
		"unavailable":       {put.Unavailable(), false, func(err error) bool { return code(err) == "ServiceUnavailable" }},
		"throttled":         {put.Throttle(), false, func(err error) bool { return code(err) == "ThrottlingException" }},
		"account limit":     {put.Limit(), false, func(err error) bool { return code(err) == "RequestLimitExceeded" }},
		"conflict":          {put.Conflict(), false, func(err error) bool { return code(err) == "TransactionConflictException" }},
		"another Region":    {put.ReplicatedWriteConflict(), false, func(err error) bool { return code(err) == "ReplicatedWriteConflictException" }},
		"any exception":     {put.Error("AccessDeniedException", "no"), false, func(err error) bool { return code(err) == "AccessDeniedException" }},
		"body cut":          {put.TruncateBody(), true, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		"foreign body":      {put.Foreign(), true, func(err error) bool { return err != nil }},
		"delivered twice":   {put.Duplicate(), true, func(err error) bool { return err == nil }},
		"another table":     {put.Table("others").DropReply(), true, func(err error) bool { return err == nil }},
		"another operation": {fault.On("GetItem").DropReply(), true, func(err error) bool { return err == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := faulty(t, ddbtest.WithFaults(c.rule))
			if err := putOrder(t.Context(), client, "1"); !c.want(err) {
				t.Errorf("got %v", err)
			}
			if n := stored(t, client); (n == 1) != c.applied {
				t.Errorf("%d items stored, applied must be %v", n, c.applied)
			}
		})
	}
}

func TestDamagedReplies(t *testing.T) {
	for name, c := range map[string]struct {
		rule  fault.Rule
		check func(body []byte, sum, right bool) bool
	}{
		"wrong checksum": {fault.On("GetItem").WrongChecksum(), func(body []byte, sum, right bool) bool { return !sum && right }},
		"byte flipped":   {fault.On("GetItem").FlipByte(), func(body []byte, sum, right bool) bool { return !sum && !right && len(body) > 2 }},
		"empty":          {fault.On("GetItem").EmptyBody(), func(body []byte, _, _ bool) bool { return len(body) == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			e, client := faulty(t, ddbtest.WithFaults(c.rule))
			if err := putOrder(t.Context(), client, "1"); err != nil {
				t.Fatal(err)
			}
			resp, err := e.Do(rawRequest(t, "GetItem", `{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"S":"1"}}}`))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			sum := resp.Header.Get("X-Amz-Crc32") == strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)
			right := bytes.Contains(body, []byte(`"pk":{"S":"a"}`)) && bytes.Contains(body, []byte(`"sk":{"S":"1"}`)) && len(body) == len(`{"Item":{"pk":{"S":"a"},"sk":{"S":"1"}}}`)
			if !c.check(body, sum, right) {
				t.Errorf("body %q, checksum right: %v", body, sum)
			}
		})
	}
}

func TestThrottlingReasons(t *testing.T) {
	for reason, want := range map[string]string{
		"TableWriteProvisionedThroughputExceeded": "ProvisionedThroughputExceededException",
		"TableWriteKeyRangeThroughputExceeded":    "ThrottlingException",
		"IndexWriteMaxOnDemandThroughputExceeded": "ThrottlingException",
		"TableWriteAccountLimitExceeded":          "ThrottlingException",
	} {
		_, client := faulty(t, ddbtest.WithFaults(fault.On("PutItem").Throttle(reason)))
		err := putOrder(t.Context(), client, "1")
		if code(err) != want {
			t.Errorf("%s: %v, want %s", reason, err, want)
		}
		var got []types.ThrottlingReason
		if e := (*types.ThrottlingException)(nil); errors.As(err, &e) {
			got = e.ThrottlingReasons
		}
		if e := (*types.ProvisionedThroughputExceededException)(nil); errors.As(err, &e) {
			got = e.ThrottlingReasons
		}
		if len(got) != 1 || aws.ToString(got[0].Reason) != reason {
			t.Errorf("%s: reasons %v", reason, got)
		}
	}
}

func TestWhichRequests(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		match fault.Matcher
		want  []int // of ten puts a minute apart
	}{
		"nth":     {fault.On("PutItem").Nth(3), []int{3}},
		"first":   {fault.On("PutItem").First(2), []int{1, 2}},
		"every":   {fault.On("PutItem").Every(4), []int{4, 8}},
		"between": {fault.On().Between(start.Add(2*time.Minute), start.Add(4*time.Minute)), []int{3, 4}},
		"where":   {fault.On("PutItem").Where(func(r fault.Request) bool { return bytes.Contains(r.Body, []byte(`"S":"7"`)) }), []int{7}},
		"never":   {fault.On("PutItem").Chance(0), nil},
		"always":  {fault.On("PutItem").Table("orders").Chance(1), []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			rule := c.match.InternalError()
			if name == "between" {
				rule = fault.On("PutItem").Between(start.Add(2*time.Minute), start.Add(4*time.Minute)).InternalError()
			}
			e, client := faulty(t, ddbtest.WithVirtualClock(start), ddbtest.WithFaults(rule))
			var got []int
			for i := 1; i <= 10; i++ {
				if putOrder(t.Context(), client, strconv.Itoa(i)) != nil {
					got = append(got, i)
				}
				e.Clock().Advance(time.Minute)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v failed, want %v", got, c.want)
			}
		})
	}
}

// The same seed gives the same faults, another seed gives others, and their share is the requested one.
func TestSeeds(t *testing.T) {
	run := func(seed uint64) (failed []int) {
		_, client := faulty(t, ddbtest.WithSeed(seed), ddbtest.WithFaults(fault.On("PutItem").Chance(0.2).InternalError()))
		for i := range 500 {
			if putOrder(t.Context(), client, strconv.Itoa(i)) != nil {
				failed = append(failed, i)
			}
		}
		return failed
	}
	one := run(1)
	if !slices.Equal(one, run(1)) {
		t.Error("one seed made two sets of faults")
	}
	if slices.Equal(one, run(2)) {
		t.Error("two seeds made one set of faults")
	}
	if len(one) < 60 || len(one) > 140 {
		t.Errorf("%d of 500 failed, want about 100", len(one))
	}
}

func TestStorm(t *testing.T) {
	var mu sync.Mutex
	kinds := map[string]int{}
	_, client := faulty(t, ddbtest.WithSeed(3), ddbtest.WithFaults(fault.Storm(0.45)...), ddbtest.WithObserver(func(r fault.Request) {
		mu.Lock()
		defer mu.Unlock()
		kinds[r.Fault]++
	}))
	const n = 2000
	for i := range n {
		_ = putOrder(t.Context(), client, strconv.Itoa(i))
	}
	if len(kinds) != 9 { // internal errors before and after applying have the same name
		t.Errorf("kinds: %v", kinds)
	}
	for kind, got := range kinds {
		want := n * 5 / 100
		switch kind {
		case "":
			want = n * 55 / 100
		case "internal error":
			want *= 2
		}
		if got < want/2 || got > want*2 {
			t.Errorf("%q: %d of %d requests, want about %d", kind, got, n, want)
		}
	}
}

func TestTimingFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := faulty(t, ddbtest.WithFaults(
			fault.On("PutItem").Nth(1).Delay(time.Minute), fault.On("PutItem").Nth(1).Hang(), fault.On("PutItem").Nth(1).Late(time.Hour),
		))
		start := time.Now()
		if err := putOrder(t.Context(), client, "1"); err != nil || time.Since(start) != time.Minute {
			t.Errorf("delayed by %v: %v", time.Since(start), err)
		}
		start = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := putOrder(ctx, client, "2"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("hung for %v: %v", time.Since(start), err)
		}
		if err := putOrder(t.Context(), client, "3"); !errors.Is(err, syscall.ECONNRESET) || stored(t, client) != 1 {
			t.Errorf("a late request: %v, %d items", err, stored(t, client))
		}
		<-time.After(time.Hour)
		synctest.Wait()
		if n := stored(t, client); n != 2 {
			t.Errorf("%d items when the late request has arrived, want 2", n)
		}
	})
}

func TestUnprocessed(t *testing.T) {
	_, client := faulty(t, ddbtest.WithFaults(fault.On("BatchWriteItem", "BatchGetItem").First(2).Unprocessed(2)))
	requests := make([]types.WriteRequest, 5)
	keys := make([]map[string]types.AttributeValue, 5)
	for i := range requests {
		keys[i] = item{"pk": str("a"), "sk": str(strconv.Itoa(i))}
		requests[i].PutRequest = &types.PutRequest{Item: keys[i]}
	}
	out, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"orders": requests}})
	if err != nil || len(out.UnprocessedItems["orders"]) != 2 || stored(t, client) != 3 {
		t.Fatalf("%v, %v; %d stored", out, err, stored(t, client))
	}
	got, err := client.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"orders": {Keys: keys}}})
	if err != nil || len(got.UnprocessedKeys["orders"].Keys) != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestTransactionFaults(t *testing.T) {
	_, client := faulty(t, ddbtest.WithFaults(fault.On("TransactWriteItems").Nth(1).Conflict(), fault.On("TransactWriteItems").Nth(1).InProgress()))
	write := func() error {
		put := &types.Put{TableName: aws.String("orders"), Item: item{"pk": str("a"), "sk": str("1")}}
		other := &types.Put{TableName: aws.String("orders"), Item: item{"pk": str("a"), "sk": str("2")}}
		_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: put}, {Put: other}}})
		return err
	}
	var cancelled *types.TransactionCanceledException
	if err := write(); !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 2 || aws.ToString(cancelled.CancellationReasons[0].Code) != "TransactionConflict" {
		t.Errorf("conflict: %v", err)
	}
	if err := write(); code(err) != "TransactionInProgressException" {
		t.Errorf("in progress: %v", err)
	}
	if err := write(); err != nil || stored(t, client) != 2 {
		t.Errorf("the third: %v, %d items", err, stored(t, client))
	}
}

func TestStaleReads(t *testing.T) {
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)),
		ddbtest.WithFaults(fault.On("GetItem").StaleReads(time.Second), fault.On("Query").StaleIndex(time.Minute)))
	t.Cleanup(e.Close)
	client := e.Client()
	mustCreate(t, client, indexedTable("orders"))
	write := func(total string) {
		mustPut(t, client, "orders", item{"pk": str("a"), "sk": str("1"), "g": str("g"), "n": num(total), "total": num(total)})
	}
	read := func(consistent bool) string {
		out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: item{"pk": str("a"), "sk": str("1")}, ConsistentRead: &consistent})
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := out.Item["total"].(*types.AttributeValueMemberN); ok {
			return n.Value
		}
		return "none"
	}
	query := func(index *string) int32 {
		pk, v := "pk", "a"
		if index != nil {
			pk, v = "g", "g"
		}
		out, err := client.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("orders"), IndexName: index, KeyConditionExpression: aws.String(fmt.Sprintf("%s = :p", pk)), ExpressionAttributeValues: item{":p": str(v)}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Count
	}
	write("1")
	if a, b := read(false), read(true); a != "none" || b != "1" {
		t.Errorf("immediately: eventually %s, consistently %s", a, b)
	}
	e.Clock().Advance(time.Second)
	write("2")
	if a, b := read(false), read(true); a != "1" || b != "2" {
		t.Errorf("a second later: eventually %s, consistently %s", a, b)
	}
	e.Clock().Advance(time.Second)
	if a := read(false); a != "2" {
		t.Errorf("at the end: %s", a)
	}
	if table, index := query(nil), query(aws.String("global")); table != 1 || index != 0 {
		t.Errorf("before a minute: table %d, index %d", table, index)
	}
	e.Clock().Advance(time.Minute)
	if index := query(aws.String("global")); index != 1 {
		t.Errorf("after a minute: index %d", index)
	}
}

func TestObserver(t *testing.T) {
	var seen []string
	_, client := faulty(t, ddbtest.WithFaults(fault.On("PutItem").Nth(2).DropReply()), ddbtest.WithObserver(func(r fault.Request) {
		seen = append(seen, fmt.Sprint(r.Operation, r.Tables, r.Fault))
	}))
	_ = putOrder(t.Context(), client, "1")
	_ = putOrder(t.Context(), client, "2")
	if want := []string{"CreateTable[orders]", "PutItem[orders]", "PutItem[orders]reply dropped"}; !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
}

func ExampleWithFaults() {
	e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("PutItem").Nth(1).DropReply()))
	defer e.Close()
	client := e.Client(func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	ctx := context.Background()
	if _, err := client.CreateTable(ctx, pairTable("orders")); err != nil {
		fmt.Println(err)
	}
	err := putOrder(ctx, client, "1")
	fmt.Println("the reply was lost:", errors.Is(err, syscall.ECONNRESET))
	got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: item{"pk": str("a"), "sk": str("1")}})
	fmt.Println("the item is there:", err == nil && got.Item != nil)
	// Output:
	// the reply was lost: true
	// the item is there: true
}

// SetFaults replaces rules while the engine runs; requests of WithoutFaults match no rules and are not counted.
func TestSetFaults(t *testing.T) {
	for name, opts := range map[string][]ddbtest.Option{
		"without rules before": nil,
		"with rules before":    {ddbtest.WithFaults(fault.On("PutItem").Deny())},
	} {
		e, c := faulty(t, opts...)
		failed := func(ctx context.Context) bool { return putOrder(ctx, c, "x") != nil }
		if failed(t.Context()) != (opts != nil) {
			t.Errorf("%s: the first rules have no effect", name)
		}
		for range 2 { // the second time the counts restart
			if err := e.SetFaults(fault.On("PutItem").Nth(2).Throttle(), fault.On("PutItem").Nth(2).InternalError()); err != nil {
				t.Fatal(err)
			}
			exempt := ddbtest.WithoutFaults(t.Context())
			var got []bool
			for i := range 6 {
				ctx := t.Context()
				if i%2 == 1 {
					ctx = exempt
				}
				got = append(got, failed(ctx))
			}
			// The first rule matches the second request, so the second rule counts the third request as its second.
			if want := []bool{false, false, true, false, true, false}; !slices.Equal(got, want) {
				t.Errorf("%s: failed %v, want %v", name, got, want)
			}
		}
		if err := e.SetFaults(fault.On().Unavailable(), fault.On().StaleReads(time.Second)); err == nil || failed(t.Context()) {
			t.Errorf("%s: rules of stale reads: %v", name, err)
		}
		if err := e.SetFaults(fault.On("BatchWriteItem").Unprocessed(1)); err != nil {
			t.Fatal(err)
		}
		var puts []types.WriteRequest
		for _, sk := range []string{"y", "z"} {
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"pk": str("a"), "sk": str(sk)}}})
		}
		request := &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"orders": puts}}
		if out, err := c.BatchWriteItem(t.Context(), request); err != nil {
			t.Errorf("%s: BatchWriteItem failed: %v", name, err)
		} else if n := len(out.UnprocessedItems); n != 1 {
			t.Errorf("%s: writes of %d tables are unprocessed, want 1", name, n)
		}
		if err := e.SetFaults(); err != nil || failed(t.Context()) {
			t.Errorf("%s: without rules: %v", name, err)
		}
	}
}

// TestSetFaultsConcurrently is for the race detector: rules change while requests are in flight, and each request sees all of the rules or none.
func TestSetFaultsConcurrently(t *testing.T) {
	e, c := faulty(t)
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for i := range 50 {
				var limited *types.RequestLimitExceeded
				if err := putOrder(t.Context(), c, fmt.Sprint(w, i)); err != nil && !errors.As(err, &limited) {
					t.Error(err)
				}
			}
		})
	}
	for i := range 50 {
		var rules []fault.Rule
		if i%2 == 0 {
			rules = append(rules, fault.On().Limit())
		}
		if err := e.SetFaults(rules...); err != nil {
			t.Error(err)
		}
	}
	wait.Wait()
}
