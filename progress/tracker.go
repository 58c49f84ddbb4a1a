// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Tracker keeps the state of the long calls of its contexts, so that others can read it: a status page, metrics, a signal handler. It is safe for concurrent use.
type Tracker struct {
	mu    sync.Mutex
	under []*run // the running calls, in the order in which they began
	ended []*run // the last of each name
}

// mostEnded is how many ended tasks are kept.
const mostEnded = 50

// NewTracker returns a Tracker without tasks.
func NewTracker() *Tracker { return &Tracker{} }

// With makes the tracker list the long calls of the context.
func (t *Tracker) With(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return listening(ctx, &listener{tracker: t})
}

// List returns the state of the running calls, in the order in which they began, followed by the last ended call of each name, for at most 50
// names, the most recently ended first. It sends nothing.
func (t *Tracker) List() []Progress {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	under, ended := slices.Clone(t.under), slices.Clone(t.ended)
	t.mu.Unlock()
	slices.Reverse(ended)
	list := make([]Progress, 0, len(under)+len(ended))
	for _, r := range append(under, ended...) {
		list = append(list, r.progress())
	}
	return list
}

// Find returns the state of the most recently begun running call with a name, or of the one that ended last if none is running.
func (t *Tracker) Find(name string) (p Progress, ok bool) {
	if t == nil {
		return p, false
	}
	t.mu.Lock()
	all := slices.Concat(t.ended, t.under)
	t.mu.Unlock()
	for _, r := range slices.Backward(all) {
		if r.now.Job == name {
			return r.progress(), true
		}
	}
	return p, false
}

func (t *Tracker) add(r *run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.under = append(t.under, r)
}

func (t *Tracker) end(r *run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.under, r)
	if i < 0 {
		return // it has ended before
	}
	t.under = slices.Delete(t.under, i, i+1)
	t.ended = slices.DeleteFunc(t.ended, func(o *run) bool { return o.now.Job == r.now.Job })
	if t.ended = append(t.ended, r); len(t.ended) > mostEnded {
		t.ended = slices.Delete(t.ended, 0, 1)
	}
}

// Format prints the type's name, for every verb.
func (t *Tracker) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "progress.Tracker") }
