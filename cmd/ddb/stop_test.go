// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// interruption ends a command at one of its requests.
type interruption struct {
	mu    sync.Mutex
	left  int    // number of the request; 0 for never
	after bool   // the request is executed, and its reply is lost
	end   func() // ends the command
	seen  int
}

func (i *interruption) set(at int, after bool, end func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.left, i.after, i.end, i.seen = at, after, end, 0
}

// wrap passes requests until the one to interrupt.
func (i *interruption) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.seen++
		hit := i.left > 0 && i.seen == i.left
		after, end := i.after, i.end
		i.mu.Unlock()
		if !hit {
			h.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body) // only then does the server notice that its client has disconnected
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if after {
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		end()
		<-r.Context().Done() // the client has disconnected
	})
}

// verb is a command whose interruptions are tested.
type verb struct {
	args, input string
	output      bool   // compare the output of all runs together; otherwise compare the tables
	parallel    bool   // it sends many requests, in any order; without -long it is stopped at every ninth, instead of every fifth
	before      string // commands to run before, one per line
	then        string // a command that must succeed at the end and find no difference
	status      int    // its exit status when it is not stopped
	once        bool   // it has no position: it is run again from the beginning
}

// differ makes table orders2 differ from orders: it lacks two items, has a changed and an equal one, and two that orders lacks.
const differ = `put orders2 {"customer":{"S":"c1"},"id":{"S":"2026-08"},"status":{"S":"paid"},"total":{"N":"12.0"}} {"customer":{"S":"c2"},"id":{"S":"2026-09"},"total":{"N":"31"}} ` +
	`{"customer":{"S":"c9"},"id":{"S":"1"}} {"customer":{"S":"c1"},"id":{"S":"2"}}`

var verbs = map[string]verb{
	"tables":         {args: "tables", once: true, output: true},
	"describe":       {args: "describe orders -format cdk", once: true, output: true},
	"get":            {args: "get orders c1 2026-09", once: true, output: true},
	"query":          {args: "query orders c1 -page 1", output: true},
	"query index":    {args: "query orders -index by-status open -reverse -page 1 -limit 2", output: true},
	"scan":           {args: "scan orders -page 1", output: true},
	"scan where":     {args: "scan orders -page 1 -where total>10", output: true},
	"scan workers":   {args: "scan orders -workers 3 -page 1", output: true, parallel: true},
	"purge workers":  {args: "purge orders -yes orders -workers 2 -page 1", parallel: true},
	"count sample":   {args: "count orders -sample 50%", once: true, output: true},
	"export":         {args: "export orders backup -name monday -segments 2 -workers 1", output: true, then: "verify backup orders"},
	"verify":         {args: "verify backup orders2 -keys -name monday", output: true, status: exitFailed, before: "export orders backup -name monday -segments 3 -workers 1\n" + differ},
	"verify equal":   {args: "verify backup orders -name monday", output: true, before: "export orders backup -name monday -segments 3 -workers 1"},
	"import":         {args: "import backup orders2 -workers 1", before: "export orders backup -segments 3", then: "verify backup orders2"},
	"import missing": {args: "import backup orders2 -workers 1 -only-missing", before: "export orders backup -segments 3", then: "diff orders orders2"},
	"copy":           {args: "copy orders orders2 -workers 1", then: "diff orders orders2"},
	"diff":           {args: "diff orders orders2", output: true, status: exitFailed, before: differ},
	"diff equal":     {args: "diff orders orders2", output: true, before: "copy orders orders2"},
	"job status":     {args: "job status jobs totals names", once: true, output: true},
	"count":          {args: "count orders -page 1", output: true},
	"put one":        {args: `put counters {"n":{"N":"1"}}`, input: ""},
	"put lines":      {args: "put counters", input: `{"n":{"N":"1"}}` + "\n" + `{"n":{"N":"2"}}` + "\n" + `{"n":{"N":"1.0"},"x":{"S":"y"}}` + "\n"},
	"put if":         {args: "put counters -if v<>5", input: `{"n":{"N":"-5"},"v":{"N":"7"}}` + "\n" + `{"n":{"N":"10"},"v":{"N":"8"}}` + "\n"},
	"update":         {args: "update counters 10 SET\u00a0v=7", once: true},
	"delete":         {args: "delete counters 10", once: true},
	"purge":          {args: "purge orders -yes orders -page 1"},
	"purge where":    {args: "purge orders -yes orders -page 1 -where total>10"},
	"purge paced":    {args: "purge counters -yes counters -pace 1000 -progress json"},
	"streams tail":   {args: "streams tail orders -from horizon -limit 4 -poll 1ms", once: true, output: true},
	"gen struct":     {args: "gen struct orders", once: true, output: true},
	"help":           {args: "help scan", once: true, output: true},
}

