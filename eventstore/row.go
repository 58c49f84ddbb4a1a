// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"strconv"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
)

// row is any item of the table. Its partition key shows its kind:
//
//	S#<stream>           0        the head of a stream
//	S#<stream>           version  an event, or a frame of several
//	N#<shard>            0        the counter of a shard of the feed
//	F#<shard>#<block>    number   a commit in the feed
//	C#<commit>           0        the marker of a commit
//	M#feed               0        how the table is set up
//	V#<stream>           0        the state of a stream, saved with its events
//	E#<id>               0        the place of the event with an id
//	P#<shard>#<consumer> number   a commit that a consumer has parked; Version is its attempts, at number 0 the count of requests to look
//	J#<projection>       version  a version of a projection that was run; Version of number 0 is the live one
//	L#<consumer>         shard    the lease of a shard of the feed; Version is its counter
type row struct {
	PK string `dynamodbav:"pk"`
	SK int64  `dynamodbav:"sk"`

	// Of an event.
	ID       string            `dynamodbav:"id,omitempty"`
	Type     string            `dynamodbav:"type,omitempty"`
	Schema   int               `dynamodbav:"schema,omitempty"`
	Data     []byte            `dynamodbav:"data,omitempty"`
	Ref      string            `dynamodbav:"ref,omitempty"`  // where the data are, if not here
	Key      string            `dynamodbav:"key,omitempty"`  // that data and metadata are encrypted with
	Enc      int               `dynamodbav:"enc,omitempty"`  // the version of the encrypted form
	Zip      string            `dynamodbav:"zip,omitempty"`  // what the data are compressed with
	Size     int64             `dynamodbav:"size,omitempty"` // before that
	Meta     map[string]string `dynamodbav:"meta,omitempty"`
	Corr     string            `dynamodbav:"corr,omitempty"`
	Caus     string            `dynamodbav:"caus,omitempty"`
	At       int64             `dynamodbav:"at,omitempty"` // nanoseconds since 1970
	Commit   string            `dynamodbav:"commit,omitempty"`
	Frame    []framed          `dynamodbav:"frame,omitempty"`
	Scrubbed int64             `dynamodbav:"scrubbed,omitempty"`
	Bucket   string            `dynamodbav:"bkt,omitempty"`
	BucketAt string            `dynamodbav:"bks,omitempty"`

	// Of a head; counters and the set-up have Version too.
	Version  int64  `dynamodbav:"version,omitempty"`
	C0       string `dynamodbav:"c0,omitempty"`
	C1       string `dynamodbav:"c1,omitempty"`
	C2       string `dynamodbav:"c2,omitempty"`
	C3       string `dynamodbav:"c3,omitempty"`
	C4       string `dynamodbav:"c4,omitempty"`
	C5       string `dynamodbav:"c5,omitempty"`
	C6       string `dynamodbav:"c6,omitempty"`
	C7       string `dynamodbav:"c7,omitempty"`
	Category string `dynamodbav:"cat,omitempty"`
	Created  int64  `dynamodbav:"created,omitempty"`
	Cut      int64  `dynamodbav:"cut,omitempty"` // the first version that was not truncated
	Deleted  int64  `dynamodbav:"deleted,omitempty"`
	Framed   bool   `dynamodbav:"framed,omitempty"`
	// Expiry is when the last event expires, for a commit in the feed when all of them do: seconds since 1970.
	Expiry int64 `dynamodbav:"expiry,omitempty"`

	// Of the set-up: the table has items of ids.
	IDs bool `dynamodbav:"ids,omitempty"`

	// Of a commit in the feed, of a marker and of an id. An event that expires has TTL, and First is the first version of its commit.
	Stream string   `dynamodbav:"stream,omitempty"`
	First  int64    `dynamodbav:"first,omitempty"`
	Last   int64    `dynamodbav:"last,omitempty"`
	Keys   []int64  `dynamodbav:"keys,omitempty"`  // of the items, if they hold several events
	Types  []string `dynamodbav:"types,omitempty"` // of a commit in the feed, if they fit
	Parts  []span   `dynamodbav:"parts,omitempty"`
	TTL    int64    `dynamodbav:"ttl,omitempty"` // seconds since 1970

	// Of the set-up. Set-ups of earlier versions of the package do not list the indexes: Recorded is not set there.
	Recorded       bool   `dynamodbav:"recorded,omitempty"`
	Time           string `dynamodbav:"time,omitempty"` // unit and salts of the index by time
	Categories     int64  `dynamodbav:"categories,omitempty"`
	TimeFull       bool   `dynamodbav:"time_full,omitempty"`
	CategoriesFull bool   `dynamodbav:"categories_full,omitempty"`
	Cursor         string `dynamodbav:"cursor,omitempty"` // of a backfill

	// Of a lease.
	Owner string `dynamodbav:"owner,omitempty"`
	Heir  string `dynamodbav:"heir,omitempty"`
	Write string `dynamodbav:"write,omitempty"` // a random text of the last write

	// Of a parked commit.
	Reason string `dynamodbav:"reason,omitempty"`
	Replay bool   `dynamodbav:"replay,omitempty"`
}

