// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"errors"
	"maps"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// throttling returns the exception and the reason of an error, "" if there is none, and the resource.
func throttling(t testing.TB, err error) (exception, reason, resource string) {
	t.Helper()
	if err == nil {
		return "", "", ""
	}
	var reasons []types.ThrottlingReason
	var provisioned *types.ProvisionedThroughputExceededException
	var throttled *types.ThrottlingException
	var account *types.RequestLimitExceeded
	switch {
	case errors.As(err, &provisioned):
		exception, reasons = "Provisioned", provisioned.ThrottlingReasons
	case errors.As(err, &throttled):
		exception, reasons = "Throttling", throttled.ThrottlingReasons
	case errors.As(err, &account):
		exception, reasons = "Account", account.ThrottlingReasons
	default:
		t.Fatal(err)
	}
	if len(reasons) != 1 {
		t.Fatalf("%d reasons", len(reasons))
	}
	return exception, aws.ToString(reasons[0].Reason), aws.ToString(reasons[0].Resource)
}

// limited is a client of an engine with throughput, which sends each request once.
func limited(model ddbtest.Throughput) (*ddbtest.Engine, *dynamodb.Client) {
	e := ddbtest.NewEngine(ddbtest.WithThroughput(model), ddbtest.WithVirtualClock(time.Unix(1_800_000_000, 0)))
	return e, e.Client(func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
}

func provision(in *dynamodb.CreateTableInput, reads, writes int64) *dynamodb.CreateTableInput {
	in.BillingMode = types.BillingModeProvisioned
	in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: &reads, WriteCapacityUnits: &writes}
	return in
}

// spend repeats a request until it is throttled, at most n times, and returns how often it was admitted.
func spend(t testing.TB, n int, do func() error) (admitted int, exception, reason, resource string) {
	t.Helper()
	for i := range n {
		if exception, reason, resource = throttling(t, do()); exception != "" {
			return i, exception, reason, resource
		}
	}
	return n, "", "", ""
}

