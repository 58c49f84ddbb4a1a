// SPDX-License-Identifier: Apache-2.0

// Package importer imports snapshots into a store from the tables of other systems: [Angzarr] and [Excalibur].
//
//	source := importer.Excalibur(client, "Snapshots", importer.Options{Name: eventstore.StreamName, Form: form})
//	report, err := importer.Import(ctx, source, snapshots)
//
// Import the events first, with package eventstore/importer, which assigns the versions. A snapshot is useful only if a fold of this program can
// continue from its state, so [Options.Form] has to convert it. If that is not possible, do not import the
// snapshots: they are taken again from the events.
//
// The snapshots of dynamo-es have no importer, because their versions can be ahead of their states.
package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/snapshot"
)

// ErrMalformed means that an item of the source does not have the format of its system.
var ErrMalformed = errors.New("an item of the source is malformed")

func malformed(table, attribute, why string) error {
	return fmt.Errorf("%w: table %s, attribute %s: %s", ErrMalformed, table, attribute, why)
}

// Source yields the snapshots of a table. It scans the table each time.
type Source func(ctx context.Context) iter.Seq2[snapshot.Snapshot, error]

// Options are the options of a source.
type Options struct {
	// Name returns the name of a stream from the domain and root, or the type and id, of its aggregate. It must be the function that the events
	// were imported with, by default [eventstore.StreamName]. It must not be nil.
	//
	// [eventstore.StreamName]: https://pkg.go.dev/github.com/dynamotable/ddb/eventstore#StreamName
	Name func(category, id string) string
	// Form converts the state of a snapshot to the format of this program, and sets its Type and Schema. If it is nil, the state is not
	// changed, Type is the aggregate's type or the domain, and Schema is 1.
	Form func(*snapshot.Snapshot) error
	// Table are options of the table.
	Table []ddb.TableOption
}

func (o Options) check() error {
	if o.Name == nil {
		return &ddb.InvalidError{Problems: []error{errors.New("import snapshots: the option Name is missing")}}
	}
	return nil
}

func (o Options) form(s *snapshot.Snapshot, table, attribute string) error {
	if o.Form == nil {
		return nil
	}
	if err := o.Form(s); err != nil {
		return malformed(table, attribute, "the option Form cannot read it")
	}
	return nil
}

// angzarrItem is an item of angzarr's snapshots table in either layout.
type angzarrItem struct {
	PK        string `dynamodbav:"pk"`
	Seq       *int64 `dynamodbav:"seq,omitempty"`
	Sequence  *int64 `dynamodbav:"sequence,omitempty"`
	Message   []byte `dynamodbav:"snapshot,omitempty"`
	State     []byte `dynamodbav:"state,omitempty"`
	Retention int    `dynamodbav:"retention,omitempty"`
	CreatedAt string `dynamodbav:"created_at,omitempty"`
}

var angzarrPK = ddb.StrField(func(i *angzarrItem) *string { return &i.PK })

// retentionPersist is RETENTION_PERSIST of angzarr's SnapshotRetention.
const retentionPersist = 1

// Angzarr reads a snapshots table of angzarr: its partition key is "domain#edition#root", with % and # in each part percent-encoded,
// and it has the sequence of the last event in the state; the version is that number plus one. The state is the attribute state, or the message in the attribute
// snapshot, unchanged.
// Snapshots of an edition get the stream of [snapshot.EditionStream], where [snapshot.Store.InEdition] finds them; a snapshot to be kept is [snapshot.Snapshot.Persistent].
func Angzarr(client ddb.Client, table string, o Options) Source {
	return func(ctx context.Context) iter.Seq2[snapshot.Snapshot, error] {
		return func(yield func(snapshot.Snapshot, error) bool) {
			t, err := ddb.NewSimple(client, table, angzarrPK, o.Table...)
			if err := errors.Join(err, o.check()); err != nil {
				yield(snapshot.Snapshot{}, err)
				return
			}
			for i, err := range t.Scan().Consistent().All(ctx) {
				var s snapshot.Snapshot
				if err == nil {
					s, err = o.angzarr(t.Name(), &i)
				}
				if !yield(s, err) || err != nil {
					return
				}
			}
		}
	}
}

func (o Options) angzarr(table string, i *angzarrItem) (s snapshot.Snapshot, err error) {
	parts := strings.Split(i.PK, "#")
	if len(parts) != 3 {
		return s, malformed(table, "pk", "it does not have the three parts domain, edition and root")
	}
	for n := range parts {
		if parts[n], err = url.PathUnescape(parts[n]); err != nil {
			return s, malformed(table, "pk", "a part is not percent-encoded")
		}
	}
	sequence := cmp.Or(i.Seq, i.Sequence)
	if sequence == nil || *sequence < 0 {
		return s, malformed(table, "seq", "neither it nor sequence is a number from 0")
	}
	attribute := "state"
	if s.State = i.State; i.Message != nil {
		attribute, s.State = "snapshot", i.Message
	}
	if s.State == nil {
		return s, malformed(table, attribute, "it is absent")
	}
	if i.CreatedAt != "" {
		if s.TakenAt, err = time.Parse(time.RFC3339Nano, i.CreatedAt); err != nil {
			return s, malformed(table, "created_at", "it is not a time in the form of RFC 3339")
		}
	}
	s.Stream = o.Name(parts[0], parts[2])
	if edition := parts[1]; edition != "" && edition != "angzarr" {
		s.Stream = snapshot.EditionStream(s.Stream, edition)
	}
	s.Version, s.Type, s.Schema, s.Persistent = *sequence+1, parts[0], 1, i.Retention == retentionPersist
	return s, o.form(&s, table, attribute)
}

