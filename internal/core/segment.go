// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/internal/operr"
)

var ErrZeroSegments = operr.Invalid(errors.New("a nil or zero ScanSegments was used; make it with SegmentsOf"))

func (r *Read) CheckSegments() error {
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

func (r *Read) SegmentPage(ctx context.Context, t *ReadText, seg Segment, after string, list any) (*PageData, error) {
	if seg.Total < 1 || seg.Total > maxSegments || seg.Number < 0 || seg.Number >= seg.Total {
		return nil, r.Fail(operr.Invalid(fmt.Errorf("segment %d of %d: there must be 1 to %d segments, numbered from 0", seg.Number, seg.Total, maxSegments)))
	}
	start, err := r.Core.parseCursor(after, r.Index)
	if err == nil {
		err = t.Check(start, r)
	}
	if err != nil {
		return nil, r.Fail(err)
	}
	p := newPageRead(r, t, 0, list)
	next, err := fill(ctx, &p.sink, start.From(), &p.page, seg, false)
	p.page.Next = CursorAt(r, t, next)
	return &p.page, err
}
