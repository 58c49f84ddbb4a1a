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
	"github.com/dynamotable/ddb/internal/repeat"
	reports "github.com/dynamotable/ddb/progress"
)

// Applied is what an item of a [View] keeps about the changes that made it. Embed it in the item type:
//
//	type OrderByDay struct {
//		Day   string `dynamodbav:"day"`
//		Order string `dynamodbav:"order"`
//		change.Applied
//	}
type Applied struct {
	// Seq is the number of the last change applied, with leading zeros, so that DynamoDB orders it.
	Seq Seq `dynamodbav:"applied_seq"`
	// Gone marks an item that was removed from the view, so that older changes do not bring it back.
	Gone bool `dynamodbav:"applied_gone,omitempty"`
	// Until is when a gone item may be deleted. Make it the table's time to live: ddb.TTL.
	Until time.Time `dynamodbav:"applied_until,unixtime,omitzero"`
}

// Tombstones is how long a [View] keeps the mark of a removed item, 48 hours: a change cannot be delivered again after that.
const Tombstones = 48 * time.Hour

const seqDigits = 40

// padded is a Seq of full length, so that it sorts as text.
func (s Seq) padded() Seq { return Seq(strings.Repeat("0", max(0, seqDigits-len(s)))) + s }

// ViewTable is what a view needs of its table: a *ddb.Table or a *ddb.SimpleTable.
type ViewTable[V any] interface {
	Name() string
	Put(ctx context.Context, item *V, opts ...ddb.WriteOption[V]) error
	Create(ctx context.Context, item *V) error
}

// View keeps a table of items V in step with the changes of a table of items T: each item of the source has
// one item in the view at most, made by a function.
//
// Every change can be applied again, late, or by two workers at a time: a change that is older
// than what the view holds does nothing. Deleted items leave a mark ([Applied]) for [Tombstones];
// readers skip it with [View.Live]. When a change moves an item to another key, the view
// has both for a moment.
//
// The key of a view item must hold the whole key of its source item, in whatever form, so that items of
// two sources never meet in one: their changes have no order. The stream must keep new and old images.
//
// A View is immutable and safe for concurrent use.
type View[T, V any, K comparable] struct {
	table   ViewTable[V]
	applied func(*V) *Applied
	key     func(*V) K
	project func(*T) (V, bool)
	seq     ddb.Str[V, Seq]
	gone    ddb.Attr[V, bool]
	now     func() time.Time
}

// NewView describes a view; it sends nothing. applied selects the embedded [Applied], as handles select
// fields. key is the key of a view item. project makes the view item of a source item, or says
// that it has none; it must do nothing else, and take items of which only the keys are set. A view whose table or one of whose functions is nil refuses every call.
func NewView[T, V any, K comparable](table ViewTable[V], applied func(*V) *Applied, key func(*V) K, project func(*T) (V, bool)) *View[T, V, K] {
	if table == nil || applied == nil || key == nil || project == nil {
		return &View[T, V, K]{}
	}
	return &View[T, V, K]{
		table: table, applied: applied, key: key, project: project, now: time.Now,
		seq:  ddb.StrField(func(v *V) *Seq { return &applied(v).Seq }),
		gone: ddb.Field(func(v *V) *bool { return &applied(v).Gone }),
	}
}

// Live is a filter for reads of the view's table: it leaves out the marks of deleted items.
func (v *View[T, V, K]) Live() ddb.Cond[V] {
	var gone ddb.Attr[V, bool]
	if v != nil {
		gone = v.gone
	}
	return ddb.NotExists(gone)
}

// usable is the error of a View that lacks its table or a function.
func (v *View[T, V, K]) usable() error {
	if v == nil || v.table == nil {
		return &ddb.InvalidError{Problems: []error{errors.New("change: a View that NewView did not make, or whose table or functions are nil")}}
	}
	return nil
}

// Apply writes what a change means for the view. It is a handler for [Each] and [LambdaHandler]. It costs one
// write, two if the change moves an item to another key, none if the view has the item neither before nor after.
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
		before = bare // the mark keeps no more than it needs
	}
	*v.applied(&before) = Applied{Seq: c.Seq.padded(), Gone: true, Until: v.now().Add(Tombstones)}
	return v.put(ctx, &before)
}

// put writes an item unless the view has a later one. Where a reply is lost it is sent again, which changes nothing more.
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

// ViewSource is the table that a view is rebuilt from: a *ddb.Table or a *ddb.SimpleTable.
type ViewSource[T any] interface{ Scan() *ddb.Scan[T] }

// Beginner decides where changes are read from: a [Consumer].
type Beginner interface {
	Begin(ctx context.Context) error
}

// Rebuild fills the view from the items of the source, without a gap between them and the changes: first
// the consumer, which applies changes to the view, decides where it begins ([Consumer.Begin]), then the
// source is read (strongly consistent) and every item put that the view does not have. Changes since then are applied when
// the consumer runs, and it may run already. What Rebuild read too late is older or newer than
// the view for as long as the consumer is behind.
//
// The consumer must start from the latest changes or earlier ([FromLatest]). Fill a table that is new: items that are
// there already are left as they are. Rebuild can be called again after an error. It returns
// how many items it has certainly put, and costs a scan of the source and a write for each of its items.
func (v *View[T, V, K]) Rebuild(ctx context.Context, consumer Beginner, source ViewSource[T]) (int, error) {
	if err := v.usable(); err != nil {
		return 0, err
	}
	if consumer == nil || source == nil {
		return 0, &ddb.InvalidError{Problems: []error{errors.New("change: Rebuild: the consumer or the source is nil")}}
	}
	ctx, task := reports.Start(ctx, "rebuild of "+v.table.Name())
	defer task.Stop("it was left by a panic") // unless it has ended before
	put, err := v.rebuild(ctx, task, consumer, source)
	task.End(ddb.RedactError(err))
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
				err := persist(ctx, nil, func() error { return v.table.Create(ctx, &item) }) // again does no harm
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
