// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"fmt"
	"testing"

	"github.com/dynamotable/ddb"
)

var ordered = ddb.OrdField(func(o *order) *int64 { return &o.Total })

// TestOperators: each comparison of each kind of handle is the operator of its name, on the value that is given.
func TestOperators(t *testing.T) {
	t.Parallel()
	orders := newOrders(t)
	if err := orders.Put(t.Context(), &order{
		ID: "o1", Note: "m", Total: 5, Hash: []byte("m"), Paid: true, Tags: []string{"a"}, Lines: []line{{SKU: "s", Qty: 1}}, Votes: map[string]int{"x": 1},
	}); err != nil {
		t.Fatal(err)
	}
	b := func(s string) []byte { return []byte(s) }
	for _, c := range []struct {
		text    string
		yes, no ddb.Cond[order]
		alsoNo  ddb.Cond[order] // the other side of a bound
	}{
		{text: "paid = ?", yes: orderPaid.Eq(true), no: orderPaid.Eq(false)},
		{text: "paid <> ?", yes: orderPaid.Ne(false), no: orderPaid.Ne(true)},
		{text: "total = ?", yes: ordered.Eq(5), no: ordered.Eq(4)},
		{text: "total <> ?", yes: ordered.Ne(4), no: ordered.Ne(5)},
		{text: "total < ?", yes: ordered.Lt(6), no: ordered.Lt(5)},
		{text: "total <= ?", yes: ordered.Le(5), no: ordered.Le(4)},
		{text: "total > ?", yes: ordered.Gt(4), no: ordered.Gt(5)},
		{text: "total >= ?", yes: ordered.Ge(5), no: ordered.Ge(6)},
		{text: "total BETWEEN ? AND ?", yes: ordered.Between(5, 5), no: ordered.Between(6, 9), alsoNo: ordered.Between(1, 4)},
		{text: "total = ?", yes: orderTotal.Eq(5), no: orderTotal.Eq(4)},
		{text: "total <> ?", yes: orderTotal.Ne(4), no: orderTotal.Ne(5)},
		{text: "total < ?", yes: orderTotal.Lt(6), no: orderTotal.Lt(5)},
		{text: "total <= ?", yes: orderTotal.Le(5), no: orderTotal.Le(4)},
		{text: "total > ?", yes: orderTotal.Gt(4), no: orderTotal.Gt(5)},
		{text: "total >= ?", yes: orderTotal.Ge(5), no: orderTotal.Ge(6)},
		{text: "total BETWEEN ? AND ?", yes: orderTotal.Between(5, 5), no: orderTotal.Between(6, 9), alsoNo: orderTotal.Between(1, 4)},
		{text: "note = ?", yes: orderNote.Eq("m"), no: orderNote.Eq("l")},
		{text: "note <> ?", yes: orderNote.Ne("l"), no: orderNote.Ne("m")},
		{text: "note < ?", yes: orderNote.Lt("n"), no: orderNote.Lt("m")},
		{text: "note <= ?", yes: orderNote.Le("m"), no: orderNote.Le("l")},
		{text: "note > ?", yes: orderNote.Gt("l"), no: orderNote.Gt("m")},
		{text: "note >= ?", yes: orderNote.Ge("m"), no: orderNote.Ge("n")},
		{text: "note BETWEEN ? AND ?", yes: orderNote.Between("m", "m"), no: orderNote.Between("n", "z"), alsoNo: orderNote.Between("a", "l")},
		{text: "begins_with(note, ?)", yes: orderNote.BeginsWith("m"), no: orderNote.BeginsWith("mm")},
		{text: "contains(note, ?)", yes: orderNote.Contains("m"), no: orderNote.Contains("n")},
		{text: "hash = ?", yes: orderHash.Eq(b("m")), no: orderHash.Eq(b("l"))},
		{text: "hash <> ?", yes: orderHash.Ne(b("l")), no: orderHash.Ne(b("m"))},
		{text: "hash < ?", yes: orderHash.Lt(b("n")), no: orderHash.Lt(b("m"))},
		{text: "hash <= ?", yes: orderHash.Le(b("m")), no: orderHash.Le(b("l"))},
		{text: "hash > ?", yes: orderHash.Gt(b("l")), no: orderHash.Gt(b("m"))},
		{text: "hash >= ?", yes: orderHash.Ge(b("m")), no: orderHash.Ge(b("n"))},
		{text: "hash BETWEEN ? AND ?", yes: orderHash.Between(b("m"), b("m")), no: orderHash.Between(b("n"), b("z")), alsoNo: orderHash.Between(b("a"), b("l"))},
		{text: "begins_with(hash, ?)", yes: orderHash.BeginsWith(b("m")), no: orderHash.BeginsWith(b("mm"))},
		{text: "contains(hash, ?)", yes: orderHash.Contains(b("m")), no: orderHash.Contains(b("n"))},
		{text: "tags = ?", yes: orderTags.Eq([]string{"a"}), no: orderTags.Eq([]string{"b"})},
		{text: "tags <> ?", yes: orderTags.Ne([]string{"b"}), no: orderTags.Ne([]string{"a"})},
		{text: "contains(tags, ?)", yes: orderTags.Has("a"), no: orderTags.Has("b")},
		{text: "lines = ?", yes: orderLines.Eq([]line{{SKU: "s", Qty: 1}}), no: orderLines.Eq([]line{{SKU: "s", Qty: 2}})},
		{text: "lines <> ?", yes: orderLines.Ne([]line{{SKU: "s", Qty: 2}}), no: orderLines.Ne([]line{{SKU: "s", Qty: 1}})},
		{text: "contains(lines, ?)", yes: orderLines.Has(line{SKU: "s", Qty: 1}), no: orderLines.Has(line{SKU: "s", Qty: 2})},
		{text: "votes = ?", yes: orderVotes.Eq(map[string]int{"x": 1}), no: orderVotes.Eq(map[string]int{"x": 2})},
		{text: "votes <> ?", yes: orderVotes.Ne(map[string]int{"x": 2}), no: orderVotes.Ne(map[string]int{"x": 1})},
	} {
		if got := c.yes.String(); got != c.text {
			t.Errorf("%s is shown, want %s", got, c.text)
		}
		if n, err := orders.Scan().Filter(c.yes).Count(t.Context()); n != 1 || err != nil {
			t.Errorf("%s is false of an item for which it is true: %v", c.text, err)
		}
		for _, no := range []ddb.Cond[order]{c.no, c.alsoNo} {
			if no.String() == "" {
				continue
			}
			if n, err := orders.Scan().Filter(no).Count(t.Context()); n != 0 || err != nil {
				t.Errorf("%s is true of an item for which it is false: %v", c.text, err)
			}
		}
	}
}

// TestHandlesPrintTheirPath: every verb prints item type and path of a handle, of every kind.
func TestHandlesPrintTheirPath(t *testing.T) {
	t.Parallel()
	for h, want := range map[fmt.Formatter]string{
		orderPaid: "item_test.order.paid", ordered: "item_test.order.total", orderTotal: "item_test.order.total", orderNote: "item_test.order.note",
		orderHash: "item_test.order.hash", orderTags: "item_test.order.tags", orderLines: "item_test.order.lines", orderVotes: "item_test.order.votes",
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
			if got := fmt.Sprintf(verb, h); got != want {
				t.Errorf("%s prints %q, want %q", verb, got, want)
			}
		}
	}
}
