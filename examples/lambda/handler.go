// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/dynamotable/ddb"
)

// Reading is the content of a message of the queue, and an item of the table.
type Reading struct {
	Sensor string    `dynamodbav:"sensor" json:"sensor"`
	At     time.Time `dynamodbav:"at" json:"at"`
	Value  float64   `dynamodbav:"value" json:"value"`
}

var (
	readingSensor = ddb.StrField(func(r *Reading) *string { return &r.Sensor })
	readingAt     = ddb.TimeField(func(r *Reading) *time.Time { return &r.At })
)

// Function stores readings. Each process creates one at its cold start, which serves all invocations of the process.
type Function struct {
	readings *ddb.Table[Reading, string, time.Time]
	logger   *slog.Logger
	warm     bool // there was an earlier invocation; a process handles one at a time
}

// NewFunction describes the table. It sends nothing, so it adds no request to a cold start.
func NewFunction(client ddb.Client, table string, logger *slog.Logger) (*Function, error) {
	readings, err := ddb.New(client, table, readingSensor, readingAt)
	if err != nil {
		return nil, err
	}
	return &Function{readings: readings, logger: logger}, nil
}

// Handle stores the messages of one invocation, and returns those that were not stored: the queue delivers them again. For this the
// trigger needs the setting ReportBatchItemFailures. A message that is delivered twice is stored once, because its key is the same.
func (f *Function) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	cold := !f.warm
	f.warm = true
	defer f.logCost(ctx, cold)

	var (
		failed   events.SQSEventResponse
		messages []string // messages[i] is the message of readings[i]
		readings []Reading
	)
	again := func(message, why string, err error) {
		f.logger.WarnContext(ctx, why, "message", message, "error", err)
		failed.BatchItemFailures = append(failed.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message})
	}
	for _, m := range event.Records {
		r, err := read(m.Body)
		if err == nil {
			_, err = f.readings.ItemSize(&r) // refuses items that Put refuses, such as a number that DynamoDB cannot store
		}
		if err != nil {
			again(m.MessageId, "not a reading", err) // after some deliveries the queue moves it to its dead letters
			continue
		}
		messages, readings = append(messages, m.MessageId), append(readings, r)
	}
	// The context ends with the invocation. The batch ends a little earlier, so there is time to report.
	err := f.readings.BatchPut(ctx, readings)
	if batch, ok := errors.AsType[*ddb.BatchError](err); ok {
		for _, e := range batch.Failed {
			again(messages[e.Index], "not stored", e.Err)
		}
		return failed, nil
	}
	return failed, err // if there is an error, Lambda delivers all messages again
}

// read checks for items that the table would refuse: a batch with an invalid item is refused as a whole, so one bad message would prevent
// the good ones from being stored.
func read(body string) (Reading, error) {
	var r Reading
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return r, errors.New("it is not the JSON of a reading")
	}
	if r.Sensor == "" || r.At.IsZero() {
		return r, errors.New("it lacks the sensor or the time")
	}
	if len(r.Sensor) > 2048 {
		return r, errors.New("its sensor has more than the 2,048 bytes of a partition key")
	}
	return r, nil
}

// logCost logs the units consumed since the last invocation. It runs before the reply, because Lambda freezes the process after it.
func (f *Function) logCost(ctx context.Context, cold bool) {
	used := ddb.DefaultLedger().Reset()
	f.logger.InfoContext(ctx, "DynamoDB", "cold", cold, "read_units", used.Read(), "write_units", used.Write(), "requests", used.Operations())
}
