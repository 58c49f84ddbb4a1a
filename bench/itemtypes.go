// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
)

// ItemTypes are pages of 100 items of ten types, whose attributes are in another order in each item, as in the replies
// of the service.
func ItemTypes() ([]Call, error) {
	var calls []Call
	for _, page := range []func() (Call, error){
		func() (Call, error) { return pageOf("narrow", newNarrow) },
		func() (Call, error) { return pageOf("wide", newWide) },
		func() (Call, error) { return pageOf("nested", newNested) },
		func() (Call, error) { return pageOf("blob", newBlob) },
		func() (Call, error) { return pageOf("sets", newSets) },
		func() (Call, error) { return pageOf("numbers", newNumbers) },
		func() (Call, error) { return pageOf("pointers", newPointers) },
		func() (Call, error) { return pageOf("any", newAny) },
		func() (Call, error) { return pageOf("custom", newCustom) },
		func() (Call, error) { return pageOf("times", newTimes) },
	} {
		c, err := page()
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	return calls, nil
}

// keyed is an item type that embeds Keys.
type keyed interface{ keys() *Keys }

// Keys are the keys of an item.
type Keys struct {
	PK string `dynamodbav:"pk"`
	SK string `dynamodbav:"sk"`
}

func (k *Keys) keys() *Keys { return k }

const pageRows = 100

// pageOf is the page of a type of items.
func pageOf[T any, P interface {
	*T
	keyed
}](name string, item func(i int) T) (Call, error) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // an order of attributes, the same in each run
	rows := make([]T, pageRows)
	var reply bytes.Buffer
	fmt.Fprintf(&reply, `{"Count":%d,"Items":[`, pageRows)
	for i := range pageRows {
		rows[i] = item(i)
		*P(&rows[i]).keys() = Keys{partitionOf(pageRows), fmt.Sprintf("ORDER#%08d", i)}
		m, err := attributevalue.MarshalMap(rows[i])
		if err != nil {
			return Call{}, fmt.Errorf("%s: %w", name, err)
		}
		if i > 0 {
			reply.WriteByte(',')
		}
		writeAttributes(&reply, random, m)
	}
	fmt.Fprintf(&reply, `],"ScannedCount":%d,"ConsumedCapacity":{"CapacityUnits":8.5,"TableName":%q}}`, pageRows, table)
	pk := ddb.StrField(func(t *T) *string { return &P(t).keys().PK })
	sk := ddb.StrField(func(t *T) *string { return &P(t).keys().SK })
	// What is measured gives the items that were stored.
	t, err := ddb.New(Client(NewStub(reply.Bytes())), table, pk, sk)
	if err != nil {
		return Call{}, fmt.Errorf("%s: %w", name, err)
	}
	page, err := t.Query(partitionOf(pageRows)).Page(context.Background())
	if err != nil {
		return Call{}, fmt.Errorf("%s: %w", name, err)
	}
	have, err := attributevalue.MarshalList(page.Items)
	stored, err2 := attributevalue.MarshalList(rows)
	if err := errors.Join(err, err2); err != nil || !reflect.DeepEqual(have, stored) {
		return Call{}, errors.Join(fmt.Errorf("%s: the page differs from what is stored", name), err)
	}
	return Call{Name: "page of 100, " + name, Reply: reply.Bytes(), With: work{
		"ddb": func(c *dynamodb.Client) func(context.Context) error {
			t, err := ddb.New(c, table, pk, sk)
			if err != nil {
				return failing(err)
			}
			return func(ctx context.Context) error {
				page, err := t.Query(partitionOf(pageRows)).Page(ctx)
				if err != nil {
					return err
				}
				return want(len(page.Items), pageRows)
			}
		},
		"sdk+attributevalue": func(c *dynamodb.Client) func(context.Context) error {
			return func(ctx context.Context) error {
				out, err := c.Query(ctx, &dynamodb.QueryInput{
					TableName: aws.String(table), KeyConditionExpression: aws.String("pk = :p"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: partitionOf(pageRows)}},
				})
				if err != nil {
					return err
				}
				var rows []T
				if err := attributevalue.UnmarshalListOfMaps(out.Items, &rows); err != nil {
					return err
				}
				return want(len(rows), pageRows)
			}
		},
	}}, nil
}

// writeAttributes writes a map as the service does, in any order.
func writeAttributes(b *bytes.Buffer, random *rand.Rand, m map[string]types.AttributeValue) {
	names := slices.Sorted(maps.Keys(m))
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSON(b, name)
		b.WriteByte(':')
		writeValue(b, random, m[name])
	}
	b.WriteByte('}')
}

func writeValue(b *bytes.Buffer, random *rand.Rand, av types.AttributeValue) {
	one := func(kind string, v any) {
		fmt.Fprintf(b, `{"%s":`, kind)
		writeJSON(b, v)
		b.WriteByte('}')
	}
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		one("S", v.Value)
	case *types.AttributeValueMemberN:
		one("N", v.Value)
	case *types.AttributeValueMemberB:
		one("B", base64.StdEncoding.EncodeToString(v.Value))
	case *types.AttributeValueMemberBOOL:
		one("BOOL", v.Value)
	case *types.AttributeValueMemberNULL:
		one("NULL", v.Value)
	case *types.AttributeValueMemberSS:
		one("SS", v.Value)
	case *types.AttributeValueMemberNS:
		one("NS", v.Value)
	case *types.AttributeValueMemberBS:
		one("BS", v.Value)
	case *types.AttributeValueMemberL:
		b.WriteString(`{"L":[`)
		for i, e := range v.Value {
			if i > 0 {
				b.WriteByte(',')
			}
			writeValue(b, random, e)
		}
		b.WriteString(`]}`)
	case *types.AttributeValueMemberM:
		b.WriteString(`{"M":`)
		writeAttributes(b, random, v.Value)
		b.WriteByte('}')
	}
}

// writeJSON writes texts as they are, as the service does: without the escapes that HTML would need.
func writeJSON(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) //nolint:errchkjson // texts, booleans and lists of bytes and texts
	b.Truncate(b.Len() - 1)
}
