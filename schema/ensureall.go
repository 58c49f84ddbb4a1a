// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Ensurer is a table that can be made ready: a ddb.Table, a ddb.SimpleTable, or a store of a layer.
type Ensurer interface {
	EnsureTable(ctx context.Context, opts ...Option) error
}

// EnsureTables makes all tables ready that a program uses, at the same time, each as its EnsureTable does:
//
//	err := schema.EnsureTables(ctx, events, snapshots, positions, balances, users)
//
// It returns the errors of all, joined, when every call has ended. Tables that are there already cost no units. A reply that is
// lost does no harm: call it again. For options of a single table, call that one's EnsureTable.
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
