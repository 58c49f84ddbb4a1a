// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/dynamotable/ddb/internal/lease"
)

// shardRun handles one shard, from taking its lease to releasing it, losing it, or the end of the shard.
type shardRun struct {
	w        *worker
	hold     *heldLease
	reader   *reader
	progress *progress
	load     *meter
	late     bool // the oldest records of the shard may be lost

	mu       sync.Mutex // guards what follows, for Stats
	read     int64
	answered time.Time // when a read was last answered; initially, when the lease was taken
	behind   time.Time // everything before this time was read, as far as is known
	atTip    bool      // the last read was answered and found nothing new
}

func newShardRun(w *worker, h *heldLease) *shardRun {
	lease, _, _ := h.Current()
	return &shardRun{
		w: w, hold: h,
		reader:   &reader{client: w.client, stream: w.stream, shard: lease.Shard, limit: int32(w.cfg.pageLimit), now: w.cfg.now, at: lease.Checkpoint},
		progress: newProgress(lease.Shard, lease.Checkpoint, w.cfg.maxPending, h.Reading.Done()),
		load:     newMeter(lease.Load, w.cfg.now()),
		answered: w.cfg.now(),
	}
}

// renew updates the fields that every write of the lease changes.
func (r *shardRun) renew(l *Lease) {
	l.Checkpoint, l.Load = r.checkpoint(), r.load.measure(r.w.cfg.now())
}

// work returns when the run has ended completely.
func (r *shardRun) work() {
	keeping, stop := context.WithCancel(r.hold.Context)
	var wg sync.WaitGroup
	wg.Go(func() { r.hold.Keep(keeping, r.renew) })
	err := r.handle()
	var children []string
	if err == nil {
		children = r.children()
	}
	stop()
	wg.Wait()
	r.w.cfg.event(r.end(err, children))
	r.hold.Close()
}

// handle passes everything to the handler and waits until it is confirmed. It returns nil at the end of the shard; any error
// other than draining and a lost lease also ends the worker.
func (r *shardRun) handle() error {
	err := r.pages()
	if !errors.Is(err, errDraining) {
		r.fail(err)
	}
	// The end of a shard counts when everything before it is confirmed, and confirmed changes need not be delivered again.
	if unconfirmed := r.awaitConfirmed(); unconfirmed != nil {
		r.fail(unconfirmed)
		return unconfirmed
	}
	return err
}

// fail ends the worker with an error, unless the lost lease caused it.
func (r *shardRun) fail(err error) {
	if err != nil && !r.lost() {
		r.w.fail(err)
	}
}

// end releases the lease, unless it is lost, and reports how the run ended. A nil err means the end of the shard.
func (r *shardRun) end(err error, children []string) Event {
	event := Event{Kind: LeaseFreed, Shard: r.reader.shard}
	if err == nil {
		event.Kind = LeaseDone
	} else if !errors.Is(err, errDraining) {
		event.Err = err
	}
	if !r.lost() {
		if err := r.release(err == nil, children); err != nil {
			event.Err = err
		}
	}
	r.progress.lose(ErrLeaseLost)
	if r.lost() {
		event.Kind, event.Err = LeaseLost, context.Cause(r.hold.Context)
	}
	return event
}

func (r *shardRun) lost() bool { return r.hold.IsLost() }

func (r *shardRun) checkpoint() Checkpoint {
	at, _, _ := r.progress.state()
	return at
}

// pages passes page after page to the handler. It returns nil at the end of the shard.
func (r *shardRun) pages() error {
	reading, cancel := context.WithCancel(r.hold.Context)
	defer cancel()
	defer context.AfterFunc(r.hold.Reading, cancel)()
	if r.late {
		loss := &DataLossError{Reason: LateStart, Stream: r.w.stream, Shard: r.reader.shard, After: r.reader.at}
		if err := r.w.cfg.lost(r.hold.Context, loss); err != nil {
			return err
		}
	}
	idle := r.w.cfg.poll / 4
	for {
		if err := r.progress.admit(r.hold.Context); err != nil {
			return err
		}
		records, end, err := persistPage(reading, r.w.cfg, r.reader, r.unanswered)
		switch {
		case err == nil:
		case r.hold.Context.Err() != nil:
			return context.Cause(r.hold.Context)
		case r.hold.Reading.Err() != nil:
			return errDraining
		default:
			return err
		}
		r.note(records)
		if err := r.w.handler.process(r.hold.Context, r.w.cfg, r.progress, records); err != nil {
			return err
		}
		if end {
			return nil
		}
		if err := r.save(len(records) == 0); err != nil {
			return err
		}
		if len(records) > 0 {
			idle = r.w.cfg.poll / 4
			continue
		}
		lease.Pause(reading, idle) // if it ends early, admit returns the reason
		idle = min(2*idle, r.w.cfg.poll)
	}
}

