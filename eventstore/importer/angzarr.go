// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"encoding/base64"
	"iter"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// AngzarrLayout is how an angzarr events table is laid out: its documentation, its code and its deployment differ.
type AngzarrLayout string

const (
	// AngzarrDocumented has the keys pk and sk and the attributes event_type, payload, correlation_id and created_at.
	AngzarrDocumented AngzarrLayout = "documented"
	// AngzarrCode has the keys pk and seq and one attribute, event, with a protobuf message.
	AngzarrCode AngzarrLayout = "code"
	// AngzarrDeployed has the keys aggregate_id and sequence, as the tables of the deployment's module, and the attributes of either.
	AngzarrDeployed AngzarrLayout = "deployed"
)

// AngzarrOptions are the options of [Angzarr].
type AngzarrOptions struct {
	// Layout is AngzarrDocumented if empty.
	Layout AngzarrLayout
	// Name returns the name of a stream from the parts of its key. If it is nil, the name is [eventstore.StreamName] of domain and root. For
	// an edition other than "" and "angzarr", which are the main timeline, it is the stream of that edition.
	Name func(domain, edition, root string) string
	// Decode decodes the message in the attribute event. If it is nil, the bytes are the data of an event of type "event".
	Decode func(message []byte) (eventstore.NewEvent, error)
	// Marker reports whether a message of a cascade confirms or revokes the cascade's provisional events in its stream. It is
	// needed if a stream has both.
	Marker func(message []byte) (AngzarrMarker, error)
	// Abandon treats cascades that were never decided as revoked.
	Abandon bool
	// Table are options of the table.
	Table []ddb.TableOption
}

// AngzarrMarker is what a committed event of a cascade means for the provisional events of the cascade.
type AngzarrMarker int

// The kinds of markers.
const (
	NoMarker AngzarrMarker = iota
	Confirmation
	Revocation
)

// WithheldType is the type of the event that replaces one that a cascade has revoked, so that all others keep their numbers. It
// has no data. Readers of angzarr see such a placeholder too.
const WithheldType = "angzarr-withheld"

// Keys of the metadata of events from angzarr.
const (
	// ExternalIDKey is the id of a fact from an external system, external_id.
	ExternalIDKey = "angzarr-external-id"
	// CascadeKey is the id of the cascade that wrote the event, cascade_id.
	CascadeKey = "angzarr-cascade-id"
	// ExtKey is the routing message ext, in base64.
	ExtKey = "angzarr-ext"
	// SourceDomainKey and the following keys describe the event that led to this one: source_domain, source_edition, source_root, source_seq,
	// source_component and source_command_index.
	SourceDomainKey       = "angzarr-source-domain"
	SourceEditionKey      = "angzarr-source-edition"
	SourceRootKey         = "angzarr-source-root"
	SourceSequenceKey     = "angzarr-source-seq"
	SourceComponentKey    = "angzarr-source-component"
	SourceCommandIndexKey = "angzarr-source-command-index"
)

// Angzarr reads an events table of angzarr: its partition key is "domain#edition#root", with % and # in each part percent-encoded,
// and its sort key is a number from 0; the version is that number plus one.
//
// The events of an edition get [eventstore.DivergenceKey], so that [eventstore.Store.Edition] can read it. It branches off the main timeline before its first
// number. An external_id becomes the id of the commit, so that a repeat of the request with that [eventstore.CommitID] is recognised,
// and is kept in the metadata. The cause of an event (source_*) becomes its causation id, which is the id that the import gives to the source event, and is kept in
// the metadata.
//
// An event with committed false is provisional. It is imported if the cascade was confirmed in its stream, and replaced by [WithheldType]
// if it was revoked. Until then it is [Record.Pending], and the import of the stream ends before it.
func Angzarr(client ddb.Client, table string, o AngzarrOptions) (Source, error) {
	if o.Name == nil {
		o.Name = angzarrName
	}
	if o.Decode == nil {
		o.Decode = func(message []byte) (eventstore.NewEvent, error) {
			return eventstore.NewEvent{Type: "event", Data: message}, nil
		}
	}
	partition, sort := angzarrPK, ddb.NumField(func(e *angzarrItem) *int64 { return &e.SK })
	a := &angzarrSource{o: o, place: func(e *angzarrItem) (string, int64) { return e.PK, e.SK }}
	switch o.Layout {
	case AngzarrCode:
		sort = ddb.NumField(func(e *angzarrItem) *int64 { return &e.Seq })
		a.place = func(e *angzarrItem) (string, int64) { return e.PK, e.Seq }
	case AngzarrDeployed:
		partition = ddb.StrField(func(e *angzarrItem) *string { return &e.AggregateID })
		sort = ddb.NumField(func(e *angzarrItem) *int64 { return &e.Sequence })
		a.place = func(e *angzarrItem) (string, int64) { return e.AggregateID, e.Sequence }
	}
	a.partition = partition
	var err error
	a.table, err = ddb.New(client, table, partition, sort, o.Table...)
	if err != nil {
		return failedSource{err}, err
	}
	return a, nil
}

