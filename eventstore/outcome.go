// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
)

// onCancelled decides about a transaction that DynamoDB cancelled, by its error, which contains a [ddb.TransactionError].
func (s *Store) onCancelled(ctx context.Context, c *commit, cause error) (outcome, error) {
	te, _ := errors.AsType[*ddb.TransactionError](cause)
	if i := slices.Index(c.roles, ofMarker); i >= 0 {
		if marker, ok := ddb.CurrentOf[row](cause, i); ok {
			return s.marked(ctx, c, marker)
		}
	}
	// First check whether a stream contains the commit: one is enough, whatever the other reasons are.
	var moved, others []*part
	for _, p := range c.parts {
		if f := te.At(p.op); f == nil || f.Reason != conditionFailed {
			continue
		}
		head, _ := ddb.CurrentOf[row](cause, p.op)
		if _, _, ok := head.remembered(c.id); ok {
			moved = append(moved, p)
		} else {
			others = append(others, p)
		}
	}
	contended := false
	for _, p := range append(moved, others...) {
		head, _ := ddb.CurrentOf[row](cause, p.op)
		if v, err := s.onHeadChanged(ctx, c, p, head); v != retryChanged || err != nil {
			return v, err
		}
		contended = true
	}
	if contended {
		return retryChanged, cause
	}
	own := true // only counters and feed rows failed
	for _, f := range te.Failed {
		if f.Reason != conditionFailed {
			own = own && isTransientReason(f.Reason)
			continue
		}
		switch c.roles[f.Index] {
		case ofCaller:
			return commitRejected, cause
		case ofID:
			return s.taken(ctx, c, f.Index-slices.Index(c.roles, ofID), cause)
		case ofFeedRow, ofCounter:
		default:
			// The head said that there is room, and there is an event: something else wrote it.
			return commitRejected, errors.Join(ErrCorruptIdempotency, cause)
		}
	}
	counters := slices.Index(c.roles, ofCounter)
	for i, sh := range c.shards() {
		if f := te.At(counters + i); f != nil && f.Reason == conditionFailed {
			sh.noteContention()
			s.recount(ctx, sh, cause, counters+i)
			contended = true
		}
	}
	if !own && !contended {
		return commitRejected, cause
	}
	if len(c.shards()) > 0 && !slices.ContainsFunc(te.Failed, func(f ddberr.TransactionFailure) bool {
		return f.Reason != conditionFailed && f.Reason != "TransactionConflict"
	}) {
		c.shardConflicts++
	}
	return retryChanged, cause
}

const conditionFailed = "ConditionalCheckFailed"

// isTransientReason reports whether a reason may be gone at the next attempt.
func isTransientReason(reason string) bool {
	return reason == "TransactionConflict" || reason == "ThrottlingError" || reason == "ProvisionedThroughputExceeded"
}

// recount takes the number that another writer left in the counter.
func (s *Store) recount(ctx context.Context, sh *shard, cause error, op int) {
	if err := sh.lock(ctx); err != nil {
		return
	}
	defer sh.unlock()
	r, ok := ddb.CurrentOf[row](cause, op)
	// Other appends of this store may know a later one by now.
	if sh.known = ok; ok {
		sh.last = max(sh.last, r.Version)
	}
}

// marked sets the result of an earlier call from its marker.
func (s *Store) marked(ctx context.Context, c *commit, marker row) (outcome, error) {
	for _, p := range c.parts {
		i := slices.IndexFunc(marker.Parts, func(sp span) bool { return sp.Stream == p.stream })
		if i < 0 || marker.Parts[i].Last-marker.Parts[i].First+1 != int64(len(p.events)) {
			return c.reused(p.stream, 0, 0)
		}
		p.first, p.last = marker.Parts[i].First, marker.Parts[i].Last
	}
	return s.foundAs(ctx, c, nil, nil)
}

