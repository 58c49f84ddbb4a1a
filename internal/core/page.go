// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
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

// PageData is a ddb.Page without its type.
type PageData struct {
	List       any // a pointer to the list of items
	Next, Prev *cursor.Position
	Scanned    int
	Missing    int
	Hidden     int
	Requests   int
	Consumed   cost.Consumed
}

// itemsIn returns the list of a page. It is a function since every package that uses a table reads the methods of PageData.
func itemsIn(p *PageData) reflect.Value { return reflect.ValueOf(p.List).Elem() }

// PageSeq yields pages, and finally an error; it is an iter.Seq2.
type PageSeq func(yield func(*PageData, error) bool)

func (p *PageData) book(requests int, c cost.Consumed) {
	p.Requests += requests
	p.Consumed = p.Consumed.Plus(c)
}

func (p *PageData) empty() bool { return itemsIn(p).Len() == 0 && p.Missing == 0 }

// rowSink decodes the rows of a page into a list, up to a bound, and keeps the bytes of the rows that cursors are made from.
type rowSink struct {
	read   *Read
	text   *ReadText
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
	return s.keys.add(s.read.Core, row, s.likely)
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
func fill(ctx context.Context, s *rowSink, start map[string]types.AttributeValue, page *PageData, seg Segment, whole bool) (next map[string]types.AttributeValue, err error) {
	whole = whole && s.max > 0 || s.read.stops()
	s.check.Init(s.read.key)
	for next = start; ; s.base = s.n {
		var f fetched
		size := s.read.bound(s.read.size(s.max-s.n), page.Scanned, page.Consumed.ReadUnits)
		f, err = s.read.fetch(ctx, s.text, next, size, seg, s)
		page.book(1, f.consumed)
		page.Scanned += f.scanned
		switch {
		case err != nil:
			next, err = s.stopped(next, err)
		case s.over:
			next, err = s.text.position(s.read, s.last)
		default:
			next = f.last
			if s.read.mostUnits > 0 && !f.stated {
				err = s.read.Fail(errNoUnits)
			}
		}
		page.Hidden += s.hidden
		if err != nil || next == nil || s.over || seg.Total > 0 || !whole && s.n > s.base || s.max > 0 && s.n >= s.max || s.read.stopped(page.Scanned, page.Consumed.ReadUnits) {
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

// pageRead is the reading of one page, in one allocation.
type pageRead struct {
	page PageData
	sink rowSink
}

// newPageRead reads into the list that list points to.
func newPageRead(r *Read, t *ReadText, most int, list any) *pageRead {
	p := &pageRead{}
	p.page.List = list
	p.sink.read, p.sink.text, p.sink.plan, p.sink.max, p.sink.items = r, t, r.itemPlan(), most, itemsIn(&p.page)
	p.sink.expiry = r.expiry()
	return p
}

// pageResult is one page of a chain; left is what remains of the limit for the next.
type pageResult struct {
	page *PageData
	next map[string]types.AttributeValue
	left int
}

// size returns how many items a request may evaluate. With a filter this is more than the number returned, so the limit does
// not apply to it.
func (r *Read) size(remaining int) int {
	size := r.pageSize
	if size == 0 {
		size = int(r.Core.pageSize)
	}
	if r.limit > 0 && !r.drops() && (size == 0 || remaining < size) {
		size = remaining
	}
	return size
}

// itemsLeft returns how many items a page may evaluate with what the budgets have left; 0 is no bound. If nothing is left it
// returns 1, and admit refuses the page.
func itemsLeft(ctx context.Context, size int) int {
	for _, b := range CallOptionsOf(ctx).Budgets {
		if left, limited := b.ItemsLeft(); limited && (size == 0 || left < int64(size)) {
			size = int(left)
		}
	}
	return size
}

// gatePageSize limits a page to the page sizes of the gates.
func gatePageSize(ctx context.Context, r *Read, size int) int {
	for _, g := range CallOptionsOf(ctx).Gates {
		if n := g.PageSize(r.Core.Name, r.Index.Label(), r.strongly); n > 0 && (size == 0 || n < size) {
			size = n
		}
	}
	return size
}

// Page reads one page into list, a *[]T: as many items as the limit or, without a limit, those of one request.
func (r *Read) Page(ctx context.Context, list any) (*PageData, error) {
	r = r.Sequential()
	back := r != nil && r.upTo != nil
	if back && r.after != nil {
		r = r.Wrong(errors.New("both After and Before are given"))
	}
	t, err := r.Text()
	if err != nil {
		return nil, r.Fail(err)
	}
	start := r.after
	if back {
		start = r.upTo
		r = r.bounded()
		r.backwards = !r.backwards
	}
	p := newPageRead(r, t, r.limit, list)
	p.sink.back = start != nil
	next, err := fill(ctx, &p.sink, start.From(), &p.page, Segment{}, true)
	p.page.Next = CursorAt(r, t, next)
	resumable(err, p.page.Next.String)
	if p.sink.first != nil && p.sink.n > 0 {
		first, bad := t.position(r, p.sink.first)
		err = errors.Join(err, r.Fail(bad))
		p.page.Prev = CursorAt(r, t, first)
	}
	if back {
		swap := reflect.Swapper(p.sink.items.Interface())
		for i, j := 0, p.sink.items.Len()-1; i < j; i, j = i+1, j-1 {
			swap(i, j)
		}
		p.page.Next, p.page.Prev = p.page.Prev, p.page.Next
	}
	return &p.page, err
}

// Pages yields one page after the other, each with the items of one request. While the caller works on a page,
// the next is fetched.
func (r *Read) Pages(ctx context.Context) PageSeq {
	r = r.endToEnd()
	if r != nil && r.segments > 1 {
		return r.endless().parallelPages(ctx)
	}
	return func(yield func(*PageData, error) bool) {
		r := r.onePage()
		t, err := r.Text()
		if err != nil {
			yield(nil, r.Fail(err))
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
func (r *Read) endToEnd() *Read {
	if r == nil || r.ready == nil {
		return r
	}
	r = r.bounded()
	r.toEnd = true
	return r
}

// All returns the pages of a read that returns no cursor to continue from.
func (r *Read) All(ctx context.Context) PageSeq { return r.endless().Pages(ctx) }

// onePage refuses Before if more than one page is read.
func (r *Read) onePage() *Read {
	if r != nil && r.upTo != nil {
		return r.Wrong(errors.New("a cursor given to Before reads a single page; use it with Page"))
	}
	return r
}

// following reads the page after prev, or the first, and reports whether there may be more.
func (r *Read) following(ctx context.Context, t *ReadText, prev *pageResult) (c *pageResult, more bool, err error) {
	start, left := r.after.From(), r.limit
	if prev != nil {
		start, left = prev.next, prev.left
	}
	if left != r.limit {
		r = r.Limited(left)
	}
	p := newPageRead(r, t, left, reflect.New(listType(r)).Interface())
	c = &pageResult{page: &p.page, left: left}
	c.next, err = fill(ctx, &p.sink, start, &p.page, Segment{}, false)
	p.page.Next = CursorAt(r, t, c.next)
	resumable(err, p.page.Next.String)
	if left > 0 {
		if c.left -= p.sink.n; c.left == 0 {
			c.next = nil
		}
	}
	return c, c.next != nil, err
}

// Collect reads all items and adds them to list, a *[]T. On an error the list has the items that were read before it.
func (r *Read) Collect(ctx context.Context, list any) (err error) {
	items := reflect.ValueOf(list).Elem()
	r.All(ctx)(func(p *PageData, end error) bool {
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

// First reads the first item into item, a *T. Entries of an index whose item is gone are skipped.
func (r *Read) First(ctx context.Context, item any) error {
	to := reflect.ValueOf(item).Elem()
	for r = r.endless().Limited(1); ; {
		var list any // made once it is known that there is a type
		if _, err := r.Text(); err == nil {
			list = reflect.New(listType(r)).Interface()
		}
		page, err := r.Page(ctx, list)
		if err != nil {
			return err
		}
		if items := itemsIn(page); items.Len() > 0 {
			to.Set(items.Index(0))
			return nil
		}
		switch {
		case r.upTo == nil && page.Next != nil:
			r = r.From(page.Next)
		case r.upTo != nil && page.Prev != nil:
			r = r.Until(page.Prev)
		default:
			return r.Fail(ddberr.ErrNotFound)
		}
	}
}
