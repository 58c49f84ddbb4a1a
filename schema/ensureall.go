// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Ensurer is anything with a method EnsureTable: a ddb.Table, a ddb.SimpleTable, or a store of a layer.
type Ensurer interface {
	EnsureTable(ctx context.Context, opts ...Option) error
}

// EnsureTables calls EnsureTable of all given tables at the same time:
//
//	err := schema.EnsureTables(ctx, events, snapshots, positions, balances, users)
//
// It returns the joined errors when every call has ended. Existing tables cost no units. After a lost reply,
// call it again. To pass options for a table, call its EnsureTable.
func EnsureTables(ctx context.Context, tables ...Ensurer) error {
	for i, t := range tables {
		if t == nil {
			return invalid(fmt.Errorf("EnsureTables: table %d is nil", i))
		}
	}
	errs := make([]error, len(tables))
	var wg sync.WaitGroup
	for i, t := range tables {
		wg.Go(func() { errs[i] = t.EnsureTable(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
