// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// SchemelessOptions are the options of [Schemeless].
type SchemelessOptions struct {
	// Name returns the name of a stream. If it is nil, the name is [eventstore.StreamName] of domain and identifier; the events of a domain
	// without an identifier are one stream.
	Name func(domain, identifier string) string
	// Fetch gets an event that was stored in S3, as JSON. Without it such an event is an error.
	Fetch func(ctx context.Context, bucket, key string) ([]byte, error)
	// Table are options of the table.
	Table []ddb.TableOption
}

// Schemeless reads the table of @schemeless/event-store-adapter-dynamodb: partition key id ("EventID#" and the event's
// id), sort key created, an ISO 8601 time in UTC; attributes domain, type, sequence, payload, meta, identifier,
// correlationId, causationId, and s3Reference ("bucket::key") for data in S3. Rows "EventID#HEAD::domain::identifier" count the
// events of a stream; [Verify] compares that count.
//
// A stream is ordered by sequence. Older versions of the adapter wrote none: such events come first, by created and then by id; the
// true order of two events of the same millisecond is not known. A version in meta ("schemaVersion") becomes [eventstore.NewEvent.Schema].
// The adapter numbers events by the part of the identifier before "::", so the numbers of streams with "::" in their identifiers can have gaps; see [Renumber].
//
// The table has no list of streams, so one scan finds them. That takes some 300 bytes of memory for each event.
func Schemeless(client ddb.Client, table string, o SchemelessOptions) (Source, error) {
	if o.Name == nil {
		o.Name = eventstore.StreamName
	}
	t, err := ddb.New(client, table, schemelessID, schemelessCreated, o.Table...)
	if err != nil {
		return failedSource{err}, err
	}
	return &schemeless{table: t, o: o}, nil
}

type schemelessItem struct {
	ID          string `dynamodbav:"id"`
	Created     string `dynamodbav:"created"`
	Domain      string `dynamodbav:"domain,omitempty"`
	Type        string `dynamodbav:"type,omitempty"`
	Sequence    int64  `dynamodbav:"sequence,omitempty"`
	Payload     any    `dynamodbav:"payload,omitempty"`
	Meta        any    `dynamodbav:"meta,omitempty"`
	Identifier  string `dynamodbav:"identifier,omitempty"`
	Correlation string `dynamodbav:"correlationId,omitempty"`
	Causation   string `dynamodbav:"causationId,omitempty"`
	S3          string `dynamodbav:"s3Reference,omitempty"`
	TimeBucket  string `dynamodbav:"timeBucket,omitempty"`
	Version     int64  `dynamodbav:"version,omitempty"` // of a head
}

var (
	schemelessID         = ddb.StrField(func(e *schemelessItem) *string { return &e.ID })
	schemelessCreated    = ddb.StrField(func(e *schemelessItem) *string { return &e.Created })
	schemelessDomain     = ddb.StrField(func(e *schemelessItem) *string { return &e.Domain })
	schemelessIdentifier = ddb.StrField(func(e *schemelessItem) *string { return &e.Identifier })
	schemelessSequence   = ddb.NumField(func(e *schemelessItem) *int64 { return &e.Sequence })
	schemelessVersion    = ddb.NumField(func(e *schemelessItem) *int64 { return &e.Version })
)

const (
	schemelessPrefix = "EventID#"
	schemelessHead   = "HEAD" // the sort key of a head
)

// headID returns the partition key of a stream's head.
func headID(domain, identifier string) string {
	return schemelessPrefix + schemelessHead + "::" + domain + "::" + identifier
}

type schemeless struct {
	table   *ddb.Table[schemelessItem, string, string]
	o       SchemelessOptions
	mu      sync.Mutex
	streams map[string][]schemelessPlace // by stream, as the last scan has found them
}

// schemelessPlace is the key of an event in the table, and its place in its stream.
type schemelessPlace struct {
	key      ddb.Key[string, string]
	sequence int64 // 0 if it has none
}

func (s *schemeless) Streams(ctx context.Context) iter.Seq2[Stream, error] {
	return func(yield func(Stream, error) bool) {
		streams := make(map[string][]schemelessPlace)
		var list []Stream
		for e, err := range s.table.Scan().Consistent().Project(schemelessDomain, schemelessIdentifier, schemelessSequence).All(ctx) {
			if err == nil && !strings.HasPrefix(e.ID, schemelessPrefix) {
				err = malformed(s.table.Name(), "id", "it does not begin with "+schemelessPrefix)
			}
			if err != nil {
				yield(Stream{}, err)
				return
			}
			if e.Created == schemelessHead {
				continue
			}
			// The two parts are stored separately: an identifier may contain any separator.
			key := e.Domain + "\x00" + e.Identifier
			if streams[key] == nil {
				list = append(list, Stream{Name: s.o.Name(e.Domain, e.Identifier), Key: key})
			}
			streams[key] = append(streams[key], schemelessPlace{s.table.Key(e.ID, e.Created), e.Sequence})
		}
		s.mu.Lock()
		s.streams = streams
		s.mu.Unlock()
		for _, st := range list {
			if !yield(st, nil) {
				return
			}
		}
	}
}

