// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
)

// DefaultTable is the default name of the table.
const DefaultTable = "grants"

// Checker is the part of a [Store] that an application needs for decisions.
type Checker interface {
	// Check decides whether the key is allowed now; see [Store.Check].
	Check(ctx context.Context, key Key) (Decision, error)
}

var _ Checker = (*Store)(nil)

// Store keeps grants and activity groups, in a DynamoDB table ([New]) or in
// memory ([NewMemory]). It is safe for concurrent use.
type Store struct {
	settings
	rows   rows
	failed error // of the constructor; every method returns it
}

// Option is an option of the constructors.
type Option func(*settings)

type settings struct {
	table   string
	now     func() time.Time
	keep    time.Duration // negative: expired grants stay
	groups  bool
	tableOp []ddb.TableOption
	errs    []error
}

// TableName sets the name of the table; the default is [DefaultTable].
func TableName(name string) Option { return func(s *settings) { s.table = name } }

// Clock replaces time.Now. Check and the lists use it for expiry, and it is the default for
// times that are not set.
func Clock(now func() time.Time) Option {
	return func(s *settings) {
		if now == nil {
			s.errs = append(s.errs, errors.New("option Clock: the function is nil"))
		}
		s.now = now
	}
}

// DeleteExpired lets DynamoDB delete a grant some time after it has expired, by time to
// live; without the option it stays. Its history is kept. No decision depends on it.
// Grants that were saved without the option are not deleted.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
func DeleteExpired(after time.Duration) Option {
	return func(s *settings) {
		if after < 0 {
			s.errs = append(s.errs, errors.New("option DeleteExpired: the duration is negative"))
		}
		s.keep = after
	}
}

// WithoutGroups makes Check read only the user's own grants, which saves a read
// for each denial.
func WithoutGroups() Option { return func(s *settings) { s.groups = false } }

// WithTableOptions adds options of the table, such as [ddb.TablePrefix], [ddb.WithLedger] and
// [ddb.Retry]. [NewMemory] ignores them.
func WithTableOptions(opts ...ddb.TableOption) Option {
	return func(s *settings) { s.tableOp = append(s.tableOp, opts...) }
}

// New makes a store on a DynamoDB table with an existing client. It sends nothing;
// [Store.Ensure] creates the table.
func New(client ddb.Client, opts ...Option) (*Store, error) {
	s, err := newStore(opts)
	if err != nil {
		return unusable("New", err)
	}
	t, err := newTableRows(client, s.table, s.tableOp)
	if err != nil {
		return unusable("New", err)
	}
	s.rows = t
	return s, nil
}

// NewMemory makes a store in memory, for tests: with the same decisions and errors, but no client.
// Its content is lost with it.
func NewMemory(opts ...Option) (*Store, error) {
	s, err := newStore(opts)
	if err != nil {
		return unusable("NewMemory", err)
	}
	s.rows = newMemoryRows(s.table)
	return s, nil
}

// unusable returns a store whose methods all return the error of its constructor.
func unusable(op string, err error) (*Store, error) {
	err = failed(op, err)
	return &Store{failed: err}, err
}

// usable returns the error of the constructor, or an error for a Store that was not made by it.
func (s *Store) usable() error {
	switch {
	case s != nil && s.failed != nil:
		return s.failed
	case s == nil || s.rows == nil:
		return &ddb.InvalidError{Problems: []error{errors.New("grant: a Store that neither New nor NewMemory made")}}
	}
	return nil
}

// failing yields an error.
func failing[V any](err error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var zero V
		yield(zero, err)
	}
}

func newStore(opts []Option) (*Store, error) {
	s := &Store{settings: settings{table: DefaultTable, now: time.Now, keep: -1, groups: true}}
	for _, o := range opts {
		if o == nil {
			s.errs = append(s.errs, errors.New("an option is nil"))
			continue
		}
		o(&s.settings)
	}
	return s, refuse(s.errs...)
}

// Ensure creates what is missing of the table, its indexes and its time to live, and waits
// until everything is active; it changes nothing that exists. See [ddb.Table.EnsureTable].
func (s *Store) Ensure(ctx context.Context, opts ...schema.Option) error {
	if err := s.usable(); err != nil {
		return err
	}
	return failed("Ensure", s.rows.ensure(ctx, opts))
}

// Verify compares the live table with the definition that the store needs. It changes nothing. See
// [ddb.Table.VerifyTable].
func (s *Store) Verify(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	differences, err := s.rows.verify(ctx, opts)
	return differences, failed("Verify", err)
}

// Reset deletes the table with everything in it, and creates it again, empty. The permission
// must name the table, prefix included:
//
//	err := grants.Reset(ctx, schema.AllowDelete("test-grants"))
func (s *Store) Reset(ctx context.Context, allow schema.DeletePermission, opts ...schema.Option) error {
	if err := s.usable(); err != nil {
		return err
	}
	return failed("Reset", s.rows.reset(ctx, allow, opts))
}

// time returns the clock's time in the form in which times are stored.
func (s *Store) time() time.Time { return s.now().UTC().Round(0) }

// storable converts a time to the form in which times are stored.
func storable(name string, t time.Time) (time.Time, error) {
	u := t.UTC().Round(0)
	if y := u.Year(); y < 1 || y > 9999 {
		return t, fmt.Errorf("%s is not in the years 1 to 9999", name)
	}
	return u, nil
}
