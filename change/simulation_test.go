// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
)

var (
	seeds    = flag.Int("seeds", 20, "number of worlds of TestSimulation with -long")
	oneSeed  = flag.Uint64("seed", 0, "seed of the only world that TestSimulation runs, if not zero")
	errCrash = errors.New("the machine is dead")
)

// machine is what a worker runs on: its connection to the services, its clock, and their faults.
type machine struct {
	change.Client
	store change.Store
	audit *audit
	skew  time.Duration

	mu     sync.Mutex
	dead   bool
	frozen time.Time     // the clock stands still, as in a paused process
	thaw   chan struct{} // closed when the pause is over
}

// gate is passed before and after every call, so that a call may have been executed before the machine dies.
func (m *machine) gate(ctx context.Context) error {
	m.mu.Lock()
	dead, thaw := m.dead, m.thaw
	m.mu.Unlock()
	if dead {
		return errCrash
	}
	if thaw == nil {
		return nil
	}
	select {
	case <-thaw:
		return m.gate(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *machine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.frozen.IsZero() {
		return m.frozen
	}
	return time.Now().Add(m.skew)
}

// pause stops the machine for a while, calls, handlers and clock; when it continues it does not know.
func (m *machine) pause(d time.Duration) {
	thaw := make(chan struct{})
	m.mu.Lock()
	m.frozen, m.thaw = time.Now().Add(m.skew), thaw
	m.mu.Unlock()
	time.AfterFunc(d, func() {
		m.mu.Lock()
		m.frozen, m.thaw = time.Time{}, nil
		m.mu.Unlock()
		close(thaw)
	})
}

func (m *machine) crash() {
	m.mu.Lock()
	m.dead = true
	m.mu.Unlock()
}

func gated[O any](ctx context.Context, m *machine, call func() (O, error)) (out O, err error) {
	if err := m.gate(ctx); err != nil {
		return out, err
	}
	if out, err = call(); err != nil {
		return out, err
	}
	return out, m.gate(ctx)
}

func (m *machine) ListStreams(ctx context.Context, in *dynamodbstreams.ListStreamsInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.ListStreamsOutput, error) {
	return gated(ctx, m, func() (*dynamodbstreams.ListStreamsOutput, error) { return m.Client.ListStreams(ctx, in) })
}

func (m *machine) DescribeStream(ctx context.Context, in *dynamodbstreams.DescribeStreamInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	return gated(ctx, m, func() (*dynamodbstreams.DescribeStreamOutput, error) { return m.Client.DescribeStream(ctx, in) })
}

func (m *machine) GetShardIterator(ctx context.Context, in *dynamodbstreams.GetShardIteratorInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	return gated(ctx, m, func() (*dynamodbstreams.GetShardIteratorOutput, error) { return m.Client.GetShardIterator(ctx, in) })
}

func (m *machine) GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	return gated(ctx, m, func() (*dynamodbstreams.GetRecordsOutput, error) { return m.Client.GetRecords(ctx, in) })
}

func (m *machine) Leases(ctx context.Context, app string) ([]change.Lease, error) {
	return gated(ctx, m, func() ([]change.Lease, error) { return m.store.Leases(ctx, app) })
}

func (m *machine) Create(ctx context.Context, lease change.Lease) error {
	_, err := gated(ctx, m, func() (struct{}, error) { return struct{}{}, m.store.Create(ctx, lease) })
	return err
}

func (m *machine) Delete(ctx context.Context, lease change.Lease) error {
	_, err := gated(ctx, m, func() (struct{}, error) { return struct{}{}, m.store.Delete(ctx, lease) })
	return err
}

func (m *machine) Swap(ctx context.Context, was, will change.Lease) (stored change.Lease, swapped bool, err error) {
	stored, err = gated(ctx, m, func() (change.Lease, error) {
		var err error
		if stored, swapped, err = m.store.Swap(ctx, was, will); swapped && err == nil {
			m.audit.swapped(was, will)
		}
		return stored, err
	})
	return stored, swapped, err
}

// audit checks the writes of leases. It has their whole history, because each counter has one write.
type audit struct {
	mu     sync.Mutex
	writes map[string]map[int64]change.Lease // by stream and shard, by counter
	faults []string
}

func (a *audit) swapped(was, will change.Lease) {
	if will.Shard == "" {
		return // no worker owns the lease of an app's start
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := will.Stream + " " + will.Shard
	if a.writes[key] == nil {
		a.writes[key] = make(map[int64]change.Lease)
	}
	// A store may find that a write whose reply was lost was applied; then it is the same write.
	if other, twice := a.writes[key][will.Counter]; twice && !cmp.Equal(other, will) || will.Counter != was.Counter+1 {
		a.faults = append(a.faults, fmt.Sprintf("%s: counter %d of %q after %d of %q, written before by %q", key, will.Counter, will.Owner, was.Counter, was.Owner, other.Owner))
	}
	a.writes[key][will.Counter] = will
}

// begun reports whether any lease was taken.
func (a *audit) begun() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.writes) > 0
}

