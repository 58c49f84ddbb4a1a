package ddb_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
)

func TestWriteTokenIsStoredByEveryWrite(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	users, err := ddb.NewSimple(client, tableName(t), userID, ddb.Version(userVersion), ddb.WriteToken(userNick))
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	fresh := func(what string, length int) user {
		t.Helper()
		stored, err := users.Get(ctx, "u", ddb.Consistent())
		tokens := strings.Split(stored.Nick, ".")
		if err != nil || seen[tokens[0]] || len(tokens[0]) != 16 || len(tokens) != length {
			t.Errorf("%s: %v, tokens %q, want %d", what, err, tokens, length)
		}
		seen[tokens[0]] = true
		return stored
	}
	check := func(what string, err error, u *user, length int) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if stored := fresh(what, length); u != nil && u.Nick != stored.Nick {
			t.Errorf("%s: the caller's item has %q, stored is %q", what, u.Nick, stored.Nick)
		}
	}
	u := user{ID: "u", Nick: "of.another.item"}
	check("Create", users.Create(ctx, &u), &u, 1)
	check("Put", users.Put(ctx, &u), &u, 2)
	check("Replace", users.Replace(ctx, &u), &u, 3)
	check("TxPut", ddb.Transact(ctx, client, users.TxPut(&u)), &u, 4)
	for range 10 {
		if err := users.Put(ctx, &u); err != nil {
			t.Fatal(err)
		}
	}
	check("many puts", nil, &u, 8)
	_, err = users.Update(ctx, "u", userName.Set("n"))
	check("Update", err, nil, 1)
	_, err = users.Upsert(ctx, "u", userLogins.Add(1))
	check("Upsert", err, nil, 1)
	_, err = users.Update(ctx, "u", userLogins.Add(1).Exact())
	check("Exact", err, nil, 1)

	before := u
	if err := users.Put(ctx, &u); !errors.Is(err, ddb.ErrConditionFailed) || u.Nick != before.Nick {
		t.Errorf("stale Put: %v, token %q", err, u.Nick)
	}
	if _, err := users.Update(ctx, "u", userNick.Set("x")); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "nick is kept by the table itself") {
		t.Errorf("update of the token: %v", err)
	}
}

func TestWriteTokenRefusals(t *testing.T) {
	client := newClient(t)
	for name, attr := range map[string]ddb.AnyAttr{"a number": userLogins, "a key": userID, "nil": nil, "of another struct": orderStatus} {
		if _, err := ddb.NewSimple(client, "users", userID, ddb.WriteToken(attr)); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "option WriteToken") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExactCountReports: what a transaction refuses reads as what Update refuses.
func TestExactCountReports(t *testing.T) {
	ctx := t.Context()
	users := newUsers(t)
	if _, err := users.Update(ctx, "u", userLogins.Add(1).Exact()); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("missing item: %v", err)
	}
	if got, err := users.Upsert(ctx, "u", userLogins.Add(2).Exact(), userName.Set("n")); err != nil || got.Logins != 2 || got.Name != "n" {
		t.Errorf("Upsert: %+v, %v", got, err)
	}
	_, err := users.Update(ctx, "u", userLogins.Add(1).Exact(), ddb.If(userName.Eq("other")))
	if failed, ok := errors.AsType[*ddb.ConditionFailed[user]](err); !ok {
		t.Errorf("condition: %v", err)
	} else if current, ok := failed.Current(); !ok || current.Logins != 2 {
		t.Errorf("current %+v", current)
	}
	var old user
	if _, err := users.Update(ctx, "u", userLogins.Add(1).Exact(), ddb.ReturnOld(&old)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("ReturnOld: %v", err)
	}
}
