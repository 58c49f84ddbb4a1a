// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb/ddbtest"
)

// A client with endpoint discovery is directed to the engine.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeEndpoints.html
func TestDescribeEndpointsNamesTheEngine(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	for want, client := range map[string]*dynamodb.Client{
		strings.TrimPrefix(server.URL, "http://"): e.Client(func(o *dynamodb.Options) { o.BaseEndpoint, o.HTTPClient = &server.URL, server.Client() }),
		"ddbtest.invalid":                         e.Client(),
	} {
		out, err := client.DescribeEndpoints(t.Context(), &dynamodb.DescribeEndpointsInput{})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Endpoints) != 1 || aws.ToString(out.Endpoints[0].Address) != want {
			t.Errorf("got %v, want %s", aws.ToString(out.Endpoints[0].Address), want)
		}
	}
}

// The SDK's client accepts compressed replies and verifies their checksum, in process and over a connection.
func TestClientWithGzip(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	gzip := func(o *dynamodb.Options) { o.EnableAcceptEncodingGzip, o.Retryer = true, aws.NopRetryer{} }
	mustCreate(t, e.Client(), pairTable("long"))
	mustPut(t, e.Client(), "long", item{"pk": str("a"), "sk": str("b"), "v": str(strings.Repeat("x", 100_000))})
	for name, client := range map[string]*dynamodb.Client{
		"in process": e.Client(gzip),
		"connection": e.Client(gzip, func(o *dynamodb.Options) { o.BaseEndpoint, o.HTTPClient = &server.URL, server.Client() }),
	} {
		out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("long")})
		if err != nil || len(out.Items) != 1 {
			t.Errorf("%s: %v, %d items", name, err, len(out.Items))
		}
	}
}

// A client in the engine's process saves the work of a signature, and one with another endpoint is signed as usual.
func TestOnlyOtherEndpointsAreSigned(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	var header http.Header
	keep := smithyhttp.ClientDoFunc(func(req *http.Request) (*http.Response, error) {
		header = req.Header
		return e.Do(req)
	})
	session := credentials.NewStaticCredentialsProvider("key", "secret", "token")
	for _, c := range []struct {
		endpoint string
		signed   bool
	}{
		{"http://ddbtest.invalid", false},
		{"http://localhost:8000", true},
	} {
		client := e.Client(func(o *dynamodb.Options) { o.HTTPClient, o.BaseEndpoint, o.Credentials = keep, &c.endpoint, session })
		if _, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
			t.Fatal(err)
		}
		date, signature := header.Get("X-Amz-Date"), header.Get("Authorization")
		if signed := !strings.HasSuffix(signature, " Signature=0"); signed != c.signed {
			t.Errorf("%s: got %s", c.endpoint, signature)
		}
		if _, err := time.Parse("20060102T150405Z", date); err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix(signature, "AWS4-HMAC-SHA256 Credential=key/"+date[:8]+"/us-east-1/dynamodb/aws4_request, ") || header.Get("X-Amz-Security-Token") != "token" {
			t.Errorf("%s: got %v", c.endpoint, header)
		}
	}
}
