// SPDX-License-Identifier: Apache-2.0

// Package leaks tests that keys and items do not get into texts, logs, spans and JSON, and that wrong input is
// rejected before anything is sent.
package leaks_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
)

// canary is the data that must not be shown.
const canary = "SSN-4711"

// member is the item type of the tests: one type, so that little is compiled.
type member struct {
	Club    string         `dynamodbav:"club"`
	ID      string         `dynamodbav:"id"`
	Age     int            `dynamodbav:"age"`
	Photo   []byte         `dynamodbav:"photo"`
	Votes   map[string]int `dynamodbav:"votes"`
	Address address        `dynamodbav:"address"`
}

type address struct {
	City string `dynamodbav:"city"`
}

var (
	club  = ddb.StrField(func(m *member) *string { return &m.Club })
	id    = ddb.StrField(func(m *member) *string { return &m.ID })
	age   = ddb.NumField(func(m *member) *int { return &m.Age })
	photo = ddb.BinField(func(m *member) *[]byte { return &m.Photo })
	votes = ddb.MapField(func(m *member) *map[string]int { return &m.Votes })
	city  = ddb.StrField(func(m *member) *string { return &m.Address.City })
)

// service is a server that always sends the same reply, and counts requests.
type service struct {
	mu     sync.Mutex
	sent   int
	status int
	body   string
}

func (s *service) Do(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	return &http.Response{
		StatusCode: s.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"R1"}},
		Body: io.NopCloser(strings.NewReader(s.body)), ContentLength: int64(len(s.body)), Request: r,
	}, nil
}

func (s *service) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

func (s *service) client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1, HTTPClient: s,
	})
}

// newMembers returns a table on a server that always sends the same reply.
func newMembers(t *testing.T, status int, body string, opts ...ddb.TableOption) (*ddb.Table[member, string, string], *service) {
	t.Helper()
	s := &service{status: status, body: body}
	table, err := ddb.New(s.client(), "members", club, id, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return table, s
}
