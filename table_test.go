// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
)

func TestPutGetDelete(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	want := someOrder()
	if err := orders.Put(ctx, &want); err != nil {
		t.Fatal(err)
	}
	for _, opts := range [][]ddb.GetOption{nil, {ddb.Consistent()}} {
		got, err := orders.Get(ctx, "c1", "o1", opts...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("item differs (-want +got):\n%s", diff)
		}
	}
	if ok, err := orders.Exists(ctx, "c1", "o1"); err != nil || !ok {
		t.Errorf("Exists = %v, %v", ok, err)
	}
	var old order
	if err := orders.Delete(ctx, "c1", "o1", ddb.ReturnOld(&old)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, old); diff != "" {
		t.Errorf("removed item differs:\n%s", diff)
	}
	if _, err := orders.Get(ctx, "c1", "o1"); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("Get after Delete: %v, want ErrNotFound", err)
	}
	if ok, err := orders.Exists(ctx, "c1", "o1"); err != nil || ok {
		t.Errorf("Exists after Delete = %v, %v", ok, err)
	}
	if err := orders.Delete(ctx, "c1", "o1", ddb.ReturnOld(&old)); err != nil || old.ID != "" {
		t.Errorf("Delete of a missing item: %v, old %+v", err, old)
	}
	if err := orders.Put(ctx, &want); err != nil {
		t.Fatal(err)
	}
	if err := orders.DeleteItem(ctx, &want); err != nil {
		t.Fatal(err)
	}
	if ok, _ := orders.Exists(ctx, "c1", "o1"); ok {
		t.Error("DeleteItem left the item")
	}
}

func TestProjection(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	o := someOrder()
	if err := orders.Put(ctx, &o); err != nil {
		t.Fatal(err)
	}
	got, err := orders.Get(ctx, "c1", "o1", ddb.Project(orderStatus, orderCity, orderCity, orderLines.At(1)))
	if err != nil {
		t.Fatal(err)
	}
	want := order{Customer: "c1", ID: "o1", Status: "open", Address: address{City: "Genève"}, Lines: []line{{SKU: "y", Qty: 2}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("projected item differs:\n%s", diff)
	}
	type summary struct {
		ID     orderID `dynamodbav:"order_id"`
		Total  int64   `dynamodbav:"total"`
		Status string  `dynamodbav:"status"`
	}
	s, err := ddb.GetView[summary](ctx, orders, orders.Key("c1", "o1"), ddb.Consistent())
	if err != nil || s != (summary{"o1", 42, "open"}) {
		t.Errorf("view %+v, %v", s, err)
	}
	type wrong struct {
		Nope  string `dynamodbav:"nope"`
		Total string `dynamodbav:"total"`
	}
	_, err = ddb.GetView[wrong](ctx, orders, orders.Key("c1", "o1"))
	for _, w := range []string{"no attribute nope", "attribute total is stored as N"} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q", err, w)
		}
	}
	if _, err := ddb.GetView[summary](ctx, orders, orders.Key("c1", "none")); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("view of a missing item: %v", err)
	}
	if _, err := orders.Get(ctx, "c1", "o1", ddb.Project(userName)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("projection of another struct: %v", err)
	}
}

func TestCreateReplace(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	o := someOrder()
	err := orders.Replace(ctx, &o)
	if !errors.Is(err, ddb.ErrConditionFailed) || !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("Replace of a missing item: %v, want ErrConditionFailed and ErrNotFound", err)
	}
	if err := orders.Create(ctx, &o); err != nil {
		t.Fatal(err)
	}
	second := o
	second.Total = 1
	err = orders.Create(ctx, &second)
	var failed *ddb.ConditionFailed[order]
	if !errors.As(err, &failed) || errors.Is(err, ddb.ErrNotFound) {
		t.Fatalf("second Create: %v", err)
	}
	current, ok := failed.Current()
	if diff := cmp.Diff(o, current); !ok || diff != "" {
		t.Errorf("current item differs: %v\n%s", ok, diff)
	}
	if failed.Condition != "attribute_not_exists(customer_id)" {
		t.Errorf("condition %q", failed.Condition)
	}
	if err := orders.Replace(ctx, &second, ddb.If(orderStatus.Eq("open"))); err != nil {
		t.Error(err)
	}
	if err := orders.Replace(ctx, &second, ddb.If(orderStatus.Eq("paid"))); !errors.Is(err, ddb.ErrConditionFailed) || errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("Replace under a false condition: %v", err)
	}
}

// TestErrorsShowNoData: key values and item data stay out of every text form of an error.
func TestErrorsShowNoData(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	const canary = "canary-7f3a"
	o := someOrder()
	o.Customer, o.Status, o.ID = canary, canary, canary
	if err := orders.Create(ctx, &o); err != nil {
		t.Fatal(err)
	}
	_, getErr := orders.Get(ctx, canary, "none")
	_, updErr := orders.Update(ctx, orders.Key(canary, canary), orderStatus.Set("x"), ddb.If(orderStatus.Eq(canary+"2")))
	big := o
	big.Notes = []string{strings.Repeat(canary, 50_000)}
	for i, err := range []error{orders.Create(ctx, &o), getErr, updErr, orders.Put(ctx, &big)} {
		if err == nil {
			t.Fatalf("case %d: no error", i)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, err); strings.Contains(text, canary) && verb != "%#v" {
				t.Errorf("case %d: %s shows data: %.200s", i, verb, text)
			}
		}
		if !strings.Contains(err.Error(), orders.Name()) {
			t.Errorf("case %d: error does not name the table: %v", i, err)
		}
	}
}

