package ddb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// Metric is one number of a series.
type Metric struct {
	Series string `dynamodbav:"series"`
	Minute int    `dynamodbav:"minute"`
	Note   string `dynamodbav:"note"`
}

var (
	metricSeries = ddb.StrField(func(m *Metric) *string { return &m.Series })
	metricMinute = ddb.NumField(func(m *Metric) *int { return &m.Minute })
	metricNote   = ddb.StrField(func(m *Metric) *string { return &m.Note })
)

// openMetrics is a table with 200 items of 1 KB in one partition.
func openMetrics(opts ...ddb.TableOption) (*ddb.Table[Metric, string, int], func()) {
	engine := ddbtest.NewEngine()
	metrics, err := ddb.New(engine.Client(), "metrics", metricSeries, metricMinute, opts...)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := metrics.EnsureTable(ctx); err != nil {
		panic(err)
	}
	list := make([]Metric, 200)
	for i := range list {
		list[i] = Metric{"load", i, fmt.Sprintf("%980d", i)}
	}
	if err := metrics.BatchPut(ctx, list); err != nil {
		panic(err)
	}
	return metrics, engine.Close
}

func ExampleExplain() {
	metrics, stop := openMetrics()
	defer stop()
	plan, err := ddb.Explain(context.Background(), func(ctx context.Context) error {
		_, err := metrics.Query("load").SortKey(ddb.Ge(100)).Filter(metricNote.Contains("7")).PageSize(50).Page(ctx)
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(plan)
	// Output:
	// Query          metrics
	// key condition  series = ? AND minute >= ?
	// filter         contains(note, ?) (billed, then dropped)
	// page size      50
	// read units     0.5 to 8 (eventually consistent)
	// assuming       items have at most 1280 bytes: a quarter more than the largest of 200 items seen, which had at most 1024 on average
	// assuming       what the filter drops is billed all the same
}

func ExampleBudget() {
	metrics, stop := openMetrics()
	defer stop()
	budget := ddb.NewBudget(ddb.Limits{ReadUnits: 10})
	ctx := ddb.WithBudget(context.Background(), budget)
	var (
		n        int
		exceeded *ddb.BudgetExceeded
	)
	for _, err := range metrics.Query("load").PageSize(20).All(ctx) {
		if errors.As(err, &exceeded) {
			fmt.Println(exceeded)
			break
		}
		n++
	}
	fmt.Println(n, "items read;", budget.Spent().ReadUnits, "units spent")

	// Later, with a new budget: on from where it stopped.
	cursor, err := metrics.ParseCursor(exceeded.Cursor)
	if err != nil {
		fmt.Println(err)
	}
	rest, err := metrics.Query("load").After(cursor).Collect(context.Background())
	fmt.Println(len(rest), "items left,", err)
	// Output:
	// budget exceeded: 10 of 10 read units are spent, and the next request costs more than what is left
	// 80 items read; 10 units spent
	// 120 items left, <nil>
}

func ExampleBudget_meter() {
	metrics, stop := openMetrics()
	defer stop()
	meter := ddb.NewBudget(ddb.Limits{}) // without limits
	ctx := ddb.WithBudget(context.Background(), meter)
	_, _ = metrics.Get(ctx, "load", 1)
	_ = metrics.Put(ctx, &Metric{Series: "load", Minute: 300})
	_, _ = metrics.Query("load").Limit(100).Collect(ctx)
	fmt.Printf("%+v\n", meter.Spent())
	// Output:
	// {ReadUnits:13 WriteUnits:1 Items:102 Requests:3}
}

func ExampleHotKeys() {
	hot := ddb.NewHotKeys(100, time.Minute)
	metrics, stop := openMetrics(ddb.WithHook(hot))
	defer stop()
	ctx := context.Background()
	for i := range 50 {
		_, _ = metrics.Get(ctx, fmt.Sprint("series-", i), 1)
	}
	suspect, _ := metrics.PartitionHash("load")
	for _, k := range hot.Top(1) {
		fmt.Printf("%s: %.0f %% of all units, the one that was suspected: %v\n", k.Table, 100*k.Share, k.Partition == suspect)
	}
	// Output:
	// metrics: 89 % of all units, the one that was suspected: true
}

func ExampleLogCalls() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "duration" {
				return slog.Attr{} // so that the example prints the same each time
			}
			return a
		},
	}))
	metrics, stop := openMetrics()
	defer stop()
	defer ddb.AddHook(ddb.LogCalls(logger, 50*time.Millisecond))()
	_, _ = metrics.Get(ddb.WithLabel(context.Background(), "nightly"), "load", 7)
	// Output:
	// level=DEBUG msg="DynamoDB GetItem" operation=GetItem table=metrics label=nightly attempts=1 items=1 returned=1 read_units=0.5 write_units=0
}

func ExampleLedger_Snapshot() {
	ledger := ddb.NewLedger()
	metrics, stop := openMetrics(ddb.WithLedger(ledger))
	defer stop()
	before := ledger.Snapshot()
	_, _ = metrics.Query("load").Limit(100).Collect(ddb.WithLabel(context.Background(), "report"))
	_, _ = metrics.Get(context.Background(), "load", 7)
	for _, e := range ledger.Snapshot().Sub(before).Top(2).Entries {
		fmt.Printf("%s %q: %g units in %d\n", e.Operation, e.Label, e.Total(), e.Operations)
	}
	// Output:
	// Query "report": 12.5 units in 1
	// GetItem "": 0.5 units in 1
}

func ExampleLedger() {
	ledger := ddb.NewLedger() // usually given to tables: ddb.WithLedger(ledger)
	ledger.Record("orders", "", "PutItem", 0, 1)
	start := ledger.Snapshot()

	ledger.Record("orders", "byStatus", "Query", 2.5, 0)
	ledger.Record("stock", "", "GetItem", 0.5, 0)

	delta := ledger.Snapshot().Sub(start)
	fmt.Println("units:", delta.Total(), "operations:", delta.Operations())
	for _, e := range delta.ByTable().Top(1).Entries {
		fmt.Println("most:", e.Table, e.Total())
	}
	// Output:
	// units: 3 operations: 2
	// most: orders 2.5
}
