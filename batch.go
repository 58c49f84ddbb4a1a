// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"time"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/core"
)

// BatchOption is an option of the batch writes.
type BatchOption interface{ ApplyBatch(*core.BatchCall) }

func batchOptions(opts []BatchOption) (call core.BatchCall) {
	for _, o := range opts {
		if o != nil {
			o.ApplyBatch(&call)
		}
	}
	return call
}

// BatchStats reports what a batch or a transaction did. Pass one to the call with [StatsTo].
type BatchStats struct {
	// Done is the number of inputs that were certainly read, written or deleted.
	Done int
	// Requests is the number of requests that DynamoDB answered, without the SDK's own retries. A cancelled transaction
	// counts, since it is billed. The ledger counts the same.
	Requests int
	// Retries is the number of requests that sent again what DynamoDB had left unprocessed or had throttled.
	Retries int
	// Elapsed is the time that the call took.
	Elapsed time.Duration
	// Consumed is the capacity that it consumed; zero without capacity counting.
	Consumed cost.Consumed
}

// StatsTo stores in dst what a batch or a transaction did, after success and after failure:
//
//	var stats ddb.BatchStats
//	err := events.BatchPut(ctx, list, ddb.StatsTo(&stats))
//
// Read dst when the call, or the loop over its results, has ended. Get and Exists do
// not fill it.
func StatsTo(dst *BatchStats) interface {
	BatchOption
	GetOption
	TxOp
	TxRead
} {
	return core.StatsOption{Dst: (*core.BatchStats)(dst)}
}
