// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/prefetch"
	"github.com/dynamotable/ddb/internal/replykey"
	"github.com/dynamotable/ddb/internal/wire"
)

// Page is one page of a query or scan.
type Page[T any] struct {
	// Items are in the order of the query.
	Items []T
	// Next continues after the last item; it is zero at the end. If the last item fills a page exactly, the page has a Next
	// with nothing after it, since DynamoDB does not look further. Pages of a parallel scan have no Next.
	Next Cursor[T]
	// Prev, passed to Before, reads the page before this one; it is zero at the beginning, with the same exception.
	Prev Cursor[T]
	// Scanned is the number of items that were read and billed, before the filter.
	Scanned int
	// Missing is the number of index entries without an item: it was deleted, or the replica that was read does not have it
	// yet; see [IndexQuery.Hydrate].
	Missing int
	// Hidden is the number of items that were left out because they have expired; see [HideExpired].
	Hidden int
	// Requests is the number of requests that were needed.
	Requests int
	// Consumed is the capacity that they consumed; zero without capacity counting.
	Consumed cost.Consumed
}

// pageData is a Page without its type.
type pageData struct {
	list       any // a pointer to the list of items
	next, prev *cursor.Position
	scanned    int
	missing    int
	hidden     int
	requests   int
	consumed   cost.Consumed
}

// itemsIn returns the list of a page. It is a function since every package that uses a table reads the methods of pageData.
func itemsIn(p *pageData) reflect.Value { return reflect.ValueOf(p.list).Elem() }

// pageSeq yields pages, and finally an error; it is an iter.Seq2.
type pageSeq func(yield func(*pageData, error) bool)

func pageOf[T any](p *pageData, err error) (Page[T], error) {
	if p == nil {
		return Page[T]{}, err
	}
	return Page[T]{
		Items: *p.list.(*[]T), Next: Cursor[T]{p.next}, Prev: Cursor[T]{p.prev}, //nolint:forcetypeassert // it was made as one
		Scanned: p.scanned, Missing: p.missing, Hidden: p.hidden, Requests: p.requests, Consumed: p.consumed,
	}, err
}

//go:noinline
func pagesOf[T any](pages pageSeq) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		pages(func(p *pageData, err error) bool { return yield(pageOf[T](p, err)) })
	}
}

//go:noinline
func itemsOf[T any](pages pageSeq) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		pages(func(p *pageData, err error) bool {
			if err != nil {
				var zero T
				return yield(zero, err)
			}
			for _, item := range *p.list.(*[]T) { //nolint:forcetypeassert // it was made as one
				if !yield(item, nil) {
					return false
				}
			}
			return true
		})
	}
}

func (p *pageData) book(requests int, c cost.Consumed) {
	p.requests += requests
	p.consumed = p.consumed.Plus(c)
}

func (p *pageData) empty() bool { return itemsIn(p).Len() == 0 && p.missing == 0 }

// rowSink decodes the rows of a page into a list, up to a bound, and keeps the bytes of the rows that cursors are made from.
type rowSink struct {
	read   *read
	text   *readText
	plan   *codec.Plan
	base   int           // rows before this request
	n      int           // rows so far
	max    int           // the most rows in total, 0 for no bound
	items  reflect.Value // settable; of the rows, unless these are keys
	keys   tableKeys     // of the items, if these are read from the table
	likely int           // how many rows a reply has, if known
	over   bool          // there was a row after the bound
	back   bool          // the first row is wanted
	first  []byte        // the very first row
	row    []byte        // the last row that was read, while the next is
	last   []byte        // the last row before one that was not taken
	check  replykey.Query
	room   mixedRoom

	expiry *expiry // nil if expired items are shown
	hidden int     // of this request
}

// Reset starts a reply.
func (s *rowSink) Reset(sizeHint int) {
	s.truncate()
	s.over, s.row, s.last, s.likely = false, nil, nil, min(sizeHint, 1<<14)
	if s.base == 0 {
		s.first = nil
	}
	if s.max == 0 && !s.read.fromTable && s.likely > s.items.Cap()-s.base {
		s.items.Grow(s.likely)
	}
}

// truncate forgets the rows of the last request.
func (s *rowSink) truncate() {
	s.n, s.hidden = s.base, 0
	if s.read.fromTable {
		s.keys.cut(s.base)
		return
	}
	s.items.SetLen(s.base)
}

// Row reads one item.
func (s *rowSink) Row(d *codec.Decoder) error {
	if s.max > 0 && s.n >= s.max {
		if !s.over {
			s.over, s.last = true, slices.Clone(s.row)
		}
		return d.Skip()
	}
	d.Peek()
	from := d.Pos()
	own := true
	hidden, err := s.hides(d)
	switch {
	case err != nil:
	case hidden:
		s.hidden, own = s.hidden+1, false
	case s.read.fromTable:
		err = s.key(d)
	default:
		own, err = s.decode(d)
	}
	if err != nil {
		s.last = slices.Clone(s.row)
		return err
	}
	s.row = d.Since(from)
	if !own {
		return nil
	}
	s.n++
	if s.back && s.n == 1 {
		s.first = slices.Clone(s.row)
	}
	return nil
}

