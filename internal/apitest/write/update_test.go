// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/rawexpr"
)

// sortedTags compares sets without order.
var sortedTags = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Tags" },
	cmp.Transformer("sort", func(s []string) []string {
		if len(s) == 0 {
			return nil
		}
		return slices.Sorted(slices.Values(s))
	}))

func TestUpdateChanges(t *testing.T) {
	for name, tc := range map[string]struct {
		change []ddb.UpdateOption[order]
		want   func(*order)
	}{
		"set":               {upd(orderStatus.Set("paid")), func(o *order) { o.Status = "paid" }},
		"set nested":        {upd(orderCity.Set("Bern")), func(o *order) { o.Address.City = "Bern" }},
		"set nil":           {upd(orderGift.Set(nil)), func(o *order) { o.Gift = nil }},
		"set if missing":    {upd(ddb.SetIfMissing(orderStatus, "x"), ddb.SetIfMissing(orderVisits, 7)), func(o *order) { o.Visits = 7 }},
		"set from":          {upd(ddb.SetFrom(orderStatus, orderCity)), func(o *order) { o.Status = o.Address.City }},
		"remove":            {upd(ddb.Remove(orderGift), ddb.Remove(orderNotes)), func(o *order) { o.Gift, o.Notes = nil, nil }},
		"remove all":        {upd(ddb.Remove(orderGift), ddb.Remove(orderNotes), ddb.Remove(orderLabels)), func(o *order) { o.Gift, o.Notes, o.Labels = nil, nil, nil }},
		"add":               {upd(orderTotal.Add(8)), func(o *order) { o.Total = 50 }},
		"add negative":      {upd(orderTotal.Add(-50)), func(o *order) { o.Total = -8 }},
		"sub":               {upd(orderTotal.Sub(2)), func(o *order) { o.Total = 40 }},
		"add to absent":     {upd(orderVisits.Add(3)), func(o *order) { o.Visits = 3 }},
		"several counters":  {upd(orderTotal.Add(1), orderVisits.Add(1)), func(o *order) { o.Total, o.Visits = 43, 1 }},
		"insert":            {upd(orderTags.Insert("c", "a")), func(o *order) { o.Tags = []string{"a", "b", "c"} }},
		"delete from set":   {upd(orderTags.Delete("a", "zz")), func(o *order) { o.Tags = []string{"b"} }},
		"delete all of set": {upd(orderTags.Delete("a", "b")), func(o *order) { o.Tags = nil }},
		"append":            {upd(orderNotes.Append("2", "3")), func(o *order) { o.Notes = []string{"first", "2", "3"} }},
		"prepend":           {upd(ddb.Prepend(orderNotes, "0", "00")), func(o *order) { o.Notes = []string{"0", "00", "first"} }},
		"list element":      {upd(ddb.AsNum(ddb.Within(orderLines.At(1), func(l *line) *int { return &l.Qty })).Add(5)), func(o *order) { o.Lines[1].Qty = 7 }},
		"remove element":    {upd(ddb.Remove(orderLines.At(0))), func(o *order) { o.Lines = o.Lines[1:] }},
		"map key":           {upd(orderLabels.Key("new").Set("n"), ddb.Remove(orderLabels.Key("k"))), func(o *order) { o.Labels = map[string]string{"new": "n"} }},
		"changes":           {upd(ddb.Changes(orderTotal.Set(1), orderStatus.Set("z"))), func(o *order) { o.Total, o.Status = 1, "z" }},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			orders := newOrders(t)
			o := someOrder()
			if err := orders.Put(ctx, &o); err != nil {
				t.Fatal(err)
			}
			got, err := orders.Update(ctx, orders.Key("c1", "o1"), tc.change...)
			if err != nil {
				t.Fatal(err)
			}
			want := someOrder()
			tc.want(&want)
			if diff := cmp.Diff(want, got, sortedTags); diff != "" {
				t.Errorf("returned item differs:\n%s", diff)
			}
			stored, err := orders.Get(ctx, "c1", "o1", ddb.Consistent())
			if diff := cmp.Diff(want, stored, sortedTags); err != nil || diff != "" {
				t.Errorf("stored item differs: %v\n%s", err, diff)
			}
		})
	}
}

