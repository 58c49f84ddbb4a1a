// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"encoding/json"
	"iter"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// esEvent is an item of dynamo-es' events table.
type esEvent struct {
	Key      string `dynamodbav:"AggregateTypeAndId"`
	Sequence int64  `dynamodbav:"AggregateIdSequence"`
	Type     string `dynamodbav:"AggregateType"`
	ID       string `dynamodbav:"AggregateId"`
	Event    string `dynamodbav:"EventType"`
	Version  string `dynamodbav:"EventVersion"`
	Payload  []byte `dynamodbav:"Payload"`
	Metadata []byte `dynamodbav:"Metadata,omitempty"`
}

var (
	esKey      = ddb.StrField(func(e *esEvent) *string { return &e.Key })
	esSequence = ddb.NumField(func(e *esEvent) *int64 { return &e.Sequence })
	esType     = ddb.StrField(func(e *esEvent) *string { return &e.Type })
	esID       = ddb.StrField(func(e *esEvent) *string { return &e.ID })
)

// DynamoES reads the events table of dynamo-es: partition key AggregateTypeAndId ("type:id"), sort
// key AggregateIdSequence from 1. A stream is named by [eventstore.StreamName] of type and id, or by the
// function given. A version of an event such as "1.2" becomes schema 1, with the version in the metadata.
func DynamoES(client ddb.Client, table string, name func(aggregateType, id string) string, opts ...ddb.TableOption) (Source, error) {
	if name == nil {
		name = eventstore.StreamName
	}
	t, err := ddb.New(client, table, esKey, esSequence, opts...)
	if err != nil {
		return failedSource{err}, err
	}
	return &dynamoES{t, name}, nil
}

type dynamoES struct {
	table *ddb.Table[esEvent, string, int64]
	name  func(aggregateType, id string) string
}

func (d *dynamoES) Streams(ctx context.Context) iter.Seq2[Stream, error] {
	return func(yield func(Stream, error) bool) {
		last := ""
		for e, err := range d.table.Scan().Consistent().Project(esType, esID).All(ctx) {
			if err != nil {
				yield(Stream{}, err)
				return
			}
			if e.Key == last { // a scan gives the items of one key one after the other
				continue
			}
			last = e.Key
			if e.Type == "" || e.Key != e.Type+":"+e.ID {
				yield(Stream{}, malformed(d.table.Name(), "AggregateTypeAndId", "it is not AggregateType:AggregateId"))
				return
			}
			if !yield(Stream{Name: d.name(e.Type, e.ID), Key: e.Key}, nil) {
				return
			}
		}
	}
}

func (d *dynamoES) Events(ctx context.Context, s Stream) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for e, err := range d.table.Query(s.Key).Consistent().All(ctx) {
			r := Record{Sequence: e.Sequence}
			if err == nil {
				r.Event, err = d.event(e)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (d *dynamoES) event(e esEvent) (eventstore.NewEvent, error) {
	if e.Event == "" {
		return eventstore.NewEvent{}, malformed(d.table.Name(), "EventType", "it is empty")
	}
	n := eventstore.NewEvent{Type: e.Event, Data: e.Payload, Schema: 1}
	n.Metadata = textMap(e.Metadata)
	major, _, _ := strings.Cut(e.Version, ".")
	if schema, err := strconv.Atoi(major); err == nil && schema > 0 {
		n.Schema = schema
	}
	if e.Version != "" && e.Version != strconv.Itoa(n.Schema) {
		n.Metadata = with(n.Metadata, TypeVersionKey, e.Version)
	}
	return n, nil
}

// textMap returns a JSON object of strings as a map; anything else is kept unchanged under MetadataKey.
func textMap(text []byte) map[string]string {
	var m map[string]*string
	if len(text) == 0 || string(text) == "null" {
		return nil
	}
	whole := map[string]string{MetadataKey: string(text)}
	if err := json.Unmarshal(text, &m); err != nil {
		return whole
	}
	texts := make(map[string]string, len(m))
	for key, value := range m {
		if key == "" || value == nil {
			return whole
		}
		texts[key] = *value
	}
	return texts
}

func with(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = make(map[string]string)
	}
	m[key] = value
	return m
}

// ESView is an item of a view table of dynamo-es.
type ESView struct {
	ID      string `dynamodbav:"ViewId"`
	Version int64  `dynamodbav:"ViewVersion"`
	Payload []byte `dynamodbav:"Payload"` // JSON
}

// DynamoESViews describes a view table of dynamo-es, for reading it and for continuing to write it: of several writes based on the same version,
// one succeeds.
func DynamoESViews(client ddb.Client, table string, opts ...ddb.TableOption) (*ddb.SimpleTable[ESView, string], error) {
	return ddb.NewSimple(client, table, ddb.StrField(func(v *ESView) *string { return &v.ID }),
		append([]ddb.TableOption{ddb.Version(ddb.NumField(func(v *ESView) *int64 { return &v.Version }))}, opts...)...)
}

// ESSnapshot is an item of the snapshots table of dynamo-es. Its sequence can be ahead of its state (see the package
// comment), so it must not be used to load aggregates.
type ESSnapshot struct {
	Key      string `dynamodbav:"AggregateTypeAndId"`
	Type     string `dynamodbav:"AggregateType"`
	ID       string `dynamodbav:"AggregateId"`
	Sequence int64  `dynamodbav:"CurrentSequence"`
	Snapshot int64  `dynamodbav:"CurrentSnapshot"`
	Payload  []byte `dynamodbav:"Payload"` // JSON
}

// DynamoESSnapshots describes the snapshots table of dynamo-es.
func DynamoESSnapshots(client ddb.Client, table string, opts ...ddb.TableOption) (*ddb.SimpleTable[ESSnapshot, string], error) {
	return ddb.NewSimple(client, table, ddb.StrField(func(s *ESSnapshot) *string { return &s.Key }), opts...)
}