// hides reports whether the row has expired and is left out; if so, it has read the row.
func (s *rowSink) hides(d *codec.Decoder) (bool, error) {
	hidden, err := s.expiry.hides(d)
	if err != nil || !hidden {
		return false, err
	}
	raw, err := d.Raw()
	if err == nil {
		err = s.check.Find(raw)
	}
	return true, err
}

// decode reads the row into the next place of the list, unless its type is left out.
func (s *rowSink) decode(d *codec.Decoder) (own bool, err error) {
	if s.n == s.items.Cap() {
		s.items.Grow(1)
	}
	s.items.SetLen(s.n + 1)
	item := s.items.Index(s.n)
	item.SetZero() // clears what an earlier request left
	s.check.Capture(d)
	from := d.Pos()
	own, err = decodeRow(s.read, s.plan, d, item, &s.room)
	switch {
	case err != nil:
	case own:
		err = s.check.Row(d.Captured(), d.Since(from))
	default:
		err = s.check.Find(d.Since(from))
	}
	if err != nil || !own {
		s.items.SetLen(s.n)
	}
	return own, err
}

// key keeps the key of the row, by which its item is read from the table.
func (s *rowSink) key(d *codec.Decoder) error {
	row, err := d.Raw()
	if err == nil {
		err = s.check.Find(row)
	}
	if err != nil {
		return err
	}
	return s.keys.add(s.read.core, row, s.likely)
}

// stopped returns where to continue after an error: before the item that cannot be read, or where the failed request began.
func (s *rowSink) stopped(start map[string]types.AttributeValue, err error) (map[string]types.AttributeValue, error) {
	if _, ok := errors.AsType[*wire.RowError](err); !ok {
		s.truncate()
	}
	if s.n == s.base {
		return start, err
	}
	at, bad := s.text.position(s.read, s.last)
	if bad != nil {
		s.truncate()
		return start, errors.Join(err, bad)
	}
	return at, err
}

// fill reads until the bound or the end is reached, and continues after empty pages. Without a bound, unless whole, it stops
// after one request that returns items; of a segment it always sends one request. MaxScanned and MaxReadUnits are bounds
// too. It returns where to continue, nil at the end. The page has its items even after an error.
func fill(ctx context.Context, s *rowSink, start map[string]types.AttributeValue, page *pageData, seg segment, whole bool) (next map[string]types.AttributeValue, err error) {
	whole = whole && s.max > 0 || s.read.stops()
	s.check.Init(s.read.key)
	for next = start; ; s.base = s.n {
		var f fetched
		size := s.read.bound(s.read.size(s.max-s.n), page.scanned, page.consumed.ReadUnits)
		f, err = s.read.fetch(ctx, s.text, next, size, seg, s)
		page.book(1, f.consumed)
		page.scanned += f.scanned
		switch {
		case err != nil:
			next, err = s.stopped(next, err)
		case s.over:
			next, err = s.text.position(s.read, s.last)
		default:
			next = f.last
			if s.read.mostUnits > 0 && !f.stated {
				err = s.read.fail(errNoUnits)
			}
		}
		page.hidden += s.hidden
		if err != nil || next == nil || s.over || seg.total > 0 || !whole && s.n > s.base || s.max > 0 && s.n >= s.max || s.read.stopped(page.scanned, page.consumed.ReadUnits) {
			break
		}
	}
	if s.read.fromTable {
		next, err = hydrate(ctx, s, page, start, next, err)
	}
	emptyNotNil(s.items)
	return next, err
}

// emptyNotNil replaces a nil list by an empty one, which is [] in JSON.
func emptyNotNil(list reflect.Value) {
	if list.IsNil() {
		list.Set(reflect.MakeSlice(list.Type(), 0, 0))
	}
}

// size returns how many items a request may evaluate. With a filter this is more than the number returned, so the limit does
// not apply to it.
func (r *read) size(remaining int) int {
	size := r.pageSize
	if size == 0 {
		size = int(r.core.pageSize)
	}
	if r.limit > 0 && !r.drops() && (size == 0 || remaining < size) {
		size = remaining
	}
	return size
}

// pageRead is the reading of one page, in one allocation.
type pageRead struct {
	page pageData
	sink rowSink
}

// newPageRead reads into the list that list points to.
func newPageRead(r *read, t *readText, most int, list any) *pageRead {
	p := &pageRead{}
	p.page.list = list
	p.sink.read, p.sink.text, p.sink.plan, p.sink.max, p.sink.items = r, t, r.itemPlan(), most, itemsIn(&p.page)
	p.sink.expiry = r.expiry()
	return p
}

