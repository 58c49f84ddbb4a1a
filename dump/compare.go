// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
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

// Difference is an item that is not the same on both sides. It prints only its kind.
type Difference struct {
	Kind Kind
	Key  ddb.Key[rawitem.Value, rawitem.Value]
	// Item is the one given, and Stored the one of the table; that which is not there has no attributes.
	Item, Stored rawitem.Item
}

// Format prints the kind, whatever the verb.
func (d Difference) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "dump.Difference %s", string(d.Kind))
}

// Compare compares items with a table, by their keys and by what is stored, whatever the order of attributes and of sets.
//
//	for d, err := range dump.Compare(ctx, mine, table) { ... }
//
// The items are read from the table in batches, consistently, at a read unit for each 4 KB; then the table is scanned for items that were not among
// them. It keeps a hash of each key, of 32 bytes, until it ends. An error of items is yielded, and the loop may go on if they go on behind it; one of the table ends
// the comparison. It reports to package progress: the items compared, the differences of each kind, and how many items were scanned.
//
// It cannot be resumed: [CompareTables] and [CompareExport] can.
func Compare(ctx context.Context, items iter.Seq2[rawitem.Item, error], with *rawtable.Table) iter.Seq2[Difference, error] {
	return compare(ctx, "Compare", with, nil, func(c *comparison) error {
		if items == nil {
			return invalid("the items are nil")
		}
		c.given = func(ctx context.Context) bool {
			for item, err := range items {
				if err != nil {
					if !c.yield(Difference{}, err) {
						return false
					}
					continue
				}
				if c.batch = append(c.batch, item); len(c.batch) == readBatch && !c.compare(ctx, "") {
					return false
				}
			}
			return c.compare(ctx, "")
		}
		return nil
	})
}

// CompareExport compares the items of a full export with a table, as [Compare] does, and can be resumed: of the options it obeys [From] and [OnPosition].
//
// A position counts the differences whose loop body has ended, in steps of at most 100 items. A loop that was ended by an error of the table yields each difference once in all its
// runs together; one that was killed, or left in its body, yields again what differs among at most 100 items. A resumed comparison reads the export from its beginning, for the keys that the first run
// has read; it reads from the table only what is left. A position of another export or another table is refused, also if it has the same name.
//
// A bad line and a damaged file are yielded as by [Items], again in each run, and the loop may go on behind them; other errors end it.
func CompareExport(ctx context.Context, src *Source, with *rawtable.Table, opts ...Option) iter.Seq2[Difference, error] {
	return compare(ctx, "CompareExport", with, opts, func(c *comparison) error {
		if src == nil || src.Incremental() {
			return notFull(src)
		}
		c.at = newPosition("comparison of "+src.identity()+" with "+tableIdentity(with), 2)
		c.given = func(ctx context.Context) bool { return c.export(ctx, src) }
		return nil
	})
}

// CompareTables compares the items of a table with another one, as [Compare] does, and can be resumed: of the options it obeys [From] and [OnPosition]. The tables must have
// equal keys. The first is scanned eventually consistent, at half a read unit for each 4 KB.
//
// Positions are those of [CompareExport]. A resumed comparison has no hashes of the keys that earlier runs have read of the first table. It looks up there, consistently, each key
// of the second table that it has not read itself, to know whether the item is extra: that costs a read unit for each 4 KB of these items, at least one for each. It therefore costs most to resume a
// comparison near its end; then it may be cheaper to compare from the beginning.
func CompareTables(ctx context.Context, from, with *rawtable.Table, opts ...Option) iter.Seq2[Difference, error] {
	return compare(ctx, "CompareTables", with, opts, func(c *comparison) error {
		if from == nil || from.RawTable == nil {
			return invalid("the table that is read is nil")
		}
		if err := sameKeys(from.Keys(), with.Keys()); err != nil {
			return err
		}
		c.at = newPosition("comparison of "+tableIdentity(from)+" with "+tableIdentity(with), 2)
		c.given = func(ctx context.Context) bool {
			return c.batches(ctx, from, givenPart, func(list []rawitem.Item, next string) bool {
				c.batch = list
				return c.compare(ctx, next)
			})
		}
		c.has = func(ctx context.Context, keys []rawKey) ([]ddb.Got[rawitem.Item], error) {
			return from.BatchGet(ctx, keys, ddb.Consistent())
		}
		return nil
	})
}

