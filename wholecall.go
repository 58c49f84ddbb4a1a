// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/operr"
)

// LearnSizes requests the sizes of tables and their indexes from DynamoDB, so that [Explain] can estimate what a whole call
// costs: a scan, Collect, or a page with a filter that drops much. It sends one DescribeTable for each table, which is free
// and needs that permission; the library never does this by itself. Call it again to update the sizes.
//
// DynamoDB updates the sizes about every six hours, so ranges include a margin of a quarter. A table that it reports as
// empty may be new, so its size counts as unknown:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
func LearnSizes(ctx context.Context, tables ...TablePart) error {
	var wrong []error
	for i, t := range tables {
		if t == nil {
			wrong = append(wrong, fmt.Errorf("LearnSizes: table %d is nil", i))
		}
	}
	if err := operr.Invalid(wrong...); err != nil {
		return &ddberr.OpError{Op: "LearnSizes", Err: err}
	}
	errs := make([]error, len(tables))
	var wg sync.WaitGroup
	for i, t := range tables {
		wg.Go(func() { errs[i] = t.Part().LearnSizes(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
