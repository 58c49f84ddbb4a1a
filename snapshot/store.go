// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
	"github.com/dynamotable/ddb/layerstats"
	"github.com/dynamotable/ddb/schema"
)

// ErrConflict means that the stream already has a snapshot of the version with another state. Either fold
// depends on more than the events, or the version is not that of the state.
var ErrConflict = errors.New("the version has a snapshot with another state")

// Snapshot is a state at a version.
type Snapshot struct {
	Stream string
	// Version is the version of the last event in State.
	Version int64
	// Type and Schema identify the format of State. A reader with another format ignores the snapshot.
	Type   string
	Schema int
	State  []byte
	// TakenAt is the time of the save, in UTC.
	TakenAt time.Time
	// Persistent snapshots are kept regardless of the retention.
	Persistent bool
}

// row is an item of the table.
type row struct {
	Stream     string    `dynamodbav:"pk"`
	Version    int64     `dynamodbav:"sk"`
	Type       string    `dynamodbav:"type,omitempty"`
	Schema     int       `dynamodbav:"schema,omitempty"`
	State      []byte    `dynamodbav:"state,omitempty"`
	Ref        string    `dynamodbav:"ref,omitempty"`
	Hash       []byte    `dynamodbav:"hash,omitempty"`
	TakenAt    time.Time `dynamodbav:"taken_at,sdktime"`
	Persistent bool      `dynamodbav:"persistent,omitempty"`
	TTL        int64     `dynamodbav:"ttl,omitempty"`
}

var (
	rowStream     = ddb.StrField(func(r *row) *string { return &r.Stream })
	rowVersion    = ddb.NumField(func(r *row) *int64 { return &r.Version })
	rowType       = ddb.StrField(func(r *row) *string { return &r.Type })
	rowRef        = ddb.StrField(func(r *row) *string { return &r.Ref })
	rowSchema     = ddb.NumField(func(r *row) *int { return &r.Schema })
	rowPersistent = ddb.Field(func(r *row) *bool { return &r.Persistent })
	rowTTL        = ddb.NumField(func(r *row) *int64 { return &r.TTL })
)

// Payloads stores states that are too large for an item. Package payload provides an implementation.
type Payloads interface {
	Store(ctx context.Context, space string, data []byte) (ref string, err error)
	Fetch(ctx context.Context, ref string) ([]byte, error)
}

// Option is an option of [New].
type Option func(*Store)

// When sets the policy by which [Store.OfferState] takes snapshots; the default is EveryN(100).
func When(p Policy) Option { return func(s *Store) { s.policy = p } }

// Keep sets the retention; the default is KeepLast(2).
func Keep(r Retention) Option { return func(s *Store) { s.keep = r } }

// Offload stores a state in a payload store if its item would have more bytes than the threshold; 0 means 350 KB.
func Offload(payloads Payloads, threshold int) Option {
	return func(s *Store) {
		if s.payloads = payloads; threshold != 0 {
			s.threshold = threshold
		}
	}
}

// Clock replaces time.Now.
func Clock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// TableOptions passes options to the table: a prefix of its name, a ledger, retries.
func TableOptions(opts ...ddb.TableOption) Option {
	return func(s *Store) { s.opts = append(s.opts, opts...) }
}

// Store keeps snapshots in a table. It is safe for concurrent use. Make it with [New].
type Store struct {
	client    ddb.Client
	table     any // see tableOf
	opts      []ddb.TableOption
	policy    Policy
	keep      Retention
	payloads  Payloads
	threshold int
	now       func() time.Time
	failed    error // of New; every method returns it
}

// tableOf returns the table. It is a function and the field has no type, because every package that uses a
// store would compile the methods of the table again if it found their types in the store or its methods.
//
//go:noinline
func tableOf(s *Store) *ddb.Table[row, string, int64] {
	table, _ := s.table.(*ddb.Table[row, string, int64])
	return table
}

