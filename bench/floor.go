// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Floor is the column of what the SDK's client takes by itself: it signs and sends a request body
// that is ready, reads the reply into memory that is ready, checks its sum, and no item is encoded or decoded. Only the
// SDK's serializer for the rest of the request can be left out besides, as ddb does for puts and reads by key.
const Floor = "floor"

// withFloor adds the floor to a call. Its request body is the one that ddb sends.
func withFloor(c Call) (Call, error) {
	r := &requestTap{next: NewStub(c.Reply)}
	if err := c.With["ddb"](Client(r))(context.Background()); err != nil {
		return c, err
	}
	c.With[Floor] = func(client *dynamodb.Client) func(context.Context) error {
		p := &floorProtocol{request: r.last}
		use := func(o *dynamodb.Options) {
			p.ClientProtocol, o.Protocol = o.Protocol, p
		}
		return func(ctx context.Context) error { return floorCall(ctx, client, c.Name, use) }
	}
	return c, nil
}

// floorCall makes the operation of a call, with nothing in its input but what the SDK insists on.
func floorCall(ctx context.Context, c *dynamodb.Client, name string, use func(*dynamodb.Options)) (err error) {
	none := map[string]types.AttributeValue{}
	switch name {
	case "GetItem 1 KB":
		_, err = c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(table), Key: none}, use)
	case "PutItem 1 KB":
		_, err = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: none}, use)
	case "BatchGet 100":
		_, err = c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {Keys: []map[string]types.AttributeValue{}}}}, use)
	case "BatchWrite 25":
		_, err = c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: {}}}, use)
	default:
		_, err = c.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(table)}, use)
	}
	return err
}

// floorProtocol puts a ready body into the request and takes the reply's away unread, but for its checksum. It serves
// one call at a time.
type floorProtocol struct {
	smithyhttp.ClientProtocol
	request []byte
	reply   []byte
}

func (p *floorProtocol) SerializeRequest(ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	if err := p.ClientProtocol.SerializeRequest(ctx, schema, in, req); err != nil {
		return err
	}
	stream, ok := req.GetStream().(*bytes.Reader)
	if !ok {
		return fmt.Errorf("the SDK's request body is a %T", req.GetStream())
	}
	stream.Reset(p.request)
	req.ContentLength = int64(len(p.request))
	return nil
}

func (p *floorProtocol) DeserializeResponse(ctx context.Context, schema *smithy.OperationSchema, reg *smithy.TypeRegistry,
	resp *smithyhttp.Response, out smithy.Deserializable,
) error {
	if n := int(resp.ContentLength); cap(p.reply) <= n {
		p.reply = make([]byte, n+1)
	}
	n, err := io.ReadFull(resp.Body, p.reply[:cap(p.reply)])
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return err
	}
	if err := resp.Body.Close(); err != nil { // it knows the checksum
		return err
	}
	if n != int(resp.ContentLength) {
		return io.ErrUnexpectedEOF
	}
	resp.Body = io.NopCloser(bytes.NewReader([]byte(`{}`)))
	return p.ClientProtocol.DeserializeResponse(ctx, schema, reg, resp, out)
}

// requestTap keeps the body of the last request.
type requestTap struct {
	next *Stub
	last []byte
}

func (t *requestTap) Do(req *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	t.last = b
	req.Body = http.NoBody
	return t.next.Do(req)
}
