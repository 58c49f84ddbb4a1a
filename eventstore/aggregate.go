// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/dynamotable/ddb"
)

// Snapshots stores the state of aggregates, so that a load need not fold all events. Package snapshot provides an implementation.
type Snapshots interface {
	// LoadState returns the newest state with a version of at most atMost that was saved with the type and schema. Version 0 means that there is none.
	LoadState(ctx context.Context, stream, stateType string, schema int, atMost int64) (version int64, taken time.Time, state []byte, err error)
	// OfferState saves the state of a version if a snapshot is due, given the version and time of the snapshot that was loaded.
	OfferState(ctx context.Context, stream, stateType string, schema int, version, lastVersion int64, lastTaken time.Time, encode func() ([]byte, error)) (saved bool, err error)
}

// Aggregate is the state that results from the events of a stream.
type Aggregate[S any] struct {
	Stream string
	// Version is the version of the last event in State, 0 if there is none.
	Version int64
	State   S
	// CommitID is the commit id of the append by [Repository.Update], empty if nothing was appended.
	CommitID string

	snapshot int64 // the version of its newest known snapshot
	taken    time.Time
}

// RepositoryOption is an option of [NewRepository].
type RepositoryOption func(*repositoryOptions)

type repositoryOptions struct {
	snapshots Snapshots
	stateType string
	unnamed   bool // the name is the type's; states stored by earlier releases may have none
	schema    int
	stored    bool
	tries     int
	snapError func(error)
	inline    []InlineProjection
	cached    int
	stale     time.Duration
}

// WithSnapshots loads aggregates from snapshots and offers new ones after appends. A
// snapshot with another name or schema of the state is ignored: raise the schema whenever fold or the state change. The empty
// name means the name of the state's Go type, and schema 0 means 1.
// A snapshot that cannot be read or decoded is ignored as well, and reported to [OnSnapshotError].
func WithSnapshots(snapshots Snapshots, stateType string, schema int) RepositoryOption {
	return func(o *repositoryOptions) { o.snapshots, o.stateType, o.schema = snapshots, stateType, schema }
}

// StateStored saves the state with every append, in the same transaction, so that a load reads two items
// however long the stream is. It costs 2 write units for each KB of the state. Name and
// schema are as in [WithSnapshots].
func StateStored(stateType string, schema int) RepositoryOption {
	return func(o *repositoryOptions) { o.stored, o.stateType, o.schema = true, stateType, schema }
}

// OnSnapshotError sets a function that is called for snapshots that could not be loaded or saved. The aggregate is correct without
// them. By default such errors are logged to slog.Default.
func OnSnapshotError(report func(error)) RepositoryOption {
	return func(o *repositoryOptions) { o.snapError = report }
}

// UpdateTries sets how often [Repository.Update] decides again when other writers were faster. The default is 20.
func UpdateTries(n int) RepositoryOption { return func(o *repositoryOptions) { o.tries = n } }

// Repository loads aggregates of state S by folding events of type E, and appends the events that are decided on their basis. It is safe for concurrent use.
type Repository[S, E any] struct {
	core  repositoryCore
	types *Types[E]
	fold  func(S, E) S
	locks keyedLocks
	cache *cache[S] // nil without the option
}

// NewRepository makes a repository. Fold returns the state after an event; it must
// depend on its arguments alone.
//
//	accounts := eventstore.NewRepository(store, types, func(a Account, e Event) Account { ... })
func NewRepository[S, E any](store *Store, types *Types[E], fold func(state S, event E) S, opts ...RepositoryOption) *Repository[S, E] {
	r := &Repository[S, E]{types: types, fold: fold, core: newRepositoryCore(store, (*S)(nil), opts)}
	r.cache = newCache[S](r.core.o.cached)
	return r
}

// usable returns the error of the store or the types, or an error if a part of the repository is missing.
func (r *Repository[S, E]) usable() error {
	if r == nil || r.fold == nil {
		return errNoRepository
	}
	return errors.Join(r.core.store.usable(), r.types.usable())
}

