// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"sync"

	"github.com/dynamotable/ddb/internal/prefetch"
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

// Count implements Count.
func (r *Read) Count(ctx context.Context) (int, error) {
	if r = r.endless(); r != nil && r.segments > 1 {
		return countParallel(ctx, r)
	}
	return readCount(ctx, r, Segment{})
}
