// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dynamotable/ddb/internal/lease"
)

// worker handles shards of one stream until its context ends.
type worker struct {
	client  Client
	store   Store
	cfg     *config
	handler processor
	app     string
	owner   string
	stream  string // ARN
	start   Checkpoint

	marker     Lease
	leases     map[string]Lease // as last read, by shard, without the marker
	seen       lease.Sightings
	described  *description
	discovered time.Time
	missing    map[string]int // how many times in a row a shard with a lease was not listed

	wake chan struct{} // something ended: look again
	wg   sync.WaitGroup

	mu      sync.Mutex
	running map[string]*shardRun
	failure error // the first that ends the worker
}

// forgetAfter is how many times in a row a shard must be missing from the description before its lease is deleted.
const forgetAfter = 3

func newWorker(client Client, store Store, cfg *config, handler processor) *worker {
	return &worker{
		client: client, store: store, cfg: cfg, handler: handler,
		leases: make(map[string]Lease), running: make(map[string]*shardRun), wake: make(chan struct{}, 1),
	}
}

// consume works until the context ends, a handler or a call fails permanently, or the stream is disabled and handled to its
// end; done reports the last. When it returns, no handler runs and the leases are released.
func (w *worker) consume(ctx context.Context) (done bool, err error) {
	handling, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	// Reading ends when the shards have to be released.
	reading, drain := context.WithCancel(context.WithoutCancel(ctx))
	defer drain()
	for err == nil && !done {
		done, err = w.scan(ctx, handling, reading)
		if err != nil && ctx.Err() == nil && isTransient(err) {
			w.cfg.event(Event{Kind: CallFailed, Err: err})
			err = nil
		}
		if err == nil && !done {
			err = w.waitNextScan(ctx)
		}
	}
	drain()
	late := time.AfterFunc(w.cfg.drain, func() { cancel(errors.New("draining took too long")) })
	w.wg.Wait()
	late.Stop()
	if failure := w.failed(); failure != nil {
		return false, failure
	}
	if ctx.Err() != nil {
		return false, nil
	}
	return done, err
}

// waitNextScan waits until it is time to look again.
func (w *worker) waitNextScan(ctx context.Context) error {
	t := time.NewTimer(w.cfg.failover / 2)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
	case <-w.wake:
	}
	return w.failed()
}

func (w *worker) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}

// fail ends the worker.
func (w *worker) fail(err error) {
	w.mu.Lock()
	if w.failure == nil {
		w.failure = err
	}
	w.mu.Unlock()
	w.wakeUp()
}

// wakeUp ends the wait for the next scan.
func (w *worker) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// scan updates what is known about the stream, and takes or asks for the leases that this worker should have. It reports whether everything is handled.
func (w *worker) scan(ctx, handling, reading context.Context) (done bool, err error) {
	if err := w.refresh(ctx); err != nil {
		return false, err
	}
	if w.described.disabled && w.complete() {
		return true, nil
	}
	return false, w.acquire(ctx, handling, reading)
}

// refresh reads the leases, and lists the shards if that is due.
func (w *worker) refresh(ctx context.Context) error {
	if err := w.read(ctx); err != nil {
		return err
	}
	if !w.due() {
		return nil
	}
	return w.discover(ctx)
}

// acquire takes the leases that this worker should have, or asks another worker for one.
func (w *worker) acquire(ctx, handling, reading context.Context) error {
	c := w.survey().choose()
	for _, shard := range c.Free {
		if err := w.take(ctx, handling, reading, w.leases[shard]); err != nil {
			return err
		}
	}
	if c.Ask == "" {
		return nil
	}
	return w.ask(ctx, w.leases[c.Ask])
}

// ask asks the owner of a lease for it. The owner sees the request at its next write, at the latest a renewal, and
// releases the lease when it is not handling anything of the shard, so that no two workers handle it.
func (w *worker) ask(ctx context.Context, was Lease) error {
	will := was
	will.RequestedBy = w.owner
	will.Counter++
	_, asked, err := w.store.Swap(ctx, was, will)
	if err == nil && asked {
		w.cfg.event(Event{Kind: LeaseAsked, Shard: was.Shard})
	}
	return err
}

// read reads the leases of the stream, and records when each was seen to change.
func (w *worker) read(ctx context.Context) error {
	all, err := w.store.Leases(ctx, w.app)
	if err != nil {
		return err
	}
	now := w.cfg.now() // after the read: what it saw was written before
	leases, states := make(map[string]Lease), make(map[string]lease.State)
	for _, l := range all {
		switch {
		case l.Stream != w.stream:
		case l.Shard == "":
			w.marker = l
		default:
			if err := l.Checkpoint.check(); err != nil {
				return &OpError{Op: "read leases", Stream: l.Stream, Shard: l.Shard, Err: err}
			}
			leases[l.Shard], states[l.Shard] = l, l.state()
		}
	}
	w.mu.Lock() // Stats reads them
	w.leases = leases
	w.mu.Unlock()
	w.seen.See(states, now)
	return nil
}