// framed is an event inside a frame. What it shares with the others of the frame is in the row.
type framed struct {
	ID     string            `dynamodbav:"id"`
	Type   string            `dynamodbav:"type"`
	Schema int               `dynamodbav:"schema,omitempty"`
	Data   []byte            `dynamodbav:"data,omitempty"`
	Meta   map[string]string `dynamodbav:"meta,omitempty"`
	Key    string            `dynamodbav:"key,omitempty"`
	Enc    int               `dynamodbav:"enc,omitempty"`
	Zip    string            `dynamodbav:"zip,omitempty"`
	Size   int64             `dynamodbav:"size,omitempty"`
	// Scrubbed is when the payload was removed.
	Scrubbed int64 `dynamodbav:"scrubbed,omitempty"`
}

// span is what a commit wrote to one stream.
type span struct {
	Stream string `dynamodbav:"stream"`
	First  int64  `dynamodbav:"first"`
	Last   int64  `dynamodbav:"last"`
}

var (
	rowPK       = ddb.StrField(func(r *row) *string { return &r.PK })
	rowSK       = ddb.NumField(func(r *row) *int64 { return &r.SK })
	rowData     = ddb.BinField(func(r *row) *[]byte { return &r.Data })
	rowRef      = ddb.StrField(func(r *row) *string { return &r.Ref })
	rowKey      = ddb.StrField(func(r *row) *string { return &r.Key })
	rowEnc      = ddb.NumField(func(r *row) *int { return &r.Enc })
	rowZip      = ddb.StrField(func(r *row) *string { return &r.Zip })
	rowSize     = ddb.NumField(func(r *row) *int64 { return &r.Size })
	rowMeta     = ddb.MapField(func(r *row) *map[string]string { return &r.Meta })
	rowCorr     = ddb.StrField(func(r *row) *string { return &r.Corr })
	rowCaus     = ddb.StrField(func(r *row) *string { return &r.Caus })
	rowAt       = ddb.NumField(func(r *row) *int64 { return &r.At })
	rowCommit   = ddb.StrField(func(r *row) *string { return &r.Commit })
	rowFrame    = ddb.ListField(func(r *row) *[]framed { return &r.Frame })
	rowScrubbed = ddb.NumField(func(r *row) *int64 { return &r.Scrubbed })
	rowBucket   = ddb.StrField(func(r *row) *string { return &r.Bucket })
	rowBucketAt = ddb.StrField(func(r *row) *string { return &r.BucketAt })
	rowVersion  = ddb.NumField(func(r *row) *int64 { return &r.Version })
	rowCategory = ddb.StrField(func(r *row) *string { return &r.Category })
	rowCreated  = ddb.NumField(func(r *row) *int64 { return &r.Created })
	rowFirst    = ddb.NumField(func(r *row) *int64 { return &r.First })
	rowCut      = ddb.NumField(func(r *row) *int64 { return &r.Cut })
	rowDeleted  = ddb.NumField(func(r *row) *int64 { return &r.Deleted })
	rowFramed   = ddb.Field(func(r *row) *bool { return &r.Framed })
	rowExpiry   = ddb.NumField(func(r *row) *int64 { return &r.Expiry })
	rowRecorded = ddb.Field(func(r *row) *bool { return &r.Recorded })
	rowTime     = ddb.StrField(func(r *row) *string { return &r.Time })
	rowCats     = ddb.NumField(func(r *row) *int64 { return &r.Categories })
	rowTimeFull = ddb.Field(func(r *row) *bool { return &r.TimeFull })
	rowCatsFull = ddb.Field(func(r *row) *bool { return &r.CategoriesFull })
	rowCursor   = ddb.StrField(func(r *row) *string { return &r.Cursor })
	rowTTL      = ddb.NumField(func(r *row) *int64 { return &r.TTL })
	rowOwner    = ddb.StrField(func(r *row) *string { return &r.Owner })
	rowReason   = ddb.StrField(func(r *row) *string { return &r.Reason })
	rowReplay   = ddb.Field(func(r *row) *bool { return &r.Replay })

	rowSlots = []ddb.Str[row, string]{
		ddb.StrField(func(r *row) *string { return &r.C0 }), ddb.StrField(func(r *row) *string { return &r.C1 }),
		ddb.StrField(func(r *row) *string { return &r.C2 }), ddb.StrField(func(r *row) *string { return &r.C3 }),
		ddb.StrField(func(r *row) *string { return &r.C4 }), ddb.StrField(func(r *row) *string { return &r.C5 }),
		ddb.StrField(func(r *row) *string { return &r.C6 }), ddb.StrField(func(r *row) *string { return &r.C7 }),
	}
)

