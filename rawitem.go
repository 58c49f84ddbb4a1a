// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/rawitem"
)

// DecodeRaw reads an item as reads of the table do, for items from other sources, such as the stream of a DynamoDB table of
// several item types:
//
//	consumer, err := change.NewConsumer(client, source, "app", store, func(ctx context.Context, b change.Batch[rawitem.Item]) error { ... })
//	o, err := ddb.DecodeRaw(orders, *c.New)
//
// An item of another type is an error that matches [ErrOtherEntity], even with [SkipOthers]. It sends nothing.
func DecodeRaw[T any](table AnyTable[T], item rawitem.Item) (to T, err error) {
	if err = coreOf(table).DecodeRaw(item, &to); err != nil {
		var none T
		return none, err
	}
	return to, nil
}
