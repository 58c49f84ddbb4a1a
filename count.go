// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"sync"

	"github.com/dynamotable/ddb/internal/prefetch"
)

// count implements Count.
func (r *read) count(ctx context.Context) (int, error) {
	if r = r.endless(); r != nil && r.segments > 1 {
		return countParallel(ctx, r)
	}
	return readCount(ctx, r, segment{})
}

// readCount counts by pages without items.
func readCount(ctx context.Context, r *read, seg segment) (int, error) {
	r = r.onePage().counting().endToEnd()
	t, err := r.text()
	if err != nil {
		return 0, r.fail(err)
	}
	rows := r.counted()
	n, start := 0, r.after.From()
	for {
		f, err := r.fetch(ctx, t, start, r.size(r.limit-n), seg, rows)
		if err != nil {
			if seg.total == 0 {
				resumable(err, cursorAt(r, t, start).String)
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

func countParallel(ctx context.Context, r *read) (int, error) {
	r = r.whole()
	if _, err := r.text(); err != nil {
		return 0, r.fail(err)
	}
	var (
		mu  sync.Mutex
		sum int
	)
	err := eachSegment(ctx, r, func(ctx context.Context, seg segment) error {
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
