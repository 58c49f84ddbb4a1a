// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
)

const (
	labelKey    = attribute.Key("ddb.label")
	attemptsKey = attribute.Key("ddb.attempts")
	reasonKey   = attribute.Key("ddb.throttling.reason")
	pathKey     = attribute.Key("ddb.path")
	pathWhyKey  = attribute.Key("ddb.path.reason")
	reasonsKey  = attribute.Key("ddb.throttling.reasons")
)

const (
	maxSets   = 1000 // within the limit that the SDK itself has by default
	otherName = "other"
)

type instruments struct {
	duration metric.Float64Histogram
	returned metric.Int64Histogram
	scanned  metric.Int64Counter
	batch    metric.Int64Histogram
	retries  metric.Int64Counter
	throttle metric.Int64Counter
	paths    metric.Int64Counter
	unknown  metric.Int64Counter
	rejected metric.Int64Counter

	sets  sync.Map // setKey to metric.MeasurementOption
	nSets atomic.Int64
}

// setKey is a combination of attributes of which the instruments keep the set.
type setKey struct{ operation, table, index, errorType, reason, path string }

func newInstruments(m metric.Meter) (*instruments, error) {
	var (
		i    = new(instruments)
		errs [9]error
	)
	i.duration, errs[0] = m.Float64Histogram("db.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of database client operations."),
		metric.WithExplicitBucketBoundaries(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 10))
	i.returned, errs[1] = m.Int64Histogram("db.client.response.returned_rows", metric.WithUnit("{row}"),
		metric.WithDescription("Items that the reply held."),
		metric.WithExplicitBucketBoundaries(0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000))
	i.scanned, errs[2] = m.Int64Counter("ddb.client.scanned_items", metric.WithUnit("{item}"),
		metric.WithDescription("Items that queries and scans read, and that are billed, before the filter."))
	i.batch, errs[3] = m.Int64Histogram("ddb.client.batch.size", metric.WithUnit("{item}"),
		metric.WithDescription("Items of a batch or transaction request."),
		metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 25, 50, 100))
	i.retries, errs[4] = m.Int64Counter("ddb.client.retries", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts after the first of the same request."))
	i.throttle, errs[5] = m.Int64Counter("ddb.client.throttles", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts that were refused for lack of capacity."))
	i.paths, errs[6] = m.Int64Counter("ddb.client.paths", metric.WithUnit("{request}"),
		metric.WithDescription("Requests by the path that their items took."))
	i.unknown, errs[7] = m.Int64Counter("ddb.client.unknown_outcomes", metric.WithUnit("{call}"),
		metric.WithDescription("Writes that ended with an unknown outcome."))
	i.rejected, errs[8] = m.Int64Counter("ddb.client.over_budget", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that a budget did not allow, and that were not sent."))
	return i, errors.Join(errs[:]...)
}

// record measures a request that has ended.
func (i *instruments) record(ctx context.Context, call *hooks.Call) {
	at := setKey{operation: call.Operation, table: call.Table, index: call.Index}
	failed := at
	failed.errorType = call.ErrorType()
	i.duration.Record(ctx, call.Duration.Seconds(), i.set(failed))
	here := i.set(at)
	if !call.Write && call.Err == nil {
		i.returned.Record(ctx, int64(call.Returned), here)
	}
	if call.Scanned > 0 {
		i.scanned.Add(ctx, int64(call.Scanned), here)
	}
	if call.Path != "" {
		path := at
		path.path = string(call.Path)
		i.paths.Add(ctx, 1, i.set(path))
	}
	if isBatch(call) {
		i.batch.Record(ctx, int64(call.Items), here)
	}
	if call.Attempts > 1 {
		i.retries.Add(ctx, int64(call.Attempts-1), here)
	}
	for _, r := range call.Throttled {
		throttled := at
		throttled.reason = r.Reason
		if r.Reason == "" {
			throttled.reason = "unstated"
		}
		i.throttle.Add(ctx, 1, i.set(throttled))
	}
}

// failed measures what no request shows.
func (i *instruments) failed(ctx context.Context, f *hooks.Failure) {
	here := i.set(setKey{operation: f.Operation, table: f.Table, index: f.Index})
	switch {
	case errors.Is(f.Err, ddb.ErrOutcomeUnknown):
		i.unknown.Add(ctx, 1, here)
	case errors.Is(f.Err, cost.ErrBudgetExceeded):
		i.rejected.Add(ctx, 1, here)
	}
}

func isBatch(call *hooks.Call) bool {
	switch call.Operation {
	case "BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems":
		return true
	}
	return false
}

// set keeps each combination of attributes, up to a bound.
func (i *instruments) set(k setKey) metric.MeasurementOption {
	if s, ok := i.sets.Load(k); ok {
		return s.(metric.MeasurementOption)
	}
	if i.nSets.Load() >= maxSets {
		// What is left is as many as there are operations and kinds of errors.
		k.table, k.index = otherName, ""
		if s, ok := i.sets.Load(k); ok {
			return s.(metric.MeasurementOption)
		}
	}
	attrs := where(k.operation, k.table, k.index)
	if k.errorType != "" {
		attrs = append(attrs, semconv.ErrorTypeKey.String(k.errorType))
	}
	if k.reason != "" {
		attrs = append(attrs, reasonKey.String(k.reason))
	}
	if k.path != "" {
		attrs = append(attrs, pathKey.String(k.path))
	}
	s, loaded := i.sets.LoadOrStore(k, metric.WithAttributeSet(attribute.NewSet(attrs...)))
	if !loaded {
		i.nSets.Add(1)
	}
	return s.(metric.MeasurementOption)
}
