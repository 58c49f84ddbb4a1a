// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/repeat"
	reports "github.com/dynamotable/ddb/progress"
)

// Applied is what an item of a [View] stores about the changes applied to it. Embed it in the item type:
//
//	type OrderByDay struct {
//		Day   string `dynamodbav:"day"`
//		Order string `dynamodbav:"order"`
//		change.Applied
//	}
type Applied struct {
	// Seq is the number of the last change applied, with leading zeros, so that DynamoDB orders it.
	Seq Seq `dynamodbav:"applied_seq"`
	// Tombstone marks an item that was removed from the view, so that older changes do not restore it.
	Tombstone bool `dynamodbav:"applied_gone,omitempty"`
	// Until is when the mark may be deleted. Make it the table's time to live with ddb.TTL.
	Until time.Time `dynamodbav:"applied_until,unixtime,omitzero"`
}

// Tombstones is how long a [View] keeps the mark of a removed item: 48 hours. After that, no change can be delivered again.
const Tombstones = 48 * time.Hour

const seqDigits = 40

// padded returns a Seq of full length, so that it sorts as text.
func (s Seq) padded() Seq { return Seq(strings.Repeat("0", max(0, seqDigits-len(s)))) + s }

// ViewTable is the table of a view: a *ddb.Table or a *ddb.SimpleTable.
type ViewTable[V any] interface {
	Name() string
	Put(ctx context.Context, item *V, opts ...ddb.WriteOption[V]) error
	Create(ctx context.Context, item *V) error
}

// View updates a table of items V with the changes of a table of items T: each item of the source has
// at most one item in the view, which is made by a function.
//
// Every change can be applied again, late, or by two workers at a time: a change that is older
// than the item in the view does nothing. Deleted items leave a mark ([Applied]) for [Tombstones];
// readers skip it with [View.Live]. When a change moves an item to another key, the view
// has both items for a moment.
//
// The key of a view item must contain the whole key of its source item, in any form, so that two
// source items never share a view item: their changes have no order. The stream must keep new and old images.
//
// A View is immutable and safe for concurrent use.
type View[T, V any, K comparable] struct {
	table     ViewTable[V]
	applied   func(*V) *Applied
	key       func(*V) K
	project   func(*T) (V, bool)
	seq       ddb.Str[V, Seq]
	tombstone ddb.Attr[V, bool]
	now       func() time.Time
}

// NewView describes a view; it sends nothing. applied selects the embedded [Applied], as handles select
// fields. key is the key of a view item. project makes the view item of a source item, or returns
// false if it has none. It must have no side effects, and accept items with only the keys set. If the table or a function is nil, every call returns an error.
func NewView[T, V any, K comparable](table ViewTable[V], applied func(*V) *Applied, key func(*V) K, project func(*T) (V, bool)) *View[T, V, K] {
	if table == nil || applied == nil || key == nil || project == nil {
		return &View[T, V, K]{}
	}
	return &View[T, V, K]{
		table: table, applied: applied, key: key, project: project, now: time.Now,
		seq:       ddb.StrField(func(v *V) *Seq { return &applied(v).Seq }),
		tombstone: ddb.Field(func(v *V) *bool { return &applied(v).Tombstone }),
	}
}

// Live returns a filter for reads of the view's table that leaves out the marks of deleted items.
func (v *View[T, V, K]) Live() ddb.Cond[V] {
	var tombstone ddb.Attr[V, bool]
	if v != nil {
		tombstone = v.tombstone
	}
	return ddb.NotExists(tombstone)
}

// usable returns the error of a View without its table or a function.
func (v *View[T, V, K]) usable() error {
	if v == nil || v.table == nil {
		return &ddb.InvalidError{Problems: []error{errors.New("change: a View that NewView did not make, or whose table or functions are nil")}}
	}
	return nil
}

