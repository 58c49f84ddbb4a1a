// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
)

// InlineProjection is a projection that is written in the transaction of the append, and so never lags. [Views.Inline] makes one.
type InlineProjection interface {
	// Project returns the operations for events that are about to be appended to a stream. The events have what is known by then: stream, version, type, schema
	// and data. If an operation's condition fails, the append starts again, and with it the projection.
	Project(ctx context.Context, events []Event) ([]ddb.TxOp, error)
}

// Inline writes projections in the transaction of every [Repository.Update]: readers see appended events at once. It costs twice
// the units of their writes, and each write takes one of the 100 actions of the transaction. Use it for a view of one stream or of few: all appends to a view wait for each
// other, so a view of many streams is better built from the feed; see [Projection].
//
// Appends that bypass the repository do not write it.
func Inline(projections ...InlineProjection) RepositoryOption {
	return func(o *repositoryOptions) { o.inline = append(o.inline, projections...) }
}

// inlineOps returns the operations of the repository's projections.
func (c *repositoryCore) inlineOps(ctx context.Context, stream string, base int64, events []NewEvent) ([]ddb.TxOp, error) {
	if len(c.o.inline) == 0 {
		return nil, nil
	}
	list := make([]Event, len(events))
	for i, e := range events {
		list[i] = Event{Stream: stream, Version: base + int64(i) + 1, Type: e.Type, Schema: e.Schema, Data: e.Data}
	}
	var ops []ddb.TxOp
	for _, p := range c.o.inline {
		more, err := p.Project(ctx, list)
		if err != nil {
			return nil, fmt.Errorf("inline projection: %w", err)
		}
		ops = append(ops, more...)
	}
	return ops, nil
}

// inlineRejected reports whether an append was refused by a condition of an inline projection, and not by one of the caller's operations.
func (c *repositoryCore) inlineRejected(err error, own int) bool {
	te, ok := errors.AsType[*ddb.TransactionError](err)
	if !ok || len(c.o.inline) == 0 || errors.Is(err, ErrCorruptIdempotency) {
		return false
	}
	rejected := false
	for _, f := range te.Failed {
		if f.Reason == conditionFailed {
			if f.Index < own {
				return false
			}
			rejected = true
		}
	}
	return rejected
}

// inlineView is a view that is written with the appends.
type inlineView[V any] struct {
	views  *Views[V]
	store  *Store
	id     func(stream string) string
	change func(value *V, events ...Event) error
}

// Inline returns an inline projection of the views: an append to a stream changes, in the same transaction, the view whose id the function id returns for the
// stream. The empty
// id means no view. Change is often the fold of the aggregate:
//
//	accounts := eventstore.NewRepository(store, types, fold,
//		eventstore.Inline(balances.Inline(store, func(stream string) string { return stream }, eventstore.Fold(types, fold))))
//
// If a view does not exist yet, or lacks the last events of the stream, they are read first. A view remembers the version of each of its
// streams, as [Views.Apply] does with the stream as source, so that a view can be updated either way.
func (v *Views[V]) Inline(store *Store, id func(stream string) string, change func(value *V, events ...Event) error) InlineProjection {
	return &inlineView[V]{v, store, id, change}
}

// Project makes the write of the view.
func (p *inlineView[V]) Project(ctx context.Context, events []Event) ([]ddb.TxOp, error) {
	if len(events) == 0 {
		return nil, nil
	}
	if err := p.views.usable(); err != nil {
		return nil, err
	}
	if err := p.store.usable(); err != nil {
		return nil, err
	}
	if p.id == nil || p.change == nil {
		return nil, &ddb.InvalidError{Problems: []error{errors.New("eventstore: Views.Inline: it needs a function for the id and one for the change")}}
	}
	stream := events[0].Stream
	id := p.id(stream)
	if id == "" {
		return nil, nil
	}
	view, err := p.views.Load(ctx, id)
	if err != nil && !errors.Is(err, ddb.ErrNotFound) {
		return nil, err
	}
	view.ID = id
	if seen := view.Seen[stream]; seen < events[0].Version-1 {
		for e, err := range p.store.Read(ctx, stream, From(seen+1), UpTo(events[0].Version-1)) {
			if err != nil {
				return nil, err
			}
			if err := p.change(&view.Value, e); err != nil {
				return nil, err
			}
		}
	}
	var fresh []Event // another writer may have been faster; then the append is refused
	for _, e := range events {
		if e.Version > view.Seen[stream] {
			fresh = append(fresh, e)
		}
	}
	if err := p.change(&view.Value, fresh...); err != nil {
		return nil, err
	}
	if err := view.see(stream, events[len(events)-1].Version); err != nil {
		return nil, err
	}
	if view, err = p.views.seal(ctx, view); err != nil {
		return nil, err
	}
	return []ddb.TxOp{p.views.table.TxPut(&view)}, nil
}

// Fold turns the fold of an aggregate into one of stored events, for views. It decodes them, and skips those that were scrubbed or
// forgotten unless [Types.OnForgotten] gives a replacement.
func Fold[S, E any](types *Types[E], fold func(state S, event E) S) func(state *S, events ...Event) error {
	return func(state *S, events ...Event) error {
		if err := types.usable(); err != nil {
			return err
		}
		if fold == nil || state == nil {
			return &ddb.InvalidError{Problems: []error{errors.New("eventstore: Fold: the fold or the state is nil")}}
		}
		next := *state
		for _, e := range events {
			v, ok, err := types.value(e)
			if err != nil {
				return err
			}
			if ok {
				next = fold(next, v)
			}
		}
		*state = next
		return nil
	}
}
