// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	api "go.opentelemetry.io/otel/trace"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/telemetry"
)

type sale struct {
	Shop  string `dynamodbav:"shop"`
	ID    string `dynamodbav:"id"`
	Sum   int    `dynamodbav:"sum"`
	State string `dynamodbav:"state"`
}

var (
	saleShop  = ddb.StrField(func(s *sale) *string { return &s.Shop })
	saleID    = ddb.StrField(func(s *sale) *string { return &s.ID })
	saleSum   = ddb.NumField(func(s *sale) *int { return &s.Sum })
	saleState = ddb.StrField(func(s *sale) *string { return &s.State })
)

// reported has all exported metrics and spans.
type reported struct {
	spans  *tracetest.SpanRecorder
	tracer *trace.TracerProvider
	reader *metric.ManualReader
	meter  *metric.MeterProvider
}

func newReported(t *testing.T) *reported {
	r := &reported{spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	r.tracer = trace.NewTracerProvider(trace.WithSpanProcessor(r.spans))
	r.meter = metric.NewMeterProvider(metric.WithReader(r.reader))
	t.Cleanup(func() {
		if err := errors.Join(r.tracer.Shutdown(context.Background()), r.meter.Shutdown(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *reported) options() []telemetry.Option {
	return []telemetry.Option{telemetry.WithTracerProvider(r.tracer), telemetry.WithMeterProvider(r.meter)}
}

// metrics returns the values by name and attributes.
func (r *reported) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	numbers := map[string]float64{}
	put := func(name string, set attribute.Set, n float64) {
		set, _ = set.Filter(func(kv attribute.KeyValue) bool { return kv.Key != "db.system.name" })
		numbers[name+"{"+set.Encoded(attribute.DefaultEncoder())+"}"] = n
	}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					put(m.Name, p.Attributes, float64(p.Value))
				}
			case metricdata.Sum[float64]:
				for _, p := range d.DataPoints {
					put(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					put(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Histogram[int64]:
				for _, p := range d.DataPoints {
					put(m.Name, p.Attributes, float64(p.Sum))
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					put(m.Name, p.Attributes, float64(p.Count)) // durations differ
				}
			default:
				t.Errorf("%s is a %T", m.Name, m.Data)
			}
		}
	}
	return numbers
}

func attributesOf(s trace.ReadOnlySpan) map[string]any {
	all := map[string]any{}
	for _, kv := range s.Attributes() {
		all[string(kv.Key)] = kv.Value.AsInterface()
	}
	return all
}

func TestTelemetry(t *testing.T) {
	engine := ddbtest.NewEngine(ddbtest.WithFaults(
		fault.On("GetItem").Nth(1).Throttle("TableReadKeyRangeThroughputExceeded"),
	))
	t.Cleanup(engine.Close)
	var (
		r      = newReported(t)
		ledger = cost.NewLedger()
		client = engine.Client()
	)
	stop, err := telemetry.Start(append(r.options(), telemetry.WithLedger(ledger))...)
	if err != nil {
		t.Fatal(err)
	}
	sales, err := ddb.New(client, "sales", saleShop, saleID, ddb.WithLedger(ledger))
	if err != nil {
		t.Fatal(err)
	}
	byState, err := ddb.NewIndex(sales, "by-state", saleState, saleSum)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ddb.New(client, "other", saleShop, saleID, ddb.WithLedger(ledger))
	if err != nil {
		t.Fatal(err)
	}
	ctx, parent := r.tracer.Tracer("test").Start(ddb.WithLabel(t.Context(), "job"), "parent")
	for _, err := range []error{sales.CreateTable(ctx), other.CreateTable(ctx)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	item := sale{Shop: "canary-shop", ID: "canary-1", Sum: 3, State: "canary-state"}
	steps := []error{
		sales.BatchPut(ctx, []sale{item, {Shop: "canary-shop", ID: "canary-2", State: "canary-state"}}),
		second(sales.Get(ctx, "canary-shop", "canary-1")),
		second(sales.Query("canary-shop").Filter(saleSum.Gt(1)).Descending().PageSize(10).Collect(ctx)),
		second(byState.Query("canary-state").Project(saleSum).Collect(ctx)),
		ddb.Transact(ctx, client, sales.TxPut(&item), other.TxPut(&item)),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	if err := sales.Create(ctx, &item); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Fatal(err)
	}
	missing, err := ddb.New(client, "missing", saleShop, saleID, ddb.WithLedger(ledger))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := missing.Get(ctx, "canary-shop", "canary-1"); !errors.Is(err, ddb.ErrTableNotFound) {
		t.Fatal(err)
	}
	parent.End()

	type span struct {
		Name   string
		Status codes.Code
		Attrs  map[string]any
	}
	base := func(op string, more map[string]any) map[string]any {
		all := map[string]any{
			"db.system.name": "aws.dynamodb", "db.operation.name": op, "ddb.label": "job", "ddb.attempts": int64(1),
			"db.collection.name": "sales", "aws.dynamodb.table_names": []string{"sales"},
		}
		for k, v := range more {
			if all[k] = v; v == nil {
				delete(all, k)
			}
		}
		return all
	}
	want := []span{
		{"BatchWriteItem sales", codes.Unset, base("BatchWriteItem", map[string]any{
			"db.operation.batch.size": int64(2),
			"aws.dynamodb.consumed_capacity": []string{
				`{"TableName":"sales","CapacityUnits":2,"WriteCapacityUnits":2}`,
				`{"TableName":"sales","IndexName":"by-state","CapacityUnits":2,"WriteCapacityUnits":2}`,
			},
		})},
		{"GetItem sales", codes.Unset, base("GetItem", map[string]any{
			"ddb.attempts": int64(2), "ddb.throttling.reasons": []string{"TableReadKeyRangeThroughputExceeded"},
			"aws.dynamodb.consistent_read": false, "db.response.returned_rows": int64(1),
			"aws.dynamodb.consumed_capacity": []string{`{"TableName":"sales","CapacityUnits":0.5,"ReadCapacityUnits":0.5}`},
		})},
		{"Query sales", codes.Unset, base("Query", map[string]any{
			"aws.dynamodb.consistent_read": false, "aws.dynamodb.limit": int64(10), "aws.dynamodb.scan_forward": false,
			"aws.dynamodb.count": int64(1), "aws.dynamodb.scanned_count": int64(2), "db.response.returned_rows": int64(1),
			"aws.dynamodb.consumed_capacity": []string{`{"TableName":"sales","CapacityUnits":0.5,"ReadCapacityUnits":0.5}`},
		})},
		{"Query sales", codes.Unset, base("Query", map[string]any{
			"aws.dynamodb.index_name": "by-state", "aws.dynamodb.consistent_read": false, "aws.dynamodb.scan_forward": true,
			"aws.dynamodb.count": int64(2), "aws.dynamodb.scanned_count": int64(2), "db.response.returned_rows": int64(2),
			"aws.dynamodb.projection":        "sum, shop, id, state",
			"aws.dynamodb.consumed_capacity": []string{`{"TableName":"sales","IndexName":"by-state","CapacityUnits":0.5,"ReadCapacityUnits":0.5}`},
		})},
		{"TransactWriteItems", codes.Unset, base("TransactWriteItems", map[string]any{
			"db.collection.name": nil, "aws.dynamodb.table_names": []string{"sales", "other"}, "db.operation.batch.size": int64(2),
		})},
		{"PutItem sales", codes.Unset, base("PutItem", map[string]any{
			"error.type": "ConditionalCheckFailedException", "db.response.status_code": "ConditionalCheckFailedException",
		})},
		{"GetItem missing", codes.Error, base("GetItem", map[string]any{
			"db.collection.name": "missing", "aws.dynamodb.table_names": []string{"missing"}, "aws.dynamodb.consistent_read": false,
			"error.type": "ResourceNotFoundException", "db.response.status_code": "ResourceNotFoundException",
		})},
	}
	var got []span
	for _, s := range r.spans.Ended() {
		if s.Name() == "parent" {
			continue
		}
		if s.SpanKind() != api.SpanKindClient || s.Parent().SpanID() != parent.SpanContext().SpanID() {
			t.Errorf("%s: kind %v, parent %v", s.Name(), s.SpanKind(), s.Parent().SpanID())
		}
		attrs := attributesOf(s)
		if s.Name() == "TransactWriteItems" {
			delete(attrs, "aws.dynamodb.consumed_capacity") // in the order of a map
		}
		got = append(got, span{s.Name(), s.Status().Code, attrs})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}

	numbers := r.metrics(t)
	for name, n := range map[string]float64{
		"db.client.operation.duration{db.collection.name=sales,db.operation.name=GetItem}":                                                   1,
		"db.client.operation.duration{db.collection.name=missing,db.operation.name=GetItem,error.type=ResourceNotFoundException}":            1,
		"db.client.response.returned_rows{aws.dynamodb.index_name=by-state,db.collection.name=sales,db.operation.name=Query}":                2,
		"ddb.client.scanned_items{db.collection.name=sales,db.operation.name=Query}":                                                         2,
		"ddb.client.batch.size{db.collection.name=sales,db.operation.name=BatchWriteItem}":                                                   2,
		"ddb.client.retries{db.collection.name=sales,db.operation.name=GetItem}":                                                             1,
		"ddb.client.throttles{db.collection.name=sales,db.operation.name=GetItem,ddb.throttling.reason=TableReadKeyRangeThroughputExceeded}": 1,
		"ddb.client.paths{db.collection.name=sales,db.operation.name=PutItem,ddb.path=fast}":                                                 1,
		"ddb.ledger.read_units{aws.dynamodb.index_name=by-state,db.collection.name=sales,db.operation.name=Query,ddb.label=job}":             0.5,
		"ddb.ledger.write_units{aws.dynamodb.index_name=by-state,db.collection.name=sales,db.operation.name=BatchWriteItem,ddb.label=job}":   2,
		"ddb.ledger.operations{db.collection.name=sales,db.operation.name=PutItem,ddb.label=job}":                                            1,
	} {
		if numbers[name] != n {
			t.Errorf("%s is %g, want %g", name, numbers[name], n)
		}
	}
	for name := range numbers {
		if strings.Contains(name, "canary") {
			t.Errorf("data in a metric: %s", name)
		}
	}
	for _, s := range r.spans.Ended() {
		if strings.Contains(fmt.Sprint(s.Name(), s.Attributes(), s.Status(), s.Events()), "canary") {
			t.Errorf("data in a span: %v", s)
		}
	}

	if err := stop(); err != nil {
		t.Fatal(err)
	}
	before := len(r.spans.Ended())
	if _, err := sales.Get(t.Context(), "canary-shop", "canary-1"); err != nil {
		t.Fatal(err)
	}
	if len(r.spans.Ended()) != before {
		t.Error("a span after stop")
	}
	if slices.ContainsFunc(sortedNames(r.metrics(t)), func(name string) bool { return strings.HasPrefix(name, "ddb.ledger.") }) {
		t.Error("the ledger was reported after stop")
	}
}

// TestTelemetryIsBounded: the number of metrics is limited, however many tables there are.
func TestTelemetryIsBounded(t *testing.T) {
	r := newReported(t)
	hook, err := telemetry.New(r.options()...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		call := &hooks.Call{Operation: "GetItem", Table: fmt.Sprint("table-", i), Items: 1, Attempts: 1}
		hook.End(hook.Begin(t.Context(), call), call)
	}
	numbers := r.metrics(t)
	var sum float64
	n := 0
	for name, calls := range numbers {
		if strings.HasPrefix(name, "db.client.operation.duration{") {
			n++
			sum += calls
		}
	}
	if n > 1001 || sum != 5000 || numbers["db.client.operation.duration{db.collection.name=other,db.operation.name=GetItem}"] < 3999 {
		t.Errorf("%d combinations, %g calls in total", n, sum)
	}
}

func second[T any](_ T, err error) error { return err }

func sortedNames(m map[string]float64) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// TestFailureMetrics: unknown outcomes and requests refused by a budget are counted by operation and table.
func TestFailureMetrics(t *testing.T) {
	r := newReported(t)
	hook, err := telemetry.New(r.options()...)
	if err != nil {
		t.Fatal(err)
	}
	failures, ok := hook.(hooks.FailureHook)
	if !ok {
		t.Fatal("the hook is not a FailureHook")
	}
	unknown := &hooks.Failure{Operation: "PutItem", Table: "sales", Items: 1, Err: fmt.Errorf("put: %w", ddb.ErrOutcomeUnknown)}
	failures.Failed(t.Context(), unknown)
	failures.Failed(t.Context(), unknown)
	failures.Failed(t.Context(), &hooks.Failure{Operation: "Query", Table: "sales", Index: "by-day", Err: &cost.BudgetExceeded{}})
	got := r.metrics(t)
	for name, want := range map[string]float64{
		"ddb.client.unknown_outcomes{db.collection.name=sales,db.operation.name=PutItem}":                         2,
		"ddb.client.over_budget{aws.dynamodb.index_name=by-day,db.collection.name=sales,db.operation.name=Query}": 1,
	} {
		if got[name] != want {
			t.Errorf("%s is %g, want %g; metrics: %v", name, got[name], want, got)
		}
	}
}

// TestProgressMetrics: the long calls of a tracker are reported by name, until telemetry stops.
func TestProgressMetrics(t *testing.T) {
	r := newReported(t)
	tracker := progress.NewTracker()
	stop, err := telemetry.Start(append(r.options(), telemetry.WithProgress(tracker), telemetry.WithProgress(nil))...)
	if err != nil {
		t.Fatal(err)
	}
	client, closeEngine := ddbtest.Open()
	defer closeEngine()
	type item struct {
		ID string `dynamodbav:"id"`
	}
	table, err := ddb.NewSimple(client, "imported", ddb.StrField(func(i *item) *string { return &i.ID }))
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := tracker.With(t.Context())
	for _, n := range []int{1, 3} { // the second run is reported
		items := make([]item, n)
		for i := range items {
			items[i].ID = fmt.Sprint(i)
		}
		if err := table.BatchPut(progress.Named(ctx, "import"), items); err != nil {
			t.Fatal(err)
		}
	}
	got := r.metrics(t)
	for name, want := range map[string]float64{
		"ddb.job.items{ddb.job=import}":                    3,
		"ddb.job.share{ddb.job=import}":                    1,
		"ddb.job.write_units{ddb.job=import}":              3,
		"ddb.job.read_units{ddb.job=import}":               0,
		"ddb.job.state{ddb.job=import,ddb.job.state=done}": 1,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s is %g, want %g", name, value, want)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.metrics(t)["ddb.job.items{ddb.job=import}"]; ok {
		t.Error("it was reported after stop")
	}
}