// Each limit admits the units that it has, refuses with its own reason, and refills over time.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
func TestThroughputLimits(t *testing.T) {
	const name = "limited"
	large := str(strings.Repeat("x", 3500)) // 4 units to write
	onDemand := func(reads, writes int64) *dynamodb.CreateTableInput {
		in := pairTable(name)
		in.OnDemandThroughput = &types.OnDemandThroughput{MaxReadRequestUnits: &reads, MaxWriteRequestUnits: &writes}
		return in
	}
	indexed := func(indexWrites, indexReads int64) *dynamodb.CreateTableInput {
		in := provision(pairTable(name), 100, 100)
		in.AttributeDefinitions = append(in.AttributeDefinitions, attr("g", "S"))
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
			IndexName: aws.String("byG"), KeySchema: []types.KeySchemaElement{key("g", "HASH")}, Projection: &types.Projection{ProjectionType: "ALL"},
			ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: &indexReads, WriteCapacityUnits: &indexWrites},
		}}
		return in
	}
	n := 0
	put := func(extra item) func(*dynamodb.Client) error {
		return func(c *dynamodb.Client) error {
			n++
			it := item{"pk": str("p"), "sk": str(strconv.Itoa(n))}
			maps.Copy(it, extra)
			_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(name), Item: it})
			return err
		}
	}
	get := func(consistent bool) func(*dynamodb.Client) error {
		return func(c *dynamodb.Client) error {
			_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(name), Key: item{"pk": str("p"), "sk": str("0")}, ConsistentRead: &consistent})
			return err
		}
	}
	failing := func(c *dynamodb.Client) error {
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String(name), Item: item{"pk": str("p"), "sk": str("0")}, ConditionExpression: aws.String("attribute_exists(absent)"),
		})
		if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
			return nil
		}
		return err
	}
	queryIndex := func(c *dynamodb.Client) error {
		_, err := c.Query(t.Context(), &dynamodb.QueryInput{
			TableName: aws.String(name), IndexName: aws.String("byG"), KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": str("g")},
		})
		return err
	}
	scan := func(c *dynamodb.Client) error {
		_, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(name), ConsistentRead: aws.Bool(true)})
		return err
	}
	none := ddbtest.Throughput{Burst: -1}
	table, index := "table/"+name, "table/"+name+"/index/byG"
	for _, c := range []struct {
		name     string
		model    ddbtest.Throughput
		table    *dynamodb.CreateTableInput
		idle     time.Duration
		do       func(*dynamodb.Client) error
		admitted int // at once
		after    int // after a second
		want     []string
	}{
		{"writes", none, provision(pairTable(name), 10, 5), 0, put(nil), 5, 5, []string{"Provisioned", "TableWriteProvisionedThroughputExceeded", table}},
		{"large writes, the second overdraws", none, provision(pairTable(name), 10, 5), 0, put(item{"d": large}), 2, 1, []string{"Provisioned", "TableWriteProvisionedThroughputExceeded", table}},
		{"consistent reads", none, provision(pairTable(name), 10, 5), 0, get(true), 10, 10, []string{"Provisioned", "TableReadProvisionedThroughputExceeded", table}},
		{"eventually consistent reads", none, provision(pairTable(name), 10, 5), 0, get(false), 20, 20, []string{"Provisioned", "TableReadProvisionedThroughputExceeded", table}},
		{"failed conditions", none, provision(pairTable(name), 10, 5), 0, failing, 5, 5, []string{"Provisioned", "TableWriteProvisionedThroughputExceeded", table}},
		{"scans", none, provision(pairTable(name), 10, 5), 0, scan, 10, 10, []string{"Provisioned", "TableReadProvisionedThroughputExceeded", table}},
		{"burst after a minute", ddbtest.Throughput{}, provision(pairTable(name), 10, 5), time.Minute, put(nil), 310, 5, []string{"Provisioned", "TableWriteProvisionedThroughputExceeded", table}},
		{"burst ends at 300 seconds", ddbtest.Throughput{}, provision(pairTable(name), 10, 2), time.Hour, put(nil), 600, 2, []string{"Provisioned", "TableWriteProvisionedThroughputExceeded", table}},
		{"burst of 10 seconds", ddbtest.Throughput{Burst: 10 * time.Second}, provision(pairTable(name), 10, 5), time.Hour, put(nil), 50, 5, []string{"Provisioned", "TableWriteProvisionedThroughputExceeded", table}},
		{"maximum of an on-demand table", none, onDemand(7, 3), 0, put(nil), 3, 3, []string{"Throttling", "TableWriteMaxOnDemandThroughputExceeded", table}},
		{"maximum of reads", none, onDemand(7, 3), 0, get(true), 7, 7, []string{"Throttling", "TableReadMaxOnDemandThroughputExceeded", table}},
		{"quota of the account", ddbtest.Throughput{TableWriteUnits: 20, Burst: -1}, pairTable(name), 0, put(nil), 20, 20, []string{"Account", "TableWriteAccountLimitExceeded", table}},
		{"a hot key of an on-demand table", none, pairTable(name), time.Hour, put(nil), 1000, 1000, []string{"Throttling", "TableWriteKeyRangeThroughputExceeded", table}},
		{"a hot key of a provisioned table", ddbtest.Throughput{}, provision(pairTable(name), 20_000, 20_000), time.Hour, get(true), 3000, 3000, []string{"Provisioned", "TableReadKeyRangeThroughputExceeded", table}},
		{"an index with low throughput", none, indexed(4, 10), 0, put(item{"g": str("g")}), 4, 4, []string{"Provisioned", "IndexWriteProvisionedThroughputExceeded", index}},
		{"items that are not in that index", none, indexed(4, 10), 0, put(nil), 100, 100, []string{"Provisioned", "TableWriteProvisionedThroughputExceeded", table}},
		{"reads of an index", none, indexed(4, 10), 0, queryIndex, 20, 20, []string{"Provisioned", "IndexReadProvisionedThroughputExceeded", index}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, client := limited(c.model)
			defer e.Close()
			mustCreate(t, client, c.table)
			e.Clock().Advance(time.Second + c.idle)
			for _, want := range []int{c.admitted, c.after} {
				got, exception, reason, resource := spend(t, want+1, func() error { return c.do(client) })
				if got != want {
					t.Errorf("%d were admitted, want %d", got, want)
				}
				if exception != c.want[0] || reason != c.want[1] || !strings.HasSuffix(resource, ":"+c.want[2]) {
					t.Errorf("refused with %s, %s, %s; want %v", exception, reason, resource, c.want)
				}
				e.Clock().Advance(time.Second)
			}
		})
	}
}

