// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// GetItemAPI is the client of [GetItem]. As with all interfaces here, *dynamodb.Client fits, and so does any mock.
type GetItemAPI interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// PutItemAPI is the client of [PutItem].
type PutItemAPI interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
}

// UpdateItemAPI is the client of [UpdateItem].
type UpdateItemAPI interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// DeleteItemAPI is the client of [DeleteItem].
type DeleteItemAPI interface {
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// QueryAPI is the client of [Query].
type QueryAPI interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// ScanAPI is the client of [Scan].
type ScanAPI interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// BatchGetItemAPI is the client of [BatchGetItem].
type BatchGetItemAPI interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
}

// BatchWriteItemAPI is the client of [BatchWriteItem].
type BatchWriteItemAPI interface {
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
}

// TransactGetItemsAPI is the client of [TransactGetItems].
type TransactGetItemsAPI interface {
	TransactGetItems(context.Context, *dynamodb.TransactGetItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error)
}

// TransactWriteItemsAPI is the client of [TransactWriteItems].
type TransactWriteItemsAPI interface {
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Client has all of these methods: it is a ddb.Client.
type Client interface {
	GetItemAPI
	PutItemAPI
	UpdateItemAPI
	DeleteItemAPI
	QueryAPI
	ScanAPI
	BatchGetItemAPI
	BatchWriteItemAPI
	TransactGetItemsAPI
	TransactWriteItemsAPI
}

// Forwarder is implemented by a wrapper of *dynamodb.Client whose calls should use the fast path for items. If ForwardsOptions
// returns true, that is a promise: each call goes to the wrapped client once, with the same input and all functional options, and
// neither input nor output is kept or read for its items. A call of [PutItem], [BatchWriteItem] or [TransactWriteItems] through a
// wrapper that breaks the promise fails with [ErrOptionsDropped].
type Forwarder interface {
	ForwardsOptions() bool
}

// direct reports whether functional options certainly reach the SDK, and nothing before it looks at items.
func direct(client any, harmless []string) bool {
	if _, ok := client.(*dynamodb.Client); ok {
		return true
	}
	return isForwarder(client) || len(harmless) > 0 && slices.Contains(harmless, fmt.Sprintf("%T", client))
}

func isForwarder(client any) bool {
	f, ok := client.(Forwarder)
	return ok && f.ForwardsOptions()
}
