// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/progress"
)

// ReplayOption is an option of [Store.Replay] and [Store.ReplayAll].
type ReplayOption func(*replay)

// OnReplayError sets a function that is called for an event that the projection failed for: nil skips the event, an error
// ends the replay. Without it, the projection's error ends the replay.
func OnReplayError(decide func(ctx context.Context, e Event, err error) error) ReplayOption {
	return func(r *replay) { r.decide = decide }
}

type replay struct {
	decide func(context.Context, Event, error) error
}

func newReplay(opts []ReplayOption) *replay {
	r := &replay{decide: func(_ context.Context, _ Event, err error) error { return err }}
	for _, opt := range opts {
		if opt != nil {
			opt(r)
		}
	}
	return r
}

func (r *replay) one(ctx context.Context, e Event, project func(context.Context, Event) error) error {
	err := project(ctx, e)
	if err != nil {
		err = r.decide(ctx, e, err)
	}
	if err != nil {
		return fmt.Errorf("replay: event of type %s, version %d: %w", e.Type, e.Version, err)
	}
	return nil
}

// Replay passes all events of one stream to a projection, in their order.
func (s *Store) Replay(ctx context.Context, stream string, project func(ctx context.Context, e Event) error, opts ...ReplayOption) error {
	if err := s.usable(); err != nil {
		return err
	}
	r := newReplay(opts)
	for e, err := range s.Read(ctx, stream) {
		if err != nil {
			return err
		}
		if err := r.one(ctx, e, project); err != nil {
			return err
		}
	}
	return nil
}

// ReplayAll passes all events of all streams to a projection, in the order of the [Feed], from a position to the
// feed's end at the call. It returns the position after the last commit that was handled completely, from which
// a replay that ended with an error can continue.
func (s *Store) ReplayAll(ctx context.Context, from Position, project func(ctx context.Context, e Event) error, opts ...ReplayOption) (_ Position, err error) {
	if err := s.usable(); err != nil {
		return Position{}, err
	}
	ctx, task := progress.Start(ctx, "replay of "+tableOf(s).Name())
	defer task.Stop("it ended with a panic") // unless it has ended before
	from, err = s.replayAll(ctx, task, from, project, opts)
	task.End(ddberr.Redact(err))
	return from, err
}

func (s *Store) replayAll(ctx context.Context, task *progress.Task, from Position, project func(ctx context.Context, e Event) error, opts []ReplayOption) (Position, error) {
	r := newReplay(opts)
	for c, err := range s.Feed().Read(ctx, from) {
		if err != nil {
			return from, err
		}
		for _, e := range c.Events {
			if err := r.one(ctx, e, project); err != nil {
				return from, err
			}
		}
		from = from.After(c)
		task.Items(int64(len(c.Events)))
	}
	return from, nil
}
