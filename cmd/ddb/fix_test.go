// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// runDdb runs a command as the program does, with an input.
func runDdb(ctx context.Context, in io.Reader, args ...string) (out, errs string, status int) {
	var o, e strings.Builder
	err := run(ctx, streams{in: in, out: &o, err: &e}, args)
	if err != nil && !errors.Is(err, errShown) {
		fmt.Fprintln(&e, "ddb:", message(err))
	}
	return o.String(), e.String(), exitStatus(err)
}

// ddbLine splits a command line at spaces and runs it.
func ddbLine(t *testing.T, line string) (out, errs string, status int) {
	t.Helper()
	return runDdb(t.Context(), strings.NewReader(""), fields(line)...)
}

// Failures before an interruption count at the end of the resumed run.
func TestFailuresBeforeInterruption(t *testing.T) {
	var stop interruption
	engine, _ := shop(t, stop.wrap)
	t.Chdir(t.TempDir())
	_, err := engine.Client().CreateTable(t.Context(), &dynamodb.CreateTableInput{ // its index rejects items with a string as status
		TableName: aws.String("narrow"), KeySchema: keySchema("customer", "id"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute("customer", "S"), attribute("id", "S"), attribute("gift", "S")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-gift"), KeySchema: keySchema("gift", ""), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, errs, status := ddbLine(t, "export orders backup -segments 3"); status != exitDone {
		t.Fatal(errs)
	}
	commands := []string{"import backup narrow -workers 1", "copy orders narrow -workers 1"}
	const full = " -failures /dev/full" // a file that cannot be written
	if _, err := os.Stat("/dev/full"); err == nil {
		commands = append(commands, commands[0]+full, commands[1]+full)
	}
	for _, command := range commands {
		stop.set(0, false, nil)
		_, errs, status := ddbLine(t, command)
		if status != exitPartly || !strings.Contains(errs, "1 lines or items were not") {
			t.Fatalf("%s: %d\n%s", command, status, errs)
		}
		stop.mu.Lock()
		requests := stop.seen
		stop.mu.Unlock()
		went, lost := 0, 0
		for at := 1; at <= requests; at++ {
			ctx, cancel := context.WithCancelCause(t.Context())
			stop.set(at, false, func() { cancel(errors.New("interrupt signal")) })
			_, errs, _ := runDdb(ctx, strings.NewReader(""), fields(command)...)
			cancel(nil)
			stop.set(0, false, nil)
			position := positionFile.FindString(errs)
			if position == "" {
				continue
			}
			went++
			if strings.HasSuffix(command, full) && strings.Contains(errs, "1 failed") {
				lost++
				if !strings.Contains(errs, "no space left on device") {
					t.Errorf("%s: stopped at %d: it does not report that the failures were not written:\n%s", command, at, errs)
				}
			}
			if _, more, status := ddbLine(t, "resume "+position); status != exitPartly {
				t.Errorf("%s: stopped at %d:\n%sthen status %d:\n%s", command, at, errs, status, more)
			}
			_ = os.Remove(position)
		}
		if went == 0 {
			t.Errorf("%s: it was never stopped", command)
		}
		if strings.HasSuffix(command, full) && lost == 0 {
			t.Errorf("%s: it was never stopped after a failure", command)
		}
	}
}

// When a command has finished, its position file is removed, both that of -position and the resumed one.
func TestPositionsAreRemoved(t *testing.T) {
	var stop interruption
	engine, _ := shop(t, stop.wrap)
	t.Chdir(t.TempDir())
	if _, errs, status := ddbLine(t, "export orders backup -segments 3"); status != exitDone {
		t.Fatal(errs)
	}
	client := engine.Client()
	_, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{ // from here on it rejects an item
		TableName:            aws.String("orders2"),
		AttributeDefinitions: []types.AttributeDefinition{attribute("gift", "S")},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("by-gift"), KeySchema: keySchema("gift", ""), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]int{
		"import backup orders2 -workers 1": exitPartly, "copy orders orders2 -workers 1": exitPartly,
		"scan orders -page 1": exitDone, "count orders -page 1": exitDone, "purge orders -yes orders -dry-run -page 1": exitDone,
	} {
		again := command + " -position p"
		if _, errs, status := ddbLine(t, again); status != want {
			t.Fatalf("%s: %d\n%s", command, status, errs)
		}
		if _, err := os.Stat("p"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the position was not removed: %v", command, err)
		}
		for at := 1; ; at++ {
			ctx, cancel := context.WithCancelCause(t.Context())
			stop.set(at, false, func() { cancel(errors.New("interrupt signal")) })
			_, errs, _ := runDdb(ctx, strings.NewReader(""), fields(again)...)
			cancel(nil)
			stop.set(0, false, nil)
			if _, err := os.Stat("p"); err != nil {
				if at < 6 {
					continue
				}
				t.Fatalf("%s leaves no position: %s", command, errs)
			}
			break
		}
		if _, errs, status := ddbLine(t, "resume p"); status != want {
			t.Fatalf("%s resumed: %d\n%s", command, status, errs)
		}
		if _, err := os.Stat("p"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s resumed: the position was not removed: %v", command, err)
		}
	}
	if err := os.WriteFile("p", []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := finished("p", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("p"); err != nil {
		t.Error("a file that is no position was removed")
	}
}

// A position is valid for one table: not for one of the same name in another account, nor, for a copy, for another source.
func TestPositionBelongsToTables(t *testing.T) {
	shop(t, nil)
	t.Chdir(t.TempDir())
	for _, command := range []string{"scan orders -page 1 -budget 1", "copy orders orders2 -budget 1", "put counters -budget 1 " + `{"n":{"N":"1"}} {"n":{"N":"2"}}`} {
		_, errs, status := ddbLine(t, command)
		file := positionFile.FindString(errs)
		if status != exitBudget || file == "" {
			t.Fatalf("%s: %d\n%s", command, status, errs)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		arns := strings.Count(string(data), "arn:aws:dynamodb:")
		if want := 1 + strings.Count(command, "copy"); arns != want {
			t.Fatalf("%s: %d tables in %s", command, arns, data)
		}
		for n := range arns {
			other := strings.SplitAfter(string(data), "arn:aws:dynamodb:us-east-1:")
			other[n+1] = "1" + other[n+1][1:]
			if strings.Join(other, "") == string(data) {
				other[n+1] = "2" + other[n+1][1:]
			}
			if err := os.WriteFile("other", []byte(strings.Join(other, "")), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, errs, status := ddbLine(t, "resume other"); status != exitFailed || !strings.Contains(errs, "the position belongs to") {
				t.Errorf("%s: resumed at another table: %d\n%s", command, status, errs)
			}
		}
	}
}

// A put with -failures that was stopped in its first batch can be resumed, and its failures are those of both runs.
func TestPutFailuresResumed(t *testing.T) {
	shop(t, nil)
	t.Chdir(t.TempDir())
	_, errs, status := ddbLine(t, `put counters -budget 1 -failures failed {"n":{"N":"1"}} {"n":{"N":"2"}} no-item`)
	position := positionFile.FindString(errs)
	if status != exitBudget || position == "" {
		t.Fatalf("%d\n%s", status, errs)
	}
	data, err := os.ReadFile(position)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(position, []byte(strings.Replace(string(data), `"-budget","1"`, `"-budget","9"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, status := ddbLine(t, "resume "+position); status != exitPartly {
		t.Fatalf("%d\n%s", status, errs)
	}
	if got, err := os.ReadFile("failed"); err != nil || string(got) != "no-item\n" {
		t.Errorf("%s %v", got, err)
	}
}

// counters returns the items of the table counters.
func counters(t *testing.T) int {
	t.Helper()
	out, errs, status := ddbLine(t, "scan counters")
	if status != exitDone {
		t.Fatal(errs)
	}
	return strings.Count(out, "\n")
}

// When the input breaks off, the items read before are put, and the rest can be put from there.
func TestPutInputBreaks(t *testing.T) {
	shop(t, nil)
	t.Chdir(t.TempDir())
	first := `{"n":{"N":"1"}}` + "\n" + `{"n":{"N":"2"}}` + "\n"
	lost := io.MultiReader(strings.NewReader(first), iotest.ErrReader(errors.New("the disk is gone")))
	_, errs, status := runDdb(t.Context(), lost, "put", "counters")
	position := positionFile.FindString(errs)
	if status != exitFailed || position == "" || !strings.Contains(errs, "the disk is gone") {
		t.Fatalf("%d\n%s", status, errs)
	}
	if n := counters(t); n != 4 {
		t.Errorf("%d items are stored", n)
	}
	if _, errs, status := runDdb(t.Context(), strings.NewReader(first+`{"n":{"N":"3"}}`), "resume", position); status != exitDone || counters(t) != 5 {
		t.Errorf("%d\n%s", status, errs)
	}
	// Escaped text may be six times as long.
	long := `{"n":{"N":"4"},"s":{"S":"` + strings.Repeat(`\u0041`, 390_000) + `"}}`
	if _, errs, status := runDdb(t.Context(), strings.NewReader(long), "put", "counters"); status != exitDone {
		t.Errorf("%d\n%s", status, errs)
	}
}

// The first signal stops a put that waits for its input.
func TestPutStopsWaiting(t *testing.T) {
	shop(t, nil)
	t.Chdir(t.TempDir())
	in, write := io.Pipe()
	defer func() { _ = write.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, _ = io.WriteString(write, `{"n":{"N":"1"}}`+"\n")
		cancel()
	}()
	_, errs, status := runDdb(ctx, in, "put", "counters")
	position := positionFile.FindString(errs)
	if status != exitStopped || position == "" {
		t.Fatalf("%d\n%s", status, errs)
	}
	if _, errs, status := runDdb(t.Context(), strings.NewReader(`{"n":{"N":"1"}}`), "resume", position); status != exitDone || counters(t) != 3 {
		t.Errorf("%d\n%s", status, errs)
	}
}

// The resumed run does not report an item as failed that was put although the reply was lost.
func TestPutConditionResumed(t *testing.T) {
	for _, args := range [][]string{
		{"put", "counters", "-create", `{"n":{"N":"1"}}`, `{"n":{"N":"2"}}`},
		{"put", "counters", "-if", "attribute_not_exists(n)", `{"n":{"N":"1"}}`, `{"n":{"N":"2"}}`},
	} {
		for at := 2; at <= 3; at++ { // the first request describes the table
			var stop interruption
			shop(t, stop.wrap)
			t.Chdir(t.TempDir())
			ctx, cancel := context.WithCancelCause(t.Context())
			stop.set(at, true, func() { cancel(errors.New("interrupt signal")) })
			_, errs, status := runDdb(ctx, nil, args...)
			cancel(nil)
			stop.set(0, false, nil)
			position := positionFile.FindString(errs)
			if status != exitStopped || position == "" || counters(t) != 1+at {
				t.Fatalf("%d\n%s", status, errs)
			}
			if _, errs, status := ddbLine(t, "resume "+position); status != exitDone || counters(t) != 4 {
				t.Errorf("%v: stopped at %d: %d\n%s", args, at, status, errs)
			}
		}
	}
	// An item that existed before is named.
	if _, errs, status := runDdb(t.Context(), nil, "put", "counters", "-create", `{"n":{"N":"1"}}`); status != exitPartly {
		t.Errorf("%d\n%s", status, errs)
	}
}

// With -explain no command reads items.
func TestExplainReadsNothing(t *testing.T) {
	var stop interruption
	shop(t, func(h http.Handler) http.Handler {
		return stop.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if op := r.Header.Get("X-Amz-Target"); !strings.HasSuffix(op, ".DescribeTable") {
				t.Errorf("it sends %s", op)
			}
			h.ServeHTTP(w, r)
		}))
	})
	t.Chdir(t.TempDir())
	for line, want := range map[string]int{
		"count orders -sample 50% -explain": exitUsage, "count orders -explain": exitDone, "verify backup orders -explain": exitDone,
		"diff orders orders2 -explain": exitDone, "copy orders orders2 -explain": exitDone, "purge orders -explain": exitDone, "scan orders -explain": exitDone,
	} {
		if out, errs, status := ddbLine(t, line); status != want || want == exitDone && out == "" {
			t.Errorf("%s: %d\n%s%s", line, status, out, errs)
		}
	}
}

// A purge counts the items deleted in all runs, without those that -where kept.
func TestPurgeCounts(t *testing.T) {
	shop(t, racing("2027-01"))
	t.Chdir(t.TempDir())
	_, errs, status := ddbLine(t, "purge orders -yes orders -where total<100 -workers 1")
	if status != exitDone || !strings.Contains(errs, "deleted 2 items") {
		t.Errorf("%d\n%s", status, errs)
	}
}

// racing makes the condition of the first delete of an item fail, as if it had been written since it was read.
func racing(sort string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DeleteItem") && strings.Contains(string(body), sort) {
				body = bytes.Replace(body, []byte(sort), []byte("gone"), 1) // there is no such item
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			h.ServeHTTP(w, r)
		})
	}
}

// A stream is continued with the same command and a start time.
func TestStreamResumeCommand(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for line, want := range map[string]string{
		"streams tail orders": "ddb streams tail orders -from 2026-11-29T12:00:00Z",
		"streams tail -endpoint http://127.0.0.1:1 -plain or$":   "ddb streams tail -endpoint http://127.0.0.1:1 -plain 'or$' -from 2026-11-29T12:00:00Z",
		"streams tail -from horizon orders -region=eu-west-1":    "ddb streams tail orders -region=eu-west-1 -from 2026-11-29T12:00:00Z",
		"streams tail --from=latest -limit 5 -poll 2s -- orders": "ddb streams tail -limit 5 -poll 2s -from 2026-11-29T12:00:00Z -- orders",
	} {
		if got := continueCommand(fields(line), at); got != want {
			t.Errorf("%s: %s", line, got)
		}
	}
}

// The second table is at the location of the first one, unless flags change that.
func TestSecondConnection(t *testing.T) {
	first := connection{endpoint: "http://127.0.0.1:1", region: "eu-west-1"}
	for to, want := range map[second]connection{
		{}:                               first,
		{endpoint: "http://127.0.0.1:2"}: {endpoint: "http://127.0.0.1:2", region: "eu-west-1"},
		{region: "us-east-1"}:            {region: "us-east-1"},
		{endpoint: "http://127.0.0.1:2", region: "local"}: {endpoint: "http://127.0.0.1:2", region: "local"},
	} {
		if got := to.at(first); got != want {
			t.Errorf("%v: %v", to, got)
		}
	}
}
