// SPDX-License-Identifier: Apache-2.0

// Package entity_test tests DynamoDB tables that hold items of several types: a table recognises its own items, and one query
// reads all types.
package entity_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/rawitem"
)

func TestMain(m *testing.M) { apitest.Main(m) }

type customer struct {
	PK     string `dynamodbav:"pk"`
	SK     string `dynamodbav:"sk"`
	Name   string `dynamodbav:"name,omitempty"`
	Group  string `dynamodbav:"g,omitempty"`
	At     string `dynamodbav:"at,omitempty"`
	Credit int    `dynamodbav:"credit"`

	Revision ddb.Revision `dynamodbav:"revision,omitzero"`
}

type order struct {
	PK    string `dynamodbav:"pk"`
	SK    string `dynamodbav:"sk"`
	Total int    `dynamodbav:"total"`
	Group string `dynamodbav:"g,omitempty"`
	At    string `dynamodbav:"at,omitempty"`
}

type line struct {
	PK    string `dynamodbav:"pk"`
	SK    string `dynamodbav:"sk"`
	Type  string `dynamodbav:"type"` // the discriminator, as a field
	Qty   int    `dynamodbav:"qty"`
	Group string `dynamodbav:"g,omitempty"`
	At    string `dynamodbav:"at,omitempty"`
}

type record interface{ key() (pk, sk string) }

func (c *customer) key() (pk, sk string) { return c.PK, c.SK }
func (o *order) key() (pk, sk string)    { return o.PK, o.SK }
func (l *line) key() (pk, sk string)     { return l.PK, l.SK }

var (
	customerPK       = ddb.StrField(func(c *customer) *string { return &c.PK })
	customerSK       = ddb.StrField(func(c *customer) *string { return &c.SK })
	customerCredit   = ddb.NumField(func(c *customer) *int { return &c.Credit })
	customerRevision = ddb.Field(func(c *customer) *ddb.Revision { return &c.Revision })
	orderPK          = ddb.StrField(func(o *order) *string { return &o.PK })
	orderSK          = ddb.StrField(func(o *order) *string { return &o.SK })
	orderTotal       = ddb.NumField(func(o *order) *int { return &o.Total })
	orderGroup       = ddb.StrField(func(o *order) *string { return &o.Group })
	orderAt          = ddb.StrField(func(o *order) *string { return &o.At })
	linePK           = ddb.StrField(func(l *line) *string { return &l.PK })
	lineSK           = ddb.StrField(func(l *line) *string { return &l.SK })
	lineType         = ddb.StrField(func(l *line) *string { return &l.Type })
	lineQty          = ddb.NumField(func(l *line) *int { return &l.Qty })
)

type (
	customers = ddb.Table[customer, string, string]
	orders    = ddb.Table[order, string, string]
	lines     = ddb.Table[line, string, string]
)

// shop is a DynamoDB table of customers, orders and lines.
type shop struct {
	client    *dynamodb.Client
	name      string
	customers *customers
	orders    *orders
	lines     *lines
	table     *ddb.SharedTable
	byGroup   *ddb.Index[order, string, string]
	local     *ddb.LocalIndex[order, string, string]
	keys      *ddb.Index[order, string, string] // of keys only
}

// kinds are the options by which the tables recognise their items.
type kinds struct{ customer, order, line []ddb.TableOption }

func discriminators(opts ...ddb.TableOption) kinds {
	of := func(value string) []ddb.TableOption {
		return append([]ddb.TableOption{ddb.Discriminator("type", value)}, opts...)
	}
	return kinds{of("customer"), of("order"), of("line")}
}

func prefixes(opts ...ddb.TableOption) kinds {
	return kinds{
		append([]ddb.TableOption{ddb.KeyPrefix(customerSK, "C#")}, opts...), append([]ddb.TableOption{ddb.KeyPrefix(orderSK, "O#")}, opts...),
		append([]ddb.TableOption{ddb.KeyPrefix(lineSK, "L#")}, opts...),
	}
}

func functions(opts ...ddb.TableOption) kinds {
	of := func(attr string) []ddb.TableOption {
		return append([]ddb.TableOption{ddb.RecognizeBy(func(i rawitem.Item) bool { return i.Has(attr) }, attr)}, opts...)
	}
	return kinds{of("credit"), of("total"), of("qty")}
}

func newShop(t *testing.T, k kinds) *shop {
	t.Helper()
	s := &shop{client: apitest.NewClient(t), name: apitest.TableName(t)}
	var errs [8]error
	s.customers, errs[0] = ddb.New(s.client, s.name, customerPK, customerSK, k.customer...)
	s.orders, errs[1] = ddb.New(s.client, s.name, orderPK, orderSK, k.order...)
	s.lines, errs[2] = ddb.New(s.client, s.name, linePK, lineSK, k.line...)
	s.byGroup, errs[3] = ddb.NewIndex(s.orders, "by-group", orderGroup, orderAt)
	s.keys, errs[4] = ddb.NewIndex(s.orders, "keys", orderAt, orderGroup, ddb.KeysOnly())
	s.local, errs[7] = ddb.NewLocalIndex(s.orders, "local", orderAt, ddb.KeysOnly())
	s.table, errs[5] = ddb.Share(s.customers, s.orders, s.lines)
	errs[6] = s.table.CreateTable(t.Context())
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// raw stores an item as another program does.
func (s *shop) raw(t rapid.TB, pk, sk string, attrs ...string) {
	t.Helper()
	item := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}}
	for i := 0; i < len(attrs); i += 2 {
		if _, err := strconv.Atoi(attrs[i+1]); err == nil {
			item[attrs[i]] = &types.AttributeValueMemberN{Value: attrs[i+1]}
			continue
		}
		item[attrs[i]] = &types.AttributeValueMemberS{Value: attrs[i+1]}
	}
	if _, err := s.client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String(s.name), Item: item}); err != nil {
		t.Fatal(err)
	}
}

// stored returns the item with the key p, sk as another program sees it.
func (s *shop) stored(t testing.TB, sk string) map[string]types.AttributeValue {
	t.Helper()
	out, err := s.client.GetItem(context.Background(), &dynamodb.GetItemInput{TableName: aws.String(s.name), ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "p"}, "sk": &types.AttributeValueMemberS{Value: sk},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

func textOf(av types.AttributeValue) string {
	if s, ok := av.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return fmt.Sprintf("%T", av)
}

func deleteOf(s *shop) *dynamodb.DeleteItemInput {
	return &dynamodb.DeleteItemInput{TableName: aws.String(s.name), Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "p"}, "sk": &types.AttributeValueMemberS{Value: "k"},
	}}
}
