// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// whole is the content of a request that this package writes without the SDK's serializer: one item or key, the name of the
// table, and what the reply is to contain. Most requests for one item have this form.
type whole interface {
	items
	// whole appends the body, or reports that the input has other parameters.
	whole(b []byte) ([]byte, bool)
}

// servicePrefix precedes the operation in the header that names it:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
const servicePrefix = "DynamoDB_20120810."

// writeWhole writes the request by the rules of the protocol awsJson1_0, if all of it is known here:
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
func (k *call) writeWhole(schema *smithy.OperationSchema, req *smithyhttp.Request) (done bool, err error) {
	f, ok := k.requestItems.(whole)
	if !ok || !k.plainProtocol {
		return false, nil
	}
	body, ok := f.whole(make([]byte, 0, f.size()+len(`{"TableName":"","ReturnConsumedCapacity":"INDEXES","ReturnItemCollectionMetrics":"SIZE"}`)+maxTableName))
	if !ok {
		return false, nil
	}
	req.Method = http.MethodPost
	if req.URL.Path == "" {
		req.URL.Path = "/"
	}
	req.Header.Set("X-Amz-Target", servicePrefix+schema.ID().Name)
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	full, err := req.SetStream(bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	*req = *full
	k.body, k.spliced = body, true
	return true, nil
}

// maxTableName is long enough for most names.
const maxTableName = 64

func (f *putItem) whole(b []byte) ([]byte, bool) {
	in := &f.in
	if in.ConditionExpression != nil || in.ExpressionAttributeNames != nil || in.ExpressionAttributeValues != nil ||
		in.ConditionalOperator != "" || in.Expected != nil || in.ReturnValues != "" || in.ReturnValuesOnConditionCheckFailure != "" {
		return nil, false
	}
	return appendWhole(b, `{"Item":`, f.item, in.TableName, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
}

func (f *deleteKey) whole(b []byte) ([]byte, bool) {
	in := &f.in
	if in.ConditionExpression != nil || in.ExpressionAttributeNames != nil || in.ExpressionAttributeValues != nil ||
		in.ConditionalOperator != "" || in.Expected != nil || in.ReturnValues != "" || in.ReturnValuesOnConditionCheckFailure != "" {
		return nil, false
	}
	return appendWhole(b, `{"Key":`, f.key, in.TableName, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
}

func (f *getKey) whole(b []byte) ([]byte, bool) {
	in := &f.in
	if in.AttributesToGet != nil || in.ConsistentRead != nil || in.ExpressionAttributeNames != nil || in.ProjectionExpression != nil {
		return nil, false
	}
	return appendWhole(b, `{"Key":`, f.key, in.TableName, in.ReturnConsumedCapacity, "")
}

func appendWhole(b []byte, head string, item []byte, table *string, capacity types.ReturnConsumedCapacity, metrics types.ReturnItemCollectionMetrics) ([]byte, bool) {
	if checkItem(item) != nil || table == nil || !plain(*table) || !plain(string(capacity)) || !plain(string(metrics)) {
		return nil, false
	}
	b = append(append(append(b, head...), item...), `,"TableName":"`...)
	b = append(append(b, *table...), '"')
	if capacity != "" {
		b = append(append(append(b, `,"ReturnConsumedCapacity":"`...), capacity...), '"')
	}
	if metrics != "" {
		b = append(append(append(b, `,"ReturnItemCollectionMetrics":"`...), metrics...), '"')
	}
	return append(b, '}'), true
}