// fields splits a command line at spaces; \u00a0 is a space that does not split.
func fields(line string) []string {
	list := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' })
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], "\u00a0", " ")
	}
	return list
}

// stored returns the contents of all tables.
func stored(t *testing.T, engine *ddbtest.Engine) string {
	t.Helper()
	var lines []string
	for _, table := range []string{"orders", "orders2", "counters", "blobs"} {
		out, err := engine.Client().Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range out.Items {
			raw, err := rawText(item)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, table+" "+raw)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func sortedLines(text string) string {
	return strings.Join(slices.Sorted(strings.Lines(text)), "")
}

// TestStop: every command is stopped at each of its requests before and after the service has executed it (without -long, at some of them, and before or after). It ends with status 130, and the
// command that it prints does the rest: the output of both runs together, and the tables, are the same as after one run.
func TestStop(t *testing.T) {
	for name, v := range verbs {
		t.Run(name, func(t *testing.T) {
			if !longtest.Enabled() {
				v.args = strings.Replace(v.args, "-pace 1000", "-pace 100000", 1) // a slower one waits for its first units
			}
			var stop interruption
			engine, _ := shop(t, stop.wrap)
			before := stored(t, engine)
			run := func(ctx context.Context, args ...string) (out, errs string, status int) {
				var o, e strings.Builder
				err := run(ctx, streams{in: strings.NewReader(v.input), out: &o, err: &e}, args)
				if err != nil && !errors.Is(err, errShown) {
					fmt.Fprintln(&e, "ddb:", message(err))
				}
				return o.String(), e.String(), exitStatus(err)
			}
			begin := func() {
				t.Chdir(t.TempDir())
				for line := range strings.Lines(v.before) {
					if _, errs, status := run(t.Context(), fields(strings.TrimSpace(line))...); status != exitDone {
						t.Fatal(errs)
					}
				}
			}
			begin()
			stop.set(0, false, nil)
			want, errs, status := run(t.Context(), fields(v.args)...)
			if status != v.status {
				t.Fatalf("%d: %s", status, errs)
			}
			stop.mu.Lock()
			requests := stop.seen
			stop.mu.Unlock()
			after := stored(t, engine)
			if !v.output && after == before {
				t.Fatal("the command changes nothing")
			}
			for at := 1; at <= requests; at++ {
				if !longtest.Enabled() && (v.parallel && at%9 != 5 || at != 1 && at%5 != 2) {
					continue
				}
				for _, done := range []bool{false, true} {
					if !longtest.Enabled() && at > 2 && done != (at%2 == 0) {
						continue
					}
					engine, _ := shop(t, stop.wrap)
					begin()
					ctx, cancel := context.WithCancelCause(t.Context())
					stop.set(at, done, func() { cancel(errors.New("interrupt signal")) })
					out, errs, status := run(ctx, fields(v.args)...)
					cancel(nil)
					stop.set(0, false, nil)
					at := fmt.Sprintf("request %d of %d, done %v: status %d\n%s", at, requests, done, status, errs)
					if status != exitStopped || strings.Contains(errs, "\n") && strings.Contains(errs, "2026-09") {
						t.Fatalf("%s", at)
					}
					position := positionFile.FindString(errs)
					if v.once && position != "" || !v.once && strings.Contains(errs, "go on") != (position != "") {
						t.Fatalf("%s", at)
					}
					again := fields(v.args)
					if position != "" {
						if info, err := os.Stat(position); err != nil || info.Mode().Perm() != 0o600 {
							t.Fatalf("%s: %v", at, err)
						}
						again = []string{"resume", position}
					} else if out != "" && !v.once {
						t.Fatalf("%s: it has printed output and cannot be resumed:\n%s", at, out)
					}
					more, errs, status := run(t.Context(), again...)
					if status != v.status {
						t.Fatalf("%s\nthen status %d\n%s", at, status, errs)
					}
					if v.once {
						out = "" // it was run again from the beginning
					}
					if v.output && out+more != want && !(v.parallel && sortedLines(out+more) == sortedLines(want)) {
						t.Errorf("%s: printed\n%s\nand\n%s\nwant\n%s", at, out, more, want)
					}
					if got := stored(t, engine); got != after {
						t.Errorf("%s: stored\n%s\nwant\n%s", at, got, after)
					}
					if v.then != "" {
						if out, errs, status := run(t.Context(), fields(v.then)...); status != exitDone {
							t.Errorf("%s: %s: status %d\n%s%s", at, v.then, status, out, errs)
						}
					}
					if position != "" {
						if _, err := os.Stat(position); !errors.Is(err, os.ErrNotExist) {
							t.Errorf("%s: the position was not removed: %v", at, err)
						}
					}
				}
			}
		})
	}
}

// TestKill: a command with -position that is killed at any of its requests (without -long, at every fifth one; with -short, at every eighth) continues from the file. It repeats at most one page of output.
func TestKill(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]verb{
		"scan":   {args: "scan orders -page 1", output: true},
		"count":  {args: "count orders -page 1", output: true},
		"query":  {args: "query orders c1 -page 1", output: true},
		"purge":  {args: "purge orders -yes orders -page 1"},
		"export": {args: "export orders backup -name monday -segments 2 -workers 1", then: "verify backup orders"},
		"import": {args: "import backup orders2 -workers 1", before: "export orders backup -segments 3", then: "verify backup orders2"},
		"copy":   {args: "copy orders orders2 -workers 1", then: "diff orders orders2"},
		"verify": {args: "verify backup orders2 -keys", output: true, status: exitFailed, before: "export orders backup -segments 3 -workers 1\n" + differ},
		"diff":   {args: "diff orders orders2", output: true, status: exitFailed, before: differ},
		"put":    {args: "put counters", input: `{"n":{"N":"1"}}` + "\n" + `{"n":{"N":"2"}}` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var stop interruption
			step := 5
			switch {
			case longtest.Enabled():
				step = 1
			case testing.Short():
				step = 8
			}
			for at := 1; ; at += step {
				engine, _ := shop(t, stop.wrap)
				file := filepath.Join(t.TempDir(), "position")
				args := fields(v.args)
				t.Chdir(t.TempDir())
				for line := range strings.Lines(v.before) {
					if _, errs, err := output(t, fields(strings.TrimSpace(line))...); err != nil {
						t.Fatal(err, errs)
					}
				}
				if v.input == "" && !strings.HasPrefix(v.args, "export") {
					args = append(args, "-position", file)
				}
				start := func(args []string) (*exec.Cmd, *strings.Builder) {
					command := exec.CommandContext(t.Context(), program, args...)
					command.Env = append(os.Environ(), asProgram+"=1")
					command.Stdin = strings.NewReader(v.input)
					var out strings.Builder
					command.Stdout = &out
					return command, &out
				}
				command, out := start(args)
				var killed atomic.Bool
				started := make(chan struct{})
				stop.set(at, at%4 < 2, func() {
					<-started
					killed.Store(true)
					_ = command.Process.Kill()
				})
				if err := command.Start(); err != nil {
					t.Fatal(err)
				}
				close(started)
				err := command.Wait()
				stop.set(0, false, nil)
				if !killed.Load() {
					if command.ProcessState.ExitCode() != v.status || at < 3 {
						t.Fatalf("it was not killed, and ended with %v after %d requests", err, at-1)
					}
					return
				}
				if err == nil {
					t.Fatal("it was killed and did not end")
				}
				if _, err := os.Stat(file); err == nil {
					args = []string{"resume", file}
				}
				again, more := start(args)
				if err := again.Run(); again.ProcessState.ExitCode() != v.status {
					t.Fatalf("request %d: then %v", at, err)
				}
				if v.then != "" {
					if out, errs, err := output(t, fields(v.then)...); err != nil {
						t.Errorf("request %d: %v\n%s%s", at, err, out, errs)
					}
					continue
				}
				check(t, v, engine, out.String(), more.String())
			}
		})
	}
}

