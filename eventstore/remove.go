// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
)

// Delete deletes a stream permanently. First its head becomes a tombstone that refuses further
// appends with [ErrStreamDeleted], so that no version is ever used twice; then its events are
// removed. If it fails in between, call it again. If the stream does not exist, the error is
// [ddb.ErrNotFound]; if it is in another state than expected, [*WrongExpectedVersion].
//
// The [Feed] stays dense: readers get the commits of the stream with their events
// counted as truncated. Offloaded payloads, snapshots and copies made by readers stay; see [Store.References].
func (s *Store) Delete(ctx context.Context, stream string, expected Expected) error {
	if err := s.usable(); err != nil {
		return err
	}
	head, err := s.headOf(ctx, stream)
	if err != nil {
		return err
	}
	if head.Deleted == 0 {
		if expected.kind == exactly && expected.version != head.Version {
			return &WrongExpectedVersion{Stream: stream, Expected: expected, Actual: head.Version}
		}
		conds := []ddb.Cond[row]{ddb.NotExists(rowDeleted)}
		if expected.kind == exactly {
			conds = append(conds, rowVersion.Eq(expected.version))
		}
		var now row
		err := repeat.Write(ctx, func() (err error) {
			now, err = tableOf(s).Update(ctx, streamKey(stream, 0), ddb.If(conds...), rowDeleted.Set(s.o.now().UnixNano()), ddb.Remove(rowCategory))
			return err
		})
		if failed, ok := errors.AsType[*ddb.ConditionFailed[row]](err); ok {
			is, found := failed.Current()
			if !found || is.Deleted == 0 {
				return &WrongExpectedVersion{Stream: stream, Expected: expected, Actual: is.Version}
			}
			now, err = is, nil // another call was faster, or an attempt of this one whose reply was lost
		}
		if err != nil {
			return err
		}
		head = now
	}
	if err := tableOf(s).Delete(ctx, stateKey(stream).Partition, 0); err != nil {
		return err
	}
	return s.removeUpTo(ctx, stream, head.Version, head.Framed)
}

// Truncate removes the events of a stream before a version, which becomes the first. Versions stay as they are. Truncating
// after the last event empties the stream, which continues with the next version.
// Aggregates of the stream can then be loaded only from a state that includes the removed events, or if the first remaining event sums them up; see the guide.
// An event that shares a frame with a remaining one is hidden from reads of the stream, and removed with the frame.
// If it fails in between, call it again; a version that was removed already changes nothing.
func (s *Store) Truncate(ctx context.Context, stream string, before int64) error {
	if err := s.usable(); err != nil {
		return err
	}
	head, err := s.headOf(ctx, stream)
	if err != nil {
		return err
	}
	switch {
	case head.Deleted != 0:
		return ErrStreamDeleted
	case before < 1 || before > head.Version+1:
		return &ddb.InvalidError{Problems: []error{fmt.Errorf("truncate: before version %d; the stream has 1 to %d, so it must be 1 to %d", before, head.Version, head.Version+1)}}
	}
	if head.Cut < before {
		// First the head, so that readers know why events are missing.
		err := repeat.Write(ctx, func() error {
			_, err := tableOf(s).Update(ctx, streamKey(stream, 0), rowCut.Set(before), ddb.If(ddb.Or(ddb.NotExists(rowCut), rowCut.Lt(before)), ddb.NotExists(rowDeleted)))
			return err
		})
		if failed, ok := errors.AsType[*ddb.ConditionFailed[row]](err); ok {
			if is, ok := failed.Current(); ok && is.Deleted != 0 {
				return ErrStreamDeleted
			}
			err = nil // another call has truncated further, or an attempt of this one whose reply was lost has truncated
		}
		if err != nil {
			return err
		}
	}
	return s.removeUpTo(ctx, stream, before-1, head.Framed)
}

// removal is how many items are removed at a time.
const removal = 500

