// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/internal/wire"
)

// order is a row of about 1 KB with every common kind of attribute.
type order struct {
	PK      string            `dynamodbav:"pk"`
	SK      string            `dynamodbav:"sk"`
	Name    string            `dynamodbav:"name"`
	Notes   string            `dynamodbav:"notes"`
	Age     int               `dynamodbav:"age"`
	Visits  int64             `dynamodbav:"visits"`
	Balance float64           `dynamodbav:"balance"`
	Active  bool              `dynamodbav:"active"`
	Created time.Time         `dynamodbav:"created"`
	Tags    []string          `dynamodbav:"tags"`
	Attrs   map[string]string `dynamodbav:"attrs"`
	Blob    []byte            `dynamodbav:"blob"`
	Roles   []string          `dynamodbav:"roles,stringset"`
	Addr    address           `dynamodbav:"addr"`
}

type address struct {
	Street string `dynamodbav:"street"`
	City   string `dynamodbav:"city"`
	Zip    int    `dynamodbav:"zip"`
}

func newOrder(i int) order {
	notes := strings.Repeat(fmt.Sprintf("Leave parcel %d with the neighbour if nobody opens; ", i), 8)
	if i%10 == 0 {
		notes += "\"quoted\" back\\slash\n\ttab é 漢字 😀"
	}
	return order{
		PK: fmt.Sprintf("CUSTOMER#%08d", i/100), SK: fmt.Sprintf("ORDER#2026-11-%02d#%08d", i%28+1, i),
		Name: fmt.Sprintf("Customer Name %d", i), Notes: notes, Age: 20 + i%60, Visits: int64(i) * 987654321,
		Balance: float64(i)*1.25 + 0.1, Active: i%2 == 0, Created: time.Date(2026, 11, 1+i%28, 12, 34, 56, 123456000, time.UTC),
		Tags:  []string{"alpha", "beta-tag", "gamma-longer-tag", "delta"},
		Attrs: map[string]string{"color": "crimson", "size": "extra-large", "origin": "warehouse-7"},
		Blob:  bytes.Repeat([]byte{byte(i), 7, 13}, 32), Roles: []string{"admin", "auditor", "owner"},
		Addr: address{Street: "221B Baker Street", City: "London", Zip: 12345 + i},
	}
}

func newOrders(n int) []order {
	all := make([]order, n)
	for i := range all {
		all[i] = newOrder(i)
	}
	return all
}

var orderPlan = func() *codec.Plan {
	p, err := codec.PlanOf(reflect.TypeFor[order]())
	if err != nil {
		panic(err)
	}
	return p
}()

// orders receives rows as the library's tables do.
type orders struct{ all []order }

func (r *orders) Reset(hint int) { r.all = slices.Grow(r.all[:0], hint) }

func (r *orders) Row(d *codec.Decoder) error {
	r.all = append(r.all, order{})
	return codec.DecodeNext(orderPlan, d, &r.all[len(r.all)-1])
}

// canned sends the same body as the reply to every request, at the lowest cost.
type canned struct {
	body, crc string
	scratch   [32 << 10]byte
}

func newCanned(body string) *canned { return &canned{body: body, crc: crcOf([]byte(body))} }

func (c *canned) Do(r *http.Request) (*http.Response, error) {
	var err error
	for err == nil {
		_, err = r.Body.Read(c.scratch[:])
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, ContentLength: int64(len(c.body)), Body: io.NopCloser(strings.NewReader(c.body)), Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"REQ"}, "X-Amz-Crc32": {c.crc}},
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

func wireRows(tb testing.TB, all []order) string {
	tb.Helper()
	var b []byte
	for i := range all {
		m, err := attributevalue.MarshalMap(all[i])
		if err != nil {
			tb.Fatal(err)
		}
		if b, err = codec.AppendItemMap(append(b, ','), m); err != nil {
			tb.Fatal(err)
		}
	}
	return string(b[1:])
}

func pageBody(tb testing.TB, n int) string {
	return fmt.Sprintf(`{"ConsumedCapacity":{"CapacityUnits":128.5,"TableName":"orders"},"Count":%d,"Items":[%s],"LastEvaluatedKey":%s,"ScannedCount":%d}`, n, wireRows(tb, newOrders(n)), key1, n)
}

// load is one call, made by this package and by the SDK with attributevalue.
type load struct {
	name  string
	body  string
	wire  func(*dynamodb.Client) error
	sdk   func(*dynamodb.Client) error
	limit float64 // allocations of this package
	above float64 // if not 0, allocations of this package beyond an empty call of the SDK
}

