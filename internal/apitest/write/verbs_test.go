// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb"
)

func TestVersionGuardsEveryVerb(t *testing.T) {
	ctx := t.Context()
	users := newUsers(t, ddb.Version(userVersion))
	u := user{ID: "u1", Name: "Ann"}
	if err := users.Put(ctx, &u); err != nil || u.Version != 1 {
		t.Fatalf("Put of version zero: %v, version %d", err, u.Version)
	}
	stale := u
	if err := users.Put(ctx, &u); err != nil || u.Version != 2 {
		t.Fatalf("Put of version one: %v, version %d", err, u.Version)
	}
	fresh := user{ID: "u1"}
	for name, err := range map[string]error{
		"stale Put":        users.Put(ctx, &stale),
		"stale Replace":    users.Replace(ctx, &stale),
		"stale DeleteItem": users.DeleteItem(ctx, &stale),
		"zero Put":         users.Put(ctx, &fresh),
		"Create":           users.Create(ctx, &fresh),
		"stale Update":     second(users.Update(ctx, "u1", userName.Set("x"), ddb.If(userVersion.Eq(1)))),
		"stale Delete":     users.Delete(ctx, "u1", ddb.If(userVersion.Eq(1))),
	} {
		var failed *ddb.ConditionFailed[user]
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v, want ConditionFailed", name, err)
			continue
		}
		if current, ok := failed.Current(); !ok || current.Version != 2 {
			t.Errorf("%s: a current item: %t, version %d", name, ok, current.Version)
		}
	}
	if stale.Version != 1 || fresh.Version != 0 {
		t.Errorf("failed writes changed the caller's versions: %d, %d", stale.Version, fresh.Version)
	}
	got, err := users.Update(ctx, "u1", userName.Set("Bea"))
	if err != nil || got.Version != 3 {
		t.Errorf("Update: version %d, %v", got.Version, err)
	}
	for name, err := range map[string]error{
		"Delete by key alone":     users.Delete(ctx, "u1"),
		"Replace of version zero": users.Replace(ctx, &fresh),
		"DeleteItem of zero":      users.DeleteItem(ctx, &fresh),
	} {
		want := ddb.ErrConditionFailed // an item without a version has version zero
		if name == "Delete by key alone" {
			want = ddb.ErrInvalid
		}
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "version") {
			t.Errorf("%s: %v, want %v that names the version", name, err, want)
		}
	}
	if err := users.DeleteItem(ctx, &got); err != nil {
		t.Error(err)
	}
}

// TestUpdateGivesAVersion: items that are older than the table's versions get
// one from their first update, alone and in a transaction; an update never creates an item.
func TestUpdateGivesAVersion(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	users, err := ddb.NewSimple(client, tableName(t), userID, ddb.Version(userVersion))
	if err := errors.Join(err, users.CreateTable(ctx)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"u1", "u2"} {
		item := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}
		if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(users.Name()), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := users.Update(ctx, "u1", userName.Set("x"), ddb.If(userVersion.Eq(1))); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Errorf("an absent version was accepted as version 1: %v", err)
	}
	for want := range int64(2) {
		if u, err := users.Update(ctx, "u1", userLogins.Add(1)); err != nil || u.Version != want+1 {
			t.Errorf("update %d: version %d, %v", want, u.Version, err)
		}
	}
	if err := ddb.Transact(ctx, client, users.TxUpdate("u2", userName.Set("Bea"))); err != nil {
		t.Error(err)
	}
	u, err := users.Get(ctx, "u2")
	if err != nil || u.Version != 1 {
		t.Errorf("updated in a transaction: version %d, %v", u.Version, err)
	}
	if err := users.Put(ctx, &u); err != nil || u.Version != 2 {
		t.Errorf("Put of an item that has a version now: %d, %v", u.Version, err)
	}
	if _, err := users.Update(ctx, "none", userName.Set("x")); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("update of a missing item: %v", err)
	}
}

