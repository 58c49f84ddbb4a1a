// SPDX-License-Identifier: Apache-2.0

// Batches writes and reads many items at once while items are left unprocessed and requests are
// throttled and lost, and prints which inputs were done, not done, or unknown:
//
//	go run ./examples/batches
//
// It always runs on the embedded engine, since no other engine leaves items unprocessed on demand.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

// Reading is one measurement of a sensor.
type Reading struct {
	Sensor string `dynamodbav:"sensor"`
	Minute int    `dynamodbav:"minute"`
	Value  int64  `dynamodbav:"value"`
}

var (
	readingSensor = ddb.StrField(func(r *Reading) *string { return &r.Sensor })
	readingMinute = ddb.NumField(func(r *Reading) *int { return &r.Minute })
)

type readings = ddb.Table[Reading, string, int]

// Open returns a table on a fresh engine with fault rules. It sends one request at a
// time, so that in each run the faults occur at the same items.
func open(ctx context.Context, rules []fault.Rule, opts ...ddb.TableOption) (table *readings, done func(), err error) {
	engine := ddbtest.NewEngine(ddbtest.WithFaults(rules...))
	opts = append([]ddb.TableOption{ddb.Concurrency(1), ddb.Retry(ddb.RetryPolicy{BaseDelay: time.Millisecond})}, opts...)
	table, err = ddb.New(engine.Client(), "readings", readingSensor, readingMinute, opts...)
	if err != nil {
		return nil, nil, err
	}
	return table, engine.Close, table.CreateTable(ctx)
}

// Some returns the readings of a sensor's first n minutes.
func some(sensor string, n int) []Reading {
	list := make([]Reading, n)
	for i := range list {
		list[i] = Reading{sensor, i, int64(i * i)}
	}
	return list
}

// Holding is true for requests that contain the text.
func holding(text string) func(fault.Request) bool {
	return func(r fault.Request) bool { return bytes.Contains(r.Body, []byte(text)) }
}

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	for _, part := range []func(context.Context) error{leftovers, throttled, rejected, unknown, policy, silent, budget, reading, streams, parallel} {
		if err := part(ctx); err != nil {
			log.Fatal(err)
		}
	}
}

func show(what string, err error, stats ddb.BatchStats) {
	fmt.Printf("%-24s done %d, %d requests, %d of them retries, %.0f units\n", what, stats.Done, stats.Requests, stats.Retries, stats.Consumed.Total())
	failed, ok := errors.AsType[*ddb.BatchError](err)
	if !ok {
		return
	}
	var lost int
	for _, f := range failed.Failed {
		if f.Unknown {
			lost++
		}
	}
	first, last := failed.Failed[0], failed.Failed[len(failed.Failed)-1]
	fmt.Printf("%-24s %d of %d not confirmed: %d to %d, %d of them unknown; retryable: %v\n", "",
		len(failed.Failed), failed.Total, first.Index, last.Index, lost, ddb.IsRetryable(err))
}

// Leftovers: the library sends items again that DynamoDB left unprocessed.
func leftovers(ctx context.Context) error {
	table, done, err := open(ctx, []fault.Rule{fault.On("BatchWriteItem").Every(4).Unprocessed(10)})
	if err != nil {
		return err
	}
	defer done()
	var stats ddb.BatchStats
	err = table.BatchPut(ctx, some("cellar", 250), ddb.StatsTo(&stats))
	show("10 items unprocessed:", err, stats)
	return err
}

// Throttled: every second request is refused for lack of capacity, and sent again.
func throttled(ctx context.Context) error {
	table, done, err := open(ctx, []fault.Rule{fault.On("BatchWriteItem").Every(2).Throttle()})
	if err != nil {
		return err
	}
	defer done()
	var stats ddb.BatchStats
	err = table.BatchPut(ctx, some("attic", 250), ddb.StatsTo(&stats))
	show("every second throttled:", err, stats)
	return err
}

