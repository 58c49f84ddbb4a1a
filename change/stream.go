// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/dynamotable/ddb/internal/lease"
)

// Stream reads the changes of a table in one process, without state: every range over
// [Stream.All] starts again. For several processes, or to continue after a restart, use a [Consumer].
//
// A Stream is immutable and safe for concurrent use.
type Stream[T any] struct {
	client Client
	source Source
	cfg    *config
	failed error // of NewStream; every method returns it
}

// NewStream describes a stream of changes of items of type T. It sends nothing.
func NewStream[T any](client Client, source Source, opts ...Option) (*Stream[T], error) {
	cfg, errs := newConfig(opts)
	if client == nil || source == (Source{}) {
		errs = append(errs, errors.New("the client is nil, or the source is empty"))
	}
	if err := invalid(errs...); err != nil {
		return &Stream[T]{failed: err}, err
	}
	return &Stream[T]{client: timedClient{client, cfg.call}, source: source, cfg: cfg}, nil
}

// usable returns the error of the constructor, or an error for a Stream that was not made by it.
func (s *Stream[T]) usable() error {
	switch {
	case s != nil && s.failed != nil:
		return s.failed
	case s == nil || s.cfg == nil:
		return invalid(errors.New("a Stream that NewStream did not make"))
	}
	return nil
}

// failing yields an error.
func failing[V any](err error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var zero V
		yield(zero, err)
	}
}

// All yields changes from start until the context ends, and at most one error,
// last: when the context ends, a record cannot be read ([*DecodeError]) or is lost
// ([*DataLossError], unless [OnDataLoss] is set), or the service refuses a call. Calls with transient failures
// are repeated. The loop can be left at any time, and nothing runs after it.
//
// All shards are read in turn, each only after its parent. For a table, the
// newest stream is read. All ends without an error when the stream is disabled and read to its end.
func (s *Stream[T]) All(ctx context.Context, start Start) iter.Seq2[Change[T], error] {
	if err := s.usable(); err != nil {
		return failing[Change[T]](err)
	}
	return func(yield func(Change[T], error) bool) {
		t := &tail[T]{Stream: s, start: start.checkpoint(), yield: yield}
		if err := t.run(ctx); err != nil && !errors.Is(err, errLeft) {
			yield(Change[T]{}, err)
		}
	}
}

// errLeft means that the caller has left the loop.
var errLeft = errors.New("loop left")

// tail is one range over a stream.
type tail[T any] struct {
	*Stream[T]
	start Checkpoint
	yield func(Change[T], error) bool

	arn        string
	shards     []*tailShard // parents before children, as the service lists them
	discovered time.Time
	disabled   bool
}

type tailShard struct {
	shard
	*reader
	done  bool
	ended time.Time // when it was read to its end
}

func (t *tail[T]) run(ctx context.Context) error {
	err := persist(ctx, t.cfg.retried(""), func() error {
		arns, err := t.source.streams(ctx, t.client)
		if err == nil {
			t.arn = arns[len(arns)-1]
		}
		return err
	})
	if err != nil {
		return err
	}
	idle := t.cfg.poll / 4
	for {
		if t.discovered.IsZero() || t.cfg.now().Sub(t.discovered) >= t.cfg.discovery {
			if err := t.discover(ctx); err != nil {
				return err
			}
		}
		read, closed, err := t.round(ctx)
		switch {
		case err != nil:
			return err
		case t.disabled && !slices.ContainsFunc(t.shards, func(s *tailShard) bool { return !s.done }):
			return nil
		case closed > 0:
			t.discovered = time.Time{} // for their children
			continue
		}
		if read > 0 {
			idle = t.cfg.poll / 4
			continue
		}
		if !lease.Pause(ctx, idle) {
			return fmt.Errorf("change: %w", ended(ctx, nil))
		}
		idle = min(2*idle, t.cfg.poll)
	}
}

// discover adds new shards and removes those that no longer exist.
func (t *tail[T]) discover(ctx context.Context) error {
	var d *description
	err := persist(ctx, t.cfg.retried(""), func() (err error) {
		d, err = describe(ctx, t.client, t.arn, "")
		return err
	})
	if err != nil {
		return err
	}
	first := t.shards == nil
	for _, s := range d.shards {
		if slices.ContainsFunc(t.shards, func(o *tailShard) bool { return o.id == s.id }) {
			continue
		}
		at := TrimHorizon
		if first {
			at = t.start
		}
		t.shards = append(t.shards, &tailShard{
			shard: s, done: at == latest && s.closed,
			reader: &reader{client: t.client, stream: t.arn, shard: s.id, limit: int32(t.cfg.pageLimit), now: t.cfg.now, at: at},
		})
	}
	t.shards = slices.DeleteFunc(t.shards, func(s *tailShard) bool { return s.done && !d.has(s.id) })
	t.discovered, t.disabled = t.cfg.now(), d.disabled
	// A shard that ended has children, which may be listed late.
	if !d.disabled && slices.ContainsFunc(t.shards, func(s *tailShard) bool {
		return !s.ended.IsZero() && t.discovered.Sub(s.ended) < t.cfg.discovery && !d.continues(s.id)
	}) {
		t.discovered = time.Time{}
	}
	return nil
}

// round reads a page of every shard whose parent is finished, and counts the records and the shards that ended.
func (t *tail[T]) round(ctx context.Context) (read, closed int, err error) {
	for _, s := range t.shards {
		if s.done || slices.ContainsFunc(t.shards, func(o *tailShard) bool { return o.id == s.parent && !o.done }) {
			continue
		}
		n, err := t.shardPage(ctx, s)
		if err != nil {
			return read, closed, err
		}
		read += n
		if s.done {
			closed++
		}
	}
	return read, closed, nil
}

func (t *tail[T]) shardPage(ctx context.Context, s *tailShard) (int, error) {
	records, end, err := persistPage(ctx, t.cfg, s.reader, nil)
	if err != nil {
		return 0, err
	}
	for i := range records {
		c, err := decode[T](&records[i], s.id)
		if err != nil {
			return i, err
		}
		if !t.yield(c, nil) {
			return i, errLeft
		}
	}
	if end {
		s.done, s.ended = true, t.cfg.now()
	}
	return len(records), nil
}

// persistPage reads a page: failed calls are repeated, and losses are reported to the policy. failed, if not nil, is
// called at each failure.
func persistPage(ctx context.Context, cfg *config, r *reader, failed func()) (records []types.Record, end bool, err error) {
	tell := cfg.retried(r.shard)
	err = persist(ctx, func(err error) {
		if failed != nil {
			failed()
		}
		tell(err)
	}, func() error {
		records, end, err = r.page(ctx)
		loss, ok := errors.AsType[*DataLossError](err)
		if !ok {
			return err
		}
		if err := cfg.lost(ctx, loss); err != nil {
			return err
		}
		end = r.resume(loss)
		return nil
	})
	return records, end, err
}
