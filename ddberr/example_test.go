// SPDX-License-Identifier: Apache-2.0

package ddberr_test

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/ddberr"
)

func ExampleThrottledError() {
	// A table returned this error.
	err := error(&ddberr.OpError{Op: "PutItem", Table: "orders", Err: ddberr.Throttled(errors.New("slow down"), 3,
		ddberr.ThrottlingReason{Reason: "TableWriteKeyRangeThroughputExceeded"})})

	if throttled, ok := errors.AsType[*ddberr.ThrottledError](err); ok {
		for _, reason := range throttled.Reasons {
			fmt.Println(reason.Reason, reason.HotKey())
		}
	}
	fmt.Println(ddberr.IsRetryable(err))
	// Output:
	// TableWriteKeyRangeThroughputExceeded true
	// true
}
