// Package write_test holds tests of writes and their outcomes through the public API, on few item types.
package write_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

type account struct {
	ID       string       `dynamodbav:"id"`
	Status   string       `dynamodbav:"status,omitempty"`
	N        int64        `dynamodbav:"n"`
	Revision ddb.Revision `dynamodbav:"revision"`
}

var (
	accountID       = ddb.StrField(func(a *account) *string { return &a.ID })
	accountStatus   = ddb.StrField(func(a *account) *string { return &a.Status })
	accountN        = ddb.NumField(func(a *account) *int64 { return &a.N })
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

// TestRevisionMoves: every write moves the revision of the stored item, and the caller's item gets it.
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
	short, err := ddb.ParseETag(got.Revision.ETag())
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
			t.Errorf("tag %d was not kept", i)
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
		t.Errorf("Delete of what is gone: %v", err)
	}
	if _, err := table.Update(ctx, "a", accountN.Add(1)); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("Update of what is gone: %v", err)
	}
	if got, err := table.Upsert(ctx, "a", accountN.Add(1)); err != nil || got.Revision.Number != 1 {
		t.Errorf("Upsert of what is gone: %v, %v", got.Revision, err)
	}
}

// TestLostReplies: in the default form a lost request or reply changes nothing for the caller.
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
