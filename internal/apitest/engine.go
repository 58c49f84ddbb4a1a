// SPDX-License-Identifier: Apache-2.0

// Package apitest is what the tests of the library's API share: item types with their handles, clients of an engine,
// and a connection that fails as networks do. The tests are in the folders below, by theme; each compiles the few table
// types that it needs, so that an edit of the library compiles little again.
package apitest

import (
	"flag"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/wire"
	"go.uber.org/goleak"
)

var long = flag.Bool("long", false, "storms and matrices in full length, for a step of their own")

// Long reports whether storms and matrices are to run in full length.
func Long() bool { return *long }

// Size is how large a test is: in the step of their own, and everywhere else. With -short, as under the race detector, it is half of that.
func Size(full, short int) int {
	switch {
	case *long:
		return full
	case testing.Short():
		return (short + 1) / 2
	}
	return short
}

// Main runs the tests of a package: none leaves a goroutine, and what requests cost lies within the range of Explain.
// With DDB_TEST_CODEC=off items travel as attribute values, as with [ddb.ThroughSDK].
func Main(m *testing.M) {
	wire.Default.Off = os.Getenv("DDB_TEST_CODEC") == "off"
	// Keep-alive connections of a client outlive a test when the suite runs on a real endpoint.
	goleak.VerifyTestMain(measured{m},
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// NewClient is a client of a fresh engine, or of the endpoint in DYNAMODB_ENDPOINT.
func NewClient(t testing.TB) *dynamodb.Client { return ddbtest.NewFromEnv(t) }

// OnEndpoint reports whether the suite runs on an endpoint other than our engine.
func OnEndpoint() bool { return os.Getenv("DYNAMODB_ENDPOINT") != "" }

// NeedsEngine skips tests of what only our engine can show, such as faults.
func NeedsEngine(t testing.TB, why string) {
	t.Helper()
	if OnEndpoint() {
		t.Skip("only on the embedded engine: " + why)
	}
}

// TableName is unique, so that tests can share an endpoint.
func TableName(t testing.TB) string { return ddbtest.TableName(t) }

// NewDefaults is a client with the defaults of [ddbclient.New] whose requests go through a function of the test.
func NewDefaults(t testing.TB, through dynamodb.HTTPClient, opts ...ddbclient.Option) *dynamodb.Client {
	t.Helper()
	opts = append([]ddbclient.Option{ddbclient.WithHTTPClient(through), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithConfig(aws.Config{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})}, opts...)
	client, err := ddbclient.New(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
