// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/repeat"
	"github.com/dynamotable/ddb/progress"
)

// setupForm is the version of the table's format; a store refuses versions that it does not know.
const setupForm = 1

const (
	// setupAge is how long a store relies on the set-up that it has read. After setupLimit it must read it again.
	setupAge   = time.Minute
	setupLimit = 2 * time.Minute
	// appendTime is how long after a change of the set-up an append that does not know of it may still be running.
	appendTime = 5 * time.Minute
)

// setup is what a store knows about the set-up of its table.
type setup struct {
	one   chan struct{} // a semaphore: one call at a time reads it, and the others can stop waiting
	begin time.Time
	known atomic.Pointer[knownSetup]
}

type knownSetup struct {
	row row
	at  time.Duration // since begin: monotonic
}

func newSetup() setup {
	one := make(chan struct{}, 1)
	one <- struct{}{}
	return setup{one: one, begin: time.Now()}
}

func (s *setup) forget() { s.known.Store(nil) }

// fresh returns the set-up if it was read at most that long ago.
func (s *setup) fresh(age time.Duration) (row, bool) {
	if k := s.known.Load(); k != nil && time.Since(s.begin)-k.at < age {
		return k.row, true
	}
	return row{}, false
}

// checkSetup compares the options with the table's set-up, and sets up
// a new table. It costs one read unit, once a minute.
func (s *Store) checkSetup(ctx context.Context) error {
	if _, ok := s.setup.fresh(setupAge); ok {
		return nil
	}
	select {
	case <-s.setup.one:
		defer func() { s.setup.one <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, ok := s.setup.fresh(setupAge); ok {
		return nil // another call has read it
	}
	err := s.readSetup(ctx)
	if _, ok := s.setup.fresh(setupLimit); ok && err != nil && isTransient(err) {
		return nil // the next call tries again
	}
	return err
}

func (s *Store) readSetup(ctx context.Context) error {
	at := time.Since(s.setup.begin)
	key := setupKey()
	is, err := tableOf(s).Get(ctx, key.Partition, key.Sort, ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		is = s.newSetupRow() // of a new table, whose indexes are complete
		err = repeat.Write(ctx, func() error { return tableOf(s).Create(ctx, &is) })
		if failed, ok := errors.AsType[*ddb.ConditionFailed[row]](err); ok {
			if is, ok = failed.Current(); ok {
				err = nil
			}
		}
	}
	if err == nil {
		err = s.fitsSetup(&is)
	}
	if err != nil {
		if errors.Is(err, ErrSetup) {
			s.setup.forget()
		}
		return err
	}
	s.setup.known.Store(&knownSetup{is, at})
	return nil
}

func (s *Store) newSetupRow() row {
	key := setupKey()
	return row{
		PK: key.Partition, SK: key.Sort, Schema: setupForm, Version: int64(s.o.shards), IDs: s.o.uniqueIDs, Created: s.o.now().UnixNano(), Recorded: true,
		Time: s.timeSetting(), Categories: int64(s.o.categories), TimeFull: s.o.buckets != "", CategoriesFull: s.o.categories > 0,
	}
}

// timeSetting returns the unit and the salts of the index by time, empty if there is none.
func (s *Store) timeSetting() string {
	if s.o.buckets == "" {
		return ""
	}
	return string(s.o.buckets) + "/" + strconv.Itoa(s.o.salts)
}

// fitsSetup refuses options with which this store would break guarantees that others rely on.
func (s *Store) fitsSetup(is *row) error {
	var errs []error
	if is.Schema != setupForm {
		errs = append(errs, fmt.Errorf("it has form %d, this version of the package knows form %d", is.Schema, setupForm))
	}
	if is.Version != int64(s.o.shards) {
		errs = append(errs, fmt.Errorf("it has a feed of %d shards, the option Sequenced asks for %d (0: no feed); to change the number, Copy the store into another table", is.Version, s.o.shards))
	}
	if is.IDs != s.o.uniqueIDs {
		errs = append(errs, fmt.Errorf("it has unique event ids: %t, the options ask for %t (UniqueIDs); that cannot be changed", is.IDs, s.o.uniqueIDs))
	}
	if mine := s.timeSetting(); is.Time != "" && is.Time != mine {
		errs = append(errs, fmt.Errorf("it has an index by time of %s (unit and salts), the option TimeBuckets asks for %q", is.Time, mine))
	}
	if is.Categories != 0 && is.Categories != int64(s.o.categories) {
		errs = append(errs, fmt.Errorf("it has an index of categories with %d salts, the option ByCategory asks for %d (0: no index)", is.Categories, s.o.categories))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: table %s: %w", ErrSetup, s.Name(), err)
	}
	return nil
}

// complete returns the set-up if an index has all events, and otherwise an error.
func (s *Store) complete(ctx context.Context, option string, full func(*row) bool) (row, error) {
	if err := s.checkSetup(ctx); err != nil {
		return row{}, err
	}
	is, _ := s.setup.fresh(setupLimit)
	if is.Recorded && !full(&is) { // another process may have filled it since
		if err := s.readSetup(ctx); err != nil {
			return row{}, err
		}
		is, _ = s.setup.fresh(setupLimit)
	}
	if is.Recorded && !full(&is) {
		return row{}, fmt.Errorf("%w: table %s had events before the option %s was given, and the index does not have them: call Backfill once, when all writers have the option", ErrSetup, s.Name(), option)
	}
	return is, nil
}

// BackfillReport is what [Store.Backfill] has done.
type BackfillReport struct {
	// Items is the number of items read, Filled the number of them that got attributes for an index.
	Items, Filled int
}

// Backfill adds existing events and streams to the indexes of [TimeBuckets] and [ByCategory] when one of these options is added to a
// table that has events already. Until it has ended without an error, [Store.TimeFeed] and [Store.Streams] fail with [ErrSetup].
//
// Call it once, from one process, when all processes that write have the option: from then on writers without it are refused. It waits five
// minutes until appends of such writers have ended, and then reads the table while writers run. After an error, or in another
// process, it continues where it was. A table that was filled before is not changed. If the table was set up by a version of this
// package that did not record the indexes, its indexes count as complete; if an option was added later, Backfill fills that index too.
//
// It costs a scan of the table, consistently, and a write unit for each KB of an item that it fills, and of its index entry.
func (s *Store) Backfill(ctx context.Context) (BackfillReport, error) {
	if err := s.usable(); err != nil {
		return BackfillReport{}, err
	}
	ctx, task := progress.Start(ctx, "backfill of "+tableOf(s).Name())
	defer task.Stop("it ended with a panic") // unless it has ended before
	report, err := s.backfill(ctx, task)
	task.End(ddberr.Redact(err))
	return report, err
}

func (s *Store) backfill(ctx context.Context, task *progress.Task) (BackfillReport, error) {
	var report BackfillReport
	if err := s.checkSetup(ctx); err != nil {
		return report, err
	}
	if err := s.readSetup(ctx); err != nil {
		return report, err
	}
	is, _ := s.setup.fresh(setupLimit)
	if is.Recorded && is.TimeFull == (s.o.buckets != "") && is.CategoriesFull == (s.o.categories > 0) {
		return report, nil
	}
	if !is.Recorded || is.Time != s.timeSetting() || is.Categories != int64(s.o.categories) {
		is.Cursor = "" // from the beginning: more is to be filled than before
		if err := s.recordSetup(ctx, ddb.Remove(rowCursor)); err != nil {
			return report, err
		}
	}
	if is.Cursor == "" {
		progress.From(ctx).Wait("appends of other writers")
		err := s.o.wait(ctx, appendTime)
		progress.From(ctx).Run()
		if err != nil {
			return report, err
		}
	}
	err := s.fill(ctx, task, is.Cursor, &report)
	if err == nil {
		changes := []ddb.UpdateOption[row]{ddb.Remove(rowCursor)}
		if s.o.buckets != "" {
			changes = append(changes, rowTimeFull.Set(true))
		}
		if s.o.categories > 0 {
			changes = append(changes, rowCatsFull.Set(true))
		}
		err = s.recordSetup(ctx, changes...)
	}
	s.setup.forget()
	return report, err
}

// recordSetup records the indexes of this store, with other changes of the set-up.
func (s *Store) recordSetup(ctx context.Context, changes ...ddb.UpdateOption[row]) error {
	changes = append(changes, rowRecorded.Set(true))
	if s.o.buckets != "" {
		changes = append(changes, rowTime.Set(s.timeSetting()))
	}
	if s.o.categories > 0 {
		changes = append(changes, rowCats.Set(int64(s.o.categories)))
	}
	return repeat.Write(ctx, func() error {
		_, err := tableOf(s).Update(ctx, setupKey(), changes...)
		return err
	})
}

// fill reads the table from a cursor and fills what is missing.
func (s *Store) fill(ctx context.Context, task *progress.Task, cursor string, report *BackfillReport) error {
	scan := tableOf(s).Scan().Consistent()
	if cursor != "" {
		at, err := tableOf(s).ParseCursor(cursor)
		if err != nil {
			return err
		}
		scan = scan.After(at)
	}
	for {
		page, err := scan.Page(ctx)
		if err != nil {
			return err
		}
		report.Items += page.Scanned
		task.Items(int64(page.Scanned))
		rows := func(yield func(row, error) bool) {
			for _, r := range page.Items {
				if !yield(r, nil) {
					return
				}
			}
		}
		for r, err := range mapAhead(ctx, fetches, rows, func(r *row) bool { return len(s.missing(r)) > 0 }, s.fillRow) {
			if err != nil {
				return err
			}
			if len(s.missing(&r)) > 0 {
				report.Filled++
			}
		}
		if page.Next.IsZero() {
			return nil
		}
		scan = tableOf(s).Scan().Consistent().After(page.Next)
		if err := s.recordSetup(ctx, rowCursor.Set(page.Next.String())); err != nil {
			return err
		}
	}
}

// missing returns the changes of a row that an index needs.
func (s *Store) missing(r *row) []ddb.UpdateOption[row] {
	switch {
	case len(r.PK) < len(streamPrefix) || r.PK[:len(streamPrefix)] != streamPrefix:
	case r.SK > 0 && s.o.buckets != "" && r.Bucket == "":
		bucket, at := s.bucketOf(r.PK[len(streamPrefix):], r.At, r.SK)
		return []ddb.UpdateOption[row]{rowBucket.Set(bucket), rowBucketAt.Set(at)}
	case r.SK == 0 && s.o.categories > 0 && r.Category == "" && r.Deleted == 0:
		if category := s.categoryOf(r.PK[len(streamPrefix):]); category != "" {
			return []ddb.UpdateOption[row]{rowCategory.Set(category), ddb.If(ddb.NotExists(rowDeleted))}
		}
	}
	return nil
}

func (s *Store) fillRow(ctx context.Context, r *row) error {
	err := repeat.Write(ctx, func() error {
		_, err := tableOf(s).Update(ctx, streamKey(r.PK[len(streamPrefix):], r.SK), s.missing(r)...)
		return err
	})
	if errors.Is(err, ddb.ErrNotFound) || errors.Is(err, ddb.ErrConditionFailed) {
		return nil // truncated or deleted in the meantime
	}
	return err
}
