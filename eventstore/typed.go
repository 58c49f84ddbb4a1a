// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"

	"github.com/dynamotable/ddb"
)

// Decoded turns a handler of Go values into a handler of commits: events[i] is the decoded c.Events[i]. Events that were scrubbed or
// forgotten are left out of both, unless [Types.OnForgotten] gives a replacement. For an event of a type that is not registered the error is [ErrUnknownType];
// [Types.Filter] excludes such events:
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

// Filter returns [OfType] of all types that are registered so far.
func (t *Types[E]) Filter() FeedFilter {
	if t == nil {
		return OfType()
	}
	return typeFilter(t.events)
}