// Refused: one request is refused permanently; the items of the others are written.
func rejected(ctx context.Context) error {
	tooLarge := fault.On("BatchWriteItem").Where(holding(`{"N":"40"}`)).First(1).Error("ItemCollectionSizeLimitExceededException", "Collection size exceeded.")
	table, done, err := open(ctx, []fault.Rule{tooLarge})
	if err != nil {
		return err
	}
	defer done()
	list := some("roof", 100)
	var stats ddb.BatchStats
	err = table.BatchPut(ctx, list, ddb.StatsTo(&stats))
	show("one request refused:", err, stats)
	failed, ok := errors.AsType[*ddb.BatchError](err)
	if !ok {
		return errors.New("the batch should have failed in part")
	}
	err = table.BatchPut(ctx, ddberr.Pick(list, failed.Puts()), ddb.StatsTo(&stats))
	show("the refused items again:", err, stats)
	return err
}

// Unknown: no reply ever comes for one request, so its outcome stays unknown.
func unknown(ctx context.Context) error {
	table, done, err := open(ctx, []fault.Rule{fault.On("BatchWriteItem").Where(holding(`{"N":"40"}`)).DropReply()})
	if err != nil {
		return err
	}
	defer done()
	var stats ddb.BatchStats
	err = table.BatchPut(ctx, some("yard", 100), ddb.StatsTo(&stats))
	show("replies lost:", err, stats)
	n, err := table.Query("yard").Consistent().Count(ctx)
	fmt.Printf("%-24s %d are in the table\n", "", n)
	return err
}

// Reading: got[i] belongs to keys[i], even if items are missing or requested twice.
func reading(ctx context.Context) error {
	table, done, err := open(ctx, []fault.Rule{fault.On("BatchGetItem").Nth(1).Unprocessed(30)})
	if err != nil {
		return err
	}
	defer done()
	if err := table.BatchWrite(ctx, some("hall", 200), []ddb.Key[string, int]{table.Key("old", 1)}); err != nil {
		return err
	}
	var keys []ddb.Key[string, int]
	for i := range 150 {
		keys = append(keys, table.Key("hall", 3*i%250)) // some keys are duplicates, some items are missing
	}
	var stats ddb.BatchStats
	got, err := table.BatchGet(ctx, keys, ddb.Consistent(), ddb.StatsTo(&stats))
	show("BatchGet, 30 left out:", err, stats)
	found, right := 0, true
	for i, g := range got {
		if g.Found {
			found++
			right = right && g.Item.Minute == keys[i].Sort
		}
	}
	fmt.Printf("%-24s %d keys, %d found, each at its index: %t\n", "", len(keys), found, right)
	return err
}

// Streams: any number of items in constant memory.
func streams(ctx context.Context) error {
	table, done, err := open(ctx, []fault.Rule{fault.On("BatchWriteItem").Nth(7).Unprocessed(20)})
	if err != nil {
		return err
	}
	defer done()
	many := func(yield func(Reading) bool) {
		for i := range 5000 {
			if !yield(Reading{"gate", i, 1}) {
				return
			}
		}
	}
	var stats ddb.BatchStats
	err = table.BatchPutAll(ctx, many, ddb.StatsTo(&stats))
	show("BatchPutAll:", err, stats)
	sum := int64(0)
	for got, err := range table.BatchGetAll(ctx, everyTenth(table, 5000), ddb.StatsTo(&stats)) {
		if err != nil {
			return err
		}
		sum += got.Item.Value
	}
	show("BatchGetAll:", nil, stats)
	fmt.Printf("%-24s the sum of their values is %d\n", "", sum)
	return err
}

func everyTenth(table *readings, n int) iter.Seq[ddb.Key[string, int]] {
	return func(yield func(ddb.Key[string, int]) bool) {
		for i := 0; i < n; i += 10 {
			if !yield(table.Key("gate", i)) {
				return
			}
		}
	}
}

// Parallel: all parts of a table at the same time, in no particular order.
func parallel(ctx context.Context) error {
	table, done, err := open(ctx, nil, ddb.Concurrency(4))
	if err != nil {
		return err
	}
	defer done()
	if err := table.BatchPut(ctx, some("a", 300)); err != nil {
		return err
	}
	if err := table.BatchPut(ctx, some("b", 300)); err != nil {
		return err
	}
	items, sum := 0, int64(0)
	for r, err := range table.Scan().Parallel(4).All(ctx) {
		if err != nil {
			return err
		}
		items, sum = items+1, sum+r.Value
	}
	fmt.Printf("%-24s %d items, sum of values %d\n", "parallel scan, 4 parts:", items, sum)
	return nil
}
