// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/typeditem"
)

// A list, set or map that is nil when the item is created accepts every later change.
func TestNilContainersTakeUpdates(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	if err := table.Create(t.Context(), &ticket{Board: "b", Opened: ten}); err != nil {
		t.Fatal(err)
	}
	got, err := table.Update(t.Context(), table.Key("b", ten), ticketComments.Append("hello"), ticketLabels.Insert("vip"), ticketVotes.Key("ann").Set(1))
	if err != nil {
		t.Fatal(err)
	}
	want := ticket{Board: "b", Opened: ten, Comments: []string{"hello"}, Labels: []string{"vip"}, Votes: map[string]int{"ann": 1}}
	got.Opened, got.Due = ten, want.Due
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// Set of nil empties a list or map. An empty set cannot be stored, and the error names it.
	got, err = table.Update(t.Context(), table.Key("b", ten), ticketComments.Set(nil), ticketVotes.Set(nil), ddb.Remove(ticketLabels))
	if err != nil || got.Comments == nil || len(got.Comments)+len(got.Votes)+len(got.Labels) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err = table.Update(t.Context(), table.Key("b", ten), ticketLabels.Set(nil)); err == nil || !strings.Contains(err.Error(), "attribute labels: encode []string: Go type []string: the set has no members") {
		t.Errorf("got %v", err)
	}
}

// asTheSDKStores puts an item whose nil fields are NULL, as attributevalue stores them.
func asTheSDKStores(t *testing.T, client *dynamodb.Client, nulls ...string) {
	t.Helper()
	item := map[string]types.AttributeValue{
		"board": &types.AttributeValueMemberS{Value: "b"}, "opened": &types.AttributeValueMemberS{Value: typeditem.TimeText(ten)},
	}
	for _, n := range nulls {
		item[n] = &types.AttributeValueMemberNULL{Value: true}
	}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("tickets"), Item: item}); err != nil {
		t.Fatal(err)
	}
}

// The error of an update that fails because of a stored NULL says so, and what to do.
func TestErrorsNameNULL(t *testing.T) {
	client := ddbtest.New(t)
	table := newTickets(t, client)
	asTheSDKStores(t, client, "comments", "labels", "votes")
	for name, change := range map[string]ddb.Change[ticket]{
		"append": ticketComments.Append("x"), "insert": ticketLabels.Insert("x"), "key": ticketVotes.Key("ann").Set(1),
	} {
		_, err := table.Update(t.Context(), table.Key("b", ten), change)
		if err == nil || !strings.Contains(err.Error(), "NULL") || !strings.Contains(err.Error(), "ddb.WithParents") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
