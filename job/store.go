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
	rowJob      = ddb.StrField(func(r *row) *string { return &r.Job })
	rowPosition = ddb.StrField(func(r *row) *string { return &r.Position })
	rowToken    = ddb.StrField(func(r *row) *string { return &r.Token })
	rowRuns     = ddb.NumField(func(r *row) *int64 { return &r.Runs })
	rowUntil    = ddb.NumField(func(r *row) *int64 { return &r.Until })
)

// TableStore stores the states of jobs in a DynamoDB table, one item for each job, so that runners on several machines exclude each other. Their clocks should differ by less
// than a third of the lease. It is safe for concurrent use.
type TableStore struct {
	table any // see tableOf
	err   error
}

// tableOf returns the table. It is a function and the field has no type, because every package that uses a
// store would compile the methods of the table again if it found their types in the store or its methods.
//
//go:noinline
func tableOf(s *TableStore) *ddb.SimpleTable[row, string] {
	table, _ := s.table.(*ddb.SimpleTable[row, string])
	return table
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

// EnsureTable creates the table if it is missing; see [ddb.Table.EnsureTable].
func (s *TableStore) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	if err := s.usable(); err != nil {
		return err
	}
	return tableOf(s).EnsureTable(ctx, opts...)
}

// Load reads the state of a job, consistently. It costs a read unit for each 4 KB.
func (s *TableStore) Load(ctx context.Context, job string) (State, error) {
	if err := s.usable(); err != nil {
		return State{}, err
	}
	r, err := tableOf(s).Get(ctx, job, ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	return r.state(), nil
}

func rowOf(job string, s State) row {
	r := row{Job: job, Position: s.Position, Token: s.Token, Owner: s.Owner, Runs: s.Runs, Updated: time.Now().UTC()}
	if !s.Until.IsZero() {
		r.Until = s.Until.UnixMilli()
	}
	return r
}

func (r *row) state() State {
	s := State{Position: r.Position, Token: r.Token, Owner: r.Owner, Runs: r.Runs}
	if r.Until > 0 {
		s.Until = time.UnixMilli(r.Until).UTC()
	}
	return s
}

// Swap stores a state; see [Store]. It costs a write unit for each KB, and a consistent read when it is refused or its reply is lost.
func (s *TableStore) Swap(ctx context.Context, job string, was, will State) error {
	if err := s.usable(); err != nil {
		return err
	}
	r, before := rowOf(job, will), rowOf(job, was)
	same := ddb.And(textIs(rowToken, before.Token), textIs(rowPosition, before.Position), rowUntil.Eq(before.Until), rowRuns.Eq(before.Runs))
	if was.equal(State{}) {
		same = ddb.Or(ddb.NotExists(rowJob), same)
	}
	err := tableOf(s).Put(ctx, &r, ddb.If(same))
	if !errors.Is(err, ddb.ErrConditionFailed) && !errors.Is(err, ddb.ErrOutcomeUnknown) {
		return err
	}
	now, read := s.Load(ctx, job)
	switch {
	case read != nil:
		return errors.Join(err, read)
	case now.equal(will): // a write of ours whose reply was lost
		return nil
	case errors.Is(err, ddb.ErrOutcomeUnknown) && now.equal(was):
		return err // it was not applied, and may still be
	}
	return now.leased()
}

// textIs returns the condition on an attribute that is not stored when it is empty.
func textIs(attr ddb.Str[row, string], text string) ddb.Cond[row] {
	if text == "" {
		return ddb.NotExists(attr)
	}
	return attr.Eq(text)
}

// Format prints the type's name, for every verb.
func (s *TableStore) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "job.TableStore") }
