// SPDX-License-Identifier: Apache-2.0

package entity_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/rawitem"
)

// The keys are such that each way to recognise items works: C#1, O#1 and O#2, L#1, and U#1 of no type. The partition
// "mix" has an unknown item under a key that an order could have.
func fill(t *testing.T, s *shop) {
	t.Helper()
	s.raw(t, "p", "C#1", "type", "customer", "credit", "5", "name", "Ann", "g", "g1", "at", "t1")
	s.raw(t, "p", "O#1", "type", "order", "total", "10", "g", "g1", "at", "t1")
	s.raw(t, "p", "O#2", "type", "order", "total", "20", "g", "g1", "at", "t1")
	s.raw(t, "p", "L#1", "type", "line", "qty", "3", "g", "g1", "at", "t1")
	s.raw(t, "p", "U#1", "type", "unknown", "g", "g1", "at", "t1")
}

var ways = map[string]func(...ddb.TableOption) kinds{"discriminator": discriminators, "prefix": prefixes, "function": functions}

// reads are all ways to read items of one type. Each reads the keys of orders and that of a customer, and returns the number of
// orders read.
var reads = map[string]func(t *testing.T, s *shop, own bool) (n int, err error){
	"Get": func(t *testing.T, s *shop, own bool) (int, error) {
		o, err := s.orders.Get(t.Context(), "p", skOf(own))
		return ordersOf(t, o, err)
	},
	"Get, projected": func(t *testing.T, s *shop, own bool) (int, error) {
		o, err := s.orders.Get(t.Context(), "p", skOf(own), ddb.Project(orderTotal))
		return ordersOf(t, o, err)
	},
	"GetView": func(t *testing.T, s *shop, own bool) (int, error) {
		v, err := ddb.GetView[totalView](t.Context(), s.orders, s.orders.Key("p", skOf(own)))
		return ordersOf(t, order{Total: v.Total}, err)
	},
	"Exists": func(t *testing.T, s *shop, own bool) (int, error) {
		ok, err := s.orders.Exists(t.Context(), "p", skOf(own))
		if ok {
			return 1, err
		}
		return 0, err
	},
	"BatchGet": func(t *testing.T, s *shop, own bool) (int, error) {
		got, err := s.orders.BatchGet(t.Context(), []ddb.Key[string, string]{s.orders.Key("p", skOf(own)), s.orders.Key("p", skOf(own)), s.orders.Key("p", "O#none")})
		if got[0].Found != got[1].Found {
			t.Error("one key, two results")
		}
		if !got[0].Found {
			return 0, err
		}
		return ordersOf(t, got[1].Item, err)
	},
	"BatchGet, projected": func(t *testing.T, s *shop, own bool) (int, error) {
		got, err := s.orders.BatchGet(t.Context(), []ddb.Key[string, string]{s.orders.Key("p", skOf(own))}, ddb.Project(orderTotal))
		if !got[0].Found {
			return 0, err
		}
		return ordersOf(t, got[0].Item, err)
	},
	"TransactGet": func(t *testing.T, s *shop, own bool) (int, error) {
		var got ddb.Got[order]
		err := ddb.TransactGet(t.Context(), s.client, s.orders.TxGet(s.orders.Key("p", skOf(own)), &got))
		if !got.Found {
			return 0, err
		}
		return ordersOf(t, got.Item, err)
	},
	"Query": func(t *testing.T, s *shop, own bool) (int, error) {
		return each(t, s.orders.Query("p").SortKey(ddb.BeginsWith(skOf(own)[:1])).Consistent().Collect)
	},
	"Query, projected": func(t *testing.T, s *shop, own bool) (int, error) {
		return each(t, s.orders.Query("p").SortKey(ddb.BeginsWith(skOf(own)[:1])).Project(orderTotal).Collect)
	},
	"Count": func(t *testing.T, s *shop, own bool) (int, error) {
		return s.orders.Query("p").SortKey(ddb.BeginsWith(skOf(own)[:1])).Count(t.Context())
	},
	"View": func(t *testing.T, s *shop, own bool) (int, error) {
		list, err := ddb.View[totalView](s.orders.Query("p").SortKey(ddb.BeginsWith(skOf(own)[:1]))).Collect(t.Context())
		for _, v := range list {
			_, _ = ordersOf(t, order{Total: v.Total}, nil)
		}
		return len(list), err
	},
}

type totalView struct {
	Total int `dynamodbav:"total"`
}

func skOf(own bool) string {
	if own {
		return "O#1"
	}
	return "C#1"
}

// ordersOf counts an order, which has a total.
func ordersOf(t *testing.T, o order, err error) (int, error) {
	t.Helper()
	if err != nil {
		if o != (order{}) {
			t.Error("an error and an item")
		}
		return 0, err
	}
	if o.Total == 0 {
		t.Error("an incomplete item")
	}
	return 1, nil
}

func each(t *testing.T, collect func(context.Context) ([]order, error)) (int, error) {
	t.Helper()
	list, err := collect(t.Context())
	for _, o := range list {
		_, _ = ordersOf(t, o, nil)
	}
	return len(list), err
}

