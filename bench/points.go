// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
)

// Points are small writes, of which nearly all is the SDK's own work.
func Points() []Call {
	return []Call{
		{Name: "DeleteItem", Reply: []byte(`{}`), With: deleteItem()},
		{Name: "PutItem, 3 attributes", Reply: []byte(`{}`), With: putNarrow()},
		{Name: "transaction of 10 puts", Reply: []byte(`{}`), With: transact()},
	}
}

var (
	narrowPK = ddb.StrField(func(n *narrow) *string { return &n.PK })
	narrowSK = ddb.StrField(func(n *narrow) *string { return &n.SK })
)

func narrowRow(i int) narrow {
	n := newNarrow(i)
	n.Keys = Keys{partitionOf(pageRows), fmt.Sprintf("ORDER#%08d", i)}
	return n
}

func withNarrow(work func(context.Context, *ddb.Table[narrow, string, string], *dynamodb.Client) error) func(*dynamodb.Client) func(context.Context) error {
	return func(c *dynamodb.Client) func(context.Context) error {
		t, err := ddb.New(c, table, narrowPK, narrowSK)
		if err != nil {
			return failing(err)
		}
		return func(ctx context.Context) error { return work(ctx, t, c) }
	}
}

func deleteItem() work {
	row := narrowRow(1)
	return work{
		"ddb": withNarrow(func(ctx context.Context, t *ddb.Table[narrow, string, string], _ *dynamodb.Client) error {
			return t.Delete(ctx, row.PK, row.SK)
		}),
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(table), Key: map[string]types.AttributeValue{
					"pk": &types.AttributeValueMemberS{Value: row.PK}, "sk": &types.AttributeValueMemberS{Value: row.SK},
				}})
				return err
			}
		},
	}
}

func putNarrow() work {
	row := narrowRow(1)
	return work{
		"ddb": withNarrow(func(ctx context.Context, t *ddb.Table[narrow, string, string], _ *dynamodb.Client) error {
			return t.Put(ctx, &row)
		}),
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				item, err := attributevalue.MarshalMap(&row)
				if err != nil {
					return err
				}
				_, err = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: item})
				return err
			}
		},
	}
}

func transact() work {
	rows := NewRows(10)
	return work{
		"ddb": func(c *dynamodb.Client) func(context.Context) error {
			t, err := newTable(c)
			if err != nil {
				return failing(err)
			}
			return func(ctx context.Context) error {
				ops := make([]ddb.TxOp, len(rows))
				for i := range rows {
					ops[i] = t.TxPut(&rows[i])
				}
				return ddb.Transact(ctx, c, ops...)
			}
		},
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				items := make([]types.TransactWriteItem, len(rows))
				for i := range rows {
					m, err := attributevalue.MarshalMap(&rows[i])
					if err != nil {
						return err
					}
					items[i].Put = &types.Put{TableName: aws.String(table), Item: m}
				}
				_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
				return err
			}
		},
	}
}
