// SPDX-License-Identifier: Apache-2.0

package core

import (
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

// WarnCollectionSizeOption is the option ddb.WarnCollectionSize.
//
//go:noinline
func WarnCollectionSizeOption(gb float64, warn func(hooks.ItemCollection)) TableOption {
	return TableOption(func(c *Table) error {
		var errs []error
		if !(gb >= 0 && gb < maxCollectionGB) { // NaN is neither
			errs = append(errs, fmt.Errorf("option WarnCollectionSize %g: the mark must be 0 or more, and less than the limit of %d GB", gb, maxCollectionGB))
		}
		if warn == nil {
			errs = append(errs, errors.New("option WarnCollectionSize: the function is nil"))
		}
		if len(c.KeyNames) == 1 {
			errs = append(errs, errors.New("option WarnCollectionSize: a table without a sort key cannot have local indexes, and DynamoDB says sizes for tables with local indexes only"))
		}
		c.collectionMark, c.collectionWarn = gb, warn
		return errors.Join(errs...)
	})
}

// collectionMetrics requests the sizes of item collections, if the context or a table of the write wants them. Otherwise
// nothing is sent: DynamoDB's default is NONE.
func (o *CallOptions) collectionMetrics(cores []*Table) types.ReturnItemCollectionMetrics {
	if o.Collections || slices.ContainsFunc(cores, func(c *Table) bool { return c.collectionWarn != nil }) {
		return types.ReturnItemCollectionMetricsSize
	}
	return ""
}

// reportCollections returns the item collections of a reply, and warns of those above the limits of their tables.
func (r *replyInfo) reportCollections(cores []*Table, info *requestInfo) []hooks.ItemCollection {
	if r.collection == nil && len(r.collections) == 0 {
		return nil
	}
	var (
		all     []hooks.ItemCollection
		written = info.partitions(cores[0])
		seen    = make(map[*Table]bool, len(cores))
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
func (r *replyInfo) collectionsOf(c *Table, written []hooks.PartitionHash) (all []hooks.ItemCollection) {
	table := tablename.Short(c.Name)
	add := func(m types.ItemCollectionMetrics) {
		id := itemid.AppendValue(nil, m.ItemCollectionKey[c.KeyNames[0]])
		found := hooks.ItemCollection{Table: c.Name, Partition: hashOf(table, "", id)}
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