// due reports whether the shards must be listed: by the clock, or because a shard at its end has no children yet.
func (w *worker) due() bool {
	if w.described == nil || w.cfg.now().Sub(w.discovered) >= w.cfg.discovery {
		return true
	}
	parents := make(map[string]bool, len(w.leases))
	for _, l := range w.leases {
		parents[l.Parent] = true
	}
	for _, l := range w.leases {
		if l.Checkpoint == End && !parents[l.Shard] && w.described.has(l.Shard) {
			return true
		}
	}
	return len(w.leases) == 0
}

// discover lists the shards and creates the leases that are missing. The leases were read before: one that was deleted
// since then is not created again.
func (w *worker) discover(ctx context.Context) error {
	d, err := describe(ctx, w.client, w.stream, "")
	if err != nil {
		return err
	}
	if w.marker.Stream == "" {
		return w.begin(ctx, d)
	}
	at := w.marker.Checkpoint
	if at == End {
		at = TrimHorizon // where the app began was decided long ago; new shards are read from their beginning
	}
	for _, s := range d.shards {
		if _, ok := w.leases[s.id]; ok {
			continue
		}
		l := Lease{App: w.app, Stream: w.stream, Shard: s.id, Parent: s.parent, Checkpoint: at}
		if err := w.store.Create(ctx, l); err != nil {
			return err
		}
	}
	if w.marker.Checkpoint != End && len(d.shards) > 0 {
		begun := w.marker
		begun.Counter++
		begun.Checkpoint = End
		if _, _, err := w.store.Swap(ctx, w.marker, begun); err != nil {
			return err
		}
	}
	w.described, w.discovered = d, w.cfg.now()
	if err := w.forget(ctx); err != nil {
		return err
	}
	return w.read(ctx)
}

// begin records where the app starts to read the stream, once for all workers, and reads the leases again.
func (w *worker) begin(ctx context.Context, d *description) error {
	at := w.start
	if at == latest {
		// The service's time, not ours. The position LATEST would move while no worker reads.
		now := d.at
		if now.IsZero() {
			now = w.cfg.now()
		}
		at = AtTime(now.Truncate(time.Second))
	}
	if err := w.store.Create(ctx, Lease{App: w.app, Stream: w.stream, Checkpoint: at}); err != nil {
		return err
	}
	if err := w.read(ctx); err != nil {
		return err
	}
	if w.marker.Stream == "" {
		return &OpError{Op: "read leases", Stream: w.stream, Err: errors.New("the store does not return what was created")}
	}
	return w.discover(ctx)
}

// forget deletes leases that are no longer needed, when their shards were missing for some time.
func (w *worker) forget(ctx context.Context) error {
	missing := make(map[string]int)
	for _, l := range w.survey().forgettable() {
		if n := w.missing[l.Shard] + 1; n < forgetAfter {
			missing[l.Shard] = n
			continue
		}
		if err := w.store.Delete(ctx, l); err != nil {
			return err
		}
	}
	w.missing = missing
	return nil
}

func (w *worker) survey() *survey {
	now := w.cfg.now()
	s := &survey{
		me: w.owner, leases: w.leases, max: w.cfg.maxShards,
		running: make(map[string]bool), listed: make(map[string]bool),
		expired: w.seen.Still(now, w.cfg.failover), waiting: w.seen.Still(now, 2*w.cfg.failover),
	}
	for _, shard := range w.described.shards {
		s.listed[shard.id] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.running {
		s.running[id] = true
	}
	return s
}

// complete reports whether every shard is handled to its end.
func (w *worker) complete() bool {
	for _, s := range w.described.shards {
		if _, ok := w.leases[s.id]; !ok {
			return false
		}
	}
	return !slices.ContainsFunc(slices.Collect(maps.Values(w.leases)), func(l Lease) bool { return l.Checkpoint != End })
}

// take acquires a lease for this worker, unless another was faster, and begins to handle its shard.
func (w *worker) take(ctx, handling, reading context.Context, was Lease) error {
	late, err := w.late(ctx, was)
	if err != nil {
		return err
	}
	will := was
	will.Owner, will.RequestedBy = w.owner, ""
	will.Counter++
	sent := w.cfg.now()
	stored, swapped, err := w.store.Swap(ctx, was, will)
	if err != nil {
		return err
	}
	if !swapped && (stored.Owner != w.owner || stored.Counter != will.Counter) {
		return nil
	}
	h := lease.NewHold(handling, reading, w.holding(), stored, sent)
	r := newShardRun(w, h)
	r.late = late
	w.mu.Lock()
	w.running[was.Shard] = r
	w.mu.Unlock()
	w.cfg.event(Event{Kind: LeaseTaken, Shard: was.Shard})
	w.wg.Go(func() { //nolint:contextcheck // the hold has the context of handlers
		r.work()
		w.mu.Lock()
		delete(w.running, was.Shard)
		w.mu.Unlock()
		w.wakeUp()
	})
	return nil
}

// late reports whether a shard is begun so late that its oldest records may be lost: its parent was closed
// when it was opened, and is no longer listed, so that was more than 24 hours ago.
func (w *worker) late(ctx context.Context, l Lease) (bool, error) {
	parent, ok := w.leases[l.Parent]
	if !ok || l.Checkpoint != TrimHorizon || parent.Checkpoint != End || w.described.has(l.Parent) {
		return false, nil
	}
	d, err := describe(ctx, w.client, w.stream, "") // the parent may be newer than our list
	if err != nil {
		return false, err
	}
	return !d.has(l.Parent), nil
}
