// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/rawitem"
)

// asProgram makes the test binary run as ddb, so that tests can kill it.
const asProgram = "DDB_TEST_RUN_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(start())
	}
	longtest.CollectLess()
	os.Exit(m.Run())
}

// shop is an engine with a few tables, served on this machine. Requests pass through the handler that wrap returns, if wrap is not nil.
func shop(t *testing.T, wrap func(http.Handler) http.Handler) (*ddbtest.Engine, *httptest.Server) {
	t.Helper()
	engine := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)), ddbtest.WithSeed(1))
	t.Cleanup(engine.Close)
	handler := engine.Handler()
	if wrap != nil {
		handler = wrap(handler)
	}
	server := serve(t, handler)
	fill(t, engine)
	return engine, server
}

// serve starts a server on this machine and sets the environment to use it.
func serve(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_CA_BUNDLE", "") // reading it takes longer than most commands
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", server.URL)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("NO_COLOR", "1")
	return server
}

// fill creates the tables.
func fill(t *testing.T, engine *ddbtest.Engine) {
	t.Helper()
	client := engine.Client()
	create := func(in *dynamodb.CreateTableInput) {
		in.BillingMode = types.BillingModePayPerRequest
		if _, err := client.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	create(&dynamodb.CreateTableInput{
		TableName: aws.String("orders"), KeySchema: keySchema("customer", "id"),
		AttributeDefinitions: []types.AttributeDefinition{attribute("customer", "S"), attribute("id", "S"), attribute("status", "S"), attribute("total", "N")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-status"), KeySchema: keySchema("status", "total"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	create(&dynamodb.CreateTableInput{
		TableName: aws.String("orders2"), KeySchema: keySchema("customer", "id"),
		AttributeDefinitions: []types.AttributeDefinition{attribute("customer", "S"), attribute("id", "S")},
	})
	create(&dynamodb.CreateTableInput{ // of a job.TableStore
		TableName: aws.String("jobs"), KeySchema: keySchema("job", ""), AttributeDefinitions: []types.AttributeDefinition{attribute("job", "S")},
	})
	create(&dynamodb.CreateTableInput{
		TableName: aws.String("counters"), KeySchema: keySchema("n", ""), AttributeDefinitions: []types.AttributeDefinition{attribute("n", "N")},
	})
	create(&dynamodb.CreateTableInput{
		TableName: aws.String("blobs"), KeySchema: keySchema("key", ""), AttributeDefinitions: []types.AttributeDefinition{attribute("key", "B")},
	})
	_, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String("orders"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	put := func(table string, lines ...string) {
		for _, line := range lines {
			item, err := rawitem.Parse([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			values, err := item.Values()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: values}); err != nil {
				t.Fatal(err)
			}
		}
	}
	put("orders",
		`{"customer":{"S":"c1"},"id":{"S":"2026-08"},"status":{"S":"paid"},"total":{"N":"12"}}`,
		`{"customer":{"S":"c1"},"id":{"S":"2026-09"},"status":{"S":"open"},"total":{"N":"12345678901234567890.5"},"tags":{"SS":["new","large"]},"seal":{"B":"aGk="}}`,
		`{"customer":{"S":"c1"},"id":{"S":"2027-01"},"status":{"S":"open"},"total":{"N":"7"},"lines":{"L":[{"M":{"sku":{"S":"a\"b"},"n":{"N":"1"}}}]}}`,
		`{"customer":{"S":"c2"},"id":{"S":"2026-09"},"status":{"S":"open"},"total":{"N":"30"},"note":{"NULL":true},"gift":{"BOOL":true}}`)
	put("jobs", `{"job":{"S":"lower-status"},"token":{"S":"secret"},"owner":{"S":"worker-1"},"position":{"S":"secret"},"until":{"N":"32503680000000"},"runs":{"N":"0"}}`,
		`{"job":{"S":"totals"},"position":{"S":"secret"},"until":{"N":"0"},"runs":{"N":"2"}}`, `{"job":{"S":"names"},"until":{"N":"0"},"runs":{"N":"1"}}`)
	put("counters", `{"n":{"N":"-5"},"v":{"N":"1"}}`, `{"n":{"N":"10"},"v":{"N":"2"}}`)
	put("blobs", `{"key":{"B":"AQI="},"name":{"S":"one"}}`)
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: &partition, KeyType: types.KeyTypeHash}}
	if sort != "" {
		schema = append(schema, types.KeySchemaElement{AttributeName: &sort, KeyType: types.KeyTypeRange})
	}
	return schema
}

func attribute(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
}

// rawText returns an item as DynamoDB JSON.
func rawText(item map[string]types.AttributeValue) (string, error) {
	raw, err := rawitem.Of(item)
	return string(raw.JSON()), err
}