// A batch executes the admitted requests and returns the others as unprocessed; it is refused if none is admitted.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
func TestThroughputOfBatches(t *testing.T) {
	e, client := limited(ddbtest.Throughput{Burst: -1})
	defer e.Close()
	mustCreate(t, client, &dynamodb.CreateTableInput{
		TableName: aws.String("batches"), BillingMode: types.BillingModeProvisioned, ProvisionedThroughput: provisioned(4, 3),
		AttributeDefinitions: []types.AttributeDefinition{attr("pk", "S")}, KeySchema: []types.KeySchemaElement{key("pk", "HASH")},
	})
	var writes []types.WriteRequest
	var keys []map[string]types.AttributeValue
	for i := range 10 {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"pk": str(strconv.Itoa(i))}}})
		keys = append(keys, item{"pk": str(strconv.Itoa(i))})
	}
	for second := 0; len(writes) > 0; second++ {
		out, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"batches": writes}})
		if err != nil {
			t.Fatal(err)
		}
		left := out.UnprocessedItems["batches"]
		if done := len(writes) - len(left); done != min(3, len(writes)) {
			t.Errorf("second %d: %d writes", second, done)
		}
		if writes = left; len(writes) == 0 {
			break
		}
		_, err = client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"batches": writes}})
		if _, reason, _ := throttling(t, err); reason != "TableWriteProvisionedThroughputExceeded" {
			t.Errorf("a batch without an admitted request: %v", err)
		}
		e.Clock().Advance(time.Second)
	}
	read := func() (*dynamodb.BatchGetItemOutput, error) {
		return client.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"batches": {Keys: keys, ConsistentRead: aws.Bool(true)}}})
	}
	out, err := read()
	if err != nil || len(out.Responses["batches"]) != 4 || len(out.UnprocessedKeys["batches"].Keys) != 6 {
		t.Errorf("got %v, %v", out, err)
	}
	_, err = read()
	if _, reason, _ := throttling(t, err); reason != "TableReadProvisionedThroughputExceeded" {
		t.Errorf("a batch without an admitted request: %v", err)
	}
}

// Transactions cost twice as much; one that is not admitted is cancelled, with the reason at the actions whose limits are exhausted.
func TestThroughputOfTransactions(t *testing.T) {
	e, client := limited(ddbtest.Throughput{Burst: -1})
	defer e.Close()
	create := func(name string, reads, writes int64) {
		mustCreate(t, client, provision(pairTable(name), reads, writes))
	}
	create("wide", 100, 100)
	create("narrow", 4, 4)
	n := 0
	write := func() error {
		n++
		at := item{"pk": str("p"), "sk": str(strconv.Itoa(n))}
		_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: aws.String("wide"), Item: at}}, {Put: &types.Put{TableName: aws.String("narrow"), Item: at}},
		}})
		return err
	}
	read := func() error {
		at := item{"pk": str("p"), "sk": str("1")}
		_, err := client.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: aws.String("wide"), Key: at}}, {Get: &types.Get{TableName: aws.String("narrow"), Key: at}},
		}})
		return err
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{{"writes", write}, {"reads", read}} {
		for i := range 3 {
			err := c.do()
			if i < 2 {
				if err != nil {
					t.Fatalf("%s: %d: %v", c.name, i, err)
				}
				continue
			}
			cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
			if !ok || aws.ToString(cancelled.CancellationReasons[0].Code) != "None" || aws.ToString(cancelled.CancellationReasons[1].Code) != "ProvisionedThroughputExceeded" {
				t.Errorf("%s: got %v", c.name, err)
			}
		}
	}
	if out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("wide"), Key: item{"pk": str("p"), "sk": str("3")}}); err != nil || out.Item != nil {
		t.Errorf("a cancelled transaction wrote: %v, %v", out, err)
	}
}

// UpdateTable changes the limits immediately, and expiry consumes no units.
func TestThroughputFollowsTheTable(t *testing.T) {
	e, client := limited(ddbtest.Throughput{Burst: -1})
	defer e.Close()
	mustCreate(t, client, provision(pairTable("table"), 5, 5))
	n := 0
	put := func() error {
		n++
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String("table"), Item: item{"pk": str("p"), "sk": str(strconv.Itoa(n)), "ttl": num(strconv.FormatInt(e.Clock().Now().Unix(), 10))},
		})
		return err
	}
	if got, _, _, _ := spend(t, 100, put); got != 5 {
		t.Errorf("%d were admitted", got)
	}
	if _, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("table"), ProvisionedThroughput: provisioned(5, 20)}); err != nil {
		t.Fatal(err)
	}
	e.Clock().Advance(2 * time.Second)
	_ = put()
	e.Clock().Advance(2 * time.Second)
	if got, _, _, _ := spend(t, 100, put); got != 20 {
		t.Errorf("%d were admitted after the update", got)
	}
	if _, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: aws.String("table"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)}}); err != nil {
		t.Fatal(err)
	}
	e.Clock().Advance(time.Minute)
	if got, _, _, _ := spend(t, 100, put); got != 20 {
		t.Errorf("%d were admitted after items had expired", got)
	}
}

