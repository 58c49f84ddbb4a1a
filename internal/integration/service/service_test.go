// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

// account is a server that refuses requests that are not signed with the account's key for the Region.
func account(t *testing.T) (*ddbtest.Engine, string) {
	t.Helper()
	engine := ddbtest.NewEngine()
	t.Cleanup(engine.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=ACCOUNT/") || !strings.Contains(r.Header.Get("Authorization"), "/eu-north-1/dynamodb/") {
			t.Errorf("%s is signed as %q", r.Header.Get("X-Amz-Target"), r.Header.Get("Authorization"))
		}
		engine.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return engine, server.URL
}

func trialSettings(t *testing.T, url string, units float64) settings {
	return settings{region: "eu-north-1", prefix: "ddb-trial-", units: units, endpoint: url, report: filepath.Join(t.TempDir(), "report.md")}
}

// proxied is a client like that of the tests: on the proxy, with invalid keys.
func proxied(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-north-1", BaseEndpoint: aws.String(endpoint), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("ddbtest", "ddbtest", ""),
	})
}

func create(ctx context.Context, client *dynamodb.Client, name string) error {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	return err
}

func put(ctx context.Context, client *dynamodb.Client, table, id string) error {
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}})
	return err
}

var secrets = credentials.NewStaticCredentialsProvider("ACCOUNT", "secret", "")

func TestTrial(t *testing.T) {
	engine, url := account(t)
	if err := create(t.Context(), engine.Client(), "orders"); err != nil { // somebody's own
		t.Fatal(err)
	}
	s := trialSettings(t, url, 1000)
	err := trial(t.Context(), s, secrets, func(ctx context.Context, endpoint string, s settings, events, _ io.Writer) error {
		client := proxied(endpoint)
		for _, step := range []struct {
			what string
			err  error
			ok   bool
		}{
			{"create", create(ctx, client, s.prefix+"a"), true},
			{"put", put(ctx, client, s.prefix+"a", "1"), true},
			{"create without the prefix", create(ctx, client, "a"), false},
			{"put without the prefix", put(ctx, client, "orders", "1"), false},
		} {
			if (step.err == nil) != step.ok {
				t.Errorf("%s: %v", step.what, step.err)
			}
		}
		_, err := client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(`DELETE FROM "orders" WHERE id = '1'`)})
		if err == nil {
			t.Error("a statement was sent")
		}
		for _, line := range []string{
			`{"Action":"pass","Package":"p","Test":"TestA"}`, `{"Action":"fail","Package":"p","Test":"TestB"}`, `{"Action":"fail","Package":"p"}`,
			`{"Action":"skip","Package":"q","Test":"TestC"}`, `{"Action":"pass","Package":"q"}`, `no JSON`,
		} {
			fmt.Fprintln(events, line)
		}
		return errors.New("exit status 1")
	}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("error %v: the tests failed", err)
	}
	data, err := os.ReadFile(s.report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| p | fail | 1 | 1 | 0 |", "| q | pass | 0 | 0 | 1 |", "Failed: p TestB", "| PutItem | 1 |", "PutItem of a table without the prefix | 1 |",
		"CreateTable of a table without the prefix | 1 |", "ExecuteStatement names its tables in a statement | 1 |", "Tables deleted at the end: 1.",
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the report lacks %q:\n%s", want, data)
		}
	}
	tables, err := engine.Client().ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || !slices.Equal(tables.TableNames, []string{"orders"}) {
		t.Errorf("tables %v, %v; only the foreign one stays", tables.TableNames, err)
	}
}

func TestTrialEndsAtUnitLimit(t *testing.T) {
	_, url := account(t)
	s := trialSettings(t, url, 10)
	sent := 0
	err := trial(t.Context(), s, secrets, func(ctx context.Context, endpoint string, s settings, _, _ io.Writer) error {
		client := proxied(endpoint)
		if err := create(ctx, client, s.prefix+"a"); err != nil {
			t.Fatal(err)
		}
		for put(ctx, client, s.prefix+"a", fmt.Sprint(sent)) == nil {
			sent++
		}
		return nil
	}, io.Discard, io.Discard)
	if err != nil {
		t.Error(err)
	}
	if sent == 0 || sent > 10 {
		t.Errorf("%d puts with 10 units", sent)
	}
}

