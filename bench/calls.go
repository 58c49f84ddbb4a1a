// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/guregu/dynamo/v2"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

const table = "orders"

var (
	rowPK = ddb.StrField(func(r *Row) *string { return &r.PK })
	rowSK = ddb.StrField(func(r *Row) *string { return &r.SK })
)

// Libraries are the columns of the comparison.
// "sdk" leaves items as attribute values, "sdk+maps" makes untyped maps of them,
// "sdk+attributevalue" structs.
var Libraries = []string{"ddb", "sdk", "sdk+maps", "sdk+attributevalue", "guregu"}

// Call is one piece of work and how each library does it.
type Call struct {
	Name string
	// Reply is what the stub answers.
	Reply []byte
	// Items is what it answers BatchGetItem in a call whose first request is another; nil where there is one request.
	Items []byte
	// With makes the work for one library, or for [Floor], over a client; nil if it cannot do it.
	With map[string]func(*dynamodb.Client) func(context.Context) error
}

// Calls are the rows of the comparison.
func Calls() ([]Call, error) {
	replies, err := record()
	if err != nil {
		return nil, err
	}
	calls := []Call{
		{Name: "GetItem 1 KB", Reply: replies["GetItem"], With: getItem()},
		{Name: "PutItem 1 KB", Reply: []byte(`{}`), With: putItem()},
		{Name: "Query 100 rows", Reply: replies["Query100"], With: query(100)},
		{Name: "Query 1,000 rows (1 MB)", Reply: replies["Query1000"], With: query(1000)},
		{Name: "BatchGet 100", Reply: replies["BatchGet"], With: batchGet()},
		{Name: "BatchWrite 25", Reply: []byte(`{"UnprocessedItems":{}}`), With: batchWrite()},
	}
	for i, c := range calls {
		if calls[i], err = withFloor(c); err != nil {
			return nil, err
		}
	}
	return calls, nil
}

// record makes the replies of a table with 1,000 rows, as a service would write them.
func record() (map[string][]byte, error) {
	rows := make([][]byte, 1000)
	engine := ddbtest.NewEngine()
	defer engine.Close()
	client := engine.Client()
	t, err := newTable(client)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if err := t.CreateTable(ctx); err != nil {
		return nil, err
	}
	if err := t.BatchPut(ctx, NewRows(len(rows))); err != nil {
		return nil, err
	}
	tap := &tap{next: engine}
	raw := Client(tap)
	for i := range rows {
		if _, err := raw.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(table), Key: key(i)}); err != nil {
			return nil, err
		}
		var reply struct {
			Item json.RawMessage `json:"Item"` //nolint:tagliatelle // the service's name
		}
		if err := json.Unmarshal(tap.last, &reply); err != nil {
			return nil, err
		}
		rows[i] = reply.Item
	}
	list := func(n int) []byte { return append(append([]byte{'['}, bytes.Join(rows[:n], []byte{','})...), ']') }
	page := func(n int) []byte {
		rows := bytes.ReplaceAll(list(n), []byte(`{"S":"`+NewRow(0).PK+`"}`), []byte(`{"S":"`+partitionOf(n)+`"}`))
		return fmt.Appendf(nil, `{"Count":%d,"Items":%s,"ScannedCount":%d,"ConsumedCapacity":{"CapacityUnits":128.5,"TableName":"orders"}}`, n, rows, n)
	}
	return map[string][]byte{
		"GetItem":   fmt.Appendf(nil, `{"Item":%s}`, rows[1]),
		"Query100":  page(100),
		"Query1000": page(1000),
		"BatchGet":  fmt.Appendf(nil, `{"Responses":{"orders":%s},"UnprocessedKeys":{}}`, list(100)),
	}, nil
}

// Fill stores the rows that the calls read in a server's own table, which it makes.
func Fill(ctx context.Context, c *dynamodb.Client) error {
	t, err := newTable(c)
	if err != nil {
		return err
	}
	if err := t.EnsureTable(ctx); err != nil {
		return err
	}
	rows := NewRows(1000)
	for _, r := range rows[:100] {
		r.PK = partitionOf(100)
		rows = append(rows, r)
	}
	return errors.Join(t.BatchPut(ctx, rows), t.WaitTable(ctx))
}

func newTable(c ddb.Client, opts ...ddb.TableOption) (*ddb.Table[Row, string, string], error) {
	return ddb.New(c, table, rowPK, rowSK, opts...)
}