// In every window of w seconds a limit admits at most rate x w units, its saved burst, and one request.
func TestThroughputBound(t *testing.T) {
	longtest.Checks(t, 15)
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int64Range(1, 50).Draw(t, "rate")
		burst := rapid.IntRange(0, 20).Draw(t, "burst")
		model := ddbtest.Throughput{Burst: time.Duration(burst) * time.Second}
		if burst == 0 {
			model.Burst = -1
		}
		e, client := limited(model)
		defer e.Close()
		if _, err := client.CreateTable(t.Context(), provision(pairTable("table"), rate, rate)); err != nil {
			t.Fatal(err)
		}
		type spent struct {
			at    float64
			units float64
		}
		var admitted []spent
		now, rejected := 0.0, 0
		for i := range rapid.IntRange(20, 200).Draw(t, "requests") {
			if pause := rapid.IntRange(0, 4000).Draw(t, "pause"); pause%3 == 0 {
				e.Clock().Advance(time.Duration(pause) * time.Millisecond)
				now += float64(pause) / 1000
			}
			size := rapid.IntRange(1, 9).Draw(t, "size")
			out, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: aws.String("table"), ReturnConsumedCapacity: "TOTAL",
				Item: item{"pk": str(strconv.Itoa(i)), "sk": str("s"), "d": str(strings.Repeat("x", size*1000))},
			})
			if err != nil {
				rejected++
				continue
			}
			admitted = append(admitted, spent{now, aws.ToFloat64(out.ConsumedCapacity.CapacityUnits)})
		}
		kept := float64(rate) * math.Max(1, float64(burst))
		for i := range admitted {
			sum := 0.0
			for k := i; k < len(admitted); k++ {
				if before := sum; before > float64(rate)*(admitted[k].at-admitted[i].at)+kept+1e-6 {
					t.Fatalf("%g units in %g s before another of %g, at %d a second and %g kept", before, admitted[k].at-admitted[i].at, admitted[k].units, rate, kept)
				}
				sum += admitted[k].units
			}
		}
		if rejected == 0 && now < 1 && len(admitted) > 0 {
			total := 0.0
			for _, s := range admitted {
				total += s.units
			}
			if total > float64(rate)*(now+1)+10 {
				t.Fatalf("%g units within %g s and none refused", total, now)
			}
		}
	})
}

// BenchmarkThroughput measures the cost of the limits: "off" is the same as BenchmarkGetItem.
func BenchmarkThroughput(b *testing.B) {
	for _, c := range []struct {
		name string
		opts []ddbtest.Option
	}{{"off", nil}, {"on", []ddbtest.Option{ddbtest.WithThroughput(ddbtest.Throughput{TableReadUnits: 1e12, Partitions: 1 << 20})}}} {
		b.Run(c.name, func(b *testing.B) {
			client := ddbtest.New(b, c.opts...)
			mustCreate(b, client, pairTable("bench"))
			for i := range 1000 {
				mustPut(b, client, "bench", kilobyte(i))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				k := item{"pk": str("item-" + strconv.Itoa(i%1000)), "sk": str("s")}
				if _, err := client.GetItem(b.Context(), &dynamodb.GetItemInput{TableName: aws.String("bench"), Key: k}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// All operations run at once, to test that locks are taken in one order.
func TestThroughputUnderConcurrency(t *testing.T) {
	e, client := limited(ddbtest.Throughput{})
	defer e.Close()
	for _, name := range []string{"one", "two"} {
		in := indexedTable(name)
		in.OnDemandThroughput = &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(200), MaxWriteRequestUnits: aws.Int64(200)}
		mustCreate(t, client, in)
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			at := func(i int) item {
				return item{"pk": str(strconv.Itoa(i % 7)), "sk": str("s"), "g": str(strconv.Itoa((i + worker) % 3))}
			}
			for i := range 60 {
				key := item{"pk": at(i)["pk"], "sk": str("s")}
				var err error
				switch (i + worker) % 5 {
				case 0:
					_, err = client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("one"), Item: at(i)})
				case 1:
					_, err = client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("one")})
				case 2:
					_, err = client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
						{Put: &types.Put{TableName: aws.String("two"), Item: at(i)}}, {Put: &types.Put{TableName: aws.String("one"), Item: at(i)}},
					}})
				case 3:
					_, err = client.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
						{Get: &types.Get{TableName: aws.String("one"), Key: key}}, {Get: &types.Get{TableName: aws.String("two"), Key: key}},
					}})
				default:
					e.Clock().Advance(100 * time.Millisecond)
					_, err = client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("two"), Key: key})
				}
				_, conflict := errors.AsType[*types.TransactionConflictException](err)
				if _, cancelled := errors.AsType[*types.TransactionCanceledException](err); !conflict && !cancelled {
					throttling(t, err)
				}
			}
		})
	}
	wg.Wait()
}
