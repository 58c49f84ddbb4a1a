// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
)

// Progress is how far a consumer of the feed has come, by the positions that it has saved.
type Progress struct {
	Position Position
	// Lag is the exact number of commits after it. Commits that a filter will drop count too.
	Lag int64
	// Age is how long the oldest of them has been waiting, by the clocks of its writer and of this process; zero if there are none.
	Age time.Duration
	// most returns the longest lag of a shard.
	most int64
}

// peeker is implemented by positions whose Load claims them.
type peeker interface {
	Peek(ctx context.Context, consumer, partition string) (int64, error)
}

// Progress reports how far a consumer has come, wherever it runs. Positions that are claimed when they are loaded are read with their method Peek, which
// those of package position have; do not pass positions that claim and lack it. It costs two reads for each shard, and one more for each shard that has a lag.
func (f *Feed) Progress(ctx context.Context, consumer string, positions Positions) (Progress, error) {
	end, err := f.End(ctx)
	if err != nil {
		return Progress{}, err
	}
	load := positions.Load
	if p, ok := positions.(peeker); ok {
		load = p.Peek
	}
	var is Progress
	var oldest []ddb.Key[string, int64]
	for shard, last := range end.shards {
		at, err := load(ctx, consumer, partition(shard))
		if err != nil {
			return Progress{}, fmt.Errorf("progress: position of shard %d: %w", shard, err)
		}
		is.Position = is.Position.with(shard, at)
		if lag := last - at; lag > 0 {
			is.Lag += lag
			is.most = max(is.most, lag)
			oldest = append(oldest, ddb.Key[string, int64]{Partition: feedPartition(shard, at+1), Sort: at + 1})
		}
	}
	if len(oldest) == 0 {
		return is, nil
	}
	got, err := tableOf(f.store).BatchGet(ctx, oldest, ddb.Consistent())
	if err != nil {
		return Progress{}, err
	}
	now := f.store.o.now()
	for _, g := range got {
		if g.Found {
			is.Age = max(is.Age, now.Sub(time.Unix(0, g.Item.At)))
		}
	}
	return is, nil
}
