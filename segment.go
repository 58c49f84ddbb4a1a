// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/tablename"
)

// ScanSegments is a scan of a table or an index whose parts are read separately, page by page; package sweep reads all of
// them. Unlike [Scan.Parallel] it has cursors, one for each segment. It is immutable and safe for concurrent use.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
type ScanSegments[T any] struct {
	r    *read
	text *readText
}

// SegmentsOf prepares a scan, with its filter, projection and consistency, to be read in segments. It sends nothing. It
// refuses a query, and a scan with a cursor, a limit, a bound such as [MaxScanned], or Parallel.
func SegmentsOf[T any](scan Paged[T]) (*ScanSegments[T], error) {
	if scan == nil {
		return nil, operr.New("Scan", "", "", operr.Invalid(errors.New("the scan is nil")))
	}
	r := scan.paged(nil)
	t, err := r.text()
	if err == nil {
		err = r.checkSegments()
	}
	if err != nil {
		return nil, r.fail(err)
	}
	return &ScanSegments[T]{r, t}, nil
}

func (r *read) checkSegments() error {
	var errs []error
	if !r.scan {
		errs = append(errs, errors.New("a query has no segments: pass a scan"))
	}
	if r.segments > 1 {
		errs = append(errs, errors.New("Parallel on a scan that is read in segments: they are read in parallel anyway"))
	}
	if r.after != nil || r.upTo != nil || r.limit > 0 || r.stops() {
		errs = append(errs, errors.New("a cursor, Limit, MaxScanned or MaxReadUnits on a scan that is read in segments: a segment is read from its beginning to its end, page by page; PageSize bounds a page"))
	}
	return operr.Invalid(errs...)
}

var errZeroSegments = operr.Invalid(errors.New("a nil or zero ScanSegments was used; make it with SegmentsOf"))

// Format prints the type's name, for every verb.
func (s *ScanSegments[T]) Format(f fmt.State, verb rune) { quiet.Format(f, verb, "ddb.ScanSegments") }

// Name returns the table, followed by a slash and the index if one is scanned.
func (s *ScanSegments[T]) Name() string {
	if s == nil || s.r == nil {
		return ""
	}
	return s.r.place()
}

// Identity returns a hash of table, index and filter. Positions are bound to it as cursors are to their query.
func (s *ScanSegments[T]) Identity() (id [8]byte) {
	if s == nil || s.r == nil {
		return id
	}
	query := s.text.fingerprint()
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %x", tablename.Short(s.r.core.name), s.r.index.label(), query))
	return [8]byte(sum[:])
}

// Size returns how many items and bytes the table or index has, as DynamoDB knew some hours ago. It needs the permission
// DescribeTable and costs no units.
func (s *ScanSegments[T]) Size(ctx context.Context) (items, bytes int64, err error) {
	if s == nil || s.r == nil {
		return 0, 0, errZeroSegments
	}
	d, err := s.r.core.admittedDescription(ctx)
	if err != nil {
		return 0, 0, err
	}
	size := statedSizes(d)[s.r.index.label()]
	return size.items, size.bytes, nil
}

// Page reads the next page of segment number of total, counted from 0. It sends one request, even if the filter drops
// everything. after is the text of the cursor of the previous page, empty for the beginning of the segment; it must belong
// to the same table, index, filter, number and total. The page's Next is zero at the end. If a reply is lost its cost is not
// counted; the page can be read again.
func (s *ScanSegments[T]) Page(ctx context.Context, number, total int, after string) (Page[T], error) {
	if s == nil || s.r == nil {
		return Page[T]{}, errZeroSegments
	}
	return pageOf[T](s.r.segmentPage(ctx, s.text, segment{number, total}, after, new([]T)))
}

func (r *read) segmentPage(ctx context.Context, t *readText, seg segment, after string, list any) (*pageData, error) {
	if seg.total < 1 || seg.total > maxSegments || seg.number < 0 || seg.number >= seg.total {
		return nil, r.fail(operr.Invalid(fmt.Errorf("segment %d of %d: there must be 1 to %d segments, numbered from 0", seg.number, seg.total, maxSegments)))
	}
	start, err := r.core.parseCursor(after, r.index)
	if err == nil {
		err = t.check(start, r)
	}
	if err != nil {
		return nil, r.fail(err)
	}
	p := newPageRead(r, t, 0, list)
	next, err := fill(ctx, &p.sink, start.From(), &p.page, seg, false)
	p.page.next = cursorAt(r, t, next)
	return &p.page, err
}
