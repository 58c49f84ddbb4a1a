// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/position/importer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type item = map[string]types.AttributeValue

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }

const table = "angzarr-positions"

func seed(t *testing.T, client *dynamodb.Client, items ...item) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: it}); err != nil {
			t.Fatal(err)
		}
	}
}

func newStore(t *testing.T, client *dynamodb.Client) *position.Store {
	t.Helper()
	store, err := position.New(client, "positions")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestAngzarr(t *testing.T) {
	client := ddbtest.New(t)
	seed(t, client,
		item{"pk": s("ship%23ping#order#angzarr#12345678123412341234123456789abc"), "sequence": n("0")},
		item{"pk": s("mail#a%25b##x"), "sequence": n("41"), "updated_at": s("2026-03-01T10:00:00+00:00")},
		item{"pk": s("mail#order#what-if#12345678-1234-1234-1234-123456789abc"), "sequence": n("7")})
	store := newStore(t, client)
	source := importer.Angzarr(client, table)
	for range 2 {
		r, err := importer.Import(t.Context(), source, store)
		if err != nil || r != (importer.Report{Read: 3, Saved: 3}) {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	const root = "12345678-1234-1234-1234-123456789abc"
	for key, want := range map[position.HandlerKey]int64{
		{Handler: "ship#ping", Domain: "order", Root: root}:                1,
		{Handler: "mail", Domain: "a%b", Root: "x"}:                        42,
		{Handler: "mail", Domain: "order", Edition: "what-if", Root: root}: 8,
	} {
		if got, err := store.Load(t.Context(), key.Consumer(), key.Partition()); err != nil || got != want {
			t.Errorf("%+v: %d, %v; want %d", key, got, err, want)
		}
	}
	// The new system continues, and a late import does not reset it.
	key := position.HandlerKey{Handler: "mail", Domain: "a%b", Root: "x"}
	if err := store.Save(t.Context(), key.Consumer(), key.Partition(), 50); err != nil {
		t.Fatal(err)
	}
	r, err := importer.Import(t.Context(), source, store)
	if err != nil || r != (importer.Report{Read: 3, Saved: 2, Ahead: 1}) {
		t.Errorf("%+v, %v", r, err)
	}
	if got, err := store.Load(t.Context(), key.Consumer(), key.Partition()); err != nil || got != 50 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := store.Claim(t.Context(), key.Consumer(), key.Partition(), "me"); err != nil {
		t.Fatal(err)
	}
	if _, err := importer.Import(t.Context(), source, store); !errors.Is(err, position.ErrFenced) {
		t.Errorf("a position that was claimed: %v", err)
	}
}

func TestMalformed(t *testing.T) {
	for what, tc := range map[string]struct {
		item item
		want string
	}{
		"three parts":     {item{"pk": s("a#b#c"), "sequence": n("1")}, "attribute pk"},
		"no handler":      {item{"pk": s("#b#c#d"), "sequence": n("1")}, "attribute pk"},
		"a bad escape":    {item{"pk": s("a#b#%zz#d"), "sequence": n("1")}, "attribute pk"},
		"no sequence":     {item{"pk": s("a#b#c#d")}, "attribute sequence"},
		"below zero":      {item{"pk": s("a#b#c#d"), "sequence": n("-1")}, "attribute sequence"},
		"another time":    {item{"pk": s("a#b#c#d"), "sequence": n("1"), "updated_at": s("secret")}, "attribute updated_at"},
		"a text sequence": {item{"pk": s("a#b#c#d"), "sequence": s("secret")}, "sequence"},
	} {
		t.Run(what, func(t *testing.T) {
			client := ddbtest.New(t)
			seed(t, client, tc.item)
			_, err := importer.Import(t.Context(), importer.Angzarr(client, table), newStore(t, client))
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
	client := ddbtest.New(t)
	if _, err := importer.Import(t.Context(), importer.Angzarr(client, "no table there"), newStore(t, client)); err == nil {
		t.Error("a table of no valid name")
	}
}
