// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/snapshot"
	"github.com/dynamotable/ddb/snapshot/importer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type item = map[string]types.AttributeValue

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v int) types.AttributeValue    { return &types.AttributeValueMemberN{Value: fmt.Sprint(v)} }
func b(v string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(v)} }

// seed creates a table with text and number keys by their names, and fills it.
func seed(t *testing.T, client *dynamodb.Client, table, pk, sk string, items ...item) {
	t.Helper()
	in := &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: &pk, KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &pk, AttributeType: types.ScalarAttributeTypeS}},
	}
	if sk != "" {
		kind := types.ScalarAttributeTypeS
		if sk == "seq" {
			kind = types.ScalarAttributeTypeN
		}
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &sk, KeyType: types.KeyTypeRange})
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &sk, AttributeType: kind})
	}
	if _, err := client.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
			t.Fatal(err)
		}
	}
}

func newStore(t *testing.T, client *dynamodb.Client) *snapshot.Store {
	t.Helper()
	store, err := snapshot.New(client, "new-snapshots", snapshot.Keep(snapshot.KeepLast(1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

func name(category, id string) string { return category + "-" + id }

// all lists the snapshots of a stream, newest first.
func all(t *testing.T, store *snapshot.Store, stream string) string {
	t.Helper()
	var list []string
	for s, err := range store.List(t.Context(), stream) {
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%d %s/%d %s", s.Version, s.Type, s.Schema, s.State)
		if s.Persistent {
			text += " kept"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func imported(t *testing.T, source importer.Source, store *snapshot.Store, read int64) {
	t.Helper()
	for range 2 {
		if r, err := importer.Import(t.Context(), source, store); err != nil || r.Read != read {
			t.Fatalf("%+v, %v", r, err)
		}
	}
}

func TestAngzarr(t *testing.T) {
	for _, layout := range []string{"code", "documented"} {
		t.Run(layout, func(t *testing.T) {
			client := ddbtest.New(t)
			row := func(key string, seq, retention int) item {
				if layout == "documented" {
					return item{"pk": s(key), "sequence": n(seq), "state": b(fmt.Sprint("state ", seq)), "created_at": s("2026-03-01T10:00:00+00:00")}
				}
				return item{"pk": s(key), "seq": n(seq), "snapshot": b(fmt.Sprint("state ", seq)), "retention": n(retention)}
			}
			sk, items := "seq", []item{row("order#angzarr#1", 3, 1), row("order#angzarr#1", 7, 0), row("order#angzarr#1", 15, 2), row("a%23b#what-if#1", 0, 0)}
			if layout == "documented" {
				sk, items = "", []item{row("order##1", 15, 0), row("a%23b#what-if#1", 0, 0)}
			}
			seed(t, client, "angzarr-snapshots", "pk", sk, items...)
			store := newStore(t, client)
			source := importer.Angzarr(client, "angzarr-snapshots", importer.Options{Name: name, Form: func(s *snapshot.Snapshot) error {
				s.Type, s.Schema = "balance", 2
				return nil
			}})
			imported(t, source, store, int64(len(items)))
			want := "16 balance/2 state 15"
			if layout == "code" {
				want += ", 4 balance/2 state 3 kept"
			}
			if got := all(t, store, "order-1"); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if s, err := store.InEdition(t.Context(), "a#b-1", "what-if", 0, 9); err != nil || s.Version != 1 {
				t.Errorf("%+v, %v", s, err)
			}
			version, _, state, err := store.LoadState(t.Context(), "order-1", "balance", 2, 100)
			if err != nil || version != 16 || string(state) != "state 15" {
				t.Errorf("%d, %s, %v", version, state, err)
			}
		})
	}
}

// excalibur is a snapshot as Excalibur stores it.
func excalibur(key, id string, version int) item {
	return item{
		"PK": s("SNAPSHOT#" + key), "SK": s("Order"), "snapshotId": s("x"), "aggregateId": s(id), "aggregateType": s("Order"), "version": n(version),
		"data": b("state"), "createdAt": s("2026-03-01T10:00:00.1234567+00:00"), "metadata": s(`{"a":1}`), "ttl": n(1),
	}
}

func TestExcalibur(t *testing.T) {
	client := ddbtest.New(t)
	seed(t, client, "Snapshots", "PK", "SK", excalibur("1", "1", 3), excalibur("t:acme/eu:1", "1", 5), excalibur("t:x:1", "t:x:1", 6), item{"PK": s("OTHER#1"), "SK": s("x")})
	store := newStore(t, client)
	imported(t, importer.Excalibur(client, "Snapshots", importer.Options{Name: name}), store, 3)
	for stream, want := range map[string]string{
		"Order-1": "3 Order/1 state", "Order-acme%2Feu/1": "5 Order/1 state", "Order-t:x:1": "6 Order/1 state",
	} {
		if got := all(t, store, stream); got != want {
			t.Errorf("%s: %q, want %q", stream, got, want)
		}
	}
	// The version has another state in the new store.
	if err := store.DeleteAll(t.Context(), "Order-1"); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), snapshot.Snapshot{Stream: "Order-1", Version: 3, Type: "Order", State: []byte("other")}); err != nil {
		t.Fatal(err)
	}
	if _, err := importer.Import(t.Context(), importer.Excalibur(client, "Snapshots", importer.Options{Name: name}), store); !errors.Is(err, snapshot.ErrConflict) {
		t.Errorf("another state: %v", err)
	}
}

func TestRefused(t *testing.T) {
	with := func(attribute string, v types.AttributeValue) item {
		it := excalibur("1", "1", 3)
		if it[attribute] = v; v == nil {
			delete(it, attribute)
		}
		return it
	}
	for what, tc := range map[string]struct {
		item item
		want string
	}{
		"no id":           {with("aggregateId", nil), "aggregateId"},
		"another id":      {with("aggregateId", s("secret")), "attribute PK"},
		"another type":    {with("aggregateType", s("secret")), "aggregateType"},
		"no version":      {with("version", nil), "attribute version"},
		"no data":         {with("data", nil), "attribute data"},
		"no time":         {with("createdAt", s("secret")), "createdAt"},
		"an unknown form": {with("data", b("secret")), "the option Form cannot read it"},
	} {
		t.Run(what, func(t *testing.T) {
			client := ddbtest.New(t)
			seed(t, client, "Snapshots", "PK", "SK", tc.item)
			source := importer.Excalibur(client, "Snapshots", importer.Options{Name: name, Form: func(*snapshot.Snapshot) error { return errors.New("secret") }})
			_, err := importer.Import(t.Context(), source, newStore(t, client))
			if !errors.Is(err, importer.ErrMalformed) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
	for what, it := range map[string]item{
		"attribute pk":    {"pk": s("a#b"), "seq": n(1), "snapshot": b("x")},
		"percent-encoded": {"pk": s("a#%zz#c"), "seq": n(1), "snapshot": b("x")},
		"attribute seq":   {"pk": s("a#b#c"), "seq": n(-1), "snapshot": b("x")},
		"attribute state": {"pk": s("a#b#c"), "seq": n(1)},
		"created_at":      {"pk": s("a#b#c"), "seq": n(1), "snapshot": b("x"), "created_at": s("x")},
	} {
		t.Run(what, func(t *testing.T) {
			client := ddbtest.New(t)
			seed(t, client, "angzarr-snapshots", "pk", "seq", it)
			_, err := importer.Import(t.Context(), importer.Angzarr(client, "angzarr-snapshots", importer.Options{Name: name}), newStore(t, client))
			if !errors.Is(err, importer.ErrMalformed) || !strings.Contains(err.Error(), what) {
				t.Errorf("%v", err)
			}
		})
	}
	client := ddbtest.New(t)
	for _, source := range []importer.Source{importer.Angzarr(client, "Snapshots", importer.Options{}), importer.Excalibur(client, "Snapshots", importer.Options{})} {
		if _, err := importer.Import(t.Context(), source, newStore(t, client)); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("without a name: %v", err)
		}
	}
}
