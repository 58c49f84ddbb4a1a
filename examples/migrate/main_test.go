// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/job"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/sweep"
)

// store is a store that a killed runner can no longer reach.
type store struct {
	job.Store
	dead atomic.Bool
}

func (s *store) Swap(ctx context.Context, name string, was, will job.State) error {
	if s.dead.Load() {
		return errors.New("killed")
	}
	return s.Store.Swap(ctx, name, was, will)
}

var long = flag.Bool("long", false, "migrate with three seeds")

// The migration of a live table: old programs put whole items, new programs get and put them, replies are lost and requests throttled,
// the runner of the job is killed and another continues, and a consumer of the stream converts items that old programs write after the job has passed them. In the
// end every item is in the new layout and has the values of its last writer.
func TestLiveMigration(t *testing.T) {
	seeds := uint64(1)
	if *long {
		seeds = 3
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { migrate(t, seed) })
	}
}

func migrate(t *testing.T, seed uint64) {
	const items, writers = 24, 4
	var on atomic.Bool
	updates := func() fault.Matcher {
		return fault.On("UpdateItem").Where(func(fault.Request) bool { return on.Load() })
	}
	engine := ddbtest.NewEngine(ddbtest.WithSeed(seed), ddbtest.WithFaults(
		updates().Chance(0.05).DropReply(), updates().Chance(0.05).Throttle(), updates().Chance(0.3).Delay(200*time.Millisecond),
		fault.On("Scan").Where(func(fault.Request) bool { return on.Load() }).Delay(500*time.Millisecond)))
	defer engine.Close()
	client := engine.Client()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	widgets, err := ddb.NewSimple(client, "widgets", widgetID, ddb.Version(widgetVersion), ddb.PageSize(4))
	check(err)
	check(widgets.CreateTable(t.Context(), schema.Stream(types.StreamViewTypeNewAndOldImages)))
	putOld := func(i, count int) {
		item := map[string]types.AttributeValue{"id": text(ID{byte(i)}.text()), "seen": text("2026-01-02T02:04:05Z"), "count": number(fmt.Sprint(count))}
		switch count % 3 {
		case 0:
			item["tags"] = &types.AttributeValueMemberL{Value: []types.AttributeValue{text("red")}}
		case 1:
			item["note"] = &types.AttributeValueMemberNULL{Value: true}
		}
		_, err := client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: new("widgets"), Item: item})
		check(err)
	}
	putNew := func(i, count int) {
		for {
			w, err := widgets.Get(context.Background(), ID{byte(i)}, ddb.Consistent())
			check(err)
			w.Count = count
			err = widgets.Put(context.Background(), &w)
			if err == nil {
				return
			}
			if !errors.Is(err, ddb.ErrConditionFailed) { // the job wrote the item in between
				check(err)
			}
		}
	}
	last := make([]int, items)
	for i := range items {
		putOld(i, i)
		last[i] = i
	}
	states, err := job.NewTableStore(client, "jobs")
	check(err)
	check(states.EnsureTable(t.Context()))
	on.Store(true)

	catcher, err := job.New("relayout", widgets, toNewLayout)
	check(err)
	consumer, err := change.NewConsumer(engine.StreamsClient(), change.OfTable("widgets"), "relayout", new(change.MemoryStore),
		change.Each(func(ctx context.Context, c change.Change[Widget]) error {
			if c.New == nil || !catcher.Needs(*c.New) {
				return nil
			}
			return catcher.Apply(ctx, c.New.ID)
		}))
	check(err)
	check(consumer.Begin(t.Context()))
	ctx, stopConsumer := context.WithCancel(t.Context())
	consumed := make(chan error, 1)
	go func() { consumed <- consumer.Run(ctx) }()

	var wg sync.WaitGroup
	stopWriters := make(chan struct{})
	for w := range writers {
		rnd := rand.New(rand.NewPCG(seed, uint64(w)))
		wg.Go(func() {
			for count := 1000 * (w + 1); ; count++ {
				select {
				case <-stopWriters:
					return
				case <-time.After(time.Duration(rnd.IntN(600)) * time.Millisecond):
				}
				i := rnd.IntN(items/writers)*writers + w // each writer has its own items, so that their last writes are known
				if w%2 == 0 {
					putOld(i, count)
				} else {
					putNew(i, count)
				}
				last[i] = count
			}
		})
	}
	runs := 0
	for done := false; !done; runs++ {
		s := &store{Store: states}
		relayout, err := job.New("relayout", widgets, toNewLayout, job.StoredIn(s), job.Sweep(sweep.Segments(4), sweep.Workers(1)), job.MaxFailures(-1))
		check(err)
		ctx, cancel := context.WithCancel(t.Context())
		kill := time.AfterFunc(2*time.Second, func() {
			if runs < 2 {
				s.dead.Store(true)
				cancel()
			}
		})
		_, err = relayout.Run(ctx)
		done = err == nil
		kill.Stop()
		cancel()
		if err != nil && !s.dead.Load() && !errors.Is(err, ddb.ErrThrottled) {
			t.Errorf("run %d: %v", runs, err)
		}
		if s.dead.Load() {
			if _, err := relayout.Run(t.Context()); err == nil {
				t.Error("the lease of a killed runner does not hold")
			}
			<-time.After(time.Minute)
		}
	}
	if runs < 3 {
		t.Errorf("the runner was killed %d times", runs-1)
	}
	close(stopWriters)
	wg.Wait()
	<-time.After(time.Minute) // the consumer reaches the newest change
	on.Store(false)
	stopConsumer()
	<-consumed

	left, err := catcher.Verify(t.Context())
	if err != nil || left.Changed != 0 || left.Failed != 0 || left.Kept != items {
		t.Errorf("seed %d: verified %+v, %v", seed, left, err)
	}
	for w, err := range widgets.Scan().Consistent().All(t.Context()) {
		check(err)
		if i := int(w.ID[0]); w.Version < 1 || w.Count != last[i] {
			t.Errorf("seed %d: item %d has version %d and count %d, its writer's last was %d", seed, i, w.Version, w.Count, last[i])
		}
	}
}

func (id ID) text() string {
	text, _ := id.MarshalText()
	return string(text)
}
