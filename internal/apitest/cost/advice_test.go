// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/apitest"
)

type ticket struct {
	Project string    `dynamodbav:"project"`
	Number  int       `dynamodbav:"number"`
	Owner   *string   `dynamodbav:"owner"` // without omitempty: NULL
	Title   string    `dynamodbav:"title"`
	Due     time.Time `dynamodbav:"due"`
	Closed  time.Time `dynamodbav:"closed,unixtime,omitempty"`
}

var (
	ticketProject = ddb.StrField(func(t *ticket) *string { return &t.Project })
	ticketNumber  = ddb.NumField(func(t *ticket) *int { return &t.Number })
	ticketOwner   = ddb.Field(func(t *ticket) **string { return &t.Owner })
	ticketTitle   = ddb.StrField(func(t *ticket) *string { return &t.Title })
	ticketDue     = ddb.TimeField(func(t *ticket) *time.Time { return &t.Due })
)

type tickets = ddb.Table[ticket, string, int]

func ticketsOn(t *testing.T, client ddb.Client, opts ...ddb.TableOption) *tickets {
	t.Helper()
	table, err := ddb.New(client, "tickets", ticketProject, ticketNumber, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func byDue(t *testing.T, table *tickets) *ddb.Index[ticket, string, time.Time] {
	t.Helper()
	index, err := ddb.NewIndex(table, "by-due", ticketProject, ticketDue, ddb.KeysOnly())
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// says checks that an error has all texts and none of the others.
func says(t *testing.T, err error, has []string, not ...string) {
	t.Helper()
	for _, want := range has {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	for _, other := range not {
		if err != nil && strings.Contains(err.Error(), other) {
			t.Errorf("%v says %q", err, other)
		}
	}
}

// An index key that is NULL is not a difference of the schema; the error advises omitempty.
func TestNullIndexKey(t *testing.T) {
	client := ddbtest.New(t)
	// Another program has added the index, by owner.
	if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("tickets"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("project"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("number"), AttributeType: types.ScalarAttributeTypeN},
			{AttributeName: aws.String("owner"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("project"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("number"), KeyType: types.KeyTypeRange}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-owner"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("owner"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	}); err != nil {
		t.Fatal(err)
	}
	table := ticketsOn(t, client)
	says(t, table.Put(t.Context(), &ticket{Project: "p", Number: 1}), []string{"an index key cannot be NULL", "omitempty"}, "VerifyTable")
	ann := "ann"
	if err := table.Put(t.Context(), &ticket{Project: "p", Number: 1, Owner: &ann}); err != nil {
		t.Fatal(err)
	}
	_, err := table.Update(t.Context(), table.Key("p", 1), ticketOwner.Set(nil))
	says(t, err, []string{"an index key cannot be NULL", "omitempty"}, "VerifyTable")
}

// Size counts what DynamoDB counts: UTF-16 units.
func TestSizeOfText(t *testing.T) {
	table := ticketsOn(t, ddbtest.New(t))
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := table.Put(t.Context(), &ticket{Project: "p", Number: 1, Title: "é😀"}); err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]int{2: 0, 3: 1, 6: 0} {
		if n, err := table.Scan().Filter(ddb.Size(ticketTitle).Eq(size)).Count(t.Context()); err != nil || n != want {
			t.Errorf("%d items of size %d, %v", n, size, err)
		}
	}
}

// The error of an unreadable item gives its index and the hash of its key, and names the operation once.
func TestUnreadableItem(t *testing.T) {
	client := ddbtest.New(t)
	table := ticketsOn(t, client)
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if err := table.Put(t.Context(), &ticket{Project: "secret-project", Number: n}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("tickets"), Item: map[string]types.AttributeValue{
		"project": &types.AttributeValueMemberS{Value: "secret-project"}, "number": &types.AttributeValueMemberN{Value: "1"}, "title": &types.AttributeValueMemberBOOL{},
	}}); err != nil {
		t.Fatal(err)
	}
	hash, err := table.PartitionHash("secret-project")
	if err != nil {
		t.Fatal(err)
	}
	for _, opts := range [][]ddb.TableOption{nil, {ddb.ThroughSDK()}} {
		table := ticketsOn(t, client, opts...)
		key := table.Key("secret-project", 1)
		for name, read := range map[string]func() error{
			"Query":   func() error { _, err := table.Query("secret-project").Collect(t.Context()); return err },
			"Scan":    func() error { _, err := table.Scan().Collect(t.Context()); return err },
			"GetItem": func() error { _, err := table.Get(t.Context(), "secret-project", 1); return err },
		} {
			err := read()
			place := "item 2 of the reply"
			if name == "GetItem" {
				place = "item 1 of the reply"
			}
			says(t, err, []string{"ddb: " + name + " tickets: " + place, "the PartitionHash of its key is " + hash.String(), "title"}, "secret", name+": "+name)
			if err != nil && regexp.MustCompile(`\b`+name+`\b`).FindAllString(err.Error(), -1) == nil || strings.Count(err.Error(), name) != 1 {
				t.Errorf("the error does not name %s exactly once: %v", name, err)
			}
		}
		got, err := table.BatchGet(t.Context(), []ddb.Key[string, int]{key})
		if err == nil {
			t.Errorf("BatchGet gave %d", len(got))
		}
	}
}

// A filter on an attribute that an index does not hold is refused. For a filter on the sort key the error names SortKey.
func TestFilters(t *testing.T) {
	table := ticketsOn(t, ddbtest.New(t))
	index := byDue(t, table)
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := index.Query("p").Filter(ticketTitle.Eq("x")).Collect(t.Context())
	says(t, err, []string{"filter on attribute title, which index by-due does not hold"})
	if !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("sent: %v", err)
	}
	_, err = index.Scan().Filter(ticketTitle.Eq("x")).Collect(t.Context())
	says(t, err, []string{"filter on attribute title, which index by-due does not hold"})
	_, err = table.Query("p").Filter(ticketNumber.Gt(1)).Collect(t.Context())
	says(t, err, []string{"belongs in SortKey"})
}

// A call that stays throttled says how often it was sent, why, and what can be changed.
func TestThrottled(t *testing.T) {
	for reason, advice := range map[string]string{
		"TableWriteKeyRangeThroughputExceeded":    "spread the key",
		"TableWriteProvisionedThroughputExceeded": "raise them, or bill on demand",
		"TableWriteMaxOnDemandThroughputExceeded": "raise MaxOnDemand",
		"TableWriteAccountLimitExceeded":          "quota",
		"":                                        "throttled: ",
	} {
		synctest.Test(t, func(t *testing.T) {
			var reasons []string
			if reason != "" {
				reasons = []string{reason}
			}
			e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("PutItem").Throttle(reasons...)))
			defer e.Close()
			client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(e), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithMaxAttempts(4), ddbclient.WithConfig(aws.Config{
				Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
			}))
			if err != nil {
				t.Fatal(err)
			}
			table := ticketsOn(t, client)
			if err := table.CreateTable(t.Context()); err != nil {
				t.Fatal(err)
			}
			err = table.Put(t.Context(), &ticket{Project: "p", Number: 1, Owner: new(string)})
			says(t, err, []string{reason, advice, "after 4 attempts", "WithMaxAttempts"})
			if throttled, ok := errors.AsType[*ddb.ThrottledError](err); !ok || throttled.Attempts != 4 {
				t.Errorf("%+v", throttled)
			}
		})
	}
}

// The error of a definition that does not fit names what would fit.
func TestDefinitions(t *testing.T) {
	client := ddbtest.New(t)
	_, err := ddb.New(client, "tickets", ticketProject, ticketNumber, ddb.TTL(ticketDue))
	says(t, err, []string{"attribute due is stored as S, it must be N", "add unixtime"})
	_, err = ddb.New(client, "tickets", ticketProject, ticketNumber, ddb.TTL(ticketTitle))
	says(t, err, []string{"attribute title is stored as S, it must be N"}, "unixtime")
	_, err = apitest.Untyped[ticket](client, "tickets", ticketProject, ticketProject)
	says(t, err, []string{"a table without a sort key is made by NewSimple"})
}

// The error of EnsureTable at a timeout gives the state of the table.
func TestEnsureTableOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithStateDelay(time.Hour))
		defer e.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		says(t, ticketsOn(t, e.Client()).EnsureTable(ctx), []string{"context deadline exceeded", "the table is CREATING"})
	})
}