// check checks the order of every lease's history.
func (a *audit) check(t *testing.T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.faults {
		t.Error(f)
	}
	for key, writes := range a.writes {
		var last change.Lease
		for _, n := range slices.Sorted(maps.Keys(writes)) {
			l := writes[n]
			a, isA := last.Checkpoint.Seq()
			b, isB := l.Checkpoint.Seq()
			if isA && (isB && a.After(b) || !isB && l.Checkpoint != change.End) || last.Checkpoint == change.End && l.Checkpoint != change.End {
				t.Errorf("%s: the checkpoint moved back from %s to %s at counter %d", key, last.Checkpoint, l.Checkpoint, n)
			}
			last = l
		}
	}
}

// ledger checks the changes that handlers get: each one after the previous change of the same item, and after those of parent shards.
type ledger struct {
	mu      sync.Mutex
	handled map[rowID]int64 // the last handled change of an item
	step    int
	begun   map[string]int // by shard: the step of its first change
	newest  map[string]int // by shard: the step of its last change that was new
	again   int
	faults  []string
}

func (l *ledger) begin(c change.Change[row]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.step++
	last, n := l.handled[c.Keys.ID], c.New.N
	if n > last+1 {
		l.faults = append(l.faults, fmt.Sprintf("item %d: change %d was delivered when %d was the last one handled", c.Keys.ID, n, last))
	}
	if l.begun[c.Shard] == 0 {
		l.begun[c.Shard] = l.step
	}
	if n > last {
		l.newest[c.Shard] = l.step
	} else {
		l.again++
	}
}

func (l *ledger) end(c change.Change[row]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handled[c.Keys.ID] = max(l.handled[c.Keys.ID], c.New.N)
}

// simulation is one world: machines join, crash and pause while a table is written and its shards split.
type simulation struct {
	*world
	t       *testing.T
	rnd     *rand.Rand
	store   change.Store
	audit   *audit
	ledger  *ledger
	opts    []change.Option
	written map[rowID]int64
	parents map[string]string
	alive   []*worker
	dying   sync.WaitGroup
}

type worker struct {
	*machine
	cancel context.CancelFunc
}

const simFailover = time.Minute

func TestSimulation(t *testing.T) {
	t.Parallel()
	if *oneSeed != 0 {
		simulate(t, *oneSeed)
		return
	}
	for seed := range uint64(longtest.Size(*seeds, 1)) {
		simulate(t, seed+1)
	}
}

func simulate(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("this was go test ./change -run TestSimulation -seed %d", seed)
			}
		})
		s := &simulation{
			t: t, rnd: rand.New(rand.NewPCG(seed, 1)), written: make(map[rowID]int64), parents: make(map[string]string),
			audit:  &audit{writes: make(map[string]map[int64]change.Lease)},
			ledger: &ledger{handled: make(map[rowID]int64), begun: make(map[string]int), newest: make(map[string]int)},
		}
		var faults []ddbtest.Option
		if s.rnd.IntN(2) == 0 {
			until := time.Now().Add(1000 * time.Hour)
			share := s.rnd.Float64() * 0.1
			all := fault.On("DescribeStream", "ListStreams", "GetRecords", "GetShardIterator", "Query", "PutItem").Chance(share).Between(time.Now(), until).
				Where(func(r fault.Request) bool { return !slices.Contains(r.Tables, "rows") || r.Operation != "PutItem" })
			faults = append(faults, ddbtest.WithSeed(seed), ddbtest.WithFaults(all.DropReply(), all.DropRequest(), all.InternalError(), all.Applied().InternalError()))
		}
		s.world = newWorld(t, faults...)
		s.store = new(change.MemoryStore)
		if s.rnd.IntN(3) == 0 {
			s.store = newTableStore(t, s.db)
		}
		s.opts = []change.Option{
			change.Failover(simFailover), change.PollInterval(2 * time.Minute), change.DiscoveryInterval(time.Duration(1+s.rnd.IntN(20)) * time.Minute),
			change.PageLimit(1 + s.rnd.IntN(20)), change.CheckpointInterval(time.Duration(s.rnd.IntN(3)) * 20 * time.Second), change.DrainTimeout(simFailover),
			change.OnDataLoss(func(_ context.Context, e *change.DataLossError) error {
				if e.Reason == change.StreamReplaced {
					return nil // nothing was written between the two
				}
				return e
			}),
		}
		s.SplitShards("rows", 1+s.rnd.IntN(6))
		for range 1 + s.rnd.IntN(4) {
			s.launch(s.rnd.IntN(4) * s.rnd.IntN(3))
		}
		for range 15 + s.rnd.IntN(50) {
			s.act()
		}
		s.finish()
	})
}

