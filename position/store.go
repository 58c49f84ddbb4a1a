// SPDX-License-Identifier: Apache-2.0

package position

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
	"github.com/dynamotable/ddb/schema"
)

// Conditions that callers branch on; test them with errors.Is.
var (
	// ErrStale means that the position to save is not after the stored one; nothing was written.
	ErrStale = errors.New("the position does not increase")
	// ErrFenced means that another owner has claimed the position; nothing was written. Stop handling.
	ErrFenced = errors.New("the position was claimed by another owner")
)

// Position is the stored position of one consumer in one partition.
type Position struct {
	Consumer  string
	Partition string
	// Number is the last number that was handled.
	Number int64
	// Owner is the owner that has claimed it, empty if none has; Epoch counts claims and resets.
	Owner     string
	Epoch     int64
	UpdatedAt time.Time
}

// row is an item of the table: a position, or, with a sort key after all of these, the record of a reset.
type row struct {
	Consumer  string    `dynamodbav:"pk"`
	Partition string    `dynamodbav:"sk"`
	Number    int64     `dynamodbav:"number"`
	Owner     string    `dynamodbav:"owner,omitempty"`
	Epoch     int64     `dynamodbav:"epoch,omitempty"`
	Token     string    `dynamodbav:"token,omitempty"`
	UpdatedAt time.Time `dynamodbav:"updated_at,sdktime"`

	// Of a reset.
	From   int64  `dynamodbav:"from,omitempty"`
	By     string `dynamodbav:"by,omitempty"`
	Reason string `dynamodbav:"reason,omitempty"`
}

var (
	rowConsumer  = ddb.StrField(func(r *row) *string { return &r.Consumer })
	rowPartition = ddb.StrField(func(r *row) *string { return &r.Partition })
	rowNumber    = ddb.NumField(func(r *row) *int64 { return &r.Number })
	rowOwner     = ddb.StrField(func(r *row) *string { return &r.Owner })
	rowEpoch     = ddb.NumField(func(r *row) *int64 { return &r.Epoch })
	rowToken     = ddb.StrField(func(r *row) *string { return &r.Token })
	rowUpdatedAt = ddb.TimeField(func(r *row) *time.Time { return &r.UpdatedAt })
)

// Sort keys: a kind, then the partition.
const (
	positionKind = "P#"
	resetKind    = "R#"
)

// Option is an option of [New].
type Option func(*Store)

// Clock replaces time.Now for the times of positions and resets.
func Clock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// TableOptions passes options to the table: a prefix of its name, a ledger, retries.
func TableOptions(opts ...ddb.TableOption) Option {
	return func(s *Store) { s.opts = append(s.opts, opts...) }
}

// Store keeps positions in a table. It is safe for concurrent use. Make it with [New].
type Store struct {
	client ddb.Client
	table  any // see tableOf
	now    func() time.Time
	opts   []ddb.TableOption
	failed error // of New; every method returns it
}

// tableOf returns the table. It is a function and the field has no type, because every package that uses a
// store would compile the methods of the table again if it found their types in the store or its methods.
//
//go:noinline
func tableOf(s *Store) *ddb.Table[row, string, string] {
	table, _ := s.table.(*ddb.Table[row, string, string])
	return table
}

// New describes a table of positions. It sends nothing; see [Store.EnsureTable]. After an error every method of the Store returns it.
func New(client ddb.Client, table string, opts ...Option) (*Store, error) {
	s := &Store{client: client, now: time.Now}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	if s.now == nil { // which ddb.New refuses
		s.opts = append(s.opts, ddb.Clock(nil))
		s.now = time.Now
	}
	s.table, s.failed = ddb.New(client, table, rowConsumer, rowPartition, s.opts...)
	return s, s.failed
}

// Name returns the table's name.
func (s *Store) Name() string {
	if s == nil || s.table == nil {
		return ""
	}
	return tableOf(s).Name()
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

// ResetTable deletes the table with all positions and records of resets, waits until it is gone, and creates it again. It is refused
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

// DeleteTable deletes the table with all positions, and waits until it is gone. It is refused unless
// the permission names the table; see [schema.AllowDelete].
func (s *Store) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	if err := s.usable(); err != nil {
		return err
	}
	return tableOf(s).DeleteTable(ctx, allow)
}

// Load reads a position consistently. It returns 0 if there is none.
func (s *Store) Load(ctx context.Context, consumer, partition string) (int64, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	p, err := s.Get(ctx, consumer, partition)
	if errors.Is(err, ddb.ErrNotFound) {
		err = nil
	}
	return p.Number, err
}

// Get reads a position with everything that is stored about it. If it was never saved or claimed, the error is [ddb.ErrNotFound].
func (s *Store) Get(ctx context.Context, consumer, partition string) (Position, error) {
	if err := s.usable(); err != nil {
		return Position{}, err
	}
	if err := checkKey(consumer); err != nil {
		return Position{}, err
	}
	r, err := s.read(ctx, consumer, partition)
	if err != nil {
		return Position{}, err
	}
	return r.position(), nil
}

func (s *Store) read(ctx context.Context, consumer, partition string) (row, error) {
	return tableOf(s).Get(ctx, consumer, positionKind+partition, ddb.Consistent())
}

func (r *row) position() Position {
	return Position{
		Consumer: r.Consumer, Partition: r.Partition[len(positionKind):], Number: r.Number,
		Owner: r.Owner, Epoch: r.Epoch, UpdatedAt: r.UpdatedAt,
	}
}

