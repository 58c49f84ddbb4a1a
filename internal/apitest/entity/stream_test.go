// SPDX-License-Identifier: Apache-2.0

package entity_test

import (
	"errors"
	"testing"

	streams "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/entity"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/typeditem"
)

// The changes of a table of several types are read as raw items, and each item as its own type, however it is recognised.
func TestChangesOfTypes(t *testing.T) {
	text := func(s string) streams.AttributeValue { return &streams.AttributeValueMemberS{Value: s} }
	number := func(s string) streams.AttributeValue { return &streams.AttributeValueMemberN{Value: s} }
	keys := func(sk string) map[string]streams.AttributeValue {
		return map[string]streams.AttributeValue{"pk": text("p"), "sk": text(sk)}
	}
	image := func(sk, kind, attr, n string) map[string]streams.AttributeValue {
		i := keys(sk)
		i["type"], i[attr] = text(kind), number(n)
		return i
	}
	decode := func(sk, kind, attr, n string) rawitem.Item {
		t.Helper()
		c, err := change.Decode[rawitem.Item](&streams.Record{EventName: streams.OperationTypeInsert, Dynamodb: &streams.StreamRecord{Keys: keys(sk), NewImage: image(sk, kind, attr, n)}})
		if err != nil || c.New == nil || c.Old != nil {
			t.Fatal(c, err)
		}
		if got, _ := c.Keys.Text("sk"); got != sk {
			t.Errorf("keys %v", got)
		}
		return *c.New
	}
	order1, customer1, none := decode("O#1", "order", "total", "10"), decode("C#1", "customer", "credit", "5"), decode("U#1", "invoice", "sum", "1")
	for way, of := range ways {
		s := newShop(t, of(ddb.SkipOthers()))
		if o, err := typeditem.FromRaw(s.orders, order1); err != nil || o != (order{PK: "p", SK: "O#1", Total: 10}) {
			t.Errorf("%s: %+v, %v", way, o, err)
		}
		for _, other := range []rawitem.Item{customer1, none, {}} {
			if o, err := typeditem.FromRaw(s.orders, other); !errors.Is(err, ddb.ErrOtherEntity) || o != (order{}) {
				t.Errorf("%s: %+v, %v", way, o, err)
			}
		}
		all := s.mixed(t)
		for item, want := range map[*rawitem.Item]string{&order1: "order O#1", &customer1: "customer C#1"} {
			if r, err := all.Decode(*item); err != nil || labels([]record{r}) != want {
				t.Errorf("%s: %v, %v, want %s", way, r, err, want)
			}
		}
		if r, err := all.Decode(none); r != nil || !errors.Is(err, ddb.ErrOtherEntity) {
			t.Errorf("%s: %v, %v", way, r, err)
		}
		if r, err := s.mixed(t, entity.SkipUnknown[record]()).Decode(none); r != nil || !errors.Is(err, ddb.ErrOtherEntity) {
			t.Errorf("%s: %v, %v", way, r, err)
		}
		if r, err := s.mixed(t, keep()).Decode(none); err != nil || labels([]record{r}) != "unknown U#1" {
			t.Errorf("%s: %v, %v", way, r, err)
		}
	}
	for _, bad := range []string{"", "null", "[]", `{"a":`, `{} {}`} {
		if _, err := typeditem.DecodeJSON[rawitem.Item]([]byte(bad)); err == nil {
			t.Errorf("%s recognises an item", bad)
		}
	}
	for name, err := range map[string]error{
		"nil table":  second(typeditem.FromRaw((*orders)(nil), order1)),
		"zero table": second(new(entity.Table[record]).Decode(order1)),
		"nil":        second((*entity.Table[record])(nil).Decode(order1)),
	} {
		if !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A raw item returns its attributes, and prints none of them.
func TestRawItem(t *testing.T) {
	item, err := typeditem.DecodeJSON[rawitem.Item]([]byte(`{"pk":{"S":"sec\"ret"},"n":{"N":"1"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := item.Text("pk"); s != `sec"ret` || !ok {
		t.Error(s, ok)
	}
	if _, ok := item.Text("n"); ok || !item.Has("n") || item.Has("x") || (rawitem.Item{}).Has("x") {
		t.Error("attributes")
	}
	values, err := item.Values()
	if err != nil || textOf(values["pk"]) != `sec"ret` || len(values) != 2 {
		t.Error(values, err)
	}
	if empty, err := (rawitem.Item{}).Values(); err != nil || len(empty) != 0 {
		t.Error(empty, err)
	}
	data := item.JSON()
	data[3] = 'X'
	if !item.Has("pk") {
		t.Error("JSON is no copy")
	}
}
