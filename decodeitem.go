// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// DecodeItem reads an item in the SDK's form as a table with items of type T does: by the same tags, and a number is read
// exactly or refused. It is for items from other sources than tables, such as streams, exports and calls of the SDK.
//
// Attributes that the item lacks are zero; those that T lacks are ignored. An error names type and attribute, never data. It
// is safe for concurrent use and sends nothing.
func DecodeItem[T any](item map[string]types.AttributeValue) (T, error) {
	data, err := codec.AppendItemMap(nil, item)
	if err != nil {
		var none T
		return none, err
	}
	return DecodeItemJSON[T](data)
}

// DecodeItemJSON reads an item in DynamoDB's JSON, {"id":{"S":"a"},"n":{"N":"1"}}, which must be all of data; see
// [DecodeItem]. Streams, exports to S3, Lambda and Kinesis deliver this form.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
//
// A [rawitem.Item] keeps the item unchanged; see [DecodeRaw].
func DecodeItemJSON[T any](data []byte) (item T, err error) {
	plan, err := codec.PlanOf(reflect.TypeFor[T]())
	if err != nil {
		return item, err
	}
	if err := codec.Decode(plan, data, &item); err != nil {
		var none T
		return none, err
	}
	return item, nil
}
