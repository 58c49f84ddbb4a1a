package ddb_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	faultrule "github.com/dynamotable/ddb/ddbtest/fault"
)

// TestRowC2HotTable: a table that throttles every request all the time slows the calls on another one of the same
// client down by nothing. A rate limiter over the whole client, as the SDK's adaptive mode is, would.
func TestRowC2HotTable(t *testing.T) {
	needsEngine(t, "faults")
	const latency = 3 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithFaults(
			faultrule.On("PutItem").Table("hot").Throttle("TableWriteKeyRangeThroughputExceeded"), faultrule.On("PutItem").Table("healthy").Delay(latency),
		))
		t.Cleanup(e.Close)
		client, err := ddb.NewClient(t.Context(), ddb.WithHTTPClient(e), ddb.WithEndpoint("http://127.0.0.1:1"), ddb.WithConfig(aws.Config{
			Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		}))
		if err != nil {
			t.Fatal(err)
		}
		table := func(name string) *ddb.Table[order, customerID, orderID] {
			orders, err := ddb.New(client, name, orderCustomer, orderKey)
			if err != nil {
				t.Fatal(err)
			}
			if err := orders.CreateTable(t.Context()); err != nil {
				t.Fatal(err)
			}
			return orders
		}
		hot, healthy := table("hot"), table("healthy")
		const length = 4 * time.Second
		measure := func(besides int) (p99 time.Duration, throttled int) {
			var (
				wg    sync.WaitGroup
				mu    sync.Mutex
				times []time.Duration
			)
			start := time.Now()
			for w := range besides {
				wg.Go(func() {
					for i := 0; time.Since(start) < length; i++ {
						if hot.Put(t.Context(), &order{Customer: "c", ID: orderID(fmt.Sprint(w, "-", i))}) != nil {
							mu.Lock()
							throttled++
							mu.Unlock()
						}
						<-time.After(time.Millisecond)
					}
				})
			}
			for w := range 4 {
				wg.Go(func() {
					for i := 0; time.Since(start) < length/4; i++ {
						began := time.Now()
						if err := healthy.Put(t.Context(), &order{Customer: "c", ID: orderID(fmt.Sprint(w, "-", i))}); err != nil {
							t.Error(err)
						}
						mu.Lock()
						times = append(times, time.Since(began))
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			slices.Sort(times)
			return times[len(times)*99/100], throttled
		}
		alone, _ := measure(0)
		beside, throttled := measure(8)
		if throttled < 100 {
			t.Fatalf("only %d writes were throttled", throttled)
		}
		if beside > alone*12/10 {
			t.Errorf("the healthy table's p99 is %v beside a hot table, %v alone", beside, alone)
		}
	})
}
