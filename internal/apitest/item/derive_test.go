// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/apitest/draw"
)

// job is in three sparse indexes whose keys share members.
type job struct {
	ID     string `dynamodbav:"id"`
	Status string `dynamodbav:"status"`
	Owner  string `dynamodbav:"owner"`
	Due    string `dynamodbav:"due"`
	Team   string `dynamodbav:"team"`
	Note   string `dynamodbav:"note"`
	Count  int    `dynamodbav:"count"`

	OpenDue   string `dynamodbav:"open_due,omitempty"`
	OpenOwner string `dynamodbav:"open_owner,omitempty"`
	TeamDue   string `dynamodbav:"team_due,omitempty"`
}

var (
	jobID        = ddb.StrField(func(j *job) *string { return &j.ID })
	jobStatus    = ddb.StrField(func(j *job) *string { return &j.Status })
	jobOwner     = ddb.StrField(func(j *job) *string { return &j.Owner })
	jobDue       = ddb.StrField(func(j *job) *string { return &j.Due })
	jobTeam      = ddb.StrField(func(j *job) *string { return &j.Team })
	jobNote      = ddb.StrField(func(j *job) *string { return &j.Note })
	jobCount     = ddb.NumField(func(j *job) *int { return &j.Count })
	jobOpenDue   = ddb.StrField(func(j *job) *string { return &j.OpenDue })
	jobOpenOwner = ddb.StrField(func(j *job) *string { return &j.OpenOwner })
	jobTeamDue   = ddb.StrField(func(j *job) *string { return &j.TeamDue })
)

func openDue(j *job) (string, bool)   { return j.Due, j.Status == "open" && j.Due != "" }
func openOwner(j *job) (string, bool) { return j.Owner, j.Status == "open" && j.Owner != "" }
func teamDue(j *job) (string, bool)   { return j.Team + "#" + j.Due, j.Team != "" && j.Due != "" }

type jobs = ddb.SimpleTable[job, string]

