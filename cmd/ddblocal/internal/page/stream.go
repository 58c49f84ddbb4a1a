// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shard is a shard of a stream, as returned by DescribeStream.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Shard.html
type shard struct {
	ShardId, ParentShardId string //nolint:staticcheck // names of the API
	SequenceNumberRange    struct{ StartingSequenceNumber, EndingSequenceNumber string }
}

func (s shard) open() bool { return s.SequenceNumberRange.EndingSequenceNumber == "" }

// shardRow is a shard in the list of shards.
type shardRow struct {
	ID, Parent, State, Link string
	Current                 bool
}

// streamRecord is a record, as returned by GetRecords.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
type streamRecord struct {
	EventName    string                        `json:"eventName"`
	UserIdentity *struct{ PrincipalID string } `json:"userIdentity"` // of deletions because of time to live
	Dynamodb     struct {
		ApproximateCreationDateTime float64
		Keys, NewImage, OldImage    item
		SequenceNumber              string
	} `json:"dynamodb"`
}

// recordRow is a record in a view of a stream.
type recordRow struct {
	Event, By, Time, Key, Link string
	Changes                    []change
	Summary                    string
}

// streamView is the content of the view of a stream.
type streamView struct {
	On        bool
	ViewType  string
	ViewTypes []string
	Shards    []shardRow
	Read      bool // whether a shard was read
	Records   []recordRow
	Following bool
	More      bool   // whether Later already has records
	Later     string // link to the records after these
	Horizon   string // link to the view from the oldest record
	Follow    string // link to the view of records from now on
	Exchange  exchange
}

const (
	recordsShown    = 50
	recordsFollowed = 200
	mostReads       = 50 // of one view that follows
)

// iteratorRequest is a GetShardIterator.
type iteratorRequest struct {
	StreamArn         string
	ShardId           string //nolint:staticcheck // a name of the API
	ShardIteratorType string
	SequenceNumber    string  `json:",omitempty"`
	Timestamp         float64 `json:",omitempty"`
}

