// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
)

// Empty results are empty lists in JSON.
func TestEmptyPagesAreEmptyLists(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	page, err := table.Query("none").Page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := table.Scan().Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, items := range map[string][]ticket{"Page": page.Items, "Collect": all} {
		if got, err := json.Marshal(items); err != nil || string(got) != "[]" {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// Every write refuses an empty map key in the same way.
func TestEmptyMapKeys(t *testing.T) {
	client := ddbtest.New(t)
	table := newTickets(t, client)
	writes := map[string]func() error{
		"put": func() error {
			return table.Put(t.Context(), &ticket{Board: "b", Opened: ten, Votes: map[string]int{"": 1}})
		},
		"set": func() error {
			_, err := table.Upsert(t.Context(), table.Key("b", ten), ticketVotes.Set(map[string]int{"": 1}))
			return err
		},
		"key": func() error {
			_, err := table.Upsert(t.Context(), table.Key("b", ten), ticketVotes.Key("").Set(1))
			return err
		},
		"remove": func() error {
			_, err := table.Upsert(t.Context(), table.Key("b", ten), ddb.Remove(ticketVotes.Key("")))
			return err
		},
		"cond": func() error {
			_, err := table.Upsert(t.Context(), table.Key("b", ten), ticketTitle.Set("x"), ddb.If(ddb.Exists(ticketVotes.Key(""))))
			return err
		},
	}
	for name, write := range writes {
		err := write()
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "votes") || !strings.Contains(err.Error(), "empty") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Expressions that are too long for DynamoDB are refused before anything is sent.
func TestExpressionLimits(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	var conds []ddb.Cond[ticket]
	for i := range 151 {
		conds = append(conds, ticketVotes.Key(fmt.Sprint(i)).Eq(i))
	}
	_, err := table.Query("b").Filter(ddb.Or(conds...)).Collect(t.Context())
	if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "301 operators") {
		t.Errorf("filter: got %v", err)
	}
	if _, err = table.Query("b").Filter(ddb.Or(conds[:150]...)).Collect(t.Context()); err != nil {
		t.Errorf("150 conditions: %v", err)
	}
	_, err = table.Update(t.Context(), table.Key("b", ten), ticketTitle.Set("x"), ddb.If(conds...))
	if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "operators") {
		t.Errorf("condition: got %v", err)
	}
	var changes []ddb.UpdateOption[ticket]
	for i := range 400 {
		changes = append(changes, ticketVotes.Key(fmt.Sprint(i)).Set(i))
	}
	if _, err = table.Upsert(t.Context(), table.Key("b", ten), changes...); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "bytes; DynamoDB takes 4096") {
		t.Errorf("update: got %v", err)
	}
}

// With ReturnOld, Update and Upsert return the old item, never the zero item.
func TestReturnOldReturnsTheOldItem(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	if err := table.Put(t.Context(), &ticket{Board: "b", Opened: ten, Title: "old"}); err != nil {
		t.Fatal(err)
	}
	var old ticket
	got, err := table.Update(t.Context(), table.Key("b", ten), ticketTitle.Set("new"), ddb.ReturnOld(&old))
	if err != nil || old.Title != "old" || got.Title != "old" || got.Board != "b" {
		t.Errorf("got %q, old %q, %v", got.Title, old.Title, err)
	}
}

// A table named by its ARN counts as the table of that name in the ledger and in cursors.
func TestTableNamedByARN(t *testing.T) {
	client := ddbtest.New(t)
	ledger := cost.NewLedger()
	byName := newTickets(t, client, ddb.WithLedger(ledger))
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("tickets")})
	if err != nil {
		t.Fatal(err)
	}
	byARN, err := ddb.New(client, *out.Table.TableArn, ticketBoard, ticketOpened, ddb.WithLedger(ledger))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := byARN.Put(t.Context(), &ticket{Board: "b", Opened: ten.AddDate(0, 0, i)}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := byARN.Query("b").Limit(1).Page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := byName.ParseCursor(page.Next.String())
	if err != nil {
		t.Fatal(err)
	}
	if rest, err := byName.Query("b").After(cursor).Collect(t.Context()); err != nil || len(rest) != 2 {
		t.Errorf("%d items, %v", len(rest), err)
	}
	if rest, err := byARN.Query("b").After(page.Next).Collect(t.Context()); err != nil || len(rest) != 2 {
		t.Errorf("%d items, %v", len(rest), err)
	}
	tx := ddb.Transact(t.Context(), client, byARN.TxPut(&ticket{Board: "c", Opened: ten}), byName.TxPut(&ticket{Board: "d", Opened: ten}))
	if tx != nil {
		t.Error(tx)
	}
	for _, e := range ledger.Snapshot().Entries {
		if e.Table != "tickets" {
			t.Errorf("the ledger lists a table %s", e.Table)
		}
	}
}