// tableIdentity is one table, and no other that is created later with its name.
func tableIdentity(t *rawtable.Table) string {
	d := t.Description()
	return fmt.Sprintf("%s %s %d", aws.ToString(d.TableArn), aws.ToString(d.TableId), aws.ToTime(d.CreationDateTime).UnixMilli())
}

// The parts of the position of a comparison: the items given, and the table with which they are compared.
const (
	givenPart = iota
	tablePart
)

const readBatch = 100 // of BatchGetItem

type comparison struct {
	settings
	name  string
	table *rawtable.Table
	given func(context.Context) bool // compares the items given, and reports whether the loop goes on
	batch []rawitem.Item             // of them, to be compared
	seen  map[[sha256.Size]byte]struct{}
	// has reads items of the table that is given. It is used if other runs have read a part of that table, whose keys are not in seen.
	has     func(context.Context, []rawKey) ([]ddb.Got[rawitem.Item], error)
	resumed bool
	at      *position // nil if it cannot be resumed
	yield   func(Difference, error) bool

	task   *progress.Task
	failed error // the first
}

// compare runs a comparison that prepare makes whole.
func compare(ctx context.Context, name string, with *rawtable.Table, opts []Option, prepare func(*comparison) error) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		c := &comparison{name: name, table: with, seen: map[[sha256.Size]byte]struct{}{}}
		var err error
		if c.settings, err = settingsOf(opts); err == nil && (with == nil || with.RawTable == nil) {
			err = invalid("the table is nil")
		}
		if err == nil {
			err = prepare(c)
		}
		if err == nil && c.at != nil {
			err = c.at.resume(c.position)
			c.resumed = c.at.at(givenPart) != "" || c.at.isDone(givenPart)
		}
		if err != nil {
			yield(Difference{}, fmt.Errorf("dump: %s: %w", name, err))
			return
		}
		ctx, task := progress.Start(ctx, "comparison with "+with.Name())
		defer task.Stop("its loop was left") // unless it has ended before
		c.task = task
		c.yield = func(d Difference, err error) bool {
			if err == nil {
				task.Count(string(d.Kind), 1)
			} else if c.failed == nil {
				c.failed = err
			}
			return yield(d, err)
		}
		if c.at != nil {
			task.Position(c.at.String)
			c.reportPosition()
		}
		if c.given(ctx) && c.extra(ctx) || c.failed != nil {
			task.End(c.failed)
		}
	}
}

func (c *comparison) reportPosition() {
	if c.onPosition != nil {
		c.onPosition(c.at.String)
	}
}

// advance says that a part is done up to a place; the empty text is its end.
func (c *comparison) advance(part int, to string) {
	if c.at != nil {
		c.at.advance(part, to, to == "")
		c.reportPosition()
	}
}

// stop yields an error of a table, which ends the comparison.
func (c *comparison) stop(err error) bool {
	c.yield(Difference{}, fmt.Errorf("dump: %s with table %s: %w", c.name, c.table.Name(), err))
	return false
}

// remember keeps a key that was among the items given. A key has one hash however its text is written in an export: with escapes, or as 1 and 1.0.
func (c *comparison) remember(k rawKey) error {
	hash, err := hashOf(k)
	c.seen[hash] = struct{}{}
	return err
}

func hashOf(k rawKey) (sum [sha256.Size]byte, err error) {
	var b []byte
	for _, v := range []rawitem.Value{k.Partition, k.Sort} {
		if v.IsZero() { // a table without sort key
			continue
		}
		value, err := v.Value()
		if err != nil {
			return sum, err
		}
		switch value := value.(type) {
		case *types.AttributeValueMemberS:
			b = append(binary.AppendUvarint(append(b, 'S'), uint64(len(value.Value))), value.Value...)
		case *types.AttributeValueMemberB:
			b = append(binary.AppendUvarint(append(b, 'B'), uint64(len(value.Value))), value.Value...)
		case *types.AttributeValueMemberN: // at most 38 digits and an exponent of -130 to 125, which raw values are checked for
			n, ok := new(big.Rat).SetString(value.Value)
			if !ok {
				return sum, errors.New("a key is no number")
			}
			b = append(append(append(b, 'N'), n.String()...), 0)
		default:
			return sum, errors.New("a key is no text, number or binary value")
		}
	}
	return sha256.Sum256(b), nil
}

