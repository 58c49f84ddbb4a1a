// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/tablename"
)

// ScanSegments is a scan of a table or an index whose parts are read separately, page by page; package sweep reads all of
// them. Unlike [Scan.Parallel] it has cursors, one for each segment. It is immutable and safe for concurrent use.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
type ScanSegments[T any] struct {
	r    *core.Read
	text *core.ReadText
}

// SegmentsOf prepares a scan, with its filter, projection and consistency, to be read in segments. It sends nothing. It
// refuses a query, and a scan with a cursor, a limit, a bound such as [MaxScanned], or Parallel.
func SegmentsOf[T any](scan Paged[T]) (*ScanSegments[T], error) {
	if scan == nil {
		return nil, operr.New("Scan", "", "", operr.Invalid(errors.New("the scan is nil")))
	}
	r := scan.Paged(nil)
	t, err := r.Text()
	if err == nil {
		err = r.CheckSegments()
	}
	if err != nil {
		return nil, r.Fail(err)
	}
	return &ScanSegments[T]{r, t}, nil
}

// Format prints the type's name, for every verb.
func (s *ScanSegments[T]) Format(f fmt.State, verb rune) { quiet.Format(f, verb, "ddb.ScanSegments") }

// Name returns the table, followed by a slash and the index if one is scanned.
func (s *ScanSegments[T]) Name() string {
	if s == nil || s.r == nil {
		return ""
	}
	return s.r.Place()
}

// Identity returns a hash of table, index and filter. Positions are bound to it as cursors are to their query.
func (s *ScanSegments[T]) Identity() (id [8]byte) {
	if s == nil || s.r == nil {
		return id
	}
	query := s.text.Fingerprint()
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %x", tablename.Short(s.r.Core.Name), s.r.Index.Label(), query))
	return [8]byte(sum[:])
}

// Size returns how many items and bytes the table or index has, as DynamoDB knew some hours ago. It needs the permission
// DescribeTable and costs no units.
func (s *ScanSegments[T]) Size(ctx context.Context) (items, bytes int64, err error) {
	if s == nil || s.r == nil {
		return 0, 0, core.ErrZeroSegments
	}
	d, err := s.r.Core.AdmittedDescription(ctx)
	if err != nil {
		return 0, 0, err
	}
	size := core.StatedSizes(d)[s.r.Index.Label()]
	return size.Items, size.Bytes, nil
}

// Page reads the next page of segment number of total, counted from 0. It sends one request, even if the filter drops
// everything. after is the text of the cursor of the previous page, empty for the beginning of the segment; it must belong
// to the same table, index, filter, number and total. The page's Next is zero at the end. If a reply is lost its cost is not
// counted; the page can be read again.
func (s *ScanSegments[T]) Page(ctx context.Context, number, total int, after string) (page Page[T], err error) {
	if s == nil || s.r == nil {
		return page, core.ErrZeroSegments
	}
	read, err := s.r.SegmentPage(ctx, s.text, core.Segment{Number: number, Total: total}, after, new([]T))
	fillPage(&page, read)
	return page, err
}
