// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
)

// CopyReport counts what [Copy] has done.
type CopyReport struct {
	// Streams is the number of streams in the source, including deleted ones. Commits and Events are the numbers that were written.
	Streams, Commits, Events int
}

// Copy copies all streams of a store to another store in another table. The target may have another number of shards of the feed, a feed
// where the source has none, or other frames or indexes. Versions, ids, commits and times stay as they are. So does offloaded data, which both stores
// then refer to, and encrypted and compressed data: the target needs the same [Encrypt] and [Compress].
//
// Call it repeatedly while writers run. Then stop the writers, call it a last time, and start the writers with the other store. Each call
// copies what is new since the last one, and continues after an error. No one else may write to the target before the last call ends. The target's feed has its own
// numbers, with
// the commits of each stream in their order. Projections start at its beginning, or at [Feed.End] after the last call if they have handled all of the source.
//
// Deleted streams are copied as deleted. Truncated and expired events are not copied, and the target's feed has no commits of them. The target recognises repeats
// of a commit as the source does.
// Stored states ([StateStored]) are copied too. If a commit does not fit into one transaction of the target, the error is [*BatchTooLarge]; give the target the
// option [Frames].
//
// Each call costs a scan of the source. Each new commit costs a read from the source and an append to the target.
func Copy(ctx context.Context, from, to *Store) (CopyReport, error) {
	var report CopyReport
	if err := errors.Join(from.usable(), to.usable()); err != nil {
		return report, err
	}
	if from.Name() == to.Name() {
		return report, &ddb.InvalidError{Problems: []error{errors.New("copy: the two stores have one table")}}
	}
	if err := errors.Join(from.checkSetup(ctx), to.checkSetup(ctx)); err != nil {
		return report, err
	}
	if err := from.copySetup(ctx, to); err != nil {
		return report, err
	}
	for r, err := range tableOf(from).Scan().Consistent().All(ctx) {
		if err != nil {
			return report, err
		}
		switch kind, _, _ := strings.Cut(r.PK, "#"); {
		case kind == "S" && r.SK == 0:
			report.Streams++
			err = from.copyStream(ctx, to, r.PK[len(streamPrefix):], &report)
		case kind == "C" || kind == "V":
			err = to.copyRow(ctx, r)
		}
		if err != nil {
			return report, fmt.Errorf("copy: %w", err)
		}
	}
	return report, nil
}

// copySetup makes the target's time feed begin where the source's does.
func (s *Store) copySetup(ctx context.Context, to *Store) error {
	is, _ := s.setup.fresh(setupLimit)
	first := is.Created
	if is.First != 0 {
		first = min(first, is.First)
	}
	err := repeat.Write(ctx, func() error {
		_, err := tableOf(to).Update(ctx, setupKey(), rowFirst.Set(first), ddb.If(ddb.Or(ddb.NotExists(rowFirst), rowFirst.Gt(first))))
		return err
	})
	if errors.Is(err, ddb.ErrConditionFailed) {
		return nil
	}
	return err
}

// copyRow copies the marker of a commit, or the newest state of a stream.
func (s *Store) copyRow(ctx context.Context, r row) error {
	err := repeat.Write(ctx, func() error {
		return tableOf(s).Put(ctx, &r, ddb.If(ddb.Or(ddb.NotExists(rowPK), rowVersion.Lt(r.Version))))
	})
	if errors.Is(err, ddb.ErrConditionFailed) {
		return nil
	}
	return err
}

// copyStream copies what is new in one stream.
func (s *Store) copyStream(ctx context.Context, to *Store, stream string, report *CopyReport) error {
	head, _, err := s.head(ctx, stream)
	if err != nil {
		return err
	}
	cut := head.Cut
	if head, err = s.skipExpired(ctx, stream, head); err != nil {
		return err
	}
	is, found, err := to.head(ctx, stream)
	switch {
	case err != nil:
		return err
	case is.Deleted != 0:
		return nil
	case head.Deleted != 0 || head.Cut > is.Version+1:
		if is, err = to.copyHead(ctx, head, is, found); err != nil || is.Deleted != 0 {
			return err
		}
	}
	events, err := s.span(ctx, stream, is.Version+1, head.Version, head)
	if err != nil {
		return err
	}
	for len(events) > 0 {
		n := 1
		for n < len(events) && events[n].CommitID == events[0].CommitID {
			n++
		}
		c := to.newCommit()
		c.id, c.at = events[0].CommitID, events[0].RecordedAt
		p := &part{stream: stream, expected: Exactly(events[0].Version - 1), copied: true}
		if at := events[0].ExpiresAt; !at.IsZero() {
			p.expiry = at.Unix()
		}
		for _, e := range events[:n] {
			p.events = append(p.events, NewEvent{
				ID: e.ID, Type: e.Type, Schema: e.Schema, Data: e.Data, Metadata: e.Metadata, CorrelationID: e.CorrelationID, CausationID: e.CausationID,
				ref: e.ref, form: e.form, scrubbed: e.Scrubbed,
			})
		}
		c.parts = []*part{p}
		if err := to.run(ctx, c); err != nil {
			return err
		}
		if !c.found {
			report.Commits++
			report.Events += n
		}
		events = events[n:]
	}
	if cut > 1 {
		return to.Truncate(ctx, stream, cut)
	}
	return nil
}

// copyHead marks a stream as deleted, or makes it begin after the truncated events.
func (s *Store) copyHead(ctx context.Context, head, is row, found bool) (row, error) {
	if found && head.Deleted != 0 {
		stream := head.PK[len(streamPrefix):]
		if err := s.Delete(ctx, stream, Any()); err != nil {
			return is, err
		}
		is.Deleted = head.Deleted
		return is, nil
	}
	next := head // with the last commits, so that repeats are recognised
	if head.Deleted == 0 {
		next.Version = head.Cut - 1
		next.removeSlotsAfter(next.Version)
		if next.Expiry != 0 && next.Version < head.Version {
			next.Expiry = 1 // the events so far have expired; those that follow have their own expiry
		}
	}
	next.Category = ""
	if s.o.categories > 0 && next.Deleted == 0 {
		next.Category = s.categoryOf(head.PK[len(streamPrefix):])
	}
	cond := ddb.NotExists(rowPK)
	if found {
		cond = rowVersion.Eq(is.Version)
	}
	return next, repeat.Write(ctx, func() error { return tableOf(s).Put(ctx, &next, ddb.If(cond)) })
}

// removeSlotsAfter removes the commits after a version from a head.
func (r *row) removeSlotsAfter(last int64) {
	var kept []string
	for _, s := range r.slots() {
		_, to, _ := strings.Cut(strings.SplitN(s, " ", 2)[0], "-")
		if n, err := strconv.ParseInt(to, 10, 64); err == nil && n <= last {
			kept = append(kept, s)
		}
	}
	for i, slot := range []*string{&r.C0, &r.C1, &r.C2, &r.C3, &r.C4, &r.C5, &r.C6, &r.C7} {
		if *slot = emptySlot; i < len(kept) {
			*slot = kept[i]
		}
	}
}
