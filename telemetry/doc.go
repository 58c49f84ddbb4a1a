// SPDX-License-Identifier: Apache-2.0

// Package telemetry reports the requests of ddb's tables to OpenTelemetry: a span for
// each request, metrics, the units of a ledger, and the consumers that run in this process.
//
//	otel.SetTracerProvider(tracers) // by the program, as usual
//	otel.SetMeterProvider(meters)
//	stop, err := telemetry.Start()
//	if err != nil {
//		return err
//	}
//	defer stop()
//
// It needs only the API of OpenTelemetry, and reports to the providers that the
// program has set up, or to none. Names follow the semantic conventions for
// databases and for DynamoDB if these have one; other names begin with "ddb.".
// Spans and metrics contain no key values and no item data.
//
// # Spans
//
// Kind client, named by operation and table, such as "Query orders"; one for each
// request, with the retries of the SDK client inside it. Attributes: db.system.name,
// db.operation.name, db.collection.name, db.operation.batch.size,
// db.response.returned_rows, db.response.status_code, error.type,
// aws.dynamodb.table_names, .index_name, .consistent_read, .limit, .scan_forward,
// .segment, .total_segments, .count, .scanned_count, .projection and
// .consumed_capacity; ddb.label, ddb.attempts, ddb.throttling.reasons and, off the fast path, ddb.path and ddb.path.reason. A failed
// condition is a normal result: it has an error.type, but not the status Error.
//
// # Metrics
//
//	db.client.operation.duration       s          histogram, by operation, table, index, error.type
//	db.client.response.returned_rows   {row}      histogram, by operation, table, index
//	ddb.client.scanned_items           {item}     counter, by operation, table, index: read and billed, before the filter
//	ddb.client.batch.size              {item}     histogram, by operation, table: items of a batch or transaction
//	ddb.client.retries                 {attempt}  counter, by operation, table, index: attempts after the first
//	ddb.client.throttles               {attempt}  counter, by operation, table, index, ddb.throttling.reason
//	ddb.client.paths                   {request}  counter, by operation, table, index, ddb.path: "fast" or one that costs more
//	ddb.client.unknown_outcomes        {call}     counter, by operation, table, index: writes that ended with ddb.ErrOutcomeUnknown
//	ddb.client.over_budget             {request}  counter, by operation, table, index: requests that a budget did not allow
//	ddb.ledger.read_units              {unit}     counter, by table, index, operation, ddb.label
//	ddb.ledger.write_units             {unit}     counter, likewise
//	ddb.ledger.operations              {operation} counter, likewise
//	ddb.consumer.lag                   {commit}   gauge, by ddb.consumer, ddb.consumer.kind (feed, change), table: not handled yet; of feeds
//	ddb.consumer.age                   s          gauge, likewise: how long the oldest change waits that is not handled
//	ddb.consumer.read_age              s          gauge, likewise: since a read of the slowest shard was answered; alarm if it grows
//	ddb.consumer.leases                {shard}    gauge, likewise: shards that this process handles
//	ddb.consumer.parked                {commit}   gauge, likewise
//	ddb.consumer.handled               {change}   counter, likewise
//	ddb.consumer.retries               {attempt}  counter, likewise
//	ddb.consumer.given_up              {change}   counter, likewise: skipped, sent to dead letters or parked
//	ddb.consumer.leases_lost           {lease}    counter, likewise
//	ddb.job.state                      {call}     gauge, by ddb.job, ddb.job.state: 1 for the state that a long call of [WithProgress] is in
//	ddb.job.share                      1          gauge, by ddb.job: how much is done, 0 to 1, if that is known
//	ddb.job.items                      {item}     gauge, likewise
//	ddb.job.read_units, .write_units   {unit}     gauge, likewise
//	ddb.job.elapsed, .left             s          gauge, likewise: how long it has run; how long the rest takes at most, if that is known
//
// At most 1,000 combinations of attributes are reported separately; further tables are reported
// as "other". A ledger limits its labels itself.
//
// https://opentelemetry.io/docs/specs/semconv/database/dynamodb/
package telemetry
