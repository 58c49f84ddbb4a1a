// SPDX-License-Identifier: Apache-2.0

// Package collection watches the sizes of item collections: all items with one partition key, in a table and its local indexes.
// A table with local indexes takes at most 10 GB in each.
//
//	orders, err := ddb.New(client, "orders", orderCustomer, orderID,
//		collection.Warn(8, func(c hooks.ItemCollection) { slog.Warn("large item collection", "table", c.Table, "partition", c.Partition) }))
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.ItemCollections
package collection

import (
	"context"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/core"
)

// Report makes writes with the context request the sizes of the item collections that they change. Hooks find
// the sizes in [hooks.Call.ItemCollections]; a hook may itself return such a context from Begin. It costs no units. DynamoDB
// returns sizes only for writes to tables with local indexes.
//
// Repeated calls of [ddb.Transact] with the same [ddb.Token] must all request sizes, or all not: DynamoDB refuses a token that comes
// again with other parameters.
//
// [Warn] requests sizes with every write of a table, and needs no hook.
func Report(ctx context.Context) context.Context {
	s := core.CallOptionsOf(ctx)
	s.Collections = true
	return s.Into(ctx)
}

// Warn calls warn for each item collection that a write changed and that may have more than gb gigabytes, so
// that you notice it before it reaches the 10 GB at which DynamoDB refuses to let it grow:
//
//	collection.Warn(8, func(c hooks.ItemCollection) {
//		log.Warn("large item collection", "table", c.Table, "partition", c.Partition, "maxGB", c.MaxGB)
//	})
//
// It is for tables with local indexes: for others DynamoDB returns no sizes, and warn is never called. It is refused on a
// table without a sort key, which cannot have local indexes. Every write requests the size, in batches and transactions too;
// this costs no units. warn is called for every reply with a size above gb. There is no size if a write fails, if its reply
// is lost, or if DynamoDB has seen its [ddb.Token] before. warn runs on the goroutine of the call, before the call returns, so
// several calls may run it at once. gb is at least 0 and less than 10; with 0, warn is called for every size. Hooks find the
// sizes in [hooks.Call.ItemCollections].
func Warn(gb float64, warn func(hooks.ItemCollection)) ddb.TableOption {
	return core.WarnCollectionSizeOption(gb, warn)
}