// No read of one type returns an item of another, however items are recognised.
func TestReadsOfOneType(t *testing.T) {
	for way, of := range ways {
		t.Run(way, func(t *testing.T) {
			strict := newShop(t, of())
			fill(t, strict)
			lax := newShop(t, of(ddb.SkipOthers()))
			fill(t, lax)
			for name, read := range reads {
				if n, err := read(t, strict, true); n == 0 || err != nil {
					t.Errorf("%s of orders: %d, %v", name, n, err)
				}
				if n, err := read(t, lax, true); n == 0 || err != nil {
					t.Errorf("%s of orders, others skipped: %d, %v", name, n, err)
				}
				if way == "prefix" && strings.Contains(name, "Get") || way == "prefix" && name == "Exists" {
					continue // the key is refused: see TestKeysWithoutPrefix
				}
				n, err := read(t, strict, false)
				want := ddb.ErrOtherEntity
				if name == "Count" {
					want = nil // Count counts orders
				}
				if n != 0 || !errors.Is(err, want) || (want == nil) != (err == nil) {
					t.Errorf("%s of a customer: %d, %v, want %v", name, n, err, want)
				}
				if n, err = read(t, lax, false); n != 0 || err != nil && !errors.Is(err, ddb.ErrNotFound) {
					t.Errorf("%s of a customer, skipped: %d, %v", name, n, err)
				}
			}
		})
	}
}

// Queries, scans and indexes, hydrated or not, return only the two orders, also page by page.
func TestRangesOfOneType(t *testing.T) {
	for way, of := range ways {
		t.Run(way, func(t *testing.T) {
			lax := newShop(t, of(ddb.SkipOthers()))
			fill(t, lax)
			strict := newShop(t, of())
			fill(t, strict)
			orders := func(name string, collect func(context.Context) ([]order, error), want error) {
				t.Helper()
				n, err := each(t, collect)
				if want == nil && (n != 2 || err != nil) || want != nil && !errors.Is(err, want) {
					t.Errorf("%s: %d orders, %v, want %v", name, n, err, want)
				}
			}
			byItself := ddb.ErrOtherEntity
			if way == "prefix" {
				byItself = nil // the query reads orders only
			}
			orders("query", lax.orders.Query("p").Collect, nil)
			orders("query, backwards, in small pages", lax.orders.Query("p").Descending().PageSize(1).Collect, nil)
			orders("query with a limit", lax.orders.Query("p").Limit(2).Collect, nil)
			orders("query with a filter", lax.orders.Query("p").Filter(orderTotal.Gt(5)).Collect, nil)
			orders("query", strict.orders.Query("p").Collect, byItself)
			orders("range", lax.orders.Query("p").SortKey(ddb.Ge("A")).Collect, nil)
			orders("range", strict.orders.Query("p").SortKey(ddb.Ge("A")).Collect, ddb.ErrOtherEntity)
			orders("scan", lax.orders.Scan().Collect, nil)
			orders("parallel scan", lax.orders.Scan().Parallel(3).Collect, nil)
			orders("scan", strict.orders.Scan().Collect, ddb.ErrOtherEntity)
			orders("index", lax.byGroup.Query("g1").Collect, nil)
			orders("index", strict.byGroup.Query("g1").Collect, ddb.ErrOtherEntity)
			orders("index, hydrated", lax.byGroup.Query("g1").Hydrate().Collect, nil)
			orders("index, hydrated", strict.byGroup.Query("g1").Hydrate().Collect, ddb.ErrOtherEntity)
			orders("scan of an index", lax.byGroup.Scan().Collect, nil)
			orders("keys, hydrated", lax.keys.Query("t1").Hydrate().Collect, nil)
			orders("keys, hydrated", strict.keys.Query("t1").Hydrate().Collect, ddb.ErrOtherEntity)
			orders("scan of keys, hydrated", lax.keys.Scan().Hydrate().Collect, nil)
			orders("scan of keys, hydrated", strict.keys.Scan().Hydrate().Collect, ddb.ErrOtherEntity)
			orders("local keys, hydrated", lax.local.Query("p").Hydrate().Collect, nil)
			orders("local keys, hydrated", strict.local.Query("p").Hydrate().Collect, ddb.ErrOtherEntity)
			if !apitest.OnEndpoint() { // not every engine fetches what a local index lacks
				orders("scan of local keys, hydrated", lax.local.Scan().Hydrate().Collect, nil)
			}
			if way != "prefix" {
				orders("keys", lax.keys.Query("t1").Collect, ddb.ErrInvalid)
			}
			for name, count := range map[string]func(context.Context) (int, error){
				"query": strict.orders.Query("p").Count, "scan": strict.orders.Scan().Count, "parallel scan": lax.orders.Scan().Parallel(2).Count,
				"index": strict.byGroup.Query("g1").Count, "filter": lax.orders.Query("p").Filter(orderTotal.Gt(5)).Count,
			} {
				if n, err := count(t.Context()); n != 2 || err != nil {
					t.Errorf("count of a %s: %d, %v", name, n, err)
				}
			}
			if page, err := lax.keys.Query("t1").Hydrate().Page(t.Context()); page.Missing != 0 || err != nil {
				t.Errorf("%d missing, %v", page.Missing, err)
			}
			first, err := lax.orders.Query("p").First(t.Context())
			if _, err = ordersOf(t, first, err); err != nil || first.SK != "O#1" {
				t.Errorf("first %+v, %v", first, err)
			}
		})
	}
}

