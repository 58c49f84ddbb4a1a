// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"sync"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// maxCollectionSize is the limit of an item collection of a table with local
// secondary indexes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html
const maxCollectionSize = 10 << 30

// ItemCollectionMetrics is the size of the item collection that a write
// touched.
type ItemCollectionMetrics struct {
	// Key is the partition key of the collection.
	Key value.Item
	// SizeEstimateRangeGB are a lower and an upper bound.
	SizeEstimateRangeGB [2]float64
}

// collections keeps the sizes of item collections: the items with one
// partition key and their entries in local indexes.
type collections struct {
	mu    sync.Mutex
	bytes map[string]int64
}

// add changes the size of a collection.
func (c *collections) add(key string, delta int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := c.bytes[key] + int64(delta)
	if size == 0 {
		delete(c.bytes, key)
		return
	}
	c.bytes[key] = size
}

func (c *collections) size(key string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes[key]
}

// checkCollection refuses a write that makes an item of a full collection grow.
func (e *Engine) checkCollection(a *action, fx *effect) error {
	if a.table.collections == nil || sizeOf(fx.new) <= sizeOf(fx.old) {
		return nil
	}
	grown := int64(sizeOf(fx.new) - sizeOf(fx.old))
	if a.table.collections.size(a.schema.Key.collectionKey(a.key))+grown <= e.collectionSize {
		return nil
	}
	return &Error{Type: ItemCollectionSizeLimitExceededException, Message: "Collection size exceeded."}
}

// metrics returns the metrics of the collection that holds the key, or nil if
// the request does not ask for them or the table has no collections.
func (t *Table) metrics(schema *Schema, key value.Item, mode *string) *ItemCollectionMetrics {
	if t.collections == nil || !is(mode, "SIZE") {
		return nil
	}
	part := make(value.Item, 1)
	for _, a := range schema.Key.Hash {
		part[a.Name] = key[a.Name]
	}
	gigabytes := math.Floor(float64(t.collections.size(schema.Key.collectionKey(key))) / (1 << 30))
	return &ItemCollectionMetrics{Key: part, SizeEstimateRangeGB: [2]float64{gigabytes, gigabytes + 1}}
}
