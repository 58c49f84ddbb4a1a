// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

// childVariable is the environment variable that makes the test binary run as the function.
const childVariable = "LAMBDA_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestRuntime runs the program as Lambda does: a process that asks the runtime's interface for invocations and posts the replies.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func TestRuntime(t *testing.T) {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	database := httptest.NewServer(engine.Handler())
	defer database.Close()
	function, err := NewFunction(engine.Client(), "readings", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := function.readings.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}

	invocations := make(chan events.SQSEvent, 3)
	invocations <- queue(`{"sensor": "roof", "at": "2026-11-29T10:00:00Z", "value": 1}`, `{"sensor": "cellar", "at": "2026-11-29T10:00:00Z", "value": 2}`)
	invocations <- queue(`{"sensor": "roof", "at": "2026-11-29T10:00:00Z", "value": 1}`, "{}", `{"sensor": "roof", "at": "2026-11-29T10:00:00Z", "value": 1e200}`) // the first is delivered twice
	invocations <- queue()
	replies := make(chan string)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-invocations:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprint("request-", len(invocations)))
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			_ = json.NewEncoder(w).Encode(event)
		case <-r.Context().Done(): // no more invocations: the process is frozen, until it is killed
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{kind}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		replies <- fmt.Sprint(r.PathValue("kind"), " ", strings.TrimSpace(string(body)), " ", err)
	})
	runtime := httptest.NewServer(mux)
	defer runtime.Close()

	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	process := exec.CommandContext(t.Context(), program)
	process.Env = append(os.Environ(), childVariable+"=1", "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(runtime.URL, "http://"), "READINGS_TABLE=readings",
		"AWS_ENDPOINT_URL_DYNAMODB="+database.URL, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	process.Stderr = &log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	for _, want := range []string{
		`response {"batchItemFailures":null} <nil>`,
		`response {"batchItemFailures":[{"itemIdentifier":"m2"},{"itemIdentifier":"m3"}]} <nil>`,
		`response {"batchItemFailures":null} <nil>`,
	} {
		select {
		case got := <-replies:
			if got != want {
				t.Errorf("the reply is %s, not %s", got, want)
			}
		case err := <-ended:
			t.Fatalf("the process has ended: %v\n%s", err, log.String())
		}
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if cold, all := strings.Count(log.String(), `"cold":true`), strings.Count(log.String(), `"cold":`); cold != 1 || all != 3 {
		t.Errorf("%d cold starts of %d invocations:\n%s", cold, all, log.String())
	}
	stored, err := function.readings.Scan().Collect(t.Context())
	if err != nil || len(stored) != 2 {
		t.Errorf("%v are stored, %v", stored, err)
	}
}

// TestDeadline: an invocation whose table refuses all items ends before its deadline, and names every message that is not stored.
func TestDeadline(t *testing.T) {
	engine := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("BatchWriteItem").Unprocessed(1)))
	defer engine.Close()
	function, err := NewFunction(engine.Client(), "readings", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := function.readings.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	event := queue(`{"sensor": "roof", "at": "2026-11-29T10:00:00Z"}`, `{"sensor": "roof", "at": "2026-11-29T10:01:00Z"}`)
	response, err := function.Handle(ctx, event)
	if err != nil || ctx.Err() != nil {
		t.Fatalf("%v, the context: %v", err, ctx.Err())
	}
	stored, err := function.readings.Scan().Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range event.Records {
		again := slices.ContainsFunc(response.BatchItemFailures, func(f events.SQSBatchItemFailure) bool { return f.ItemIdentifier == m.MessageId })
		there := slices.ContainsFunc(stored, func(r Reading) bool { return r.At.Minute() == i })
		if again == there {
			t.Errorf("message %s: delivered again %v, stored %v", m.MessageId, again, there)
		}
	}
	if len(response.BatchItemFailures) == 0 {
		t.Error("no message is delivered again")
	}
}