// Load returns the state of an aggregate as of its last event. An aggregate without events has version 0 and the zero state. For a
// deleted stream the error is [ErrStreamDeleted].
func (r *Repository[S, E]) Load(ctx context.Context, stream string) (Aggregate[S], error) {
	if err := r.usable(); err != nil {
		return Aggregate[S]{}, err
	}
	return r.load(ctx, stream, math.MaxInt64, r.core.o.stale, nil)
}

// Fold brings a state up to date with stored events, as a load does: for projections that show what the aggregate knows, with the
// fold written once. Events that were scrubbed or forgotten are skipped, unless [Types.OnForgotten] gives a value in their place. For an event of a type that is
// not registered the error is [ErrUnknownType].
func (r *Repository[S, E]) Fold(state *S, events ...Event) error {
	if err := r.usable(); err != nil {
		return err
	}
	if state == nil {
		return &ddb.InvalidError{Problems: []error{errors.New("eventstore: Fold: the state is nil")}}
	}
	return Fold(r.types, r.fold)(state, events...)
}

// LoadAt returns the state of an aggregate at an earlier version, or at the last version if that is lower.
func (r *Repository[S, E]) LoadAt(ctx context.Context, stream string, version int64) (Aggregate[S], error) {
	if err := r.usable(); err != nil {
		return Aggregate[S]{}, err
	}
	return r.load(ctx, stream, version, 0, nil)
}

// load returns the state at a version. It may be a cached state that was current within the given time.
func (r *Repository[S, E]) load(ctx context.Context, stream string, version int64, stale time.Duration, seen func(commit string)) (Aggregate[S], error) {
	a := Aggregate[S]{Stream: stream}
	if err := checkStream(stream); err != nil {
		return a, &ddb.InvalidError{Problems: []error{err}}
	}
	var (
		saved       row
		cached      Aggregate[S]
		hit, recent bool
		err         error
	)
	keep := version == math.MaxInt64 && r.cache != nil && r.core.caches(stream)
	if keep {
		if cached, hit, recent = r.cache.get(stream, stale); recent {
			r.core.count("loads from the cache, nothing read", 1)
			return cached, nil
		}
	}
	if !hit {
		if saved, err = r.core.saved(ctx, stream); err != nil {
			return a, err
		}
	}
	began := time.Now()
	head, found, err := r.core.store.head(ctx, stream)
	if err != nil {
		return a, err
	}
	if hit && (!found || head.Deleted != 0 || cached.Version > head.Version || head.Cut > cached.Version+1) { // unusable: treated as absent
		r.cache.drop(stream)
		return r.load(ctx, stream, version, 0, seen)
	}
	if !found {
		return a, nil
	}
	if head.Deleted != 0 {
		return a, ErrStreamDeleted
	}
	if seen != nil {
		for _, s := range head.slots() {
			seen(slotCommit(s))
		}
	}
	version = min(version, head.Version)
	switch {
	case head.Expiry != 0: // no state: it would contain expired events
		if head, err = r.core.store.skipExpired(ctx, stream, head); err != nil {
			return a, err
		}
		a.Version = min(max(head.Cut, 1)-1, version)
		keep = false
	case hit:
		a = cached
		r.core.count("loads from the cache", 1)
	default:
		a.Version, a.snapshot, a.taken = r.core.begin(ctx, stream, &a.State, &saved, version)
	}
	if a.Version == version {
		if keep {
			r.cache.put(a, began)
		}
		return a, nil
	}
	if head.Cut > a.Version+1 {
		return a, &GapError{Stream: stream, Version: a.Version + 1, First: head.Cut} // events after the state were truncated
	}
	folded := int64(0)
	defer func() { r.core.count("events folded by loads", folded) }()
	for e, err := range r.core.events(ctx, &head, reading{store: r.core.store, stream: stream, from: a.Version + 1, to: version}, seen) {
		if err != nil {
			return a, err
		}
		if err := r.Fold(&a.State, e); err != nil {
			return a, err
		}
		folded++
		a.Version = e.Version
	}
	a.Version = version // the last events may have been dropped by an upcaster
	if keep {
		r.cache.put(a, began)
	}
	return a, nil
}