// export compares the items of an export behind the position, and remembers the keys before it.
func (c *comparison) export(ctx context.Context, src *Source) bool {
	file, line := src.place(c.at.at(givenPart))
	if c.at.isDone(givenPart) {
		file = len(src.files)
	}
	for i, f := range src.files {
		goOn := src.eachRecord(ctx, f, 0, func(r Record, err error) bool {
			switch {
			case err != nil:
				return c.yield(Difference{}, err) && canContinue(err)
			case i < file || i == file && r.Line <= line:
				if err := c.remember(c.table.KeyOf(&r.New)); err != nil {
					return c.stop(err)
				}
				return true
			}
			c.batch = append(c.batch, r.New)
			return len(c.batch) < readBatch || c.compare(ctx, fmt.Sprintf("%d %d", i, r.Line))
		})
		if !goOn {
			return false
		}
		if i < file {
			continue
		}
		if !c.compare(ctx, fmt.Sprintf("%d 0", i+1)) {
			return false
		}
	}
	if !c.at.isDone(givenPart) {
		c.advance(givenPart, "")
	}
	return true
}

// place reads where in the export a comparison is.
func (s *Source) place(text string) (file, line int) {
	_, _ = fmt.Sscanf(text, "%d %d", &file, &line) // empty at the beginning
	return file, line
}

// batches reads a table behind the position, in batches, and gives each with the position behind it. It reports whether the loop goes on.
func (c *comparison) batches(ctx context.Context, t *rawtable.Table, part int, do func(list []rawitem.Item, next string) bool) bool {
	start := ""
	if c.at != nil {
		if c.at.isDone(part) {
			return true
		}
		start = c.at.at(part)
	}
	after, err := t.ParseCursor(start)
	if err != nil {
		return c.stop(err)
	}
	scan := t.Scan()
	for page, err := range scan.After(after).Pages(ctx) {
		if err != nil {
			return c.stop(err)
		}
		for batch := range slices.Chunk(page.Items, readBatch) {
			next := page.Next
			if last := &batch[len(batch)-1]; last != &page.Items[len(page.Items)-1] {
				if next, err = ddb.CursorAfter(scan, last); err != nil {
					return c.stop(err)
				}
			}
			if !do(batch, next.String()) {
				return false
			}
		}
	}
	if c.at != nil && !c.at.isDone(part) {
		c.advance(part, "")
	}
	return true
}

// compare compares the items collected, and moves the position behind them.
func (c *comparison) compare(ctx context.Context, next string) bool {
	if len(c.batch) > 0 && !c.compareBatch(ctx) {
		return false
	}
	c.batch = c.batch[:0]
	c.advance(givenPart, next)
	return true
}

func (c *comparison) compareBatch(ctx context.Context) bool {
	keys := make([]rawKey, len(c.batch))
	for i := range c.batch {
		keys[i] = c.table.KeyOf(&c.batch[i])
	}
	got, err := c.table.BatchGet(ctx, keys, ddb.Consistent())
	if err != nil {
		return c.stop(err)
	}
	for i, g := range got {
		if err := c.remember(keys[i]); err != nil {
			return c.stop(err)
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
	return true
}

// extra finds items of the table that were not among those given. It reports whether the loop goes on.
func (c *comparison) extra(ctx context.Context) bool {
	return c.batches(ctx, c.table, tablePart, func(list []rawitem.Item, next string) bool {
		c.task.Count("scanned", int64(len(list)))
		var items []rawitem.Item
		var keys []rawKey
		for i := range list {
			key := c.table.KeyOf(&list[i])
			hash, err := hashOf(key)
			if err != nil {
				return c.stop(err)
			}
			if _, ok := c.seen[hash]; !ok {
				items, keys = append(items, list[i]), append(keys, key)
			}
		}
		found := make([]ddb.Got[rawitem.Item], len(keys))
		if c.resumed && c.has != nil && len(keys) > 0 {
			var err error
			if found, err = c.has(ctx, keys); err != nil {
				return c.stop(err)
			}
		}
		for i := range keys {
			if !found[i].Found && !c.yield(Difference{Kind: Extra, Key: keys[i], Stored: items[i]}, nil) {
				return false
			}
		}
		c.advance(tablePart, next)
		return true
	})
}
