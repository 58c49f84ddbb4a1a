// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest/draw"
)

type task struct {
	ID      string  `dynamodbav:"id"`
	Team    string  `dynamodbav:"team"`
	Status  string  `dynamodbav:"status"`
	Place   address `dynamodbav:"place"`
	Note    string  `dynamodbav:"note"`
	Weight  int     `dynamodbav:"weight"`
	Open    string  `dynamodbav:"open,omitempty"`
	Where   string  `dynamodbav:"where,omitempty"`
	Shard   string  `dynamodbav:"shard,omitempty"`
	Plain   string  `dynamodbav:"plain"`
	Version int64   `dynamodbav:"version"`
}

var (
	taskID      = ddb.StrField(func(t *task) *string { return &t.ID })
	taskTeam    = ddb.StrField(func(t *task) *string { return &t.Team })
	taskStatus  = ddb.StrField(func(t *task) *string { return &t.Status })
	taskPlace   = ddb.Field(func(t *task) *address { return &t.Place })
	taskCity    = ddb.StrField(func(t *task) *string { return &t.Place.City })
	taskZip     = ddb.StrField(func(t *task) *string { return &t.Place.Zip })
	taskNote    = ddb.StrField(func(t *task) *string { return &t.Note })
	taskWeight  = ddb.NumField(func(t *task) *int { return &t.Weight })
	taskOpen    = ddb.StrField(func(t *task) *string { return &t.Open })
	taskWhere   = ddb.StrField(func(t *task) *string { return &t.Where })
	taskShard   = ddb.StrField(func(t *task) *string { return &t.Shard })
	taskPlain   = ddb.StrField(func(t *task) *string { return &t.Plain })
	taskVersion = ddb.NumField(func(t *task) *int64 { return &t.Version })
)

func openOf(t *task) (string, bool)  { return t.Team + "#" + t.Status, t.Status == "open" }
func whereOf(t *task) (string, bool) { return t.Place.City, t.Place.City != "" }
func shardOf(t *task) (string, bool) { return fmt.Sprint("s", len(t.ID)%4), true }

// taskTable is a table and the client of its transactions.
type taskTable struct {
	*ddb.SimpleTable[task, string]
	client ddb.Client
}

func (t taskTable) transact(ctx context.Context, op ddb.TxOp) error {
	return ddb.Transact(ctx, t.client, op)
}

