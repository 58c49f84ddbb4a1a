// SPDX-License-Identifier: Apache-2.0

package handle_test

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
		ID: "o1", Note: "m", Total: 5, Hash: []byte("m"), Paid: true, Tags: []string{"a"}, Lines: []line{{"s", 1}}, Votes: map[string]int{"x": 1},
	}); err != nil {
		t.Fatal(err)
	}
	b := func(s string) []byte { return []byte(s) }
	for _, c := range []struct {
		text    string
		yes, no ddb.Cond[order]
		alsoNo  ddb.Cond[order] // the other side of a bound
	}{
		{text: "paid = ?", yes: paid.Eq(true), no: paid.Eq(false)},
		{text: "paid <> ?", yes: paid.Ne(false), no: paid.Ne(true)},
		{text: "total = ?", yes: ordered.Eq(5), no: ordered.Eq(4)},
		{text: "total <> ?", yes: ordered.Ne(4), no: ordered.Ne(5)},
		{text: "total < ?", yes: ordered.Lt(6), no: ordered.Lt(5)},
		{text: "total <= ?", yes: ordered.Le(5), no: ordered.Le(4)},
		{text: "total > ?", yes: ordered.Gt(4), no: ordered.Gt(5)},
		{text: "total >= ?", yes: ordered.Ge(5), no: ordered.Ge(6)},
		{text: "total BETWEEN ? AND ?", yes: ordered.Between(5, 5), no: ordered.Between(6, 9), alsoNo: ordered.Between(1, 4)},
		{text: "total = ?", yes: total.Eq(5), no: total.Eq(4)},
		{text: "total <> ?", yes: total.Ne(4), no: total.Ne(5)},
		{text: "total < ?", yes: total.Lt(6), no: total.Lt(5)},
		{text: "total <= ?", yes: total.Le(5), no: total.Le(4)},
		{text: "total > ?", yes: total.Gt(4), no: total.Gt(5)},
		{text: "total >= ?", yes: total.Ge(5), no: total.Ge(6)},
		{text: "total BETWEEN ? AND ?", yes: total.Between(5, 5), no: total.Between(6, 9), alsoNo: total.Between(1, 4)},
		{text: "note = ?", yes: note.Eq("m"), no: note.Eq("l")},
		{text: "note <> ?", yes: note.Ne("l"), no: note.Ne("m")},
		{text: "note < ?", yes: note.Lt("n"), no: note.Lt("m")},
		{text: "note <= ?", yes: note.Le("m"), no: note.Le("l")},
		{text: "note > ?", yes: note.Gt("l"), no: note.Gt("m")},
		{text: "note >= ?", yes: note.Ge("m"), no: note.Ge("n")},
		{text: "note BETWEEN ? AND ?", yes: note.Between("m", "m"), no: note.Between("n", "z"), alsoNo: note.Between("a", "l")},
		{text: "begins_with(note, ?)", yes: note.BeginsWith("m"), no: note.BeginsWith("mm")},
		{text: "contains(note, ?)", yes: note.Contains("m"), no: note.Contains("n")},
		{text: "hash = ?", yes: hash.Eq(b("m")), no: hash.Eq(b("l"))},
		{text: "hash <> ?", yes: hash.Ne(b("l")), no: hash.Ne(b("m"))},
		{text: "hash < ?", yes: hash.Lt(b("n")), no: hash.Lt(b("m"))},
		{text: "hash <= ?", yes: hash.Le(b("m")), no: hash.Le(b("l"))},
		{text: "hash > ?", yes: hash.Gt(b("l")), no: hash.Gt(b("m"))},
		{text: "hash >= ?", yes: hash.Ge(b("m")), no: hash.Ge(b("n"))},
		{text: "hash BETWEEN ? AND ?", yes: hash.Between(b("m"), b("m")), no: hash.Between(b("n"), b("z")), alsoNo: hash.Between(b("a"), b("l"))},
		{text: "begins_with(hash, ?)", yes: hash.BeginsWith(b("m")), no: hash.BeginsWith(b("mm"))},
		{text: "contains(hash, ?)", yes: hash.Contains(b("m")), no: hash.Contains(b("n"))},
		{text: "tags = ?", yes: tags.Eq([]string{"a"}), no: tags.Eq([]string{"b"})},
		{text: "tags <> ?", yes: tags.Ne([]string{"b"}), no: tags.Ne([]string{"a"})},
		{text: "contains(tags, ?)", yes: tags.Has("a"), no: tags.Has("b")},
		{text: "lines = ?", yes: lines.Eq([]line{{"s", 1}}), no: lines.Eq([]line{{"s", 2}})},
		{text: "lines <> ?", yes: lines.Ne([]line{{"s", 2}}), no: lines.Ne([]line{{"s", 1}})},
		{text: "contains(lines, ?)", yes: lines.Has(line{"s", 1}), no: lines.Has(line{"s", 2})},
		{text: "votes = ?", yes: votes.Eq(map[string]int{"x": 1}), no: votes.Eq(map[string]int{"x": 2})},
		{text: "votes <> ?", yes: votes.Ne(map[string]int{"x": 2}), no: votes.Ne(map[string]int{"x": 1})},
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
		paid: "handle_test.order.paid", ordered: "handle_test.order.total", total: "handle_test.order.total", note: "handle_test.order.note",
		hash: "handle_test.order.hash", tags: "handle_test.order.tags", lines: "handle_test.order.lines", votes: "handle_test.order.votes",
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
			if got := fmt.Sprintf(verb, h); got != want {
				t.Errorf("%s prints %q, want %q", verb, got, want)
			}
		}
	}
}
