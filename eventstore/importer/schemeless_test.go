// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/importer"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/schema"
)

const schemelessTable = "schemeless-event-store"

var schemelessStart = time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)

// schemelessItem is an event as the adapter stores it; 0 means no sequence.
func schemelessItem(id, identifier string, sequence int, at time.Time) item {
	it := item{
		"id": s("EventID#" + id), "created": s(at.Format("2006-01-02T15:04:05.000Z")), "domain": s("order"), "type": s("placed"),
		"identifier": s(identifier), "payload": s(fmt.Sprintf(`{"id":%q}`, id)), "timeBucket": s(at.Format("2006-01")),
	}
	if sequence > 0 {
		it["sequence"] = n(sequence)
	}
	return it
}

func schemelessHead(identifier string, version int) item {
	return item{"id": s("EventID#HEAD::order::" + identifier), "created": s("HEAD"), "version": n(version)}
}

func schemelessSource(t testing.TB, client ddb.Client) importer.Source {
	t.Helper()
	src, err := importer.Schemeless(client, schemelessTable, importer.SchemelessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func put(t testing.TB, client *dynamodb.Client, table string, items ...item) {
	t.Helper()
	for _, it := range items {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
			t.Fatal(err)
		}
	}
}

// order returns the ids of a stream in the order of its versions.
func order(t testing.TB, store *eventstore.Store, stream string) string {
	t.Helper()
	var list []string
	for e, err := range store.Read(t.Context(), stream) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.ID)
	}
	return strings.Join(list, " ")
}

func imported(t testing.TB, src importer.Source, store *eventstore.Store, written int64) {
	t.Helper()
	if r, err := importer.Import(t.Context(), src, store); err != nil || r.Written != written {
		t.Fatalf("import: %+v, %v; want %d written", r, err, written)
	}
}

func verified(t testing.TB, src importer.Source, store *eventstore.Store, want ...string) {
	t.Helper()
	v, err := importer.Verify(t.Context(), src, store)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range v.Differences {
		got = append(got, fmt.Sprintf("%s %d %s", d.Stream, d.Version, d.What))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("verify: %q, want %q", got, want)
	}
}

// TestSchemelessOrder: events are in the order of their numbers, even if ids and times have another order.
func TestSchemelessOrder(t *testing.T) {
	client := ddbtest.New(t)
	var items []item
	for i := 1; i <= 10; i++ {
		items = append(items, schemelessItem(fmt.Sprintf("%02d", 99-i), "1", i, schemelessStart)) // one call, one millisecond
	}
	items = append(items, schemelessHead("1", 10),
		schemelessItem("a", "2", 1, schemelessStart), schemelessItem("b", "2", 2, schemelessStart.Add(-100*time.Millisecond)), schemelessHead("2", 2))
	seedTable(t, client, schemelessTable, "id", "created", false, items)
	src, store := schemelessSource(t, client), newStore(t, client)
	imported(t, src, store, 12)
	if got := order(t, store, "order-1"); got != "98 97 96 95 94 93 92 91 90 89" {
		t.Error(got)
	}
	if got := order(t, store, "order-2"); got != "a b" {
		t.Error(got)
	}
	verified(t, src, store)

	// Further events, one of them with the earliest time.
	put(t, client, schemelessTable, schemelessItem("c", "2", 3, schemelessStart.Add(-time.Hour)), schemelessHead("2", 3))
	imported(t, src, store, 1)
	imported(t, src, store, 0)
	if got := order(t, store, "order-2"); got != "a b c" {
		t.Error(got)
	}
	verified(t, src, store)
}

// disordered yields the events of each stream in another order, as a faulty source would.
type disordered struct {
	importer.Source
	numbers bool // the numbers are kept
}

