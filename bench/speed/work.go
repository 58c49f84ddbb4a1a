// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
)

// work is one kind of operation.
type work struct {
	name, operation string
	request         func(s *server) []byte
	answer          string // what the answer has in it
}

const (
	partitions = 20
	members    = 100 // items in a partition, and in a group
)

var filler = strings.Repeat("x", 300)

// itemJSON is an item of 400 bytes in ten attributes. Members of a partition are in one group.
func itemJSON(partition string, member int, group string) string {
	return fmt.Sprintf(`{"pk":{"S":%q},"sk":{"S":"s%04d"},"group":{"S":%q},"n":{"N":"%d"},"text":{"S":%q},"on":{"BOOL":true},`+
		`"tags":{"SS":["a","b"]},"map":{"M":{"a":{"S":"b"},"c":{"N":"1.5"}}},"list":{"L":[{"N":"1"},{"S":"x"}]},"m":{"N":"%d"}}`,
		partition, member, group, member, filler, member%10)
}

const tableJSON = `{"TableName":%q,"BillingMode":"PAY_PER_REQUEST",
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},{"AttributeName":"group","AttributeType":"S"}],
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
	"GlobalSecondaryIndexes":[{"IndexName":"by-group","KeySchema":[{"AttributeName":"group","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]}`

// fill makes the tables: one that is read, and one that batches and transactions are written to.
func (s *server) fill(ctx context.Context) error {
	for _, table := range []string{"read", "written"} {
		if _, err := s.call(ctx, "CreateTable", fmt.Appendf(nil, tableJSON, table)); err != nil {
			return err
		}
	}
	for p := range partitions {
		for first := 0; first < members; first += batchSize {
			name := fmt.Sprintf("p%d", p)
			if _, err := s.call(ctx, "BatchWriteItem", batch("read", name, first, "g"+name)); err != nil {
				return err
			}
		}
	}
	return nil
}

const batchSize = 25

func batch(table, partition string, first int, group string) []byte {
	var puts []string
	for member := first; member < first+batchSize; member++ {
		puts = append(puts, `{"PutRequest":{"Item":`+itemJSON(partition, member, group)+`}}`)
	}
	return fmt.Appendf(nil, `{"RequestItems":{%q:[%s]}}`, table, strings.Join(puts, ","))
}

var works = []work{
	{
		name: "batch load, 25 new items", operation: "BatchWriteItem", answer: `"UnprocessedItems":{}`,
		request: func(s *server) []byte {
			s.loaded++
			return batch("written", fmt.Sprintf("p%d", s.loaded/4), s.loaded%4*batchSize, fmt.Sprintf("g%d", s.loaded%100))
		},
	},
	{
		name: "Query, 100 items", operation: "Query", answer: `"Count":100`,
		request: func(*server) []byte {
			return []byte(`{"TableName":"read","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p7"}}}`)
		},
	},
	{
		name: "index query, 100 items", operation: "Query", answer: `"Count":100`,
		request: func(*server) []byte {
			return []byte(`{"TableName":"read","IndexName":"by-group","KeyConditionExpression":"#g = :g","ExpressionAttributeNames":{"#g":"group"},"ExpressionAttributeValues":{":g":{"S":"gp7"}}}`)
		},
	},
	{
		name: "transaction, 2 puts, update, check", operation: "TransactWriteItems", answer: `{`,
		request: func(s *server) []byte {
			s.transactions++
			return fmt.Appendf(nil, `{"TransactItems":[{"Put":{"TableName":"written","Item":%s}},{"Put":{"TableName":"written","Item":%s,"ConditionExpression":"attribute_not_exists(pk)"}},`+
				`{"Update":{"TableName":"written","Key":{"pk":{"S":"counter"},"sk":{"S":"0"}},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}},`+
				`{"ConditionCheck":{"TableName":"read","Key":{"pk":{"S":"p1"},"sk":{"S":"s0001"}},"ConditionExpression":"n = :one","ExpressionAttributeValues":{":one":{"N":"1"}}}}]}`,
				itemJSON("t", s.transactions%1000, "gt"), itemJSON("u", s.transactions, "gu"))
		},
	},
	{
		name: "filtered scan, 200 of 2,000 items", operation: "Scan", answer: `"Count":200`,
		request: func(*server) []byte {
			return []byte(`{"TableName":"read","FilterExpression":"m = :m AND #on = :true","ExpressionAttributeNames":{"#on":"on"},"ExpressionAttributeValues":{":m":{"N":"3"},":true":{"BOOL":true}}}`)
		},
	},
}
