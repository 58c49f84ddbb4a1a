// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/wire"
)

type protocol = smithyhttp.ClientProtocol

type api = wire.Client

// pathCase is one kind of client and options, all of which must give equal results.
type pathCase struct {
	name   string
	client func(*stub) api
	o      wire.Options
	direct bool // whether items must take the fast path
}

func pathCases() []pathCase {
	plain := func(s *stub) api { return newClient(s) }
	with := func(fn func(*dynamodb.Options)) func(*stub) api {
		return func(s *stub) api { return newClient(s, fn) }
	}
	return []pathCase{
		{name: "direct", client: plain, direct: true},
		{name: "stream body", client: plain, o: wire.Options{StreamBody: true}, direct: true},
		{name: "no arena", client: plain, o: wire.Options{Codec: codec.Options{NoArena: true}}, direct: true},
		{name: "off", client: plain, o: wire.Options{Off: true}},
		{name: "ignores options", client: func(s *stub) api { return ignoring{newClient(s)} }},
		{name: "wraps", client: func(s *stub) api { return wrapping{newClient(s)} }},
		{name: "declared", client: func(s *stub) api { return declared{newClient(s)} }, direct: true},
		{name: "other protocol", client: plain, o: wire.Options{Client: []func(*dynamodb.Options){
			func(o *dynamodb.Options) { o.Protocol = otherProtocol{o.Protocol} },
		}}},
		{name: "initialize middleware", client: with(dynamodb.WithAPIOptions(addInitialize("Mine")))},
		{name: "serialize middleware", client: with(dynamodb.WithAPIOptions(func(s *middleware.Stack) error {
			return s.Serialize.Add(middleware.SerializeMiddlewareFunc("Mine", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
				return next.HandleSerialize(ctx, in)
			}), middleware.After)
		}))},
		{name: "tracing", client: with(dynamodb.WithAPIOptions(addInitialize("OTelInitializeMiddlewareBefore"))), direct: true},
		{name: "user agent", client: with(dynamodb.WithAPIOptions(func(s *middleware.Stack) error {
			return s.Build.Add(middleware.BuildMiddlewareFunc("Mine", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
				return next.HandleBuild(ctx, in)
			}), middleware.After)
		})), direct: true},
		{name: "before execution", client: with(func(o *dynamodb.Options) { o.Interceptors.AddBeforeExecution(nothing{}) })},
		{name: "before deserialization", client: with(func(o *dynamodb.Options) { o.Interceptors.AddBeforeDeserialization(nothing{}) }), direct: true},
		{name: "gzip", client: with(func(o *dynamodb.Options) { o.EnableAcceptEncodingGzip = true }), direct: true},
		{name: "no checksum", client: with(func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true }), direct: true},
		{name: "after throttling", client: func(s *stub) api {
			s.answers = append([]answer{throttle(), {status: 500, body: "<html>"}}, s.answers...)
			return newClient(s)
		}, direct: true},
	}
}

func addInitialize(id string) func(*middleware.Stack) error {
	return func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc(id, func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	}
}

type nothing struct{}

func (nothing) BeforeExecution(context.Context, *smithyhttp.InterceptorContext) error { return nil }

func (nothing) BeforeDeserialization(context.Context, *smithyhttp.InterceptorContext) error {
	return nil
}

const (
	key1  = `{"pk":{"S":"b"}}`
	key2  = `{"pk":{"S":"c"}}`
	item1 = `{"pk":{"S":"a\"\u00e9ö"},"n":{"N":"12345678901234567890.5"},"l":{"L":[{"NULL":true},{"BOOL":false},{"M":{"x":{"B":"AAE="}}}]}}`
	item2 = `{"pk":{"S":"b"},"ss":{"SS":["x","y"]},"ns":{"NS":["1","2"]},"bs":{"BS":["AA=="]}}`
	tail  = `"ConsumedCapacity":{"CapacityUnits":0.5,"TableName":"orders"}`
)

