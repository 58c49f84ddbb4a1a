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
	// Seen is the last number that was applied of each source; see [Views.Apply].
	Seen  map[string]int64 `dynamodbav:"seen,omitempty"`
	Value V                `dynamodbav:"value"`
	// Sealed is the value where it is encrypted; see [Views.Encrypt]. Load leaves it out.
	Sealed []byte `dynamodbav:"sealed,omitempty"`
	// Forgotten: the key of the value was deleted.
	Forgotten bool `dynamodbav:"-"`
}

// Views keeps projections with values of type V in a table of their own, an item each. A write succeeds only upon the version
// that it was decided on, so that concurrent consumers lose no update.
type Views[V any] struct {
	table  *ddb.SimpleTable[View[V], string]
	tries  int
	o      options
	failed error // of NewViews; every call returns it
}

// NewViews describes a table of views, with the partition key id. It sends nothing.
func NewViews[V any](client ddb.Client, table string, opts ...ddb.TableOption) (*Views[V], error) {
	id := ddb.StrField(func(v *View[V]) *string { return &v.ID })
	version := ddb.NumField(func(v *View[V]) *int64 { return &v.Version })
	t, err := ddb.NewSimple(client, table, id, append([]ddb.TableOption{ddb.Version(version)}, opts...)...)
	return &Views[V]{table: t, tries: 20, o: defaultOptions(), failed: err}, err
}

// usable is the error of the constructor, or of a Views that none has made.
func (v *Views[V]) usable() error {
	switch {
	case v != nil && v.failed != nil:
		return v.failed
	case v == nil || v.table == nil:
		return notMade("Views", "NewViews")
	}
	return nil
}

// Table is the table of the views, for reading, schema and whatever else tables can do.
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

// Load reads a view consistently. One that is not there is [ddb.ErrNotFound].
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

// ApplyCommit changes a view by a commit of the feed, once, as [Views.Apply] does. The numbers are those of the feed's shards, so a
// view remembers as many as the feed has shards, however many streams it is made of, and one for each stream of which parked commits were handled again:
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

// maxSources is how many sources one view remembers: some 40 KB.
const maxSources = 2048

// see notes the last number of a source.
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

// Apply changes a view by an event or commit, once: if the number is not higher than the last one that was applied
// of the source, nothing happens. A source is what numbers are counted in: a stream with its versions, or
// a shard of the feed. A view that is not there starts with the zero value.
//
// A view remembers the last number of each source, so one that is made of many streams must not count in their versions: every
// write would cost more, up to the limit of an item. Beyond 2,048 sources a view is refused; use [Views.ApplyCommit].
//
// When another writer was faster, the view is loaded and changed again, so change must depend on the value
// alone. Its error is returned as it is, and changes nothing.
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
		// Where the reply was lost, the numbers that the view has seen tell whether it was changed.
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