// check compares the result of two runs with that of one.
func check(t *testing.T, v verb, engine *ddbtest.Engine, out, more string) {
	t.Helper()
	repeated := strings.Count(out, "\n") + strings.Count(more, "\n")
	switch {
	case strings.HasPrefix(v.args, "count"):
		if more != "4\n" {
			t.Errorf("counted %q", more)
		}
		return
	case v.output:
		lines := strings.Split(strings.TrimSpace(out+more), "\n")
		slices.Sort(lines)
		n := len(slices.Compact(lines))
		want := 4
		if strings.HasPrefix(v.args, "query") {
			want = 3
		}
		most := 1 // repeated lines
		if v.status == exitFailed {
			want, most = 5, 5 // differences of one batch
		}
		if n != want || repeated-n > most {
			t.Errorf("%d lines, %d of them repeated", n, repeated-n)
		}
		return
	}
	state := stored(t, engine)
	if strings.HasPrefix(v.args, "purge") && strings.Contains(state, "orders") || v.input != "" && !(strings.Contains(state, `"1"`) && strings.Contains(state, `"N":"2"`)) {
		t.Errorf("stored\n%s", state)
	}
}

// TestForeignPosition: a comparison is not resumed with a table that was created again, nor at another service.
func TestForeignPosition(t *testing.T) {
	for name, c := range map[string]struct{ args, before, want string }{
		"diff":   {"diff orders orders2 -budget 2", differ, "start from the beginning"},
		"verify": {"verify backup orders2 -budget 4", "export orders backup -name monday\n" + differ, "start from the beginning"},
	} {
		t.Run(name, func(t *testing.T) {
			engine, _ := shop(t, nil)
			t.Chdir(t.TempDir())
			for line := range strings.Lines(c.before) {
				if _, errs, err := output(t, fields(strings.TrimSpace(line))...); err != nil {
					t.Fatal(err, errs)
				}
			}
			_, errs, status := program(t, "", append([]string{"ddb"}, fields(c.args)...))
			position := positionFile.FindString(errs)
			if status != exitBudget || position == "" {
				t.Fatal(status, errs)
			}
			table := "orders2"
			out, err := engine.Client().DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := engine.Client().DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
				t.Fatal(err)
			}
			again := &dynamodb.CreateTableInput{TableName: &table, KeySchema: out.Table.KeySchema, AttributeDefinitions: out.Table.AttributeDefinitions, BillingMode: types.BillingModePayPerRequest}
			if _, err := engine.Client().CreateTable(t.Context(), again); err != nil {
				t.Fatal(err)
			}
			if out, errs, status := program(t, "", []string{"ddb", "resume", position}); status != exitFailed || out != "" || !strings.Contains(errs, c.want) || strings.Contains(errs, "go on") {
				t.Errorf("a table that was created again: %d, %s%s", status, out, errs)
			}
			_ = serve(t, engine.Handler()) // at another port
			if out, errs, status := program(t, "", []string{"ddb", "resume", position}); status != exitFailed || out != "" || !strings.Contains(errs, "the position belongs to") {
				t.Errorf("another service: %d, %s%s", status, out, errs)
			}
			if _, err := os.Stat(position); err != nil {
				t.Error(err)
			}
		})
	}
}
