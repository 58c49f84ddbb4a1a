// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Restore stores an item that the engine had before, given in wire form. It
// checks the key and calls the hooks. It does not refuse items that a put would
// refuse but that can exist: larger than 400 KB by updates (see updateSize), or
// with a value that a later index cannot hold (see takes).
func (e *Engine) Restore(ctx context.Context, table string, image []byte) error {
	item, err := value.DecodeItem(image)
	if err != nil {
		return err
	}
	a := &action{operation: opPut, kind: actionPut, reason: ReasonWrite, restored: true, item: item, size: value.ItemSize(item)}
	if a.table, err = e.table(table); err != nil {
		return err
	}
	a.schema = a.table.Schema()
	if err := a.schema.checkItemKey(item); err != nil {
		return err
	}
	a.prepare()
	_, err = e.run(ctx, a)
	return err
}

// Forget removes an item that the engine had before, by its key in wire form.
func (e *Engine) Forget(ctx context.Context, table string, key []byte) error {
	item, err := value.DecodeItem(key)
	if err != nil {
		return err
	}
	_, err = e.DeleteItem(ctx, &DeleteItemInput{TableName: &table, Key: Given(item)})
	return err
}
