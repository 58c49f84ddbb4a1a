// SPDX-License-Identifier: Apache-2.0

package entity_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/entity"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/pagetoken"
	"github.com/dynamotable/ddb/rawitem"
)

// unknown is an item of no type, unchanged.
type unknown struct{ rawitem.Item }

func (u unknown) key() (pk, sk string) {
	pk, _ = u.Text("pk")
	sk, _ = u.Text("sk")
	return pk, sk
}

func keep() entity.Option[record] {
	return entity.KeepUnknown(func(item rawitem.Item) record { return unknown{item} })
}

func (s *shop) mixed(t testing.TB, opts ...entity.Option[record]) *entity.Table[record] {
	t.Helper()
	all, err := entity.New(entity.Parts(s.customers, s.orders, s.lines), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// labels returns the types and sort keys of items.
func labels(list []record) string {
	var all []string
	for _, r := range list {
		kind := strings.TrimPrefix(fmt.Sprintf("%T", r), "*entity_test.")
		_, sk := r.key()
		all = append(all, strings.TrimPrefix(kind, "entity_test.")+" "+sk)
	}
	return strings.Join(all, ", ")
}

// One query reads items of all types, whole and in order, however they are recognised. The policy applies to unknown items.
func TestReadsOfAllTypes(t *testing.T) {
	const (
		known    = "customer C#1, line L#1, order O#1, order O#2"
		everyone = known + ", unknown U#1"
	)
	for way, of := range ways {
		t.Run(way, func(t *testing.T) {
			s := newShop(t, of())
			fill(t, s)
			strict, lax, all := s.mixed(t), s.mixed(t, entity.SkipUnknown[record]()), s.mixed(t, keep())
			ctx := t.Context()
			check := func(name string, r *ddb.Reader[record], want string, wantErr error) {
				t.Helper()
				list, err := r.Collect(ctx)
				if strings.Contains(name, "index") || strings.Contains(name, "scan") {
					slices.SortFunc(list, func(a, b record) int { return strings.Compare(labels([]record{a}), labels([]record{b})) })
				}
				if got := labels(list); got != want || !errors.Is(err, wantErr) || (wantErr == nil) != (err == nil) {
					t.Errorf("%s: %s, %v; want %s, %v", name, got, err, want, wantErr)
				}
				n, err := r.Count(ctx)
				if wantErr == nil && (n != len(list) || err != nil) && !strings.Contains(name, "keys") || wantErr != nil && err == nil {
					t.Errorf("%s: count %d, %v", name, n, err)
				}
			}
			check("query, strict", entity.Read(strict, s.orders.Query("p")), known, ddb.ErrOtherEntity)
			check("query, lax", entity.Read(lax, s.orders.Query("p")), known, nil)
			check("query, keeping", entity.Read(all, s.customers.Query("p").PageSize(1)), everyone, nil)
			check("range", entity.Read(strict, s.orders.Query("p").SortKey(ddb.Lt("O#2"))), "customer C#1, line L#1, order O#1", nil)
			check("backwards", entity.Read(lax, s.lines.Query("p").Descending().Limit(3)), "order O#2, order O#1, line L#1", nil)
			check("limit", entity.Read(strict, s.orders.Query("p").Limit(2)), "customer C#1, line L#1", nil)
			check("index", entity.Read(lax, s.byGroup.Query("g1")), known, nil)
			check("index, keeping", entity.Read(all, s.byGroup.Query("g1").PageSize(2)), everyone, nil)
			check("index, hydrated", entity.Read(all, s.byGroup.Query("g1").Hydrate()), everyone, nil)
			check("index, hydrated, lax", entity.Read(lax, s.byGroup.Query("g1").Hydrate()), known, nil)
			if way != "discriminator" {
				check("scan", entity.Read(all, s.orders.Scan()), everyone, nil)
			} else {
				check("scan", entity.Read(all, s.orders.Scan().Filter(orderTotal.Gt(15))), "customer C#1, line L#1, order O#2, unknown U#1", nil)
				check("filters", entity.Read(lax, s.orders.Query("p").Filter(orderTotal.Gt(15)), entity.Where(s.customers, customerCredit.Gt(5))), "line L#1, order O#2", nil)
				check("filter of others", entity.Read(lax, s.orders.Query("p"), entity.Where(s.lines, lineQty.Eq(3)), entity.Where(s.orders, orderTotal.Eq(10))), "customer C#1, line L#1, order O#1", nil)
			}
			if way == "prefix" {
				check("scan with a filter", entity.Read(lax, s.orders.Scan().Filter(orderTotal.Gt(15))), "customer C#1, line L#1, order O#2", nil)
				check("keys of an index", entity.Read(lax, s.keys.Query("t1")), known, nil)
				check("index with a filter", entity.Read(lax, s.byGroup.Query("g1").Filter(orderTotal.Gt(15))), "customer C#1, line L#1, order O#2", nil)
			} else if _, err := entity.Read(lax, s.keys.Query("t1")).Collect(ctx); !errors.Is(err, ddb.ErrInvalid) {
				t.Errorf("keys of an index: %v", err)
			}
			check("keys, hydrated", entity.Read(lax, s.keys.Query("t1").Hydrate()), known, nil)
			if way != "discriminator" {
				check("scan of keys, hydrated", entity.Read(all, s.keys.Scan().Hydrate()), everyone, nil)
			}
			check("local keys, hydrated", entity.Read(all, s.local.Query("p").Hydrate()), everyone, nil)
			check("local keys, hydrated, lax", entity.Read(lax, s.local.Query("p").Hydrate()), known, nil)
			check("view", entity.Read(lax, ddb.View[totalView](s.byGroup.Scan())), "", ddb.ErrInvalid)
			_, err := ddb.View[totalView](entity.Read(lax, s.orders.Query("p"))).Collect(ctx)
			if !errors.Is(err, ddb.ErrInvalid) {
				t.Errorf("a view of several types: %v", err)
			}
			list, err := entity.Read(strict, s.orders.Query("p").Limit(4)).Collect(ctx)
			want := []record{
				&customer{PK: "p", SK: "C#1", Name: "Ann", Group: "g1", At: "t1", Credit: 5}, &line{PK: "p", SK: "L#1", Type: "line", Qty: 3, Group: "g1", At: "t1"},
				&order{PK: "p", SK: "O#1", Total: 10, Group: "g1", At: "t1"}, &order{PK: "p", SK: "O#2", Total: 20, Group: "g1", At: "t1"},
			}
			if err != nil || !reflect.DeepEqual(list, want) {
				t.Errorf("%v, %v", list, err)
			}
		})
	}
}

// Pages have cursors in both directions, as text and as tokens, and typed and mixed queries refuse each other's cursors where they read different items.
func TestCursorsOverTypes(t *testing.T) {
	s := newShop(t, discriminators())
	fill(t, s)
	all := s.mixed(t, entity.SkipUnknown[record]())
	q := func() *ddb.Reader[record] { return entity.Read(all, s.orders.Query("p").Limit(2)) }
	ctx := t.Context()
	first, err := q().Page(ctx)
	if err != nil || labels(first.Items) != "customer C#1, line L#1" {
		t.Fatalf("%s, %v", labels(first.Items), err)
	}
	at, err := q().ParseCursor(first.Next.String())
	if err != nil {
		t.Fatal(err)
	}
	second, err := q().After(at).Page(ctx)
	if err != nil || labels(second.Items) != "order O#1, order O#2" {
		t.Fatalf("%s, %v", labels(second.Items), err)
	}
	back, err := q().Before(second.Prev).Page(ctx)
	if err != nil || labels(back.Items) != labels(first.Items) {
		t.Errorf("back: %s, %v", labels(back.Items), err)
	}
	tokens, err := pagetoken.New(pagetoken.Key{ID: "k", Secret: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokens.Seal(first.Next)
	if err != nil {
		t.Fatal(err)
	}
	if at, err = pagetoken.Open(tokens, q(), token); err != nil || at.String() != first.Next.String() {
		t.Errorf("token: %v", err)
	}
	other := entity.Read(all, s.orders.Query("p").Filter(orderTotal.Gt(0)).Limit(2))
	if _, err := other.After(first.Next).Page(ctx); !errors.Is(err, ddb.ErrBadCursor) {
		t.Errorf("a cursor of another read: %v", err)
	}
	// The page ends before an unknown item, and the next page begins with it.
	page, err := entity.Read(s.mixed(t), s.orders.Query("p")).Page(ctx)
	if labels(page.Items) != "customer C#1, line L#1, order O#1, order O#2" || !errors.Is(err, ddb.ErrOtherEntity) || page.Next.IsZero() {
		t.Errorf("%s, %v", labels(page.Items), err)
	}
}

func TestCollectInto(t *testing.T) {
	s := newShop(t, discriminators())
	fill(t, s)
	ctx := t.Context()
	all := s.mixed(t, keep())
	var got struct {
		Customer *customer
		Orders   []order
		Lines    []*line
		Unknown  []unknown
	}
	if err := entity.Collect(ctx, entity.Read(all, s.orders.Query("p").PageSize(2)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Customer == nil || got.Customer.Credit != 5 || len(got.Orders) != 2 || got.Orders[1].Total != 20 || len(got.Lines) != 1 || got.Lines[0].Qty != 3 || len(got.Unknown) != 1 {
		t.Errorf("collected %d orders, %d lines and %d unknown items, or wrong ones", len(got.Orders), len(got.Lines), len(got.Unknown))
	}
	var few struct{ Orders []order }
	if err := entity.Collect(ctx, entity.Read(all, s.orders.Query("p")), &few); err == nil {
		t.Error("a type without a field")
	}
	var one struct {
		Customer *customer
		Order    *order
		Lines    []line
	}
	if err := entity.Collect(ctx, entity.Read(all, s.orders.Query("p")), &one); err == nil {
		t.Error("two orders in a field for one")
	}
	for _, into := range []any{
		nil, struct{}{}, &struct{}{}, (*struct{ A []order })(nil), &struct{ A, B []order }{}, &struct{ A int }{}, &struct{ a []order }{}, &struct{ A **order }{}, &struct{ A []int }{},
	} {
		if err := entity.Collect(ctx, entity.Read(all, s.orders.Query("p")), into); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("into %T: %v", into, err)
		}
	}
	null := s.mixed(t, entity.KeepUnknown(func(rawitem.Item) record { return nil }))
	if err := entity.Collect(ctx, entity.Read(null, s.orders.Query("p")), &got); err == nil {
		t.Error("nil for an unknown item")
	}
}

func TestBatchGetOverTypes(t *testing.T) {
	s := newShop(t, discriminators())
	fill(t, s)
	ctx := t.Context()
	keys := []entity.Key{
		entity.KeyOf(s.orders, s.orders.Key("p", "O#2")), entity.KeyOf(s.customers, s.customers.Key("p", "C#1")), entity.KeyOf(s.orders, s.orders.Key("p", "none")),
		entity.KeyOf(s.lines, s.lines.Key("p", "L#1")), entity.KeyOf(s.customers, s.customers.Key("p", "O#2")), entity.KeyOf(s.orders, s.orders.Key("p", "U#1")),
	}
	var stats ddb.BatchStats
	got, err := s.mixed(t, keep()).BatchGet(ctx, keys, ddb.StatsTo(&stats))
	if err != nil || stats.Requests != 1 {
		t.Fatalf("%+v, %v", stats, err)
	}
	var items []record
	for i, g := range got {
		if g.Found != (i != 2) {
			t.Errorf("key %d: found %t", i, g.Found)
		}
		if g.Found {
			items = append(items, g.Item)
		}
	}
	if labels(items) != "order O#2, customer C#1, line L#1, order O#2, unknown U#1" {
		t.Error(labels(items))
	}
	if items[0].(*order) == items[3].(*order) {
		t.Error("two keys share an item")
	}
	got, err = s.mixed(t).BatchGet(ctx, keys)
	failed, ok := errors.AsType[*ddb.BatchError](err)
	if !ok || len(failed.Failed) != 1 || failed.Failed[0].Index != 5 || !errors.Is(err, ddb.ErrOtherEntity) || !got[3].Found {
		t.Errorf("%v, %v", got, err)
	}
	if got, err = s.mixed(t, entity.SkipUnknown[record]()).BatchGet(ctx, keys); err != nil || got[5].Found || !got[4].Found {
		t.Errorf("%v, %v", got, err)
	}
	elsewhere, err := ddb.New(s.client, "elsewhere", orderPK, orderSK)
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"no key": func() error { _, err := s.mixed(t).BatchGet(ctx, []entity.Key{{}}); return err },
		"another table": func() error {
			_, err := s.mixed(t).BatchGet(ctx, []entity.Key{entity.KeyOf(elsewhere, elsewhere.Key("p", "s"))})
			return err
		},
		"projection": func() error { _, err := s.mixed(t).BatchGet(ctx, keys, ddb.Project(orderTotal)); return err },
		"zero":       func() error { _, err := new(entity.Table[record]).BatchGet(ctx, keys); return err },
		"nil":        func() error { _, err := (*entity.Table[record])(nil).BatchGet(ctx, keys); return err },
	} {
		if err := call(); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Transactions read and write items of several types.
func TestTransactionsOverTypes(t *testing.T) {
	s := newShop(t, discriminators())
	ctx := t.Context()
	err := ddb.Transact(ctx, s.client, s.customers.TxCreate(&customer{PK: "p", SK: "C#1", Credit: 1}), s.orders.TxPut(&order{PK: "p", SK: "O#1", Total: 2}), s.lines.TxPut(&line{PK: "p", SK: "L#1", Qty: 3}))
	if err != nil {
		t.Fatal(err)
	}
	list, err := entity.Read(s.mixed(t), s.orders.Query("p").Consistent()).Collect(ctx)
	if err != nil || labels(list) != "customer C#1, line L#1, order O#1" {
		t.Errorf("%s, %v", labels(list), err)
	}
	var (
		c ddb.Got[customer]
		o ddb.Got[order]
	)
	if err := ddb.TransactGet(ctx, s.client, s.customers.TxGet(s.customers.Key("p", "C#1"), &c), s.orders.TxGet(s.orders.Key("p", "O#1"), &o)); err != nil || c.Item.Credit != 1 || o.Item.Total != 2 {
		t.Errorf("%+v, %+v, %v", c, o, err)
	}
	plan, err := ddb.Explain(ctx, func(ctx context.Context) error {
		_, err := entity.Read(s.mixed(t), s.orders.Query("p").Filter(orderTotal.Gt(1)).Limit(3)).Page(ctx)
		return err
	})
	if err != nil || plan.KeyCondition != "pk = ?" || plan.Filter != "NOT (type = ?) OR total > ?" || plan.Operation != "Query" {
		t.Errorf("%+v, %v", plan, err)
	}
}

// Tables that cannot be read by one query are refused before anything is sent.
func TestMixedRefused(t *testing.T) {
	client := apitest.NewClient(t)
	ctx := t.Context()
	orders := func(name string, opts ...ddb.TableOption) *orders {
		o, err := ddb.New(client, name, orderPK, orderSK, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	lines, err := ddb.New(client, "shop", linePK, lineSK, ddb.Discriminator("type", "line"))
	if err != nil {
		t.Fatal(err)
	}
	prefixed, err := ddb.New(client, "shop", linePK, lineSK, ddb.KeyPrefix(lineSK, "O#L#"))
	if err != nil {
		t.Fatal(err)
	}
	for name, parts := range map[string][]ddb.TablePart{
		"none":              nil,
		"nil":               {nil},
		"no kind":           {orders("shop"), lines},
		"one discriminator": {orders("shop", ddb.Discriminator("type", "line")), lines},
		"nested prefixes":   {orders("shop", ddb.KeyPrefix(orderSK, "O#")), prefixed},
		"other attributes":  {orders("shop", ddb.Discriminator("kind", "order")), lines},
		"other tables":      {orders("store", ddb.Discriminator("type", "order")), lines},
	} {
		all, err := entity.New[record](parts)
		if !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := entity.Read(all, lines.Query("p")).Collect(ctx); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s, read: %v", name, err)
		}
		if err := all.CreateTable(ctx); name == "none" && !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s, create: %v", name, err)
		}
	}
	mine := orders("shop", ddb.Discriminator("type", "order"))
	if _, err := entity.New[interface{ none() }](entity.Parts(mine, lines)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("an interface without the types: %v", err)
	}
	if _, err := entity.New[order](entity.Parts(mine)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("no interface: %v", err)
	}
	if _, err := entity.New(entity.Parts(mine, lines), keep(), entity.SkipUnknown[record]()); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("two policies: %v", err)
	}
	all, err := entity.New[record](entity.Parts(mine, lines))
	if err != nil {
		t.Fatal(err)
	}
	foreign := orders("shop", ddb.Discriminator("type", "other"))
	byPrefix, err := entity.New[record](entity.Parts(orders("shop", ddb.KeyPrefix(orderSK, "P#")), prefixed))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*ddb.Reader[record]{
		"projection":            entity.Read(all, mine.Query("p").Project(orderTotal)),
		"view":                  entity.Read(all, ddb.View[totalView](mine.Query("p"))),
		"another table":         entity.Read(all, foreign.Query("p")),
		"filter of another":     entity.Read(all, mine.Query("p"), entity.Where(foreign, orderTotal.Gt(1))),
		"filter of a nil table": entity.Read(all, mine.Query("p"), entity.Filter{}),
		"filter by a key":       entity.Read(byPrefix, prefixed.Query("p").Filter(lineQty.Gt(1))),
		"nil table":             entity.Read((*entity.Table[record])(nil), mine.Query("p")),
		"zero table":            entity.Read(new(entity.Table[record]), mine.Query("p")),
		"nil query":             entity.Read(all, (*ddb.Query[order, string])(nil)),
		"no query":              entity.Read[record, order](all, nil),
	} {
		if _, err := r.Page(ctx); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where only functions recognise types, an item that two of them accept is an error.
func TestRecognisedTwice(t *testing.T) {
	k := functions()
	k.line = []ddb.TableOption{ddb.RecognizeBy(func(i rawitem.Item) bool { return i.Has("qty") || i.Has("total") }, "qty", "total")}
	s := newShop(t, k)
	fill(t, s)
	list, err := entity.Read(s.mixed(t), s.orders.Query("p")).Collect(t.Context())
	if labels(list) != "customer C#1, line L#1" || err == nil || errors.Is(err, ddb.ErrOtherEntity) {
		t.Errorf("%s, %v", labels(list), err)
	}
}