func newTasks(t testing.TB, opts ...ddb.TableOption) taskTable {
	t.Helper()
	client := newClient(t)
	opts = append(opts, ddb.Derive(taskOpen, openOf, taskTeam, taskStatus), ddb.Derive(taskWhere, whereOf, taskCity), ddb.Derive(taskShard, shardOf, taskID))
	tasks, err := ddb.NewSimple(client, tableName(t), taskID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := tasks.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return taskTable{tasks, client}
}

// derivedOf returns the correct derived attributes of a task.
func derivedOf(t task) [3]string {
	var d [3]string
	for i, f := range []func(*task) (string, bool){openOf, whereOf, shardOf} {
		if v, ok := f(&t); ok {
			d[i] = v
		}
	}
	return d
}

func TestDeriveOnEveryPut(t *testing.T) {
	ctx := t.Context()
	for name, write := range map[string]func(taskTable, *task) error{
		"Put":       func(tasks taskTable, x *task) error { return tasks.Put(ctx, x) },
		"Replace":   func(tasks taskTable, x *task) error { return tasks.Replace(ctx, x) },
		"BatchPut":  func(tasks taskTable, x *task) error { return tasks.BatchPut(ctx, []task{*x}) },
		"TxPut":     func(tasks taskTable, x *task) error { return tasks.transact(ctx, tasks.TxPut(x)) },
		"TxReplace": func(tasks taskTable, x *task) error { return tasks.transact(ctx, tasks.TxReplace(x)) },
	} {
		t.Run(name, func(t *testing.T) {
			tasks := newTasks(t)
			first := task{ID: "t1", Team: "db", Status: "open", Place: address{City: "Ulm"}}
			if err := tasks.Create(ctx, &first); err != nil || first.Open != "db#open" || first.Where != "Ulm" || first.Shard != "s2" {
				t.Fatalf("Create: %v, %+v", err, first)
			}
			// Values of the caller in derived fields are ignored.
			for _, x := range []task{
				{ID: "t1", Team: "ui", Status: "open", Open: "stale", Where: "stale"},
				{ID: "t1", Team: "ui", Status: "done", Open: "stale", Place: address{City: "Bonn"}},
			} {
				want, given := derivedOf(x), x
				if err := write(tasks, &x); err != nil {
					t.Fatal(err)
				}
				got, err := tasks.Get(ctx, "t1")
				if err != nil || [3]string{got.Open, got.Where, got.Shard} != want {
					t.Errorf("stored %+v, want %v: %v", got, want, err)
				}
				if name == "BatchPut" {
					got = given
				}
				if diff := cmp.Diff(got, x); diff != "" {
					t.Errorf("the caller's item (-want +got):\n%s", diff)
				}
			}
			if n, err := tasks.Scan().Filter(ddb.Exists(taskOpen)).Count(ctx); n != 0 || err != nil {
				t.Errorf("the attribute of a closed task is still there: %d, %v", n, err)
			}
		})
	}
}

func TestDeriveFailedWriteChangesNothing(t *testing.T) {
	ctx := t.Context()
	tasks := newTasks(t, ddb.Version(taskVersion))
	x := task{ID: "t1", Team: "db", Status: "open"}
	if err := tasks.Create(ctx, &x); err != nil || x.Version != 1 {
		t.Fatal(err, x)
	}
	again := task{ID: "t1", Team: "db", Status: "open"}
	for name, err := range map[string]error{"Create": tasks.Create(ctx, &again), "TxCreate": tasks.transact(ctx, tasks.TxCreate(&again))} {
		if !errors.Is(err, ddb.ErrConditionFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if again.Open != "" || again.Shard != "" || again.Version != 0 {
		t.Error("a failed write changed the caller's item")
	}
}

func TestDeriveOnUpdate(t *testing.T) {
	ctx := t.Context()
	type changes = []ddb.UpdateOption[task]
	for _, c := range []struct {
		name     string
		changes  changes
		want     string // of open and where
		rejected string // text of the error
	}{
		{"others", changes{taskNote.Set("x"), taskWeight.Add(1)}, "db#open Ulm", ""},
		{"one member of two", changes{taskStatus.Set("done")}, "", "changes status and must give team too"},
		{"the other member", changes{taskTeam.Set("ui")}, "", "changes team and must give status too"},
		{"both, still in", changes{taskTeam.Set("ui"), taskStatus.Set("open")}, "ui#open Ulm", ""},
		{"both, out", changes{taskTeam.Set("ui"), taskStatus.Set("done")}, " Ulm", ""},
		{"removed members", changes{ddb.Remove(taskTeam), ddb.Remove(taskStatus)}, " Ulm", ""},
		{"a member not given by value", changes{taskTeam.Set("ui"), ddb.SetIfMissing(taskStatus, "open")}, "", "must give status too"},
		{"a member copied", changes{taskTeam.Set("ui"), ddb.SetFrom(taskStatus, taskNote)}, "", "must give status too"},
		{"nested member", changes{taskCity.Set("Bonn")}, "db#open Bonn", ""},
		{"nested member removed", changes{ddb.Remove(taskCity)}, "db#open ", ""},
		{"sibling of a nested member", changes{taskZip.Set("1")}, "db#open Ulm", ""},
		{"parent of a nested member", changes{taskPlace.Set(address{City: "Bonn"})}, "db#open Bonn", ""},
		{"parent of a nested member removed", changes{ddb.Remove(taskPlace)}, "db#open ", ""},
		{"the attribute itself", changes{taskOpen.Set("mine")}, "", "attribute open is derived from team, status"},
		{"the attribute removed", changes{ddb.Remove(taskOpen)}, "", "attribute open is derived from team, status"},
	} {
		for _, verb := range []string{"Update", "Upsert", "TxUpdate", "TxUpsert"} {
			t.Run(verb+" "+c.name, func(t *testing.T) {
				tasks := newTasks(t)
				x := task{ID: "t1", Team: "db", Status: "open", Place: address{City: "Ulm"}}
				if err := tasks.Create(ctx, &x); err != nil {
					t.Fatal(err)
				}
				var err error
				switch verb {
				case "Update":
					_, err = tasks.Update(ctx, "t1", c.changes...)
				case "Upsert":
					_, err = tasks.Upsert(ctx, "t1", c.changes...)
				case "TxUpdate":
					err = tasks.transact(ctx, tasks.TxUpdate("t1", c.changes...))
				case "TxUpsert":
					err = tasks.transact(ctx, tasks.TxUpsert("t1", c.changes...))
				}
				got, getErr := tasks.Get(ctx, "t1")
				if getErr != nil {
					t.Fatal(getErr)
				}
				if c.rejected != "" {
					if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), c.rejected) {
						t.Errorf("error %v, want %q", err, c.rejected)
					}
					if diff := cmp.Diff(x, got); diff != "" {
						t.Errorf("a refused update changed the item:\n%s", diff)
					}
					return
				}
				if state := got.Open + " " + got.Where; err != nil || state != c.want || got.Shard != "s2" {
					t.Errorf("%q %q, want %q: %v", state, got.Shard, c.want, err)
				}
			})
		}
	}
}

// TestDeriveUpsertMakesWholeItems: an item that an upsert creates has the same derived attributes as after a put.
func TestDeriveUpsertMakesWholeItems(t *testing.T) {
	ctx := t.Context()
	tasks := newTasks(t)
	got, err := tasks.Upsert(ctx, "new", taskNote.Set("x"))
	if err != nil || got.Shard != "s3" || got.Open != "" {
		t.Errorf("shard %q, open %q, %v", got.Shard, got.Open, err)
	}
	lazy, err := ddb.NewSimple(newClient(t), tableName(t), taskID,
		ddb.Derive(taskOpen, func(x *task) (string, bool) { return "todo", x.Status == "" }, taskStatus))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lazy.Upsert(ctx, "new", taskNote.Set("x")); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "must give status") {
		t.Errorf("an upsert that could make an item without its derived attribute: %v", err)
	}
}

