// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dynamotable/ddb/progress"
)

// watching is the flag that sets how the progress of a command is shown.
type watching struct{ mode string }

func (w *watching) define(f *flag.FlagSet) {
	f.StringVar(&w.mode, "progress", "auto", "the `form` of the progress on standard error: auto, json or none")
}

// lineEvery is the interval of progress lines if lines cannot be overwritten.
const lineEvery = 30 * time.Second

func (w *watching) check() error {
	switch w.mode {
	case "auto", "json", "none", "":
		return nil
	}
	return errors.New("-progress is auto, json or none")
}

// reports makes the long calls of a context show their progress. The returned function ends the line.
func (w *watching) reports(ctx context.Context, s streams) (context.Context, func()) {
	switch w.mode {
	case "auto":
		l := newProgressLine(s)
		return progress.With(ctx, l.show), l.end
	case "json":
		e := json.NewEncoder(s.err)
		return progress.With(ctx, func(p progress.Progress) { _ = e.Encode(p) }), func() {}
	}
	return ctx, func() {}
}

// shown runs do as a task with a name and shows its progress.
func shown(ctx context.Context, name string, do func(context.Context, *progress.Task) error) error {
	ctx, task := progress.Start(ctx, name)
	defer task.Stop("it ended with a panic") // no effect if it has ended before
	err := do(ctx, task)
	task.End(err)
	return err
}

// progressLine is a line that is overwritten on a terminal. Elsewhere a new line is written every 30 seconds.
type progressLine struct {
	s       streams
	columns int
	redraw  bool
	plain   bool // without colour

	mu    sync.Mutex
	last  time.Time // of the last line, if lines cannot be overwritten
	drawn bool
}

func newProgressLine(s streams) *progressLine {
	return &progressLine{s: s, columns: columns(), redraw: s.terminal && os.Getenv("TERM") != "dumb", plain: os.Getenv("NO_COLOR") != ""}
}

func (l *progressLine) show(p progress.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.redraw {
		if l.last.IsZero() {
			l.last = p.Started
		}
		if p.At.Sub(l.last) >= lineEvery {
			l.last = p.At
			fmt.Fprintln(l.s.err, p)
		}
		return
	}
	text := cut(p.String(), l.columns-1)
	if !l.plain {
		text = "\x1b[2m" + text + "\x1b[0m"
	}
	fmt.Fprintf(l.s.err, "\r%s\x1b[K", text)
	l.drawn = true
}

// end removes the line, so that further output begins at the start of a line.
func (l *progressLine) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		fmt.Fprint(l.s.err, "\r\x1b[K")
		l.drawn = false
	}
}

// cut shortens a text to n characters.
func cut(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:max(0, n)])
}

// columns returns the width of the terminal, if the shell exports it, or 80.
func columns() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 10 {
		return n
	}
	return 80
}

// isTerminal reports whether a file is a terminal.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
