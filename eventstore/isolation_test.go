// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/eventstoretest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// piecemeal shows what transactions write item by item, in random order and within some
// milliseconds, to queries and batch reads, as DynamoDB may, because these are isolated from single writes only. See
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation
type piecemeal struct {
	*dynamodb.Client
	turn   chan struct{}                              // a lock that does not stop the clock of a bubble
	hidden map[string]map[string]types.AttributeValue // by key: the item as it was before, nil for none
	gaps   int                                        // how often an item was hidden from a read
}

func itemID(item map[string]types.AttributeValue) string {
	pk, _ := item["pk"].(*types.AttributeValueMemberS)
	sk, _ := item["sk"].(*types.AttributeValueMemberN)
	if pk == nil || sk == nil {
		return ""
	}
	return pk.Value + "\x00" + sk.Value
}

func (p *piecemeal) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	var keys []map[string]types.AttributeValue
	for _, a := range in.TransactItems {
		switch {
		case a.Put != nil:
			keys = append(keys, map[string]types.AttributeValue{"pk": a.Put.Item["pk"], "sk": a.Put.Item["sk"]})
		case a.Update != nil:
			keys = append(keys, a.Update.Key)
		}
	}
	p.turn <- struct{}{} // one transaction at a time, so that the earlier items are known
	before := make([]map[string]types.AttributeValue, len(keys))
	for i, key := range keys {
		out, err := p.GetItem(ctx, &dynamodb.GetItemInput{TableName: new("store"), Key: key, ConsistentRead: new(true)})
		if err != nil {
			<-p.turn
			return nil, err
		}
		before[i] = out.Item
	}
	out, err := p.Client.TransactWriteItems(ctx, in, opts...)
	if err == nil {
		for i, key := range keys {
			p.hidden[itemID(key)] = before[i]
		}
	}
	<-p.turn
	if err != nil {
		return nil, err
	}
	// After success, the caller sees all of it.
	rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, key := range keys {
		<-time.After(rand.N(4 * time.Millisecond))
		p.turn <- struct{}{}
		delete(p.hidden, itemID(key))
		<-p.turn
	}
	return out, nil
}

// view returns items as they were before writes that are not visible yet.
func (p *piecemeal) view(items []map[string]types.AttributeValue) []map[string]types.AttributeValue {
	var shown []map[string]types.AttributeValue
	for _, item := range items {
		before, ok := p.hidden[itemID(item)]
		if ok {
			p.gaps++
			item = before
		}
		if item != nil {
			shown = append(shown, item)
		}
	}
	return shown
}

func (p *piecemeal) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	out, err := p.Client.Query(ctx, in, opts...)
	if err == nil {
		out.Items = p.view(out.Items)
	}
	return out, err
}

func (p *piecemeal) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	out, err := p.Client.BatchGetItem(ctx, in, opts...)
	if err == nil {
		for table, items := range out.Responses {
			out.Responses[table] = p.view(items)
		}
	}
	return out, err
}

// TestHalfVisibleTransactions: readers see no gap and no part of a commit while writers write.
func TestHalfVisibleTransactions(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: a client that hides items")
	}
	appends, writers, streams := longtest.Either(1000, 60), longtest.Either(64, 12), longtest.Either(8, 2) // with fewer, no item may be hidden
	for name, with := range map[string][]eventstore.Option{
		"plain": nil, "feed": {eventstore.Sequenced(4)},
		"time-limited, soon": {eventstore.Sequenced(4), eventstore.Expiring(func(string) time.Duration { return 10 * time.Minute })},
		"time-limited":       {eventstore.Sequenced(4), eventstore.Expiring(func(string) time.Duration { return time.Hour })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := ddbtest.NewEngine()
				t.Cleanup(e.Close)
				p := &piecemeal{Client: stormClient(t, e).(*dynamodb.Client), turn: make(chan struct{}, 1), hidden: map[string]map[string]types.AttributeValue{}}
				s := openStore(t, p, "store", append(with, eventstore.TableOptions(ddb.ThroughSDK()))...)
				done := make(chan struct{})
				var readers sync.WaitGroup
				for stream := range streams { // half of the readers read the newest commit again, backward
					readers.Go(func() { wholeCommits(t, s, stream, false, done) })
					readers.Go(func() { wholeCommits(t, s, stream, true, done) })
				}
				eventstoretest.Storm(t, s, eventstoretest.StormConfig{Writers: writers, Streams: streams, Appends: appends, Seed: 1, Feed: with != nil})
				close(done)
				readers.Wait()
				if p.gaps == 0 {
					t.Error("no item was hidden, so the test checks nothing")
				}
				t.Logf("%d times an item was hidden", p.gaps)
			})
		})
	}
}

// wholeCommits reads streams while they grow: every commit completely or not at all.
func wholeCommits(t *testing.T, s *eventstore.Store, number int, backward bool, done <-chan struct{}) {
	stream := "storm-" + strconv.Itoa(number)
	for {
		select {
		case <-done:
			return
		case <-time.After(50 * time.Millisecond):
		}
		versions, last := map[string]int{}, int64(0)
		for e, err := range s.Read(t.Context(), stream) {
			if err != nil {
				t.Errorf("%s: %v", stream, err)
				return
			}
			if e.Version != last+1 {
				t.Errorf("%s: version %d after %d", stream, e.Version, last)
				return
			}
			last = e.Version
			versions[e.CommitID]++
		}
		if !backward || last == 0 {
			continue
		}
		// The newest commit, read backward, is complete: its number of events is in their ids.
		n, id := 0, ""
		for e, err := range s.Read(t.Context(), stream, eventstore.Backward(), eventstore.UpTo(last)) {
			if err != nil {
				t.Errorf("%s: %v", stream, err)
				return
			}
			if id == "" {
				id = e.CommitID
			}
			if e.CommitID != id {
				break
			}
			n++
		}
		if n != versions[id] {
			t.Errorf("%s: the newest commit has %d events in one read and %d in another", stream, versions[id], n)
		}
	}
}