func (d disordered) Events(ctx context.Context, st importer.Stream) iter.Seq2[importer.Record, error] {
	return func(yield func(importer.Record, error) bool) {
		var list []importer.Record
		for r, err := range d.Source.Events(ctx, st) {
			if err != nil {
				yield(r, err)
				return
			}
			if !d.numbers {
				r.Sequence = -1
			}
			list = append(list, r)
		}
		slices.SortFunc(list, func(a, b importer.Record) int { return strings.Compare(a.Event.ID, b.Event.ID) })
		for _, r := range list {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (d disordered) Count(ctx context.Context, st importer.Stream) (int64, error) {
	return d.Source.(importer.Counter).Count(ctx, st)
}

// TestVerifyChecksOrder: events of a source in a wrong order are imported in that order, and Verify reports it, even with that source.
func TestVerifyChecksOrder(t *testing.T) {
	client := ddbtest.New(t)
	seedTable(t, client, schemelessTable, "id", "created", false, []item{
		schemelessItem("b", "1", 1, schemelessStart), schemelessItem("c", "1", 2, schemelessStart), schemelessItem("a", "1", 3, schemelessStart), schemelessHead("1", 3),
	})
	src, store := schemelessSource(t, client), newStore(t, client)
	if _, err := importer.Import(t.Context(), disordered{src, true}, store); !errors.Is(err, importer.ErrSequence) {
		t.Errorf("events with decreasing numbers: %v", err)
	}
	wrong := disordered{src, false}
	imported(t, wrong, store, 3)
	if got := order(t, store, "order-1"); got != "a b c" {
		t.Fatal(got)
	}
	verified(t, wrong, store, "order-1 3 the source counts up to 3, its last event is number -1")
	verified(t, src, store,
		"order-1 1 metadata", // the number that was left out
		"order-1 2 metadata", "order-1 2 order: number 1 of the source comes after number 3",
		"order-1 3 metadata", "order-1 3 order: number 2 of the source comes after number 3")
	if _, err := importer.Import(t.Context(), src, store); !errors.Is(err, importer.ErrForeign) {
		t.Errorf("an import after events in another order: %v", err)
	}
	// The table has lost an event.
	if err := store.Reset(t.Context(), schema.AllowDelete(store.Name())); err != nil {
		t.Fatal(err)
	}
	put(t, client, schemelessTable, schemelessHead("1", 4))
	imported(t, src, store, 3)
	verified(t, src, store, "order-1 3 the source counts up to 4, its last event is number 3")
}

// TestSchemelessWithoutNumbers: events of older versions of the adapter have no numbers, and some come late.
func TestSchemelessWithoutNumbers(t *testing.T) {
	client := ddbtest.New(t)
	at := func(s int) time.Time { return schemelessStart.Add(time.Duration(s) * time.Second) }
	seedTable(t, client, schemelessTable, "id", "created", false, []item{schemelessItem("b", "1", 0, at(2)), schemelessItem("a", "1", 0, at(0))})
	src, store := schemelessSource(t, client), newStore(t, client)
	imported(t, src, store, 2)
	put(t, client, schemelessTable, schemelessItem("late", "1", 0, at(1)), schemelessItem("c", "1", 0, at(3)))
	imported(t, src, store, 2)
	imported(t, src, store, 0)
	put(t, client, schemelessTable, schemelessItem("z", "1", 1, at(-5)), schemelessItem("y", "1", 2, at(-5)), schemelessHead("1", 2)) // the new adapter
	imported(t, src, store, 2)
	imported(t, src, store, 0)
	if got := order(t, store, "order-1"); got != "a b late c z y" {
		t.Error(got)
	}
	verified(t, src, store)
	// An event that the source does not have.
	if _, err := store.Append(t.Context(), "order-1", eventstore.Any(), eventstore.NewEvent{ID: "own", Type: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := importer.Import(t.Context(), src, store); !errors.Is(err, importer.ErrForeign) {
		t.Errorf("a stream with an event that the source does not have: %v", err)
	}
	verified(t, src, store, "order-1 7 it is not in the source")
}

// TestSchemelessTimes: without numbers, Verify compares the order with the times.
func TestSchemelessTimes(t *testing.T) {
	client := ddbtest.New(t)
	seedTable(t, client, schemelessTable, "id", "created", false, []item{
		schemelessItem("b", "1", 0, schemelessStart), schemelessItem("a", "1", 0, schemelessStart.Add(time.Second)),
	})
	src, store := schemelessSource(t, client), newStore(t, client)
	imported(t, disordered{src, false}, store, 2)
	verified(t, src, store, "order-1 2 order: the source recorded it before the event that precedes it")
}

func TestSchemelessMeta(t *testing.T) {
	m := func(it item) types.AttributeValue { return &types.AttributeValueMemberM{Value: it} }
	null := &types.AttributeValueMemberNULL{Value: true}
	for what, tc := range map[string]struct {
		meta   types.AttributeValue
		schema int
		want   string
	}{
		"none":                 {nil, 1, `{}`},
		"texts":                {m(item{"user": s("x")}), 1, `{"user":"x"}`},
		"version":              {m(item{"schemaVersion": n(2)}), 2, `{}`},
		"version and texts":    {m(item{"schemaVersion": n(3), "user": s("x")}), 3, `{"user":"x"}`},
		"version and null":     {m(item{"schemaVersion": n(3), "user": null}), 3, `{"import-metadata":"{\"schemaVersion\":3,\"user\":null}"}`},
		"null":                 {m(item{"a": null, "b": s("x")}), 1, `{"import-metadata":"{\"a\":null,\"b\":\"x\"}"}`},
		"version as a text":    {m(item{"schemaVersion": s("2")}), 1, `{"schemaVersion":"2"}`},
		"version below one":    {m(item{"schemaVersion": n(0)}), 1, `{"import-metadata":"{\"schemaVersion\":0}"}`},
		"a fractional version": {m(item{"schemaVersion": &types.AttributeValueMemberN{Value: "1.5"}}), 1, `{"import-metadata":"{\"schemaVersion\":1.5}"}`},
		"nested":               {m(item{"a": m(item{"b": s("<&>")})}), 1, `{"import-metadata":"{\"a\":{\"b\":\"<&>\"}}"}`},
		"empty key":            {s(`{"":"x","a":"y"}`), 1, `{"import-metadata":"{\"\":\"x\",\"a\":\"y\"}"}`},
	} {
		t.Run(what, func(t *testing.T) {
			client := ddbtest.New(t)
			it := schemelessItem("a", "1", 1, schemelessStart)
			if tc.meta != nil {
				it["meta"] = tc.meta
			}
			seedTable(t, client, schemelessTable, "id", "created", false, []item{it, schemelessHead("1", 1)})
			src := schemelessSource(t, client)
			for st, err := range src.Streams(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				for r, err := range src.Events(t.Context(), st) {
					if err != nil {
						t.Fatal(err)
					}
					if r.Event.Metadata == nil {
						r.Event.Metadata = map[string]string{}
					}
					text, _ := json.Marshal(r.Event.Metadata)
					var got, want map[string]string
					if json.Unmarshal(text, &got) != nil || json.Unmarshal([]byte(tc.want), &want) != nil || fmt.Sprint(got) != fmt.Sprint(want) || max(r.Event.Schema, 1) != tc.schema {
						t.Errorf("%s, schema %d", text, r.Event.Schema)
					}
				}
			}
		})
	}
}

// TestSchemelessSameID: the adapter allows an id to be used again at another time.
func TestSchemelessSameID(t *testing.T) {
	client := ddbtest.New(t)
	seedTable(t, client, schemelessTable, "id", "created", false, []item{
		schemelessItem("a", "1", 1, schemelessStart), schemelessItem("a", "1", 2, schemelessStart.Add(time.Second)), schemelessHead("1", 2),
	})
	src, store := schemelessSource(t, client), newStore(t, client)
	imported(t, src, store, 2)
	imported(t, src, store, 0)
	verified(t, src, store)
	for e, err := range store.Read(t.Context(), "order-1", eventstore.From(2)) {
		if err != nil || e.ID == "a" || e.Metadata[importer.IDKey] != "a" {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

// TestSchemelessHistories: whatever times and ids events have, and whenever imports run, the events of a stream are in the order of their numbers.
func TestSchemelessHistories(t *testing.T) {
	longtest.Checks(t, 20)
	rapid.Check(t, func(rt *rapid.T) {
		engine := ddbtest.NewEngine()
		defer engine.Close()
		client := engine.Client()
		seedTable(t, client, schemelessTable, "id", "created", false, nil)
		src, store := schemelessSource(t, client), newStore(t, client)
		want := map[string][]string{}
		written := int64(0)
		for i := range rapid.IntRange(1, 25).Draw(rt, "events") {
			identifier := rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "stream")
			id := fmt.Sprintf("%d-%d", rapid.IntRange(0, 9).Draw(rt, "id"), i)
			number := len(want[identifier]) + 1
			at := schemelessStart.Add(time.Duration(rapid.IntRange(-3, 3).Draw(rt, "time")) * time.Second)
			put(t, client, schemelessTable, schemelessItem(id, identifier, number, at), schemelessHead(identifier, number))
			want[identifier] = append(want[identifier], id)
			written++
			if rapid.IntRange(1, 6).Draw(rt, "import") == 1 {
				imported(t, src, store, written)
				written = 0
			}
		}
		imported(t, src, store, written)
		for identifier, ids := range want {
			if got := order(t, store, "order-"+identifier); got != strings.Join(ids, " ") {
				rt.Errorf("%s, want %q", got, ids)
			}
		}
		verified(t, src, store)
	})
}
