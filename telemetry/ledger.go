// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/dynamotable/ddb/cost"
)

// ledgerCallback reports what ledgers hold. Entries of several ledgers that have the
// same attributes are summed up: an observer may see each set of attributes once.
func ledgerCallback(ledgers []*cost.Ledger, reads, writes metric.Float64Observable, operations metric.Int64Observable) metric.Callback {
	return func(_ context.Context, o metric.Observer) error {
		type key struct{ table, index, operation, label string }
		sums := map[key]cost.Entry{}
		for _, l := range ledgers {
			for _, e := range l.Snapshot().Entries {
				k := key{e.Table, e.Index, e.Operation, e.Label}
				sum := sums[k]
				sum.ReadUnits += e.ReadUnits
				sum.WriteUnits += e.WriteUnits
				sum.Operations += e.Operations
				sums[k] = sum
			}
		}
		for k, e := range sums {
			attrs := where(k.operation, k.table, k.index)
			if k.label != "" {
				attrs = append(attrs, labelKey.String(k.label))
			}
			set := metric.WithAttributeSet(attribute.NewSet(attrs...))
			o.ObserveFloat64(reads, e.ReadUnits, set)
			o.ObserveFloat64(writes, e.WriteUnits, set)
			o.ObserveInt64(operations, e.Operations, set)
		}
		return nil
	}
}

// where are the attributes that spans and metrics have in common.
func where(operation, table, index string) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		semconv.DBSystemNameAWSDynamoDB, semconv.DBOperationName(operation), semconv.DBCollectionName(table),
	}
	if index != "" {
		attrs = append(attrs, semconv.AWSDynamoDBIndexName(index))
	}
	return attrs
}
