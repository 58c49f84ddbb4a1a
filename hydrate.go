// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// Hydrate reads the whole items from the table, by the keys that the index gives,
// in batches of up to 100. The items come in the order of the index.
//
// The index is updated after the table: an item may be gone, which [Page.Missing]
// counts, or no longer fit the key condition or the filter. The limit counts
// entries of the index, so with missing items there are fewer than it says.
// [Project] then chooses among all attributes; the filter still sees only those
// that the index holds.
//
// It costs the query on the index, of its keys only to transfer but as much to
// read, and each item as much as by Get.
func (q *IndexQuery[T, SK]) Hydrate() *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*read)(q).hydrated())
}

// Hydrate reads the whole items from the table; see [IndexQuery.Hydrate].
func (s *IndexScan[T]) Hydrate() *IndexScan[T] {
	return (*IndexScan[T])((*read)(s).hydrated())
}

func (r *read) hydrated() *read {
	r = r.changed()
	r.fromTable = true
	return r
}

// hydrate gets the items of the keys in the sink. After an error the page has the
// items before the first that could not be read, and next is behind them.
func hydrate(ctx context.Context, s *rowSink, page *pageData, start, next map[string]types.AttributeValue, err error) (map[string]types.AttributeValue, error) {
	if err != nil {
		return start, err
	}
	if len(s.keys) == 0 {
		return next, nil
	}
	c := s.read.core
	n := len(s.keys)
	s.items.Grow(n)
	s.items.SetLen(n)
	b := &batchGetter{
		batch: batch{core: c, op: "BatchGetItem", start: time.Now()},
		got:   results{list: s.items, found: make([]bool, n)},
		mixed: s.read.mixed,
	}
	if err = b.prepare(n, s.appendTableKey, readCall{project: s.read.project, expired: s.read.expired}); err != nil {
		s.items.SetLen(0)
		return start, s.read.fail(err)
	}
	err = b.run(ctx, b.unique, b.sendKeys)
	page.book(b.stats.Requests, b.stats.Consumed)
	page.hidden += int(b.hidden.Load())
	page.missing -= int(b.hidden.Load())
	kept := 0
	defer func() { s.items.SetLen(kept) }()
	for i := range n {
		if b.entries[i].failed() {
			if i == 0 {
				return start, err
			}
			return s.keys[i-1], err
		}
		if !b.got.isFound(i) {
			if !b.entries[i].first().other {
				page.missing++
			}
			continue
		}
		if kept < i {
			s.items.Index(kept).Set(s.items.Index(i))
		}
		kept++
	}
	return next, err
}

// appendTableKey appends the table's part of the i-th key in wire form.
func (s *rowSink) appendTableKey(data []byte, i int) ([]byte, error) {
	key := make(map[string]types.AttributeValue, 2)
	for _, name := range s.read.core.keyNames {
		key[name] = s.keys[i][name]
	}
	return codec.AppendItemMap(data, key)
}

// failed reports whether the entry, or the one that stands for it, was not read.
func (e *batchEntry) failed() bool { return e.first().err != nil }

// first is the entry that stands for all with its key.
func (e *batchEntry) first() *batchEntry {
	for e.winner != nil {
		e = e.winner
	}
	return e
}