// onUnknown finds out from the heads of its streams whether a transaction with an unknown outcome was written.
// All parts were written or none, but one stream alone may hold an earlier commit with the same id.
func (s *Store) onUnknown(ctx context.Context, c *commit, cause error) (outcome, error) {
	var first row
	for i, p := range c.parts {
		head, _, err := s.head(ctx, p.stream)
		if err != nil {
			if ctx.Err() != nil {
				return commitRejected, errors.Join(cause, err)
			}
			return retrySame, errors.Join(cause, err)
		}
		if _, _, ok := head.remembered(c.id); ok {
			return s.onHeadChanged(ctx, c, p, head)
		}
		if i == 0 {
			first = head
		}
	}
	p := c.parts[0]
	if first.Version == p.base && first.Deleted == 0 {
		return retrySame, cause // it may still be in flight; the condition admits only one of the two
	}
	return s.onHeadChanged(ctx, c, p, first)
}

// onHeadChanged decides about a part whose stream was not at the version that the transaction
// asked for, by the events behind that version: ours, others', or both.
func (s *Store) onHeadChanged(ctx context.Context, c *commit, p *part, head row) (outcome, error) {
	n := int64(len(p.events))
	var there []Event
	if p.expected.kind != exactly && !c.mayBeWritten {
		// No event of this commit can come after the base: it was read after the last look at the commits.
		p.based = false // read again after the wait; what the head says now is outdated by then
		return retryChanged, nil
	}
	head, err := s.skipExpired(ctx, p.stream, head)
	if err != nil {
		if c.mayBeWritten {
			return retrySame, err
		}
		return commitRejected, err
	}
	if head.Version > p.base {
		if there, err = s.span(ctx, p.stream, p.base+1, p.base+n, head); err != nil {
			if c.mayBeWritten {
				return retrySame, err
			}
			return commitRejected, err
		}
	}
	ours := 0
	for i, id := range p.ids(c) {
		if slices.ContainsFunc(there, func(e Event) bool { return e.ID == id && e.Version == p.base+1+int64(i) }) {
			ours++
		}
	}
	switch {
	case int64(ours) == n:
		return s.foundAt(ctx, c, p, p.base+1, p.base+n, there)
	case ours > 0 && slices.ContainsFunc(there, func(e Event) bool { return e.CommitID == c.id }):
		return c.reused(p.stream, p.base+1, p.base+int64(ours))
	case ours > 0:
		return commitRejected, ErrCorruptIdempotency
	}
	if first, last, ok := head.remembered(c.id); ok { // for example truncated since
		return s.foundAt(ctx, c, p, first, last, nil)
	}
	if p.base > 0 && head.Version == p.base && head.Deleted == 0 {
		if err := p.follow(&head); err != nil {
			return commitRejected, err
		}
		// The condition mistook the id of another commit for this one's, or the preceding events expire later. What was read just now is exact, and the version guards it.
		p.notInHead = true
		return retryChanged, nil
	}
	if c.mayBeWritten && head.Cut > p.base+1 { // this commit's events may have been there, and were truncated with the others or have expired
		return commitRejected, ErrGap
	}
	c.mayBeWritten = false // the head is past the version that any of our transactions asks for
	if head.Deleted != 0 {
		return commitRejected, ErrStreamDeleted
	}
	if p.expected.kind != exactly {
		p.based = false
		return retryChanged, nil
	}
	wrong := &WrongExpectedVersion{Stream: p.stream, Expected: p.expected, Actual: head.Version}
	if len(there) > 0 {
		wrong.Blocking = &there[0]
		if there[0].form != (form{}) {
			if err := s.restore(ctx, wrong.Blocking, s.keyring()); err != nil {
				wrong.Blocking.Data, wrong.Blocking.Metadata = nil, nil // the rest is enough
			}
		}
	}
	return commitRejected, wrong
}

