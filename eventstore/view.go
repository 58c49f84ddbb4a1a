// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
	"github.com/dynamotable/ddb/schema"
)

// View is a stored projection: a value that a consumer keeps up to date.
type View[V any] struct {
	ID string `dynamodbav:"id"`
	// Version counts the writes of the view.
	Version int64 `dynamodbav:"version"`
	// Seen is the last applied number of each source; see [Views.Apply].
	Seen  map[string]int64 `dynamodbav:"seen,omitempty"`
	Value V                `dynamodbav:"value"`
	// Sealed is the encrypted value; see [Views.Encrypt]. Load does not set it.
	Sealed []byte `dynamodbav:"sealed,omitempty"`
	// Forgotten is true if the key of the value was deleted.
	Forgotten bool `dynamodbav:"-"`
}

// Views stores projections with values of type V in a separate table, one item each. A write succeeds only if the view still has
// the version that it is based on, so that concurrent consumers lose no update.
type Views[V any] struct {
	table  *ddb.SimpleTable[View[V], string]
	tries  int
	o      options
	failed error // of NewViews; every method returns it
}

// NewViews describes a table of views, with the partition key id. It sends nothing.
func NewViews[V any](client ddb.Client, table string, opts ...ddb.TableOption) (*Views[V], error) {
	id := ddb.StrField(func(v *View[V]) *string { return &v.ID })
	version := ddb.NumField(func(v *View[V]) *int64 { return &v.Version })
	t, err := ddb.NewSimple(client, table, id, append([]ddb.TableOption{ddb.Version(version)}, opts...)...)
	return &Views[V]{table: t, tries: 20, o: defaultOptions(), failed: err}, err
}

// usable returns the error of the constructor, or an error for a Views that was not made by it.
func (v *Views[V]) usable() error {
	switch {
	case v != nil && v.failed != nil:
		return v.failed
	case v == nil || v.table == nil:
		return notMade("Views", "NewViews")
	}
	return nil
}

// Table returns the table of the views, for reading, schema and everything else that tables can do.
func (v *Views[V]) Table() *ddb.SimpleTable[View[V], string] {
	if v == nil {
		return nil
	}
	return v.table
}

// EnsureTable creates the table of the views if it is missing, and waits until it can be used.
func (v *Views[V]) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	if err := v.usable(); err != nil {
		return err
	}
	return v.table.EnsureTable(ctx, opts...)
}

// Load reads a view consistently. If it does not exist, the error is [ddb.ErrNotFound].
func (v *Views[V]) Load(ctx context.Context, id string) (View[V], error) {
	if err := v.usable(); err != nil {
		return View[V]{}, err
	}
	view, err := v.table.Get(ctx, id, ddb.Consistent())
	if err != nil {
		return view, err
	}
	return v.open(ctx, view)
}

// ApplyCommit changes a view by a commit of the feed, once, as [Views.Apply] does. It counts in the numbers of the feed's shards. So a
// view remembers one number for each shard, however many streams it is built from, and one for each stream of which parked commits were handled again:
//
//	err := store.Feed().Subscribe(ctx, "balances", positions, func(ctx context.Context, c eventstore.Commit) error {
//		return balances.ApplyCommit(ctx, c.Stream, c, func(a *Account) error { return accounts.Fold(a, c.Events...) })
//	})
func (v *Views[V]) ApplyCommit(ctx context.Context, id string, c Commit, change func(value *V) error) error {
	if err := v.usable(); err != nil {
		return err
	}
	source := "#" + partition(c.Shard)
	if c.Replayed {
		source += "~" + c.Stream // the view has seen later numbers of the shard
	}
	return v.Apply(ctx, id, source, c.Number, change)
}

// maxSources is how many sources one view remembers at most: some 40 KB.
const maxSources = 2048

// see records the last number of a source.
func (v *View[V]) see(source string, number int64) error {
	if _, ok := v.Seen[source]; !ok && len(v.Seen) >= maxSources {
		return &ddb.InvalidError{Problems: []error{fmt.Errorf("view: it has %d sources, which is the limit: count in numbers of the feed's shards, as ApplyCommit does, and build the view again", len(v.Seen))}}
	}
	seen := maps.Clone(v.Seen)
	if seen == nil {
		seen = make(map[string]int64, 1)
	}
	seen[source] = number
	v.Seen = seen
	return nil
}

// Apply changes a view by an event or commit, once: if the number is not higher than the last one applied
// from the source, nothing happens. A source is a sequence of numbers: a stream with its versions, or
// a shard of the feed. A missing view starts with the zero value.
//
// A view remembers the last number of each source. A view of many streams must not use their versions: every
// write would cost more, up to the limit of an item. More than 2,048 sources are refused; use [Views.ApplyCommit].
//
// When another writer was faster, the view is loaded and changed again, so change must depend on the value
// alone. If change returns an error, Apply returns it and changes nothing.
func (v *Views[V]) Apply(ctx context.Context, id, source string, number int64, change func(value *V) error) error {
	if err := v.usable(); err != nil {
		return err
	}
	waits := v.o.backoff.new()
	var last error
	for range v.tries {
		view, err := v.Load(ctx, id)
		if err != nil && !errors.Is(err, ddb.ErrNotFound) {
			return err
		}
		view.ID = id
		if number <= view.Seen[source] {
			return nil
		}
		if err := view.see(source, number); err != nil {
			return err
		}
		if err := change(&view.Value); err != nil {
			return err
		}
		stored, err := v.seal(ctx, view)
		if err != nil {
			return err
		}
		err = v.table.Put(ctx, &stored)
		if !errors.Is(err, ddb.ErrConditionFailed) && !repeat.InDoubt(err) {
			return err
		}
		// If the reply was lost, the numbers that the view has seen show whether it was changed.
		last = err
		if err := v.o.wait(ctx, waits.NextBackOff()); err != nil {
			return err
		}
	}
	if repeat.InDoubt(last) {
		return fmt.Errorf("view: %w", last)
	}
	return fmt.Errorf("view: %w (%d tries): %w", ErrContention, v.tries, last)
}
