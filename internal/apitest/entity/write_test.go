// SPDX-License-Identifier: Apache-2.0

package entity_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/rawitem"
)

// outcome is the result of a write, depending on what is stored under its key.
type outcome struct{ absent, own, other bool }

// writes are all writes of an order under the key p, k.
var writes = map[string]struct {
	do   func(ctx context.Context, s *shop, c ...ddb.WriteOption[order]) error
	want outcome // whether it applies
	put  bool    // it stores an item with total 7 if there is none
}{
	"Put": {func(ctx context.Context, s *shop, c ...ddb.WriteOption[order]) error {
		return s.orders.Put(ctx, seven(), c...)
	}, outcome{true, true, false}, true},
	"Create": {func(ctx context.Context, s *shop, _ ...ddb.WriteOption[order]) error {
		return s.orders.Create(ctx, seven())
	}, outcome{true, false, false}, true},
	"Replace": {func(ctx context.Context, s *shop, c ...ddb.WriteOption[order]) error {
		return s.orders.Replace(ctx, seven(), c...)
	}, outcome{false, true, false}, false},
	"Update": {func(ctx context.Context, s *shop, _ ...ddb.WriteOption[order]) error {
		o, err := s.orders.Update(ctx, s.orders.Key("p", "k"), orderTotal.Set(7))
		return seen(o, err)
	}, outcome{false, true, false}, false},
	"Update, exact": {func(ctx context.Context, s *shop, _ ...ddb.WriteOption[order]) error {
		o, err := s.orders.Update(ctx, s.orders.Key("p", "k"), orderTotal.Set(7).Exact())
		return seen(o, err)
	}, outcome{false, true, false}, false},
	"Upsert": {func(ctx context.Context, s *shop, _ ...ddb.WriteOption[order]) error {
		o, err := s.orders.Upsert(ctx, s.orders.Key("p", "k"), orderTotal.Set(7))
		return seen(o, err)
	}, outcome{true, true, false}, true},
	"Delete": {func(ctx context.Context, s *shop, c ...ddb.WriteOption[order]) error {
		return s.orders.Delete(ctx, "p", "k", c...)
	}, outcome{true, true, false}, false},
	"DeleteItem": {func(ctx context.Context, s *shop, c ...ddb.WriteOption[order]) error {
		return s.orders.DeleteItem(ctx, seven(), c...)
	}, outcome{true, true, false}, false},
	"TxPut":     {inTx(func(s *shop) ddb.TxOp { return s.orders.TxPut(seven()) }), outcome{true, true, false}, true},
	"TxCreate":  {inTx(func(s *shop) ddb.TxOp { return s.orders.TxCreate(seven()) }), outcome{true, false, false}, true},
	"TxReplace": {inTx(func(s *shop) ddb.TxOp { return s.orders.TxReplace(seven()) }), outcome{false, true, false}, false},
	"TxUpdate":  {inTx(func(s *shop) ddb.TxOp { return s.orders.TxUpdate(s.orders.Key("p", "k"), orderTotal.Set(7)) }), outcome{false, true, false}, false},
	"TxUpsert":  {inTx(func(s *shop) ddb.TxOp { return s.orders.TxUpsert(s.orders.Key("p", "k"), orderTotal.Set(7)) }), outcome{true, true, false}, true},
	"TxDelete":  {inTx(func(s *shop) ddb.TxOp { return s.orders.TxDelete(s.orders.Key("p", "k")) }), outcome{true, true, false}, false},
	"TxCheck":   {inTx(func(s *shop) ddb.TxOp { return s.orders.TxCheck(s.orders.Key("p", "k"), ddb.Exists(orderTotal)) }), outcome{false, true, false}, false},
}

func seven() *order { return &order{PK: "p", SK: "k", Total: 7} }

func seen(o order, err error) error {
	if err == nil && o != *seven() {
		return errors.New("the reply has another item")
	}
	return err
}

func inTx(op func(*shop) ddb.TxOp) func(context.Context, *shop, ...ddb.WriteOption[order]) error {
	return func(ctx context.Context, s *shop, _ ...ddb.WriteOption[order]) error {
		return ddb.Transact(ctx, s.client, op(s))
	}
}

