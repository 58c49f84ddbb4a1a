// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/rawexpr"
	"github.com/dynamotable/ddb/typeditem"
)

// ticket has an attribute of each kind that this package tests.
type ticket struct {
	Board    string                    `dynamodbav:"board"`
	Opened   time.Time                 `dynamodbav:"opened"`
	Title    string                    `dynamodbav:"title"`
	Due      time.Time                 `dynamodbav:"due"`
	Comments []string                  `dynamodbav:"comments"`
	Labels   []string                  `dynamodbav:"labels,stringset"`
	Votes    map[string]int            `dynamodbav:"votes"`
	Stats    stats                     `dynamodbav:"stats,omitzero"`
	Grid     map[string]map[string]int `dynamodbav:"grid,omitempty"`
	Lines    []*ticketLine             `dynamodbav:"lines,omitempty"`
	Score    *int                      `dynamodbav:"score,omitempty"`
}

type stats struct {
	Views int            `dynamodbav:"views"`
	By    map[string]int `dynamodbav:"by,omitempty"`
}

type ticketLine struct {
	Qty int       `dynamodbav:"qty"`
	At  time.Time `dynamodbav:"at,omitzero"`
}

var (
	ticketBoard    = ddb.StrField(func(t *ticket) *string { return &t.Board })
	ticketOpened   = ddb.TimeField(func(t *ticket) *time.Time { return &t.Opened })
	ticketTitle    = ddb.StrField(func(t *ticket) *string { return &t.Title })
	ticketDue      = ddb.TimeField(func(t *ticket) *time.Time { return &t.Due })
	ticketComments = ddb.ListField(func(t *ticket) *[]string { return &t.Comments })
	ticketLabels   = ddb.SetField(func(t *ticket) *[]string { return &t.Labels })
	ticketVotes    = ddb.MapField(func(t *ticket) *map[string]int { return &t.Votes })
)

type tickets = ddb.Table[ticket, string, time.Time]

func newTickets(t *testing.T, client *dynamodb.Client, opts ...ddb.TableOption) *tickets {
	t.Helper()
	table, err := ddb.New(client, "tickets", ticketBoard, ticketOpened, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return table
}

var ten = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// fractions are five times within the same second, in order.
var fractions = []time.Duration{0, 5 * time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond, 999_999_999}

// Conditions and keys find times, whatever their fractions and offsets.
func TestTimesCompareAsTimes(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	zones := []*time.Location{time.UTC, time.FixedZone("", 7200), time.FixedZone("", -5*3600)}
	for i, f := range fractions {
		at := ten.Add(f).In(zones[i%len(zones)])
		if err := table.Put(t.Context(), &ticket{Board: "b", Opened: at, Due: at, Title: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	titles := func(items []ticket, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, item := range items {
			all = append(all, item.Title)
		}
		return strings.Join(all, "")
	}
	end := ten.Add(time.Second)
	if got := titles(table.Query("b").Filter(ticketDue.Between(ten, end)).Collect(t.Context())); got != "01234" {
		t.Errorf("the filter found %q", got)
	}
	if got := titles(table.Query("b").SortKey(ddb.Between(ten, end)).Collect(t.Context())); got != "01234" {
		t.Errorf("the sort key found %q", got)
	}
	if got := titles(table.Query("b").SortKey(ddb.Gt(ten.Add(50 * time.Millisecond).In(zones[1]))).Descending().Collect(t.Context())); got != "43" {
		t.Errorf("the sort key found %q", got)
	}
	raw := rawexpr.CondText[ticket]("due < :t", nil, map[string]any{":t": typeditem.TimeText(ten.Add(500 * time.Millisecond))})
	if got := titles(table.Query("b").Filter(raw).Collect(t.Context())); got != "012" {
		t.Errorf("the raw condition found %q", got)
	}
	for i, f := range fractions {
		item, err := table.Get(t.Context(), "b", ten.Add(f).In(zones[(i+1)%len(zones)]))
		if err != nil || !item.Due.Equal(ten.Add(f)) {
			t.Errorf("%s: %v, %v", f, item.Due, err)
		}
	}
}

// A time as a value of a raw expression is refused, because the stored attribute may have another form.
func TestTimeInRawTextIsRefused(t *testing.T) {
	table := newTickets(t, ddbtest.New(t))
	for _, v := range []any{ten, &ten} {
		_, err := table.Query("b").Filter(rawexpr.CondText[ticket]("due < :t", nil, map[string]any{":t": v})).Collect(t.Context())
		if err == nil || !strings.Contains(err.Error(), "value :t is a time") || !strings.Contains(err.Error(), "typeditem.TimeText") {
			t.Errorf("got %v", err)
		}
	}
}

// visit is an item of a table that the SDK's attributevalue writes.
type visit struct {
	Site string    `dynamodbav:"site"`
	At   time.Time `dynamodbav:"at"`
	Last time.Time `dynamodbav:"last"`
}

var (
	visitSite = ddb.StrField(func(v *visit) *string { return &v.Site })
	visitAt   = ddb.TimeField(func(v *visit) *time.Time { return &v.At })
	visitLast = ddb.TimeField(func(v *visit) *time.Time { return &v.Last })
)

// With the option, times are read, compared and written as the SDK does; every table reads both forms.
func TestTablesOfTheSDK(t *testing.T) {
	client := ddbtest.New(t)
	newTickets(t, client)
	table, err := ddb.New(client, "visits", visitSite, visitAt, ddb.SDKTimes())
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 10, 0, 0, 500_000_000, time.FixedZone("", 7200))
	theirs := visit{"s", at, at}
	item, err := attributevalue.MarshalMap(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("visits"), Item: item}); err != nil {
		t.Fatal(err)
	}
	got, err := table.Get(t.Context(), "s", at)
	if err != nil || !got.Last.Equal(at) {
		t.Fatalf("%v, %v", got, err)
	}
	if _, offset := got.Last.Zone(); offset != 7200 {
		t.Errorf("the offset is %d", offset)
	}
	if _, err := table.Update(t.Context(), table.Key("s", at), visitLast.Set(at.Add(time.Hour)), ddb.If(visitLast.Eq(at))); err != nil {
		t.Error(err)
	}
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("visits"), Key: map[string]types.AttributeValue{"site": item["site"], "at": item["at"]}})
	if s, ok := out.Item["last"].(*types.AttributeValueMemberS); err != nil || !ok || s.Value != "2026-11-21T11:00:00.5+02:00" {
		t.Errorf("the update stored %v, %v", out.Item["last"], err)
	}
	if decoded, err := typeditem.Decode[ticket](map[string]types.AttributeValue{"due": item["last"]}); err != nil || !decoded.Due.Equal(at) {
		t.Errorf("%v, %v", decoded.Due, err)
	}
	// The form belongs to the item type: another table of it cannot use the other form.
	if _, err := ddb.New(client, "others", visitSite, visitAt); err == nil || !strings.Contains(err.Error(), "SDKTimes") {
		t.Errorf("got %v", err)
	}
	if _, err := ddb.New(client, "tickets", ticketBoard, ticketOpened, ddb.SDKTimes()); err == nil || !strings.Contains(err.Error(), "already in use") {
		t.Errorf("got %v", err)
	}
}
