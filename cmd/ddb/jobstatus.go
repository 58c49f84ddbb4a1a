// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"time"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/job"
)

var jobStatus = command{
	name:  "job status",
	args:  "TABLE JOB...",
	brief: "print the state of jobs of package job",
	long: `
The table is the one in which the jobs keep their states; with -file it is a file of a FileStore. A line of JSON for each job says whether it is running, stopped,
done or not begun, who runs it, until when that runner has it unless it renews that, and how many runs have ended. It exits with status 1 if a job is not known.`,
	prepare: func(f *flag.FlagSet) action {
		var c connection
		c.define(f)
		file := f.Bool("file", false, "the states are in a file, not in a table")
		return func(ctx context.Context, s streams, args []string) error {
			if len(args) < 2 {
				return usageError("job status: name the table or the file, and one job or several")
			}
			var store job.Store = job.NewFileStore(args[0])
			if !*file {
				client, err := c.client(ctx, s)
				if err != nil {
					return err
				}
				if store, err = job.NewTableStore(client, args[0]); err != nil {
					return err
				}
			}
			unknown := 0
			for _, name := range args[1:] {
				state, err := store.Load(ctx, name)
				if err != nil {
					return fmt.Errorf("job %s: %w", name, ddberr.Redact(err))
				}
				line := stateOf(name, state, time.Now())
				if line.State == "not begun" {
					unknown++
				}
				text, err := json.Marshal(line)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintf(s.out, "%s\n", text); err != nil {
					return err
				}
			}
			if unknown > 0 {
				return fmt.Errorf("%d jobs are not known", unknown)
			}
			return nil
		}
	},
}

// jobLine is the state of a job as JSON. It has no position, because a position shows keys.
type jobLine struct {
	Job   string     `json:"job"`
	State string     `json:"state"`
	Owner string     `json:"owner,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	Runs  int64      `json:"runs"`
}

func stateOf(name string, s job.State, now time.Time) jobLine {
	line := jobLine{Job: name, Runs: s.Runs}
	switch {
	case s.Token != "" && s.Until.After(now):
		line.State, line.Owner, line.Until = "running", s.Owner, &s.Until
	case s.Position != "":
		line.State, line.Owner = "stopped", s.Owner
	case s.Runs > 0:
		line.State = "done"
	default:
		line.State = "not begun"
	}
	return line
}
