// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
)

// CursorAfter makes the cursor of a query or scan that continues after an item, as if the item had been the last of a page.
// Only the key attributes of the item are used: those of the table and, for an index, those of the index. The item need not
// exist:
//
//	after, err := ddb.CursorAfter(orders.Query("c1"), &Order{Customer: "c1", ID: "o-2026-05-01"})
//	page, err := orders.Query("c1").After(after).Page(ctx)
//
// It is for clients that have their last item but no cursor. The cursor is bound to the query, like those of pages. An item
// that lacks one of the key attributes, or is not in the partition of the query, is refused with [ErrInvalid]. A scan
// continues in its own order, which is by a hash of the partition key.
func CursorAfter[T any](q Paged[T], item *T) (Cursor[T], error) {
	if q == nil {
		return Cursor[T]{}, operr.New("CursorAfter", "", "", operr.Invalid(errors.New("the query is nil")))
	}
	r := q.Paged(nil)
	t, err := r.Text()
	if err != nil {
		return Cursor[T]{}, r.Fail(err)
	}
	if item == nil {
		return Cursor[T]{}, r.Fail(operr.Invalid(errors.New("CursorAfter: the item is nil")))
	}
	data, err := codec.Append(nil, r.Core.Plan, item)
	if err != nil {
		return Cursor[T]{}, r.Fail(operr.Invalid(err))
	}
	key, err := r.Core.Pick(data, t.Start.Names)
	if err == nil && len(key) != len(t.Start.Names) {
		err = fmt.Errorf("CursorAfter: the item lacks some of the key attributes %v", t.Start.Names)
	}
	if err != nil {
		return Cursor[T]{}, r.Fail(operr.Invalid(err))
	}
	for _, name := range t.Start.Names {
		if err := itemid.CheckValue(name, key[name], itemid.MaxPartitionKey); err != nil {
			return Cursor[T]{}, r.Fail(operr.Invalid(err))
		}
	}
	at := core.CursorAt(r, t, key)
	if t.Check(at, r) != nil {
		return Cursor[T]{}, r.Fail(operr.Invalid(errors.New("CursorAfter: the item is not in the partition of the query")))
	}
	return Cursor[T](cursor.Of(at)), nil
}
