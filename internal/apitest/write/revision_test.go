// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/revision"
)

// account is an item that other programs also write, and whose table has a revision, a numeric version, or first the one and then the other.
type account struct {
	ID       string       `dynamodbav:"id"`
	Status   string       `dynamodbav:"status,omitempty"`
	N        int64        `dynamodbav:"n"`
	Version  uint8        `dynamodbav:"version"`
	Revision ddb.Revision `dynamodbav:"revision,omitzero"`
}

var (
	accountID       = ddb.StrField(func(a *account) *string { return &a.ID })
	accountStatus   = ddb.StrField(func(a *account) *string { return &a.Status })
	accountN        = ddb.NumField(func(a *account) *int64 { return &a.N })
	accountVersion  = ddb.NumField(func(a *account) *uint8 { return &a.Version })
	accountRevision = ddb.Field(func(a *account) *ddb.Revision { return &a.Revision })
)

type accounts = ddb.SimpleTable[account, string]

func newAccounts(t *testing.T, rules ...fault.Rule) *accounts {
	t.Helper()
	table, _ := newAccountsAndClient(t, rules...)
	return table
}

func newAccountsAndClient(t *testing.T, rules ...fault.Rule) (*accounts, ddb.Client) {
	t.Helper()
	e := ddbtest.NewEngine(ddbtest.WithFaults(rules...))
	t.Cleanup(e.Close)
	table, err := ddb.NewSimple(e.Client(), "accounts", accountID, ddb.Version(accountRevision))
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return table, e.Client()
}

// TestRevisionMoves: every write raises the revision of the stored item and sets it in the caller's item.
func TestRevisionMoves(t *testing.T) {
	ctx := t.Context()
	table, client := newAccountsAndClient(t)
	a := account{ID: "a"}
	seen := map[string]bool{}
	check := func(what string, err error, n uint64, mine *account) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got, err := table.Get(ctx, "a", ddb.Consistent())
		if err != nil || got.Revision.Number != n || seen[got.Revision.String()] || got.Revision.IsZero() {
			t.Errorf("%s: stored revision %s, want number %d, new: %v", what, got.Revision, n, err)
		}
		if mine != nil && mine.Revision != got.Revision {
			t.Errorf("%s: the caller's item has revision %s, stored is %s", what, mine.Revision, got.Revision)
		}
		seen[got.Revision.String()] = true
	}
	check("Create", table.Create(ctx, &a), 1, &a)
	check("Put", table.Put(ctx, &a), 2, &a)
	check("Replace", table.Replace(ctx, &a), 3, &a)
	got, err := table.Update(ctx, "a", accountN.Add(5))
	check("Update", err, 4, &got)
	got, err = table.Update(ctx, "a", accountN.Add(5), ddb.If(accountRevision.Eq(got.Revision)))
	check("Update at a revision", err, 5, &got)
	short, err := revision.ParseETag(got.Revision.ETag())
	if err != nil || !short.Same(got.Revision) {
		t.Fatalf("ETag %s: %v", got.Revision.ETag(), err)
	}
	got, err = table.Update(ctx, "a", accountN.Add(5), ddb.If(accountRevision.Eq(short)))
	check("Update at an entity tag", err, 6, &got)
	got, err = table.Upsert(ctx, "a", accountN.Add(5))
	check("Upsert", err, 7, &got)
	got, err = table.Update(ctx, "a", accountN.Add(5).AtLeastOnce())
	check("blind Update", err, 8, &got)
	if got.N != 25 {
		t.Errorf("n %d, want 25", got.N)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var back account
	if err := json.Unmarshal(text, &back); err != nil || !back.Revision.Same(got.Revision) {
		t.Fatalf("JSON %s: %v", text, err)
	}
	check("Put of an item from JSON", table.Put(ctx, &back), 9, &back)
	for i, tag := range got.Revision.Tags[:8] {
		if back.Revision.Tags[i+1] != tag {
			t.Errorf("tag %d was dropped", i)
		}
	}
	check("Put in a transaction", ddb.Transact(ctx, client, table.TxPut(&back)), 10, &back)
	check("Update in a transaction", ddb.Transact(ctx, client, table.TxUpdate("a", accountN.Add(1))), 11, nil)

	stale := a
	if err := table.Put(ctx, &stale); !errors.Is(err, ddb.ErrConditionFailed) || !strings.Contains(err.Error(), "was written since it was read") || stale.Revision != a.Revision {
		t.Errorf("stale Put: %v", err)
	}
	if err := table.DeleteItem(ctx, &stale); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Errorf("stale DeleteItem: %v", err)
	}
	if _, err := table.Update(ctx, "a", accountN.Add(1), ddb.If(accountRevision.Eq(stale.Revision))); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Errorf("stale Update: %v", err)
	}
	if err := table.Delete(ctx, "a"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if err := table.Delete(ctx, "a"); err != nil {
		t.Errorf("Delete of a deleted item: %v", err)
	}
	if _, err := table.Update(ctx, "a", accountN.Add(1)); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("Update of a deleted item: %v", err)
	}
	if got, err := table.Upsert(ctx, "a", accountN.Add(1)); err != nil || got.Revision.Number != 1 {
		t.Errorf("Upsert of a deleted item: %v, %v", got.Revision, err)
	}
}

