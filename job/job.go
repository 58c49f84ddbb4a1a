// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawexpr"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/sweep"
	"github.com/dynamotable/ddb/tableinfo"
	"github.com/dynamotable/ddb/typeditem"
)

// Table is the part of a table that a job needs: [*ddb.Table] and [*ddb.SimpleTable] implement it.
type Table[T, K any] interface {
	ddb.KeyedTable[T, K]
	ddb.TablePart
	Name() string
	Scan() *ddb.Scan[T]
	Update(ctx context.Context, key K, changes ...ddb.UpdateOption[T]) (T, error)
	Put(ctx context.Context, item *T, opts ...ddb.WriteOption[T]) error
	DeleteItem(ctx context.Context, item *T, opts ...ddb.WriteOption[T]) error
}

// Option is an option of [New].
type Option func(*settings) error

type settings struct {
	guard       string
	store       Store
	lease       time.Duration
	maxFailures int64
	onFailure   func(Failure) error
	segments    []sweep.Option
	concurrency int
}

// Guard names the attribute that every writer changes with every write, such as a version. The condition of a change then uses only this attribute, and [Put] and
// [Delete] can be
// used. All programs that write to the table must follow this. An item without the attribute is guarded by all its attributes.
//
// The attribute must never have the same value again for a key. That holds for a [ddb.Revision], which has random tags, and for a version that continues after a
// tombstone of the
// deleted item. It does not hold for a version that begins at 1 again: an item that was deleted and created again meanwhile can have the value that was read, and
// is then changed as if it were the earlier one.
func Guard(version ddb.AnyAttr) Option {
	return func(s *settings) error {
		if version == nil || ddb.NameOf(version) == "" {
			return errors.New("job: the attribute of Guard is nil, or no attribute")
		}
		s.guard = ddb.NameOf(version)
		return nil
	}
}

// StoredIn sets where position and lease are stored: a [TableStore] or a [FileStore]. Without it every run starts from the beginning.
func StoredIn(store Store) Option {
	return func(s *settings) error {
		if store == nil {
			return errors.New("job: the store is nil")
		}
		s.store = store
		return nil
	}
}

// Lease sets how long a runner has the job without renewing the lease, by default a minute; it is renewed, with the position, three times as often. After a kill
// another runner can begin when the lease is over. A
// kill loses the position since the last renewal: those items are read again and kept.
func Lease(d time.Duration) Option {
	return func(s *settings) error {
		if d < time.Second || d > 24*time.Hour {
			return fmt.Errorf("job: a lease of %v: must be a second to a day", d)
		}
		s.lease = d
		return nil
	}
}

// OnFailure sets a function that is called for each item that has failed in a run, by several goroutines, before the position passes it. An error of the function
// ends the run. [FailuresTo] writes them to a file. [Job.Verify] does
// not call it.
func OnFailure(f func(Failure) error) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("job: the function of OnFailure is nil")
		}
		s.onFailure = f
		return nil
	}
}

// MaxFailures sets after how many failed items a run ends, with [ErrFailures]; the default is 100, and a negative number means no limit. It does not
// limit [Job.Verify].
func MaxFailures(n int) Option {
	return func(s *settings) error { s.maxFailures = int64(n); return nil }
}

// Concurrency sets how many items of a page are written at the same time, by default 8, at most 64.
func Concurrency(n int) Option {
	return func(s *settings) error {
		if n < 1 || n > 64 {
			return fmt.Errorf("job: a concurrency of %d: must be 1 to 64", n)
		}
		s.concurrency = n
		return nil
	}
}

// Sweep sets options of the sweep, such as the number of segments.
func Sweep(opts ...sweep.Option) Option {
	return func(s *settings) error { s.segments = append(s.segments, opts...); return nil }
}

// Job applies a function to all items of a table. It is immutable and safe for concurrent use.
type Job[T, K any] struct {
	name   string
	table  Table[T, K]
	change func(T) Change[T]
	set    settings
	known  []string // attributes of T
	keys   []string // attributes of the key
	err    error
}