// Keys. A prefix distinguishes the kinds, so no name of a stream can collide with another kind.
const (
	streamPrefix = "S#"
	leasePrefix  = "L#"
	// A block limits the number of the feed's rows under one partition key.
	feedBlock = 10_000
)

func streamKey(stream string, version int64) ddb.Key[string, int64] {
	return ddb.Key[string, int64]{Partition: streamPrefix + stream, Sort: version}
}

func counterKey(shard int) ddb.Key[string, int64] {
	return ddb.Key[string, int64]{Partition: "N#" + strconv.Itoa(shard)}
}

func feedPartition(shard int, number int64) string {
	return "F#" + strconv.Itoa(shard) + "#" + strconv.FormatInt(number/feedBlock, 10)
}

func markerKey(commit string) ddb.Key[string, int64] {
	return ddb.Key[string, int64]{Partition: "C#" + commit}
}

func setupKey() ddb.Key[string, int64] { return ddb.Key[string, int64]{Partition: "M#feed"} }

func stateKey(stream string) ddb.Key[string, int64] {
	return ddb.Key[string, int64]{Partition: "V#" + stream}
}

func leaseKey(consumer string, shard int) ddb.Key[string, int64] {
	return ddb.Key[string, int64]{Partition: leasePrefix + consumer, Sort: int64(shard)}
}

// slots holds the last commits of a head, newest first.
func (r *row) slots() [8]string {
	return [8]string{r.C0, r.C1, r.C2, r.C3, r.C4, r.C5, r.C6, r.C7}
}

// emptySlot is the value of a slot without a commit; an update can only move existing values.
const emptySlot = "-"

func slot(commit string, first, last int64) string {
	return strconv.FormatInt(first, 10) + "-" + strconv.FormatInt(last, 10) + " " + commit
}

// remembered finds a commit among the last ones of a head.
func (r *row) remembered(commit string) (first, last int64, ok bool) {
	for _, s := range r.slots() {
		versions, id, _ := strings.Cut(s, " ")
		if id != commit || id == "" {
			continue
		}
		from, to, _ := strings.Cut(versions, "-")
		first, err1 := strconv.ParseInt(from, 10, 64)
		last, err2 := strconv.ParseInt(to, 10, 64)
		return first, last, err1 == nil && err2 == nil
	}
	return 0, 0, false
}

// newest returns the version of the last event in a row of a stream.
func (r *row) newest() int64 { return r.SK + int64(max(len(r.Frame), 1)) - 1 }

// events appends the events in a row of a stream.
func (r *row) events(stream string, to []Event) []Event {
	e := Event{
		Stream: stream, Version: r.SK, ID: r.ID, Type: r.Type, Schema: r.Schema, Data: r.Data, Metadata: r.Meta,
		CorrelationID: r.Corr, CausationID: r.Caus, CommitID: r.Commit, Scrubbed: r.Scrubbed != 0, ref: r.Ref,
		ExpiresAt: unixTime(r.TTL), form: form{r.Key, r.Enc, r.Zip, r.Size},
	}
	if r.At != 0 {
		e.RecordedAt = time.Unix(0, r.At).UTC()
	}
	if len(r.Frame) == 0 {
		return append(to, e)
	}
	for i, f := range r.Frame {
		e.Version, e.ID, e.Type, e.Schema, e.Data, e.Metadata = r.SK+int64(i), f.ID, f.Type, f.Schema, f.Data, f.Meta
		e.form = form{f.Key, f.Enc, f.Zip, f.Size}
		e.CorrelationID, e.CausationID = r.Corr, r.Caus
		if e.Scrubbed = f.Scrubbed != 0; e.Scrubbed {
			e.CorrelationID, e.CausationID = "", ""
		}
		to = append(to, e)
	}
	return to
}