func upd(opts ...ddb.UpdateOption[order]) []ddb.UpdateOption[order] { return opts }

func TestConditions(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	o := someOrder()
	if err := orders.Put(ctx, &o); err != nil {
		t.Fatal(err)
	}
	yes, no := orderTotal.Eq(42), orderTotal.Eq(0)
	for _, tc := range []struct {
		cond ddb.Cond[order]
		want bool
		text string
	}{
		{orderStatus.Eq("open"), true, "status = ?"},
		{orderStatus.Ne("open"), false, "status <> ?"},
		{ddb.In(orderStatus, "a", "open"), true, "status IN (?, ?)"},
		{orderStatus.BeginsWith("op"), true, "begins_with(status, ?)"},
		{orderStatus.Contains("pe"), true, "contains(status, ?)"},
		{orderTotal.Lt(42), false, "total < ?"},
		{orderTotal.Le(42), true, "total <= ?"},
		{orderTotal.Gt(41), true, "total > ?"},
		{orderTotal.Ge(43), false, "total >= ?"},
		{orderTotal.Between(42, 50), true, "total BETWEEN ? AND ?"},
		{ddb.Exists(orderVisits), false, "attribute_exists(visits)"},
		{ddb.NotExists(orderVisits), true, "attribute_not_exists(visits)"},
		{orderTags.Has("b"), true, "contains(tags, ?)"},
		{orderTags.Has("z"), false, "contains(tags, ?)"},
		{orderNotes.Has("first"), true, "contains(notes, ?)"},
		{ddb.Size(orderNotes).Eq(1), true, "size(notes) = ?"},
		{ddb.Size(orderNotes).Ne(1), false, "size(notes) <> ?"},
		{ddb.Size(orderStatus).Lt(5), true, "size(status) < ?"},
		{ddb.Size(orderStatus).Le(3), false, "size(status) <= ?"},
		{ddb.Size(orderStatus).Gt(3), true, "size(status) > ?"},
		{ddb.Size(orderStatus).Ge(5), false, "size(status) >= ?"},
		{ddb.IsType(orderStatus, attrtype.String), true, "attribute_type(status, ?)"},
		{ddb.EqAttr(orderStatus, orderCity), false, "status = address.city"},
		{orderPlacedAt.Gt(o.PlacedAt.Add(-1)), true, "placed_at > ?"},
		{ddb.Not(yes), false, "NOT (total = ?)"},
		{ddb.Not(ddb.Or(no, no)), true, "NOT (total = ? OR total = ?)"},
		{ddb.And(yes, ddb.Or(no, yes)), true, "total = ? AND (total = ? OR total = ?)"},
		// A or (B and C) differs from (A or B) and C.
		{ddb.And(ddb.Or(yes, no), no), false, "(total = ? OR total = ?) AND total = ?"},
		{ddb.Or(yes, ddb.And(no, no)), true, "total = ? OR (total = ? AND total = ?)"},
		{ddb.And(ddb.Cond[order]{}, yes), true, "total = ?"},
		// Two values on one attribute do not overwrite each other.
		{ddb.And(orderTotal.Gt(40), orderTotal.Lt(43), orderTotal.Ne(41)), true, "total > ? AND total < ? AND total <> ?"},
		{ddb.And(yes, rawexpr.CondText[order]("size(#n) = :n", map[string]string{"#n": "notes"}, map[string]any{":n": 1})), true, "total = ? AND (size(notes) = ?)"},
	} {
		if got := tc.cond.String(); got != tc.text {
			t.Errorf("text %q, want %q", got, tc.text)
		}
		_, err := orders.Update(ctx, orders.Key("c1", "o1"), ddb.Remove(orderVisits), ddb.If(tc.cond))
		switch {
		case tc.want && err != nil:
			t.Errorf("%s: %v", tc.text, err)
		case !tc.want && !errors.Is(err, ddb.ErrConditionFailed):
			t.Errorf("%s: %v, want ErrConditionFailed", tc.text, err)
		}
	}
}