// A write of one type never changes or removes an item of another type, or of no type, under the same key. The item that it stores has the discriminator.
func TestWritesKeepOtherTypes(t *testing.T) {
	s := newShop(t, discriminators())
	for name, w := range writes {
		for _, stored := range []string{"", "order", "customer", "unknown", "no type"} {
			if err := s.customers.Delete(t.Context(), "p", "k"); err != nil && !errors.Is(err, ddb.ErrOtherEntity) {
				t.Fatal(err)
			}
			_, _ = s.client.DeleteItem(t.Context(), deleteOf(s))
			want, other := w.want.other, true
			switch stored {
			case "":
				want, other = w.want.absent, false
			case "order":
				s.raw(t, "p", "k", "type", "order", "total", "1")
				want, other = w.want.own, false
			case "no type":
				s.raw(t, "p", "k", "total", "1", "credit", "9")
			default:
				s.raw(t, "p", "k", "type", stored, "total", "1", "credit", "9")
			}
			before := s.stored(t, "k")
			err := w.do(t.Context(), s)
			if (err == nil) != want {
				t.Errorf("%s over %q: %v", name, stored, err)
			}
			if errors.Is(err, ddb.ErrOtherEntity) != other {
				t.Errorf("%s over %q: %v", name, stored, err)
			}
			if err != nil && !errors.Is(err, ddb.ErrConditionFailed) {
				t.Errorf("%s over %q: %v", name, stored, err)
			}
			if failed, ok := errors.AsType[*ddb.ConditionFailed[order]](err); ok {
				if _, ok := failed.Current(); ok != (stored == "order") {
					t.Errorf("%s over %q: the error has an item: %t", name, stored, ok)
				}
			}
			after := s.stored(t, "k")
			switch {
			case !want && !reflect.DeepEqual(before, after):
				t.Errorf("%s over %q changed the item to %v", name, stored, after)
			case want && stored == "" && w.put && (textOf(after["type"]) != "order" || len(after) != 4):
				t.Errorf("%s stored %v", name, after)
			}
		}
	}
}

