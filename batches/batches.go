// SPDX-License-Identifier: Apache-2.0

// Package batches runs batches of several tables in one call.
package batches

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
)

// Part is the part of one table in [Run]. Make it with [Write] or [Get].
type Part struct{ run func(context.Context) error }

// Write is a BatchWrite of one table, as a part of [Run].
func Write[B interface {
	BatchWrite(ctx context.Context, puts []T, deletes []K, opts ...ddb.BatchOption) error
}, T, K any](table B, puts []T, deletes []K, opts ...ddb.BatchOption) Part {
	return Part{func(ctx context.Context) error { return table.BatchWrite(ctx, puts, deletes, opts...) }}
}

// Get is a BatchGet of one table, as a part of [Run]. The result is stored in got: got[i] belongs to keys[i].
func Get[B interface {
	BatchGet(ctx context.Context, keys []K, opts ...ddb.GetOption) ([]ddb.Got[T], error)
}, T, K any](table B, keys []K, got *[]ddb.Got[T], opts ...ddb.GetOption) Part {
	if got == nil {
		return Part{}
	}
	return Part{func(ctx context.Context) (err error) {
		*got, err = table.BatchGet(ctx, keys, opts...)
		return err
	}}
}

// Run reads and writes items of several tables in one call:
//
//	var found []ddb.Got[User]
//	err := batches.Run(ctx,
//		batches.Write(orders, newOrders, nil),
//		batches.Write(carts, nil, cartKeys),
//		batches.Get(users, userKeys, &found))
//
// The parts run at the same time, in no particular order. Each is a BatchWrite or BatchGet of its table, with its own
// requests and retries. So the call takes as long as the longest part, and costs the sum of all parts. (DynamoDB would
// accept items of several tables in one request. That saves requests if each table has only a few items; the units are the
// same.)
//
// A part that fails does not stop the others. If any part failed, the error is a [*Error] with the error of each part.
func Run(ctx context.Context, parts ...Part) error {
	var missing []error
	for i, p := range parts {
		if p.run == nil {
			missing = append(missing, fmt.Errorf("part %d is empty, or its destination is nil", i))
		}
	}
	if len(missing) > 0 {
		return &ddb.OpError{Op: "batches.Run", Err: &ddb.InvalidError{Problems: missing}}
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
	return &Error{Parts: errs}
}

// Error is the error of a [Run] call with at least one part that was not done, or may not have been.
type Error struct {
	// Parts holds the error of each part, in their order; nil for those that were done. See [ddb.BatchError].
	Parts []error
}

// Error lists the errors of the parts.
func (e *Error) Error() string {
	var texts []string
	for i, err := range e.Parts {
		if err != nil {
			texts = append(texts, fmt.Sprintf("part %d: %s", i, redact.Text(err)))
		}
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors of the parts that were not done.
func (e *Error) Unwrap() []error { return redact.All(e.Parts...) }

// Format prints the text of Error for every verb.
func (e *Error) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }
