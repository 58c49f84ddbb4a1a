// SPDX-License-Identifier: Apache-2.0

package sweep_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/sweep"
)

// Row is an item of a table whose partition keys have very different numbers of items.
type Row struct {
	PK   string `dynamodbav:"pk"`
	SK   int    `dynamodbav:"sk"`
	Kind string `dynamodbav:"kind"`
}

var (
	rowPK   = ddb.StrField(func(r *Row) *string { return &r.PK })
	rowSK   = ddb.NumField(func(r *Row) *int { return &r.SK })
	rowKind = ddb.StrField(func(r *Row) *string { return &r.Kind })
)

// The interval of an estimate contains the true count about as often as it claims, even if partition keys differ in size, and the cost is
// the share of the scan.
func TestSampleIntervalCoverage(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	table, err := ddb.New[Row](e.Client(func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }), "rows", rowPK, rowSK, ddb.WithLedger(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	var list []Row
	truth, keys := 0, 3000
	for k := range keys {
		for i := range 1 + k%7*(k%3) { // 1 to 13
			kind := "common"
			if (k+i)%5 == 0 {
				kind = "rare"
				truth++
			}
			list = append(list, Row{fmt.Sprint("key", k), i, kind})
		}
	}
	if err := table.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	draws, least := 20, 70 // percent; of few draws more may miss
	if long() {
		draws, least = 60, 85
	}
	held, width := 0, 0.0
	for range draws {
		got, err := sweep.Sample(t.Context(), table.Scan().Filter(rowKind.Eq("rare")).Project(rowKind), 0.05)
		if err != nil {
			t.Fatal(err)
		}
		if got.Low <= float64(truth) && float64(truth) <= got.High {
			held++
		}
		width += (got.High - got.Low) / float64(draws)
		if math.Abs(got.Scanned-float64(len(list))) > 0.3*float64(len(list)) || got.Exact || got.Sampled != 100 || got.Skew < 1.2 || got.Skew > 10 {
			t.Errorf("%d items, of which %d: %v", len(list), truth, got)
		}
		if most := 1.4 * float64(len(list)*got.Sampled) / float64(got.Segments); float64(got.Read) > most {
			t.Errorf("%d items were read: %v", got.Read, got)
		}
	}
	t.Logf("%d of %d, %d intervals of %d contain it, their mean width is %.0f", truth, len(list), held, draws, width)
	if held < draws*least/100 || width > 0.5*float64(truth) {
		t.Errorf("%d of %d intervals contain the true count, %d; their mean width is %.0f", held, draws, truth, width)
	}
	if got, err := sweep.Sample(t.Context(), table.Scan().Filter(rowKind.Eq("none")), 0.05); err != nil || got.Count != 0 || got.Low != 0 || got.High < 100 || got.High > 2000 {
		t.Errorf("an estimate for items that do not exist: %v, %v", got, err)
	}
}

// A small table is read completely and counted exactly. Units and progress include all requests.
func TestSampleOfSmallTables(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	table := newThings(t, e)
	if got, err := sweep.Sample(t.Context(), table.Scan(), 0.01); err != nil || got.Count != 0 {
		t.Errorf("an estimate for an empty table: %v, %v", got, err)
	}
	filled(t, table, items, 10)
	got, err := sweep.Sample(t.Context(), table.Scan().Filter(thingKind.Eq("odd")).PageSize(7), 0.01)
	if err != nil || !got.Exact || got.Count != items/2 || got.Low != items/2 || got.High != items/2 || got.Scanned != items || got.Spent.ReadUnits == 0 ||
		got.WholeUnits != got.Spent.ReadUnits {
		t.Errorf("got %v, %v", got, err)
	}
}