// New describes a job. The name identifies it in the store and in its progress. The function must be pure: it depends only on the item, has no side effects, keeps items
// that it has already changed, and may be called several times for an item and by several goroutines. New sends nothing. Its error names everything that is wrong;
// every method returns it too.
func New[T, K any](name string, table Table[T, K], change func(T) Change[T], opts ...Option) (*Job[T, K], error) {
	j := &Job[T, K]{name: name, table: table, change: change, set: settings{lease: time.Minute, maxFailures: 100, concurrency: 8}}
	var errs []error
	if name == "" || len(name) > 200 {
		errs = append(errs, errors.New("job: the name must have 1 to 200 bytes"))
	}
	if change == nil {
		errs = append(errs, errors.New("job: the function is nil"))
	}
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("job: an option is nil"))
			continue
		}
		errs = append(errs, o(&j.set))
	}
	if plan, err := codec.PlanOf(reflect.TypeFor[T]()); err != nil {
		errs = append(errs, err)
	} else {
		for _, f := range plan.Fields() {
			j.known = append(j.known, f.Name)
		}
	}
	if v := reflect.ValueOf(table); table == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		errs = append(errs, errors.New("job: the table is nil"))
	} else if definition, err := tableinfo.Definition(table); err != nil {
		errs = append(errs, err)
	} else {
		for _, k := range definition.Create.KeySchema {
			j.keys = append(j.keys, *k.AttributeName)
		}
	}
	if errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil }); len(errs) > 0 {
		j.err = &ddb.InvalidError{Problems: errs}
	}
	return j, j.err
}

var errZero = &ddb.InvalidError{Problems: []error{errors.New("job: a nil or zero Job was used; make it with New")}}

func (j *Job[T, K]) usable() error {
	if j == nil || j.table == nil && j.err == nil {
		return errZero
	}
	return j.err
}

// Format prints the type's name, for every verb.
func (j *Job[T, K]) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "job.Job") }

// scan reads whole items, as they are stored, including those that [ddb.HideExpired] hides.
func (j *Job[T, K]) scan(consistent bool) ddb.Paged[rawitem.Item] {
	scan := j.table.Scan().With(ddb.IncludeExpired())
	if consistent {
		scan = scan.Consistent()
	}
	return ddb.View[rawitem.Item](scan)
}

// decide returns what the job does with a stored item.
func (j *Job[T, K]) decide(raw rawitem.Item) (item T, c Change[T]) {
	item, err := typeditem.FromRaw(j.table, raw)
	if err != nil {
		return item, Fail[T](err)
	}
	c = j.change(item)
	switch {
	case c.kind == none:
		c = Fail[T](errors.New("the job's function returned a zero Change"))
	case c.kind == update && len(c.updates) == 0:
		c = Fail[T](errors.New("the job's function returned an Update without changes"))
	case (c.kind == put || c.kind == remove) && !raw.Has(j.set.guard):
		c = Fail[T](errors.New("a Put or Delete is refused without the attribute of the option Guard: an attribute that another program adds meanwhile would be lost; use Update, or give all items a version first"))
	}
	return item, c
}

// unchanged returns the condition that the stored item is as it was read.
func (j *Job[T, K]) unchanged(raw rawitem.Item) (ddb.Cond[T], error) {
	var all []ddb.Cond[T]
	var problem error
	has := make(map[string]bool)
	for name, value := range raw.Attrs() {
		has[name] = true
		if j.set.guard != "" && raw.Has(j.set.guard) && name != j.set.guard {
			continue
		}
		av, err := value.Value()
		problem = errors.Join(problem, err)
		n := strconv.Itoa(len(all))
		all = append(all, rawexpr.CondText[T]("#g"+n+" = :g"+n, map[string]string{"#g" + n: name}, map[string]any{":g" + n: av}))
	}
	if j.set.guard == "" || !raw.Has(j.set.guard) {
		absent := j.known
		if j.set.guard != "" {
			absent = append(slices.Clip(absent), j.set.guard)
		}
		for _, name := range absent {
			if !has[name] {
				has[name] = true
				n := strconv.Itoa(len(all))
				all = append(all, rawexpr.CondText[T]("attribute_not_exists(#g"+n+")", map[string]string{"#g" + n: name}, nil))
			}
		}
	}
	return ddb.And(all...), problem
}

// send sends a change under the condition that the item is as it was read.
func (j *Job[T, K]) send(ctx context.Context, raw rawitem.Item, item T, c Change[T]) error {
	guard, err := j.unchanged(raw)
	if err != nil {
		return &ddb.InvalidError{Problems: []error{err}}
	}
	switch c.kind {
	case update:
		_, err = j.table.Update(ctx, j.table.KeyOf(&item), append(slices.Clip(c.updates), ddb.UpdateOption[T](ddb.If(guard)))...)
	case put:
		if !reflect.DeepEqual(j.table.KeyOf(&item), j.table.KeyOf(c.item)) {
			return &ddb.InvalidError{Problems: []error{errors.New("the job's Put has a different key than the item that was read")}}
		}
		err = j.table.Put(ctx, c.item, ddb.If(guard))
	default:
		err = j.table.DeleteItem(ctx, &item, ddb.If(guard))
	}
	return err
}

// attempts is how often a change is sent if others change the item, its reply is lost, or it is throttled. Between attempts are waits that double, from the second
// conflict on.
const (
	attempts  = 10
	firstWait = 50 * time.Millisecond
	longest   = 10 * time.Second
)