func loads(tb testing.TB) []load {
	ctx := context.Background()
	rows := &orders{}
	page := func(n int, limit float64) load {
		return load{
			name: fmt.Sprintf("Query%d", n), body: pageBody(tb, n), limit: limit,
			wire: func(c *dynamodb.Client) error {
				rows.all = nil
				_, err := wire.Query(ctx, c, queryInput(), wire.Options{}, rows)
				return errWant(err, len(rows.all), n)
			},
			sdk: func(c *dynamodb.Client) error {
				out, err := c.Query(ctx, queryInput())
				if err != nil {
					return err
				}
				var all []order
				return errWant(attributevalue.UnmarshalListOfMaps(out.Items, &all), len(out.Items), n)
			},
		}
	}
	batch := newOrders(25)
	keys := make([]map[string]types.AttributeValue, 100)
	wireKeys := make([][]byte, len(keys))
	for i := range keys {
		keys[i] = keyMap()
		wireKeys[i] = []byte(key1)
	}
	item := newOrder(7)
	var buf []byte
	return []load{
		{
			name: "GetItem", body: `{"Item":` + wireRows(tb, newOrders(1)) + `}`, above: 8,
			wire: func(c *dynamodb.Client) error {
				var r one
				_, _, err := wire.GetItem(ctx, c, &dynamodb.GetItemInput{TableName: aws.String("orders")}, []byte(key1), wire.Options{}, &r)
				return err
			},
			sdk: func(c *dynamodb.Client) error {
				out, err := c.GetItem(ctx, getInput())
				if err != nil {
					return err
				}
				var v order
				return attributevalue.UnmarshalMap(out.Item, &v)
			},
		},
		{
			name: "PutItem", body: `{}`, above: 5,
			wire: func(c *dynamodb.Client) (err error) {
				if buf, err = codec.Append(buf[:0], orderPlan, &item); err != nil {
					return err
				}
				_, err = wire.PutItem(ctx, c, &dynamodb.PutItemInput{TableName: aws.String("orders")}, buf, wire.Options{}, nil)
				return err
			},
			sdk: func(c *dynamodb.Client) error {
				m, err := attributevalue.MarshalMap(item)
				if err != nil {
					return err
				}
				_, err = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: m})
				return err
			},
		},
		page(100, 700),
		page(1000, 3000),
		{
			name: "BatchGetItem100", limit: 700, body: `{"Responses":{"orders":[` + wireRows(tb, newOrders(100)) + `]},"UnprocessedKeys":{}}`,
			wire: func(c *dynamodb.Client) error {
				rows.all = nil
				_, err := wire.BatchGetItem(ctx, c, &dynamodb.BatchGetItemInput{}, []wire.TableKeys{{Table: "orders", Keys: wireKeys}}, wire.Options{}, func(string) wire.Rows { return rows })
				return errWant(err, len(rows.all), 100)
			},
			sdk: func(c *dynamodb.Client) error {
				in := &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"orders": {Keys: keys}}}
				out, err := c.BatchGetItem(ctx, in)
				if err != nil {
					return err
				}
				var all []order
				return errWant(attributevalue.UnmarshalListOfMaps(out.Responses["orders"], &all), len(out.Responses["orders"]), 100)
			},
		},
		{
			name: "BatchWriteItem25", body: `{"UnprocessedItems":{}}`, limit: 360,
			wire: func(c *dynamodb.Client) (err error) {
				buf = buf[:0]
				writes := make([]wire.Write, len(batch))
				for i := range batch {
					from := len(buf)
					if buf, err = codec.Append(buf, orderPlan, &batch[i]); err != nil {
						return err
					}
					writes[i].Put = buf[from:len(buf):len(buf)]
				}
				_, err = wire.BatchWriteItem(ctx, c, &dynamodb.BatchWriteItemInput{}, []wire.TableWrites{{Table: "orders", Writes: writes}}, wire.Options{})
				return err
			},
			sdk: func(c *dynamodb.Client) error {
				reqs := make([]types.WriteRequest, len(batch))
				for i := range batch {
					m, err := attributevalue.MarshalMap(batch[i])
					if err != nil {
						return err
					}
					reqs[i].PutRequest = &types.PutRequest{Item: m}
				}
				_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"orders": reqs}})
				return err
			},
		},
	}
}

type one struct{ v order }

func (*one) Reset(int)                    {}
func (r *one) Row(d *codec.Decoder) error { return codec.DecodeNext(orderPlan, d, &r.v) }

func errWant(err error, got, want int) error {
	if err == nil && got != want {
		err = fmt.Errorf("%d rows, want %d", got, want)
	}
	return err
}

// Allocations of whole calls are bounded; times depend on the machine and are only compared by the benchmarks.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	rounds := 20
	if longtest.Enabled() {
		rounds = 100
	}
	empty := map[string]func(*dynamodb.Client) error{
		"GetItem": func(c *dynamodb.Client) error { _, err := c.GetItem(context.Background(), getInput()); return err },
		"PutItem": func(c *dynamodb.Client) error {
			_, err := c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{}})
			return err
		},
	}
	for _, l := range loads(t) {
		count := func(body string, fn func(*dynamodb.Client) error) float64 {
			c := newClient(newCanned(body))
			return testing.AllocsPerRun(rounds, func() {
				if err := fn(c); err != nil {
					t.Fatalf("%s: %v", l.name, err)
				}
			})
		}
		limit := l.limit
		if l.above > 0 {
			limit = count(`{}`, empty[l.name]) + l.above
		}
		n := count(l.body, l.wire)
		t.Logf("%-16s %6.0f allocations, limit %5.0f", l.name, n, limit)
		if longtest.Enabled() {
			t.Logf("%-16s %6.0f allocations of the SDK with attributevalue", l.name, count(l.body, l.sdk))
		}
		if n > limit {
			t.Errorf("%s: %.0f allocations, limit %.0f", l.name, n, limit)
		}
	}
}

func BenchmarkCalls(b *testing.B) {
	for _, l := range loads(b) {
		c := newClient(newCanned(l.body))
		for _, v := range []struct {
			name string
			run  func(*dynamodb.Client) error
		}{{"wire", l.wire}, {"sdk", l.sdk}} {
			b.Run(l.name+"/"+v.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := v.run(c); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
