// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/config"
	"github.com/dynamotable/ddb/ddbclient"
)

const angzarr = `
[server]
port = 1

[storage]
backend = "dynamo"

[storage.dynamo]
region = "us-east-1"
table_prefix = "angzarr"
endpoint = "http://localhost:8000"

[storage.postgres]
uri = "x"
`

func TestTOML(t *testing.T) {
	c, err := config.FromTOML([]byte(angzarr))
	want := config.Config{Backend: "dynamo", Region: "us-east-1", TablePrefix: "angzarr", Endpoint: "http://localhost:8000"}
	if err != nil || c != want {
		t.Errorf("%+v, %v", c, err)
	}
	if got := strings.Join([]string{c.EventsTable(), c.SnapshotsTable(), c.PositionsTable()}, " "); got != "angzarr-events angzarr-snapshots angzarr-positions" {
		t.Errorf("tables: %s", got)
	}
	if n := len(c.ClientOptions()); n != 2 {
		t.Errorf("%d client options", n)
	}
	c, err = config.FromTOML([]byte("[storage.dynamo]\nevents_table = 'e1x'\nendpoint_url = 'https://x'"))
	if err != nil || c.EventsTable() != "e1x" || c.Endpoint != "https://x" || c.SnapshotsTable() != "snapshots" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestJSON(t *testing.T) {
	text := `{"Logging": {"x": 1}, "Data": {"dynamodb": {"Region": "eu-central-1", "ServiceUrl": "http://localhost:8000", "TablePrefix": "MyApp_",
		"SnapshotStore": {"TableName": "Snapshots"}, "Cdc": {"StreamArn": "arn:aws:dynamodb:eu-central-1:1:table/x/stream/y"},
		"CdcStateStore": {"TableName": "CdcState"}, "Authorization": {"TableName": "AuthGrants"}}}}`
	c, err := config.FromJSON([]byte(text), "Data:DynamoDb")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join([]string{c.EventsTable(), c.SnapshotsTable(), c.PositionsTable(), c.LeasesTable(), c.GrantsTable(), c.Table("orders"), c.Region, c.StreamARN[:4]}, " ")
	if got != "MyApp_events Snapshots MyApp_positions CdcState AuthGrants MyApp_orders eu-central-1 arn:" {
		t.Errorf("%s", got)
	}
}

// TestExcalibur: sections that Excalibur reads itself, with the settings of the connection next to the others or nested.
func TestExcalibur(t *testing.T) {
	const common = `"Name": "DynamoDb", "DefaultTableName": "Orders", "DefaultPartitionKeyAttribute": "pk", "DefaultSortKeyAttribute": "sk",
		"UseConsistentReads": true, "EnableStreams": true, "StreamViewType": "NEW_AND_OLD_IMAGES"`
	const conn = `"Region": "eu-central-1", "ServiceUrl": "http://localhost:8000", "AccessKey": "AKIAKEY", "SecretKey": "hidden",
		"MaxRetryAttempts": 3, "TimeoutInSeconds": 30, "ReadCapacityUnits": 5, "WriteCapacityUnits": null`
	for what, text := range map[string]string{
		"inside": `{"DynamoDb": {` + common + `, "Connection": {` + conn + `}}}`,
		"beside": `{"DynamoDb": {` + common + `, ` + conn + `}}`,
		"both":   `{"DynamoDb": {` + common + `, ` + conn + `, "Connection": {` + conn + `}}}`,
	} {
		c, err := config.FromJSON([]byte(text), "")
		if err != nil || c.Region != "eu-central-1" || c.Endpoint != "http://localhost:8000" || c.DefaultTable != "Orders" || !c.ConsistentReads ||
			c.MaxAttempts != 4 || c.AttemptTimeout != 30*time.Second || c.Credentials.IsZero() || len(c.ClientOptions()) != 5 {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
		asJSON, _ := json.Marshal(c)
		if shown := fmt.Sprintf("%v %+v %#v %s", c, c, c, asJSON); strings.Contains(shown, "hidden") || strings.Contains(shown, "AKIAKEY") {
			t.Errorf("%s: %s", what, shown)
		}
		client, err := ddbclient.New(t.Context(), c.ClientOptions()...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.Options().Credentials.Retrieve(t.Context())
		if err != nil || got.AccessKeyID != "AKIAKEY" || got.SecretAccessKey != "hidden" {
			t.Errorf("%s: credentials of %s, %v", what, got.Source, err)
		}
	}
	for text, want := range map[string]string{
		`{"Region": "a", "Connection": {"Region": "b"}}`:                 "Region and Connection.Region differ",
		`{"MaxRetryAttempts": 1, "Connection": {"MaxRetryAttempts": 2}}`: "MaxRetryAttempts",
		`{"Connection": {"AccessKey": "hidden"}}`:                        "go together",
		`{"Connection": {"Regoin": "hidden"}}`:                           "Regoin",
		`{"Connection": {"MaxRetryAttempts": -1}}`:                       "negative",
		`{"TimeoutInSeconds": -1}`:                                       "negative",
		`{"DefaultTableName": "hid den"}`:                                "default table",
		`{"UseConsistentReads": "hidden"}`:                               "UseConsistentReads",
	} {
		if _, err := config.FromJSON([]byte(`{"DynamoDb": `+text+`}`), ""); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hid") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestEnv(t *testing.T) {
	file, err := config.FromTOML([]byte(angzarr))
	if err != nil {
		t.Fatal(err)
	}
	c, err := file.FromEnv([]string{
		"PATH=/bin", "STORAGE_BACKEND=dynamo", "AWS_DEFAULT_REGION=a", "AWS_REGION=eu-west-1", "DYNAMO_TABLE_PREFIX=other_",
		"DYNAMO_ENDPOINT=http://a", "AWS_ENDPOINT_URL_DYNAMODB=http://b", "DYNAMO_GRANTS_TABLE=g-1", "DYNAMO_EVENTS_TABLE=",
	})
	want := config.Config{Backend: "dynamo", Region: "eu-west-1", TablePrefix: "other_", Endpoint: "http://b", Grants: "g-1"}
	if err != nil || c != want || c.EventsTable() != "other_events" {
		t.Errorf("%+v, %v", c, err)
	}
	for _, tc := range []struct {
		env  []string
		want string
	}{
		{[]string{"DYNAMODB_ENDPOINT=http://c"}, "http://c"},
		{[]string{"DYNAMO_ENDPOINT=http://a", "DYNAMODB_ENDPOINT=http://c"}, "http://a"},
		{[]string{"AWS_ENDPOINT_URL_DYNAMODB=http://b", "DYNAMODB_ENDPOINT=http://c"}, "http://b"},
	} {
		if c, err := config.FromEnv(tc.env); err != nil || c.Endpoint != tc.want {
			t.Errorf("%v: %q, %v", tc.env, c.Endpoint, err)
		}
	}
	if c, err := config.FromEnv(nil); err != nil || c != (config.Config{}) || c.EventsTable() != "events" {
		t.Errorf("nothing set: %+v, %v", c, err)
	}
	_, err = config.FromEnv([]string{"STORAGE_BACKEND=postgres"})
	if !errors.Is(err, config.ErrBackend) {
		t.Errorf("another backend: %v", err)
	}
}

// TestForeignVariables: variables of other programs are not errors; misspelled names of this package are, and the error gives the correct name.
func TestForeignVariables(t *testing.T) {
	foreign := []string{
		"DYNAMO_UNRELATED=1", "DYNAMO_=1", "DYNAMO_HOME=/x", "DYNAMO_ORDERS_TABLE=o", "DYNAMO_AGENTS_TABLE=a", "DYNAMODB_TABLE=x",
		"STORAGE_BACKUP=x", "STORAGE_CLASS=x", "AWS_REGIONS=x", "AWS_ENDPOINT_URL=x", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS=x", "PATH=/", "=", "x",
	}
	if c, err := config.FromEnv(append(foreign, "DYNAMO_TABLE_PREFIX=a-")); err != nil || c != (config.Config{TablePrefix: "a-"}) {
		t.Errorf("%+v, %v", c, err)
	}
	for name, meant := range map[string]string{
		"DYNAMO_TABLE_PREFX": "DYNAMO_TABLE_PREFIX", "DYNAMO_TABLE_PREFIXX": "DYNAMO_TABLE_PREFIX", "DYNAMO_TABLE_PERFIX": "DYNAMO_TABLE_PREFIX",
		"DYNAMO_TABLE_PREFIZ": "DYNAMO_TABLE_PREFIX", "dynamo_table_prefix": "DYNAMO_TABLE_PREFIX", "DYNAMOTABLEPREFIX": "DYNAMO_TABLE_PREFIX",
		"DYNAMO_EVENT_TABLE": "DYNAMO_EVENTS_TABLE", "DYNMO_STREAM_ARN": "DYNAMO_STREAM_ARN", "STORAGE_BACKENDS": "STORAGE_BACKEND", "DYNAMO_ENDPIONT": "DYNAMO_ENDPOINT",
	} {
		_, err := config.FromEnv([]string{"PATH=/", name + "=secret", "DYNAMO_GRANT_TABLE=secret"})
		for _, want := range []string{name + "; the name is " + meant, "DYNAMO_GRANT_TABLE; the name is DYNAMO_GRANTS_TABLE"} {
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(fmt.Sprint(err), want) || strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	toml := func(text string) error { _, err := config.FromTOML([]byte(text)); return err }
	js := func(text string) error { _, err := config.FromJSON([]byte(text), ""); return err }
	env := func(entries ...string) error { _, err := config.FromEnv(entries); return err }
	for what, tc := range map[string]struct {
		err  error
		text string
	}{
		"a misspelt key":         {toml("[storage.dynamo]\ntable_prefx = 'secret'"), "storage.dynamo.table_prefx"},
		"a key of storage":       {toml("[storage]\nbackends = 'secret'"), "storage.backends"},
		"two mistakes":           {toml("[storage.dynamo]\na = 1\nb = 'secret'"), "storage.dynamo.b"},
		"not TOML":               {toml("[storage\nsecret"), "line 2"},
		"a type":                 {toml("[storage.dynamo]\nregion = 7"), "type"},
		"an endpoint":            {toml("[storage.dynamo]\nendpoint = 'secret:8000'"), "endpoint"},
		"two endpoints":          {toml("[storage.dynamo]\nendpoint = 'http://a'\nendpoint_url = 'http://b'"), "differ"},
		"a table name":           {toml("[storage.dynamo]\nevents_table = 'secret name'"), "events table"},
		"a region":               {toml("[storage.dynamo]\nregion = 'se cret'"), "region"},
		"a misspelt JSON key":    {js(`{"DynamoDb": {"Regoin": "secret"}}`), "Regoin"},
		"a misspelt inner key":   {js(`{"DynamoDb": {"Cdc": {"Arn": "secret"}}}`), "Arn"},
		"no section":             {js(`{"Dynamo": {}}`), "DynamoDb"},
		"not JSON":               {js(`{secret`), "object"},
		"a JSON type":            {js(`{"DynamoDb": {"Region": 7}}`), "Region"},
		"an ARN":                 {js(`{"DynamoDb": {"Cdc": {"StreamArn": "secret"}}}`), "ARN"},
		"a misspelt variable":    {env("DYNAMO_TABLE_PREFX=secret"), "DYNAMO_TABLE_PREFX"},
		"a prefix in a variable": {env("DYNAMO_TABLE_PREFIX=se cret"), "table"},
	} {
		if !errors.Is(tc.err, ddb.ErrInvalid) || !strings.Contains(fmt.Sprint(tc.err), tc.text) || strings.Contains(fmt.Sprint(tc.err), "cret") {
			t.Errorf("%s: %v", what, tc.err)
		}
	}
}

func FuzzFiles(f *testing.F) {
	f.Add(angzarr)
	f.Add(`{"DynamoDb": {"Region": "eu-central-1"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func() (config.Config, error){
			func() (config.Config, error) { return config.FromTOML([]byte(text)) },
			func() (config.Config, error) { return config.FromJSON([]byte(text), "") },
		} {
			if _, err := read(); err != nil && !errors.Is(err, ddb.ErrInvalid) {
				t.Errorf("%v", err)
			}
		}
	})
}
