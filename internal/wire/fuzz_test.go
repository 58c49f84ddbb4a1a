// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/wire"
)

// FuzzReply compares the fast path with the SDK's own: if both accept a reply, they return the same.
func FuzzReply(f *testing.F) {
	for i, op := range operations {
		f.Add(uint8(i), []byte(op.body))
	}
	f.Add(uint8(4), []byte(`{"Items":[`+item1+`],"Items":[`+item2+`]}`))
	f.Add(uint8(4), []byte(`{"Items":[`+item1+`],"Items":null}`))
	f.Add(uint8(4), []byte(`{"It\u0065ms":[{"\u0070k":{"S":"\ud83d\ude00"}}]}`))
	f.Add(uint8(4), []byte(`{"items":[`+item1+`],"Count":1e1}`))
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		op := operations[int(which)%len(operations)]
		client := func() *dynamodb.Client {
			return newClient(newStub(string(body)), func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
		}
		out, rows, err := op.run(client(), wire.Options{})
		wantOut, wantRows, wantErr := sdkAlone(func() (any, [][]string, error) { return op.run(ignoring{client()}, wire.Options{}) })
		if err != nil || wantErr != nil {
			return
		}
		if d := cmp.Diff(fmt.Sprint(wantRows), fmt.Sprint(rows)); d != "" {
			t.Errorf("%s %s\n%s", op.name, body, d)
		}
		if d := cmp.Diff(wantOut, out, exported); d != "" {
			t.Errorf("%s %s\n%s", op.name, body, d)
		}
	})
}

// sdkAlone runs a call in which the SDK decodes the reply by itself. smithy-go v1.28.8 panics on some malformed bodies, which
// counts as an error of the SDK; the path under test must not panic.
func sdkAlone(run func() (any, [][]string, error)) (out any, rows [][]string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the SDK panics: %v", p)
		}
	}()
	return run()
}

// TestMalformedReplyIsAnError: bodies that make the SDK's own decoder panic are rejected before they reach it.
func TestMalformedReplyIsAnError(t *testing.T) {
	for _, o := range []wire.Options{{}, {Off: true}} {
		_, rows, err := runBatchGet(newClient(newStub(`{"Responses":{"orders":[:{]},"UnprocessedKeys":{}}`)), o)
		var re *wire.ReplyError
		if !errors.As(err, &re) || re.Fault != wire.ReplyCorrupt {
			t.Errorf("%v %v", rows, err)
		}
	}
}
