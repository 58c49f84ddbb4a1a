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

// Open returns a client and a function that releases it. If DYNAMODB_ENDPOINT is set, the client uses
// that endpoint, in the Region of AWS_REGION, with the access key of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN or with a dummy key. Otherwise it uses a new engine. It is meant
// for examples.
func Open() (client *dynamodb.Client, closeClient func()) {
	if endpoint := os.Getenv(endpointVariable); endpoint != "" {
		return dialEndpoint(endpoint), func() {}
	}
	e := NewEngine()
	return e.Client(), e.Close
}

// NewFromEnv returns a client as [Open] does, for tests. Tests that use it need
// unique table names; see [TableName].
func NewFromEnv(t testing.TB) *dynamodb.Client {
	t.Helper()
	client, closeClient := Open()
	t.Cleanup(closeClient)
	return client
}

// TableName returns a name for a table of a test that no other test, and no
// other run, uses. It begins with the value of DYNAMODB_TABLE_PREFIX.
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
