// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/smithy-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
)

type hook struct {
	tracer      trace.Tracer
	instruments *instruments
}

type spanKey struct{}

// Begin starts the span of a request.
func (h *hook) Begin(ctx context.Context, call *hooks.Call) context.Context {
	if call == nil {
		return ctx
	}
	ctx, span := h.tracer.Start(ctx, spanName(call), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(call.Start), trace.WithAttributes(requestAttributes(call)...))
	if !span.IsRecording() {
		return ctx
	}
	return context.WithValue(ctx, spanKey{}, span) // another hook may start a span inside this one
}

// End measures the request and ends its span.
func (h *hook) End(ctx context.Context, call *hooks.Call) {
	if call == nil {
		return
	}
	h.instruments.record(ctx, call)
	span, ok := ctx.Value(spanKey{}).(trace.Span)
	if !ok {
		return
	}
	span.SetAttributes(replyAttributes(call)...)
	if call.Failed() {
		span.SetStatus(codes.Error, call.ErrorType())
	}
	span.End(trace.WithTimestamp(call.Start.Add(call.Duration)))
}

// Failed makes the hook a [hooks.FailureHook].
func (h *hook) Failed(ctx context.Context, f *hooks.Failure) {
	if f != nil {
		h.instruments.failed(ctx, f)
	}
}

func spanName(call *hooks.Call) string {
	if len(call.Tables) > 1 {
		return call.Operation
	}
	return call.Operation + " " + call.Table
}

// requestAttributes returns the attributes that are known before the request.
func requestAttributes(call *hooks.Call) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 12)
	attrs = append(attrs, semconv.DBSystemNameAWSDynamoDB, semconv.DBOperationName(call.Operation))
	if len(call.Tables) > 1 {
		attrs = append(attrs, semconv.AWSDynamoDBTableNames(call.Tables...))
	} else {
		attrs = append(attrs, semconv.DBCollectionName(call.Table), semconv.AWSDynamoDBTableNames(call.Table))
	}
	if call.Index != "" {
		attrs = append(attrs, semconv.AWSDynamoDBIndexName(call.Index))
	}
	if call.Items > 1 { // by the conventions a batch of one is not a batch
		attrs = append(attrs, semconv.DBOperationBatchSize(call.Items))
	}
	if !call.Write {
		attrs = append(attrs, semconv.AWSDynamoDBConsistentRead(call.Consistent))
	}
	if call.Limit > 0 {
		attrs = append(attrs, semconv.AWSDynamoDBLimit(call.Limit))
	}
	if call.Operation == "Query" {
		attrs = append(attrs, semconv.AWSDynamoDBScanForward(!call.Descending))
	}
	if call.Segments > 0 {
		attrs = append(attrs, semconv.AWSDynamoDBSegment(call.Segment), semconv.AWSDynamoDBTotalSegments(call.Segments))
	}
	if call.Label != "" {
		attrs = append(attrs, labelKey.String(call.Label))
	}
	return attrs
}

// replyAttributes returns the attributes of the reply.
func replyAttributes(call *hooks.Call) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 8)
	attrs = append(attrs, attemptsKey.Int(call.Attempts))
	if call.PathReason != "" {
		attrs = append(attrs, pathKey.String(string(call.Path)), pathWhyKey.String(call.PathReason))
	}
	if call.Err == nil && !call.Write {
		attrs = append(attrs, semconv.DBResponseReturnedRows(call.Returned))
	}
	if call.Err == nil && call.Items == 0 { // a query or scan
		attrs = append(attrs, semconv.AWSDynamoDBCount(call.Returned), semconv.AWSDynamoDBScannedCount(call.Scanned))
	}
	if p := projection(call); p != "" {
		attrs = append(attrs, semconv.AWSDynamoDBProjection(p))
	}
	if c := capacities(call.Capacity); c != nil {
		attrs = append(attrs, semconv.AWSDynamoDBConsumedCapacity(c...))
	}
	if len(call.Throttled) > 0 {
		reasons := make([]string, len(call.Throttled))
		for i, r := range call.Throttled {
			reasons[i] = r.Reason
		}
		attrs = append(attrs, reasonsKey.StringSlice(reasons))
	}
	if call.Err != nil {
		attrs = append(attrs, semconv.ErrorTypeKey.String(call.ErrorType()))
		if errors.As(call.Err, new(smithy.APIError)) {
			attrs = append(attrs, semconv.DBResponseStatusCode(call.ErrorType()))
		}
	}
	return attrs
}

func projection(call *hooks.Call) string {
	if call.Write {
		return ""
	}
	return call.Explain().Projection
}

// capacities returns the entries as the conventions require: each as JSON.
func capacities(entries []cost.Entry) []string {
	var all []string
	for _, e := range entries {
		text, err := json.Marshal(struct { //nolint:musttag // the conventions' names
			TableName          string
			IndexName          string  `json:",omitempty"`
			CapacityUnits      float64 `json:",omitempty"`
			ReadCapacityUnits  float64 `json:",omitempty"`
			WriteCapacityUnits float64 `json:",omitempty"`
		}{e.Table, e.Index, e.Total(), e.ReadUnits, e.WriteUnits})
		if err == nil {
			all = append(all, string(text))
		}
	}
	return all
}