// The same holds for a table with revisions, tombstones and stamps.
func TestRevisionsKeepOtherTypes(t *testing.T) {
	client, name := apitest.NewClient(t), apitest.TableName(t)
	open := func(kind string) *customers {
		a, err := ddb.New(client, name, customerPK, customerSK, ddb.Discriminator("type", kind), ddb.Version(customerRevision), ddb.Tombstones("gone", time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a, b := open("a"), open("b")
	ctx := t.Context()
	if err := a.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	stored := customer{PK: "p", SK: "k", Credit: 1}
	if err := a.Put(ctx, &stored); err != nil {
		t.Fatal(err)
	}
	key := a.Key("p", "k")
	for name, call := range map[string]func() error{
		"Put":        func() error { return b.Put(ctx, &customer{PK: "p", SK: "k"}) },
		"Put read":   func() error { i := stored; return b.Put(ctx, &i) },
		"Replace":    func() error { i := stored; return b.Replace(ctx, &i) },
		"Update":     func() error { _, err := b.Update(ctx, key, customerCredit.Add(1)); return err },
		"Upsert":     func() error { _, err := b.Upsert(ctx, key, customerCredit.Add(1)); return err },
		"Delete":     func() error { return b.DeleteKey(ctx, key) },
		"DeleteItem": func() error { i := stored; return b.DeleteItem(ctx, &i) },
		"Transact":   func() error { i := stored; return ddb.Transact(ctx, client, b.TxDeleteItem(&i)) },
	} {
		if err := call(); !errors.Is(err, ddb.ErrConditionFailed) || !errors.Is(err, ddb.ErrOtherEntity) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := a.GetKey(ctx, key); err != nil || got != stored {
		t.Fatalf("got another item than was stored, or %v", err)
	}
	if _, err := a.Update(ctx, key, customerCredit.Add(1)); err != nil {
		t.Error(err)
	}
	// A tombstone has its type, and is replaced by an item of that type.
	if err := a.DeleteKey(ctx, key); err != nil {
		t.Fatal(err)
	}
	if _, err := b.GetKey(ctx, key); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("b reads %v", err)
	}
	if err := a.Create(ctx, &customer{PK: "p", SK: "k", Credit: 2}); err != nil {
		t.Errorf("over the tombstone: %v", err)
	}
}

// A function cannot be sent as a condition, so a write must state one. Create has its own. An item that the function does not accept is not stored.
func TestWritesByFunction(t *testing.T) {
	s := newShop(t, functions())
	for name, w := range writes {
		err := w.do(t.Context(), s)
		if created := name == "Create" || name == "TxCreate" || name == "TxCheck"; created && errors.Is(err, ddb.ErrInvalid) || !created && !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.raw(t, "p", "k", "credit", "1")
	err := s.orders.Put(t.Context(), seven(), ddb.If(ddb.Exists(orderTotal)))
	if !errors.Is(err, ddb.ErrConditionFailed) || !errors.Is(err, ddb.ErrOtherEntity) {
		t.Error(err)
	}
	never, err := ddb.New(s.client, s.name, orderPK, orderSK, ddb.RecognizeBy(func(i rawitem.Item) bool { return i.Has("never") }, "never"))
	if err != nil {
		t.Fatal(err)
	}
	if err := never.Create(t.Context(), seven()); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
	panics, err := ddb.New(s.client, s.name, orderPK, orderSK, ddb.RecognizeBy(func(rawitem.Item) bool { panic("data") }, "x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := panics.Query("p").Collect(t.Context()); err == nil || errors.Is(err, ddb.ErrOtherEntity) {
		t.Error(err)
	}
}

// Batches have no conditions: without a prefix they are refused, with a prefix they also write the discriminator.
func TestBatchWrites(t *testing.T) {
	s := newShop(t, discriminators())
	keys := []ddb.Key[string, string]{s.orders.Key("p", "k")}
	if err := s.orders.BatchPut(t.Context(), []order{*seven()}); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
	if err := s.orders.BatchDelete(t.Context(), keys); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
	both := discriminators()
	both.order = append(both.order, ddb.KeyPrefix(orderSK, "O#"))
	both.line = append(both.line, ddb.KeyPrefix(lineSK, "L#"))
	s = newShop(t, both)
	list := []order{{PK: "p", SK: "O#1", Total: 1}, {PK: "p", SK: "O#2", Total: 2}}
	if err := s.orders.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	lines := []line{{PK: "p", SK: "L#1", Qty: 1}}
	if err := s.lines.BatchPut(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	got, err := s.orders.Query("p").Collect(t.Context())
	if err != nil || !reflect.DeepEqual(got, list) || textOf(s.stored(t, "O#2")["type"]) != "order" || textOf(s.stored(t, "L#1")["type"]) != "line" {
		t.Errorf("%v, %v", got, err)
	}
}

// The field of a discriminator is set in the stored item and in the caller's, and cannot be changed.
func TestDiscriminatorField(t *testing.T) {
	s := newShop(t, discriminators())
	l := line{PK: "p", SK: "k", Type: "something", Qty: 1}
	if err := s.lines.Put(t.Context(), &l); err != nil || l.Type != "line" {
		t.Errorf("%+v, %v", l, err)
	}
	if got, err := s.lines.Get(t.Context(), "p", "k"); err != nil || got != l {
		t.Errorf("got another item than was stored, or %v", err)
	}
	if _, err := s.lines.Update(t.Context(), s.lines.Key("p", "k"), lineType.Set("order")); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
	size, err := s.orders.ItemSize(seven())
	if want := len("pkpskktotal") + 2 + len("typeorder"); err != nil || size != want {
		t.Errorf("%d bytes, want %d, %v", size, want, err)
	}
}

// Items of types that keep unknown attributes are marked once, however often they are stored.
func TestDiscriminatorWithUnknownAttributes(t *testing.T) {
	type open struct {
		PK   string                          `dynamodbav:"pk"`
		SK   string                          `dynamodbav:"sk"`
		Rest map[string]types.AttributeValue `dynamodbav:",unknown"`
	}
	pk, sk := ddb.StrField(func(o *open) *string { return &o.PK }), ddb.StrField(func(o *open) *string { return &o.SK })
	s := newShop(t, discriminators())
	table, err := ddb.New(s.client, s.name, pk, sk, ddb.Discriminator("type", "open \"x\""))
	if err != nil {
		t.Fatal(err)
	}
	item := open{PK: "p", SK: "k", Rest: map[string]types.AttributeValue{"a": &types.AttributeValueMemberS{Value: "b"}}}
	for range 2 {
		if err := table.Put(t.Context(), &item); err != nil {
			t.Fatal(err)
		}
		if item, err = table.Get(t.Context(), "p", "k"); err != nil || textOf(item.Rest["type"]) != "open \"x\"" || len(item.Rest) != 2 {
			t.Fatalf("type %q of %d attributes, %v", textOf(item.Rest["type"]), len(item.Rest), err)
		}
	}
	item.Rest["type"] = &types.AttributeValueMemberS{Value: "order"}
	if err := table.Put(t.Context(), &item); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
}

// Items that are older than the discriminator get it by an update through a table that recognises them by other means.
func TestDiscriminatorIsAdded(t *testing.T) {
	s := newShop(t, discriminators())
	s.raw(t, "p", "k", "qty", "3")
	ctx := t.Context()
	if _, err := s.lines.Get(ctx, "p", "k"); !errors.Is(err, ddb.ErrOtherEntity) {
		t.Error(err)
	}
	pass, err := ddb.New(s.client, s.name, linePK, lineSK, ddb.RecognizeBy(func(i rawitem.Item) bool { return i.Has("qty") }, "qty"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pass.Update(ctx, pass.Key("p", "k"), lineType.Set("line"), ddb.If(ddb.NotExists(lineType))); err != nil {
		t.Fatal(err)
	}
	if l, err := s.lines.Get(ctx, "p", "k"); err != nil || l.Qty != 3 {
		t.Errorf("%+v, %v", l, err)
	}
}