func TestDeriveRefusesBadFunctions(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		from func(*task) (string, bool)
		want string
	}{
		"reads more than its members": {func(x *task) (string, bool) { return x.Team + x.Note, true }, "name all attributes that it reads"},
		"empty value":                 {func(*task) (string, bool) { return "", true }, "empty value"},
		"panics":                      {func(x *task) (string, bool) { panic(x.Team) }, "its function panicked"},
	} {
		client := newClient(t)
		table, err := ddb.NewSimple(client, tableName(t), taskID, ddb.Derive(taskOpen, c.from, taskTeam))
		if err != nil {
			t.Fatal(err)
		}
		tasks := taskTable{table, client}
		x := task{ID: "t1", Team: "canary", Note: "canary"}
		for verb, err := range map[string]error{"Put": tasks.Put(ctx, &x), "TxPut": tasks.transact(ctx, tasks.TxPut(&x)), "BatchPut": tasks.BatchPut(ctx, []task{x})} {
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s, %s: %v", name, verb, err)
			}
		}
	}
}

func TestDeriveDeclarations(t *testing.T) {
	var none func(*task) (string, bool)
	_, err := ddb.NewSimple(newClient(t), tableName(t), taskID,
		ddb.Derive(taskPlain, openOf, taskTeam),
		ddb.Derive(taskID, openOf, taskTeam),
		ddb.Derive(taskCity, openOf, taskTeam),
		ddb.Derive(taskOpen, none),
		ddb.Derive(taskOpen, openOf, taskTeam, taskTeam),
		ddb.Derive(taskOpen, openOf, taskOpen),
		ddb.Derive(taskWhere, openOf, taskVersion, nil, userName),
		ddb.Derive(taskShard, openOf, taskVersion),
		ddb.Version(taskVersion))
	if !errors.Is(err, ddb.ErrInvalid) {
		t.Fatal(err)
	}
	for _, want := range []string{
		"attribute plain cannot be absent", "attribute id is a key", "place.city is not a top-level attribute",
		"the function is nil", "no members", "open is derived twice", "the member team twice", "the member open, which is derived itself",
		"member 1: a zero handle was used", "member 2: handle of apitest.User", "the member version, which is kept by the table",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in: %v", want, err)
		}
	}
}

