// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

func main() {
	log.SetFlags(0)
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		function, err := coldStart(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		lambda.Start(function.Handle)
		return
	}
	if err := local(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// coldStart creates the client and the table. Lambda calls main once for each process, so this runs before its first invocation.
func coldStart(ctx context.Context) (*Function, error) {
	// An invocation that waits costs money: attempts end early enough for a second attempt.
	client, err := ddbclient.New(ctx, ddbclient.WithAttemptTimeout(2*time.Second), ddbclient.WithOperationTimeout(10*time.Second))
	if err != nil {
		return nil, err
	}
	return NewFunction(client, os.Getenv("READINGS_TABLE"), slog.New(slog.NewJSONHandler(os.Stderr, nil)))
}

// local invokes the function on the embedded engine. In the last invocation the table refuses all items.
func local(ctx context.Context) error {
	busy := false
	engine := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("BatchWriteItem").Where(func(fault.Request) bool { return busy }).Throttle()))
	defer engine.Close()
	client := engine.Client()
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || (a.Key == "error" && busy) { // these differ in each run
			return slog.Attr{}
		}
		return a
	}}))
	function, err := NewFunction(client, "readings", logger)
	if err != nil {
		return err
	}
	if err := function.readings.EnsureTable(ctx); err != nil {
		return err
	}
	for i, event := range []events.SQSEvent{
		queue(`{"sensor": "cellar", "at": "2026-11-29T10:00:00Z", "value": 7.5}`, `{"sensor": "roof", "at": "2026-11-29T10:00:00Z", "value": -2}`),
		queue(`{"sensor": "cellar", "at": "2026-11-29T10:01:00Z", "value": 7.5}`, `not JSON`, `{"sensor": "", "at": "2026-11-29T10:01:00Z"}`),
		queue(`{"sensor": "roof", "at": "2026-11-29T10:02:00Z", "value": -2.5}`),
	} {
		busy = i == 2
		// Lambda gives each invocation a deadline, here a second.
		invocation, cancel := context.WithTimeout(ctx, time.Second)
		response, err := function.Handle(invocation, event)
		fmt.Println("messages:", len(event.Records), "delivered again:", response.BatchItemFailures, "before the deadline:", invocation.Err() == nil, "error:", err)
		cancel()
	}
	return nil
}

// queue is the event of a queue with these messages.
func queue(bodies ...string) (event events.SQSEvent) {
	for i, body := range bodies {
		event.Records = append(event.Records, events.SQSMessage{MessageId: fmt.Sprint("m", i+1), Body: body})
	}
	return event
}