// New describes a table of snapshots. It sends nothing; see [Store.EnsureTable].
func New(client ddb.Client, table string, opts ...Option) (*Store, error) {
	s := &Store{client: client, policy: EveryN(100), keep: KeepLast(2), threshold: 350 << 10, now: time.Now}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	var err error
	s.table, err = ddb.New(client, table, rowStream, rowVersion, append([]ddb.TableOption{ddb.TTL(rowTTL)}, s.opts...)...)
	if err == nil && (s.now == nil || s.policy == nil || s.threshold < 1 || s.threshold > ddb.MaxItemSize || s.keep.ttl < 0) {
		err = invalid("a clock or policy is nil, the threshold is not 1 byte to 400 KB, or an age is negative")
	}
	s.failed = err
	return s, err
}

func invalid(text string) error {
	return &ddb.InvalidError{Problems: []error{errors.New("snapshot: " + text)}}
}

// Name returns the table's name.
func (s *Store) Name() string {
	if s == nil || s.table == nil {
		return ""
	}
	return tableOf(s).Name()
}

// Client returns the client that the store was made with.
func (s *Store) Client() ddb.Client {
	if s == nil {
		return nil
	}
	return s.client
}

// usable returns the error of the constructor, or an error for a Store that was not made by it.
func (s *Store) usable() error {
	switch {
	case s == nil:
		return notMade("Store", "New")
	case s.failed != nil:
		return s.failed
	case s.table == nil:
		return notMade("Store", "New")
	}
	return nil
}

// notMade returns the error for a nil or zero value.
func notMade(what, constructor string) error {
	return &ddb.InvalidError{Problems: []error{fmt.Errorf("snapshot: a %s that %s did not make", what, constructor)}}
}

// failing yields an error.
func failing[V any](err error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var zero V
		yield(zero, err)
	}
}

// EnsureTable creates the table if it is missing, and waits until it can be used.
func (s *Store) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	if err := s.usable(); err != nil {
		return err
	}
	return tableOf(s).EnsureTable(ctx, opts...)
}

// VerifyTable lists all differences between the live table and its definition.
func (s *Store) VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	return tableOf(s).VerifyTable(ctx, opts...)
}

// ResetTable deletes the table with all snapshots, waits until it is gone, and creates it again. It is refused
// unless the permission names the table; see [schema.AllowDelete].
func (s *Store) ResetTable(ctx context.Context, allow schema.DeletePermission, opts ...schema.Option) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.DeleteTable(ctx, allow); err != nil {
		return err
	}
	return s.EnsureTable(ctx, opts...)
}

// DeleteTable deletes the table with all snapshots, and waits until it is gone. It is refused unless
// the permission names the table; see [schema.AllowDelete]. Offloaded states stay where they are.
func (s *Store) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	if err := s.usable(); err != nil {
		return err
	}
	return tableOf(s).DeleteTable(ctx, allow)
}

// Save stores a snapshot, and prunes those that the retention does not keep. Saving the same state of a version again is not
// an error; another state of the version is [ErrConflict]. If
// only the pruning fails, the error says so, and the next save prunes again. When a reply is lost, the
// save is sent again, which changes nothing more. An error that matches both [ErrConflict] and [ddb.ErrOutcomeUnknown] means that another process
// saved a newer form of the state in the meantime, and that it is unknown whether this save was stored before that.
func (s *Store) Save(ctx context.Context, snap Snapshot) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := check(snap.Stream); err != nil {
		return err
	}
	if snap.Version < 1 {
		return invalid(fmt.Sprintf("version %d; a snapshot includes at least one event", snap.Version))
	}
	r, err := s.row(ctx, snap)
	if err != nil {
		return err
	}
	err = repeat.WriteInDoubt(ctx, func(error) error { return tableOf(s).Create(ctx, &r) })
	if failed, ok := errors.AsType[*ddb.ConditionFailed[row]](err); ok {
		if is, _ := failed.Current(); is.same(&r) {
			err = nil
		} else {
			err = s.replaceFormat(ctx, is, r, err)
		}
	}
	if err != nil {
		return err
	}
	layerstats.Add("snapshot", s.Name(), "saved", 1)
	if err := s.Prune(ctx, snap.Stream); err != nil {
		return fmt.Errorf("snapshot: saved, but not pruned: %w", err)
	}
	return nil
}

