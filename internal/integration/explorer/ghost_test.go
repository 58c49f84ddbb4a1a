// SPDX-License-Identifier: Apache-2.0

package explorer_test

import "fmt"

// ghost is the checker's knowledge of the stored item. No client can see its numbers.
type ghost struct {
	live  bool
	n     int64
	state string
	born  int // the write that created it
	rev   int // its last write by a program that keeps the protection
	write int // its last write of all

	expired bool
}

func (g ghost) String() string {
	if !g.live {
		return "absent"
	}
	text := fmt.Sprintf("item %d.%d n=%d %s", g.born, g.write, g.n, g.state)
	if g.expired {
		text += " expired"
	}
	return text
}

type result uint8

const (
	running   result = iota
	succeeded        // nil
	rejected         // a failed condition
	unknown          // ErrOutcomeUnknown
	failed           // any other error: nothing was written and nothing will be
	skipped          // there was no item
)

func (r result) String() string {
	return [...]string{"running", "OK", "CONDITION FAILED", "UNKNOWN", "OTHER ERROR", "nothing to work on"}[r]
}

// call is one call of the library and its real effect.
type call struct {
	verb   *verb
	caller int
	read   record // the item that the caller had read
	base   ghost  // the same item as the checker sees it

	active   bool // called and not returned
	refuted  bool // its condition was false at some moment of the call
	absent   bool // there was no item at some moment of the call
	since    int  // index of the state at the start of the call
	attempts int  // writes that were sent
	applied  int  // number of times that it took effect
	at       int  // index of the state after its last effect
	result   result
	err      error
	append   *appendCall // call of an event store
	save     *saveCall   // call of positions and snapshots
}

// violation is a broken promise.
type violation uint8

const (
	okNotApplied violation = iota
	appliedTwice
	okAppliedAgain
	failedApplied
	failedLater
	failedTrue
	otherRevision
	otherItem
	errorApplied
	wrongReply
	otherVersions
	halfApplied
	notDense
	otherFeed
	notRecognised
	undecided
	gaveUp
	staleState
	wentBack
	wrongState
	violations
)

func (v violation) String() string {
	return [...]string{
		"ok, but never applied",
		"applied twice before it returned, or with an unknown outcome",
		"ok, and applied again after it returned",
		"condition failed, but it was applied",
		"condition failed, and it was applied later",
		"condition failed, but it was never false",
		"applied to another revision than it was prepared on",
		"applied to another item under the same key",
		"another error, but it was applied",
		"returned an item that never existed",
		"ok, but the events are not at the versions that it returned",
		"one stream has its events of a commit, the other does not",
		"the versions of a stream have a gap, or its head has another version",
		"the feed does not have the commit at the next number",
		"refused, but a commit with its id and events existed when it was called",
		"refused, and an earlier call with its commit id was applied later",
		"another error or an unknown outcome, although one or two faults cannot prevent the call",
		"decided on a state that was not the last",
		"moved back, or changed something immutable",
		"a state that does not match the events",
	}[v]
}

// holds reports whether a call is allowed on an item.
func (r *run) holds(c *call, g ghost) bool {
	switch c.verb.demand(r.guard) {
	case absent:
		return !g.live
	case vacant:
		return !g.live || g.expired
	case present:
		return g.live
	case same:
		return g.live && g.rev == c.base.rev && g.born == c.base.born
	case open:
		return g.live && g.state == "open"
	case sameN:
		return g.live && g.n == c.base.n
	}
	return true
}

// begin is called by a caller before it calls the library.
func (r *run) begin(c *call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.active, c.since = true, len(r.states)-1
	if r.model != nil {
		r.model.begin(c)
		return
	}
	r.watch()
}

// watch records the current item for the running calls.
func (r *run) watch() {
	now := r.now()
	for _, c := range r.calls {
		if c.active {
			c.refuted = c.refuted || !r.holds(c, now)
			c.absent = c.absent || !now.live
		}
	}
}

func (r *run) now() ghost { return r.states[len(r.states)-1] }

// effect is called when the engine has applied a request of a call.
func (r *run) effect(c *call, next ghost) {
	old := r.now()
	r.writes++
	next.write, next.rev, next.born = r.writes, r.writes, old.born
	if !old.live || old.expired && c.verb.demand(r.guard) == vacant {
		next.born = r.writes
	} else if c.verb.foreign {
		next.rev = old.rev
	}
	if !next.live {
		r.writers |= deletion
	}
	r.states = append(r.states, next)
	before := c.applied
	c.applied++
	c.at = len(r.states) - 1
	free := c.verb.free(r.guard)
	if !r.holds(c, old) {
		if c.verb.demand(r.guard) == same && old.live && old.born == c.base.born {
			r.violated(otherRevision, c)
		} else {
			r.violated(otherItem, c)
		}
	}
	switch {
	case c.result == rejected:
		r.violated(failedLater, c)
	case c.result == failed:
		r.violated(errorApplied, c)
	case before == 0, free:
	case c.result == succeeded:
		r.violated(okAppliedAgain, c)
	default:
		r.violated(appliedTwice, c)
	}
	r.watch()
}

// end is called by a caller when the library has returned.
func (r *run) end(c *call, got *record, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.result, c.err = resultOf(err), err
	if r.model != nil {
		c.result = r.model.result(err)
	}
	c.active = false
	r.log(event{kind: eventReturn, call: c, result: c.result})
	if r.model != nil {
		r.model.end(c)
		return
	}
	switch c.result {
	case succeeded:
		deleted := c.verb.deletes && c.verb.demand(r.guard) == anything && c.absent
		if c.applied == 0 && !deleted {
			r.violated(okNotApplied, c)
		}
		if got != nil && err == nil && c.applied > 0 && !r.was(*got, c.at) {
			r.violated(wrongReply, c)
		}
	case rejected:
		switch {
		case c.applied > 0:
			r.violated(failedApplied, c)
		case !c.refuted:
			r.violated(failedTrue, c)
		}
		if current, ok := currentOf(err); ok && !r.was(current, c.since) {
			r.violated(wrongReply, c)
		}
	case failed:
		if c.applied > 0 {
			r.violated(errorApplied, c)
		}
	}
}

// was reports whether the item had this content at some moment after a state.
func (r *run) was(got record, since int) bool {
	for _, s := range r.states[since:] {
		if s.live && s.n == got.N && s.state == got.State {
			return true
		}
	}
	return false
}