// TestLostReplies: with the default options a lost request or reply makes no difference to the caller.
func TestLostReplies(t *testing.T) {
	for name, lose := range map[string]func(fault.Matcher) fault.Rule{
		"request": fault.Matcher.DropRequest, "reply": fault.Matcher.DropReply,
	} {
		for verb, write := range map[string]func(t *testing.T, table *accounts, a *account) error{
			"Put":     func(t *testing.T, table *accounts, a *account) error { return table.Put(t.Context(), a) },
			"Replace": func(t *testing.T, table *accounts, a *account) error { return table.Replace(t.Context(), a) },
			"Update": func(t *testing.T, table *accounts, a *account) error {
				_, err := table.Update(t.Context(), a.ID, accountN.Add(1))
				return err
			},
			"Update if open": func(t *testing.T, table *accounts, a *account) error {
				_, err := table.Update(t.Context(), a.ID, accountStatus.Set("paid"), ddb.If(accountStatus.Eq("open")))
				return err
			},
			"Update at a revision": func(t *testing.T, table *accounts, a *account) error {
				_, err := table.Update(t.Context(), a.ID, accountN.Add(1), ddb.If(accountRevision.Eq(a.Revision)))
				return err
			},
			"Create": func(t *testing.T, table *accounts, _ *account) error {
				return table.Create(t.Context(), &account{ID: "b"})
			},
			"Upsert": func(t *testing.T, table *accounts, _ *account) error {
				_, err := table.Upsert(t.Context(), "b", accountN.Add(1))
				return err
			},
			"Delete": func(t *testing.T, table *accounts, a *account) error { return table.Delete(t.Context(), a.ID) },
		} {
			t.Run(verb+" "+name, func(t *testing.T) {
				table := newAccounts(t, lose(fault.On("PutItem", "UpdateItem", "DeleteItem").Nth(2)))
				a := account{ID: "a", Status: "open"}
				if err := table.Create(t.Context(), &a); err != nil {
					t.Fatal(err)
				}
				if err := write(t, table, &a); err != nil {
					t.Error(err)
				}
				if got, err := table.Get(t.Context(), "a", ddb.Consistent()); err == nil && got.N > 1 {
					t.Errorf("counted %d times", got.N)
				}
			})
		}
	}
}

