// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"reflect"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/layerstats"
)

// repositoryCore is what a [Repository] does whatever its states and events are. Each package with a repository compiles the
// repository's methods again for each type of state, so they call these, which are not inlined there. A state is passed by its address.
type repositoryCore struct {
	store *Store
	o     repositoryOptions
}

// newRepositoryCore applies the options; state is a nil pointer to a state.
func newRepositoryCore(store *Store, state any, opts []RepositoryOption) repositoryCore {
	c := repositoryCore{store: store, o: repositoryOptions{tries: 20, snapError: func(err error) {
		slog.Warn("eventstore: a snapshot was skipped", "error", err)
	}}}
	for _, opt := range opts {
		if opt != nil {
			opt(&c.o)
		}
	}
	if c.o.unnamed = c.o.stateType == ""; c.o.unnamed {
		c.o.stateType = typeName(reflect.TypeOf(state).Elem())
	}
	c.o.schema = max(c.o.schema, 1)
	return c
}

var errNoRepository error = &ddb.InvalidError{Problems: []error{errors.New("eventstore: a Repository that NewRepository did not make, or that has no fold")}}

// count updates the counters for [layerstats.List].
//
//go:noinline
func (c *repositoryCore) count(event string, n int64) {
	layerstats.Add("eventstore", c.store.Name(), event, n)
}

// caches reports whether states of a stream may be kept in memory.
//
//go:noinline
func (c *repositoryCore) caches(stream string) bool { return c.store.subjectOf(stream) == "" }

// saved reads the state that was stored with the events. It is read before the head, so it is never ahead of the head.
func (c *repositoryCore) saved(ctx context.Context, stream string) (row, error) {
	if !c.o.stored {
		return row{}, nil
	}
	saved, _, err := c.store.get(ctx, stateKey(stream))
	if saved.Type != c.o.stateType && !(c.o.unnamed && saved.Type == "") || saved.Schema != c.o.schema {
		return row{}, err
	}
	return saved, err
}

// begin sets the state to the newest stored one of at most a version. It returns the version of the state, and of its snapshot and when it was taken.
func (c *repositoryCore) begin(ctx context.Context, stream string, state any, saved *row, version int64) (at, snapshot int64, taken time.Time) {
	switch at, snapshot, taken = c.stored(ctx, stream, state, saved, version); {
	case at == 0:
		c.count("loads from the first event", 1)
	case snapshot > 0:
		c.count("loads from a snapshot", 1)
	default:
		c.count("loads from the stored state", 1)
	}
	return at, snapshot, taken
}

func (c *repositoryCore) stored(ctx context.Context, stream string, state any, saved *row, version int64) (at, snapshot int64, taken time.Time) {
	if saved.Version > 0 && saved.Version <= version {
		if c.decode(ctx, stream, state, saved.Version, saved.Type, saved.Data) {
			return saved.Version, 0, time.Time{}
		}
	}
	if c.o.snapshots == nil {
		return 0, 0, time.Time{}
	}
	name := c.o.stateType
	v, taken, data, err := c.o.snapshots.LoadState(ctx, stream, name, c.o.schema, version)
	if err == nil && v == 0 && c.o.unnamed {
		name = ""
		v, taken, data, err = c.o.snapshots.LoadState(ctx, stream, "", c.o.schema, version)
	}
	switch {
	case err != nil:
		c.o.snapError(err)
	case v > 0 && v <= version && c.decode(ctx, stream, state, v, name, data):
		return v, v, taken
	}
	return 0, 0, time.Time{}
}

// decode sets the state to a stored one. A state whose key was deleted is skipped: the events show what is left.
func (c *repositoryCore) decode(ctx context.Context, stream string, state any, version int64, name string, data []byte) bool {
	to := reflect.ValueOf(state).Elem()
	decoded := reflect.New(to.Type())
	err := openValue(ctx, c.store.o.keys, data, decoded.Interface(), stateBound(stream, name, c.o.schema, version))
	if errors.Is(err, ErrForgotten) {
		return false
	}
	if err != nil {
		c.o.snapError(fmt.Errorf("decode the state of version %d: %w", version, err))
		return false
	}
	to.Set(decoded.Elem())
	return true
}

// encode returns a state as it is stored.
func (c *repositoryCore) encode(ctx context.Context, stream string, version int64, state any) ([]byte, error) {
	value := reflect.ValueOf(state).Elem().Interface()
	return sealValue(ctx, c.store.o.keys, c.store.subjectOf(stream), value, stateBound(stream, c.o.stateType, c.o.schema, version))
}

// events reads and finishes events of a stream, and reports the commit of each.
//
//go:noinline
func (c *repositoryCore) events(ctx context.Context, head *row, read reading, seen func(commit string)) iter.Seq2[Event, error] {
	return c.store.resolve(ctx, func(yield func(Event, error) bool) {
		read.span(ctx, *head, func(e Event) bool {
			if seen != nil {
				seen(e.CommitID)
			}
			return yield(e, nil)
		}, func(err error) { yield(Event{}, err) })
	}, false)
}

// beside returns the operations of a transaction that appends events after a version: those of the inline projections, and that which stores the
// state after the events unless it is nil.
func (c *repositoryCore) beside(ctx context.Context, stream string, base int64, events []NewEvent, state any) ([]ddb.TxOp, error) {
	ops, err := c.inlineOps(ctx, stream, base, events)
	if err != nil || !c.o.stored || state == nil {
		return ops, err
	}
	version := base + int64(len(events))
	data, err := c.encode(ctx, stream, version, state)
	if err != nil {
		return nil, fmt.Errorf("update: encode the state: %w", err)
	}
	return append(ops, tableOf(c.store).TxPut(&row{
		PK: stateKey(stream).Partition, Version: version, Type: c.o.stateType, Schema: c.o.schema, Data: data,
	})), nil
}

// offer offers a snapshot of a state, given the version and time of the one that was loaded. It returns those of the newest.
func (c *repositoryCore) offer(ctx context.Context, stream string, version int64, state any, snapshot int64, taken time.Time) (int64, time.Time) {
	if c.o.snapshots == nil {
		return snapshot, taken
	}
	saved, err := c.o.snapshots.OfferState(ctx, stream, c.o.stateType, c.o.schema, version, snapshot, taken,
		func() ([]byte, error) { return c.encode(ctx, stream, version, state) })
	if saved {
		snapshot, taken = version, c.store.o.now()
	}
	if err != nil && !errors.Is(err, ErrForgotten) {
		c.o.snapError(err)
	}
	return snapshot, taken
}
