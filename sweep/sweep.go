// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
)

// Option is an option of a [Sweep].
type Option func(*settings)

type settings struct{ segments, workers int }

// Segments sets in how many segments the table is read, 1 to 4,096. Without it the number depends on the table's size at the beginning of the first
// run: one for each 256 MB, at least 64. It is stored in the position and stays the same.
//
// The size comes from DescribeTable. If that fails, for example without the permission, the scan continues with 64 segments, and its progress has a count "unknown table size". A hook sees
// the call with its error; [ddb.ScanSegments.Size] returns it, for programs that should not begin then. With this option DescribeTable is not called.
func Segments(n int) Option {
	return func(s *settings) {
		s.segments = n
		if n == 0 {
			s.segments = -1 // 0 means none given
		}
	}
}

// Workers sets how many pages are read or handled at the same time at most, including that of the loop body: 1 to 64, by default 16. It may differ each time that a
// sweep is resumed.
func Workers(n int) Option {
	return func(s *settings) { s.workers = n }
}

const (
	leastSegments = 64 // without the option
	segmentBytes  = 256 << 20
	mostSegments  = 4096

	defaultWorkers = 16
	mostWorkers    = 64
)

// Sweep is a scan in segments. It is immutable and safe for concurrent use; each call of [Sweep.Pages] is a separate run.
type Sweep[T any] struct {
	scan  *ddb.ScanSegments[T]
	start *position // nil for the beginning
	set   settings
	err   error
}

// Of returns a sweep of the items that a scan of a table or an index reads, with its filter, projection, page size and consistency. The scan must have no cursor, limit or
// Parallel. If something is wrong, each run returns the error.
func Of[T any](scan ddb.Paged[T], opts ...Option) *Sweep[T] {
	s := &Sweep[T]{set: settings{workers: defaultWorkers}}
	var errs []error
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("sweep: an option is nil"))
			continue
		}
		o(&s.set)
	}
	if n := s.set.segments; n != 0 && (n < 1 || n > mostSegments) {
		errs = append(errs, fmt.Errorf("sweep: %d segments: must be 1 to %d", max(n, 0), mostSegments))
	}
	if n := s.set.workers; n < 1 || n > mostWorkers {
		errs = append(errs, fmt.Errorf("sweep: %d workers: must be 1 to %d", n, mostWorkers))
	}
	var err error
	if s.scan, err = ddb.SegmentsOf(scan); err != nil {
		errs = append(errs, err)
	}
	if errs != nil {
		s.err = &ddb.InvalidError{Problems: errs}
	}
	return s
}

var errZero = &ddb.InvalidError{Problems: []error{errors.New("sweep: a nil or zero Sweep was used; make it with Of")}}

func (s *Sweep[T]) usable() error {
	if s == nil || s.scan == nil && s.err == nil {
		return errZero
	}
	return s.err
}

// Resume returns the sweep from a position on; the empty text means the beginning. A text that is damaged, or belongs to another table, index or filter, or to another
// number of segments if the option [Segments] is given, is refused with an error that matches [ddb.ErrBadCursor].
func (s *Sweep[T]) Resume(text string) (*Sweep[T], error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	next := *s
	if next.start = nil; text == "" {
		return &next, nil
	}
	at, err := parsePosition(text)
	if err != nil || at.identity != s.scan.Identity() || s.set.segments != 0 && s.set.segments != at.n {
		return nil, &ddb.OpError{Op: "Scan", Table: s.scan.Name(), Err: errPosition}
	}
	next.start = &at
	return &next, nil
}

// Page is the result of one request: some items of one segment.
type Page[T any] struct {
	// Items may be empty, if the filter has dropped all items that the request has read.
	Items []T
	// Segment is the number of the segment, from 0.
	Segment int
	// Scanned is the number of items that were read, and billed, before the filter.
	Scanned int
	// Consumed is the cost of the request.
	Consumed cost.Consumed

	run  *run[T]
	next string
	done *bool // guarded by the run: the loop body has ended
}

// Position returns the text from which the sweep is resumed after this page and all pages whose loop body has ended. Call it
// when the page's work is done, and store the text. Called later, it includes later pages as well. It contains keys of items for anyone who decodes it, as cursors do.
//
// The text has a bit for each segment, and the cursor of each segment that is begun and not done: at most two for each of the [Workers], or as many as an earlier run
// with more workers has left. A cursor has the keys of one item: for a table at most 3 KB, and usually less than 100 bytes.
func (p Page[T]) Position() string {
	if p.run == nil {
		return ""
	}
	return p.run.positionWith(p)
}

// Format prints how many items it has, for every verb.
func (p Page[T]) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "sweep.Page of %d items of segment %d", len(p.Items), p.Segment)
}

// MarshalJSON returns an error: encode the items or the position instead.
func (p Page[T]) MarshalJSON() ([]byte, error) {
	return nil, errors.New("sweep: a page cannot be encoded: encode its items or its position")
}

// StoppedError is the error of a run that ended with an error. It wraps the cause.
type StoppedError struct {
	position string
	err      error
}

// Error returns the text of the cause.
func (e *StoppedError) Error() string {
	if e == nil || e.err == nil {
		return "sweep: stopped"
	}
	return "sweep: stopped, and can be resumed: " + ddberr.Redact(e.err).Error()
}

// Unwrap returns the cause, as [ddberr.Redact] shows it.
func (e *StoppedError) Unwrap() error {
	if e == nil {
		return nil
	}
	return ddberr.Redact(e.err)
}

// Position returns where the sweep can be resumed: after the pages whose loop body has ended.
func (e *StoppedError) Position() string {
	if e == nil {
		return ""
	}
	return e.position
}

// Format prints the text, for every verb.
func (e *StoppedError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *StoppedError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// PositionOf returns the position in the error of a stopped run, "" if there is none.
func PositionOf(err error) string {
	if stopped, ok := errors.AsType[*StoppedError](err); ok {
		return stopped.position
	}
	return ""
}

// Pages reads all segments, several pages at a time, and yields the pages as they arrive; those of one segment are in order. A page counts as
// done when its loop body has ended. The first error ends the run; it is a [*StoppedError] with the position, unless nothing was
// read because the sweep or its position is invalid. A spent budget is such an error, and its [cost.BudgetExceeded] has the position as its Cursor. If
// the loop is left by break or by a panic, the current page does not count as done.
func (s *Sweep[T]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		if err := s.usable(); err != nil {
			yield(Page[T]{}, err)
			return
		}
		s.run(ctx, yield)
	}
}

// Format prints the type's name, for every verb.
func (s *Sweep[T]) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "sweep.Sweep") }
