package wire_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/wire"
)

// FuzzReply holds the short way against the SDK's own: where both take a reply, they give the same.
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
		wantOut, wantRows, wantErr := op.run(ignoring{client()}, wire.Options{})
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