// mainEdition is a name of the main timeline; the empty name is another one.
const mainEdition = "angzarr"

func angzarrName(domain, edition, root string) string {
	main := eventstore.StreamName(domain, root)
	if edition == "" || edition == mainEdition {
		return main
	}
	return eventstore.EditionStream(main, edition)
}

// angzarrItem is an item in any layout.
type angzarrItem struct {
	PK          string `dynamodbav:"pk"`
	AggregateID string `dynamodbav:"aggregate_id"`
	SK          int64  `dynamodbav:"sk"`
	Seq         int64  `dynamodbav:"seq"`
	Sequence    int64  `dynamodbav:"sequence"`

	Type        string `dynamodbav:"event_type,omitempty"`
	Payload     []byte `dynamodbav:"payload,omitempty"`
	Message     []byte `dynamodbav:"event,omitempty"`
	Correlation string `dynamodbav:"correlation_id,omitempty"`
	CreatedAt   string `dynamodbav:"created_at,omitempty"`

	Committed     *bool  `dynamodbav:"committed,omitempty"`
	Cascade       string `dynamodbav:"cascade_id,omitempty"`
	ExternalID    string `dynamodbav:"external_id,omitempty"`
	Ext           []byte `dynamodbav:"ext,omitempty"`
	SourceDomain  string `dynamodbav:"source_domain,omitempty"`
	SourceEdition string `dynamodbav:"source_edition,omitempty"`
	SourceRoot    string `dynamodbav:"source_root,omitempty"`
	SourceSeq     *int64 `dynamodbav:"source_seq,omitempty"`
	Component     string `dynamodbav:"source_component,omitempty"`
	CommandIndex  *int64 `dynamodbav:"source_command_index,omitempty"`
}

var (
	angzarrPK        = ddb.StrField(func(e *angzarrItem) *string { return &e.PK })
	angzarrCascade   = ddb.StrField(func(e *angzarrItem) *string { return &e.Cascade })
	angzarrCommitted = ddb.Field(func(e *angzarrItem) **bool { return &e.Committed })
)

type angzarrSource struct {
	table     *ddb.Table[angzarrItem, string, int64]
	partition ddb.Str[angzarrItem, string]
	o         AngzarrOptions
	place     func(*angzarrItem) (partition string, sequence int64)
}

// angzarrParts splits a key.
func angzarrParts(key string) (domain, edition, root string, ok bool) {
	parts := strings.Split(key, "#")
	if len(parts) != 3 {
		return "", "", "", false
	}
	for i := range parts {
		var err error
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return "", "", "", false
		}
	}
	return parts[0], parts[1], parts[2], true
}

// angzarrKey is the key of a timeline.
func angzarrKey(domain, edition, root string) string {
	if edition == "" {
		edition = mainEdition
	}
	escape := strings.NewReplacer("%", "%25", "#", "%23")
	return escape.Replace(domain) + "#" + escape.Replace(edition) + "#" + root
}

func (a *angzarrSource) Streams(ctx context.Context) iter.Seq2[Stream, error] {
	return func(yield func(Stream, error) bool) {
		last := ""
		for e, err := range a.table.Scan().Consistent().Project(a.partition).All(ctx) {
			if err != nil {
				yield(Stream{}, err)
				return
			}
			key, _ := a.place(&e)
			if key == last { // a scan gives the items of one key one after the other
				continue
			}
			last = key
			domain, edition, root, ok := angzarrParts(key)
			if !ok {
				yield(Stream{}, malformed(a.table.Name(), ddb.NameOf(a.partition), "it is not domain, edition and root, each percent-encoded, with # in between"))
				return
			}
			if !yield(Stream{Name: a.o.Name(domain, edition, root), Key: key}, nil) {
				return
			}
		}
	}
}