// shards returns all shards of a stream.
func (p *Page) shards(ctx context.Context, arn string) (all []shard, err error) {
	in := struct {
		StreamArn             string
		ExclusiveStartShardId string `json:",omitempty"` //nolint:staticcheck // a name of the API
	}{StreamArn: arn}
	for {
		var out struct {
			StreamDescription struct {
				Shards               []shard
				LastEvaluatedShardId string //nolint:staticcheck // a name of the API
			}
		}
		if err := p.call(ctx, "DescribeStream", in, &out); err != nil {
			return nil, err
		}
		all = append(all, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == "" {
			return all, nil
		}
	}
}

// showStream shows a table's stream: its shards, and records of one of them.
func (p *Page) showStream(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok {
		return
	}
	content := &streamView{On: t.StreamSpecification.StreamEnabled, ViewType: t.StreamSpecification.StreamViewType, ViewTypes: streamViewTypes}
	v := t.view("stream", content)
	if t.LatestStreamArn == "" {
		p.show(w, r, http.StatusOK, "stream", v)
		return
	}
	shards, err := p.shards(r.Context(), t.LatestStreamArn)
	if err != nil {
		p.failCall(w, r, err)
		return
	}
	q := r.URL.Query()
	chosen := q.Get("shard")
	if chosen == "" {
		if i := slices.IndexFunc(shards, shard.open); i >= 0 {
			chosen = shards[i].ShardId
		} else if len(shards) > 0 {
			chosen = shards[len(shards)-1].ShardId
		}
	}
	for _, s := range shards {
		row := shardRow{ID: s.ShardId, Parent: s.ParentShardId, State: "closed", Link: t.link("stream", "shard", s.ShardId), Current: s.ShardId == chosen}
		if s.open() {
			row.State = "open"
		}
		content.Shards = append(content.Shards, row)
	}
	in := iteratorRequest{StreamArn: t.LatestStreamArn, ShardId: chosen, ShardIteratorType: "TRIM_HORIZON"}
	if after := q.Get("after"); after != "" {
		in.ShardIteratorType, in.SequenceNumber = "AFTER_SEQUENCE_NUMBER", after
	} else if at := q.Get("at"); at != "" {
		seconds, err := strconv.ParseFloat(at, 64)
		if err != nil || seconds < 0 {
			p.fail(w, r, http.StatusBadRequest, fmt.Sprintf("at=%q is no time in seconds since 1970", at))
			return
		}
		in.ShardIteratorType, in.Timestamp = "AT_TIMESTAMP", seconds
	}
	content.Following = q.Get("follow") != ""
	now := strconv.FormatFloat(float64(p.Engine.Clock().Now().UnixMilli())/1000, 'f', 3, 64)
	content.Horizon, content.Follow = t.link("stream", "shard", chosen), t.link("stream", "shard", chosen, "at", now, "follow", "1")
	if chosen != "" {
		if err := p.readShard(r, t, &in, content); err != nil {
			v.Problems = append(v.Problems, err.Error())
			p.show(w, r, http.StatusBadRequest, "stream", v)
			return
		}
	}
	p.show(w, r, http.StatusOK, "stream", v)
}

// readShard adds the records to a view.
func (p *Page) readShard(r *http.Request, t *table, in *iteratorRequest, content *streamView) error {
	var iterator struct{ ShardIterator string }
	if err := p.call(r.Context(), "GetShardIterator", in, &iterator); err != nil {
		return err
	}
	request := struct {
		ShardIterator string
		Limit         int
	}{iterator.ShardIterator, recordsShown}
	if content.Following {
		request.Limit = recordsFollowed
	}
	var reply struct {
		Records           []streamRecord
		NextShardIterator string
	}
	if err := p.call(r.Context(), "GetRecords", request, &reply); err != nil {
		return err
	}
	// Following shows the newest of the records that were added since, not the first ones.
	for reads := 1; content.Following && len(reply.Records) > 0 && reply.NextShardIterator != "" && reads < mostReads; reads++ {
		next, seen := request, reply.Records
		next.ShardIterator = reply.NextShardIterator
		reply.Records, reply.NextShardIterator = nil, ""
		if err := p.call(r.Context(), "GetRecords", next, &reply); err != nil {
			return err
		}
		if len(reply.Records) == 0 {
			reply.Records = seen
			break
		}
		reply.Records = append(seen, reply.Records...)
		reply.Records = reply.Records[max(0, len(reply.Records)-recordsFollowed):]
	}
	content.Read = true
	content.Exchange = exchange{
		Operation: "GetShardIterator and GetRecords", Request: indented(in) + "\n" + indented(request), Note: grouped(int64(len(reply.Records))) + " records. A GetRecords costs one read request unit of streams.",
		CodeNote: "Package change follows the stream of a table, with leases for its shards and the position of each.",
		Command:  p.command(r, "GetShardIterator", in) + "\n" + p.command(r, "GetRecords", request),
	}
	for _, record := range reply.Records {
		row := recordRow{
			Event: record.EventName, Key: record.Dynamodb.Keys.keyWords(t.key()), Link: itemLink(t, record.Dynamodb.Keys),
			Time:    time.UnixMilli(int64(record.Dynamodb.ApproximateCreationDateTime * 1000)).UTC().Format(time.DateTime),
			Changes: changesOf(record.Dynamodb.OldImage, record.Dynamodb.NewImage),
		}
		row.Summary = summaryOf(row.Changes)
		if record.UserIdentity != nil {
			row.By = "by time to live"
		}
		content.Records = append(content.Records, row)
	}
	if n := len(reply.Records); n > 0 {
		content.Later = t.link("stream", "shard", in.ShardId, "after", reply.Records[n-1].Dynamodb.SequenceNumber)
		content.More = n == request.Limit
	}
	if content.Following {
		slices.Reverse(content.Records)
	}
	return nil
}

// summaryOf returns the names of the attributes that changed.
func summaryOf(changes []change) string {
	var names []string
	for _, c := range changes {
		names = append(names, c.Name)
	}
	const most = 8
	if rest := len(names) - most; rest > 0 {
		names = append(names[:most], grouped(int64(rest))+" more")
	}
	return strings.Join(names, ", ")
}

var streamViewTypes = []string{"NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"}

// changeStream turns a table's stream on or off.
func (p *Page) changeStream(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok || !p.checkForm(w, r) {
		return
	}
	kind := r.PostForm.Get("view")
	specification := map[string]any{"StreamEnabled": kind != ""}
	if kind != "" {
		specification["StreamViewType"] = kind
	}
	if err := p.call(r.Context(), "UpdateTable", map[string]any{"TableName": t.TableName, "StreamSpecification": specification}, nil); err != nil {
		p.failCall(w, r, err)
		return
	}
	p.redirect(w, r, []string{"tables", t.TableName, "stream"}, "done", "stream")
}