// TestDerivedIsNeverStale: after any sequence of writes, accepted or refused, the
// stored derived attributes match the stored members.
func TestDerivedIsNeverStale(t *testing.T) {
	tasks := newTasks(t)
	ctx := t.Context()
	rapid.Check(t, func(r *rapid.T) {
		word := func(label string) string { return draw.Of(r, []string{"", "open", "done", "ui"}, label) }
		for range draw.Int(r, 1, 12, "writes") {
			id := draw.Of(r, []string{"t", "t1"}, "id")
			if draw.Bool(r, "put") {
				x := task{ID: id, Team: word("team"), Status: word("status"), Place: address{City: word("city")}, Open: "stale"}
				if err := tasks.Put(ctx, &x); err != nil {
					r.Fatal(err)
				}
			} else {
				choice := []ddb.Change[task]{
					taskTeam.Set(word("team")), taskStatus.Set(word("status")), ddb.Remove(taskStatus), taskNote.Set("n"), ddb.SetIfMissing(taskTeam, "x"),
				}
				var list []ddb.Change[task]
				for _, i := range draw.DistinctInts(r, 0, len(choice)-1, 1, 4, "changes") {
					list = append(list, choice[i])
				}
				_, err := tasks.Upsert(ctx, id, ddb.Changes(list...))
				if err != nil && !errors.Is(err, ddb.ErrInvalid) {
					r.Fatal(err)
				}
			}
			for x, err := range tasks.Scan().All(ctx) {
				if want := derivedOf(x); err != nil || [3]string{x.Open, x.Where, x.Shard} != want {
					r.Fatalf("%+v, want %v: %v", x, want, err)
				}
			}
		}
	})
}

func TestWarnSize(t *testing.T) {
	ctx := t.Context()
	var (
		mu    sync.Mutex
		sizes []int
	)
	tasks := newTasks(t, ddb.WarnSize(1000, func(table string, size int) {
		mu.Lock()
		defer mu.Unlock()
		if table == "" {
			t.Error("no table name")
		}
		sizes = append(sizes, size)
	}))
	sized := func(id string, n int) task { return task{ID: id, Note: strings.Repeat("n", n)} }
	small, large, huge := sized("a", 100), sized("b", 2000), sized("c", 500_000)
	// Names and values without the note: id, team, status, place{city,zip}, note, weight, shard, plain, version.
	const rest = 2 + 1 + 4 + 6 + 5 + 3 + (1 + 4 + 1 + 3 + 1) + 4 + 6 + 1 + 5 + 2 + 5 + 7 + 1
	for _, c := range []struct {
		name string
		err  error
		fail bool
	}{
		{"small", tasks.Put(ctx, &small), false},
		{"large", tasks.Put(ctx, &large), false},
		{"transaction", ddb.Transact(ctx, tasks.client, tasks.TxPut(&small), tasks.TxPut(&large)), false},
		{"batch", tasks.BatchPut(ctx, []task{small, sized("b", 3000), large}), false},
		{"failed condition", tasks.Create(ctx, &large), true},
		{"too large", tasks.Put(ctx, &huge), true},
		{"cancelled transaction", tasks.transact(ctx, tasks.TxCreate(&large)), true},
	} {
		if (c.err != nil) != c.fail {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
	if len(sizes) != 3 || slices.Max(sizes) != slices.Min(sizes) || sizes[0] < 2000 || sizes[0] > 2000+2*rest {
		t.Errorf("sizes %v", sizes)
	}
	_, err := ddb.NewSimple(newClient(t), tableName(t), taskID, ddb.WarnSize(0, nil))
	if err == nil || !strings.Contains(err.Error(), "mark must be 1 to") || !strings.Contains(err.Error(), "function is nil") {
		t.Error(err)
	}
}
