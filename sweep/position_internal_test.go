// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
)

type numbered struct {
	ID int `dynamodbav:"id"`
}

var numberedID = ddb.NumField(func(n *numbered) *int { return &n.ID })

// However DynamoDB throttles, at most two segments for each worker are in progress, so that a position stays small. A run that continues with fewer workers than
// the previous one starts no segment until it has caught up. Without -long every third combination is tried, in which each value is present.
func TestBegunSegmentsAreBounded(t *testing.T) {
	items := 110
	if longtest.Enabled() {
		items = 300
	}
	for a, c := range []struct {
		name      string
		throttled func(page int) bool // once
	}{
		{"never", func(int) bool { return false }},
		{"all", func(int) bool { return true }},
		{"by chance", func(int) bool { return rand.IntN(2) == 0 }},
		{"at the start", func(n int) bool { return n < 100 }},
	} {
		for b, reason := range []string{"TableReadKeyRangeThroughputExceeded", "TableReadProvisionedThroughputExceeded"} {
			for n, workers := range [][2]int{{1, 1}, {16, 2}, {2, 16}} {
				if !longtest.Enabled() && (a+b+n)%3 != 0 {
					continue
				}
				t.Run(fmt.Sprint(c.name, " ", reason, workers), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var mu sync.Mutex
						sent := make(map[string]bool)
						e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("Scan").Where(func(r fault.Request) bool {
							mu.Lock()
							defer mu.Unlock()
							again := sent[string(r.Body)]
							sent[string(r.Body)] = true
							return !again && c.throttled(len(sent))
						}).Throttle(reason)))
						defer e.Close()
						table, err := ddb.NewSimple[numbered](e.Client(func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }), "things", numberedID)
						if err != nil {
							t.Fatal(err)
						}
						if err := table.CreateTable(t.Context()); err != nil {
							t.Fatal(err)
						}
						list := make([]numbered, items)
						for i := range list {
							list[i].ID = i
						}
						if err := table.BatchPut(t.Context(), list); err != nil {
							t.Fatal(err)
						}
						position, before, pages, seen := "", 0, 0, make(map[int]bool)
						for run, n := range workers {
							s, err := Of(table.Scan().PageSize(1), Segments(100), Workers(n)).Resume(position)
							if err != nil {
								t.Fatal(err)
							}
							for page, err := range s.Pages(t.Context()) {
								if err != nil {
									t.Fatal(err)
								}
								for _, item := range page.Items {
									seen[item.ID] = true
								}
								position = page.Position()
								at, err := parsePosition(position)
								if err != nil {
									t.Fatal(err)
								}
								if begun := len(at.cursors); begun > max(2*n, before) {
									t.Fatalf("run %d, page %d: %d segments are in progress with %d workers, after %d in the previous run", run, pages, begun, n, before)
								}
								if pages++; run == 0 && pages == 100 {
									before = len(at.cursors)
									break
								}
							}
						}
						if len(seen) != len(list) {
							t.Errorf("%d of %d items were seen", len(seen), len(list))
						}
					})
				})
			}
		}
	}
}
