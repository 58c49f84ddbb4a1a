// SPDX-License-Identifier: Apache-2.0

// Package importer imports positions into a store from the tables of other systems: [Angzarr].
//
//	report, err := importer.Import(ctx, importer.Angzarr(client, "angzarr-positions"), positions)
//
// Stop the handlers of the old system first, and import the events before the positions, with package eventstore/importer: numbers become the versions
// that it assigns to events, which count from 1.
package importer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/progress"
)

// ErrMalformed means that an item of the source does not have the format of its system.
var ErrMalformed = errors.New("an item of the source is malformed")

// Position is the position of a handler in one timeline.
type Position struct {
	position.HandlerKey
	// Version is the version of the last event that was handled, counted from 1.
	Version int64
	// UpdatedAt is when it was saved, zero if unknown. It is not imported.
	UpdatedAt time.Time
}

// item is an item of angzarr's positions table.
type item struct {
	PK        string `dynamodbav:"pk"`
	Sequence  *int64 `dynamodbav:"sequence,omitempty"`
	UpdatedAt string `dynamodbav:"updated_at,omitempty"`
}

var itemPK = ddb.StrField(func(i *item) *string { return &i.PK })

// Angzarr reads a positions table of angzarr: its partition key is "handler#domain#edition#root", with % and # in each part percent-encoded, and it has the attribute
// sequence. The main timeline gets the edition "", even if the table has "angzarr"; a root of 32 hexadecimal digits becomes the UUID that the keys of
// events have. It scans the table.
func Angzarr(client ddb.Client, table string, opts ...ddb.TableOption) func(context.Context) iter.Seq2[Position, error] {
	return func(ctx context.Context) iter.Seq2[Position, error] {
		return func(yield func(Position, error) bool) {
			t, err := ddb.NewSimple(client, table, itemPK, opts...)
			if err != nil {
				yield(Position{}, err)
				return
			}
			for i, err := range t.Scan().Consistent().All(ctx) {
				var p Position
				if err == nil {
					p, err = i.position(t.Name())
				}
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
	}
}

func (i *item) position(table string) (p Position, err error) {
	malformed := func(attribute, why string) (Position, error) {
		return Position{}, fmt.Errorf("%w: table %s, attribute %s: %s", ErrMalformed, table, attribute, why)
	}
	parts := strings.Split(i.PK, "#")
	if len(parts) != 4 {
		return malformed("pk", "it does not have the four parts handler, domain, edition and root")
	}
	for n := range parts {
		if parts[n], err = url.PathUnescape(parts[n]); err != nil {
			return malformed("pk", "a part is not percent-encoded")
		}
	}
	if parts[0] == "" {
		return malformed("pk", "the handler has no name")
	}
	if i.Sequence == nil || *i.Sequence < 0 {
		return malformed("sequence", "it is absent or negative")
	}
	if i.UpdatedAt != "" {
		if p.UpdatedAt, err = time.Parse(time.RFC3339Nano, i.UpdatedAt); err != nil {
			return malformed("updated_at", "it is not a time in the form of RFC 3339")
		}
	}
	if parts[2] == "angzarr" {
		parts[2] = ""
	}
	if raw, err := hex.DecodeString(parts[3]); err == nil && len(raw) == len(uuid.UUID{}) {
		parts[3] = uuid.UUID(raw).String()
	}
	p.HandlerKey = position.HandlerKey{Handler: parts[0], Domain: parts[1], Edition: parts[2], Root: parts[3]}
	p.Version = *i.Sequence + 1
	return p, nil
}

// Report is what an import has done.
type Report struct {
	// Read is the number of positions in the source, Saved the number of them that are in the store now, Ahead the number that were not saved because the
	// store is further.
	Read, Saved, Ahead int64
}

// Import saves positions under the consumer and partition of their [position.HandlerKey]. It can be repeated: an existing position stays,
// even if it is further. If a position was claimed, the import ends with [position.ErrFenced].
// It costs a write unit for each position.
func Import(ctx context.Context, positions func(context.Context) iter.Seq2[Position, error], store *position.Store) (r Report, err error) {
	if positions == nil || store == nil {
		return r, &ddb.InvalidError{Problems: []error{errors.New("position/importer: the source or the store is nil")}}
	}
	ctx, task := progress.Start(ctx, "import of positions")
	defer task.Stop("it ended with a panic") // unless it has ended before
	r, err = importAll(ctx, task, positions(ctx), store)
	task.End(ddberr.Redact(err))
	return r, err
}

func importAll(ctx context.Context, task *progress.Task, positions iter.Seq2[Position, error], store *position.Store) (r Report, err error) {
	for p, err := range positions {
		if err != nil {
			return r, fmt.Errorf("import positions: %w", err)
		}
		r.Read++
		task.Items(1)
		err = store.Save(ctx, p.Consumer(), p.Partition(), p.Version)
		switch {
		case errors.Is(err, position.ErrStale):
			r.Ahead++
		case err != nil:
			return r, fmt.Errorf("import positions: %w", err)
		default:
			r.Saved++
		}
	}
	return r, nil
}
