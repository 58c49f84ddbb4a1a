// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"

	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/core"
)

// WithItemCollections makes writes with the context request the sizes of the item collections that they change. Hooks find
// the sizes in [hooks.Call.ItemCollections]; a hook may itself return such a context from Begin. It costs no units. DynamoDB
// returns sizes only for writes to tables with local indexes.
//
// Repeated calls of [Transact] with the same [Token] must all request sizes, or all not: DynamoDB refuses a token that comes
// again with other parameters.
//
// [WarnCollectionSize] requests sizes with every write of a table, and needs no hook.
func WithItemCollections(ctx context.Context) context.Context {
	s := core.CallOptionsOf(ctx)
	s.Collections = true
	return s.Into(ctx)
}

// WarnCollectionSize calls warn for each item collection that a write changed and that may have more than gb gigabytes, so
// that you notice it before it reaches the 10 GB at which DynamoDB refuses to let it grow:
//
//	ddb.WarnCollectionSize(8, func(c hooks.ItemCollection) {
//		log.Warn("large item collection", "table", c.Table, "partition", c.Partition, "maxGB", c.MaxGB)
//	})
//
// It is for tables with local indexes: for others DynamoDB returns no sizes, and warn is never called. It is refused on a
// table without a sort key, which cannot have local indexes. Every write requests the size, in batches and transactions too;
// this costs no units. warn is called for every reply with a size above gb. There is no size if a write fails, if its reply
// is lost, or if DynamoDB has seen its [Token] before. warn runs on the goroutine of the call, before the call returns, so
// several calls may run it at once. gb is at least 0 and less than 10; with 0, warn is called for every size. Hooks find the
// sizes in [hooks.Call.ItemCollections].
func WarnCollectionSize(gb float64, warn func(hooks.ItemCollection)) TableOption {
	return core.WarnCollectionSizeOption(gb, warn)
}
