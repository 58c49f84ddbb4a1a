// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
	"github.com/dynamotable/ddb/sweep"
)

// Import writes the items of an export to a table. Each replaces any item with its key. Of an incremental export, it puts the
// items that were written in the time span and deletes those that were deleted. It processes several files at the same time: an
// export is in the order of the partitions, so a single file would send all writes to one partition after the other.
//
// Bad lines, damaged files, and items that the table cannot store are passed to [OnFailure] and counted. The import continues and
// ends with a [*FailedError]. Damage to a file is detected at its end, so run [Verify] before. Throttled and unprocessed items
// are sent again within the table's retry policy. Any other error, such as rejected credentials or a cancelled context, ends the
// import, and [Report].Position is where it can be resumed ([From]). A position of another export or another table is refused, also
// if it has the same name.
//
// A write whose reply is lost is sent again. Under the conditions of [OnlyMissing] and [OnlyOlder], a stored item that equals the
// item of the export then counts as written. Incremental exports with conditions are rejected. The cost is that of BatchPut, or
// of Put with a condition.
func Import(ctx context.Context, src *Source, to *rawtable.Table, opts ...Option) (Report, error) {
	w, err := newWriter(to, opts)
	if err == nil && src == nil {
		err = invalid("the source is nil")
	}
	if err == nil && src.Incremental() && w.conditional() {
		err = invalid("OnlyMissing and OnlyOlder are for full exports: a delete has no such condition")
	}
	if err == nil {
		w.at = newPosition("import of "+src.identity()+" into "+tableIdentity(to), len(src.files))
		err = w.at.resume(w.position)
	}
	if err != nil {
		return Report{}, fmt.Errorf("dump: Import: %w", err)
	}
	ctx, w.task = progress.Start(ctx, "import into "+to.Name())
	defer w.task.Stop("it was left by a panic") // no effect if it has ended before
	w.task.Position(w.at.String)
	left := w.at.left()
	rest := int64(0)
	for _, part := range left {
		behind, _ := strconv.ParseInt(w.at.at(part), 10, 64) // empty at the beginning
		rest += max(0, src.files[part].ItemCount-behind)
	}
	w.task.Total(rest)
	w.task.Parts(len(src.files), len(src.files)-len(left))
	report, err := w.done(each(ctx, w.workers, left, func(ctx context.Context, part int) error { return w.importFile(ctx, src, part) }))
	if err != nil {
		err = fmt.Errorf("dump: Import into table %s: %w", to.Name(), err)
	}
	w.task.End(err)
	return report, err
}

func newWriter(to *rawtable.Table, opts []Option) (*writer, error) {
	s, err := settingsOf(opts)
	if err == nil && (to == nil || to.RawTable == nil) {
		err = invalid("the table is nil")
	}
	return &writer{settings: s, table: to}, err
}

// importFile imports a file, beginning after the lines that are done.
func (w *writer) importFile(ctx context.Context, src *Source, part int) (stop error) {
	f := src.files[part]
	behind, _ := strconv.Atoi(w.at.at(part)) // empty at the beginning
	whole, lines := behind == 0, 0           // lines that are not yet recorded as done
	var batch []entry
	flush := func(line int) error {
		if err := w.write(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
		w.advance(part, lines, strconv.Itoa(line), false)
		lines = 0
		return nil
	}
	src.eachRecord(ctx, f, behind, func(r Record, err error) bool {
		lines++
		switch {
		case err == nil:
			e := entry{item: r.New, del: r.Deleted, file: r.File, line: r.Line}
			if r.Deleted {
				e.key = w.table.KeyOf(&r.Keys)
			}
			if batch = append(batch, e); len(batch) == batchSize {
				stop = flush(r.Line)
			}
			return stop == nil
		case canContinue(err):
			w.failed(lineError(r, err))
			return errors.Is(err, ErrBadLine)
		}
		stop = err
		return false
	})
	if stop != nil {
		return stop
	}
	if err := w.write(ctx, batch); err != nil {
		return err
	}
	w.advance(part, lines, "", whole)
	return nil
}

func lineError(r Record, err error) *LineError {
	if l, ok := errors.AsType[*LineError](err); ok {
		return l
	}
	return &LineError{r.File, r.Line, err}
}

// Copy writes all items of a table to another. Each replaces any item with its key, or is subject to the conditions of
// [OnlyMissing] and [OnlyOlder]. It reads in segments, as [Export] does, so it does not copy the state of a single moment, and
// it waits in the same way when DynamoDB throttles the reads.
// Failures, lost replies, positions and costs are those of [Import]; the file of a failure is the segment. Both tables must have
// the same keys.
func Copy(ctx context.Context, from, to *rawtable.Table, opts ...Option) (Report, error) {
	w, err := newWriter(to, opts)
	if err == nil && (from == nil || from.RawTable == nil) {
		err = invalid("the table that is read is nil")
	}
	var scan *ddb.ScanSegments[rawitem.Item]
	if err == nil {
		err = sameKeys(from.Keys(), to.Keys())
	}
	if err == nil {
		scan, err = ddb.SegmentsOf(from.Scan())
	}
	if err == nil {
		if w.segments == 0 {
			w.segments = w.workers
		}
		w.at = newPosition("copy of "+tableIdentity(from)+" to "+tableIdentity(to), w.segments)
		err = w.at.resume(w.position)
	}
	if err != nil {
		return Report{}, fmt.Errorf("dump: Copy: %w", err)
	}
	ctx, w.task = progress.Start(ctx, "copy of "+from.Name())
	defer w.task.Stop("it ended with a panic") // no effect if it has ended before
	w.task.Position(w.at.String)
	left := w.at.left()
	w.task.Parts(w.segments, w.segments-len(left))
	report, err := w.done(each(ctx, w.workers, left, func(ctx context.Context, part int) error { return w.copySegment(ctx, scan, part) }))
	if err != nil {
		err = fmt.Errorf("dump: Copy of table %s to %s: %w", from.Name(), to.Name(), err)
	}
	w.task.End(err)
	return report, err
}

func sameKeys(a, b rawtable.Keys) error {
	if !slices.Equal(a.Partition, b.Partition) || !slices.Equal(a.Sort, b.Sort) {
		return invalid("the tables have different keys")
	}
	return nil
}

func (w *writer) copySegment(ctx context.Context, scan *ddb.ScanSegments[rawitem.Item], part int) error {
	after := w.at.at(part)
	whole, n := after == "", 0
	for {
		page, err := sweep.ReadPage(ctx, scan, part, w.segments, after)
		if err != nil {
			return err
		}
		for list := page.Items; len(list) > 0; {
			k := min(batchSize, len(list))
			var batch []entry
			for i := range list[:k] {
				n++
				batch = append(batch, entry{item: list[i], file: fmt.Sprintf("segment %d", part), line: n})
			}
			if err := w.write(ctx, batch); err != nil {
				return err
			}
			list = list[k:]
		}
		after = page.Next.String()
		if w.advance(part, len(page.Items), after, whole); after == "" {
			return nil
		}
	}
}
