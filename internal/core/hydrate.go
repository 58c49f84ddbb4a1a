// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/replykey"
)

// tableKeys holds the keys of the items that index entries refer to, in wire form, and the entries themselves, in two
// allocations.
type tableKeys struct {
	keys, entries []byte
	ends          [][2]int // of each in both
}

// add adds the key of an entry; about more others will follow.
func (k *tableKeys) add(c *Table, entry []byte, more int) error {
	values, err := replykey.Find(entry, c.KeyNames)
	if err != nil {
		return err
	}
	for i := range c.keyAttrs {
		if values[i] == nil {
			return replykey.ErrNoKey
		}
		k.keys = append(append(k.keys, c.keyAttrs[i].head...), values[i]...)
	}
	k.keys = append(k.keys, '}')
	k.entries = append(k.entries, entry...)
	if len(k.ends) == 0 && more > 0 {
		k.keys, k.entries = slices.Grow(k.keys, more*(len(k.keys)+keySlack)), slices.Grow(k.entries, more*(len(k.entries)+keySlack))
		k.ends = make([][2]int, 0, more+1)
	}
	k.ends = append(k.ends, [2]int{len(k.keys), len(k.entries)})
	return nil
}

// begin returns where the i-th key and entry begin.
func (k *tableKeys) begin(i int) [2]int {
	if i == 0 {
		return [2]int{}
	}
	return k.ends[i-1]
}

// cut keeps the first n.
func (k *tableKeys) cut(n int) {
	at := k.begin(n)
	k.keys, k.entries, k.ends = k.keys[:at[0]], k.entries[:at[1]], k.ends[:n]
}

// append appends the i-th key.
func (k *tableKeys) append(data []byte, i int) ([]byte, error) {
	return append(data, k.keys[k.begin(i)[0]:k.ends[i][0]]...), nil
}

func (k *tableKeys) entry(i int) []byte { return k.entries[k.begin(i)[1]:k.ends[i][1]] }

// hydrate reads the items of the keys in the sink. After an error the page has the items before the first that could not be
// read, and next continues after them.
func hydrate(ctx context.Context, s *rowSink, page *PageData, start, next map[string]types.AttributeValue, err error) (map[string]types.AttributeValue, error) {
	if err != nil {
		return start, err
	}
	n := len(s.keys.ends)
	if n == 0 {
		return next, nil
	}
	c := s.read.Core
	s.items.Grow(n)
	s.items.SetLen(n)
	b := &batchGetter{
		batch: batch{core: c, op: "BatchGetItem", start: time.Now()},
		got:   results{list: s.items.Addr().Interface(), found: make([]bool, n)},
		mixed: s.read.mixed,
	}
	if err = b.prepare(n, s.keys.append, ReadCall{project: s.read.project, expired: s.read.expired}); err != nil {
		s.items.SetLen(0)
		return start, s.read.Fail(err)
	}
	err = b.run(ctx, b.unique, b.sendKeys)
	page.book(b.stats.Requests, b.stats.Consumed)
	kept, missing := 0, 0
	defer func() {
		s.items.SetLen(kept)
		hidden := min(int(b.hidden.Load()), missing) // also of requests after a failed one
		page.Hidden += hidden
		page.Missing += missing - hidden
	}()
	for i := range n {
		if b.entries[i].failed() {
			if i == 0 {
				return start, err
			}
			behind, bad := s.text.position(s.read, s.keys.entry(i-1))
			return behind, errors.Join(err, bad)
		}
		if !b.got.isFound(i) {
			if !b.entries[i].first().other {
				missing++
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

// Hydrated makes a read of an index return whole items: those of a global index are read from the table, in batches.
func (r *Read) Hydrated() *Read {
	r = r.Changed()
	switch {
	case r.ready == nil || r.Core.Usable() != nil: // whose terminals refuse it
	case r.Index == nil:
		r.errs = append(slices.Clip(r.errs), errors.New("Hydrate: the items of a table are whole; it is for queries and scans of an index")) //nolint:staticcheck // the method's name
	default:
		r.fromTable, r.wholeItems = r.Index.global, !r.Index.global
	}
	return r
}

// fetches reports whether DynamoDB also reads each item from the table, since the local index does not hold everything that
// is read.
func (r *Read) fetches() bool { return r.ready != nil && r.ready.fetches }

// fetchesAny is fetches for a projection.
func (r *Read) fetchesAny(paths []expr.Path) bool {
	if r.Index == nil || r.Index.global || r.Index.projection == types.ProjectionTypeAll {
		return false
	}
	if len(paths) == 0 {
		return r.wholeItems
	}
	return slices.ContainsFunc(paths, func(p expr.Path) bool { return !r.Index.stores(r.Core, p[0].Name) })
}

// failed reports whether the entry, or the one that was read in its place, was not read.
func (e *batchEntry) failed() bool { return e.first().err != nil }

// first returns the entry that is read for all entries with its key.
func (e *batchEntry) first() *batchEntry {
	for e.winner != nil {
		e = e.winner
	}
	return e
}