// same reports whether two rows of one version have the same state in the same format.
func (r *row) same(other *row) bool {
	return r.Type == other.Type && r.Schema == other.Schema && bytes.Equal(r.Hash, other.Hash)
}

// replaceFormat replaces an older format of the state by a newer one of the same version.
func (s *Store) replaceFormat(ctx context.Context, is, r row, cause error) error {
	if is.Type == r.Type && is.Schema >= r.Schema {
		return fmt.Errorf("snapshot: %w: %w", ErrConflict, cause)
	}
	err := repeat.WriteInDoubt(ctx, func(error) error { return tableOf(s).Put(ctx, &r, ddb.If(rowSchema.Eq(is.Schema), typeIs(is.Type))) })
	if failed, ok := errors.AsType[*ddb.ConditionFailed[row]](err); ok {
		if now, _ := failed.Current(); now.same(&r) {
			return nil
		}
		return fmt.Errorf("snapshot: %w: %w", ErrConflict, err)
	}
	return err
}

func typeIs(name string) ddb.Cond[row] {
	if name == "" {
		return ddb.NotExists(rowType)
	}
	return rowType.Eq(name)
}

// row returns a snapshot as it is stored; a large state is first stored outside.
func (s *Store) row(ctx context.Context, snap Snapshot) (row, error) {
	if snap.Schema == 0 {
		snap.Schema = 1
	}
	now := s.now().UTC()
	r := row{
		Stream: snap.Stream, Version: snap.Version, Type: snap.Type, Schema: snap.Schema, State: snap.State, Hash: sum(snap.State),
		TakenAt: now, Persistent: snap.Persistent,
	}
	if s.keep.ttl > 0 && !snap.Persistent {
		r.TTL = now.Add(s.keep.ttl).Unix() + 1
	}
	if s.payloads == nil {
		return r, nil
	}
	n, err := tableOf(s).ItemSize(&r)
	if err != nil || n <= s.threshold {
		return r, err
	}
	r.State = nil
	r.Ref, err = s.payloads.Store(ctx, snap.Stream, snap.State)
	return r, err
}

// Latest returns the newest snapshot of a stream. If there is none, the error is [ddb.ErrNotFound].
func (s *Store) Latest(ctx context.Context, stream string) (Snapshot, error) {
	if err := s.usable(); err != nil {
		return Snapshot{}, err
	}
	return s.AtOrBefore(ctx, stream, 1<<62)
}

// AtOrBefore returns the newest snapshot of a stream with a version of at most the given one. If there is none, the error is [ddb.ErrNotFound].
func (s *Store) AtOrBefore(ctx context.Context, stream string, version int64) (Snapshot, error) {
	if err := s.usable(); err != nil {
		return Snapshot{}, err
	}
	for snap, err := range s.list(ctx, stream, version, 1, func(*row) bool { return true }) {
		return snap, err
	}
	return Snapshot{}, ddb.ErrNotFound
}

// List yields the snapshots of a stream, newest first.
func (s *Store) List(ctx context.Context, stream string) iter.Seq2[Snapshot, error] {
	if err := s.usable(); err != nil {
		return failing[Snapshot](err)
	}
	return s.list(ctx, stream, 1<<62, 0, func(*row) bool { return true })
}

// list yields matching snapshots, newest first.
func (s *Store) list(ctx context.Context, stream string, atMost int64, page int, fits func(*row) bool) iter.Seq2[Snapshot, error] {
	return func(yield func(Snapshot, error) bool) {
		if err := check(stream); err != nil {
			yield(Snapshot{}, err)
			return
		}
		q := tableOf(s).Query(stream).SortKey(ddb.Le(atMost)).Descending().Consistent()
		if page > 0 {
			q = q.PageSize(page)
		}
		for r, err := range q.All(ctx) {
			if err != nil {
				yield(Snapshot{}, err)
				return
			}
			if s.expired(&r) || !fits(&r) {
				continue
			}
			snap, err := s.snapshot(ctx, r)
			if !yield(snap, err) || err != nil {
				return
			}
		}
	}
}

