// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
)

// row is the item of a job in a [TableStore].
type row struct {
	Job      string    `dynamodbav:"job"`
	Position string    `dynamodbav:"position,omitempty"`
	Token    string    `dynamodbav:"token,omitempty"`
	Owner    string    `dynamodbav:"owner,omitempty"`
	Until    int64     `dynamodbav:"until"` // milliseconds since 1970
	Runs     int64     `dynamodbav:"runs"`
	Updated  time.Time `dynamodbav:"updated"`
}

var (
	rowJob   = ddb.StrField(func(r *row) *string { return &r.Job })
	rowToken = ddb.StrField(func(r *row) *string { return &r.Token })
	rowRuns  = ddb.NumField(func(r *row) *int64 { return &r.Runs })
	rowUntil = ddb.NumField(func(r *row) *int64 { return &r.Until })
)

// TableStore keeps the states of jobs in a DynamoDB table, an item for each job, so that runners on several machines exclude each other. Their clocks should agree to less
// than a third of the lease. It is safe for concurrent use.
type TableStore struct {
	table *ddb.SimpleTable[row, string]
	err   error
}

// NewTableStore describes the table. It sends nothing; [TableStore.EnsureTable] makes the table.
func NewTableStore(client ddb.Client, table string, opts ...ddb.TableOption) (*TableStore, error) {
	t, err := ddb.NewSimple[row](client, table, rowJob, opts...)
	return &TableStore{t, err}, err
}

func (s *TableStore) usable() error {
	if s == nil || s.table == nil {
		return &ddb.InvalidError{Problems: []error{errors.New("job: a nil or zero TableStore was used; make it with NewTableStore")}}
	}
	return s.err
}

// EnsureTable makes the table; see [ddb.Table.EnsureTable].
func (s *TableStore) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	if err := s.usable(); err != nil {
		return err
	}
	return s.table.EnsureTable(ctx, opts...)
}

// Load reads the state of a job, consistently. It costs a read unit for each 4 KB.
func (s *TableStore) Load(ctx context.Context, job string) (State, error) {
	if err := s.usable(); err != nil {
		return State{}, err
	}
	r, err := s.table.Get(ctx, job, ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	return r.state(), nil
}

func (r *row) state() State {
	s := State{Position: r.Position, Token: r.Token, Owner: r.Owner, Runs: r.Runs}
	if r.Until > 0 {
		s.Until = time.UnixMilli(r.Until).UTC()
	}
	return s
}

// Swap stores a state; see [Store]. It costs a write unit for each KB.
func (s *TableStore) Swap(ctx context.Context, job string, was, will State) error {
	if err := s.usable(); err != nil {
		return err
	}
	r := row{Job: job, Position: will.Position, Token: will.Token, Owner: will.Owner, Runs: will.Runs, Updated: time.Now().UTC()}
	if !will.Until.IsZero() {
		r.Until = will.Until.UnixMilli()
	}
	same := ddb.And(rowToken.Eq(was.Token), rowUntil.Eq(was.Until.UnixMilli()))
	if was.Token == "" {
		same = ddb.And(ddb.NotExists(rowToken), ddb.Or(ddb.NotExists(rowJob), rowRuns.Eq(was.Runs)))
	}
	err := s.table.Put(ctx, &r, ddb.If(same))
	if !errors.Is(err, ddb.ErrConditionFailed) && !errors.Is(err, ddb.ErrOutcomeUnknown) {
		return err
	}
	now, read := s.Load(ctx, job)
	switch {
	case read != nil:
		return errors.Join(err, read)
	case now.equal(will): // a write of ours whose reply was lost
		return nil
	case errors.Is(err, ddb.ErrOutcomeUnknown) && now.Token == was.Token && now.Until.Equal(was.Until):
		return err // it was not applied, and may still be
	}
	return fmt.Errorf("%w: %s", ErrLeased, now.Owner)
}

// Format prints what it is, whatever the verb.
func (s *TableStore) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "job.TableStore") }