func (a *angzarrSource) Events(ctx context.Context, s Stream) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		_, edition, _, _ := angzarrParts(s.Key)
		branch := edition != "" && edition != mainEdition
		parts := int64(-1) // where the edition branches off the main timeline
		var cascades map[string]AngzarrMarker
		for e, err := range a.table.Query(s.Key).Consistent().All(ctx) {
			_, sequence := a.place(&e)
			r := Record{Sequence: sequence}
			if branch && parts < 0 {
				parts, r.First = sequence, true
			}
			if err == nil && e.Committed != nil && !*e.Committed && cascades == nil {
				cascades, err = a.cascades(ctx, s.Key)
			}
			if err == nil {
				err = a.fill(&r, &e, s.Key, cascades)
			}
			if err == nil && branch {
				r.Event.Metadata = with(r.Event.Metadata, eventstore.DivergenceKey, strconv.FormatInt(parts, 10))
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// cascades reads how the cascades of a timeline were decided.
func (a *angzarrSource) cascades(ctx context.Context, key string) (map[string]AngzarrMarker, error) {
	decided := make(map[string]AngzarrMarker)
	committed := true
	for e, err := range a.table.Query(key).Consistent().Filter(ddb.Exists(angzarrCascade), angzarrCommitted.Eq(&committed)).All(ctx) {
		if err != nil {
			return nil, err
		}
		if a.o.Marker == nil {
			return nil, errNoMarker
		}
		m, err := a.o.Marker(e.Message)
		if err != nil {
			return nil, malformed(a.table.Name(), "event", "the option Marker cannot read it")
		}
		if m != NoMarker {
			decided[e.Cascade] = m
		}
	}
	return decided, nil
}

// fill sets the record from an item.
func (a *angzarrSource) fill(r *Record, e *angzarrItem, key string, cascades map[string]AngzarrMarker) (err error) {
	if e.CreatedAt != "" {
		if r.RecordedAt, err = time.Parse(time.RFC3339Nano, e.CreatedAt); err != nil {
			return malformed(a.table.Name(), "created_at", "it is not a time in the form of RFC 3339")
		}
	}
	if e.Committed != nil && !*e.Committed {
		switch marker := cascades[e.Cascade]; {
		case marker == Revocation, marker == NoMarker && a.o.Abandon:
			r.Event = eventstore.NewEvent{ID: derivedID(key+"\x00withheld", r.Sequence+1), Type: WithheldType}
			if e.Cascade != "" {
				r.Event.Metadata = with(nil, CascadeKey, e.Cascade)
			}
			return nil
		case marker == NoMarker:
			r.Pending = true
			return nil
		}
	}
	if r.Event, err = a.event(e); err != nil {
		return err
	}
	if r.Event.ID == "" {
		r.Event.ID = derivedID(key, r.Sequence+1)
	}
	r.CommitID = e.ExternalID
	a.origin(&r.Event, e)
	return nil
}

func (a *angzarrSource) event(e *angzarrItem) (n eventstore.NewEvent, err error) {
	if a.o.Layout == AngzarrCode || a.o.Layout == AngzarrDeployed && e.Type == "" {
		if n, err = a.o.Decode(e.Message); err != nil {
			return n, malformed(a.table.Name(), "event", "it cannot be decoded")
		}
	} else {
		n = eventstore.NewEvent{Type: e.Type, Data: e.Payload}
	}
	if n.Type == "" {
		return n, malformed(a.table.Name(), "event_type", "it is empty")
	}
	n.Metadata = maps.Clone(n.Metadata) // set by Decode
	if n.CorrelationID == "" {
		n.CorrelationID = e.Correlation
	}
	return n, nil
}

// origin stores the origin of an event in its metadata.
func (a *angzarrSource) origin(n *eventstore.NewEvent, e *angzarrItem) {
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	for _, m := range []struct{ key, value string }{
		{ExternalIDKey, e.ExternalID},
		{CascadeKey, e.Cascade},
		{ExtKey, base64.StdEncoding.EncodeToString(e.Ext)},
		{SourceDomainKey, e.SourceDomain},
		{SourceEditionKey, e.SourceEdition},
		{SourceRootKey, e.SourceRoot},
		{SourceSequenceKey, number(e.SourceSeq)},
		{SourceComponentKey, e.Component},
		{SourceCommandIndexKey, number(e.CommandIndex)},
	} {
		if m.value != "" {
			n.Metadata = with(n.Metadata, m.key, m.value)
		}
	}
	if n.CausationID == "" && e.SourceDomain != "" && e.SourceSeq != nil {
		n.CausationID = derivedID(angzarrKey(e.SourceDomain, e.SourceEdition, e.SourceRoot), *e.SourceSeq+1)
	}
}
