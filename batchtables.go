// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
)

// BatchPart is the part of one table in [BatchTables]; it is made by [WriteIn] and [GetFrom].
type BatchPart struct{ run func(context.Context) error }

// WriteIn is a BatchWrite of one table, as a part of [BatchTables].
func WriteIn[B interface {
	BatchWrite(ctx context.Context, puts []T, deletes []K, opts ...BatchOption) error
}, T, K any](table B, puts []T, deletes []K, opts ...BatchOption) BatchPart {
	return BatchPart{func(ctx context.Context) error { return table.BatchWrite(ctx, puts, deletes, opts...) }}
}

// GetFrom is a BatchGet of one table, as a part of [BatchTables]; got gets the result, of which got[i] belongs to keys[i].
func GetFrom[B interface {
	BatchGet(ctx context.Context, keys []K, opts ...GetOption) ([]Got[T], error)
}, T, K any](table B, keys []K, got *[]Got[T], opts ...GetOption) BatchPart {
	if got == nil {
		return BatchPart{}
	}
	return BatchPart{func(ctx context.Context) (err error) {
		*got, err = table.BatchGet(ctx, keys, opts...)
		return err
	}}
}

// BatchTables reads and writes items of several tables in one call:
//
//	var found []ddb.Got[User]
//	err := ddb.BatchTables(ctx,
//		ddb.WriteIn(orders, newOrders, nil),
//		ddb.WriteIn(carts, nil, cartKeys),
//		ddb.GetFrom(users, userKeys, &found))
//
// The parts are done at the same time, in no order, each as by BatchWrite or BatchGet of its table: with all retries, and with requests
// of its own. So it takes as long as the longest part, and is billed as all parts are. (DynamoDB would take items of several tables
// in one request, which saves requests where each table has a few items only; the units are the same.)
//
// One part that fails does not end the others. When any did, the error is a [*BatchTablesError], which gives the error of each.
func BatchTables(ctx context.Context, parts ...BatchPart) error {
	var missing []error
	for i, p := range parts {
		if p.run == nil {
			missing = append(missing, fmt.Errorf("BatchTables: part %d is empty, or its destination is nil", i))
		}
	}
	if err := invalid(missing...); err != nil {
		return &OpError{Op: "BatchTables", Err: err}
	}
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() { errs[i] = p.run(ctx) })
	}
	wg.Wait()
	if errors.Join(errs...) == nil {
		return nil
	}
	return &BatchTablesError{Parts: errs}
}

// BatchTablesError is a [BatchTables] of which at least one part was not done, or not for certain.
type BatchTablesError struct {
	// Parts has the error of each part, in their order; nil for those that were done. See [BatchError].
	Parts []error
}

// Error lists the errors of the parts.
func (e *BatchTablesError) Error() string {
	var texts []string
	for i, err := range e.Parts {
		if err != nil {
			texts = append(texts, fmt.Sprintf("part %d: %s", i, redact.Text(err)))
		}
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors of the parts that were not done.
func (e *BatchTablesError) Unwrap() []error { return redact.All(e.Parts...) }

// Format prints the text, for every verb.
func (e *BatchTablesError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON is the text.
func (e *BatchTablesError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }
