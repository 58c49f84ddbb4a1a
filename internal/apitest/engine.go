// SPDX-License-Identifier: Apache-2.0

// Package apitest is shared by the tests of the library's API: item types with their handles, clients of an engine, and a
// connection that fails like a network. The tests are in the folders below, by topic. Each compiles only the few table types that
// it needs, so an edit of the library causes little compilation.
package apitest

import (
	"context"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/schema"
	"go.uber.org/goleak"
)

// Main runs the tests of a package. It checks that no test leaves a goroutine, and that the cost of requests is in the range of
// Explain. With DDB_TEST_CODEC=off items are converted to attribute values, as with [ddb.ThroughSDK].
func Main(m *testing.M) {
	longtest.CollectLess()
	wire.Default.Off = os.Getenv("DDB_TEST_CODEC") == "off"
	// Keep-alive connections of a client outlive a test when the suite runs on a real endpoint.
	goleak.VerifyTestMain(measured{m},
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// NewClient returns a client of a new engine, or of the endpoint in DYNAMODB_ENDPOINT.
func NewClient(t testing.TB) *dynamodb.Client { return ddbtest.NewFromEnv(t) }

// Client has the methods of the SDK's client that tables call. A client of a test embeds it and not *dynamodb.Client, because a package
// compiles about 350 functions for each type that embeds that.
type Client interface {
	ddb.Client
	schema.Client
	SearchVectors(context.Context, *dynamodb.SearchVectorsInput, ...func(*dynamodb.Options)) (*dynamodb.SearchVectorsOutput, error)
}

// OnEndpoint reports whether the suite runs on an endpoint other than our engine.
func OnEndpoint() bool { return os.Getenv("DYNAMODB_ENDPOINT") != "" }

// NeedsEngine skips tests that only work with our engine, for example with faults.
func NeedsEngine(t testing.TB, why string) {
	t.Helper()
	if OnEndpoint() {
		t.Skip("only on the embedded engine: " + why)
	}
}

// TableName returns a unique name, so that tests can share an endpoint.
func TableName(t testing.TB) string { return ddbtest.TableName(t) }

// NewDefaults returns a client with the defaults of [ddbclient.New] whose requests are sent by a function of the test.
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
