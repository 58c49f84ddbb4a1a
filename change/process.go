// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/dynamotable/ddb/internal/lease"
)

// processor is a Handler without its type parameter.
type processor interface {
	// process passes records to the handler. It returns when all are handled or given up, in manual mode when they are delivered.
	process(ctx context.Context, cfg *config, p *progress, records []types.Record) error
	check() error
}

func (h Handler[T]) process(ctx context.Context, cfg *config, p *progress, records []types.Record) error {
	for len(records) > 0 {
		changes := make([]Change[T], 0, len(records))
		bad := Failure[T]{}
		for i := range records {
			c, err := decode[T](&records[i], p.shard)
			if err != nil {
				bad = Failure[T]{Change: c, Record: &records[i], Err: err}
				break
			}
			changes = append(changes, c)
		}
		b := &batch[T]{handler: h, cfg: cfg, progress: p, changes: changes, records: records}
		if err := b.run(ctx); err != nil {
			return err
		}
		records = records[len(changes):]
		if bad.Err == nil {
			continue
		}
		if err := b.abandon(ctx, bad); err != nil {
			return err
		}
		records = records[1:]
	}
	return nil
}

// batch is a sequence of changes that is being handled.
type batch[T any] struct {
	handler  Handler[T]
	cfg      *config
	progress *progress
	changes  []Change[T]    // not yet handled
	records  []types.Record // begins with theirs
}

func (b *batch[T]) run(ctx context.Context) error {
	policy := b.handler.retry.withDefaults()
	waits, attempts, alone := policy.waits(), 0, b.handler.single
	for len(b.changes) > 0 {
		if err := b.progress.admit(ctx); err != nil {
			return err
		}
		size := len(b.changes)
		if alone {
			size = 1
		}
		attempts++
		n, err := b.call(ctx, b.changes[:size:size])
		if n > 0 {
			b.advance(n)
			attempts = 0
			waits.Reset()
		}
		switch {
		case err == nil || n == size:
			continue
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case attempts < policy.MaxAttempts:
			b.cfg.event(Event{Kind: HandlerRetry, Shard: b.progress.shard, Err: err})
			if !lease.Pause(ctx, waits.NextBackOff()) {
				return context.Cause(ctx)
			}
			continue
		case size > 1 && b.handler.giveUp != nil:
			alone = true // so that only the failing ones are given up
		default:
			if err := b.abandon(ctx, Failure[T]{Change: b.changes[0], Record: &b.records[0], Err: err, Attempts: attempts}); err != nil {
				return err
			}
			b.changes, b.records = b.changes[1:], b.records[1:]
		}
		attempts = 0
		waits.Reset()
	}
	return nil
}

// call passes changes to the handler, and returns how many need no further call.
func (b *batch[T]) call(ctx context.Context, changes []Change[T]) (n int, err error) {
	d := &Delivery[T]{Changes: changes, Shard: b.progress.shard, progress: b.progress}
	var seqs []Seq
	if b.handler.manual {
		seqs = make([]Seq, len(changes))
		for i := range changes {
			seqs[i] = changes[i].Seq
		}
		b.progress.deliver(seqs)
	}
	err = b.handler.handle(ctx, d)
	partial, isPartial := errors.AsType[*partialError](err)
	switch {
	case err == nil:
		return len(changes), nil
	case b.handler.manual:
		return b.progress.handled(seqs), err
	case isPartial:
		return min(max(partial.n, 0), len(changes)), partial.err
	}
	return 0, err
}

// advance moves past n changes that are handled, in manual mode delivered.
func (b *batch[T]) advance(n int) {
	if !b.handler.manual {
		_ = b.progress.confirm(b.changes[n-1].Seq) // because of a lost lease, which is the context's cause
	}
	b.cfg.counts.handled.Add(int64(n))
	b.changes, b.records = b.changes[n:], b.records[n:]
}

// abandon gives a change up, or returns why the consumer must stop.
func (b *batch[T]) abandon(ctx context.Context, f Failure[T]) error {
	stop := &HandlerError{Shard: b.progress.shard, Seq: f.Change.Seq, Attempts: f.Attempts, Err: f.Err}
	if b.handler.giveUp == nil {
		return stop
	}
	policy := b.handler.retry.withDefaults()
	waits := policy.waits()
	for attempts := 1; ; attempts++ {
		err := b.handler.giveUp(ctx, f)
		switch {
		case err == nil:
			b.progress.giveUp(f.Change.Seq)
			b.cfg.event(Event{Kind: Skipped, Shard: b.progress.shard, Err: f.Err})
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case attempts >= policy.MaxAttempts:
			stop.Err = errors.Join(f.Err, err)
			return stop
		}
		b.cfg.event(Event{Kind: HandlerRetry, Shard: b.progress.shard, Err: err})
		if !lease.Pause(ctx, waits.NextBackOff()) {
			return context.Cause(ctx)
		}
	}
}
