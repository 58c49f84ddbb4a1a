// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/tablename"
)

// maxCollectionGB is the limit of an item collection of a table with local indexes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.ItemCollections.SizeLimit
const maxCollectionGB = 10

// WithItemCollections makes writes with the context request the sizes of the item collections that they change. Hooks find
// the sizes in [hooks.Call.ItemCollections]; a hook may itself return such a context from Begin. It costs no units. DynamoDB
// returns sizes only for writes to tables with local indexes.
//
// Repeated calls of [Transact] with the same [Token] must all request sizes, or all not: DynamoDB refuses a token that comes
// again with other parameters.
//
// [WarnCollectionSize] requests sizes with every write of a table, and needs no hook.
func WithItemCollections(ctx context.Context) context.Context {
	s := callOptionsOf(ctx)
	s.collections = true
	return s.into(ctx)
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
	return warnCollectionSizeOption(gb, warn)
}

// collectionMetrics requests the sizes of item collections, if the context or a table of the write wants them. Otherwise
// nothing is sent: DynamoDB's default is NONE.
func (o *callOptions) collectionMetrics(cores []*core) types.ReturnItemCollectionMetrics {
	if o.collections || slices.ContainsFunc(cores, func(c *core) bool { return c.collectionWarn != nil }) {
		return types.ReturnItemCollectionMetricsSize
	}
	return ""
}

// reportCollections returns the item collections of a reply, and warns of those above the limits of their tables.
func (r *replyInfo) reportCollections(cores []*core, info *requestInfo) []hooks.ItemCollection {
	if r.collection == nil && len(r.collections) == 0 {
		return nil
	}
	var (
		all     []hooks.ItemCollection
		written = info.partitions(cores[0])
		seen    = make(map[*core]bool, len(cores))
	)
	for _, c := range cores { // of a transaction, one for each operation
		if seen[c] {
			continue
		}
		seen[c] = true
		for _, found := range r.collectionsOf(c, written) {
			if !slices.Contains(all, found) { // several item types may share a table
				all = append(all, found)
			}
			if c.collectionWarn != nil && found.MaxGB > c.collectionMark {
				c.collectionWarn(found)
			}
		}
	}
	return all
}

// collectionsOf returns the item collections of one table, each once. It leaves out a collection that the request did not
// write to, since the reply then answers another request, and a collection without a size.
func (r *replyInfo) collectionsOf(c *core, written []hooks.PartitionHash) (all []hooks.ItemCollection) {
	table := tablename.Short(c.name)
	add := func(m types.ItemCollectionMetrics) {
		id := itemid.AppendValue(nil, m.ItemCollectionKey[c.keyNames[0]])
		found := hooks.ItemCollection{Table: c.name, Partition: hashOf(table, "", id)}
		if len(m.SizeEstimateRangeGB) != 2 || !slices.Contains(written, found.Partition) {
			return
		}
		found.MinGB, found.MaxGB = m.SizeEstimateRangeGB[0], m.SizeEstimateRangeGB[1]
		if !slices.Contains(all, found) {
			all = append(all, found)
		}
	}
	if r.collection != nil {
		add(*r.collection)
	}
	for name, list := range r.collections {
		if tablename.Short(name) != table {
			continue
		}
		for _, m := range list {
			add(m)
		}
	}
	return all
}

// warnCollectionSizeOption is the option WarnCollectionSize.
//
//go:noinline
func warnCollectionSizeOption(gb float64, warn func(hooks.ItemCollection)) tableOption {
	return tableOption(func(c *core) error {
		var errs []error
		if !(gb >= 0 && gb < maxCollectionGB) { // NaN is neither
			errs = append(errs, fmt.Errorf("option WarnCollectionSize %g: the mark must be 0 or more, and less than the limit of %d GB", gb, maxCollectionGB))
		}
		if warn == nil {
			errs = append(errs, errors.New("option WarnCollectionSize: the function is nil"))
		}
		if len(c.keyNames) == 1 {
			errs = append(errs, errors.New("option WarnCollectionSize: a table without a sort key cannot have local indexes, and DynamoDB says sizes for tables with local indexes only"))
		}
		c.collectionMark, c.collectionWarn = gb, warn
		return errors.Join(errs...)
	})
}
