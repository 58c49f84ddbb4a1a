// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/dynamotable/ddb/job"
)

// TestJobStatusOfFile: the state in a FileStore is printed like that in a table, without its position.
func TestJobStatusOfFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jobs.json")
	store := job.NewFileStore(file)
	if err := store.Swap(t.Context(), "totals", job.State{}, job.State{Position: "secret", Runs: 3}); err != nil {
		t.Fatal(err)
	}
	if out, _, err := output(t, "job", "status", "-file", file, "totals"); err != nil || out != `{"job":"totals","state":"stopped","runs":3}`+"\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestJobState: a job is running while its runner holds the lease.
func TestJobState(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for want, s := range map[string]job.State{
		"running":   {Token: "t", Owner: "a", Until: now.Add(time.Second), Position: "p", Runs: 1},
		"stopped":   {Token: "t", Owner: "a", Until: now, Position: "p", Runs: 1},
		"done":      {Runs: 1},
		"not begun": {},
	} {
		if got := stateOf("j", s, now); got.State != want || (got.Until != nil) != (want == "running") {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}
