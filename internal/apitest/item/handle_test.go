// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/ddbtest"
)

type order struct {
	ID    string         `dynamodbav:"id"`
	Note  string         `dynamodbav:"note,omitempty"`
	Total int64          `dynamodbav:"total,omitempty"`
	Hash  []byte         `dynamodbav:"hash,omitempty"`
	Paid  bool           `dynamodbav:"paid,omitempty"`
	Tags  []string       `dynamodbav:"tags,stringset,omitempty"`
	Lines []line         `dynamodbav:"lines,omitempty"`
	Votes map[string]int `dynamodbav:"votes,omitempty"`
}

var (
	orderID    = ddb.StrField(func(o *order) *string { return &o.ID })
	orderNote  = ddb.StrField(func(o *order) *string { return &o.Note })
	orderTotal = ddb.NumField(func(o *order) *int64 { return &o.Total })
	orderHash  = ddb.BinField(func(o *order) *[]byte { return &o.Hash })
	orderPaid  = ddb.Field(func(o *order) *bool { return &o.Paid })
	orderTags  = ddb.SetField(func(o *order) *[]string { return &o.Tags })
	orderLines = ddb.ListField(func(o *order) *[]line { return &o.Lines })
	orderVotes = ddb.MapField(func(o *order) *map[string]int { return &o.Votes })
)

func newOrders(t *testing.T) *ddb.SimpleTable[order, string] {
	t.Helper()

	orders, err := ddb.NewSimple(ddbtest.New(t), "orders", orderID)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return orders
}

// TestZeroHandles: a call with a zero handle returns an error, whatever the handle and the method.
func TestZeroHandles(t *testing.T) {
	orders := newOrders(t)
	if err := orders.Put(t.Context(), &order{ID: "o1"}); err != nil {
		t.Fatal(err)
	}
	var (
		noAttr  ddb.Attr[order, bool]
		noOrd   ddb.Ord[order, int64]
		noStr   ddb.Str[order, string]
		noNum   ddb.Num[order, int64]
		noBin   ddb.Bin[order, []byte]
		noSet   ddb.Set[order, string]
		noList  ddb.List[order, line]
		noMap   ddb.Map[order, string, int]
		nothing ddb.AttrOf[order, string]
		empty   = new(ddb.StrHandle[*order, string])
	)
	for name, cond := range map[string]ddb.Cond[order]{
		"Attr": noAttr.Eq(true), "Ord": noOrd.Between(1, 2), "Str": noStr.BeginsWith("x"), "Num": noNum.Lt(1), "Bin": noBin.Contains(nil), "Set": noSet.Has("x"),
		"List": noList.Has(line{}), "Map": noMap.Ne(nil), "key": noMap.Key("k").Eq(1), "element": ddb.Exists(noList.At(0)), "in": ddb.In(noStr, "x", "y"), "type": ddb.IsType(noNum, attrtype.Number),
		"size": ddb.Size(noStr).Gt(1), "both": ddb.EqAttr(orderNote, noStr), "nil": ddb.EqAttr(nothing, orderNote), "empty": ddb.NotExists(empty), "converted": ddb.AsStr(ddb.Attr[order, string](nil)).Eq("x"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := orders.Update(t.Context(), "o1", orderTotal.Add(1), ddb.If(ddb.And(cond)))
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "a zero handle was used") {
				t.Error(err)
			}
		})
	}
	for name, change := range map[string]ddb.Change[order]{
		"Attr": noAttr.Set(true), "Ord": ddb.Remove(noOrd), "Str": ddb.SetIfMissing(noStr, "x"), "Num": noNum.Add(1).Exact(), "Bin": noBin.Set(nil), "Set": noSet.Insert("x"), "no members": noSet.Delete(),
		"List": noList.Append(line{}), "Map": ddb.Remove(noMap), "from": ddb.SetFrom(orderNote, noStr), "nil": ddb.SetFrom(nothing, orderNote), "inner": ddb.Within(noList.At(0), func(l *line) *int { return &l.Qty }).Set(1),
	} {
		t.Run("change "+name, func(t *testing.T) {
			_, err := orders.Update(t.Context(), "o1", change)
			if !errors.Is(err, ddb.ErrInvalid) || name != "no members" && !strings.Contains(err.Error(), "a zero handle was used") {
				t.Error(err)
			}
		})
	}
	if _, err := orders.Update(t.Context(), "o1", ddb.Change[order]{}.AtLeastOnce()); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "a zero Change") {
		t.Error("zero change:", err)
	}
	if _, err := orders.Get(t.Context(), "o1", ddb.Project(noStr)); !errors.Is(err, ddb.ErrInvalid) {
		t.Error("projection:", err)
	}
	for name, key := range map[string]ddb.KeyField[order, string]{"nil": nil, "zero": noStr, "empty": empty, "foreign": foreign{}} {
		if _, err := ddb.NewSimple(ddbtest.New(t), "orders", key); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "a zero handle was used") {
			t.Errorf("key %s: %v", name, err)
		}
	}
	if got, err := orders.Get(t.Context(), "o1"); err != nil || got.Total != 0 {
		t.Error("something was sent:", got, err)
	}
}

// foreign has the method of key fields but is no key field.
type foreign struct{}

func (foreign) HandleOf(*order, string) {}

// strange has the method of options but is no option.
type strange struct{ what any }

func (s strange) ChangeOrIf(*order) any    { return s.what }
func (s strange) IfOrReturnOld(*order) any { return s.what }