// operations run each operation on a canned reply, and return everything that it returned and sent.
var operations = []struct {
	name, body string
	run        func(api, wire.Options) (out any, rows [][]string, err error)
}{
	{"GetItem", `{` + tail + `,"Item":` + item1 + `}`, runGet},
	{"GetItem absent", `{` + tail + `}`, runGet},
	{"GetItem null", `{"Item":null}`, runGet},
	{"GetItem empty", `{"Item":{}}`, runGet},
	{"Query", `{"Count":2,"Items":[` + item1 + `,` + item2 + `],"LastEvaluatedKey":` + key1 + `,"ScannedCount":7,` + tail + `}`, runQuery},
	{"Query spaced", " {\n\"ScannedCount\" : 2 , \"Items\" : [ " + item1 + " , " + item2 + " ] , \"Count\" : 2 } \n", runQuery},
	{"Query empty", `{"Count":0,"Items":[],"ScannedCount":7}`, runQuery},
	{"Query count", `{"Count":5,"ScannedCount":7}`, runQuery},
	{"Query unknown member", `{"Items":[` + item2 + `],"Count":1,"Newer":{"Items":[{"pk":{"S":"x"}}]}}`, runQuery},
	{"Scan", `{"Count":2,"Items":[` + item1 + `,` + item2 + `],"LastEvaluatedKey":` + key1 + `,"ScannedCount":7}`, runScan},
	{"BatchGetItem", `{"Responses":{"orders":[` + item1 + `,` + item2 + `],"stock":[` + item2 + `]},"UnprocessedKeys":{"stock":{"Keys":[` + key1 + `]}},"ConsumedCapacity":[{"TableName":"orders","CapacityUnits":2}]}`, runBatchGet},
	{"BatchGetItem none", `{"Responses":{"orders":[]},"UnprocessedKeys":{}}`, runBatchGet},
	{"BatchGetItem nothing", `{"UnprocessedKeys":{}}`, runBatchGet},
	{"TransactGetItems", `{"Responses":[{"Item":` + item1 + `},{},{"Item":` + item2 + `}]}`, runTransactGet},
	{"PutItem", `{}`, runPut},
	{"PutItem old", `{"Attributes":` + item2 + `,` + tail + `}`, runPut},
	{"PutItem alone", `{}`, runPutAlone},
	{"PutItem alone, capacity", `{` + tail + `}`, runPutAlone},
	{"UpdateItem", `{"Attributes":` + item2 + `,` + tail + `}`, runUpdate},
	{"DeleteItem", `{"Attributes":` + item1 + `}`, runDelete},
	{"DeleteItem by key", `{"Attributes":` + item1 + `}`, runDeleteKey},
	{"DeleteItem alone", `{}`, runDeleteAlone},
	{"BatchWriteItem", `{"UnprocessedItems":{"orders":[{"PutRequest":{"Item":` + item1 + `}},{"DeleteRequest":{"Key":` + key1 + `}}]},"ConsumedCapacity":[{"TableName":"orders","CapacityUnits":2}]}`, runBatchWrite},
	{"TransactWriteItems", `{"ConsumedCapacity":[{"TableName":"orders","CapacityUnits":2}]}`, runTransactWrite},
}

func TestWaysAgree(t *testing.T) {
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			reference := newStub(op.body)
			wantOut, wantRows, err := op.run(newClient(reference), wire.Options{Off: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range pathCases() {
				s := newStub(op.body)
				out, rows, err := op.run(w.client(s), w.o)
				if err != nil {
					t.Errorf("%s: %v", w.name, err)
					continue
				}
				if d := cmp.Diff(wantRows, rows); d != "" {
					t.Errorf("%s: rows (-want +got)\n%s", w.name, d)
				}
				if d := cmp.Diff(wantOut, out, exported); d != "" {
					t.Errorf("%s: output (-want +got)\n%s", w.name, d)
				}
				sameJSON(t, reference.sent, s.sent)
				if r, want := s.request, reference.request; r.Method != want.Method || r.URL.String() != want.URL.String() ||
					r.Header.Get("X-Amz-Target") != want.Header.Get("X-Amz-Target") || r.Header.Get("Content-Type") != want.Header.Get("Content-Type") || len(r.Header) != len(want.Header) {
					t.Errorf("%s: %s %s %v, want %v", w.name, r.Method, r.URL, r.Header, want.Header)
				}
				if s.request.ContentLength != int64(len(s.sent)) {
					t.Errorf("%s: content length %d of %d bytes", w.name, s.request.ContentLength, len(s.sent))
				}
				if a := s.request.Header.Get("Authorization"); !strings.HasPrefix(a, "AWS4-HMAC") {
					t.Errorf("%s: authorization %q", w.name, a)
				}
			}
		})
	}
}