// TestStaleWriteDoesNotResurrect: a write with a version on a deleted item fails
// (AWS's proposed mapper accepts it: attribute_not_exists(v) OR v = :v).
func TestStaleWriteDoesNotResurrect(t *testing.T) {
	ctx := t.Context()
	users := newUsers(t, ddb.Version(userVersion))
	u := user{ID: "u1"}
	if err := users.Create(ctx, &u); err != nil {
		t.Fatal(err)
	}
	copied := u
	if err := users.DeleteItem(ctx, &u); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Put":     users.Put(ctx, &copied),
		"Replace": users.Replace(ctx, &copied),
		"Update":  second(users.Update(ctx, "u1", userName.Set("x"), ddb.If(userVersion.Eq(1)))),
	} {
		if !errors.Is(err, ddb.ErrConditionFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if ok, _ := users.Exists(ctx, "u1", ddb.Consistent()); ok {
		t.Error("the item exists again")
	}
}

// TestConcurrentVersionedWrites: of many writers with the same version, one succeeds.
func TestConcurrentVersionedWrites(t *testing.T) {
	ctx := t.Context()
	users := newUsers(t, ddb.Version(userVersion))
	u := user{ID: "u1"}
	if err := users.Create(ctx, &u); err != nil {
		t.Fatal(err)
	}
	const rounds, writers = 5, 8
	for range rounds {
		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			wins int
		)
		for range writers {
			mine := u
			wg.Go(func() {
				err := users.Put(ctx, &mine)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					wins++
				case !errors.Is(err, ddb.ErrConditionFailed):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if wins != 1 {
			t.Fatalf("%d writers succeeded, want 1", wins)
		}
		var err error
		if u, err = users.Get(ctx, "u1", ddb.Consistent()); err != nil {
			t.Fatal(err)
		}
	}
	if u.Version != rounds+1 {
		t.Errorf("version %d after %d rounds", u.Version, rounds)
	}
}

func TestStamps(t *testing.T) {
	ctx := t.Context()
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	users := newUsers(t, ddb.Created(userMade), ddb.Updated(userChanged), ddb.Clock(func() time.Time { return now }))
	u := user{ID: "u1"}
	if err := users.Put(ctx, &u); err != nil || !u.Made.Equal(now) || !u.Changed.Equal(now) {
		t.Fatalf("%+v, %v", u, err)
	}
	first := now
	now = now.Add(time.Hour)
	got, err := users.Update(ctx, "u1", userName.Set("Ann"))
	if err != nil || !got.Made.Equal(first) || !got.Changed.Equal(now) {
		t.Errorf("after Update: %+v, %v", got, err)
	}
	now = now.Add(time.Hour)
	if err := users.Put(ctx, &u); err != nil || !u.Made.Equal(first) || !u.Changed.Equal(now) {
		t.Errorf("after second Put: %+v, %v", u, err)
	}
	v, err := users.Upsert(ctx, "u2", userName.Set("Bea"))
	if err != nil || !v.Made.Equal(now) || !v.Changed.Equal(now) {
		t.Errorf("after Upsert of a missing item: %+v, %v", v, err)
	}
	made := now
	now = now.Add(time.Hour)
	v, err = users.Upsert(ctx, "u2", userName.Set("Cleo"))
	want := user{ID: "u2", Name: "Cleo", Made: made, Changed: now}
	if diff := cmp.Diff(want, v, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("after second Upsert: %v\n%s", err, diff)
	}
}

// TestUnsignedVersion: a version may be any integer.
func TestUnsignedVersion(t *testing.T) {
	ctx := t.Context()
	docs := newShared(t, newClient(t), ddb.Version(accountVersion))
	if err := docs.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	d := account{ID: "a"}
	for want := range uint8(3) {
		if err := docs.Put(ctx, &d); err != nil || d.Version != want+1 {
			t.Fatalf("version %d, %v", d.Version, err)
		}
	}
	fresh := account{ID: "b", Version: 9}
	if err := docs.Create(ctx, &fresh); err != nil || fresh.Version != 1 {
		t.Errorf("created with version %d, %v", fresh.Version, err)
	}
}