// TestTombstonesAreHidden: a deleted item does not exist for any verb or read, although its tombstone is stored.
func TestTombstonesAreHidden(t *testing.T) {
	ctx := t.Context()
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	client := e.Client()
	table, err := ddb.NewSimple(client, "accounts", accountID, ddb.Version(accountRevision), ddb.Tombstones("deleted", time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	byStatus, err := ddb.NewSimpleIndex(table, "by-status", accountStatus)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(ctx); err != nil {
		t.Fatal(err)
	}
	raw, err := ddb.NewSimple(client, "accounts", accountID) // as another program sees it
	if err != nil {
		t.Fatal(err)
	}
	remove := map[string]func(id string) error{
		"Delete": func(id string) error { return table.Delete(ctx, id) },
		"DeleteItem": func(id string) error {
			a, err := table.Get(ctx, id)
			return errors.Join(err, table.DeleteItem(ctx, &a))
		},
		"TxDeleteItem": func(id string) error {
			a, err := table.Get(ctx, id)
			return errors.Join(err, ddb.Transact(ctx, client, table.TxDeleteItem(&a)))
		},
		"TxDelete": func(id string) error {
			a, err := table.Get(ctx, id)
			return errors.Join(err, ddb.Transact(ctx, client, table.TxDelete(id, ddb.If(accountRevision.Eq(a.Revision)))))
		},
	}
	missing := map[string]func(id string) error{
		"Get":            func(id string) error { _, err := table.Get(ctx, id); return err },
		"Get, projected": func(id string) error { _, err := table.Get(ctx, id, ddb.Project(accountN)); return err },
		"Update":         func(id string) error { _, err := table.Update(ctx, id, accountN.Add(1)); return err },
		"blind Update":   func(id string) error { _, err := table.Update(ctx, id, accountN.Add(1).AtLeastOnce()); return err },
		"TxUpdate":       func(id string) error { return ddb.Transact(ctx, client, table.TxUpdate(id, accountN.Add(1))) },
		"Replace":        func(id string) error { return table.Replace(ctx, &account{ID: id}) },
		"TxReplace":      func(id string) error { return ddb.Transact(ctx, client, table.TxReplace(&account{ID: id})) },
		"DeleteItem":     func(id string) error { return table.DeleteItem(ctx, &account{ID: id}) },
	}
	for name, remove := range remove {
		id := "a " + name
		if err := table.Create(ctx, &account{ID: id, Status: "open", N: 7}); err != nil {
			t.Fatal(err)
		}
		if err := remove(id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if there, err := raw.Exists(ctx, id); !there || err != nil {
			t.Errorf("%s left no tombstone: %v", name, err)
		}
		for verb, call := range missing {
			if err := call(id); !errors.Is(err, ddb.ErrNotFound) && !errors.Is(err, ddb.ErrConditionFailed) {
				t.Errorf("%s, then %s: %v", name, verb, err)
			}
		}
		if err := table.Delete(ctx, id); err != nil {
			t.Errorf("%s, then Delete: %v", name, err)
		}
		if there, err := table.Exists(ctx, id); there || err != nil {
			t.Errorf("%s, then Exists: %v, %v", name, there, err)
		}
	}
	ids := []string{"a Delete", "a DeleteItem"}
	got, err := table.BatchGet(ctx, ids)
	var one ddb.Got[account]
	err2 := ddb.TransactGet(ctx, client, table.TxGet("a Delete", &one))
	all, err3 := table.Scan().Collect(ctx)
	n, err4 := table.Scan().Count(ctx)
	page, err5 := table.Scan().Limit(10).Page(ctx)
	open, err6 := byStatus.Query("open").Collect(ctx)
	if err := errors.Join(err, err2, err3, err4, err5, err6); err != nil || got[0].Found || got[1].Found || one.Found || len(all) != 0 || n != 0 || len(page.Items) != 0 || len(open) != 0 {
		t.Errorf("reads show tombstones: %v, %v, %v, %v, %d, %v, %v", err, got, one, all, n, page.Items, open)
	}
	// New items replace tombstones, alone and in transactions, and continue their revision.
	for i, create := range []func(a *account) error{
		func(a *account) error { return table.Create(ctx, a) },
		func(a *account) error { return table.Put(ctx, a) },
		func(a *account) error { return ddb.Transact(ctx, client, table.TxCreate(a)) },
		func(a *account) error { _, err := table.Upsert(ctx, a.ID, accountN.Add(a.N)); return err },
	} {
		var old account
		a := account{ID: []string{"a Delete", "a DeleteItem", "a TxDelete", "a TxDeleteItem"}[i], N: 9}
		if err := create(&a); err != nil {
			t.Errorf("over tombstone %d: %v", i, err)
		}
		stored, err := table.Get(ctx, a.ID, ddb.Consistent())
		if err != nil || stored.N != 9 || i != 2 && stored.Revision.Number != 3 {
			t.Errorf("over tombstone %d: n %d, revision %d, %v", i, stored.N, stored.Revision.Number, err)
		}
		if err := table.Delete(ctx, a.ID, ddb.ReturnOld(&old)); err != nil || old.N != 9 {
			t.Errorf("delete with the old item: n %d, %v", old.N, err)
		}
	}
	for name, opts := range map[string][]ddb.TableOption{
		"without a revision": {ddb.Tombstones("deleted", time.Hour)}, "too short": {ddb.Version(accountRevision), ddb.Tombstones("deleted", time.Minute)},
		"a field of the item": {ddb.Version(accountRevision), ddb.Tombstones("status", time.Hour)}, "no name": {ddb.Version(accountRevision), ddb.Tombstones("", time.Hour)},
	} {
		if _, err := ddb.NewSimple(client, "accounts", accountID, opts...); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("tombstones %s: %v", name, err)
		}
	}
}
