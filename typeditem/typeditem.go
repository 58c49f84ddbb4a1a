// SPDX-License-Identifier: Apache-2.0

// Package typeditem works with items as values of their Go types, without a request: it decodes items that came by another way
// than a table, such as an event of a stream, and compares lists of items.
//
//	order, err := typeditem.Decode[Order](record.Change.NewImage)
//
//	gone, added, changed, err := typeditem.Diff(orders, before, after)
package typeditem

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/rawitem"
)

// Decode reads an item in the SDK's form as a table with items of type T does: by the same tags, and a number is read
// exactly or refused. It is for items from other sources than tables, such as streams, exports and calls of the SDK.
//
// Attributes that the item lacks are zero; those that T lacks are ignored. An error names type and attribute, never data. It
// is safe for concurrent use and sends nothing.
func Decode[T any](item map[string]types.AttributeValue) (T, error) {
	data, err := codec.AppendItemMap(nil, item)
	if err != nil {
		var none T
		return none, err
	}
	return DecodeJSON[T](data)
}

// DecodeJSON reads an item in DynamoDB's JSON, {"id":{"S":"a"},"n":{"N":"1"}}, which must be all of data; see
// [Decode]. Streams, exports to S3, Lambda and Kinesis deliver this form.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
//
// A [rawitem.Item] keeps the item unchanged; see [FromRaw].
func DecodeJSON[T any](data []byte) (item T, err error) {
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

// FromRaw reads an item as reads of the table do, for items from other sources, such as the stream of a DynamoDB table of
// several item types:
//
//	consumer, err := change.NewConsumer(client, source, "app", store, func(ctx context.Context, b change.Batch[rawitem.Item]) error { ... })
//	o, err := typeditem.FromRaw(orders, *c.New)
//
// An item of another type is an error that matches [ddb.ErrOtherEntity], even with [ddb.SkipOthers]. It sends nothing.
func FromRaw[T any](table ddb.AnyTable[T], item rawitem.Item) (to T, err error) {
	if err = core.PartOf(table).DecodeRaw(item, &to); err != nil {
		var none T
		return none, err
	}
	return to, nil
}

// Diff compares two batches of items of a table by their keys, without a request. For example, before is what is stored
// and after what should be stored. gone are the items whose key is only in before, added those whose key is only in after,
// and changed the items of after whose key is in both but that differ. Each list keeps the order of its batch.
//
//	gone, added, changed, err := typeditem.Diff(lines, stored, wanted)
//	err = lines.BatchPut(ctx, append(added, changed...))
//
// Items are equal if their stored forms are equal; numbers of equal value that are written differently differ. Items that
// cannot be stored, and a key that is twice in one batch, are refused with [ddb.ErrInvalid], all at once.
func Diff[T any](table ddb.AnyTable[T], before, after []T) (gone, added, changed []T, err error) {
	c := core.PartOf(table)
	if err := c.Usable(); err != nil {
		return nil, nil, nil, err
	}
	b, err1 := keyedItems(c, "before", before)
	a, err2 := keyedItems(c, "after", after)
	if err := operr.Invalid(errors.Join(err1, err2)); err != nil {
		return nil, nil, nil, operr.New("Diff", c.Name, "", err)
	}
	for i, k := range b.Keys {
		if _, both := a.Items[k]; !both {
			gone = append(gone, before[i])
		}
	}
	for i, k := range a.Keys {
		if was, both := b.Items[k]; !both {
			added = append(added, after[i])
		} else if !core.SameItem(was, a.Items[k]) {
			changed = append(changed, after[i])
		}
	}
	return gone, added, changed, nil
}

func keyedItems[T any](c *core.Table, side string, list []T) (core.Keyed, error) {
	k := core.Keyed{Items: make(map[string][]byte, len(list))}
	var errs []error
	for i := range list {
		data, err := codec.Append(nil, c.Plan, &list[i])
		var id []byte
		if err == nil {
			id, err = c.KeyNames.Append(nil, data)
		}
		if _, twice := k.Items[string(id)]; err == nil && twice {
			err = errors.New("its key is in the batch twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("item %d of %s: %w", i, side, err))
		}
		k.Keys = append(k.Keys, string(id))
		k.Items[string(id)] = data
	}
	return k, errors.Join(errs...)
}

// FieldOf is the function that reads the field of a top-level attribute from an item. It is an error if the handle is nil, was made by [ddb.Deref] or
// the like, names a part of an attribute, or names a field in an embedded pointer.
func FieldOf[T, V any](attr ddb.AttrOf[T, V]) (func(item *T) V, error) {
	index, err := core.FieldOf(handle.Of(attr))
	if err != nil {
		return nil, err
	}
	return func(item *T) V {
		v, _ := reflect.TypeAssert[V](reflect.ValueOf(item).Elem().FieldByIndex(index))
		return v
	}, nil
}

// TimeText returns the text in which a time is stored by default, for expressions that are written by hand (rawexpr.CondText,
// rawexpr.Cond) and for other programs: RFC 3339 in UTC with nine digits of the second, such as 2026-11-21T06:30:00.500000000Z.
// Such texts sort like the times, for the years 0 to 9999; times of other years are not stored.
func TimeText(t time.Time) string { return t.UTC().Format(codec.Sortable) }