func TestForeignOptions(t *testing.T) {
	orders := newOrders(t)
	for _, what := range []any{nil, 7, "x", &order{}} {
		_, err := orders.Update(t.Context(), "o1", orderTotal.Set(1), strange{what})
		err2 := orders.Put(t.Context(), &order{ID: "o1"}, strange{what})
		if !errors.Is(err, ddb.ErrInvalid) || !errors.Is(err2, ddb.ErrInvalid) {
			t.Error(what, err, err2)
		}
	}
	// A handle that is converted to another type gives an error, and no memory is misread.
	as := (*ddb.StrHandle[*order, string])(orderTotal)
	if _, err := orders.Update(t.Context(), "o1", as.Set("x")); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "codec of int64 used for a string") {
		t.Error(err)
	}
}

// TestHandlesShowNames: with every verb a handle prints its item type and attribute, and never a map key.
func TestHandlesShowNames(t *testing.T) {
	var none ddb.Num[order, int64]
	wrong := ddb.Field(func(*order) *bool { return new(bool) })
	for _, tc := range []struct {
		handle     ddb.AnyAttr
		text, name string
	}{
		{orderNote, "item_test.order.note", "note"}, {orderTotal, "item_test.order.total", "total"}, {orderHash, "item_test.order.hash", "hash"}, {orderPaid, "item_test.order.paid", "paid"},
		{orderTags, "item_test.order.tags", "tags"}, {orderLines, "item_test.order.lines", "lines"}, {orderVotes, "item_test.order.votes", "votes"},
		{orderLines.At(2), "item_test.order.lines[2]", "lines[2]"}, {orderVotes.Key("alice@example.org"), "item_test.order.votes.?", "votes.?"},
		{none, "handle without an attribute", ""}, {wrong, "handle without an attribute", ""},
	} {
		if got := ddb.NameOf(tc.handle); got != tc.name {
			t.Errorf("NameOf %q, want %q", got, tc.name)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%t", "%x"} {
			got := fmt.Sprintf(verb, tc.handle)
			if strings.Contains(got, "alice") || verb == "%v" && got != tc.text {
				t.Errorf("%s: %q, want %q", verb, got, tc.text)
			}
		}
	}
	cond := ddb.Not(orderVotes.Key("alice@example.org").Eq(4711))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%t", "%x", "%c"} {
		for _, printed := range []any{cond, &cond, []any{cond}, struct{ c any }{cond}} {
			if got := fmt.Sprintf(verb, printed); strings.Contains(got, "alice") || strings.Contains(got, "4711") {
				t.Errorf("%s of a %T shows data: %s", verb, printed, got)
			}
		}
	}
	if got := ddb.NameOf(nil); got != "" {
		t.Errorf("NameOf(nil) %q", got)
	}
}

// TestConditionsRender: each method renders the condition that its comment describes.
func TestConditionsRender(t *testing.T) {
	for want, cond := range map[string]ddb.Cond[order]{
		"note = ?": orderNote.Eq("x"), "note <> ?": orderNote.Ne("x"), "total < ?": orderTotal.Lt(1), "total <= ?": orderTotal.Le(1), "total > ?": orderTotal.Gt(1), "total >= ?": orderTotal.Ge(1),
		"total BETWEEN ? AND ?": orderTotal.Between(1, 2), "total IN (?, ?)": ddb.In(orderTotal, 1, 2), "begins_with(note, ?)": orderNote.BeginsWith("x"), "contains(hash, ?)": orderHash.Contains([]byte("x")),
		"contains(tags, ?)": orderTags.Has("x"), "contains(lines, ?)": orderLines.Has(line{}), "attribute_exists(paid)": ddb.Exists(orderPaid), "attribute_not_exists(votes.?)": ddb.NotExists(orderVotes.Key("k")),
		"size(note) >= ?": ddb.Size(orderNote).Ge(3), "attribute_type(total, ?)": ddb.IsType(orderTotal, attrtype.Number), "lines[1].qty = ?": ddb.Within(orderLines.At(1), func(l *line) *int { return &l.Qty }).Eq(3),
		"note = id": ddb.EqAttr(orderNote, orderID), "": {},
	} {
		if got := cond.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestHandleAllocations limits what conditions and changes allocate.
func TestHandleAllocations(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("with coverage the compiler inlines less")
	}
	for name, tc := range map[string]struct {
		most float64
		make func()
	}{
		"Eq":      {5, func() { kept = orderNote.Eq("open") }},
		"Between": {9, func() { kept = orderTotal.Between(1, 2) }},
		"Exists":  {3, func() { kept = ddb.Exists(orderPaid) }},
		"Set":     {4, func() { keptChange = orderNote.Set("open") }},
		"Add":     {9, func() { keptChange = orderTotal.Add(1) }},
		"If":      {6, func() { keptOption = ddb.If(orderNote.Eq("open")) }},
		"If of 2": {16, func() { keptOption = ddb.If(orderNote.Eq("open"), orderTotal.Gt(3)) }},
		"Remove":  {1, func() { keptChange = ddb.Remove(orderNote) }},
	} {
		if got := testing.AllocsPerRun(100, tc.make); got > tc.most {
			t.Errorf("%s: %.0f allocations, at most %.0f", name, got, tc.most)
		} else {
			t.Logf("%s: %.0f allocations", name, got)
		}
	}
}

var (
	kept       ddb.Cond[order]
	keptChange ddb.Change[order]
	keptOption ddb.Option[order]
)