// page implements Page; it reads into the list that list points to.
func (r *read) page(ctx context.Context, list any) (*pageData, error) {
	r = r.sequential()
	back := r != nil && r.upTo != nil
	if back && r.after != nil {
		r = r.wrong(errors.New("both After and Before are given"))
	}
	t, err := r.text()
	if err != nil {
		return nil, r.fail(err)
	}
	start := r.after
	if back {
		start = r.upTo
		r = r.bounded()
		r.backwards = !r.backwards
	}
	p := newPageRead(r, t, r.limit, list)
	p.sink.back = start != nil
	next, err := fill(ctx, &p.sink, start.From(), &p.page, segment{}, true)
	p.page.next = cursorAt(r, t, next)
	resumable(err, p.page.next.String)
	if p.sink.first != nil && p.sink.n > 0 {
		first, bad := t.position(r, p.sink.first)
		err = errors.Join(err, r.fail(bad))
		p.page.prev = cursorAt(r, t, first)
	}
	if back {
		swap := reflect.Swapper(p.sink.items.Interface())
		for i, j := 0, p.sink.items.Len()-1; i < j; i, j = i+1, j-1 {
			swap(i, j)
		}
		p.page.next, p.page.prev = p.page.prev, p.page.next
	}
	return &p.page, err
}

// pages implements Pages: one page after the other, each with the items of one request. While the caller works on a page,
// the next is fetched.
func (r *read) pages(ctx context.Context) pageSeq {
	r = r.endToEnd()
	if r != nil && r.segments > 1 {
		return r.endless().parallelPages(ctx)
	}
	return func(yield func(*pageData, error) bool) {
		r := r.onePage()
		t, err := r.text()
		if err != nil {
			yield(nil, r.fail(err))
			return
		}
		for p, err := range prefetch.Chain(ctx, func(ctx context.Context, prev *pageResult) (*pageResult, bool, error) {
			return r.following(ctx, t, prev)
		}) {
			empty := p == nil || p.page.empty() && (p.next == nil || !r.stops())
			if empty && err == nil && p.next == nil {
				return
			}
			if (err == nil || !empty) && !yield(p.page, nil) {
				return
			}
			if err != nil {
				prefetch.Repanic(err)
				yield(nil, err)
				return
			}
		}
	}
}

// endToEnd marks that all pages are read.
func (r *read) endToEnd() *read {
	if r == nil || r.ready == nil {
		return r
	}
	r = r.bounded()
	r.toEnd = true
	return r
}

// all returns the pages of a read that returns no cursor to continue from.
func (r *read) all(ctx context.Context) pageSeq { return r.endless().pages(ctx) }

// onePage refuses Before if more than one page is read.
func (r *read) onePage() *read {
	if r != nil && r.upTo != nil {
		return r.wrong(errors.New("a cursor given to Before reads a single page; use it with Page"))
	}
	return r
}

// pageResult is one page of a chain; left is what remains of the limit for the next.
type pageResult struct {
	page *pageData
	next map[string]types.AttributeValue
	left int
}

// following reads the page after prev, or the first, and reports whether there may be more.
func (r *read) following(ctx context.Context, t *readText, prev *pageResult) (c *pageResult, more bool, err error) {
	start, left := r.after.From(), r.limit
	if prev != nil {
		start, left = prev.next, prev.left
	}
	if left != r.limit {
		r = r.limited(left)
	}
	p := newPageRead(r, t, left, reflect.New(listType(r)).Interface())
	c = &pageResult{page: &p.page, left: left}
	c.next, err = fill(ctx, &p.sink, start, &p.page, segment{}, false)
	p.page.next = cursorAt(r, t, c.next)
	resumable(err, p.page.next.String)
	if left > 0 {
		if c.left -= p.sink.n; c.left == 0 {
			c.next = nil
		}
	}
	return c, c.next != nil, err
}

// collect implements Collect; it adds to the list that list points to.
func (r *read) collect(ctx context.Context, list any) (err error) {
	items := reflect.ValueOf(list).Elem()
	r.all(ctx)(func(p *pageData, end error) bool {
		switch {
		case end != nil:
			err = end
		case items.Len() == 0:
			items.Set(itemsIn(p))
		default:
			items.Set(reflect.AppendSlice(items, itemsIn(p)))
		}
		return true
	})
	emptyNotNil(items)
	return err
}

// first implements First, into the item that item points to. Entries of an index whose item is gone are skipped.
func (r *read) first(ctx context.Context, item any) error {
	to := reflect.ValueOf(item).Elem()
	for r = r.endless().limited(1); ; {
		var list any // made once it is known that there is a type
		if _, err := r.text(); err == nil {
			list = reflect.New(listType(r)).Interface()
		}
		page, err := r.page(ctx, list)
		if err != nil {
			return err
		}
		if items := itemsIn(page); items.Len() > 0 {
			to.Set(items.Index(0))
			return nil
		}
		switch {
		case r.upTo == nil && page.next != nil:
			r = r.from(page.next)
		case r.upTo != nil && page.prev != nil:
			r = r.until(page.prev)
		default:
			return r.fail(ddberr.ErrNotFound)
		}
	}
}
