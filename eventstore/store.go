// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
)

// Store is an event store in one DynamoDB table. Make it with [New]; it is
// immutable, and safe for concurrent use.
type Store struct {
	client ddb.Client
	table  any // see tableOf
	index  any // see indexesOf
	o      options

	streams keyedLocks
	shards  []*shard

	setup setup

	failed error // of New; every method returns it
}

// indexes are those that the options ask for, or nil.
type indexes struct {
	byCorrelation *ddb.Index[row, string, int64]
	byCausation   *ddb.Index[row, string, int64]
	byCategory    *ddb.Index[row, string, int64]
	byTime        *ddb.Index[row, string, string]
}

// tableOf returns the table. It is a function and the field has no type, because every package that uses a
// store would compile the methods of the table again if it found their types in the store or its methods.
//
//go:noinline
func tableOf(s *Store) *ddb.Table[row, string, int64] {
	table, _ := s.table.(*ddb.Table[row, string, int64])
	return table
}

// indexesOf returns the indexes.
//
//go:noinline
func indexesOf(s *Store) *indexes {
	index, _ := s.index.(*indexes)
	return index
}

// New describes an event store. It sends nothing: the table need not exist yet; see
// [Store.EnsureTable]. The error matches [ddb.ErrInvalid] and names everything that is wrong with the
// options.
//
// Stores of one table must have the same [Sequenced], [TimeBuckets] and [ByCategory]. The table records them, and a
// store with other settings is refused with [ErrSetup] before it writes; a running store is refused within two minutes. TimeBuckets and ByCategory
// can be added to a table that has events (see [Store.Backfill]), but not removed.
func New(client ddb.Client, table string, opts ...Option) (*Store, error) {
	s := &Store{client: client, o: defaultOptions(), setup: newSetup()}
	var errs []error
	for _, opt := range opts {
		if opt != nil {
			errs = append(errs, opt(&s.o))
		}
	}
	if s.o.now == nil || s.o.wait == nil {
		errs = append(errs, errors.New("a clock or wait function is nil"))
	}
	if err := errors.Join(errs...); err != nil {
		s.failed = &ddb.InvalidError{Problems: []error{err}}
		return s, s.failed
	}
	rows, err := ddb.New(client, table, rowPK, rowSK, append([]ddb.TableOption{ddb.TTL(rowTTL)}, s.o.table...)...)
	s.table = rows
	if err != nil {
		s.failed = err
		return s, err
	}
	index := &indexes{}
	s.index = index
	if s.o.correlation {
		index.byCorrelation, err = ddb.NewIndex(rows, "by-correlation", rowCorr, rowAt, ddb.KeysOnly())
		errs = append(errs, err)
	}
	if s.o.causation {
		index.byCausation, err = ddb.NewIndex(rows, "by-causation", rowCaus, rowAt, ddb.KeysOnly())
		errs = append(errs, err)
	}
	if s.o.categories > 0 {
		index.byCategory, err = ddb.NewIndex(rows, "by-category", rowCategory, rowCreated, ddb.KeysOnly())
		errs = append(errs, err)
	}
	if s.o.buckets != "" {
		index.byTime, err = ddb.NewIndex(rows, "by-time", rowBucket, rowBucketAt, ddb.KeysOnly())
		errs = append(errs, err)
	}
	for i := range s.o.shards {
		s.shards = append(s.shards, newShard(i))
	}
	s.failed = errors.Join(errs...)
	return s, s.failed
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
	return &ddb.InvalidError{Problems: []error{fmt.Errorf("eventstore: a %s that %s did not make", what, constructor)}}
}

// failing yields an error.
func failing[V any](err error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var zero V
		yield(zero, err)
	}
}

// Name returns the table's name.
func (s *Store) Name() string {
	if s == nil || s.table == nil {
		return ""
	}
	return tableOf(s).Name()
}

// EnsureTable creates what is missing of the table and of the indexes that the options ask for, and
// waits until they can be used. If the table exists but differs in something that cannot be
// changed, the error lists every difference. An additional index is not an error, so that versions of a program with and without
// an option can run side by side. It is safe to call from several processes at once.
func (s *Store) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := tableOf(s).EnsureTable(ctx, opts...); err != nil {
		return err
	}
	return s.checkSetup(ctx)
}

// VerifyTable lists all differences between the live table and what the options ask for. It changes nothing.
func (s *Store) VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	return tableOf(s).VerifyTable(ctx, opts...)
}

// Reset deletes the table with all events, waits until it is gone, and creates
// it again. It is refused unless the permission names the table, see [schema.AllowDelete].
// Other processes must make their stores again afterwards. Offloaded
// payloads stay where they are.
func (s *Store) Reset(ctx context.Context, allow schema.DeletePermission, opts ...schema.Option) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.DeleteTable(ctx, allow); err != nil {
		return err
	}
	return s.EnsureTable(ctx, opts...)
}

// DeleteTable deletes the table with all events, and waits until it is gone. It
// is refused unless the permission names the table, see [schema.AllowDelete].
func (s *Store) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := tableOf(s).DeleteTable(ctx, allow); err != nil {
		return err
	}
	s.setup.forget()
	for _, sh := range s.shards {
		if err := sh.lock(ctx); err != nil {
			return err
		}
		sh.known, sh.last = false, 0
		sh.unlock()
	}
	return nil
}

// Client returns the client that the store was made with, for transactions with other tables.
func (s *Store) Client() ddb.Client {
	if s == nil {
		return nil
	}
	return s.client
}
