package importer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// SchemelessOptions are what [Schemeless] may need to know.
type SchemelessOptions struct {
	// Name names a stream. Nil: [eventstore.StreamName] of domain and identifier; events without
	// an identifier are a stream each domain.
	Name func(domain, identifier string) string
	// Fetch gets an event that was stored in S3, as JSON. Without it such events are errors.
	Fetch func(ctx context.Context, bucket, key string) ([]byte, error)
	// Table are options of the table.
	Table []ddb.TableOption
}

// Schemeless reads the table of @schemeless/event-store-adapter-dynamodb: partition key id ("EventID#" and a
// UUID), sort key created, an ISO 8601 time in UTC; attributes domain, type, payload, meta, identifier,
// correlationId, causationId, and s3Reference ("bucket::key") for what is in S3. Rows "EventID#HEAD" are passed over.
//
// The table knows no streams, so they are found by one scan, and ordered by created and id. That takes some 300
// bytes of memory for each event.
func Schemeless(client ddb.Client, table string, o SchemelessOptions) (Source, error) {
	if o.Name == nil {
		o.Name = eventstore.StreamName
	}
	t, err := ddb.New(client, table, schemelessID, schemelessCreated, o.Table...)
	if err != nil {
		return nil, err
	}
	return &schemeless{table: t, o: o}, nil
}

type schemelessItem struct {
	ID          string `dynamodbav:"id" json:"id"`
	Created     string `dynamodbav:"created" json:"created"`
	Domain      string `dynamodbav:"domain,omitempty" json:"domain"`
	Type        string `dynamodbav:"type,omitempty" json:"type"`
	Payload     any    `dynamodbav:"payload,omitempty" json:"payload"`
	Meta        any    `dynamodbav:"meta,omitempty" json:"meta"`
	Identifier  string `dynamodbav:"identifier,omitempty" json:"identifier"`
	Correlation string `dynamodbav:"correlationId,omitempty" json:"correlationId"`
	Causation   string `dynamodbav:"causationId,omitempty" json:"causationId"`
	S3          string `dynamodbav:"s3Reference,omitempty" json:"-"`
}

var (
	schemelessID         = ddb.StrField(func(e *schemelessItem) *string { return &e.ID })
	schemelessCreated    = ddb.StrField(func(e *schemelessItem) *string { return &e.Created })
	schemelessDomain     = ddb.StrField(func(e *schemelessItem) *string { return &e.Domain })
	schemelessIdentifier = ddb.StrField(func(e *schemelessItem) *string { return &e.Identifier })
)

const (
	schemelessPrefix = "EventID#"
	schemelessHead   = "EventID#HEAD"
)

type schemeless struct {
	table   *ddb.Table[schemelessItem, string, string]
	o       SchemelessOptions
	mu      sync.Mutex
	streams map[string][]ddb.Key[string, string] // by stream, as the last scan has found them
}

func (s *schemeless) Streams(ctx context.Context) iter.Seq2[Stream, error] {
	return func(yield func(Stream, error) bool) {
		streams := make(map[string][]ddb.Key[string, string])
		var list []Stream
		for e, err := range s.table.Scan().Consistent().Project(schemelessDomain, schemelessIdentifier).All(ctx) {
			if err == nil && !strings.HasPrefix(e.ID, schemelessPrefix) {
				err = malformed(s.table.Name(), "id", "it does not begin with "+schemelessPrefix)
			}
			if err != nil {
				yield(Stream{}, err)
				return
			}
			if strings.HasPrefix(e.ID, schemelessHead) {
				continue
			}
			// Both parts are kept apart: an identifier may hold any separator.
			key := e.Domain + "\x00" + e.Identifier
			if streams[key] == nil {
				list = append(list, Stream{Name: s.o.Name(e.Domain, e.Identifier), Key: key})
			}
			streams[key] = append(streams[key], s.table.Key(e.ID, e.Created))
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
		keys := slices.Clone(s.streams[st.Key])
		s.mu.Unlock()
		slices.SortFunc(keys, func(a, b ddb.Key[string, string]) int {
			return cmp.Or(strings.Compare(a.Sort, b.Sort), strings.Compare(a.Partition, b.Partition))
		})
		for got, err := range s.table.BatchGetAll(ctx, slices.Values(keys), ddb.Consistent()) {
			r := Record{Sequence: -1}
			if err == nil && !got.Found {
				continue // removed since
			}
			if err == nil {
				r.Event, r.RecordedAt, err = s.event(ctx, got.Item)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (s *schemeless) event(ctx context.Context, e schemelessItem) (n eventstore.NewEvent, at time.Time, err error) {
	if at, err = time.Parse(time.RFC3339Nano, e.Created); err != nil {
		return n, at, malformed(s.table.Name(), "created", "it is not an ISO 8601 time")
	}
	if e.S3 != "" {
		id := e.ID
		if e, err = s.fetch(ctx, e); err != nil {
			return n, at, err
		}
		e.ID = id
	}
	if e.Type == "" {
		return n, at, malformed(s.table.Name(), "type", "it is empty")
	}
	n = eventstore.NewEvent{
		ID: strings.TrimPrefix(e.ID, schemelessPrefix), Type: e.Type, CorrelationID: e.Correlation, CausationID: e.Causation,
	}
	if n.Data, err = jsonText(e.Payload); err != nil {
		return n, at, malformed(s.table.Name(), "payload", "it cannot be written as JSON")
	}
	meta, err := jsonText(e.Meta)
	if err != nil {
		return n, at, malformed(s.table.Name(), "meta", "it cannot be written as JSON")
	}
	n.Metadata = textMap(meta)
	return n, at, nil
}

func (s *schemeless) fetch(ctx context.Context, e schemelessItem) (schemelessItem, error) {
	bucket, key, ok := strings.Cut(e.S3, "::")
	if !ok {
		return e, malformed(s.table.Name(), "s3Reference", "it is not bucket::key")
	}
	if s.o.Fetch == nil {
		return e, errors.New("import: an event is in S3; the option Fetch is missing")
	}
	text, err := s.o.Fetch(ctx, bucket, key)
	if err != nil {
		return e, err
	}
	var whole schemelessItem
	if err := json.Unmarshal(text, &whole); err != nil {
		return e, malformed(s.table.Name(), "s3Reference", "the object is not an event as JSON")
	}
	return whole, nil
}

// jsonText is a value as JSON; a text is taken for JSON already.
func jsonText(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	}
	return json.Marshal(v)
}
