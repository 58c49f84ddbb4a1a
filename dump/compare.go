// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawtable"
)

// Kind is how an item differs.
type Kind string

// The kinds of differences between items and a table.
const (
	Missing Kind = "missing" // the table lacks the item
	Changed Kind = "changed" // the table has another item of this key
	Extra   Kind = "extra"   // the table has an item that is not among those given
)

// Difference is an item that is not the same on both sides. It prints its kind alone.
type Difference struct {
	Kind Kind
	Key  ddb.Key[ddb.RawValue, ddb.RawValue]
	// Item is the one given, and Stored the one of the table; that which is not there has no attributes.
	Item, Stored ddb.RawItem
}

// Format prints the kind, whatever the verb.
func (d Difference) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "dump.Difference %s", string(d.Kind))
}

// Compare compares items with a table, by their keys and by what is stored, whatever the order of attributes and of sets: an export, or another table.
//
//	for d, err := range dump.Compare(ctx, dump.Items[ddb.RawItem](ctx, src), table) { ... }
//	for d, err := range dump.Compare(ctx, other.Scan().All(ctx), table) { ... }
//
// The items are read from the table in batches, consistently, at a read unit for each 4 KB; then the table is scanned for items that were not among
// them. It keeps a hash of each key, of 32 bytes, until it ends. An error of items is yielded, and the loop may go on if they go on behind it; one of the table ends
// the comparison. It reports to package progress: the items compared, the differences of each kind, and how many items were scanned.
func Compare(ctx context.Context, items iter.Seq2[ddb.RawItem, error], with *rawtable.Table) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		if items == nil || with == nil || with.RawTable == nil {
			yield(Difference{}, fmt.Errorf("dump: Compare: %w", invalid("the items or the table are nil")))
			return
		}
		ctx, task := progress.Start(ctx, "comparison with "+with.Name())
		defer task.Stop("its loop was left") // unless it has ended before
		c := &comparison{table: with, seen: map[[sha256.Size]byte]struct{}{}, task: task}
		c.yield = func(d Difference, err error) bool {
			if err == nil {
				task.Count(string(d.Kind), 1)
			} else if c.failed == nil {
				c.failed = err
			}
			return yield(d, err)
		}
		for item, err := range items {
			if err != nil {
				if !c.yield(Difference{}, err) {
					task.End(err)
					return
				}
				continue
			}
			if c.batch = append(c.batch, item); len(c.batch) == readBatch && !c.compare(ctx) {
				return
			}
		}
		if c.compare(ctx) && c.extra(ctx) || c.failed != nil {
			task.End(c.failed)
		}
	}
}

const readBatch = 100 // of BatchGetItem

type comparison struct {
	table *rawtable.Table
	batch []ddb.RawItem
	seen  map[[sha256.Size]byte]struct{}
	yield func(Difference, error) bool

	task   *progress.Task
	failed error // the first
}

func hashOf(k rawKey) [sha256.Size]byte {
	return sha256.Sum256(append(append(k.Partition.JSON(), 0), k.Sort.JSON()...))
}

// compare compares the items collected.
func (c *comparison) compare(ctx context.Context) bool {
	keys := make([]rawKey, len(c.batch))
	for i := range c.batch {
		keys[i] = c.table.KeyOf(&c.batch[i])
	}
	got, err := c.table.BatchGet(ctx, keys, ddb.Consistent())
	if err != nil {
		c.yield(Difference{}, fmt.Errorf("dump: Compare with table %s: %w", c.table.Name(), err))
		return false
	}
	for i, g := range got {
		if g.Found {
			stored := c.table.KeyOf(&g.Item) // as the table spells it
			c.seen[hashOf(stored)] = struct{}{}
		}
		d := Difference{Key: keys[i], Item: c.batch[i], Stored: g.Item}
		switch {
		case !g.Found:
			d.Kind = Missing
		case !g.Item.Equal(c.batch[i]):
			d.Kind = Changed
		default:
			continue
		}
		if !c.yield(d, nil) {
			return false
		}
	}
	c.task.Items(int64(len(c.batch)))
	c.batch = c.batch[:0]
	return true
}

// extra finds items of the table that were not among those given. It reports whether the loop goes on.
func (c *comparison) extra(ctx context.Context) bool {
	for item, err := range c.table.Scan().All(ctx) {
		if err != nil {
			c.yield(Difference{}, fmt.Errorf("dump: Compare with table %s: %w", c.table.Name(), err))
			return false
		}
		c.task.Count("scanned", 1)
		key := c.table.KeyOf(&item)
		if _, ok := c.seen[hashOf(key)]; ok {
			continue
		}
		if !c.yield(Difference{Kind: Extra, Key: key, Stored: item}, nil) {
			return false
		}
	}
	return true
}
