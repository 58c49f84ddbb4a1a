// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"context"
	"encoding/json"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/protocol"
)

type clock struct{}

func (clock) Now() time.Time { return time.Unix(1_700_000_000, 0) }

const signature = "AWS4-HMAC-SHA256 Credential=a/20231114/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00"

// request makes a signed call of an operation.
func request(target, body string) *http.Request {
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("X-Amz-Date", "20231114T221320Z")
	req.Header.Set("Authorization", signature)
	return req
}

// answer returns the status and the body of the reply to a request. It
// checks the headers that every reply has.
func answer(t *testing.T, h *protocol.Handler, req *http.Request) (int, string) {
	t.Helper()
	resp, err := h.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if sum := resp.Header.Get("X-Amz-Crc32"); sum != strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10) {
		t.Errorf("the checksum %s is not that of %s", sum, body)
	}
	if id := resp.Header.Get("X-Amzn-Requestid"); len(id) != 52 {
		t.Errorf("the request id is %q", id)
	}
	return resp.StatusCode, string(body)
}

func TestRefusals(t *testing.T) {
	h := protocol.New(engine.New(engine.Options{Clock: clock{}}), nil, nil)
	for name, test := range map[string]struct {
		change func(*http.Request)
		status int
		body   string
	}{
		"method":       {func(r *http.Request) { r.Method = http.MethodPut }, 404, "<UnknownOperationException/>\n"},
		"content type": {func(r *http.Request) { r.Header.Del("Content-Type") }, 404, "<UnknownOperationException/>\n"},
		"no target":    {func(r *http.Request) { r.Header.Del("X-Amz-Target") }, 400, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		"bad target":   {func(r *http.Request) { r.Header.Set("X-Amz-Target", "DynamoDB_20120810.Nothing") }, 400, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		"unsigned": {func(r *http.Request) { r.Header.Del("Authorization") }, 400,
			`{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}`},
		"half signed": {func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a")
			r.Header.Del("X-Amz-Date")
		}, 400,
			`{"__type":"com.amazon.coral.service#IncompleteSignatureException","message":"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. ` +
				`Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Credential=a"}`},
	} {
		t.Run(name, func(t *testing.T) {
			req := request("DynamoDB_20120810.ListTables", "{}")
			test.change(req)
			status, body := answer(t, h, req)
			if status != test.status || body != test.body {
				t.Errorf("got  %d %s\nwant %d %s", status, body, test.status, test.body)
			}
		})
	}
}

const castFault = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class " +
	"(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader 'bootstrap')"

// https://github.com/localstack/localstack/issues/9412 has the text for scalars,
// dynoxide those for structures and maps, src/serialization_checks.rs in
// https://github.com/nubo-db/dynoxide.
func TestSerializationErrors(t *testing.T) {
	h := protocol.New(engine.New(engine.Options{Clock: clock{}}), nil, nil)
	for _, test := range []struct{ operation, body, message string }{
		{"GetItem", ``, ""},
		{"GetItem", `{`, ""},
		{"GetItem", `{"TableName":"a`, ""},
		{"GetItem", `{} {}`, ""},
		{"GetItem", `[]`, "Start of list found where not expected"},
		{"GetItem", `{"TableName":true}`, "TRUE_VALUE cannot be converted to String"},
		{"GetItem", `{"TableName":23}`, "NUMBER_VALUE cannot be converted to String"},
		{"GetItem", `{"TableName":2.5}`, "DECIMAL_VALUE cannot be converted to String"},
		{"GetItem", `{"TableName":[]}`, "Unrecognized collection type class java.lang.String"},
		{"GetItem", `{"TableName":{}}`, "Start of structure or map found where not expected"},
		{"GetItem", `{"ConsistentRead":"yes"}`, "Unexpected token received from parser"},
		{"GetItem", `{"ConsistentRead":1}`, "NUMBER_VALUE cannot be converted to Boolean"},
		{"GetItem", `{"ConsistentRead":[]}`, "Unrecognized collection type class java.lang.Boolean"},
		{"GetItem", `{"ExpressionAttributeNames":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>"},
		{"GetItem", `{"ExpressionAttributeNames":"x"}`, "Unexpected field type"},
		{"GetItem", `{"AttributesToGet":{}}`, "Start of structure or map found where not expected"},
		{"GetItem", `{"AttributesToGet":[1]}`, "NUMBER_VALUE cannot be converted to String"},
		{"Query", `{"Limit":"1"}`, "STRING_VALUE cannot be converted to Integer"},
		{"Query", `{"Limit":true}`, "TRUE_VALUE cannot be converted to Integer"},
		{"Query", `{"KeyConditions":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.Condition>"},
		{"Query", `{"KeyConditions":1}`, "Unexpected field type"},
		{"Query", `{"KeyConditions":{"a":[]}}`, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.Condition"},
		{"Query", `{"KeyConditions":{"a":"x"}}`, "Unexpected value type in payload"},
		{"PutItem", `{"Item":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"},
		{"PutItem", `{"Item":"x"}`, "Unexpected field type"},
		{"BatchGetItem", `{"RequestItems":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.KeysAndAttributes>"},
		{"BatchGetItem", `{"RequestItems":{"a":1}}`, "Unexpected value type in payload"},
		{"BatchGetItem", `{"RequestItems":{"a":{"Keys":[1]}}}`, castFault},
		{"BatchWriteItem", `{"RequestItems":{"a":{}}}`, castFault},
		{"BatchWriteItem", `{"RequestItems":{"a":[1]}}`, "Unexpected value type in payload"},
		{"TransactGetItems", `{"TransactItems":[{"Get":[]}]}`, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.Get"},
		{"CreateTable", `{"KeySchema":"x"}`, "Unexpected field type"},
		{"CreateTable", `{"ProvisionedThroughput":{"ReadCapacityUnits":false}}`, "FALSE_VALUE cannot be converted to Long"},
	} {
		status, body := answer(t, h, request("DynamoDB_20120810."+test.operation, test.body))
		var got struct {
			Type    string `json:"__type"`
			Message string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if status != 400 || got.Type != "com.amazon.coral.service#SerializationException" || got.Message != test.message {
			t.Errorf("%s %s: got %d %s, want %q", test.operation, test.body, status, body, test.message)
		}
	}
}

func TestNullIsAbsentAndUnknownIsSkipped(t *testing.T) {
	h := protocol.New(engine.New(engine.Options{Clock: clock{}}), nil, nil)
	body := ` { "Limit" : null , "Extra" : { "a" : [ 1 , "]\"}" , { } ] } , "ExclusiveStartTableName" : "\u0061\u0062c" } `
	if status, got := answer(t, h, request("DynamoDB_20120810.ListTables", body)); status != http.StatusOK || got != `{"TableNames":[]}` {
		t.Errorf("got %d %s", status, got)
	}
}

func TestInterceptorChangesReplies(t *testing.T) {
	cut := func(ctx context.Context, call *protocol.Call, next func(context.Context, *protocol.Call) *protocol.Reply) *protocol.Reply {
		reply := next(ctx, call)
		reply.Cut = 5
		return reply
	}
	h := protocol.New(engine.New(engine.Options{Clock: clock{}}), nil, cut)
	resp, err := h.Do(request("DynamoDB_20120810.ListTables", "{}"))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); string(body) != `{"Tab` || err == nil {
		t.Errorf("got %q and error %v, want 5 bytes and an error", body, err)
	}
}

func TestServeHTTP(t *testing.T) {
	server := httptest.NewServer(protocol.New(engine.New(engine.Options{Clock: clock{}}), nil, nil))
	defer server.Close()
	req := request("DynamoDB_20120810.ListTables", "{}")
	out, err := http.NewRequest(req.Method, server.URL, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	out.Header = req.Header
	resp, err := server.Client().Do(out)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || string(body) != `{"TableNames":[]}` || resp.Header.Get("X-Amz-Crc32") == "" {
		t.Errorf("got %d %s with %v", resp.StatusCode, body, resp.Header)
	}
}

// The engine answers every request with JSON.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"TableName":"abc","Item":{"pk":{"S":"a"},"n":{"N":"1.0"}}}`, `{"TableName":"abc","Key":{"pk":{"S":"\ud83d\ude00"}}}`, `[]`, `{"a":[[{"\\":"\""}]]}`,
	} {
		for _, operation := range []string{"PutItem", "Query", "TransactWriteItems", "UpdateTable"} {
			f.Add(operation, seed)
		}
	}
	e := engine.New(engine.Options{Clock: clock{}})
	h := protocol.New(e, nil, nil)
	create := `{"TableName":"abc","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`
	resp, err := h.Do(request("DynamoDB_20120810.CreateTable", create))
	if err != nil || resp.StatusCode != http.StatusOK {
		f.Fatal(resp, err)
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		req := request("DynamoDB_20120810.ListTables", body)
		req.Header["X-Amz-Target"] = []string{"DynamoDB_20120810." + operation}
		status, got := answer(t, h, req)
		if status >= 500 || got != "" && !json.Valid([]byte(got)) {
			t.Errorf("%s %s: got %d %s", operation, body, status, got)
		}
	})
}
