// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"encoding/base64"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// ExcaliburOptions are the options of [Excalibur].
type ExcaliburOptions struct {
	// Name returns the name of a stream. If it is nil, the name is [eventstore.StreamName] of type and id; with a tenant, of type and "tenant/id", where the
	// tenant is percent-encoded.
	Name func(tenant, aggregateType, id string) string
	// UpperKeys is for a table whose keys were configured as PK and SK, instead of pk and sk.
	UpperKeys bool
	// Table are options of the table.
	Table []ddb.TableOption
}

// DispatchedKey is the key of the metadata with isDispatched, which older releases of Excalibur stored: "true" or "false".
const DispatchedKey = "excalibur-dispatched"

// Excalibur reads the events table of Excalibur: partition key "type:id", in newer releases "t:tenant:type:id", and a number from 0
// as sort key; the version is that number plus one. Its attributes are eventId, aggregateId, aggregateType, eventType, timestamp,
// eventData and metadata, the last two in base64. CorrelationId and CausationId of the metadata become those of the event.
func Excalibur(client ddb.Client, table string, o ExcaliburOptions) (Source, error) {
	if o.Name == nil {
		o.Name = excaliburName
	}
	e := &excalibur{o: o, partition: ddb.StrField(func(e *excaliburItem) *string { return &e.PK }), key: func(e *excaliburItem) string { return e.PK }}
	sort := ddb.NumField(func(e *excaliburItem) *int64 { return &e.SK })
	if o.UpperKeys {
		e.partition, e.key = ddb.StrField(func(e *excaliburItem) *string { return &e.UpperPK }), func(e *excaliburItem) string { return e.UpperPK }
		sort = ddb.NumField(func(e *excaliburItem) *int64 { return &e.UpperSK })
	}
	var err error
	if e.table, err = ddb.New(client, table, e.partition, sort, o.Table...); err != nil {
		return failedSource{err}, err
	}
	return e, nil
}

func excaliburName(tenant, aggregateType, id string) string {
	if tenant != "" {
		id = url.PathEscape(tenant) + "/" + id
	}
	return eventstore.StreamName(aggregateType, id)
}

type excaliburItem struct {
	PK      string `dynamodbav:"pk"`
	SK      int64  `dynamodbav:"sk"`
	UpperPK string `dynamodbav:"PK"`
	UpperSK int64  `dynamodbav:"SK"`

	EventID    string  `dynamodbav:"eventId,omitempty"`
	ID         string  `dynamodbav:"aggregateId,omitempty"`
	Type       string  `dynamodbav:"aggregateType,omitempty"`
	Event      string  `dynamodbav:"eventType,omitempty"`
	Version    *int64  `dynamodbav:"version,omitempty"`
	Timestamp  string  `dynamodbav:"timestamp,omitempty"`
	Data       string  `dynamodbav:"eventData,omitempty"`
	Metadata   *string `dynamodbav:"metadata,omitempty"`
	Dispatched *bool   `dynamodbav:"isDispatched,omitempty"`
}

var (
	excaliburID   = ddb.StrField(func(e *excaliburItem) *string { return &e.ID })
	excaliburType = ddb.StrField(func(e *excaliburItem) *string { return &e.Type })
)

type excalibur struct {
	table     *ddb.Table[excaliburItem, string, int64]
	partition ddb.Str[excaliburItem, string]
	key       func(*excaliburItem) string
	o         ExcaliburOptions
}

func (x *excalibur) Streams(ctx context.Context) iter.Seq2[Stream, error] {
	return func(yield func(Stream, error) bool) {
		last := ""
		for e, err := range x.table.Scan().Consistent().Project(x.partition, excaliburID, excaliburType).All(ctx) {
			if err != nil {
				yield(Stream{}, err)
				return
			}
			key := x.key(&e)
			if key == last { // a scan gives the items of one key one after the other
				continue
			}
			last = key
			tenant, ok := "", e.Type != "" && e.ID != ""
			if stream := e.Type + ":" + e.ID; key != stream {
				rest, prefixed := strings.CutPrefix(key, "t:")
				var suffixed bool
				tenant, suffixed = strings.CutSuffix(rest, ":"+stream)
				ok = ok && prefixed && suffixed && tenant != ""
			}
			if !ok {
				yield(Stream{}, malformed(x.table.Name(), ddb.NameOf(x.partition), "it is neither aggregateType:aggregateId nor t:tenant:aggregateType:aggregateId"))
				return
			}
			if !yield(Stream{Name: x.o.Name(tenant, e.Type, e.ID), Key: key}, nil) {
				return
			}
		}
	}
}

func (x *excalibur) Events(ctx context.Context, s Stream) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for e, err := range x.table.Query(s.Key).Consistent().All(ctx) {
			var r Record
			if err == nil {
				r, err = x.record(&e)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (x *excalibur) record(e *excaliburItem) (r Record, err error) {
	r.Sequence = e.SK
	if x.o.UpperKeys {
		r.Sequence = e.UpperSK
	}
	switch {
	case e.Version == nil || *e.Version != r.Sequence:
		return r, malformed(x.table.Name(), "version", "it is not the sort key")
	case e.Event == "":
		return r, malformed(x.table.Name(), "eventType", "it is empty")
	case e.EventID == "":
		return r, malformed(x.table.Name(), "eventId", "it is empty")
	}
	if r.RecordedAt, err = time.Parse(time.RFC3339Nano, e.Timestamp); err != nil {
		return r, malformed(x.table.Name(), "timestamp", "it is not a time in the form of RFC 3339")
	}
	r.Event = eventstore.NewEvent{ID: e.EventID, Type: e.Event}
	if r.Event.Data, err = base64.StdEncoding.DecodeString(e.Data); err != nil {
		return r, malformed(x.table.Name(), "eventData", "it is not base64")
	}
	if e.Metadata != nil {
		text, err := base64.StdEncoding.DecodeString(*e.Metadata)
		if err != nil {
			return r, malformed(x.table.Name(), "metadata", "it is not base64")
		}
		m := textMap(text)
		r.Event.CorrelationID = take(m, "CorrelationId", "correlationId")
		r.Event.CausationID = take(m, "CausationId", "causationId")
		r.Event.Metadata = m
	}
	if e.Dispatched != nil {
		r.Event.Metadata = with(r.Event.Metadata, DispatchedKey, strconv.FormatBool(*e.Dispatched))
	}
	return r, nil
}

// take removes the first of the keys that is present, and returns its value.
func take(m map[string]string, keys ...string) string {
	for _, key := range keys {
		if v, ok := m[key]; ok {
			delete(m, key)
			return v
		}
	}
	return ""
}
