// SPDX-License-Identifier: Apache-2.0

// Package importer continues the change capture of another system. It reads the positions from that system's table: [Excalibur].
//
//	for state, err := range importer.Excalibur(client, "CdcState")(ctx) {
//		...
//		report, err := importer.Import(ctx, streams, state, "my-app", leases)
//	}
//
// Stop the old processor first, and start the consumer of the app after the import; it must not have begun with the stream before.
package importer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
)

// ErrMalformed means that an item of the source does not have the format of its system.
var ErrMalformed = errors.New("an item of the source is malformed")

// ErrBegun means that the app already has leases of the stream.
var ErrBegun = errors.New("the app has begun with the stream already")

// State is the position of a processor in a stream.
type State struct {
	// Processor is its name in the source.
	Processor string
	// Stream is the ARN of the stream.
	Stream string
	// Shards has the sequence number of the last change handled, by shard.
	Shards map[string]string
	// At is the time of the position, zero if it has none. If no shard is known, the processor begins at that time, or with the oldest change
	// if it is zero.
	At time.Time
}

// item is an item of Excalibur's table of change-capture state.
type item struct {
	Processor string `dynamodbav:"pk"`
	Position  string `dynamodbav:"positionData,omitempty"`
}

var itemProcessor = ddb.StrField(func(i *item) *string { return &i.Processor })

// Excalibur reads the table in which Excalibur keeps the state of change capture: partition key pk, the processor's name, and the attribute
// positionData, JSON in base64 with streamArn, shardPositions and timestamp. It scans the table, which has an item for each processor.
func Excalibur(client ddb.Client, table string, opts ...ddb.TableOption) func(context.Context) iter.Seq2[State, error] {
	return func(ctx context.Context) iter.Seq2[State, error] {
		return func(yield func(State, error) bool) {
			t, err := ddb.NewSimple(client, table, itemProcessor, opts...)
			if err != nil {
				yield(State{}, err)
				return
			}
			for i, err := range t.Scan().Consistent().All(ctx) {
				var s State
				if err == nil {
					s, err = i.state(t.Name())
				}
				if !yield(s, err) || err != nil {
					return
				}
			}
		}
	}
}

