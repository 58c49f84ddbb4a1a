// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// endpointVariable names the environment variable that holds the URL of a
// DynamoDB to use in place of a fresh engine.
const endpointVariable = "DYNAMODB_ENDPOINT"

// Open returns a client and a function that ends its use. The client talks to
// the endpoint in DYNAMODB_ENDPOINT if that is set, in the Region of AWS_REGION
// and with the access key of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN or one made up, and to a fresh engine otherwise. It is meant
// for examples.
func Open() (client *dynamodb.Client, closeClient func()) {
	if endpoint := os.Getenv(endpointVariable); endpoint != "" {
		return dialEndpoint(endpoint), func() {}
	}
	e := NewEngine()
	return e.Client(), e.Close
}

// NewFromEnv returns what [Open] returns, for tests. Tests that use it need
// table names that are theirs alone; see [TableName].
func NewFromEnv(t testing.TB) *dynamodb.Client {
	t.Helper()
	client, closeClient := Open()
	t.Cleanup(closeClient)
	return client
}

// TableName returns a name for a table of a test that no other test, and no
// other run, uses. It begins with what DYNAMODB_TABLE_PREFIX holds.
func TableName(t testing.TB) string {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return '_'
	}, t.Name())
	if len(name) > 200 {
		name = name[:200]
	}
	return os.Getenv("DYNAMODB_TABLE_PREFIX") + name + "-" + rand.Text()[:12]
}

func dialEndpoint(endpoint string) *dynamodb.Client {
	get := func(name, otherwise string) string {
		if s := os.Getenv(name); s != "" {
			return s
		}
		return otherwise
	}
	return dynamodb.New(dynamodb.Options{
		Region: get("AWS_REGION", "us-east-1"),
		Credentials: credentials.NewStaticCredentialsProvider(
			get("AWS_ACCESS_KEY_ID", "ddbtest"), get("AWS_SECRET_ACCESS_KEY", "ddbtest"), os.Getenv("AWS_SESSION_TOKEN")),
		BaseEndpoint: aws.String(endpoint),
	})
}