// Save stores a position of a consumer that runs in one process. If the position is lower than the stored one, the error is [ErrStale];
// saving the same again succeeds. If the position was claimed, the error is [ErrFenced]; see [Claim.Save].
//
// When a reply is lost, the save is sent again: that is harmless, because a position never goes back, and it shows whether
// the position is stored. An error that matches both [ErrStale] or [ErrFenced] and [ddb.ErrOutcomeUnknown] means that another
// process saved or claimed in the meantime, and that it is unknown whether this save was stored before that.
func (s *Store) Save(ctx context.Context, consumer, partition string, position int64) error {
	if err := s.usable(); err != nil {
		return err
	}
	return s.save(ctx, consumer, partition, position, "")
}

func (s *Store) save(ctx context.Context, consumer, partition string, position int64, token string) error {
	if err := errors.Join(checkKey(consumer), checkNumber(position)); err != nil {
		return err
	}
	return repeat.WriteInDoubt(ctx, func(doubt error) error {
		_, err := tableOf(s).Upsert(ctx, s.key(consumer, partition), s.changes(position, token)...)
		failed, ok := errors.AsType[*ddb.ConditionFailed[row]](err)
		if !ok {
			return err
		}
		is, _ := failed.Current()
		if doubt != nil {
			err = doubt // nothing proves that the attempts before this one were not applied
		}
		return refusal(is, position, token, err)
	}, ErrStale, ErrFenced)
}

// refusal returns why a save was refused.
func refusal(is row, position int64, token string, cause error) error {
	switch {
	case is.Token != token:
		return fmt.Errorf("position: %w; stop handling, or claim it again: %w", ErrFenced, cause)
	case is.Number == position:
		return nil
	}
	return fmt.Errorf("position: %w: %w", ErrStale, cause)
}

// changes returns the changes of a save, under the condition that the position increases.
func (s *Store) changes(position int64, token string) []ddb.UpdateOption[row] {
	grows := ddb.Or(ddb.NotExists(rowNumber), rowNumber.Lt(position))
	owner := ddb.NotExists(rowToken)
	if token != "" {
		owner = rowToken.Eq(token)
	}
	return []ddb.UpdateOption[row]{rowNumber.Set(position), rowUpdatedAt.Set(s.now().UTC()), ddb.If(grows, owner)}
}

// SaveTx is [Store.Save] in a transaction, with the effects of the handler. There the position must increase: if it is stored already, the
// transaction fails, because its effects are stored as well.
// [Store.Rejected] returns the reason.
func (s *Store) SaveTx(consumer, partition string, position int64) ddb.TxOp {
	if s == nil || s.table == nil {
		return (*ddb.Table[row, string, string])(nil).TxUpsert(ddb.Key[string, string]{})
	}
	return tableOf(s).TxUpsert(s.key(consumer, partition), s.changes(position, "")...)
}

// Rejected reports whether the [Store.SaveTx] at an index of a transaction's operations made it fail: it
// returns [ErrFenced] or [ErrStale], and nil otherwise. Stale means that the number was handled before.
func (s *Store) Rejected(err error, index int) error {
	if err := s.usable(); err != nil {
		return err
	}
	return rejectedAt(err, index, "")
}

func rejectedAt(err error, index int, token string) error {
	te, ok := errors.AsType[*ddb.TransactionError](err)
	if !ok || te.At(index) == nil {
		return nil
	}
	failed, ok := errors.AsType[*ddb.ConditionFailed[row]](te.At(index).Err)
	if !ok {
		return nil
	}
	if is, _ := failed.Current(); is.Token != token {
		return fmt.Errorf("position: %w; stop handling, or claim it again: %w", ErrFenced, err)
	}
	return fmt.Errorf("position: %w; it was handled before: %w", ErrStale, err)
}

// List yields all positions of a consumer, in the order of their partitions.
func (s *Store) List(ctx context.Context, consumer string) iter.Seq2[Position, error] {
	if err := s.usable(); err != nil {
		return failing[Position](err)
	}
	return func(yield func(Position, error) bool) {
		if err := checkKey(consumer); err != nil {
			yield(Position{}, err)
			return
		}
		for r, err := range tableOf(s).Query(consumer).SortKey(ddb.BeginsWith(positionKind)).Consistent().All(ctx) {
			var p Position
			if err == nil {
				p = r.position()
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// Delete removes a position; the consumer starts from the beginning. Records of resets stay.
func (s *Store) Delete(ctx context.Context, consumer, partition string) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := checkKey(consumer); err != nil {
		return err
	}
	return tableOf(s).Delete(ctx, consumer, positionKind+partition)
}

func (s *Store) key(consumer, partition string) ddb.Key[string, string] {
	return tableOf(s).Key(consumer, positionKind+partition)
}

func checkKey(consumer string) error {
	if consumer == "" {
		return &ddb.InvalidError{Problems: []error{errors.New("position: the consumer has no name")}}
	}
	return nil
}

func checkNumber(position int64) error {
	if position < 0 {
		return &ddb.InvalidError{Problems: []error{fmt.Errorf("position: %d is negative", position)}}
	}
	return nil
}

// Client returns the client that the store was made with, for the transactions of [Store.SaveTx].
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
	return &ddb.InvalidError{Problems: []error{fmt.Errorf("position: a %s that %s did not make", what, constructor)}}
}

// failing yields an error.
func failing[V any](err error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var zero V
		yield(zero, err)
	}
}