// Apply applies a change to the view. It is a handler for [Each] and [LambdaHandler]. It costs one
// write, two if the change moves an item to another key, and none if the view has the item neither before nor after.
//
// A change without the images that it needs, or without a Seq (from Kinesis), is an error. After any
// error the change may be applied again.
func (v *View[T, V, K]) Apply(ctx context.Context, c Change[T]) error {
	if err := v.usable(); err != nil {
		return err
	}
	switch {
	case c.Seq == "":
		return fmt.Errorf("change: view %s: a change without a sequence number has no order", v.table.Name())
	case c.Kind != Insert && c.Old == nil, c.Kind != Remove && c.New == nil:
		return fmt.Errorf("change: view %s: a %s lacks an image: the stream needs the view type NEW_AND_OLD_IMAGES", v.table.Name(), c.Kind)
	}
	var before, after V
	var had, has bool
	if c.New != nil {
		after, has = v.project(c.New)
	}
	if c.Old != nil {
		before, had = v.project(c.Old)
	}
	if has {
		*v.applied(&after) = Applied{Seq: c.Seq.padded()}
		if err := v.put(ctx, &after); err != nil {
			return err
		}
	}
	if !had || has && v.key(&before) == v.key(&after) {
		return nil
	}
	if bare, _ := v.project(&c.Keys); v.key(&bare) == v.key(&before) {
		before = bare // the mark has only what it needs
	}
	*v.applied(&before) = Applied{Seq: c.Seq.padded(), Tombstone: true, Until: v.now().Add(Tombstones)}
	return v.put(ctx, &before)
}

// put writes an item unless the view has a later one. If a reply is lost, the request is sent again, which changes nothing more.
func (v *View[T, V, K]) put(ctx context.Context, item *V) error {
	seq := v.applied(item).Seq
	err := repeat.Write(ctx, func() error {
		return v.table.Put(ctx, item, ddb.If(ddb.Or(ddb.NotExists(v.seq), v.seq.Le(seq))))
	})
	if errors.Is(err, ddb.ErrConditionFailed) {
		return nil
	}
	return err
}

// ViewSource is the table from which a view is rebuilt: a *ddb.Table or a *ddb.SimpleTable.
type ViewSource[T any] interface{ Scan() *ddb.Scan[T] }

// Beginner determines where reading of changes begins: a [Consumer].
type Beginner interface {
	Begin(ctx context.Context) error
}

// Rebuild fills the view from the items of the source, without a gap between them and the changes. First
// the consumer, which applies changes to the view, records where it begins ([Consumer.Begin]). Then the
// source is read (strongly consistent), and every item that the view does not have is put. Later changes are applied when
// the consumer runs; it may run already. Until the consumer has caught up, items of the view may be older or newer than others.
//
// The consumer must start from the latest changes or earlier ([FromLatest]). Use a new table: existing items are not changed. Rebuild can be called again after an
// error. It returns
// how many items it has certainly put, and costs a scan of the source and a write for each of its items.
func (v *View[T, V, K]) Rebuild(ctx context.Context, consumer Beginner, source ViewSource[T]) (int, error) {
	if err := v.usable(); err != nil {
		return 0, err
	}
	if consumer == nil || source == nil {
		return 0, &ddb.InvalidError{Problems: []error{errors.New("change: Rebuild: the consumer or the source is nil")}}
	}
	ctx, task := reports.Start(ctx, "rebuild of "+v.table.Name())
	defer task.Stop("it ended with a panic") // unless it has ended before
	put, err := v.rebuild(ctx, task, consumer, source)
	task.End(ddberr.Redact(err))
	return put, err
}

func (v *View[T, V, K]) rebuild(ctx context.Context, task *reports.Task, consumer Beginner, source ViewSource[T]) (int, error) {
	if err := consumer.Begin(ctx); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	const writers = 16
	var (
		wg    sync.WaitGroup
		items = make(chan V)
		mu    sync.Mutex
		put   int
	)
	for range writers {
		wg.Go(func() {
			for item := range items {
				err := persist(ctx, nil, func() error { return v.table.Create(ctx, &item) }) // repeating it is harmless
				switch {
				case err == nil:
					mu.Lock()
					put++
					mu.Unlock()
					task.Items(1)
				case !errors.Is(err, ddb.ErrConditionFailed):
					cancel(err)
				}
			}
		})
	}
	err := v.scan(ctx, source, items)
	close(items)
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return put, err
}

// scan sends the view items of a whole table.
func (v *View[T, V, K]) scan(ctx context.Context, source ViewSource[T], items chan<- V) error {
	for item, err := range source.Scan().Consistent().All(ctx) {
		if err != nil {
			return err
		}
		view, has := v.project(&item)
		if !has {
			continue
		}
		*v.applied(&view) = Applied{Seq: Seq("").padded()}
		select {
		case items <- view:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
