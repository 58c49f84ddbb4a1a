// SPDX-License-Identifier: Apache-2.0

package hooks

import (
	"context"

	"github.com/dynamotable/ddb/ddberr"
)

// Gate admits the requests of a context one by one, after the budgets and before they are sent. Package pace has a Gate that
// limits the rate. It is called by many goroutines at once. Unlike a [Hook] it may wait, and may refuse a request.
type Gate interface {
	// PageSize returns how many items one request of a Query or Scan may evaluate; 0 is no bound. It is called before Admit.
	PageSize(table, index string, consistent bool) int
	// Admit waits until the request may be sent. If it returns an error the request is not sent, and the call returns the error.
	Admit(ctx context.Context, call *Call) error
	// Throttled is called for each attempt of an admitted request that was throttled, before it is sent again. reasons may be empty.
	Throttled(call *Call, reasons []ddberr.ThrottlingReason)
	// Done is called once for each admitted request, completed as in [Hook].
	Done(call *Call)
}
