package engine

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Restore stores an item that the engine had before, given in wire form. It
// checks what PutItem checks and calls the hooks.
func (e *Engine) Restore(ctx context.Context, table string, image []byte) error {
	item, err := value.DecodeItem(image)
	if err != nil {
		return err
	}
	_, err = e.PutItem(ctx, &PutItemInput{TableName: &table, Item: Given(item)})
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
