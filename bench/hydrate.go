// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
)

// Indexes are reads of an index that holds only keys, whose whole items are then read from the table.
func Indexes() ([]Call, error) {
	replies, err := record()
	if err != nil {
		return nil, err
	}
	entries := make([][]byte, pageRows)
	for i := range entries {
		r := NewRow(i)
		entries[i] = fmt.Appendf(nil, `{"sk":{"S":%q},"name":{"S":%q},"pk":{"S":%q}}`, r.SK, r.Name, r.PK)
	}
	page, items := fmt.Appendf(nil, `{"Count":%d,"Items":[%s],"ScannedCount":%d}`, pageRows, bytes.Join(entries, []byte{','}), pageRows), replies["BatchGet"]
	return []Call{
		{Name: "index of 100", Reply: page, Items: items, With: hydrate(false)},
		{Name: "scan of an index of 100", Reply: page, Items: items, With: hydrate(true)},
	}, nil
}

var rowName = ddb.StrField(func(r *Row) *string { return &r.Name })

func hydrate(scan bool) work {
	const n = pageRows
	pk := NewRow(0).PK
	return work{
		"ddb": func(c *dynamodb.Client) func(context.Context) error {
			t, err := newTable(c)
			if err != nil {
				return failing(err)
			}
			keys, err := ddb.NewIndex(t, "keys", rowPK, rowName, ddb.KeysOnly())
			if err != nil {
				return failing(err)
			}
			page := keys.Query(pk).Hydrate().Page
			if scan {
				page = keys.Scan().Hydrate().Page
			}
			return func(ctx context.Context) error {
				page, err := page(ctx)
				if err != nil {
					return err
				}
				return want(len(page.Items), n)
			}
		},
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			read := func(ctx context.Context) ([]map[string]types.AttributeValue, error) {
				if scan {
					out, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(table), IndexName: aws.String("keys")})
					if err != nil {
						return nil, err
					}
					return out.Items, nil
				}
				out, err := c.Query(ctx, &dynamodb.QueryInput{
					TableName: aws.String(table), IndexName: aws.String("keys"), KeyConditionExpression: aws.String("pk = :p"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: pk}},
				})
				if err != nil {
					return nil, err
				}
				return out.Items, nil
			}
			return func(ctx context.Context) error {
				entries, err := read(ctx)
				if err != nil {
					return err
				}
				keys := make([]map[string]types.AttributeValue, len(entries))
				for i, e := range entries {
					keys[i] = map[string]types.AttributeValue{"pk": e["pk"], "sk": e["sk"]}
				}
				got, err := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {Keys: keys}}})
				if err != nil {
					return err
				}
				var rows []Row
				if err := attributevalue.UnmarshalListOfMaps(got.Responses[table], &rows); err != nil {
					return err
				}
				return want(len(rows), n)
			}
		},
	}
}
