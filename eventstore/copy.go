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

// CopyReport is what [Copy] has done.
type CopyReport struct {
	// Streams is how many streams the source has, deleted ones included. Commits and Events are how many were written.
	Streams, Commits, Events int
}

// Copy brings all streams of a store into another one, in another table: with another number of shards of the feed, with a feed where
// there was none, or with other frames or indexes. Versions, ids, commits and times stay as they are, and so do offloaded data, which both stores refer to
// then, and encrypted and compressed data: the target needs the same [Encrypt] and [Compress].
//
// Call it while writers run, as often as it takes, then stop the writers, call it a last time, and let them start with the other store: each call
// writes what is new since the last, and goes on after an error. Nobody else may write to the target before the last call. The target's feed has its own numbers, with the commits of each stream in their
// order: projections start at its beginning, or at [Feed.End] behind the last call if they have handled all of the source.
//
// Deleted streams come as deleted, truncated and expired ones without what was truncated, and neither has commits of that in the feed. Repeats of a commit are recognised by the target as by the source.
// Stored states ([StateStored]) come too. A commit that does not fit into one transaction of the target is [*BatchTooLarge]; give the target the option [Frames].
//
// It costs a scan of the source each time, and of what is new a read of the source and an append to the target.
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
	for r, err := range from.table.Scan().Consistent().All(ctx) {
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

// copySetup makes the target's feed by time begin where that of the source does.
func (s *Store) copySetup(ctx context.Context, to *Store) error {
	is, _ := s.setup.fresh(setupLimit)
	first := is.Created
	if is.First != 0 {
		first = min(first, is.First)
	}
	err := repeat.Write(ctx, func() error {
		_, err := to.table.Update(ctx, setupKey(), rowFirst.Set(first), ddb.If(ddb.Or(ddb.NotExists(rowFirst), rowFirst.Gt(first))))
		return err
	})
	if errors.Is(err, ddb.ErrConditionFailed) {
		return nil
	}
	return err
}

// copyRow brings a marker of a commit, or the newest state of a stream.
func (s *Store) copyRow(ctx context.Context, r row) error {
	err := repeat.Write(ctx, func() error {
		return s.table.Put(ctx, &r, ddb.If(ddb.Or(ddb.NotExists(rowPK), rowVersion.Lt(r.Version))))
	})
	if errors.Is(err, ddb.ErrConditionFailed) {
		return nil
	}
	return err
}

// copyStream brings what is new in one stream.
func (s *Store) copyStream(ctx context.Context, to *Store, stream string, report *CopyReport) error {
	head, _, err := s.head(ctx, stream)
	if err != nil {
		return err
	}
	cut := head.Cut
	if head, err = s.live(ctx, stream, head); err != nil {
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

// copyHead makes a stream deleted, or begin behind what was truncated.
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
		next.keepSlots(next.Version)
		if next.Expiry != 0 && next.Version < head.Version {
			next.Expiry = 1 // what is there has expired; the events that follow say when they do
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
	return next, repeat.Write(ctx, func() error { return s.table.Put(ctx, &next, ddb.If(cond)) })
}

// keepSlots forgets the commits that a head holds of versions behind one.
func (r *row) keepSlots(last int64) {
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
