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
	// Name is that of the stream in the new store.
	Name string
	// Key is what the source knows it by.
	Key string
}

// Record is an event of a source.
type Record struct {
	// Event is what to import. Without an id it gets one that is derived from stream and version.
	Event eventstore.NewEvent
	// Sequence is the event's place in its stream as the source counts, -1 if it does not. It rises by one from event to event.
	Sequence int64
	// RecordedAt is when the source has recorded it, zero if it does not tell.
	RecordedAt time.Time
	// First marks the event with which its stream begins although its sequence is higher than 1, as that of an edition.
	First bool
	// Pending marks an event that the source has not decided about yet. The import of the stream ends before it.
	Pending bool
	// CommitID is the id of the request that wrote the event. Events of one request, up to 80, are appended under it, so that a repeat
	// of the request is recognised by the new store as long as it remembers the commit.
	CommitID string
}

// Counter is a source that keeps a count of a stream beside its events. [Verify] compares the two.
type Counter interface {
	// Count is the sequence of the last event of a stream by that count, -1 if there is none.
	Count(ctx context.Context, s Stream) (int64, error)
}

// Keys of the metadata that imported events get.
const (
	// SequenceKey is the sequence in the source, where it differs from the version.
	SequenceKey = "import-sequence"
	// RecordedAtKey is the time in the source, in the form of RFC 3339.
	RecordedAtKey = "import-recorded-at"
	// MetadataKey is metadata of the source that are not a map of texts, as they were.
	MetadataKey = "import-metadata"
	// TypeVersionKey is the version of the event's type in the source, where it is not a whole number.
	TypeVersionKey = "import-type-version"
	// IDKey is the id in the source, where another event of the stream has the same.
	IDKey = "import-id"
	// LateKey marks an event that the source got after later events had been imported. It comes after them.
	LateKey = "import-late"
)

// Conditions that callers branch on; test them with errors.Is.
var (
	// ErrMalformed means that an item of the source is not formed as its system forms items.
	ErrMalformed = errors.New("an item of the source is malformed")
	// ErrSequence means that a stream of the source lacks a sequence number; see [Renumber].
	ErrSequence = errors.New("a stream of the source has a gap in its sequence")
	// ErrForeign means that the stream has events in the new store that are not those of the source.
	ErrForeign = errors.New("the new stream has events that are not of the source")
)

// errNoMarker is for a table that cannot be understood without the option.
var errNoMarker = errors.New("import: a stream has provisional events of a cascade, and committed ones; the option Marker is missing")

func malformed(table, attribute, why string) error {
	return fmt.Errorf("%w: table %s, attribute %s: %s", ErrMalformed, table, attribute, why)
}

// ids is the namespace of the ids that events get which had none.
var ids = uuid.MustParse("2b0c1d2e-7a54-5f0e-8a3c-5d1f9f6c3b77")

// derivedID is the id of the event at a place of a stream.
func derivedID(key string, place int64) string {
	return uuid.NewSHA1(ids, []byte(key+"\x00"+strconv.FormatInt(place, 10))).String()
}

// event is the event as the new store gets it at a version: with an id, and the old sequence and time in its metadata.
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
