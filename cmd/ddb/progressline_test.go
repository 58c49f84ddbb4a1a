// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb/progress"
)

// TestProgressLine: on a terminal one line is overwritten, and removed at the end; elsewhere a line is written every 30 seconds.
func TestProgressLine(t *testing.T) {
	start := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) progress.Progress {
		return progress.Progress{Job: "scan of orders", State: progress.Running, Started: start, At: start.Add(time.Duration(seconds) * time.Second), Items: int64(seconds)}
	}
	for name, test := range map[string]struct {
		terminal bool
		env      map[string]string
		want     string
	}{
		"terminal": {true, nil, "\r\x1b[2mscan of orders: running, 1 items, 1s\x1b[0m\x1b[K\r\x1b[2mscan of orders: running, 31 items, 31s\x1b[0m\x1b[K" +
			"\r\x1b[2mscan of orders: running, 45 items, 45s\x1b[0m\x1b[K\r\x1b[2mscan of orders: running, 62 items, 1m2s\x1b[0m\x1b[K\r\x1b[K"},
		"narrow":    {true, map[string]string{"COLUMNS": "20", "NO_COLOR": "1"}, strings.Repeat("\rscan of orders: run\x1b[K", 4) + "\r\x1b[K"},
		"dumb":      {true, map[string]string{"TERM": "dumb"}, "scan of orders: running, 31 items, 31s\nscan of orders: running, 62 items, 1m2s\n"},
		"elsewhere": {false, nil, "scan of orders: running, 31 items, 31s\nscan of orders: running, 62 items, 1m2s\n"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, name := range []string{"NO_COLOR", "COLUMNS", "TERM"} {
				t.Setenv(name, test.env[name])
			}
			var e strings.Builder
			l := newProgressLine(streams{err: &e, terminal: test.terminal})
			for _, second := range []int{1, 31, 45, 62} {
				l.show(at(second))
			}
			l.end()
			l.end()
			if e.String() != test.want {
				t.Errorf("%q\nwant\n%q", e.String(), test.want)
			}
		})
	}
}

// TestProgressForMachines: each report is a line of JSON; the last one says that the task is done.
func TestProgressForMachines(t *testing.T) {
	shop(t, nil)
	_, errs, err := output(t, "scan", "orders", "-page", "1", "-progress", "json")
	if err != nil {
		t.Fatal(err)
	}
	var last struct {
		Job, State string
		Items      int
		Units      struct{ Read float64 }
	}
	reports := 0
	for line := range strings.Lines(errs) {
		if strings.HasPrefix(line, "{") {
			reports++
			if err := json.Unmarshal([]byte(line), &last); err != nil {
				t.Fatal(err)
			}
		}
	}
	if reports < 2 || last.Job != "scan of orders" || last.State != "done" || last.Items != 4 || last.Units.Read < 2 {
		t.Errorf("%+v\n%s", last, errs)
	}
	if _, errs, err := output(t, "scan", "orders", "-progress", "none"); err != nil || strings.Contains(errs, "done") {
		t.Errorf("%v\n%s", err, errs)
	}
}

// TestPanicIsNotDone: a task that ends with a panic is not shown as done.
func TestPanicIsNotDone(t *testing.T) {
	t.Parallel()
	jobs := progress.NewTracker()
	func() {
		defer func() { _ = recover() }()
		_ = shown(jobs.With(t.Context()), "scan of orders", func(context.Context, *progress.Task) error { panic("a bug") })
	}()
	if list := jobs.List(); len(list) != 1 || list[0].State != progress.Stopped {
		t.Errorf("got %v", list)
	}
}

// TestIsTerminal: a file, a pipe and the null device are not terminals.
func TestIsTerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isTerminal(null) || isTerminal(file) {
		t.Error("something else counts as a terminal")
	}
	if tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil {
		defer tty.Close()
		if !isTerminal(tty) {
			t.Error("a terminal does not count as one")
		}
	}
}

// TestSignal: on a signal the program ends with status 130 and prints a command that resumes the work, and that command works.
func TestSignal(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stop interruption
	shop(t, stop.wrap)
	var out, errs strings.Builder
	command := exec.CommandContext(t.Context(), program, "scan", "orders", "-page", "1", "-attributes", "id")
	command.Env = append(os.Environ(), asProgram+"=1")
	command.Stdout, command.Stderr = &out, &errs
	started := make(chan struct{})
	stop.set(5, false, func() {
		<-started
		_ = command.Process.Signal(os.Interrupt)
	})
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	err = command.Wait()
	stop.set(0, false, nil)
	if command.ProcessState.ExitCode() != exitStopped || !strings.Contains(errs.String(), "ddb: stopped; go on with: ddb resume /") {
		t.Fatalf("%v, status %d\n%s", err, command.ProcessState.ExitCode(), errs.String())
	}
	more, _, err := output(t, "resume", positionFile.FindString(errs.String()))
	if n := strings.Count(out.String()+more, "\n"); err != nil || n != 4 || out.String() == "" {
		t.Errorf("%d lines, %v\n%s\n%s", n, err, out.String(), more)
	}
}