// Query100 reads the page of 100 rows with ddb, through any client and with any options.
func Query100(c ddb.Client, opts ...ddb.TableOption) func(context.Context) error {
	t, err := newTable(c, opts...)
	if err != nil {
		return failing(err)
	}
	return func(ctx context.Context) error {
		page, err := t.Query(partitionOf(100)).Page(ctx)
		if err != nil {
			return err
		}
		return want(len(page.Items), 100)
	}
}

func key(i int) map[string]types.AttributeValue {
	r := NewRow(i)
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: r.PK}, "sk": &types.AttributeValueMemberS{Value: r.SK}}
}

type work = map[string]func(*dynamodb.Client) func(context.Context) error

// failing is the work of a library that could not be set up.
func failing(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// withTable gives ddb its table.
func withTable(run func(context.Context, *ddb.Table[Row, string, string]) error) func(*dynamodb.Client) func(context.Context) error {
	return func(c *dynamodb.Client) func(context.Context) error {
		t, err := newTable(c)
		if err != nil {
			return failing(err)
		}
		return func(ctx context.Context) error { return run(ctx, t) }
	}
}

func withGuregu(run func(context.Context, dynamo.Table) error) func(*dynamodb.Client) func(context.Context) error {
	return func(c *dynamodb.Client) func(context.Context) error {
		t := dynamo.NewFromIface(c).Table(table)
		return func(ctx context.Context) error { return run(ctx, t) }
	}
}

func want(got, n int) error {
	if got != n {
		return fmt.Errorf("%d items, want %d", got, n)
	}
	return nil
}

func getItem() work {
	row := NewRow(1)
	raw := func(ctx context.Context, c *dynamodb.Client) (*dynamodb.GetItemOutput, error) {
		return c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(table), Key: key(1)})
	}
	return work{
		"ddb": withTable(func(ctx context.Context, t *ddb.Table[Row, string, string]) error {
			_, err := t.Get(ctx, row.PK, row.SK)
			return err
		}),
		"sdk": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := raw(ctx, c)
				return err
			}
		},
		"sdk+maps": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				out, err := raw(ctx, c)
				if err != nil {
					return err
				}
				var m map[string]any
				return attributevalue.UnmarshalMap(out.Item, &m)
			}
		},
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				out, err := raw(ctx, c)
				if err != nil {
					return err
				}
				var r Row
				return attributevalue.UnmarshalMap(out.Item, &r)
			}
		},
		"guregu": withGuregu(func(ctx context.Context, t dynamo.Table) error {
			var r Row
			return t.Get("pk", row.PK).Range("sk", dynamo.Equal, row.SK).One(ctx, &r)
		}),
	}
}

func putItem() work {
	row := NewRow(1)
	item, marshalErr := attributevalue.MarshalMap(row)
	return work{
		"ddb": withTable(func(ctx context.Context, t *ddb.Table[Row, string, string]) error { return t.Put(ctx, &row) }),
		"sdk": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: item})
				return err
			}
		},
		"sdk+maps": func(c *dynamodb.Client) func(context.Context) error {
			var untyped map[string]any
			if err := errors.Join(marshalErr, attributevalue.UnmarshalMap(item, &untyped)); err != nil {
				return failing(err)
			}
			return func(ctx context.Context) error {
				m, err := attributevalue.MarshalMap(untyped)
				if err != nil {
					return err
				}
				_, err = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: m})
				return err
			}
		},
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			if marshalErr != nil {
				return failing(marshalErr)
			}
			return func(ctx context.Context) error {
				m, err := attributevalue.MarshalMap(&row)
				if err != nil {
					return err
				}
				_, err = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: m})
				return err
			}
		},
		"guregu": withGuregu(func(ctx context.Context, t dynamo.Table) error { return t.Put(&row).Run(ctx) }),
	}
}

// partitionOf is the partition with n rows.
func partitionOf(n int) string {
	if n == 1000 {
		return "CUSTOMER#1"
	}
	return fmt.Sprintf("CUSTOMER#%d", n)
}