// removeUpTo removes the items of a stream that contain no event after a version.
func (s *Store) removeUpTo(ctx context.Context, stream string, last int64, framed bool) error {
	if last < 1 {
		return nil
	}
	q := tableOf(s).Query(streamPrefix + stream).SortKey(ddb.Between(1, last)).Consistent()
	if !framed {
		q = q.Project(rowSK)
	}
	var keys []ddb.Key[string, int64]
	for r, err := range q.All(ctx) {
		if err != nil {
			return err
		}
		if r.newest() > last { // a frame of which a part stays; the rest of it is hidden
			continue
		}
		keys = append(keys, streamKey(stream, r.SK))
		if len(keys) == removal {
			if err := tableOf(s).BatchDelete(ctx, keys); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	return tableOf(s).BatchDelete(ctx, keys)
}

// Scrub removes the data, metadata, correlation and causation of events, and keeps the events: versions, types, ids and
// times stay, and [Event.Scrubbed] is set. Events in one frame
// share correlation and causation, which are hidden at once and removed with the last of them. It is meant for data that must be forgotten. Offloaded data is removed
// as well if the payload store has a method Drop and no other event of the stream has the same data.
// Snapshots and projections made before still contain the data.
//
// If the stream does not have the version, the error is [ddb.ErrNotFound]. Scrubbing twice changes nothing.
func (s *Store) Scrub(ctx context.Context, stream string, versions ...int64) error {
	if err := s.usable(); err != nil {
		return err
	}
	head, err := s.headOf(ctx, stream)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v < 1 || v > head.Version || v < head.Cut || head.Deleted != 0 {
			return fmt.Errorf("scrub: version %d: %w", v, ddb.ErrNotFound)
		}
	}
	for _, v := range versions {
		if err := s.scrub(ctx, stream, v, head.Framed); err != nil {
			return fmt.Errorf("scrub: version %d: %w", v, err)
		}
	}
	return nil
}

func (s *Store) scrub(ctx context.Context, stream string, version int64, framed bool) error {
	key := streamKey(stream, version)
	now := s.o.now().UnixNano()
	for range s.o.tries {
		var r row
		var err error
		if framed {
			r, err = tableOf(s).Query(key.Partition).SortKey(ddb.Between(1, version)).Descending().Consistent().Limit(1).First(ctx)
		} else {
			r, err = tableOf(s).Get(ctx, key.Partition, key.Sort, ddb.Consistent())
		}
		if err != nil {
			return err
		}
		if r.newest() < version {
			return ddb.ErrNotFound
		}
		if len(r.Frame) == 0 {
			if r.Scrubbed == 0 || r.Corr != "" || r.Caus != "" {
				err := repeat.Write(ctx, func() error {
					_, err := tableOf(s).Update(ctx, key, ddb.Remove(rowData), ddb.Remove(rowMeta), ddb.Remove(rowCorr), ddb.Remove(rowCaus),
						ddb.Remove(rowKey), ddb.Remove(rowEnc), ddb.Remove(rowZip), ddb.Remove(rowSize), rowScrubbed.Set(max(r.Scrubbed, now)))
					return err
				})
				if err != nil {
					return err
				}
			}
			return s.drop(ctx, stream, version, r.Ref)
		}
		frame := slices.Clone(r.Frame)
		f := &frame[version-r.SK]
		traced := r.Corr != "" || r.Caus != ""
		if f.Scrubbed != 0 && (!traced || !allScrubbed(frame)) {
			return nil
		}
		f.Data, f.Meta, f.Scrubbed = nil, nil, max(f.Scrubbed, now)
		f.Key, f.Enc, f.Zip, f.Size = "", 0, "", 0
		changes := []ddb.UpdateOption[row]{rowFrame.Set(frame), ddb.If(rowFrame.Eq(r.Frame))}
		if traced && allScrubbed(frame) {
			changes = append(changes, ddb.Remove(rowCorr), ddb.Remove(rowCaus))
		}
		_, err = tableOf(s).Update(ctx, streamKey(stream, r.SK), changes...)
		if !errors.Is(err, ddb.ErrConditionFailed) && !repeat.InDoubt(err) || ctx.Err() != nil {
			return err
		}
		// Another event of the frame was scrubbed in between, or the reply was lost: look again.
	}
	return ErrContention
}

func allScrubbed(frame []framed) bool {
	return !slices.ContainsFunc(frame, func(f framed) bool { return f.Scrubbed == 0 })
}

// drop removes an offloaded payload, and then the reference to it, so that a failure in between can be repeated.
func (s *Store) drop(ctx context.Context, stream string, version int64, ref string) error {
	if ref == "" {
		return nil
	}
	if d, ok := s.o.payloads.(interface {
		Drop(ctx context.Context, ref string) error
	}); ok {
		users, err := tableOf(s).Query(streamPrefix + stream).SortKey(ddb.Ge[int64](1)).Filter(rowRef.Eq(ref)).Consistent().Limit(2).Count(ctx)
		if err != nil {
			return err
		}
		if users == 1 {
			if err := d.Drop(ctx, ref); err != nil {
				return err
			}
		}
	}
	return repeat.Write(ctx, func() error {
		_, err := tableOf(s).Update(ctx, streamKey(stream, version), ddb.Remove(rowRef))
		return err
	})
}

// References yields the references of all offloaded data in the table, for removing payloads
// that nothing refers to. It scans the table consistently, because the payload of a missed reference
// would be removed. It costs a read unit for each 4 KB.
func (s *Store) References(ctx context.Context) iter.Seq2[string, error] {
	if err := s.usable(); err != nil {
		return failing[string](err)
	}
	return func(yield func(string, error) bool) {
		for r, err := range tableOf(s).Scan().Filter(ddb.Exists(rowRef)).Project(rowRef).Consistent().All(ctx) {
			if !yield(r.Ref, err) || err != nil {
				return
			}
		}
	}
}

// headOf reads the head of a stream that must be there.
func (s *Store) headOf(ctx context.Context, stream string) (row, error) {
	if err := checkStream(stream); err != nil {
		return row{}, &ddb.InvalidError{Problems: []error{err}}
	}
	head, found, err := s.head(ctx, stream)
	if err == nil && !found {
		err = ddb.ErrNotFound
	}
	return head, err
}
