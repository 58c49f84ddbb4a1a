package eventstore

import (
	"context"
	"errors"
	"slices"

	"github.com/dynamotable/ddb"
)

// Decoded makes a handler of commits of one that takes Go values: events[i] is what c.Events[i] says. Events that were scrubbed
// are left out of both. One of a type that is not registered is [ErrUnknownType]; [Types.Filter] keeps such commits away:
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
		c.Events = slices.DeleteFunc(slices.Clone(c.Events), func(e Event) bool { return e.Scrubbed })
		events := make([]E, len(c.Events))
		for i, e := range c.Events {
			var err error
			if events[i], err = types.Decode(e); err != nil {
				return err
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
