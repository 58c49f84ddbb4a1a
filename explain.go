// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/operr"
)

// Explain runs a function without making its calls, and explains the first request that it would have sent, and the whole
// call that the request belongs to. It works for any operation, also deep inside the caller's own code.
//
//	plan, err := ddb.Explain(ctx, func(ctx context.Context) error {
//		_, err := orders.Query("c1").Filter(orderTotal.Gt(100)).Limit(20).Page(ctx)
//		return err
//	})
//	fmt.Println(plan)
//
// For a call that creates, describes or deletes a table it returns only the name.
//
// Calls with the function's context return [ddberr.ErrExplained]. If a call is refused before it is sent, Explain returns that
// error. A function that makes no call is an error too. Nothing is sent and nothing is billed.
//
// Units are computed from DynamoDB's billing rules and from the sizes of the items that this process has read and written on
// the table or index so far; see Assumptions. Read and Write are the units of the first request, Whole those of all requests
// of the call.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
func Explain(ctx context.Context, run func(context.Context) error) (cost.Explanation, error) {
	x := new(core.Explainer)
	s := core.CallOptionsOf(ctx)
	s.Explain = x
	if run == nil {
		return cost.Explanation{}, operr.New("Explain", "", "", operr.Invalid(errors.New("the function is nil")))
	}
	err := run(s.Into(ctx))
	x.Mu.Lock()
	defer x.Mu.Unlock()
	switch {
	case x.Found:
		return x.First, nil
	case err != nil:
		return cost.Explanation{}, err
	}
	return cost.Explanation{}, errors.New("ddb: Explain: the function made no call with its context")
}
