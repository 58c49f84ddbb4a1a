// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

// A line has the operation, the tables and the result, and nothing of items, keys and messages.
func TestRequestLog(t *testing.T) {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	var lines bytes.Buffer
	server := httptest.NewServer(logged(engine.Handler(), slog.New(slog.NewTextHandler(&lines, nil))))
	defer server.Close()
	c := clientOf(server.URL)
	create(t, c)
	const secret = "canary"
	if err := put(t.Context(), c, secret); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: thing(secret), ConditionExpression: aws.String("attribute_not_exists(id)")})
	if err == nil {
		t.Error("a condition that fails passed")
	}
	_, err = c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		*table: {Keys: []map[string]types.AttributeValue{{"id": thing(secret)["id"]}}},
	}})
	if err != nil {
		t.Error(err)
	}
	_, err = c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: table, Item: thing(secret)}}}})
	if err != nil {
		t.Error(err)
	}
	if resp, err := http.Get(server.URL); err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`took=\S+ in=[0-9]+ out=[0-9]+`).ReplaceAllString(lines.String(), "...")
	got = regexp.MustCompile(`(?m)^time=\S+ level=INFO msg=request `).ReplaceAllString(got, "")
	const want = `operation=CreateTable tables=things status=200 ...
operation=PutItem tables=things status=200 ...
operation=PutItem tables=things status=400 error=ConditionalCheckFailedException ...
operation=BatchGetItem tables=things status=200 ...
operation=TransactWriteItems tables=things status=200 ...
operation=GET status=200 ...
`
	if got != want {
		t.Errorf("the log is\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(lines.String(), secret) {
		t.Errorf("the log has data in it:\n%s", &lines)
	}
}

// The content of the log may come from anybody who can send a request.
func TestRequestLogIsOneLine(t *testing.T) {
	var lines bytes.Buffer
	handler := logged(http.NotFoundHandler(), slog.New(slog.NewTextHandler(&lines, nil)))
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(fmt.Sprintf(`{"TableName":%q}`, "a\nb status=200")))
	req.Header.Set("X-Amz-Target", "X.Put\nItem")
	handler.ServeHTTP(httptest.NewRecorder(), req)
	if n := strings.Count(lines.String(), "\n"); n != 1 {
		t.Errorf("%d lines:\n%s", n, &lines)
	}
}

// A request without its body, or with a truncated answer, is logged, too.
func TestRequestLogOfCutRequest(t *testing.T) {
	var lines bytes.Buffer
	handler := logged(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), slog.New(slog.NewTextHandler(&lines, nil)))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the handler's panic is lost")
			}
		}()
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody))
	}()
	if !strings.Contains(lines.String(), `operation=POST error="cut off"`) || strings.Contains(lines.String(), "status=") {
		t.Errorf("the log is %s", &lines)
	}
}
