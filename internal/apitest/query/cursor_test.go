// SPDX-License-Identifier: Apache-2.0

package query_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/internal/longtest"
)

// TestCursorsAreBound: a cursor of another table, index, query or direction, and
// a damaged text, give ErrBadCursor before anything is sent.
func TestCursorsAreBound(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 10)
	other := newOrders(t)
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderPlacedAt)
	if err != nil {
		t.Fatal(err)
	}
	q := orders.Query("c1").Filter(orderTotal.Ge(0)).Limit(2)
	page, err := q.Page(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := page.Next
	for name, err := range map[string]error{
		"other table":     second(other.Query("c1").Filter(orderTotal.Ge(0)).After(c).Page(ctx)),
		"other key":       second(orders.Query("c2").Filter(orderTotal.Ge(0)).After(c).Page(ctx)),
		"other filter":    second(orders.Query("c1").Filter(orderTotal.Ge(1)).After(c).Page(ctx)),
		"other range":     second(q.SortKey(ddb.Gt(orderID("0"))).After(c).Page(ctx)),
		"other direction": second(q.Descending().After(c).Page(ctx)),
		"scan":            second(orders.Scan().After(c).Page(ctx)),
		"index":           second(byStatus.Query("open").After(c).Page(ctx)),
		"table text":      second(other.ParseCursor(c.String())),
		"index text":      second(byStatus.ParseCursor(c.String())),
		"empty base64":    second(orders.ParseCursor("AA")),
		"too long":        second(orders.ParseCursor(strings.Repeat("A", 5000))),
		"not base64":      second(orders.ParseCursor("%%%")),
	} {
		if !errors.Is(err, ddb.ErrBadCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, ok := range []error{
		second(q.Limit(5).After(c).Page(ctx)), second(q.PageSize(1).After(c).Page(ctx)), second(q.Project(orderTotal).After(c).Page(ctx)),
		second(orders.ParseCursor("")), second(q.Consistent().After(c).Page(ctx)),
	} {
		if ok != nil {
			t.Errorf("a cursor of the same query: %v", ok)
		}
	}
	text := c.String()
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range text {
		if _, err := orders.ParseCursor(text[:i]); i > 0 && !errors.Is(err, ddb.ErrBadCursor) {
			t.Errorf("cut at %d: %v", i, err)
		}
		for _, r := range alphabet {
			changed := text[:i] + string(r) + text[i+1:]
			if _, err := orders.ParseCursor(changed); changed != text && !errors.Is(err, ddb.ErrBadCursor) {
				t.Fatalf("character %d changed to %c: %v", i, r, err)
			}
		}
	}
	if b, err := c.MarshalText(); err == nil || len(b) > 0 {
		t.Errorf("MarshalText: %s, %v", b, err)
	}
}

// TestForgedCursors: a text with a correct checksum that the library would not
// write is refused, and so is a cursor of another partition.
func TestForgedCursors(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 4)
	q := orders.Query("c1").Limit(2)
	page, err := q.Page(ctx)
	if err != nil {
		t.Fatal(err)
	}
	good, err := base64.RawURLEncoding.DecodeString(page.Next.String())
	if err != nil {
		t.Fatal(err)
	}
	body := good[:len(good)-8]
	if forge(body) != page.Next.String() {
		t.Fatal("the cursor does not have the layout that this test assumes")
	}
	for i := range body {
		for bit := range 8 {
			changed := bytes.Clone(body)
			changed[i] ^= 1 << bit
			c, err := orders.ParseCursor(forge(changed))
			if err != nil {
				if !errors.Is(err, ddb.ErrBadCursor) {
					t.Errorf("byte %d, bit %d: %v", i, bit, err)
				}
				continue
			}
			// Only the sort key may differ: it is a position in the caller's own results.
			got, err := q.After(c).Page(ctx)
			if err == nil && i < len(body)-3 {
				t.Errorf("byte %d, bit %d: %s", i, bit, ids(got.Items))
			}
			if err != nil && !errors.Is(err, ddb.ErrBadCursor) && !strings.Contains(err.Error(), "Validation") && !strings.Contains(err.Error(), "UTF-8") {
				t.Errorf("byte %d, bit %d: %v", i, bit, err)
			}
		}
		if err := second(orders.ParseCursor(forge(body[:i]))); !errors.Is(err, ddb.ErrBadCursor) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	for name, b := range map[string][]byte{
		"trailing byte": append(bytes.Clone(body), 0), "long length": append(bytes.Clone(body[:1]), append([]byte{body[1] | 0x80, 0}, body[2:]...)...),
		"endless length": append(bytes.Clone(body[:1]), bytes.Repeat([]byte{0xff}, 20)...), "nothing": {}, "other version": append([]byte{2}, body[1:]...),
	} {
		if err := second(orders.ParseCursor(forge(b))); !errors.Is(err, ddb.ErrBadCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := second(orders.ParseCursor(page.Next.String() + "=")); !errors.Is(err, ddb.ErrBadCursor) {
		t.Errorf("padding: %v", err)
	}
	if b, err := json.Marshal(page); err == nil || len(b) > 0 {
		t.Errorf("page as JSON: %s, %v", b, err)
	}
}

// TestCursorsOfFiftyQueries: each cursor is valid for its own query and for no other.
func TestCursorsOfFiftyQueries(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 8)
	other := []order{{Customer: "c2", ID: "000"}, {Customer: "c2", ID: "001"}, {Customer: "c2", ID: "002", Total: 5}}
	if err := orders.BatchPut(ctx, other); err != nil {
		t.Fatal(err)
	}
	var queries []*ddb.Query[order, orderID]
	for _, pk := range []customerID{"c1", "c2"} {
		for _, cond := range []ddb.SortCond[orderID]{ddb.Lt(orderID("99")), ddb.Ge(orderID("0")), ddb.Ge(orderID("00")), ddb.Le(orderID("9")), ddb.BeginsWith(orderID("0")), ddb.Between(orderID("0"), orderID("9"))} {
			for _, filter := range []ddb.Cond[order]{{}, orderTotal.Ge(0), orderTotal.Ge(-1), orderTotal.Lt(100), ddb.NotExists(orderVisits)} {
				q := orders.Query(pk).SortKey(cond).Filter(filter).Limit(1)
				queries = append(queries, q, q.Descending())
			}
		}
	}
	cursors := make([]ddb.Cursor[order], len(queries))
	for i, q := range queries {
		page, err := q.Page(ctx)
		if err != nil || page.Next.IsZero() {
			t.Fatal(i, err)
		}
		cursors[i] = page.Next
	}
	for i, q := range queries {
		for j, c := range cursors {
			err := second(q.After(c).Page(ctx))
			if i == j && err != nil || i != j && !errors.Is(err, ddb.ErrBadCursor) {
				t.Fatalf("cursor %d in query %d of %d: %v", j, i, len(queries), err)
			}
			if i != j {
				err = second(q.Before(c).Page(ctx))
			}
			if i != j && !errors.Is(err, ddb.ErrBadCursor) {
				t.Fatalf("cursor %d before query %d: %v", j, i, err)
			}
		}
	}
}

// wide has keys of every type, and attributes whose names are reserved words or need escaping.
type wide struct {
	Part string  `dynamodbav:"name"`
	Sort []byte  `dynamodbav:"order"`
	A    string  `dynamodbav:"a-b.c d"`
	B    []byte  `dynamodbav:"b"`
	C    int64   `dynamodbav:"c"`
	D    float64 `dynamodbav:"d"`
	Text touchy  `dynamodbav:"text,text,omitempty"`
}

var (
	widePart = ddb.StrField(func(w *wide) *string { return &w.Part })
	wideSort = ddb.BinField(func(w *wide) *[]byte { return &w.Sort })
	wideA    = ddb.StrField(func(w *wide) *string { return &w.A })
	wideB    = ddb.BinField(func(w *wide) *[]byte { return &w.B })
	wideC    = ddb.NumField(func(w *wide) *int64 { return &w.C })
	wideD    = ddb.NumField(func(w *wide) *float64 { return &w.D })
)

// newWide returns a new, empty table of wide items, with an index by A and B.
func newWide(t testing.TB) (*ddb.Table[wide, string, []byte], *ddb.Index[wide, string, []byte]) {
	t.Helper()
	table, err := ddb.New(newClient(t), tableName(t), widePart, wideSort)
	if err != nil {
		t.Fatal(err)
	}
	byA, err := ddb.NewIndex(table, strings.Repeat("i", 255), wideA, wideB)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return table, byA
}

// TestCursorsOfAnyKey: cursors survive text form, for keys of every type, byte and length.
func TestCursorsOfAnyKey(t *testing.T) {
	client := newClient(t)
	table, err := ddb.New(client, tableName(t), widePart, wideSort)
	if err != nil {
		t.Fatal(err)
	}
	byA, err1 := ddb.NewIndex(table, "by-a", wideA, wideB)
	byC, err2 := ddb.NewIndex(table, "by-c", wideC, wideD)
	inverted, err3 := ddb.NewIndex(table, "inverted", wideSort, widePart)
	if err := errors.Join(err1, err2, err3, table.CreateTable(t.Context())); err != nil {
		t.Fatal(err)
	}
	round := func(rt *rapid.T, name string, page ddb.Page[wide], err error, parse func(string) (ddb.Cursor[wide], error), after func(ddb.Cursor[wide]) (int, error)) {
		if err != nil {
			rt.Fatalf("%s: %v", name, err)
		}
		back, err := parse(page.Next.String())
		if err != nil {
			rt.Fatalf("%s: cursor of %d characters: %v", name, len(page.Next.String()), err)
		}
		if n, err := after(back); err != nil || n != 1 {
			rt.Fatalf("%s: %d items after the first, %v", name, n, err)
		}
	}
	ctx := t.Context()
	short := draw.TextOf(1, 20, 60)
	longtest.Checks(t, 50)
	rapid.Check(t, func(rt *rapid.T) {
		text := func(what string, limit int) string {
			s := short.Draw(rt, what)
			if draw.Int(rt, 0, 9, what+" is long") == 0 {
				s = strings.Repeat(s, limit/len(s)+1)[:limit]
				s = strings.ToValidUTF8(s, "")
			}
			return s
		}
		w := wide{
			Part: text("part", 1000), Sort: []byte(text("sort", 1023)), A: text("a", 2048), B: draw.Bytes(rt, 1, 1024, "b"),
			C: draw.Int64(rt, math.MinInt64, math.MaxInt64, "c"), D: float64(draw.Int(rt, math.MinInt32, math.MaxInt32, "d")) / 8,
		}
		v := w
		v.Part, v.Sort = w.Part, append(bytes.Clone(w.Sort), 'x')
		defer func() {
			_ = table.Delete(ctx, w.Part, w.Sort)
			_ = table.Delete(ctx, v.Part, v.Sort)
		}()
		if err := errors.Join(table.Put(ctx, &w), table.Put(ctx, &v)); err != nil {
			rt.Fatal(err)
		}
		q := table.Query(w.Part).Limit(1)
		page, err := q.Page(ctx)
		round(rt, "table", page, err, table.ParseCursor, func(c ddb.Cursor[wide]) (int, error) { return count(ctx, q.After(c)) })
		x := byA.Query(w.A).Limit(1)
		page, err = x.Page(ctx)
		round(rt, "by-a", page, err, byA.ParseCursor, func(c ddb.Cursor[wide]) (int, error) { return count(ctx, x.After(c)) })
		y := byC.Query(w.C).SortKey(ddb.Eq(w.D)).Limit(1)
		page, err = y.Page(ctx)
		round(rt, "by-c", page, err, byC.ParseCursor, func(c ddb.Cursor[wide]) (int, error) { return count(ctx, y.After(c)) })
		s := table.Scan().Limit(1)
		page, err = s.Page(ctx)
		round(rt, "scan", page, err, table.ParseCursor, func(c ddb.Cursor[wide]) (int, error) { return count(ctx, s.After(c)) })
		i := inverted.Scan().Limit(1)
		page, err = i.Page(ctx)
		round(rt, "scan of the inverted index", page, err, inverted.ParseCursor, func(c ddb.Cursor[wide]) (int, error) { return count(ctx, i.After(c)) })
	})
}

func count(ctx context.Context, q interface {
	Count(context.Context) (int, error)
}) (int, error) {
	return q.Count(ctx)
}

// TestLongestCursor: a cursor with the longest keys that DynamoDB accepts can be read back.
func TestLongestCursor(t *testing.T) {
	table, index := newWide(t)
	k, s := strings.Repeat("\x01", 2048), bytes.Repeat([]byte{1}, 1023)
	for i := range 2 {
		if err := table.Put(t.Context(), &wide{Part: k, Sort: append(bytes.Clone(s), byte(i)), A: k, B: s}); err != nil {
			t.Fatal(err)
		}
	}
	q := index.Query(k).Limit(1)
	page, err := q.Page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := index.ParseCursor(page.Next.String())
	if err != nil {
		t.Fatalf("%d characters: %v", len(page.Next.String()), err)
	}
	if rest, err := q.After(c).Page(t.Context()); err != nil || len(rest.Items) != 1 || bytes.Equal(rest.Items[0].Sort, page.Items[0].Sort) {
		t.Errorf("%d items, %v", len(rest.Items), err)
	}
}