// ids returns the ids of the part's events.
func (p *part) ids(c *commit) []string {
	ids := make([]string, len(p.events))
	for i, e := range p.events {
		if ids[i] = e.ID; e.ID == "" {
			ids[i] = derivedID(c.id, p.stream, i)
		}
	}
	return ids
}

// foundAt uses what an earlier call or attempt has written to a part, and finds its other parts. The events of the
// part may have been read already.
func (s *Store) foundAt(ctx context.Context, c *commit, p *part, first, last int64, there []Event) (outcome, error) {
	if last-first+1 != int64(len(p.events)) {
		return c.reused(p.stream, first, last)
	}
	p.first, p.last = first, last
	for _, other := range c.parts {
		if other == p {
			continue
		}
		var err error
		if other.first, other.last, err = s.findCommit(ctx, other.stream, c.id); err != nil {
			return commitRejected, err
		}
		if other.first == 0 || other.last-other.first+1 != int64(len(other.events)) {
			return c.reused(other.stream, other.first, other.last)
		}
	}
	return s.foundAs(ctx, c, p, there)
}

// foundAs finishes a commit that was found, if it has the same events, as far as they still exist. The events of one part may have
// been read already.
func (s *Store) foundAs(ctx context.Context, c *commit, read *part, there []Event) (outcome, error) {
	ring := s.keyring()
	for _, p := range c.parts {
		events := there
		if p != read || there == nil {
			head, _, err := s.head(ctx, p.stream)
			if err == nil {
				head, err = s.skipExpired(ctx, p.stream, head)
			}
			if err != nil {
				return commitRejected, err
			}
			if events, err = s.span(ctx, p.stream, p.first, p.last, head); err != nil {
				return commitRejected, err
			}
		}
		for i := range events {
			e := &events[i]
			if e.Version < p.first || e.Version > p.last {
				continue
			}
			same, err := s.same(ctx, ring, e, &p.events[e.Version-p.first])
			if err != nil {
				return commitRejected, err
			}
			if !same {
				return c.reused(p.stream, p.first, p.last)
			}
		}
	}
	c.found = true
	return commitWritten, nil
}

// same reports whether a stored event is the one to be appended: by its content, not by its tracing data.
func (s *Store) same(ctx context.Context, ring *keyring, stored *Event, given *NewEvent) (bool, error) {
	if stored.Type != given.Type || stored.Schema != max(given.Schema, 1) || given.ID != "" && given.ID != stored.ID {
		return false, nil
	}
	if stored.Scrubbed || given.scrubbed || given.ref != "" && given.ref == stored.ref {
		return true, nil // its data were removed on purpose
	}
	if given.form != (form{}) && given.form == stored.form {
		return bytes.Equal(stored.Data, given.Data), nil // it is copied as it is stored
	}
	if err := s.restore(ctx, stored, ring); err != nil || stored.Forgotten {
		return err == nil, err
	}
	return bytes.Equal(stored.Data, given.Data), nil
}

// reused refuses a commit whose id was used for another one.
func (c *commit) reused(stream string, first, last int64) (outcome, error) {
	c.mayBeWritten = false // the other commit's events are where this one's could be
	return commitRejected, &CommitIDReused{Stream: stream, First: first, Last: last}
}

// findCommit finds what a commit wrote to a stream: among the last commits of its head, otherwise by reading the stream.
func (s *Store) findCommit(ctx context.Context, stream, id string) (first, last int64, err error) {
	head, _, err := s.head(ctx, stream)
	if err != nil {
		return 0, 0, err
	}
	if first, last, ok := head.remembered(id); ok {
		return first, last, nil
	}
	for r, err := range tableOf(s).Query(streamPrefix + stream).SortKey(ddb.Ge[int64](1)).Filter(rowCommit.Eq(id)).Consistent().All(ctx) {
		if err != nil {
			return 0, 0, err
		}
		if first == 0 {
			first = r.SK
		}
		last = r.newest()
	}
	return first, last, nil
}
