// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// fields are the twelve fields of each generated struct: name, type, tag options, and the function that makes its handle. N in a
// type is replaced by the number of the struct.
var fields = [12][4]string{
	{"Customer", "CustomerN", "", "StrField"},
	{"ID", "OrderIDN", "", "StrField"},
	{"Status", "string", "", "StrField"},
	{"Note", "string", ",omitempty", "StrField"},
	{"Total", "int64", "", "NumField"},
	{"Weight", "float64", "", "NumField"},
	{"Revision", "ddb.Revision", "", "Field"},
	{"PlacedAt", "time.Time", "", "TimeField"},
	{"Paid", "bool", "", "Field"},
	{"Tags", "[]string", ",stringset,omitempty", "SetField"},
	{"Lines", "[]LineN", ",omitempty", "ListField"},
	{"Labels", "map[string]string", ",omitempty", "MapField"},
}

const source = `
type (
	CustomerN string
	OrderIDN  string
	LineN     struct{ Article string; Count int }
)

type OrderN struct {
FIELDS}

var (
HANDLES)

type StoreN struct {
	Table *ddb.TABLE
	index *ddb.Index[OrderN, string, int64]
}

func NewStoreN(client ddb.Client) (*StoreN, error) {
	table, err := ddb.NEW(client, "ordersN", KEYS, ddb.Version(orderNRevision))
	if err != nil {
		return nil, err
	}
	index, err := ddb.NewIndex(table, "by-status", orderNStatus, orderNTotal)
	if err != nil {
		return nil, err
	}
	return &StoreN{table, index}, nil
}
`

// calls are nine calls of a table; Go compiles the functions that they name.
const calls = `
func (s *StoreN) callsR(ctx context.Context, client ddb.Client, o *OrderN) error {
	if err := s.Table.Put(ctx, o, ddb.If(orderNStatus.Eq("open"))); err != nil {
		return err
	}
	if _, err := s.Table.Get(ctx, KEYARGS); err != nil {
		return err
	}
	if _, err := s.Table.Update(ctx, KEY, orderNTotal.Add(5), orderNStatus.Set("paid"), ddb.If(orderNStatus.Eq("open"))); err != nil {
		return err
	}
	if err := s.Table.Delete(ctx, KEYARGS, ddb.If(orderNTotal.Lt(5))); err != nil {
		return err
	}
	if _, err := s.Table.BatchGet(ctx, []KEYTYPE{KEY}); err != nil {
		return err
	}
	if err := s.Table.BatchPut(ctx, []OrderN{*o}); err != nil {
		return err
	}
	if err := ddb.Transact(ctx, client, s.Table.TxPut(o)); err != nil {
		return err
	}
	for _, err := range s.Table.QUERY.Filter(orderNTotal.Gt(7)).Limit(20).All(ctx) {
		if err != nil {
			return err
		}
	}
	_, err := s.index.Query("open").SortKey(ddb.Gt(int64(3))).Page(ctx)
	return err
}
`

// moreCalls are three calls for each further round.
const moreCalls = `
func (s *StoreN) callsR(ctx context.Context) error {
	o, err := s.Table.Get(ctx, KEYARGS)
	if err != nil {
		return err
	}
	if err := s.Table.Create(ctx, &o); err != nil {
		return err
	}
	_, err = s.index.Query(o.Status).Descending().Collect(ctx)
	return err
}
`

// program returns the source of a package with n tables, each with an index, nine calls, and three more for each round after the first. Every second table has
// no sort key.
func program(name string, n, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\nimport (\n\t\"context\"\n\t\"time\"\n\n\t\"github.com/dynamotable/ddb\"\n)\n\nvar _ time.Time\n", name)
	for i := range n {
		var decl, handles strings.Builder
		for _, f := range fields {
			fmt.Fprintf(&decl, "\t%s %s `dynamodbav:\"%s%s\"`\n", f[0], f[1], strings.ToLower(f[0]), f[2])
			fmt.Fprintf(&handles, "\torderN%s = ddb.%s(func(o *OrderN) *%s { return &o.%s })\n", f[0], f[3], f[1], f[0])
		}
		replace := []string{
			"FIELDS", decl.String(), "HANDLES", handles.String(),
			"TABLE", "Table[OrderN, CustomerN, OrderIDN]", "NEW", "New", "KEYS", "orderNCustomer, orderNID",
			"KEYARGS", `"c", "o"`, "KEYTYPE", "ddb.Key[CustomerN, OrderIDN]", "KEY", `s.Table.Key("c", "o")`,
			"QUERY", `Query("c").SortKey(ddb.BeginsWith(OrderIDN("2026-")))`,
		}
		if i%2 == 1 {
			replace = []string{
				"FIELDS", decl.String(), "HANDLES", handles.String(),
				"TABLE", "SimpleTable[OrderN, OrderIDN]", "NEW", "NewSimple", "KEYS", "orderNID",
				"KEYARGS", `"o"`, "KEYTYPE", "OrderIDN", "KEY", `OrderIDN("o")`, "QUERY", "Scan()",
			}
		}
		var all strings.Builder
		all.WriteString(source)
		for r := range rounds {
			text := calls
			if r > 0 {
				text = moreCalls
			}
			all.WriteString(strings.ReplaceAll(text, "callsR", fmt.Sprintf("Calls%d", r)))
		}
		text := strings.NewReplacer(replace...).Replace(all.String())
		for _, word := range []string{"Customer", "OrderID", "Line", "Order", "order", "Store"} {
			text = strings.ReplaceAll(text, word+"N", fmt.Sprintf("%s%d", word, i))
		}
		text = strings.ReplaceAll(text, `"ordersN"`, fmt.Sprintf(`"orders%d"`, i))
		b.WriteString(text)
	}
	return b.String()
}

// importer returns the source of a package that uses the table of another package and has none of its own.
const importer = `package importer

import (
	"context"

	"github.com/dynamotable/ddb"
	"PATH"
)

func Read(ctx context.Context, client ddb.Client) (tables.Order0, error) {
	s, err := tables.NewStore0(client)
	if err != nil {
		return tables.Order0{}, err
	}
	return s.Table.Get(ctx, "c", "o")
}
`

// layers are the types that own a table, by package, with the call that makes one.
var layers = map[string][2]string{
	"change":     {"TableStore", "NewTableStore"},
	"eventstore": {"Store", "New"},
	"job":        {"TableStore", "NewTableStore"},
	"position":   {"Store", "New"},
	"snapshot":   {"Store", "New"},
}

// layerUser returns the source of a package that keeps the table of a layer in a type of its own.
func layerUser(layer string) string {
	return strings.NewReplacer("LAYER", layer, "TYPE", layers[layer][0], "MAKE", layers[layer][1], "ROOT", module).Replace(`package user

import (
	"ROOT"
	"ROOT/LAYER"
)

type Service struct{ store *LAYER.TYPE }

func New(client ddb.Client) (any, error) {
	s, err := LAYER.MAKE(client, "t")
	return &Service{s}, err
}
`)
}

// repository is the source of a package with a repository of an event store.
const repository = `package user

import (
	"context"

	"` + module + `/eventstore"
)

type Account struct{ Balance int64 }

type Event interface{ event() }

type Paid struct{ Amount int64 }

func (Paid) event() {}

func Pay(ctx context.Context, store *eventstore.Store, types *eventstore.Types[Event]) error {
	accounts := eventstore.NewRepository(store, types, func(a Account, _ Event) Account { return a })
	_, err := accounts.Update(ctx, "a", func(Account) ([]Event, error) { return []Event{Paid{1}}, nil })
	return err
}
`
