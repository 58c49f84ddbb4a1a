// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// result is what a package's tests came to.
type result struct {
	name                    string
	passed, failed, skipped int
	failures                []string // names of tests
	ended                   string   // pass, fail, or empty if it never ended
	output                  []string // its last lines
}

// results reads the events of go test -json.
func results(events []byte) []result {
	packages := make(map[string]*result)
	for line := range bytes.Lines(events) {
		var event struct {
			Action  string `json:"Action"`
			Package string `json:"Package"`
			Test    string `json:"Test"`
			Output  string `json:"Output"`
		}
		if json.Unmarshal(line, &event) != nil || event.Package == "" {
			continue
		}
		r := packages[event.Package]
		if r == nil {
			r = &result{name: event.Package}
			packages[event.Package] = r
		}
		switch {
		case event.Action == "output":
			const last = 40
			if r.output = append(r.output, event.Output); len(r.output) > last {
				r.output = r.output[1:]
			}
		case event.Test == "" && (event.Action == "pass" || event.Action == "fail" || event.Action == "skip"):
			r.ended = event.Action
		case event.Test == "":
		case event.Action == "pass":
			r.passed++
		case event.Action == "skip":
			r.skipped++
		case event.Action == "fail":
			r.failed++
			r.failures = append(r.failures, event.Test)
		}
	}
	all := make([]result, 0, len(packages))
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		all = append(all, *packages[name])
	}
	return all
}

// A report is what a run has shown.
type report struct {
	settings           settings
	began              time.Time
	took               time.Duration
	commit, goVersion  string
	results            []result
	requests, rejected map[string]int
	spent              float64
	deleted            int
	left               []string
}

func (r report) write(file string, stdout io.Writer) error {
	if file == "" {
		_, err := io.WriteString(stdout, r.String())
		return err
	}
	return os.WriteFile(file, []byte(r.String()), 0o644) //nolint:gosec // for all to read
}

func (r report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Tests on DynamoDB, %s\n\n", r.began.UTC().Format(time.DateOnly))
	where := "Region " + r.settings.region
	if r.settings.endpoint != "" {
		where = "another server than DynamoDB, " + r.settings.endpoint
	}
	fmt.Fprintf(&b, "Commit %s, %s, %s. Began %s, took %s.\n\n", r.commit, r.goVersion, where, r.began.UTC().Format(time.RFC3339), r.took.Round(time.Second))
	b.WriteString("| package | result | passed | failed | skipped |\n|---|---|---|---|---|\n")
	for _, p := range r.results {
		ended := p.ended
		if ended == "" {
			ended = "did not end"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d |\n", p.name, ended, p.passed, p.failed, p.skipped)
	}
	for _, p := range r.results {
		for _, test := range p.failures {
			fmt.Fprintf(&b, "\nFailed: %s %s\n", p.name, test)
		}
	}
	fmt.Fprintf(&b, "\nUnits: about %.0f of %.0f.\n\n| operation | requests |\n|---|---|\n", r.spent, r.settings.units)
	for _, operation := range slices.Sorted(maps.Keys(r.requests)) {
		fmt.Fprintf(&b, "| %s | %d |\n", operation, r.requests[operation])
	}
	if len(r.rejected) > 0 {
		b.WriteString("\n| not sent, because | requests |\n|---|---|\n")
		for _, reason := range slices.Sorted(maps.Keys(r.rejected)) {
			fmt.Fprintf(&b, "| %s | %d |\n", reason, r.rejected[reason])
		}
	}
	fmt.Fprintf(&b, "\nTables deleted at the end: %d.", r.deleted)
	if len(r.left) > 0 {
		fmt.Fprintf(&b, " STILL THERE, delete them by hand: %s.", strings.Join(r.left, ", "))
	}
	b.WriteString("\n")
	return b.String()
}
