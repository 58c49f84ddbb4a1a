// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
)

// TestRowJ1Inputs: a call does not modify its arguments, so repeating it with the same arguments has the same result.
func TestRowJ1Inputs(t *testing.T) {
	client := newClient(t)
	orders, err := ddb.New(client, tableName(t), orderCustomer, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := []order{{Customer: "c", ID: "1", Status: "open", Total: 1, Tags: []string{"b", "a"}}, {Customer: "c", ID: "2", Total: 2, Lines: []line{{SKU: "s", Qty: 1}}}}
	keys := []ddb.Key[customerID, orderID]{orders.Key("c", "2"), orders.Key("c", "1"), orders.Key("c", "2"), orders.Key("c", "none")}
	item := order{Customer: "c", ID: "3", Status: "open", Notes: []string{"x"}}
	changes := []ddb.UpdateOption[order]{orderStatus.Set("paid"), orderTags.Insert("z"), ddb.If(ddb.Exists(orderCustomer))}
	query := orders.Query("c").Filter(orderTotal.Ge(0)).Limit(2)
	ops := []ddb.TxOp{orders.TxPut(&list[0]), orders.TxUpdate(keys[0], orderStatus.Set("sent")), orders.TxCheck(orders.Key("c", "3"), ddb.Exists(orderCustomer))}
	before := struct {
		List []order
		Keys []ddb.Key[customerID, orderID]
		Item order
	}{slices.Clone(list), slices.Clone(keys), item}
	for name, call := range map[string]func(context.Context) (any, error){
		"Put":      func(ctx context.Context) (any, error) { return nil, orders.Put(ctx, &item) },
		"BatchPut": func(ctx context.Context) (any, error) { return nil, orders.BatchPut(ctx, list) },
		"BatchGet": func(ctx context.Context) (any, error) { return orders.BatchGet(ctx, keys) },
		"Update":   func(ctx context.Context) (any, error) { return orders.Update(ctx, orders.Key("c", "3"), changes...) },
		"Query": func(ctx context.Context) (any, error) {
			page, err := query.Page(ctx)
			if err != nil {
				return nil, err
			}
			return page.Items, nil
		},
		"Transact": func(ctx context.Context) (any, error) { return nil, ddb.Transact(ctx, client, ops...) },
	} {
		for _, first := range []error{orders.BatchPut(t.Context(), list), orders.Put(t.Context(), &item)} {
			if first != nil {
				t.Fatal(first)
			}
		}
		one, err := call(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		two, err := call(t.Context())
		if err != nil {
			t.Errorf("%s again: %v", name, err)
		}
		if d := cmp.Diff(one, two); d != "" {
			t.Errorf("%s has another result the second time:\n%s", name, d)
		}
		after := before
		after.List, after.Keys, after.Item = list, keys, item
		if d := cmp.Diff(before, after); d != "" {
			t.Fatalf("%s changed its arguments:\n%s", name, d)
		}
	}
}
