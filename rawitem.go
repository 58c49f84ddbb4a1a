// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"reflect"

	"github.com/dynamotable/ddb/internal/operr"
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
	if err = coreOf(table).decodeRaw(item, &to); err != nil {
		var none T
		return none, err
	}
	return to, nil
}

// decodeRaw is DecodeRaw into the value that to points to.
func (c *core) decodeRaw(item rawitem.Item, to any) error {
	if err := c.usable(); err != nil {
		return err
	}
	return operr.New("DecodeRaw", c.name, "", decodeOwn(c, item.JSON(), reflect.ValueOf(to).Elem()))
}
