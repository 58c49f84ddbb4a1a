// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Lesser is a client that behaves as if its server lacked the features that some servers of the API
// lack: transactions, capacity by index, and the item of a failed condition. Wrap
// the client in it to test a program that must run on such a server.
type lesser struct{ *dynamodb.Client }

func rejected(code, message string) error {
	return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "any", Err: &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}}
}

func capacity(c types.ReturnConsumedCapacity) error {
	if c == types.ReturnConsumedCapacityIndexes {
		return rejected("ValidationException", "this server does not report the capacity of indexes")
	}
	return nil
}

// PutItem refuses capacity by index, and returns no item when the condition is false.
func (l lesser) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if err := capacity(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	less := *in
	less.ReturnValuesOnConditionCheckFailure = ""
	return l.Client.PutItem(ctx, &less, opts...)
}

// UpdateItem behaves like PutItem.
func (l lesser) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if err := capacity(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	less := *in
	less.ReturnValuesOnConditionCheckFailure = ""
	return l.Client.UpdateItem(ctx, &less, opts...)
}

// DeleteItem behaves like PutItem.
func (l lesser) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	if err := capacity(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	less := *in
	less.ReturnValuesOnConditionCheckFailure = ""
	return l.Client.DeleteItem(ctx, &less, opts...)
}

// BatchWriteItem refuses capacity by index.
func (l lesser) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	if err := capacity(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	return l.Client.BatchWriteItem(ctx, in, opts...)
}

// TransactWriteItems is not supported.
func (l lesser) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return nil, rejected("UnknownOperationException", "this server has no transactions")
}

// TransactGetItems is not supported.
func (l lesser) TransactGetItems(context.Context, *dynamodb.TransactGetItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error) {
	return nil, rejected("UnknownOperationException", "this server has no transactions")
}