func (s *Store) expired(r *row) bool { return r.TTL != 0 && s.now().Unix() >= r.TTL }

func (s *Store) snapshot(ctx context.Context, r row) (Snapshot, error) {
	snap := Snapshot{
		Stream: r.Stream, Version: r.Version, Type: r.Type, Schema: r.Schema, State: r.State,
		TakenAt: r.TakenAt, Persistent: r.Persistent,
	}
	if r.Ref == "" {
		return snap, nil
	}
	if s.payloads == nil {
		return snap, errors.New("snapshot: the state is in a payload store; the option Offload is missing")
	}
	var err error
	if snap.State, err = s.payloads.Fetch(ctx, r.Ref); err != nil {
		return snap, fmt.Errorf("snapshot: state of version %d: %w", r.Version, err)
	}
	if !bytes.Equal(sum(snap.State), r.Hash) {
		return snap, fmt.Errorf("snapshot: the payload store returned another state for version %d", r.Version)
	}
	return snap, nil
}

// Delete removes a snapshot. Deleting a missing one is not an error.
func (s *Store) Delete(ctx context.Context, stream string, version int64) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := check(stream); err != nil {
		return err
	}
	return tableOf(s).Delete(ctx, stream, version)
}

// DeleteAll removes all snapshots of a stream, including persistent ones, for example when its data must be forgotten.
func (s *Store) DeleteAll(ctx context.Context, stream string) error {
	if err := s.usable(); err != nil {
		return err
	}
	return s.remove(ctx, stream, func(int, *row) bool { return true })
}

// Prune removes the snapshots of a stream that the retention does not keep. It never removes the newest. Every
// save does it.
func (s *Store) Prune(ctx context.Context, stream string) error {
	if err := s.usable(); err != nil {
		return err
	}
	if s.keep.keep == 0 {
		return nil
	}
	return s.remove(ctx, stream, func(newer int, r *row) bool { return newer >= s.keep.keep && !r.Persistent })
}

// remove removes the snapshots for which the function returns true, given the number of newer ones.
func (s *Store) remove(ctx context.Context, stream string, gone func(newer int, r *row) bool) error {
	if err := check(stream); err != nil {
		return err
	}
	var keys []ddb.Key[string, int64]
	newer := 0
	for r, err := range tableOf(s).Query(stream).Descending().Consistent().Project(rowVersion, rowPersistent).All(ctx) {
		if err != nil {
			return err
		}
		if gone(newer, &r) {
			keys = append(keys, tableOf(s).Key(stream, r.Version))
		}
		newer++
	}
	if len(keys) == 0 {
		return nil
	}
	return tableOf(s).BatchDelete(ctx, keys)
}

// References yields the references of all offloaded states, for removing payloads that nothing refers to. It scans the table.
func (s *Store) References(ctx context.Context) iter.Seq2[string, error] {
	if err := s.usable(); err != nil {
		return failing[string](err)
	}
	return func(yield func(string, error) bool) {
		for r, err := range tableOf(s).Scan().Filter(ddb.Exists(rowRef)).Project(rowRef).Consistent().All(ctx) {
			if !yield(r.Ref, err) || err != nil {
				return
			}
		}
	}
}

func check(stream string) error {
	switch {
	case stream == "":
		return invalid("the stream has no name")
	case len(stream) > 2048:
		return invalid(fmt.Sprintf("the name of the stream has %d bytes; the limit is 2048", len(stream)))
	}
	return nil
}

// EditionStream returns the stream for snapshots of a timeline other than the main one, as in package eventstore.
func EditionStream(stream, edition string) string {
	escape := strings.NewReplacer("%", "%25", "@", "%40")
	return escape.Replace(stream) + "@" + escape.Replace(edition)
}
