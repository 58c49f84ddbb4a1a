// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// errDraining ends the work on a shard between two calls of its handler.
var errDraining = errors.New("draining")

// progress is the position up to which a shard has been handled. It is safe for concurrent use.
type progress struct {
	shard string
	bound int             // of changes being handled
	drain <-chan struct{} // closed when nothing more will be delivered

	mu    sync.Mutex
	at    Checkpoint    // everything up to here is handled
	queue []unconfirmed // delivered to a manual handler, in order, after at
	moved chan struct{} // closed at the next change of queue
	lost  error         // set when the lease is gone
}

// unconfirmed is a change that is delivered but not confirmed.
type unconfirmed struct {
	seq     Seq
	givenUp bool // given up; handled as soon as those before it are
}

func newProgress(shard string, at Checkpoint, bound int, drain <-chan struct{}) *progress {
	return &progress{shard: shard, at: at, bound: bound, drain: drain, moved: make(chan struct{})}
}

// admit waits until a handler may be called, which is not the case while too many changes are unconfirmed. It fails when the context ends or draining begins.
func (p *progress) admit(ctx context.Context) error {
	for {
		p.mu.Lock()
		full, moved := len(p.queue) >= p.bound, p.moved
		p.mu.Unlock()
		select { // draining takes precedence over the room that it makes
		case <-p.drain:
			return errDraining
		default:
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !full {
			return nil
		}
		select {
		case <-moved:
		case <-p.drain:
		case <-ctx.Done():
		}
	}
}

// deliver records changes that a manual handler gets now, unless it had them before.
func (p *progress) deliver(seqs []Seq) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, seq := range seqs {
		if n := len(p.queue); (n == 0 || seq.After(p.queue[n-1].seq)) && !p.covers(seq) {
			p.queue = append(p.queue, unconfirmed{seq: seq})
		}
	}
}

// confirm moves the progress after a change. It never moves it back.
func (p *progress) confirm(seq Seq) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost != nil {
		return p.lost
	}
	if p.covers(seq) {
		return nil
	}
	p.at = Checkpoint(seq)
	p.shift()
	return nil
}

// giveUp marks a change as given up.
func (p *progress) giveUp(seq Seq) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.queue, func(u unconfirmed) bool { return u.seq == seq })
	switch {
	case i >= 0:
		p.queue[i].givenUp = true
	case len(p.queue) > 0:
		p.queue = append(p.queue, unconfirmed{seq: seq, givenUp: true})
	case !p.covers(seq):
		p.at = Checkpoint(seq)
	}
	p.shift()
}

// shift removes handled changes from the head of the queue. The caller holds mu.
func (p *progress) shift() {
	n := 0
	for ; n < len(p.queue); n++ {
		if u := p.queue[n]; !p.covers(u.seq) {
			if !u.givenUp {
				break
			}
			p.at = Checkpoint(u.seq)
		}
	}
	p.queue = slices.Delete(p.queue, 0, n)
	close(p.moved)
	p.moved = make(chan struct{})
}

// covers reports whether a change is handled. The caller holds mu.
func (p *progress) covers(seq Seq) bool {
	at, ok := p.at.Seq()
	return ok && !seq.After(at)
}

// handled returns how many changes at the head of a list are handled.
func (p *progress) handled(seqs []Seq) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(seqs) && p.covers(seqs[n]) {
		n++
	}
	return n
}

// state returns the checkpoint, how many changes are unconfirmed, and a channel that is closed when either changes.
func (p *progress) state() (at Checkpoint, pending int, moved <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at, len(p.queue), p.moved
}

// lose makes later confirmations fail.
func (p *progress) lose(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost == nil {
		p.lost = err
	}
}