func query(n int) work {
	pk := partitionOf(n)
	raw := func(ctx context.Context, c *dynamodb.Client) (*dynamodb.QueryOutput, error) {
		return c.Query(ctx, &dynamodb.QueryInput{
			TableName: aws.String(table), KeyConditionExpression: aws.String("pk = :p"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: pk}},
		})
	}
	return work{
		"ddb": withTable(func(ctx context.Context, t *ddb.Table[Row, string, string]) error {
			page, err := t.Query(pk).Page(ctx)
			if err != nil {
				return err
			}
			return want(len(page.Items), n)
		}),
		"sdk": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				out, err := raw(ctx, c)
				if err != nil {
					return err
				}
				return want(len(out.Items), n)
			}
		},
		"sdk+maps": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				out, err := raw(ctx, c)
				if err != nil {
					return err
				}
				var rows []map[string]any
				if err := attributevalue.UnmarshalListOfMaps(out.Items, &rows); err != nil {
					return err
				}
				return want(len(rows), n)
			}
		},
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				out, err := raw(ctx, c)
				if err != nil {
					return err
				}
				var rows []Row
				if err := attributevalue.UnmarshalListOfMaps(out.Items, &rows); err != nil {
					return err
				}
				return want(len(rows), n)
			}
		},
		"guregu": withGuregu(func(ctx context.Context, t dynamo.Table) error {
			var rows []Row
			if err := t.Get("pk", pk).All(ctx, &rows); err != nil {
				return err
			}
			return want(len(rows), n)
		}),
	}
}

func batchGet() work {
	const n = 100
	keys := make([]ddb.Key[string, string], n)
	maps := make([]map[string]types.AttributeValue, n)
	pairs := make([]dynamo.Keyed, n)
	for i := range keys {
		r := NewRow(i)
		keys[i], maps[i], pairs[i] = ddb.Key[string, string]{Partition: r.PK, Sort: r.SK}, key(i), dynamo.Keys{r.PK, r.SK}
	}
	raw := func(ctx context.Context, c *dynamodb.Client) (*dynamodb.BatchGetItemOutput, error) {
		return c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {Keys: maps}}})
	}
	return work{
		"ddb": withTable(func(ctx context.Context, t *ddb.Table[Row, string, string]) error {
			got, err := t.BatchGet(ctx, keys)
			if err != nil {
				return err
			}
			return want(len(got), n)
		}),
		"sdk": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := raw(ctx, c)
				return err
			}
		},
		"sdk+maps": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				out, err := raw(ctx, c)
				if err != nil {
					return err
				}
				var rows []map[string]any
				if err := attributevalue.UnmarshalListOfMaps(out.Responses[table], &rows); err != nil {
					return err
				}
				return want(len(rows), n)
			}
		},
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				out, err := raw(ctx, c)
				if err != nil {
					return err
				}
				var rows []Row
				if err := attributevalue.UnmarshalListOfMaps(out.Responses[table], &rows); err != nil {
					return err
				}
				return want(len(rows), n)
			}
		},
		"guregu": withGuregu(func(ctx context.Context, t dynamo.Table) error {
			var rows []Row
			if err := t.Batch("pk", "sk").Get(pairs...).All(ctx, &rows); err != nil {
				return err
			}
			return want(len(rows), n)
		}),
	}
}

func batchWrite() work {
	rows := NewRows(25)
	puts := make([]any, len(rows))
	requests := make([]types.WriteRequest, len(rows))
	for i := range rows {
		puts[i] = &rows[i]
		m, _ := attributevalue.MarshalMap(rows[i])
		requests[i].PutRequest = &types.PutRequest{Item: m}
	}
	send := func(ctx context.Context, c *dynamodb.Client, r []types.WriteRequest) error {
		_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: r}})
		return err
	}
	return work{
		"ddb": withTable(func(ctx context.Context, t *ddb.Table[Row, string, string]) error { return t.BatchPut(ctx, rows) }),
		"sdk": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error { return send(ctx, c, requests) }
		},
		"sdk+maps": func(c *dynamodb.Client) func(context.Context) error {
			untyped := make([]map[string]any, len(rows))
			for i, r := range requests {
				if err := attributevalue.UnmarshalMap(r.PutRequest.Item, &untyped[i]); err != nil {
					return failing(err)
				}
			}
			return func(ctx context.Context) error {
				r := make([]types.WriteRequest, len(rows))
				for i := range untyped {
					m, err := attributevalue.MarshalMap(untyped[i])
					if err != nil {
						return err
					}
					r[i].PutRequest = &types.PutRequest{Item: m}
				}
				return send(ctx, c, r)
			}
		},
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				r := make([]types.WriteRequest, len(rows))
				for i := range rows {
					m, err := attributevalue.MarshalMap(&rows[i])
					if err != nil {
						return err
					}
					r[i].PutRequest = &types.PutRequest{Item: m}
				}
				return send(ctx, c, r)
			}
		},
		"guregu": withGuregu(func(ctx context.Context, t dynamo.Table) error {
			_, err := t.Batch("pk", "sk").Write().Put(puts...).Run(ctx)
			return err
		}),
	}
}
