package change

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// errand is the stream that a consumer is to handle next.
type errand struct {
	stream string
	start  Checkpoint // where to begin, unless it was begun
	ended  bool       // there is nothing left to handle
}

// next finds the oldest stream that the app has begun and not finished, or else the newest of the source. A table has one
// enabled stream at most; those before it are disabled, and can be read for 24 hours more.
func (c *Consumer[T]) next(ctx context.Context) (errand, error) {
	streams, err := c.source.streams(ctx, c.client)
	if err != nil {
		return errand{}, err
	}
	all, err := c.store.Leases(ctx, c.app)
	if err != nil {
		return errand{}, err
	}
	begun := make(map[string][]Lease)
	for _, l := range all {
		if sameTable(l.Stream, streams[0]) {
			begun[l.Stream] = append(begun[l.Stream], l)
		}
	}
	newest := streams[len(streams)-1]
	for _, s := range slices.Sorted(maps.Keys(begun)) {
		if slices.Contains(streams, s) {
			continue
		}
		if err := c.leave(ctx, s, begun[s], begun[newest] != nil); err != nil {
			return errand{}, err
		}
	}
	for _, s := range streams {
		if begun[s] == nil {
			continue
		}
		if done, err := c.finished(ctx, s, begun[s]); err != nil || !done {
			return errand{stream: s, start: c.cfg.start.checkpoint()}, err
		}
	}
	switch {
	case begun[newest] != nil:
		return errand{stream: newest, ended: true}, nil
	case len(begun) == 0:
		return errand{stream: newest, start: c.cfg.start.checkpoint()}, nil
	}
	// What happened between two streams is in neither.
	loss := &DataLossError{Reason: StreamReplaced, Stream: newest}
	return errand{stream: newest, start: Horizon}, c.cfg.lost(ctx, loss)
}

// sameTable reports whether two ARNs are of streams of one table.
func sameTable(a, b string) bool {
	const part = "/stream/"
	tableA, _, _ := strings.Cut(a, part)
	tableB, _, _ := strings.Cut(b, part)
	return tableA == tableB
}

// finished reports whether a stream is disabled, and handled to its end.
func (c *Consumer[T]) finished(ctx context.Context, stream string, leases []Lease) (bool, error) {
	d, err := describe(ctx, c.client, stream, "")
	if errors.Is(err, ErrStreamNotFound) && c.source.arn == "" {
		return allDone(leases), nil // it has expired since the streams were listed
	}
	if err != nil || !d.disabled {
		return false, err
	}
	for _, s := range d.shards {
		if !slices.ContainsFunc(leases, func(l Lease) bool { return l.Shard == s.id }) {
			return false, nil
		}
	}
	return allDone(leases), nil
}

func allDone(leases []Lease) bool {
	return !slices.ContainsFunc(leases, func(l Lease) bool { return l.Shard != "" && l.Checkpoint != End })
}

// leave closes the account of a stream that has expired: what was not handled is lost. The leases are kept until the
// next stream is begun, for without them it would be the first.
func (c *Consumer[T]) leave(ctx context.Context, stream string, leases []Lease, forget bool) error {
	if !allDone(leases) {
		if err := c.cfg.lost(ctx, &DataLossError{Reason: ShardGone, Stream: stream}); err != nil {
			return err
		}
	}
	if !forget {
		return nil
	}
	for _, l := range leases {
		if err := c.store.Delete(ctx, l); err != nil {
			return err
		}
	}
	return nil
}