// Update loads an aggregate, asks decide for new events, and appends them:
//
//	account, err := accounts.Update(ctx, "account-42", func(a Account) ([]Event, error) {
//		if a.Balance < 100 {
//			return nil, errNoFunds
//		}
//		return []Event{Withdrawn{100}}, nil
//	})
//
// It returns the aggregate with the new events. If decide returns no events, nothing changes. An error of decide is returned as it is. When another writer is
// faster, it loads and decides again.
//
// With a [CommitID], a call whose commit is among the stream's last 8, or after the snapshot that it loads, is not decided again: the call returns the aggregate as
// it is. [Dedup] extends this. [With] adds operations to the transaction.
func (r *Repository[S, E]) Update(ctx context.Context, stream string, decide func(state S) ([]E, error), args ...CommitArgument) (Aggregate[S], error) {
	if err := r.usable(); err != nil {
		return Aggregate[S]{}, err
	}
	unlock, err := r.locks.lock(ctx, stream) // avoids races within this process
	if err != nil {
		return Aggregate[S]{}, err
	}
	defer unlock()
	given := &commit{}
	for _, arg := range args {
		arg.addTo(given)
	}
	waits := r.core.store.o.backoff.new()
	var reused error
	for try := 1; ; try++ {
		known := false
		stale := r.core.o.stale
		if try > 1 || given.id != "" {
			stale = 0
		}
		a, err := r.load(ctx, stream, math.MaxInt64, stale, func(commit string) { known = known || commit == given.id && commit != "" })
		if err != nil {
			return a, err
		}
		if known {
			a.CommitID = given.id
			return a, nil
		}
		if reused != nil {
			return a, reused
		}
		a, err = r.append(ctx, a, decide, r.core.store.timeLimit(given, stream) == 0, args)
		if errors.Is(err, ErrCommitIDReused) { // another call with the id was faster and may have decided otherwise: load its result
			reused = err
			continue
		}
		if !errors.Is(err, ErrWrongExpectedVersion) && !r.core.inlineRejected(err, len(given.extra)) {
			return a, err
		}
		if try >= r.core.o.tries {
			return a, fmt.Errorf("update: %w (%d tries): %w", ErrContention, try, err)
		}
		if err := r.core.store.o.wait(ctx, waits.NextBackOff()); err != nil {
			return a, err
		}
	}
}

// append decides and appends once. The state of a time-limited stream is not stored.
func (r *Repository[S, E]) append(ctx context.Context, a Aggregate[S], decide func(S) ([]E, error), lasting bool, args []CommitArgument) (Aggregate[S], error) {
	decided, err := decide(a.State)
	if err != nil || len(decided) == 0 {
		return a, err
	}
	events := make([]NewEvent, len(decided))
	for i, e := range decided {
		if events[i], err = r.types.Encode(e); err != nil {
			return a, err
		}
	}
	next := a
	for _, e := range decided {
		next.State = r.fold(next.State, e)
	}
	next.Version += int64(len(decided))
	appendArgs := []AppendArg{Events(events)}
	for _, arg := range args {
		appendArgs = append(appendArgs, arg)
	}
	var stored any
	if lasting {
		stored = &next.State
	}
	beside, err := r.core.beside(ctx, a.Stream, a.Version, events, stored)
	if err != nil {
		return a, err
	}
	if len(beside) > 0 {
		appendArgs = append(appendArgs, With(beside...))
	}
	began := time.Now()
	done, err := r.core.store.Append(ctx, a.Stream, Exactly(a.Version), appendArgs...)
	if err != nil {
		return a, err
	}
	if next.CommitID = done.CommitID; done.Last != next.Version {
		// A repeat of an earlier commit, after which other commits followed.
		return r.load(ctx, a.Stream, math.MaxInt64, 0, nil)
	}
	if lasting {
		next.snapshot, next.taken = r.core.offer(ctx, a.Stream, next.Version, &next.State, a.snapshot, a.taken)
	}
	if lasting && r.cache != nil && r.core.caches(a.Stream) {
		r.cache.put(next, began)
	}
	return next, nil
}

func slotCommit(s string) string {
	if i := slices.Index([]byte(s), ' '); i >= 0 {
		return s[i+1:]
	}
	return ""
}
