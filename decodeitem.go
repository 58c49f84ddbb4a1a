// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// DecodeItem reads an item in the SDK's form as a table with items of type T reads it:
// by the same tags, numbers exactly or not at all. It is for items that come by other
// ways than tables, such as streams, exports and calls of the SDK.
//
// Attributes that the item lacks are zero, those that T lacks are left out. An error names
// type and attribute, never data. It is safe for concurrent use and sends nothing.
func DecodeItem[T any](item map[string]types.AttributeValue) (T, error) {
	data, err := codec.AppendItemMap(nil, item)
	if err != nil {
		var none T
		return none, err
	}
	return DecodeItemJSON[T](data)
}

// DecodeItemJSON reads an item in DynamoDB's JSON, {"id":{"S":"a"},"n":{"N":"1"}}, the whole
// of data; see [DecodeItem]. Streams, exports to S3, Lambda and Kinesis deliver that form.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
//
// As a [RawItem] it is kept as it is; see [DecodeRaw].
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
