// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"slices"

	"github.com/dynamotable/ddb"
)

// Decoded makes a handler of commits of one that takes Go values: events[i] is what c.Events[i] says. Events that were scrubbed or
// forgotten are left out of both, unless [Types.OnForgotten] says what stands for them. One of a type that is not registered is [ErrUnknownType]; [Types.Filter] keeps such commits away:
//
//	err := store.Feed().Filter(types.Filter()).Subscribe(ctx, "mailer", positions,
//		eventstore.Decoded(types, func(ctx context.Context, c eventstore.Commit, events []Event) error {
//			...
//		}))
func Decoded[E any](types *Types[E], handle func(ctx context.Context, c Commit, events []E) error) func(ctx context.Context, c Commit) error {
	return func(ctx context.Context, c Commit) error {
		if err := types.usable(); err != nil {
			return err
		}
		if handle == nil {
			return &ddb.InvalidError{Problems: []error{errors.New("eventstore: Decoded: the handler is nil")}}
		}
		all := c.Events
		c.Events = make([]Event, 0, len(all))
		events := make([]E, 0, len(all))
		for _, e := range all {
			v, ok, err := types.value(e)
			if err != nil {
				return err
			}
			if ok {
				c.Events, events = append(c.Events, e), append(events, v)
			}
		}
		return handle(ctx, c, events)
	}
}

// Filter is [OfType] of all types that are registered by now.
func (t *Types[E]) Filter() FeedFilter {
	if t == nil {
		return OfType()
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	names := make([]string, 0, len(t.names))
	for name := range t.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return OfType(names...)
}