// exported compares the SDK's types without their marker fields and metadata.
var exported = cmp.FilterPath(func(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	return ok && (f.Name() == "ResultMetadata" || f.Name() == "noSmithyDocumentSerde")
}, cmp.Ignore())

func TestFastPathIsTaken(t *testing.T) {
	for _, w := range pathCases() {
		t.Run(w.name, func(t *testing.T) {
			g := &tells{}
			s := newStub(`{"Count":1,"Items":[` + item1 + `]}`)
			var took wire.Took
			w.o.Took = &took
			if _, err := wire.Query(t.Context(), w.client(s), queryInput(), w.o, g); err != nil {
				t.Fatal(err)
			}
			if short := took.Path == wire.Direct; short != w.direct || short != (took.Why == "") {
				t.Errorf("took %+v, want direct: %v", took, w.direct)
			}
			// Attribute values are rewritten with sorted names.
			if fromWire := g.raw == item1; fromWire != (took.Path != wire.Values) {
				t.Errorf("took %+v, and read %s", took, g.raw)
			}
			calls := s.calls
			if probed := wire.Probe(t.Context(), w.client(s), w.o); probed != took.Why {
				t.Errorf("probed %+v, took %+v", probed, took)
			}
			if s.calls != calls {
				t.Errorf("the probe sent a request")
			}
			s = newStub(`{}`)
			if _, err := wire.PutItem(t.Context(), w.client(s), putInput(), []byte(item1), w.o, nil); err != nil {
				t.Fatal(err)
			}
			if short := strings.Contains(string(s.sent), item1); short != w.direct {
				t.Errorf("item spliced %v, want %v", short, w.direct)
			}
		})
	}
}

type tells struct{ raw string }

func (*tells) Reset(int) {}
func (g *tells) Row(d *codec.Decoder) error {
	raw, err := d.Raw()
	g.raw = string(raw)
	return err
}

func queryInput() *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: aws.String("orders"), KeyConditionExpression: aws.String("pk = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: "a"}},
	}
}

func getInput() *dynamodb.GetItemInput {
	return &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: keyMap()}
}

func putInput() *dynamodb.PutItemInput {
	return &dynamodb.PutItemInput{
		TableName: aws.String("orders"), ConditionExpression: aws.String("attribute_not_exists(#pk)"),
		ExpressionAttributeNames: map[string]string{"#pk": "pk"}, ReturnValues: types.ReturnValueAllOld,
	}
}

func keyMap() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "b"}}
}

func runGet(c api, o wire.Options) (any, [][]string, error) {
	g := &got{}
	key := []byte(key1)
	out, found, err := wire.GetItem(context.Background(), c, &dynamodb.GetItemInput{TableName: aws.String("orders")}, key, o, g)
	clear(key)
	if found != (len(g.rows) == 1) {
		return nil, nil, context.DeadlineExceeded
	}
	return out, [][]string{g.rows}, err
}

func runQuery(c api, o wire.Options) (any, [][]string, error) {
	g := &got{}
	out, err := wire.Query(context.Background(), c, queryInput(), o, g)
	return out, [][]string{g.rows}, err
}

func runScan(c api, o wire.Options) (any, [][]string, error) {
	g := &got{}
	out, err := wire.Scan(context.Background(), c, &dynamodb.ScanInput{TableName: aws.String("orders")}, o, g)
	return out, [][]string{g.rows}, err
}

func runBatchGet(c api, o wire.Options) (any, [][]string, error) {
	orders, stock := &got{}, &got{}
	// One table has its keys in wire form, one in the input, and one has only keys.
	in := &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"orders": {ConsistentRead: aws.Bool(true), ProjectionExpression: aws.String("#pk"), ExpressionAttributeNames: map[string]string{"#pk": "Keys"}},
		"stock":  {Keys: []map[string]types.AttributeValue{keyMap()}},
	}}
	keys := []wire.TableKeys{{Table: "orders", Keys: [][]byte{[]byte(key1), []byte(key2)}}, {Table: "other", Keys: [][]byte{[]byte(key1)}}}
	out, err := wire.BatchGetItem(context.Background(), c, in, keys, o, func(table string) wire.Rows {
		return map[string]wire.Rows{"orders": orders, "stock": stock}[table]
	})
	return out, [][]string{orders.rows, stock.rows}, err
}