// errBusy is the error for an item that others changed every time.
var errBusy = fmt.Errorf("the item was changed by others, or its replies were lost, %d times in a row: run the job again", attempts)

// one applies the job to an item as it was read. An error ends the run; an error of the item only is in the outcome.
func (j *Job[T, K]) one(ctx context.Context, raw rawitem.Item) (o outcome, err error) {
	for again := 0; ; again++ {
		item, c := j.decide(raw)
		switch c.kind {
		case keep:
			o.result = kept
			if again > 0 && o.unknown { // the change whose reply was lost
				o.result = changed
			}
			return o, nil
		case fail:
			return o.failed(c.err), nil
		default:
		}
		if again == attempts {
			return o.failed(errBusy), nil
		}
		err := j.send(ctx, raw, item, c)
		switch {
		case err == nil:
			o.result = changed
			return o, nil
		case errors.Is(err, ddb.ErrOutcomeUnknown):
			o.unknown = true
		case errors.Is(err, ddb.ErrConditionFailed):
			o.conflicts++
		case isItemError(err):
			return o.failed(err), nil
		case again < attempts-1 && retryable(ctx, err): // it was not applied
			if err := pauseAfter(ctx, again, err, "write"); err != nil {
				return o, err
			}
			continue
		default:
			return o, err
		}
		if again > 0 {
			if err := pause(ctx, again-1); err != nil {
				return o, err
			}
		}
		raw, err = j.read(ctx, j.table.KeyOf(&item), &again)
		switch {
		case errors.Is(err, ddb.ErrNotFound):
			o.result = kept // it is gone: there is nothing to change
			if o.unknown && c.kind == remove {
				o.result = changed
			}
			return o, nil
		case err != nil && isItemError(err): // the table cannot read its new state
			return o.failed(err), nil
		case err != nil:
			return o, err
		}
	}
}

// read reads an item, with as many tries as the change has attempts left.
func (j *Job[T, K]) read(ctx context.Context, key K, again *int) (rawitem.Item, error) {
	for {
		raw, err := ddb.GetView[rawitem.Item](ctx, j.table, key, ddb.Consistent(), ddb.IncludeExpired())
		if *again >= attempts-1 || !retryable(ctx, err) {
			return raw, err
		}
		if err := pauseAfter(ctx, *again, err, "read"); err != nil {
			return raw, err
		}
		*again++
	}
}

func retryable(ctx context.Context, err error) bool { return ctx.Err() == nil && ddb.IsRetryable(err) }

func pause(ctx context.Context, again int) error {
	return retry.Pause(ctx, min(longest, firstWait<<again))
}

// pauseAfter waits until a request that failed is sent again, and says so in the progress.
func pauseAfter(ctx context.Context, again int, failed error, request string) error {
	reason := "a " + request + " failed and is sent again"
	if errors.Is(failed, ddb.ErrThrottled) {
		reason = "DynamoDB throttles a " + request
	}
	defer progress.From(ctx).Waiting(reason)()
	return pause(ctx, again)
}

// isItemError reports whether an error concerns only the item: the library or DynamoDB refuses it. If all items are refused by mistake, [MaxFailures] ends the run.
func isItemError(err error) bool {
	if errors.Is(err, ddb.ErrInvalid) || errors.Is(err, ddb.ErrItemTooLarge) || errors.Is(err, ddb.ErrOtherEntity) {
		return true
	}
	api, ok := errors.AsType[interface {
		error
		ErrorCode() string
	}](err)
	return ok && (api.ErrorCode() == "ValidationException" || api.ErrorCode() == "ItemCollectionSizeLimitExceededException")
}

// Needs reports whether the job would change or fail an item of this state. It calls the function and sends nothing. A consumer of the table's stream sees the writes of the job as well;
// the new image of a change needs no [Job.Apply] if Needs is false, because whoever writes the item later makes another change.
func (j *Job[T, K]) Needs(item T) bool {
	return j.usable() != nil || j.change(item).kind != keep // Apply says what is wrong with the job
}

// Apply applies the job to the item with a key, as [Job.Run] does: for consumers of the table's stream, which handle items that earlier versions of a program write behind the
// sweep. A missing item is not an error. It costs a consistent read, and the write if the item changes. Both are
// repeated as in a run. If the function fails the item, Apply returns that error.
func (j *Job[T, K]) Apply(ctx context.Context, key K) error {
	if err := j.usable(); err != nil {
		return err
	}
	raw, err := j.read(ctx, key, new(int))
	if errors.Is(err, ddb.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	o, err := j.one(ctx, raw)
	if err == nil {
		err = o.err
	}
	return err
}
