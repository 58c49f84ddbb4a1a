package importer

import (
	"context"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// AngzarrLayout is how an angzarr events table is laid out: its documentation and its code differ.
type AngzarrLayout string

const (
	// AngzarrDocumented has the sort key sk and attributes event_type, payload, correlation_id and created_at.
	AngzarrDocumented AngzarrLayout = "documented"
	// AngzarrCode has the sort key seq and one attribute, event, with a protobuf message.
	AngzarrCode AngzarrLayout = "code"
)

// AngzarrOptions are what [Angzarr] may need to know.
type AngzarrOptions struct {
	// Layout is AngzarrDocumented if empty.
	Layout AngzarrLayout
	// Name names a stream by the parts of its key. Nil: [eventstore.StreamName] of domain and root, and for
	// an edition other than "" and "angzarr", which is the main timeline, the stream of that edition.
	Name func(domain, edition, root string) string
	// Decode takes the message of the layout AngzarrCode apart. Nil: its bytes are the data of an event of type "event".
	Decode func(message []byte) (eventstore.NewEvent, error)
	// Table are options of the table.
	Table []ddb.TableOption
}

// Angzarr reads an events table of angzarr: partition key "domain#edition#root", each part
// percent-encoded, and a number from 0 as sort key.
func Angzarr(client ddb.Client, table string, o AngzarrOptions) (Source, error) {
	if o.Name == nil {
		o.Name = angzarrName
	}
	if o.Decode == nil {
		o.Decode = func(message []byte) (eventstore.NewEvent, error) {
			return eventstore.NewEvent{Type: "event", Data: message}, nil
		}
	}
	if o.Layout == AngzarrCode {
		return angzarr(client, table, o, ddb.NumField(func(e *angzarrItem) *int64 { return &e.Seq }), func(e angzarrItem) int64 { return e.Seq })
	}
	return angzarr(client, table, o, ddb.NumField(func(e *angzarrItem) *int64 { return &e.SK }), func(e angzarrItem) int64 { return e.SK })
}

func angzarrName(domain, edition, root string) string {
	main := eventstore.StreamName(domain, root)
	if edition == "" || edition == "angzarr" {
		return main
	}
	return eventstore.EditionStream(main, edition)
}

// angzarrItem is an item in either layout.
type angzarrItem struct {
	PK          string `dynamodbav:"pk"`
	SK          int64  `dynamodbav:"sk"`
	Seq         int64  `dynamodbav:"seq"`
	Type        string `dynamodbav:"event_type,omitempty"`
	Payload     []byte `dynamodbav:"payload,omitempty"`
	Message     []byte `dynamodbav:"event,omitempty"`
	Correlation string `dynamodbav:"correlation_id,omitempty"`
	CreatedAt   string `dynamodbav:"created_at,omitempty"`
}

var angzarrPK = ddb.StrField(func(e *angzarrItem) *string { return &e.PK })

func angzarr(client ddb.Client, table string, o AngzarrOptions, sort ddb.Num[angzarrItem, int64], sequence func(angzarrItem) int64) (Source, error) {
	t, err := ddb.New(client, table, angzarrPK, sort, o.Table...)
	if err != nil {
		return nil, err
	}
	return &angzarrSource{t, o, sequence}, nil
}

type angzarrSource struct {
	table    *ddb.Table[angzarrItem, string, int64]
	o        AngzarrOptions
	sequence func(angzarrItem) int64
}

func (a *angzarrSource) Streams(ctx context.Context) iter.Seq2[Stream, error] {
	return func(yield func(Stream, error) bool) {
		last := ""
		for e, err := range a.table.Scan().Consistent().Project(angzarrPK).All(ctx) {
			if err != nil {
				yield(Stream{}, err)
				return
			}
			if e.PK == last { // a scan gives the items of one key one after the other
				continue
			}
			last = e.PK
			parts := strings.Split(e.PK, "#")
			if len(parts) != 3 {
				yield(Stream{}, malformed(a.table.Name(), "pk", "it has not the three parts domain, edition and root"))
				return
			}
			for i := range parts {
				if parts[i], err = url.PathUnescape(parts[i]); err != nil {
					yield(Stream{}, malformed(a.table.Name(), "pk", "a part is not percent-encoded"))
					return
				}
			}
			if !yield(Stream{Name: a.o.Name(parts[0], parts[1], parts[2]), Key: e.PK}, nil) {
				return
			}
		}
	}
}

func (a *angzarrSource) Events(ctx context.Context, s Stream) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for e, err := range a.table.Query(s.Key).Consistent().All(ctx) {
			r := Record{Sequence: a.sequence(e)}
			if err == nil {
				r.Event, r.RecordedAt, err = a.event(e)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (a *angzarrSource) event(e angzarrItem) (n eventstore.NewEvent, at time.Time, err error) {
	if e.CreatedAt != "" {
		if at, err = time.Parse(time.RFC3339Nano, e.CreatedAt); err != nil {
			return n, at, malformed(a.table.Name(), "created_at", "it is not a time in the form of RFC 3339")
		}
	}
	if a.o.Layout == AngzarrCode {
		if n, err = a.o.Decode(e.Message); err != nil {
			return n, at, malformed(a.table.Name(), "event", "it cannot be decoded")
		}
	} else {
		n = eventstore.NewEvent{Type: e.Type, Data: e.Payload}
	}
	if n.Type == "" {
		return n, at, malformed(a.table.Name(), "event_type", "it is empty")
	}
	if n.CorrelationID == "" {
		n.CorrelationID = e.Correlation
	}
	return n, at, nil
}