// TestUpdateMakesNoPartialItem: an update of a missing item is refused, because
// it would store an item without its other attributes. Upsert creates items.
func TestUpdateMakesNoPartialItem(t *testing.T) {
	ctx := t.Context()
	users := newUsers(t)
	_, err := users.Update(ctx, "u1", userLogins.Add(1))
	if !errors.Is(err, ddb.ErrNotFound) || !errors.Is(err, ddb.ErrConditionFailed) {
		t.Errorf("Update of a missing item: %v", err)
	}
	if ok, _ := users.Exists(ctx, "u1"); ok {
		t.Fatal("Update created an item")
	}
	u, err := users.Upsert(ctx, "u1", userLogins.Add(1), userPoints.Add(10))
	if err != nil || u.ID != "u1" || u.Logins != 1 || u.Points != 10 {
		t.Errorf("Upsert: %+v, %v", u, err)
	}
	u, err = users.Upsert(ctx, "u1", userLogins.Add(1), userPoints.Add(-3))
	if err != nil || u.Logins != 2 || u.Points != 7 {
		t.Errorf("second Upsert: %+v, %v", u, err)
	}
	var old user
	if _, err := users.Update(ctx, "u1", userName.Set("Ann"), ddb.ReturnOld(&old)); err != nil || old.Logins != 2 || old.Name != "" {
		t.Errorf("old item: %+v, %v", old, err)
	}
}

func TestUpdateRefusals(t *testing.T) {
	users := newUsers(t, ddb.Version(userVersion), ddb.Updated(userChanged))
	_, err := users.Update(t.Context(), "", userID.Set("x"), userVersion.Set(3), ddb.Remove(userChanged),
		userName.Set("a"), ddb.Remove(userName), ddb.Change[user]{}, ddb.SetFrom(userNick, ddb.Attr[user, string](nil)), nil)
	for _, w := range []string{"key attribute id is empty", "attribute id is part of the key", "attribute version is kept by the table",
		"attribute changed is kept", "attribute name is changed twice", "zero Change", "zero handle", "option is nil"} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q", err, w)
		}
	}
	if _, err := users.Update(t.Context(), "u"); err == nil || !strings.Contains(err.Error(), "without changes") {
		t.Errorf("empty update: %v", err)
	}
}

func TestEmptyAndLongKeysAreRefusedBeforeSending(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t, ddb.WithLedger(cost.NewLedger()))
	long := orderID(strings.Repeat("x", 1025))
	for name, err := range map[string]error{
		"get":    second(orders.Get(ctx, "", "")),
		"put":    orders.Put(ctx, &order{}),
		"delete": orders.Delete(ctx, "", ""),
	} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "customer_id is empty") || !strings.Contains(err.Error(), "order_id is empty") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := orders.Put(ctx, &order{Customer: "c", ID: long}); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "1025 bytes") {
		t.Errorf("long sort key: %v", err)
	}
	if err := orders.Put(ctx, nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("nil item: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestItemSizeEdge: 400 KB to the byte is accepted, one byte more is refused before sending.
func TestItemSizeEdge(t *testing.T) {
	ctx := t.Context()
	users := newUsers(t)
	empty, err := users.ItemSize(&user{ID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	fits := ddb.MaxItemSize - empty
	if err := users.Put(ctx, &user{ID: "a", Name: strings.Repeat("x", fits)}); err != nil {
		t.Errorf("item of 400 KB: %v", err)
	}
	err = users.Put(ctx, &user{ID: "a", Name: strings.Repeat("x", fits+1)})
	if !errors.Is(err, ddb.ErrItemTooLarge) || !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "name (") {
		t.Errorf("item of 400 KB and a byte: %v", err)
	}
	got, err := users.Get(ctx, "a")
	if err != nil || len(got.Name) != fits {
		t.Errorf("read back %d bytes, %v", len(got.Name), err)
	}
}

func TestCancelledContext(t *testing.T) {
	orders := newOrders(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := someOrder()
	for name, err := range map[string]error{
		"get":    second(orders.Get(ctx, "c1", "o1")),
		"put":    orders.Put(ctx, &o),
		"update": second(orders.Update(ctx, orders.Key("c1", "o1"), orderTotal.Add(1))),
		"delete": orders.Delete(ctx, "c1", "o1"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
}

func TestMissingTable(t *testing.T) {
	orders, err := ddb.New(newClient(t), tableName(t), orderCustomer, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	_, err = orders.Get(t.Context(), "a", "b")
	var op *ddb.OpError
	if !errors.Is(err, ddb.ErrTableNotFound) || !errors.As(err, &op) || op.Table != orders.Name() || op.Op != "GetItem" {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(err.Error(), "CreateTable") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

// TestInputsAreNotChanged: the caller's item is the same after a failed or plain write.
func TestInputsAreNotChanged(t *testing.T) {
	ctx := t.Context()
	users := newUsers(t, ddb.Version(userVersion))
	u := user{ID: "u1", Name: "Ann", Avatar: []byte{1}, Version: 7}
	before := u
	if err := users.Replace(ctx, &u); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Avatar, u.Avatar) || before.Version != u.Version {
		t.Errorf("a failed write changed the caller's item: %+v", u)
	}
}