// act makes one thing happen, and lets some time pass.
func (s *simulation) act() {
	for range s.rnd.IntN(30) {
		id := rowID(s.rnd.IntN(12))
		s.written[id]++
		s.put(s.t, groupID(fmt.Sprint("g", id)), id, s.written[id])
	}
	switch n := s.rnd.IntN(20); {
	case n == 0:
		s.SplitShards("rows", 1+s.rnd.IntN(3))
	case n == 1 && len(s.alive) < 6:
		s.launch(s.rnd.IntN(4) * s.rnd.IntN(3))
	case n <= 3 && len(s.alive) > 0: // a machine crashes
		w := s.remove()
		w.crash()
		w.cancel()
	case n == 4 && len(s.alive) > 0: // a worker is stopped
		s.remove().cancel()
	case n == 5 && s.rnd.IntN(4) == 0 && s.audit.begun(): // the stream ends and another one begins, while nothing is written
		s.setStream(s.t, false)
		wait(time.Duration(s.rnd.Int64N(int64(20 * time.Minute))))
		s.setStream(s.t, true)
	case n <= 8 && len(s.alive) > 0:
		s.alive[s.rnd.IntN(len(s.alive))].pause(time.Duration(s.rnd.Int64N(int64(3 * simFailover))))
	}
	s.look()
	wait(time.Duration(s.rnd.Int64N(int64(2 * time.Minute))))
	if s.rnd.IntN(40) == 0 {
		wait(time.Duration(s.rnd.Int64N(int64(6 * time.Hour)))) // shards roll
	}
}

func (s *simulation) remove() *worker {
	i := s.rnd.IntN(len(s.alive))
	w := s.alive[i]
	s.alive = slices.Delete(s.alive, i, i+1)
	return w
}

// launch starts a worker on a machine of its own. It takes any number of shards if maxShards is zero.
func (s *simulation) launch(maxShards int) {
	m := &machine{Client: s.streams, store: s.store, audit: s.audit, skew: time.Duration(s.rnd.Int64N(int64(2*time.Hour))) - time.Hour}
	opts := append(slices.Clone(s.opts), change.WithClock(m.now), change.WorkerName(fmt.Sprint("w", s.rnd.Uint32())), change.MaxShards(maxShards))
	rnd := rand.New(rand.NewPCG(s.rnd.Uint64(), 2))
	var mu sync.Mutex
	chance := func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return rnd.IntN(n) == 0
	}
	one := func(ctx context.Context, c change.Change[row]) error {
		if err := m.gate(ctx); err != nil {
			return err
		}
		s.ledger.begin(c)
		if chance(50) {
			return errNo
		}
		if chance(50) {
			wait(time.Duration(1+c.New.N%40) * time.Second)
		}
		if err := m.gate(ctx); err != nil {
			return err
		}
		s.ledger.end(c)
		return nil
	}
	h := change.Each(one)
	if s.rnd.IntN(2) == 0 {
		h = change.Batches(func(ctx context.Context, list []change.Change[row]) error {
			for i, c := range list {
				if err := one(ctx, c); err != nil {
					return change.Handled(i, err)
				}
			}
			return nil
		})
	}
	h = h.Retry(change.RetryPolicy{MaxAttempts: 1000})
	c, err := change.NewConsumer(m, change.OfTable("rows"), "app", m, h, opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.alive = append(s.alive, &worker{m, cancel})
	s.dying.Go(func() {
		if err := c.Run(ctx); err != nil && !errors.Is(err, errCrash) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if !m.dead && ctx.Err() == nil {
				s.t.Errorf("a worker ended with %v", err)
			}
		}
	})
}

// look records the lineage of the existing shards.
func (s *simulation) look() {
	for _, shard := range describeAll(s.t, s.streams) {
		if shard.ParentShardId != nil {
			s.parents[*shard.ShardId] = *shard.ParentShardId
		}
	}
}

// finish runs the simulation until everything is handled, with at least one worker without faults, and checks the result.
func (s *simulation) finish() {
	wait(3 * simFailover) // pauses end
	s.launch(0)
	s.look()
	for range 240 {
		wait(time.Minute)
		s.ledger.mu.Lock()
		complete := maps.Equal(s.ledger.handled, s.written)
		s.ledger.mu.Unlock()
		if complete {
			break
		}
	}
	for _, w := range s.alive {
		w.cancel()
	}
	s.dying.Wait()
	for _, f := range s.ledger.faults {
		s.t.Error(f)
	}
	if !maps.Equal(s.ledger.handled, s.written) {
		s.t.Errorf("handled %v, written %v", s.ledger.handled, s.written)
	}
	for child, parent := range s.parents {
		if begun := s.ledger.begun[child]; begun > 0 && s.ledger.newest[parent] > begun {
			s.t.Errorf("%s was begun at step %d, its parent %s had new changes at step %d", child, begun, parent, s.ledger.newest[parent])
		}
	}
	s.audit.check(s.t)
}