func newJobs(t ddbtestTB) (*jobs, *ddbtest.Engine) {
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	table, err := ddb.NewSimple(e.Client(), "jobs", jobID,
		ddb.Derive(jobOpenDue, openDue, jobStatus, jobDue), ddb.Derive(jobOpenOwner, openOwner, jobStatus, jobOwner), ddb.Derive(jobTeamDue, teamDue, jobTeam, jobDue))
	if err == nil {
		err = table.CreateTable(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	return table, e
}

type ddbtestTB interface {
	Cleanup(func())
	Fatal(...any)
}

var stored = job{ID: "j", Status: "open", Owner: "ann", Due: "d1", Team: "db"}

// TestProvenMembers: an update need not set a member whose value a condition proves, and setting a member to its proven value is no change.
func TestProvenMembers(t *testing.T) {
	type options = []ddb.UpdateOption[job]
	is := func(c ...ddb.Cond[job]) ddb.UpdateOption[job] { return ddb.If(c...) }
	for name, c := range map[string]struct {
		opts     options
		want     string   // of the three derived attributes
		rejected []string // text of the error
	}{
		"proven by conditions":      {options{jobStatus.Set("done"), is(jobDue.Eq("d1"), jobOwner.Eq("ann"))}, "  db#d1", nil},
		"proven in parts":           {options{jobStatus.Set("done"), is(jobDue.Eq("d1")), is(ddb.And(jobOwner.Eq("ann"), jobNote.Ne("x")))}, "  db#d1", nil},
		"still in":                  {options{jobOwner.Set("bob"), is(jobStatus.Eq("open"))}, "d1 bob db#d1", nil},
		"proven absent":             {options{jobStatus.Set("done"), is(jobDue.Eq("d1"), ddb.NotExists(jobOwner))}, "", []string{"condition failed"}},
		"set to what it is":         {options{jobStatus.Set("done"), jobDue.Set("d1"), jobOwner.Set("ann"), is(jobDue.Eq("d1"))}, "  db#d1", nil},
		"all set to what they are":  {options{jobStatus.Set("open"), jobDue.Set("d1"), is(jobStatus.Eq("open"), jobDue.Eq("d1"))}, "d1 ann db#d1", nil},
		"set to another value":      {options{jobDue.Set("d2"), is(jobDue.Eq("d1"), jobStatus.Eq("open"), jobTeam.Eq("db"))}, "d2 ann db#d2", nil},
		"one proven, one not":       {options{jobStatus.Set("done"), is(jobDue.Eq("d1"))}, "", []string{"must give owner too"}},
		"not proven by or":          {options{jobStatus.Set("done"), jobOwner.Set("ann"), is(ddb.Or(jobDue.Eq("d1"), jobDue.Eq("d2")))}, "", []string{"must give due too"}},
		"not proven by not":         {options{jobStatus.Set("done"), jobOwner.Set("ann"), is(ddb.Not(jobDue.Eq("d1")))}, "", []string{"must give due too"}},
		"not proven by greater":     {options{jobStatus.Set("done"), jobOwner.Set("ann"), is(jobDue.Ge("d1"))}, "", []string{"must give due too"}},
		"not proven when raised":    {options{jobCount.Add(1)}, "d1 ann db#d1", nil},
		"the closure, in one error": {options{jobStatus.Set("done")}, "", []string{"must give due too", "must give owner too", "must give due, owner, team in all", "ddb.If"}},
		"a condition that is false": {options{jobStatus.Set("done"), is(jobDue.Eq("other"), jobOwner.Eq("ann"))}, "", []string{"condition failed"}},
	} {
		for verb, run := range map[string]func(*jobs, ddb.Client, options) error{
			"Update": func(table *jobs, _ ddb.Client, o options) error {
				_, err := table.Update(t.Context(), "j", o...)
				return err
			},
			"Upsert": func(table *jobs, _ ddb.Client, o options) error {
				_, err := table.Upsert(t.Context(), "j", o...)
				return err
			},
			"TxUpdate": func(table *jobs, client ddb.Client, o options) error {
				return ddb.Transact(t.Context(), client, table.TxUpdate("j", o...))
			},
		} {
			if verb == "Upsert" && name == "not proven when raised" {
				continue // it may make an item
			}
			table, e := newJobs(t)
			x := stored
			if err := table.Create(t.Context(), &x); err != nil {
				t.Fatal(err)
			}
			err := run(table, e.Client(), c.opts)
			got, getErr := table.Get(t.Context(), "j")
			if getErr != nil {
				t.Fatal(getErr)
			}
			if c.rejected != nil {
				for _, w := range c.rejected {
					if err == nil || !strings.Contains(err.Error(), w) {
						t.Errorf("%s, %s: the error %v does not contain %q", name, verb, err, w)
					}
				}
				if got != x {
					t.Errorf("%s, %s: the item has changed", name, verb)
				}
				continue
			}
			if derived := got.OpenDue + " " + got.OpenOwner + " " + got.TeamDue; err != nil || derived != c.want {
				t.Errorf("%s, %s: %q, want %q: %v", name, verb, derived, c.want, err)
			}
		}
	}
}

// TestNeverStale: every update, whatever it sets and proves, is refused or leaves correct derived attributes.
func TestNeverStale(t *testing.T) {
	attrs := map[string]ddb.Str[job, string]{"status": jobStatus, "owner": jobOwner, "due": jobDue, "team": jobTeam}
	values := map[string][]string{"status": {"open", "done"}, "owner": {"ann", "bob"}, "due": {"d1", "d2"}, "team": {"db", "ui"}}
	rapid.Check(t, func(r *rapid.T) {
		table, _ := newJobs(r)
		x := stored
		if err := table.Create(context.Background(), &x); err != nil {
			r.Fatal(err)
		}
		var opts []ddb.UpdateOption[job]
		var conds []ddb.Cond[job]
		for _, name := range []string{"status", "owner", "due", "team"} {
			a := attrs[name]
			switch draw.Int(r, 0, 3, "change of "+name) {
			case 0:
				opts = append(opts, a.Set(draw.Of(r, values[name], "value")))
			case 1:
				opts = append(opts, ddb.Remove(a))
			}
			switch v := draw.Of(r, values[name], "proof"); draw.Int(r, 0, 4, "kind") {
			case 0, 1:
				conds = append(conds, a.Eq(v))
			case 2:
				conds = append(conds, ddb.Or(a.Eq(v), a.Eq("zz")))
			case 3:
				conds = append(conds, ddb.NotExists(a))
			}
		}
		opts = append(opts, jobNote.Set("n"))
		if len(conds) > 0 {
			opts = append(opts, ddb.If(conds...))
		}
		_, err := table.Update(context.Background(), "j", opts...)
		if err != nil && !errors.Is(err, ddb.ErrInvalid) && !errors.Is(err, ddb.ErrConditionFailed) {
			r.Fatal(err)
		}
		got, err := table.Get(context.Background(), "j")
		if err != nil {
			r.Fatal(err)
		}
		for name, d := range map[string]struct {
			from func(*job) (string, bool)
			got  string
		}{"open_due": {openDue, got.OpenDue}, "open_owner": {openOwner, got.OpenOwner}, "team_due": {teamDue, got.TeamDue}} {
			want, ok := d.from(&got)
			if !ok {
				want = ""
			}
			if d.got != want {
				r.Fatalf("%s is %q, want %q: %+v", name, d.got, want, got)
			}
		}
	})
}
