// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"strconv"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
)

// TransactGetItemsInput holds the parameters of TransactGetItems.
type TransactGetItemsInput struct {
	TransactItems          []TransactGetItem // nil if absent
	ReturnConsumedCapacity *string
}

// TransactGetItem is one read of a transaction.
type TransactGetItem struct {
	Get *TransactGet
}

// TransactGet holds the parameters of a read of a transaction.
type TransactGet struct {
	TableName            *string
	Key                  Attributes
	ProjectionExpression *string
	Placeholders         Placeholders // names only
}

// TransactGetItemsOutput is the result of TransactGetItems.
type TransactGetItemsOutput struct {
	// Responses are the wire forms of the items, nil for one that is absent.
	Responses        [][]byte
	ConsumedCapacity []*ConsumedCapacity
}

// TransactGetItems reads up to 100 items as they are at one moment.
func (e *Engine) TransactGetItems(ctx context.Context, in *TransactGetItemsInput) (*TransactGetItemsOutput, error) {
	if err := in.constraints(); err != nil {
		return nil, err
	}
	reads := make([]*read, len(in.TransactItems))
	for i := range in.TransactItems {
		g := in.TransactItems[i].Get
		r, err := parseRead(&GetItemInput{Key: g.Key, ProjectionExpression: g.ProjectionExpression, Placeholders: g.Placeholders}, opTransactGet)
		if err != nil {
			return nil, err
		}
		reads[i] = r
	}
	keys, err := e.bindReads(reads, in.TransactItems)
	if err != nil {
		return nil, err
	}
	items, err := e.readTogether(ctx, reads, keys)
	if err != nil {
		return nil, err
	}
	images, capacity, err := readImages(reads, items, in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	for i := range images {
		if string(images[i]) == "{}" {
			// Only this operation leaves out an item without any of the attributes:
			// https://github.com/nubo-db/dynoxide/issues/39 and issue 53.
			images[i] = nil
		}
	}
	return &TransactGetItemsOutput{Responses: images, ConsumedCapacity: capacity}, nil
}

// readImages returns what a transaction has read, in wire form, and what it cost.
func readImages(reads []*read, items []*storage.Item, capacity *string) (images [][]byte, consumed []*ConsumedCapacity, err error) {
	images = make([][]byte, len(reads))
	var ms meters
	for i, r := range reads {
		if images[i], err = r.image(items[i]); err != nil {
			return nil, nil, err
		}
		ms.of(r.table).addTable(2 * readCost(sizeOf(items[i]), true))
	}
	return images, ms.report(capacity, readUnits), nil
}

// transactItems checks the number of actions of a transaction.
func (c *constraints) transactItems(n int, shown func() string) {
	switch {
	case n == 0:
		c.fail("transactItems", "[]", false, "Member must have length greater than or equal to 1")
	case n > maxTransactItems:
		c.fail("transactItems", shown(), false, "Member must have length less than or equal to "+strconv.Itoa(maxTransactItems))
	}
}

func (in *TransactGetItemsInput) constraints() error {
	var c constraints
	if c.required("transactItems", in.TransactItems != nil) {
		c.transactItems(len(in.TransactItems), in.print)
	}
	for i, item := range in.TransactItems {
		path := member("transactItems", i) + ".get"
		if c.required(path, item.Get != nil) {
			c.required(path+".key", item.Get.Key.Present)
			c.tableName(path+".tableName", item.Get.TableName)
		}
	}
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	return c.err()
}

func (in *TransactGetItemsInput) print() string {
	keys := make([]Attributes, len(in.TransactItems))
	for i, item := range in.TransactItems {
		if item.Get != nil {
			keys[i] = item.Get.Key
		}
	}
	return printKeys(keys)
}

// bindReads finds the tables of the reads; see bindTransaction.
func (e *Engine) bindReads(reads []*read, items []TransactGetItem) ([]tableKey, error) {
	for i, r := range reads {
		if err := e.bindRead(r, items[i].Get.TableName); err != nil {
			return nil, cancelledBy(err, i, len(reads))
		}
	}
	keys, seen := make([]tableKey, len(reads)), make(map[tableKey]bool, len(reads))
	for i, r := range reads {
		keys[i] = tableKey{r.table, r.storeKey}
		if seen[keys[i]] {
			return nil, errDuplicateActions
		}
		seen[keys[i]] = true
	}
	return keys, nil
}

// readTogether reads the items at one moment. It fails with a conflict if a transaction is about
// to write one of them.
func (e *Engine) readTogether(ctx context.Context, reads []*read, keys []tableKey) ([]*storage.Item, error) {
	reasons, failed := make([]CancellationReason, len(reads)), false
	note := func(i int, err error) error {
		reason, ok := reasonOf(err)
		if !ok {
			return err
		}
		reasons[i], failed = reason, true
		return nil
	}
	for i, r := range reads {
		if err := e.admit(ctx, r.access()); err != nil {
			if err := note(i, err); err != nil {
				return nil, err
			}
		}
	}
	uses := e.allowancesOf(keys)
	items, size := make([]*storage.Item, len(reads)), 0
	locks := partitionsOfKeys(keys)
	for _, p := range locks {
		p.RLock()
		defer p.RUnlock()
	}
	defer uses.lock()()
	for i, k := range keys {
		p := k.table.items.Partition(k.key)
		if p.Marked(k.key) {
			if err := note(i, transactionConflict()); err != nil {
				return nil, err
			}
		}
		items[i] = p.Get(k.key)
		if use := uses.of(k.table); use != nil && reasons[i].Code == "" {
			if err := use.read(k.key, transactionTimes*readCost(sizeOf(items[i]), true)); err != nil {
				if err := note(i, err); err != nil {
					return nil, err
				}
			}
		}
		size += sizeOf(items[i])
	}
	if failed {
		return nil, cancelled(reasons)
	}
	if size > maxTransactBytes {
		return nil, invalid("The aggregate size of the items in the transaction exceeded the limit of 4 MB")
	}
	return items, nil
}
