// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// nextStream is the stream that a consumer has to handle next.
type nextStream struct {
	stream string
	start  Checkpoint // where to begin, unless it was begun already
	ended  bool       // there is nothing left to handle
}

// next finds the stream to handle: at first the newest of the source, later the oldest that is not finished. A table has
// at most one enabled stream; earlier ones are disabled, and can be read for another 24 hours.
func (c *Consumer[T]) next(ctx context.Context) (nextStream, error) {
	streams, err := c.source.streams(ctx, c.client)
	if err != nil {
		return nextStream{}, err
	}
	all, err := c.store.Leases(ctx, c.app)
	if err != nil {
		return nextStream{}, err
	}
	begun := make(map[string][]Lease)
	for _, l := range all {
		if sameTable(l.Stream, streams[0]) {
			begun[l.Stream] = append(begun[l.Stream], l)
		}
	}
	if len(begun) == 0 {
		return nextStream{stream: streams[len(streams)-1], start: c.cfg.start.checkpoint()}, nil
	}
	expired := missing(begun, streams)
	for _, s := range expired {
		if err := c.reportLoss(ctx, s, begun[s], len(expired) < len(begun)); err != nil {
			return nextStream{}, err
		}
	}
	if len(expired) < len(begun) { // streams before the first that was begun do not concern the app
		streams = streams[slices.IndexFunc(streams, func(s string) bool { return begun[s] != nil }):]
	}
	for _, s := range streams {
		if begun[s] == nil {
			// Changes between two streams are in neither.
			return nextStream{stream: s, start: TrimHorizon}, c.cfg.lost(ctx, &DataLossError{Reason: StreamReplaced, Stream: s})
		}
		if done, err := c.finished(ctx, s, begun[s]); err != nil || !done {
			return nextStream{stream: s, start: c.cfg.start.checkpoint()}, err
		}
	}
	return nextStream{ended: true}, nil
}

// missing returns the streams with leases that are not listed. It is not inlined, since each package with a consumer would compile the
// sorting.
//
//go:noinline
func missing(begun map[string][]Lease, streams []string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(begun)), func(s string) bool { return slices.Contains(streams, s) })
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

// reportLoss reports the loss of an expired stream: what was not handled is lost. The leases are kept until
// another stream is begun, because without them that would be the first one.
func (c *Consumer[T]) reportLoss(ctx context.Context, stream string, leases []Lease, forget bool) error {
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