func (s *schemeless) Events(ctx context.Context, st Stream) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		s.mu.Lock()
		places := slices.Clone(s.streams[st.Key])
		s.mu.Unlock()
		slices.SortFunc(places, func(a, b schemelessPlace) int {
			return cmp.Or(cmp.Compare(a.sequence, b.sequence), strings.Compare(a.key.Sort, b.key.Sort), strings.Compare(a.key.Partition, b.key.Partition))
		})
		keys := make([]ddb.Key[string, string], len(places))
		for i, p := range places {
			keys[i] = p.key
		}
		seen := make(map[string]bool, len(keys))
		for got, err := range s.table.BatchGetAll(ctx, slices.Values(keys), ddb.Consistent()) {
			if err == nil && !got.Found {
				continue // removed since
			}
			r := Record{Sequence: -1}
			if err == nil {
				r, err = s.record(ctx, got.Item)
			}
			if seen[r.Event.ID] { // the adapter keeps ids unique only within a millisecond
				r.Event.Metadata = with(r.Event.Metadata, IDKey, r.Event.ID)
				r.Event.ID = derivedID(r.Event.ID+"\x00"+got.Item.Created, 0)
			}
			seen[r.Event.ID] = true
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// Count reads the head of a stream.
func (s *schemeless) Count(ctx context.Context, st Stream) (int64, error) {
	domain, identifier, _ := strings.Cut(st.Key, "\x00")
	head, err := s.table.Get(ctx, headID(domain, identifier), schemelessHead, ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		return -1, nil
	}
	return head.Version, err
}

func (s *schemeless) record(ctx context.Context, e schemelessItem) (r Record, err error) {
	r.Sequence = -1
	if e.Sequence > 0 {
		r.Sequence = e.Sequence
	}
	if r.RecordedAt, err = time.Parse(time.RFC3339Nano, e.Created); err != nil {
		return r, malformed(s.table.Name(), "created", "it is not an ISO 8601 time")
	}
	if e.S3 != "" {
		if err = s.fetch(ctx, &e); err != nil {
			return r, err
		}
	}
	if e.Type == "" {
		return r, malformed(s.table.Name(), "type", "it is empty")
	}
	r.Event = eventstore.NewEvent{
		ID: strings.TrimPrefix(e.ID, schemelessPrefix), Type: e.Type, CorrelationID: e.Correlation, CausationID: e.Causation,
	}
	if r.Event.Data, err = jsonText(e.Payload); err != nil {
		return r, malformed(s.table.Name(), "payload", "it cannot be written as JSON")
	}
	meta, err := jsonText(e.Meta)
	if err != nil {
		return r, malformed(s.table.Name(), "meta", "it cannot be written as JSON")
	}
	r.Event.Metadata, r.Event.Schema = versionedMap(meta)
	return r, nil
}

// fetch completes an event from S3: its payload, and what the item lacks.
func (s *schemeless) fetch(ctx context.Context, e *schemelessItem) error {
	bucket, key, ok := strings.Cut(e.S3, "::")
	if !ok {
		return malformed(s.table.Name(), "s3Reference", "it is not bucket::key")
	}
	if s.o.Fetch == nil {
		return errors.New("import: an event is in S3; the option Fetch is missing")
	}
	text, err := s.o.Fetch(ctx, bucket, key)
	if err != nil {
		return err
	}
	var whole struct {
		Type        string          `json:"type"`
		Payload     json.RawMessage `json:"payload"`
		Meta        json.RawMessage `json:"meta"`
		Correlation string          `json:"correlationId"`
		Causation   string          `json:"causationId"`
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		return malformed(s.table.Name(), "s3Reference", "the object is not an event as JSON")
	}
	e.Payload = []byte(whole.Payload)
	if e.Meta == nil {
		e.Meta = []byte(whole.Meta)
	}
	e.Type, e.Correlation, e.Causation = cmp.Or(e.Type, whole.Type), cmp.Or(e.Correlation, whole.Correlation), cmp.Or(e.Causation, whole.Causation)
	return nil
}

// jsonText returns a value as JSON; a string is assumed to be JSON already.
func jsonText(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// schemaVersion is the key of meta that holds the version of the payload's format.
const schemaVersion = "schemaVersion"

// versionedMap is [textMap], but a positive integer under schemaVersion is removed and returned as the schema; 0 if there is none.
func versionedMap(text []byte) (map[string]string, int) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		return textMap(text), 0
	}
	schema, err := strconv.Atoi(string(m[schemaVersion]))
	if err != nil || schema < 1 || schema > math.MaxInt32 {
		return textMap(text), 0
	}
	delete(m, schemaVersion)
	if len(m) == 0 {
		return nil, schema
	}
	rest, err := json.Marshal(m)
	if err != nil {
		return textMap(text), 0
	}
	if texts := textMap(rest); texts[MetadataKey] == "" {
		return texts, schema
	}
	return textMap(text), schema // whole
}