func TestTrialRefusesAPrefixInUse(t *testing.T) {
	engine, url := account(t)
	if err := create(t.Context(), engine.Client(), "ddb-trial-mine"); err != nil {
		t.Fatal(err)
	}
	err := trial(t.Context(), trialSettings(t, url, 10), secrets, func(context.Context, string, settings, io.Writer, io.Writer) error {
		t.Error("the tests ran")
		return nil
	}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "ddb-trial-mine") {
		t.Errorf("error %v", err)
	}
	tables, err := engine.Client().ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || len(tables.TableNames) != 1 {
		t.Errorf("tables %v, %v", tables.TableNames, err)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{
		{}, {"-region", "eu-north-1", "-prefix", "ddb-trial-"}, {"-region", "eu-north-1", "-units", "5"}, {"-prefix", "ddb-trial-", "-units", "5"},
		{"-region", "eu-north-1", "-prefix", "a", "-units", "5"}, {"-region", "eu-north-1", "-prefix", "ddb-trial-", "-units", "-5"},
	} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	if _, err := parse([]string{"-region", "eu-north-1", "-prefix", "ddb-trial-", "-units", "5"}, io.Discard); err != nil {
		t.Error(err)
	}
}

func TestNamed(t *testing.T) {
	tests := []struct {
		operation, body string
		want            []string
		ok              bool
	}{
		{"PutItem", `{"TableName":"a","Item":{"TableName":{"S":"b"}}}`, []string{"a"}, true},
		{"PutItem", `{"TableName":"arn:aws:dynamodb:eu-north-1:1:table/a"}`, []string{"a"}, true},
		{"Query", `{"TableName":"arn:aws:dynamodb:eu-north-1:1:table/a/index/i"}`, []string{"a"}, true},
		{"BatchWriteItem", `{"RequestItems":{"a":[],"b":[]}}`, []string{"a", "b"}, true},
		{"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"a"}},{"ConditionCheck":{"TableName":"b"}}]}`, []string{"a", "b"}, true},
		{"TransactWriteItems", `{"TransactItems":[{"Put":{}}]}`, []string{""}, true}, // has no prefix
		{"TagResource", `{"ResourceArn":"arn:aws:dynamodb:eu-north-1:1:table/a"}`, []string{"a"}, true},
		{"DescribeStream", `{"StreamArn":"arn:aws:dynamodb:eu-north-1:1:table/a/stream/x"}`, []string{"a"}, true},
		{"ListTables", `{}`, nil, true},
		{"GetRecords", `{"ShardIterator":"x"}`, nil, true},
		{"PutItem", `{}`, nil, false},
		{"PutItem", `{`, nil, false},
		{"ImportTable", `{"TableCreationParameters":{"TableName":"a"}}`, nil, false},
		{"ExecuteStatement", `{"Statement":"SELECT * FROM a"}`, nil, false},
	}
	for _, test := range tests {
		got, err := named(test.operation, []byte(test.body))
		slices.Sort(got)
		if (err == nil) != test.ok || !slices.Equal(got, test.want) {
			t.Errorf("%s %s: %v, %v", test.operation, test.body, got, err)
		}
	}
}

func TestUnits(t *testing.T) {
	for reply, want := range map[string]float64{
		`{"ConsumedCapacity":{"CapacityUnits":2.5}}`:                       2.5,
		`{"ConsumedCapacity":[{"CapacityUnits":2.5},{"CapacityUnits":3}]}`: 5.5,
		`{}`: 2,
	} {
		if got := units("PutItem", []byte(`{}`), []byte(reply)); got != want {
			t.Errorf("%s: %v, not %v", reply, got, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	e := endpoints{region: "eu-north-1"}
	got := map[string]string{}
	for _, target := range []string{"DynamoDB_20120810.PutItem", "DynamoDBStreams_20120810.GetRecords"} {
		got[target] = e.of(target).String()
	}
	if want := map[string]string{
		"DynamoDB_20120810.PutItem":           "https://dynamodb.eu-north-1.amazonaws.com/",
		"DynamoDBStreams_20120810.GetRecords": "https://streams.dynamodb.eu-north-1.amazonaws.com/",
	}; !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
