// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

const (
	sizePage     = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"
	capacityPage = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"
)

// The size of a value is measured by the length of another value at which the
// item needs a second write unit: items of up to 1,024 bytes need one unit.
func TestGoldenSizes(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("sizes"))
	list := func(v ...types.AttributeValue) types.AttributeValue { return &types.AttributeValueMemberL{Value: v} }
	object := func(m item) types.AttributeValue { return &types.AttributeValueMemberM{Value: m} }
	for _, c := range []struct {
		name   string
		value  types.AttributeValue
		size   int
		source string
	}{
		{"empty string", str(""), 0, sizePage + ": UTF-8 encoded bytes"},
		{"string", str("abc"), 3, sizePage + ": UTF-8 encoded bytes"},
		{"string of two-byte letters", str("éé"), 4, sizePage + ": UTF-8 encoded bytes"},
		{"string of four-byte letters", str("😀"), 4, sizePage + ": UTF-8 encoded bytes"},
		{"empty binary", &types.AttributeValueMemberB{Value: []byte{}}, 0, sizePage + ": number of raw bytes"},
		{"binary", &types.AttributeValueMemberB{Value: []byte{0, 1, 2}}, 3, sizePage + ": number of raw bytes"},
		{"zero", num("0"), 1, sizePage + ": one byte besides the digits"},
		{"one digit", num("7"), 2, sizePage + ": a byte for two significant digits, and one byte"},
		{"two digits", num("77"), 2, sizePage + ": a byte for two significant digits, and one byte"},
		{"three digits", num("777"), 3, sizePage + ": a byte for two significant digits, and one byte"},
		{"zeros at both ends", num("00700"), 2, sizePage + ": leading and trailing zeros are trimmed"},
		{"38 digits", num(strings.Repeat("9", 38)), 20, sizePage + ": up to 38 significant digits, 21 bytes at most"},
		{"38 digits below zero", num("-" + strings.Repeat("9", 38)), 21, sizePage + ": up to 38 significant digits, 21 bytes at most"},
		{"boolean", &types.AttributeValueMemberBOOL{Value: false}, 1, sizePage + ": null or Boolean 1 byte"},
		{"null", &types.AttributeValueMemberNULL{Value: true}, 1, sizePage + ": null or Boolean 1 byte"},
		{"empty list", list(), 3, sizePage + ": 3 bytes of overhead, empty or not"},
		{"empty map", object(item{}), 3, sizePage + ": 3 bytes of overhead, empty or not"},
		{"list", list(str("ab"), str("c")), 3 + 2 + 3, sizePage + ": 3 bytes, 1 for each element, contents"},
		{"map", object(item{"key": str("ab")}), 3 + 1 + 5, sizePage + ": 3 bytes, 1 for each element, names and values"},
		{"list in a map", object(item{"k": list(str("x"))}), 3 + 1 + 1 + 3 + 1 + 1, sizePage + ": 3 bytes, 1 for each element, contents"},
		{"string set", &types.AttributeValueMemberSS{Value: []string{"ab", "c"}}, 3, sizePage + ": the sum of the elements"},
		{"number set", &types.AttributeValueMemberNS{Value: []string{"1", "777"}}, 5, sizePage + ": the sum of the elements"},
		{"binary set", &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2, 3}}}, 3, sizePage + ": the sum of the elements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for extra, want := range []float64{1, 2} {
				filler := 1024 - len("pk"+"a"+"sk"+"b"+"v"+"f") - c.size + extra
				out, err := client.PutItem(ctx, &dynamodb.PutItemInput{
					TableName: aws.String("sizes"), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
					Item: item{"pk": str("a"), "sk": str("b"), "v": c.value, "f": str(strings.Repeat("x", filler))},
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := *out.ConsumedCapacity.CapacityUnits; got != want {
					t.Errorf("%d bytes cost %v units, want %v (%s)", 1024+extra, got, want, c.source)
				}
			}
			if _, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
				TableName: aws.String("sizes"), Key: item{"pk": str("a"), "sk": str("b")},
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Units of single requests on an item of a size, or on a missing item.
func TestGoldenUnits(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("units"))
	k := item{"pk": str("a"), "sk": str("b")}
	const overhead = len("pk" + "a" + "sk" + "b" + "f")
	get := func(consistent bool) func() (*types.ConsumedCapacity, error) {
		return func() (*types.ConsumedCapacity, error) {
			out, err := client.GetItem(ctx, &dynamodb.GetItemInput{
				TableName: aws.String("units"), Key: k, ConsistentRead: &consistent, ReturnConsumedCapacity: "TOTAL",
			})
			return out.ConsumedCapacity, err
		}
	}
	remove := func() (*types.ConsumedCapacity, error) {
		out, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("units"), Key: k, ReturnConsumedCapacity: "TOTAL"})
		return out.ConsumedCapacity, err
	}
	set := func() (*types.ConsumedCapacity, error) {
		out, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String("units"), Key: k, ReturnConsumedCapacity: "TOTAL",
			UpdateExpression: aws.String("SET f = :f"), ExpressionAttributeValues: item{":f": str("")},
		})
		return out.ConsumedCapacity, err
	}
	transactGet := func() (*types.ConsumedCapacity, error) {
		out, err := client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
			TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: aws.String("units"), Key: k}}}, ReturnConsumedCapacity: "TOTAL",
		})
		if err != nil {
			return nil, err
		}
		return &out.ConsumedCapacity[0], nil
	}
	for _, c := range []struct {
		name   string
		size   int // 0 for no item
		run    func() (*types.ConsumedCapacity, error)
		want   float64
		source string
	}{
		{"eventual read of 4 KB", 4096, get(false), 0.5, capacityPage + ": half a unit for up to 4 KB"},
		{"eventual read of more", 4097, get(false), 1, capacityPage + ": sizes are rounded up to the next 4 KB"},
		{"consistent read of 4 KB", 4096, get(true), 1, capacityPage + ": one unit for up to 4 KB"},
		{"consistent read of more", 4097, get(true), 2, capacityPage + ": sizes are rounded up to the next 4 KB"},
		{"eventual read of a missing item", 0, get(false), 0.5, capacityPage + ": a read of an item that does not exist consumes units"},
		{"consistent read of a missing item", 0, get(true), 1, capacityPage + ": a read of an item that does not exist consumes units"},
		{"transactional read of 4 KB", 4096, transactGet, 2, capacityPage + ": two units for up to 4 KB"},
		{"transactional read of more", 4097, transactGet, 4, capacityPage + ": two units for up to 4 KB"},
		{"delete of 1 KB", 1024, remove, 1, capacityPage + ": the size of the deleted item"},
		{"delete of more", 1025, remove, 2, capacityPage + ": the size of the deleted item"},
		{"delete of a missing item", 0, remove, 1, capacityPage + ": a delete of an item that does not exist consumes a unit"},
		{"update that makes an item smaller", 2049, set, 3, capacityPage + ": the larger of the sizes before and after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := remove(); err != nil {
				t.Fatal(err)
			}
			if c.size > 0 {
				mustPut(t, client, "units", item{"pk": k["pk"], "sk": k["sk"], "f": str(strings.Repeat("x", c.size-overhead))})
			}
			units, err := c.run()
			if err != nil {
				t.Fatal(err)
			}
			if *units.CapacityUnits != c.want {
				t.Errorf("%v units, want %v (%s)", *units.CapacityUnits, c.want, c.source)
			}
		})
	}
}