func runTransactGet(c api, o wire.Options) (any, [][]string, error) {
	in := &dynamodb.TransactGetItemsInput{}
	all := make([]got, 3)
	for range all {
		in.TransactItems = append(in.TransactItems, types.TransactGetItem{Get: &types.Get{TableName: aws.String("orders"), Key: keyMap()}})
	}
	out, err := wire.TransactGetItems(context.Background(), c, in, o, func(i int) wire.Rows { return &all[i] })
	return out, [][]string{all[0].rows, all[1].rows, all[2].rows}, err
}

func runPut(c api, o wire.Options) (any, [][]string, error) {
	g, item := &got{}, []byte(item1)
	out, err := wire.PutItem(context.Background(), c, putInput(), item, o, g)
	clear(item)
	return out, [][]string{g.rows}, err
}

func runPutAlone(c api, o wire.Options) (any, [][]string, error) {
	item := []byte(item1)
	in := &dynamodb.PutItemInput{
		TableName: aws.String("orders"), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
		ReturnItemCollectionMetrics: types.ReturnItemCollectionMetricsSize,
	}
	out, err := wire.PutItem(context.Background(), c, in, item, o, nil)
	clear(item)
	return out, nil, err
}

func runUpdate(c api, o wire.Options) (any, [][]string, error) {
	g := &got{}
	in := &dynamodb.UpdateItemInput{TableName: aws.String("orders"), Key: keyMap(), UpdateExpression: aws.String("SET a = b")}
	out, err := wire.UpdateItem(context.Background(), c, in, o, g)
	return out, [][]string{g.rows}, err
}

func runDelete(c api, o wire.Options) (any, [][]string, error) {
	g := &got{}
	out, err := wire.DeleteItem(context.Background(), c, &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: keyMap()}, nil, o, g)
	return out, [][]string{g.rows}, err
}

func runDeleteKey(c api, o wire.Options) (any, [][]string, error) {
	g, key := &got{}, []byte(key1)
	in := &dynamodb.DeleteItemInput{TableName: aws.String("orders"), ReturnValues: types.ReturnValueAllOld}
	out, err := wire.DeleteItem(context.Background(), c, in, key, o, g)
	clear(key)
	return out, [][]string{g.rows}, err
}

func runDeleteAlone(c api, o wire.Options) (any, [][]string, error) {
	key := []byte(key1)
	out, err := wire.DeleteItem(context.Background(), c, &dynamodb.DeleteItemInput{TableName: aws.String("orders")}, key, o, nil)
	clear(key)
	return out, nil, err
}

func runBatchWrite(c api, o wire.Options) (any, [][]string, error) {
	reqs := []wire.TableWrites{
		{Table: "orders", Writes: []wire.Write{{Put: []byte(item1)}, {Delete: []byte(key1)}, {Put: []byte(item2)}}},
		{Table: "stock", Writes: []wire.Write{{Put: []byte(item2)}}},
	}
	in := &dynamodb.BatchWriteItemInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}
	out, err := wire.BatchWriteItem(context.Background(), c, in, reqs, o)
	if err == nil && in.RequestItems != nil {
		err = context.DeadlineExceeded
	}
	return out, nil, err
}

func runTransactWrite(c api, o wire.Options) (any, [][]string, error) {
	own, err := codec.ParseItem([]byte(item2))
	if err != nil {
		return nil, nil, err
	}
	put := func(item map[string]types.AttributeValue) *types.Put {
		return &types.Put{
			TableName: aws.String("orders"), Item: item,
			ExpressionAttributeValues: map[string]types.AttributeValue{":Item": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}},
		}
	}
	in := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String("token"),
		TransactItems: []types.TransactWriteItem{
			{Put: put(nil)},
			{Delete: &types.Delete{TableName: aws.String("orders"), Key: keyMap()}},
			{Put: put(own)},
			{Put: put(nil)},
			{ConditionCheck: &types.ConditionCheck{TableName: aws.String("orders"), Key: keyMap(), ConditionExpression: aws.String("a = b")}},
		},
	}
	before := slices.Clone(in.TransactItems)
	out, err := wire.TransactWriteItems(context.Background(), c, in, map[int][]byte{0: []byte(item1), 3: []byte(item2)}, o)
	if err == nil && (in.TransactItems[0] != before[0] || in.TransactItems[0].Put.Item != nil) {
		err = context.DeadlineExceeded
	}
	return out, nil, err
}
