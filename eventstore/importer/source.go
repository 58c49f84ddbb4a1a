// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/dynamotable/ddb/eventstore"
)

// Source is an event store to import from.
type Source interface {
	// Streams yields the streams, each once.
	Streams(ctx context.Context) iter.Seq2[Stream, error]
	// Events yields all events of a stream in their order.
	Events(ctx context.Context, s Stream) iter.Seq2[Record, error]
}

// Stream is a stream of a source.
type Stream struct {
	// Name is the name of the stream in the new store.
	Name string
	// Key identifies the stream in the source.
	Key string
}

// Record is an event of a source.
type Record struct {
	// Event is the event to import. Without an id it gets one that is derived from stream and version.
	Event eventstore.NewEvent
	// Sequence is the event's number in its stream in the source, -1 if the source does not number events. It increases by one from event to event.
	Sequence int64
	// RecordedAt is when the source recorded the event, zero if unknown.
	RecordedAt time.Time
	// First marks the first event of a stream that does not begin at sequence 1, such as an edition.
	First bool
	// Pending marks an event that the source has not decided yet. The import of the stream ends before it.
	Pending bool
	// CommitID is the id of the request that wrote the event. Events of one request, up to 80, are appended under it, so that a repeat
	// of the request is recognised by the new store while it remembers the commit.
	CommitID string
}

// Counter is a source that also stores a count of a stream's events. [Verify] compares the two.
type Counter interface {
	// Count returns the sequence of the last event of a stream according to that count, -1 if there is none.
	Count(ctx context.Context, s Stream) (int64, error)
}

// Keys of the metadata that imported events get.
const (
	// SequenceKey is the sequence in the source, if it differs from the version.
	SequenceKey = "import-sequence"
	// RecordedAtKey is the time in the source, in RFC 3339 format.
	RecordedAtKey = "import-recorded-at"
	// MetadataKey is metadata of the source that is not a map of strings, unchanged.
	MetadataKey = "import-metadata"
	// TypeVersionKey is the version of the event's type in the source, if it is not an integer.
	TypeVersionKey = "import-type-version"
	// IDKey is the id in the source, if another event of the stream has the same id.
	IDKey = "import-id"
	// LateKey marks an event that the source received after later events had been imported. It comes after them.
	LateKey = "import-late"
)

// Conditions that callers branch on; test them with errors.Is.
var (
	// ErrMalformed means that an item of the source does not have the format of its system.
	ErrMalformed = errors.New("an item of the source is malformed")
	// ErrSequence means that a stream of the source lacks a sequence number; see [Renumber].
	ErrSequence = errors.New("a stream of the source has a gap in its sequence")
	// ErrForeign means that the stream has events in the new store that the source does not have.
	ErrForeign = errors.New("the new stream has events that the source does not have")
)

// errNoMarker is the error for a table that cannot be interpreted without the option.
var errNoMarker = errors.New("import: a stream has provisional events of a cascade, and committed ones; the option Marker is missing")

func malformed(table, attribute, why string) error {
	return fmt.Errorf("%w: table %s, attribute %s: %s", ErrMalformed, table, attribute, why)
}

// ids is the namespace of the ids of events that had none.
var ids = uuid.MustParse("2b0c1d2e-7a54-5f0e-8a3c-5d1f9f6c3b77")

// derivedID returns the id of the event at a place of a stream.
func derivedID(key string, place int64) string {
	return uuid.NewSHA1(ids, []byte(key+"\x00"+strconv.FormatInt(place, 10))).String()
}

// event returns the event for a version of the new store: with an id, and with the old sequence and time in its metadata.
func (r Record) event(s Stream, version int64) eventstore.NewEvent {
	e := r.Event
	if e.ID == "" {
		e.ID = derivedID(s.Key, version)
	}
	meta := make(map[string]string, len(e.Metadata)+2)
	maps.Copy(meta, e.Metadata)
	if r.Sequence >= 0 && r.Sequence != version {
		meta[SequenceKey] = strconv.FormatInt(r.Sequence, 10)
	}
	if !r.RecordedAt.IsZero() {
		meta[RecordedAtKey] = r.RecordedAt.UTC().Format(time.RFC3339Nano)
	}
	if len(meta) > 0 {
		e.Metadata = meta
	}
	if e.Schema == 0 {
		e.Schema = 1
	}
	return e
}