// Items that were read before one of another type are returned, and the cursor is after them.
func TestPageEndsBeforeOtherType(t *testing.T) {
	s := newShop(t, discriminators())
	s.raw(t, "p", "1", "type", "order", "total", "1")
	s.raw(t, "p", "2", "type", "customer")
	s.raw(t, "p", "3", "type", "order", "total", "3")
	page, err := s.orders.Query("p").Page(t.Context())
	if len(page.Items) != 1 || !errors.Is(err, ddb.ErrOtherEntity) || page.Next.IsZero() {
		t.Errorf("%v, %v, next %v", page.Items, err, page.Next)
	}
}

// A key without the prefix is refused before anything is sent.
func TestKeysWithoutPrefix(t *testing.T) {
	s := newShop(t, kinds{
		[]ddb.TableOption{ddb.KeyPrefix(customerPK, "CUSTOMER#")}, []ddb.TableOption{ddb.KeyPrefix(orderPK, "ORDER#"), ddb.KeyPrefix(orderSK, "O#")}, prefixes().line,
	})
	key := s.orders.Key("ORDER#1", "C#1")
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Get":         func() error { _, err := s.orders.GetKey(ctx, key); return err },
		"Exists":      func() error { _, err := s.orders.ExistsKey(ctx, key); return err },
		"Put":         func() error { return s.orders.Put(ctx, &order{PK: key.Partition, SK: key.Sort}) },
		"Create":      func() error { return s.orders.Create(ctx, &order{PK: key.Partition, SK: key.Sort}) },
		"Update":      func() error { _, err := s.orders.Update(ctx, key, orderTotal.Add(1)); return err },
		"Upsert":      func() error { _, err := s.orders.Upsert(ctx, key, orderTotal.Add(1)); return err },
		"Delete":      func() error { return s.orders.DeleteKey(ctx, key) },
		"DeleteItem":  func() error { return s.orders.DeleteItem(ctx, &order{PK: key.Partition, SK: key.Sort}) },
		"BatchGet":    func() error { _, err := s.orders.BatchGet(ctx, []ddb.Key[string, string]{key}); return err },
		"BatchPut":    func() error { return s.orders.BatchPut(ctx, []order{{PK: key.Partition, SK: key.Sort}}) },
		"BatchDelete": func() error { return s.orders.BatchDelete(ctx, []ddb.Key[string, string]{key}) },
		"Transact": func() error {
			return ddb.Transact(ctx, s.client, s.orders.TxPut(&order{PK: key.Partition, SK: key.Sort}))
		},
		"TxUpdate": func() error { return ddb.Transact(ctx, s.client, s.orders.TxUpdate(key, orderTotal.Add(1))) },
		"TxDelete": func() error { return ddb.Transact(ctx, s.client, s.orders.TxDelete(key)) },
		"Query":    func() error { _, err := s.orders.Query("CUSTOMER#1").Collect(ctx); return err },
	} {
		if err := call(); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.orders.BatchPut(ctx, []order{{PK: "ORDER#1", SK: "O#1", Total: 1}}); err != nil {
		t.Error(err)
	}
}

// New refuses wrong definitions.
func TestEntityOptionsRefused(t *testing.T) {
	client := apitest.NewClient(t)
	for name, opts := range map[string][]ddb.TableOption{
		"policy alone":        {ddb.SkipOthers()},
		"no attribute":        {ddb.Discriminator("", "x")},
		"no value":            {ddb.Discriminator("type", "")},
		"a key":               {ddb.Discriminator("sk", "x")},
		"two discriminators":  {ddb.Discriminator("type", "x"), ddb.Discriminator("kind", "y")},
		"a number field":      {ddb.Discriminator("total", "x")},
		"prefix of no key":    {ddb.KeyPrefix(orderGroup, "x")},
		"prefix of another":   {ddb.KeyPrefix(customerSK, "x")},
		"empty prefix":        {ddb.KeyPrefix(orderSK, "")},
		"two prefixes":        {ddb.KeyPrefix(orderSK, "x"), ddb.KeyPrefix(orderSK, "y")},
		"nil handle":          {ddb.KeyPrefix(nil, "x")},
		"nil function":        {ddb.RecognizeBy(nil, "x")},
		"function of nothing": {ddb.RecognizeBy(func(rawitem.Item) bool { return true })},
		"two functions":       {ddb.RecognizeBy(func(rawitem.Item) bool { return true }, "x"), ddb.RecognizeBy(func(rawitem.Item) bool { return true }, "x")},
	} {
		if _, err := ddb.New(client, "shop", orderPK, orderSK, opts...); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
