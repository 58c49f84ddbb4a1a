// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
)

// raw sends a request unchanged, without the validation of the SDK.
func raw(t rapid.TB, e *ddbtest.Engine, operation, body string) string {
	t.Helper()
	w := httptest.NewRecorder()
	e.Handler().ServeHTTP(w, rawRequest(t, operation, body))
	return w.Body.String()
}

func rawRequest(t rapid.TB, operation, body string) *http.Request {
	t.Helper()
	req := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "http://localhost/", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	return req
}

// An invalid value and an empty parameter have different errors.
func TestInvalidExpressionValue(t *testing.T) {
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	for _, c := range []struct{ values, want string }{
		{`{}`, `ExpressionAttributeValues must not be empty`},
		{`{":v":{}}`, `ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :v`},
		{`{":v":{"SS":[]}}`, `ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An string set  may not be empty for key :v`},
		{`{":v":{"N":"x"}}`, `ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :v`},
	} {
		body := `{"TableName":"table","Key":{"p":{"S":"a"}},"ConditionExpression":"p = :v","ExpressionAttributeValues":` + c.values + `}`
		if got := raw(t, e, "DeleteItem", body); !strings.Contains(got, c.want) {
			t.Errorf("%s\n  got  %s\n  want %s", c.values, got, c.want)
		}
	}
}

// https://github.com/aws/aws-sdk-java/issues/977
func TestTableOperationWithoutTable(t *testing.T) {
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	for _, operation := range []string{"CreateTable", "DescribeTable", "UpdateTable", "DeleteTable", "DescribeTimeToLive", "UpdateTimeToLive"} {
		if got := raw(t, e, operation, `{}`); !strings.Contains(got, `"The parameter 'TableName' is required but was not present in the request"`) {
			t.Errorf("%s: %s", operation, got)
		}
	}
}
