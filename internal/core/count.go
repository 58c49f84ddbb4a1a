// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"sync"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/prefetch"
	"github.com/dynamotable/ddb/internal/replykey"
	"github.com/dynamotable/ddb/internal/wire"
)

// readCount counts by pages without items.
func readCount(ctx context.Context, r *Read, seg Segment) (int, error) {
	r = r.onePage().counting().endToEnd()
	t, err := r.Text()
	if err != nil {
		return 0, r.Fail(err)
	}
	rows := r.counted()
	n, start := 0, r.after.From()
	for {
		f, err := r.fetch(ctx, t, start, r.size(r.limit-n), seg, rows)
		if err != nil {
			if seg.Total == 0 {
				resumable(err, CursorAt(r, t, start).String)
			}
			return n, err
		}
		if own, ok := rows.(*countRows); ok {
			f.count = own.n
		}
		n += f.count
		if r.limit > 0 && n >= r.limit {
			return r.limit, nil
		}
		if start = f.last; start == nil {
			return n, nil
		}
	}
}

func countParallel(ctx context.Context, r *Read) (int, error) {
	r = r.whole()
	if _, err := r.Text(); err != nil {
		return 0, r.Fail(err)
	}
	var (
		mu  sync.Mutex
		sum int
	)
	err := eachSegment(ctx, r, func(ctx context.Context, seg Segment) error {
		n, err := readCount(ctx, r, seg)
		mu.Lock()
		defer mu.Unlock()
		sum += n
		return err
	})
	prefetch.Repanic(err)
	if r.limit > 0 {
		sum = min(sum, r.limit)
	}
	return sum, err
}

// Count counts the items of the read, by pages without items; those of a parallel scan segment by segment.
func (r *Read) Count(ctx context.Context) (int, error) {
	if r = r.endless(); r != nil && r.segments > 1 {
		return countParallel(ctx, r)
	}
	return readCount(ctx, r, Segment{})
}

// countRows counts the items that a read would return.
type countRows struct {
	read  *Read
	check replykey.Query
	n     int

	expiry *expiry // nil if expired items are counted
}

func (c *countRows) Reset(int) { c.n = 0 }

func (c *countRows) Row(d *codec.Decoder) error {
	own, err := c.read.takes(d)
	if err == nil && !own && c.read.mixed != nil {
		err = c.read.mixed.unknownError()
	}
	if err != nil {
		return err
	}
	hidden, err := c.expiry.hides(d)
	if err != nil {
		return err
	}
	raw, err := d.Raw()
	if err == nil {
		err = c.check.Find(raw)
	}
	if err == nil && own && !hidden {
		c.n++
	}
	return err
}

// counting returns the read of a count. It needs only the attributes that items are recognised by, and the time to live.
func (r *Read) counting() *Read {
	if r == nil || r.ready == nil || r.Core.Usable() != nil || len(r.entities()) == 0 && !r.hides() {
		return r
	}
	r = r.Changed()
	r.bare, r.fromTable, r.wholeItems = true, false, false
	return r
}

// counted returns the rows of a count: nil if the service can count the items itself.
func (r *Read) counted() wire.Rows {
	if len(r.entities()) == 0 && !r.hides() {
		return nil
	}
	c := &countRows{read: r, expiry: r.expiry()}
	c.check.Init(r.key)
	return c
}