// save writes the checkpoint if it has moved and enough time has passed, or at once.
func (r *shardRun) save(now bool) error {
	lease, _, saved := r.hold.Current()
	at := r.checkpoint()
	if at == lease.Checkpoint || !now && r.w.cfg.now().Sub(saved) < r.w.cfg.checkpoint {
		return nil
	}
	return r.hold.Save(r.hold.Context, r.renew)
}

// awaitConfirmed waits until everything delivered is confirmed.
func (r *shardRun) awaitConfirmed() error {
	for {
		_, pending, moved := r.progress.state()
		if pending == 0 {
			return nil
		}
		if err := r.save(false); err != nil {
			return err
		}
		select {
		case <-moved:
		case <-r.hold.Context.Done():
			return context.Cause(r.hold.Context)
		}
	}
}

// children finds the children of this shard and creates their leases, so that they are read from
// their beginning. The next discovery finds those that it misses.
func (r *shardRun) children() []string {
	ctx, cancel := context.WithTimeout(r.hold.Context, r.w.cfg.failover/2)
	defer cancel()
	stop := context.AfterFunc(r.hold.Reading, cancel)
	defer stop()
	waits := lease.NewBackoff()
	for range 5 {
		d, err := describe(ctx, r.w.client, r.w.stream, r.reader.shard)
		if err == nil && len(d.shards) > 0 {
			var ids []string
			for _, s := range d.shards {
				l := Lease{App: r.w.app, Stream: r.w.stream, Shard: s.id, Parent: s.parent, Checkpoint: TrimHorizon}
				if err := r.w.store.Create(ctx, l); err != nil {
					return nil
				}
				ids = append(ids, s.id)
			}
			slices.Sort(ids)
			return ids
		}
		if err == nil && d.disabled || !lease.Pause(ctx, waits.NextBackOff()) {
			return nil
		}
	}
	return nil
}

// release releases the lease, with the last checkpoint or at the end of the shard, even when the time for
// draining is over.
func (r *shardRun) release(end bool, children []string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.hold.Context), r.w.cfg.failover)
	defer cancel()
	return r.hold.Save(ctx, func(l *Lease) {
		l.Owner = "" // an heir goes first
		r.renew(l)
		if end {
			l.Checkpoint, l.Children, l.RequestedBy = End, children, ""
		}
	})
}

// note records a page that was read.
func (r *shardRun) note(records []types.Record) {
	now := r.w.cfg.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read += int64(len(records))
	r.load.add(len(records))
	r.answered, r.atTip = now, len(records) == 0
	if r.atTip {
		r.behind = now
		return
	}
	if d := records[len(records)-1].Dynamodb; d != nil {
		r.behind = aws.ToTime(d.ApproximateCreationDateTime)
	}
}

// unanswered records a read that failed or was not answered: it is no longer known whether the shard has new records.
func (r *shardRun) unanswered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.atTip = false
}

// stats returns the present state of the run.
func (r *shardRun) stats(now time.Time) ShardStats {
	lease, renewed, saved := r.hold.Current()
	at, pending, _ := r.progress.state()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := ShardStats{
		Shard: lease.Shard, Checkpoint: lease.Checkpoint, Handled: at, Read: r.read, Load: r.load.measure(now), Pending: pending, AtTip: r.atTip,
		CheckpointAge: now.Sub(saved), RenewalAge: now.Sub(renewed), ReadAge: now.Sub(r.answered),
	}
	if at == lease.Checkpoint {
		s.CheckpointAge = 0
	}
	if !r.atTip && !r.behind.IsZero() {
		s.Lag = max(now.Sub(r.behind), 0)
	}
	return s
}
