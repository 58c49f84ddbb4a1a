// SPDX-License-Identifier: Apache-2.0

// Telemetry reports a few calls to OpenTelemetry's exporters for standard output, and
// logs them: spans as they end, metrics at the end. It runs on the embedded engine, or
// on the endpoint in DYNAMODB_ENDPOINT:
//
//	go run ./examples/telemetry
//
// It is a separate module because of the exporters. Times are omitted, and increasing numbers
// replace random ids, so that the output is the same each time.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/telemetry"
)

// Reading is a measurement of a sensor.
type Reading struct {
	Sensor string  `dynamodbav:"sensor"`
	At     int64   `dynamodbav:"at"`
	Value  float64 `dynamodbav:"value"`
}

var (
	readingSensor = ddb.StrField(func(r *Reading) *string { return &r.Sensor })
	readingAt     = ddb.NumField(func(r *Reading) *int64 { return &r.At })
	readingValue  = ddb.NumField(func(r *Reading) *float64 { return &r.Value })
)

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	err := run(context.Background(), client)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client ddb.Client) error {
	tracer, meter, err := providers()
	if err != nil {
		return err
	}
	end, err := telemetry.Start(telemetry.WithTracerProvider(tracer), telemetry.WithMeterProvider(meter))
	if err != nil {
		return err
	}
	// The same requests in the log of the program.
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutTimes}))
	defer hooks.Add(hooks.LogCalls(logger, 0))()

	readings, err := ddb.New(client, "readings", readingSensor, readingAt)
	if err != nil {
		return err
	}
	if err := readings.EnsureTable(ctx); err != nil {
		return err
	}
	if err := work(ddb.WithLabel(ctx, "nightly report"), readings); err != nil {
		return err
	}
	fmt.Println("metrics:")
	return errors.Join(meter.Shutdown(ctx), end(), tracer.Shutdown(ctx))
}

// work makes the calls that are traced.
func work(ctx context.Context, readings *ddb.Table[Reading, string, int64]) error {
	var list []Reading
	for i := range int64(40) {
		list = append(list, Reading{Sensor: "roof", At: i, Value: float64(i) / 2})
	}
	if err := readings.BatchPut(ctx, list[:25]); err != nil {
		return err
	}
	if err := readings.Create(ctx, &list[0]); !errors.Is(err, ddb.ErrConditionFailed) {
		return fmt.Errorf("a reading that is there was created: %w", err)
	}
	hot, err := readings.Query("roof").Filter(readingValue.Gt(10)).Descending().Collect(ctx)
	if err != nil {
		return err
	}
	fmt.Println(len(hot), "hot readings")
	return nil
}

// providers returns providers that write to standard output, in the same way each time.
func providers() (*trace.TracerProvider, *metric.MeterProvider, error) {
	spans, err := stdouttrace.New(stdouttrace.WithoutTimestamps())
	if err != nil {
		return nil, nil, err
	}
	numbers, err := stdoutmetric.New(stdoutmetric.WithEncoder(sorted{}))
	if err != nil {
		return nil, nil, err
	}
	service := resource.NewSchemaless(attribute.String("service.name", "readings"))
	tracer := trace.NewTracerProvider(trace.WithSyncer(spans), trace.WithResource(service), trace.WithIDGenerator(new(counter)))
	meter := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(numbers)), metric.WithResource(service),
		metric.WithView(metric.NewView(metric.Instrument{Name: "db.client.operation.duration"}, metric.Stream{Aggregation: metric.AggregationDrop{}})))
	return tracer, meter, nil
}

// sorted prints each number of each metric on a line, in the order of the text.
type sorted struct{}

func (sorted) Encode(v any) error {
	all, ok := v.(*metricdata.ResourceMetrics)
	if !ok {
		return fmt.Errorf("a %T instead of metrics", v)
	}
	var lines []string
	add := func(name string, at attribute.Set, value any) {
		lines = append(lines, fmt.Sprintf("%s{%s} %v", name, at.Encoded(attribute.DefaultEncoder()), value))
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Sum[float64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Histogram[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, fmt.Sprintf("%d in %d", p.Sum, p.Count))
				}
			}
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Println(line)
	}
	return nil
}

// counter generates ids that are the same each time.
type counter struct{ n atomic.Uint64 }

func (c *counter) NewIDs(ctx context.Context) (t api.TraceID, s api.SpanID) {
	binary.BigEndian.PutUint64(t[8:], c.n.Add(1))
	return t, c.NewSpanID(ctx, t)
}

func (c *counter) NewSpanID(context.Context, api.TraceID) (s api.SpanID) {
	binary.BigEndian.PutUint64(s[:], c.n.Add(1))
	return s
}

func withoutTimes(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "duration" {
		return slog.Attr{}
	}
	return a
}