// excaliburItem is an item of Excalibur's snapshots table.
type excaliburItem struct {
	PK        string `dynamodbav:"PK"`
	SK        string `dynamodbav:"SK"`
	ID        string `dynamodbav:"aggregateId,omitempty"`
	Type      string `dynamodbav:"aggregateType,omitempty"`
	Version   int64  `dynamodbav:"version,omitempty"`
	Data      []byte `dynamodbav:"data,omitempty"`
	CreatedAt string `dynamodbav:"createdAt,omitempty"`
}

var (
	excaliburPK = ddb.StrField(func(i *excaliburItem) *string { return &i.PK })
	excaliburSK = ddb.StrField(func(i *excaliburItem) *string { return &i.SK })
)

const excaliburPrefix = "SNAPSHOT#"

// Excalibur reads a snapshots table of Excalibur: partition key PK ("SNAPSHOT#" and the aggregate's id, in newer releases with "t:tenant:" in between),
// sort key SK, the aggregate's type, and the attributes aggregateId, aggregateType, version, data and createdAt. Its version is the number of events in
// the state, which is the version here. A tenant becomes a part of the id, as for events: "tenant/id", with the tenant percent-encoded. Other
// items of the table are skipped.
func Excalibur(client ddb.Client, table string, o Options) Source {
	return func(ctx context.Context) iter.Seq2[snapshot.Snapshot, error] {
		return func(yield func(snapshot.Snapshot, error) bool) {
			t, err := ddb.New(client, table, excaliburPK, excaliburSK, o.Table...)
			if err := errors.Join(err, o.check()); err != nil {
				yield(snapshot.Snapshot{}, err)
				return
			}
			for i, err := range t.Scan().Consistent().All(ctx) {
				if err == nil && !strings.HasPrefix(i.PK, excaliburPrefix) {
					continue
				}
				var s snapshot.Snapshot
				if err == nil {
					s, err = o.excalibur(t.Name(), &i)
				}
				if !yield(s, err) || err != nil {
					return
				}
			}
		}
	}
}

func (o Options) excalibur(table string, i *excaliburItem) (s snapshot.Snapshot, err error) {
	id := i.ID
	switch key := strings.TrimPrefix(i.PK, excaliburPrefix); {
	case i.ID == "":
		return s, malformed(table, "aggregateId", "it is empty")
	case key == i.ID:
	case strings.HasPrefix(key, "t:") && strings.HasSuffix(key, ":"+i.ID) && len(key) > len("t:")+len(i.ID)+1:
		id = url.PathEscape(key[len("t:"):len(key)-len(i.ID)-1]) + "/" + i.ID
	default:
		return s, malformed(table, "PK", "it does not end in the aggregateId")
	}
	switch {
	case i.Type == "" || i.Type != i.SK:
		return s, malformed(table, "aggregateType", "it is not the sort key")
	case i.Version < 1:
		return s, malformed(table, "version", "it is not a number from 1")
	case i.Data == nil:
		return s, malformed(table, "data", "it is absent")
	}
	if i.CreatedAt != "" {
		if s.TakenAt, err = time.Parse(time.RFC3339Nano, i.CreatedAt); err != nil {
			return s, malformed(table, "createdAt", "it is not a time in the form of RFC 3339")
		}
	}
	s.Stream, s.Version, s.Type, s.Schema, s.State = o.Name(i.Type, id), i.Version, i.Type, 1, i.Data
	return s, o.form(&s, table, "data")
}

// Report is what an import has done.
type Report struct {
	// Read is the number of snapshots in the source. All of them were saved, and pruned by the store's retention.
	Read int64
}

// Import saves snapshots. It can be repeated: existing snapshots stay. If the store has a snapshot of the same version with another
// state, the import ends with [snapshot.ErrConflict]. TakenAt becomes the time of the import.
func Import(ctx context.Context, source Source, store *snapshot.Store) (r Report, err error) {
	if source == nil || store == nil {
		return r, &ddb.InvalidError{Problems: []error{errors.New("snapshot/importer: the source or the store is nil")}}
	}
	ctx, task := progress.Start(ctx, "import of snapshots")
	defer task.Stop("it ended with a panic") // unless it has ended before
	r, err = importAll(ctx, task, source, store)
	task.End(ddberr.Redact(err))
	return r, err
}

func importAll(ctx context.Context, task *progress.Task, source Source, store *snapshot.Store) (r Report, err error) {
	for s, err := range source(ctx) {
		if err == nil {
			r.Read++
			task.Items(1)
			err = store.Save(ctx, s)
		}
		if err != nil {
			return r, fmt.Errorf("import snapshots: %w", err)
		}
	}
	return r, nil
}