func (i *item) state(table string) (State, error) {
	malformed := func(why string) (State, error) {
		return State{}, fmt.Errorf("%w: table %s, attribute positionData: %s", ErrMalformed, table, why)
	}
	text, err := base64.StdEncoding.DecodeString(i.Position)
	if err != nil {
		return malformed("it is not base64")
	}
	var p struct {
		StreamArn      string            `json:"streamArn"`
		ShardPositions map[string]string `json:"shardPositions"`
		Timestamp      *time.Time        `json:"timestamp"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return malformed("it is not a position in JSON")
	}
	if p.StreamArn == "" {
		return malformed("it names no stream")
	}
	for _, seq := range p.ShardPositions {
		if _, ok := change.Checkpoint(seq).Seq(); !ok {
			return malformed("a shard has something other than a sequence number")
		}
	}
	s := State{Processor: i.Processor, Stream: p.StreamArn, Shards: p.ShardPositions}
	if p.Timestamp != nil {
		s.At = p.Timestamp.UTC()
	}
	return s, nil
}

// Report is what an import has done.
type Report struct {
	// Resumed is the number of shards that continue after the last change handled.
	Resumed int
	// Finished is the number of shards that count as handled because one of their children was begun.
	Finished int
	// Fresh is the number of shards that begin with their oldest change because the state does not name them.
	Fresh int
	// Gone is the number of shards of the state that are no longer in the stream.
	Gone int
}

// Import writes leases with which a [change.Consumer] of the app continues where the processor has stopped, in the order of the shards' lineage: after
// the last change handled in each shard that the state names. A shard that it does not name counts as handled if one of its descendants is named, because the
// processor forgets shards at their ends, and reading it now would deliver old changes after newer ones. Otherwise it is read from its
// beginning, so changes that the processor has handled in such a shard can be delivered again. If the position is older than the stream's 24 hours, the consumer
// reports that with [change.OnDataLoss] as it does for its own positions.
//
// If the app has leases of the stream, the error is [ErrBegun] and nothing is written. An import that fails in between leaves some leases: delete those of the app
// and repeat it. It describes the stream, with one request for 100 shards, and writes a lease for each shard of the state and its ancestors.
func Import(ctx context.Context, streams change.Client, state State, app string, store change.Store) (Report, error) {
	if streams == nil || store == nil {
		return Report{}, &ddb.InvalidError{Problems: []error{errors.New("import change capture: the client or the store is nil")}}
	}
	r, err := importState(ctx, streams, state, app, store)
	if err != nil {
		err = fmt.Errorf("import change capture: %w", err)
	}
	return r, err
}

func importState(ctx context.Context, streams change.Client, state State, app string, store change.Store) (Report, error) {
	if streams == nil || store == nil || app == "" || state.Stream == "" {
		return Report{}, &ddb.InvalidError{Problems: []error{errors.New("it needs a streams client, a state with a stream, an app and a store")}}
	}
	leases, err := store.Leases(ctx, app)
	if err != nil {
		return Report{}, err
	}
	if slices.ContainsFunc(leases, func(l change.Lease) bool { return l.Stream == state.Stream }) {
		return Report{}, ErrBegun
	}
	marker := change.Lease{App: app, Stream: state.Stream, Checkpoint: change.End} // shards that have no lease begin with their oldest change
	if len(state.Shards) == 0 {
		if marker.Checkpoint = change.TrimHorizon; !state.At.IsZero() {
			marker.Checkpoint = change.AtTime(state.At)
		}
		return Report{}, store.Create(ctx, marker)
	}
	parents, err := lineage(ctx, streams, state.Stream)
	if err != nil {
		return Report{}, err
	}
	var r Report
	checkpoints := make(map[string]change.Checkpoint)
	for shard, seq := range state.Shards {
		if _, listed := parents[shard]; !listed {
			r.Gone++
			continue
		}
		checkpoints[shard] = change.Checkpoint(seq)
		r.Resumed++
	}
	for shard := range state.Shards {
		for p := parents[shard]; p != ""; p = parents[p] {
			if _, listed := parents[p]; !listed {
				break
			}
			if checkpoints[p] == "" {
				checkpoints[p] = change.End
				r.Finished++
			}
		}
	}
	r.Fresh = len(parents) - len(checkpoints)
	for _, shard := range slices.Sorted(maps.Keys(checkpoints)) {
		l := change.Lease{App: app, Stream: state.Stream, Shard: shard, Parent: parents[shard], Checkpoint: checkpoints[shard]}
		if err := store.Create(ctx, l); err != nil {
			return r, err
		}
	}
	return r, store.Create(ctx, marker)
}

// requestTimeout is how long one request may take.
const requestTimeout = 10 * time.Second

// lineage lists the shards of a stream with their parents, "" for those that have none.
func lineage(ctx context.Context, streams change.Client, arn string) (map[string]string, error) {
	parents := make(map[string]string)
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &arn}
	for {
		out, err := describe(ctx, streams, in)
		if err != nil {
			return nil, &change.OpError{Op: "DescribeStream", Stream: arn, Err: err}
		}
		for _, s := range out.Shards {
			parents[text(s.ShardId)] = text(s.ParentShardId)
		}
		if out.LastEvaluatedShardId == nil {
			return parents, nil
		}
		in.ExclusiveStartShardId = out.LastEvaluatedShardId
	}
}

func describe(ctx context.Context, streams change.Client, in *dynamodbstreams.DescribeStreamInput) (*types.StreamDescription, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	out, err := streams.DescribeStream(ctx, in)
	if err != nil {
		return nil, err
	}
	if out.StreamDescription == nil {
		return nil, errors.New("the reply has no description")
	}
	return out.StreamDescription, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
