// SPDX-License-Identifier: Apache-2.0

package entity_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/entity"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/typeditem"
)

// modelItem is an item in the model: its sort key, its kind and its number, which is total, credit or qty.
type modelItem struct {
	sk, kind string
	n        int
}

var numberOf = map[string]string{"order": "total", "customer": "credit", "line": "qty", "": "none", "invoice": "total"}

// Random items of three types and of unknown ones, some under the keys of earlier ones; queries of one type and of all, with random bounds,
// directions, filters, page sizes and limits, page by page by cursors: each result equals that of a plain list of the items.
func TestQueriesAgainstModel(t *testing.T) {
	s := newShop(t, discriminators(ddb.SkipOthers()))
	strict := &shop{}
	var err error
	if strict.orders, err = ddb.New(s.client, s.name, orderPK, orderSK, ddb.Discriminator("type", "order")); err != nil {
		t.Fatal(err)
	}
	lax, all, none := s.mixed(t, entity.SkipUnknown[record]()), s.mixed(t, keep()), s.mixed(t)
	partition := 0
	longtest.Checks(t, 30)
	rapid.Check(t, func(t *rapid.T) {
		partition++
		pk := fmt.Sprintf("p%d", partition)
		var model []modelItem
		for range draw.Int(t, 0, 25, "items") {
			m := modelItem{
				sk:   fmt.Sprintf("%02d", draw.Int(t, 0, 40, "sk")),
				kind: draw.Of(t, []string{"order", "customer", "line", "order", "customer", "line", "order", "", "invoice"}, "kind"), n: draw.Int(t, 1, 9, "n"),
			}
			model = slices.DeleteFunc(model, func(o modelItem) bool { return o.sk == m.sk })
			model = append(model, m)
			attrs := []string{numberOf[m.kind], fmt.Sprint(m.n)}
			if m.kind != "" {
				attrs = append(attrs, "type", m.kind)
			}
			s.raw(t, pk, m.sk, attrs...)
		}
		slices.SortFunc(model, func(a, b modelItem) int { return strings.Compare(a.sk, b.sk) })
		low, high := draw.Int(t, 0, 40, "low"), draw.Int(t, 0, 40, "high")
		if low > high {
			low, high = high, low
		}
		var (
			from, to       = fmt.Sprintf("%02d", low), fmt.Sprintf("%02d", high)
			ranged         = draw.Bool(t, "ranged")
			backwards      = draw.Bool(t, "backwards")
			pageSize       = draw.Int(t, 1, 7, "page size")
			limit          = draw.Int(t, 0, 5, "limit")
			least, leastOf = draw.Int(t, 0, 9, "filter"), draw.Of(t, []string{"order", "customer", "line", ""}, "filter of")
		)
		inRange := slices.Clone(model)
		if ranged {
			inRange = slices.DeleteFunc(inRange, func(m modelItem) bool { return m.sk < from || m.sk > to })
		}
		if backwards {
			slices.Reverse(inRange)
		}
		// expected returns the items that a read yields, up to the first item that ends it.
		expected := func(own func(modelItem) bool, skip, filtered bool) (list []modelItem, other bool) {
			for _, m := range inRange {
				switch {
				case filtered && m.kind == leastOf && m.n <= least:
				case own(m):
					list = append(list, m)
				case !skip:
					return list, true
				}
			}
			return list, false
		}
		typed := func(s *shop) *ddb.Query[order, string] {
			q := s.orders.Query(pk).PageSize(pageSize)
			if ranged {
				q = q.SortKey(ddb.Between(from, to))
			}
			if backwards {
				q = q.Descending()
			}
			if limit > 0 {
				q = q.Limit(limit)
			}
			return q
		}
		isOrder := func(m modelItem) bool { return m.kind == "order" }
		isKnown := func(m modelItem) bool { return m.kind != "" && m.kind != "invoice" }
		for name, c := range map[string]struct {
			s        *shop
			skip     bool
			filtered bool
		}{"typed, lax": {s, true, false}, "typed": {strict, false, false}, "typed, lax, filtered": {s, true, leastOf == "order"}} {
			q := typed(c.s)
			if c.filtered {
				q = q.Filter(orderTotal.Gt(least))
			}
			want, other := expected(isOrder, c.skip, c.filtered)
			list, err := byPages(t, q, func(o order) modelItem { return modelItem{o.SK, "order", o.Total} })
			if !slices.Equal(list, want) || errors.Is(err, ddb.ErrOtherEntity) != other || !other && err != nil {
				t.Fatalf("%s: %v, %v, want %v of %v", name, list, err, want, inRange)
			}
		}
		for name, c := range map[string]struct {
			of   *entity.Table[record]
			own  func(modelItem) bool
			skip bool
		}{"lax": {lax, isKnown, true}, "keeping": {all, func(modelItem) bool { return true }, true}, "strict": {none, isKnown, false}} {
			var where []entity.Filter
			switch leastOf {
			case "order":
				where = append(where, entity.Where(s.orders, orderTotal.Gt(least)))
			case "customer":
				where = append(where, entity.Where(s.customers, customerCredit.Gt(least)))
			case "line":
				where = append(where, entity.Where(s.lines, lineQty.Gt(least)))
			}
			want, other := expected(c.own, c.skip, len(where) > 0)
			read := entity.Read(c.of, typed(s), where...)
			list, err := byPages(t, read, modelOf)
			if !slices.Equal(list, want) || errors.Is(err, ddb.ErrOtherEntity) != other || !other && err != nil {
				t.Fatalf("mixed, %s: %v, %v, want %v of %v", name, list, err, want, inRange)
			}
			wholly := entity.Read(c.of, typed(s).Limit(0), where...)
			if n, err := wholly.Count(t.Context()); !other && (n != len(want) || err != nil) || other && err == nil {
				t.Fatalf("mixed, %s: count %d, %v, want %d", name, n, err, len(want))
			}
			var into struct {
				Customers []*customer
				Orders    []order
				Lines     []line
				Unknown   []unknown
			}
			if err := entity.Collect(t.Context(), wholly, &into); (err != nil) != other {
				t.Fatal(err)
			}
			var gathered []modelItem
			for _, i := range into.Customers {
				gathered = append(gathered, modelOf(i))
			}
			for i := range into.Orders {
				gathered = append(gathered, modelOf(&into.Orders[i]))
			}
			for i := range into.Lines {
				gathered = append(gathered, modelOf(&into.Lines[i]))
			}
			for _, i := range into.Unknown {
				gathered = append(gathered, modelOf(i))
			}
			bySK := func(a, b modelItem) int { return strings.Compare(a.sk, b.sk) }
			slices.SortFunc(gathered, bySK)
			if want = slices.Clone(want); !slices.Equal(gathered, slices.SortedFunc(slices.Values(want), bySK)) {
				t.Fatalf("mixed, %s: into a struct %v, want %v", name, gathered, want)
			}
		}
	})
}

// byPages reads page after page by cursors.
func byPages[T any, Q interface {
	Page(ctx context.Context) (ddb.Page[T], error)
	After(c ddb.Cursor[T]) Q
}](t *rapid.T, q Q, of func(T) modelItem) (list []modelItem, err error) {
	for {
		page, err := q.Page(t.Context())
		for _, i := range page.Items {
			list = append(list, of(i))
		}
		if err != nil || page.Next.IsZero() {
			return list, err
		}
		q = q.After(page.Next)
	}
}

func modelOf(r record) modelItem {
	switch r := r.(type) {
	case *order:
		return modelItem{r.SK, "order", r.Total}
	case *customer:
		return modelItem{r.SK, "customer", r.Credit}
	case *line:
		return modelItem{r.SK, "line", r.Qty}
	case unknown:
		m := modelItem{kind: ""}
		_, m.sk = r.key()
		m.kind, _ = r.Text("type")
		n, _ := typeditem.DecodeJSON[struct {
			None  int `dynamodbav:"none"`
			Total int `dynamodbav:"total"`
		}](r.JSON())
		m.n = n.None + n.Total
		return m
	}
	return modelItem{kind: "nil"}
}
