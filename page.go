package ddb

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/wire"
)

// Page is one page of a query or scan.
type Page[T any] struct {
	// Items are in the order of the query.
	Items []T
	// Next continues behind the last item; it is zero at the end. A page that was
	// filled exactly by the last item has a Next behind which there is nothing, since
	// DynamoDB does not look further. Pages of a parallel scan have none.
	Next Cursor[T]
	// Prev, given to Before, reads the page before this one; it is zero at the
	// beginning, with the same exception.
	Prev Cursor[T]
	// Scanned is how many items were read, and billed, before the filter.
	Scanned int
	// Missing is how many entries of an index had no item any more; see [IndexQuery.Hydrate].
	Missing int
	// Requests is how many requests were needed.
	Requests int
	// Consumed is what they cost; zero without capacity counting.
	Consumed Consumed
}

func (p *Page[T]) book(requests int, c Consumed) {
	p.Requests += requests
	p.Consumed.ReadUnits += c.ReadUnits
	p.Consumed.WriteUnits += c.WriteUnits
}

// rowSink decodes the rows of a page into a slice, up to a bound, and keeps the
// bytes of the rows that cursors are made of.
type rowSink[T any] struct {
	read  *read
	text  *readText
	plan  *codec.Plan
	base  int // items before this request
	max   int // items in all, 0 for no bound
	items []T
	keys  []map[string]types.AttributeValue // of the items, if these are read from the table
	over  bool                              // there was a row beyond the bound
	back  bool                              // the first row is wanted
	first []byte                            // the very first row
	row   []byte                            // the last row that was read, while the next is
	last  []byte                            // the last row before one that was not taken
	check queryCheck
}

// Reset starts a reply.
func (s *rowSink[T]) Reset(sizeHint int) {
	s.truncate()
	s.over, s.row, s.last = false, nil, nil
	if s.base == 0 {
		s.first = nil
	}
	if n := min(sizeHint, 1<<14); s.max == 0 && n > cap(s.items)-s.base {
		s.items = slices.Grow(s.items, n)
	}
}

// truncate forgets the rows of the last request.
func (s *rowSink[T]) truncate() {
	s.items = s.items[:s.base]
	if s.read.hydrate {
		s.keys = s.keys[:s.base]
	}
}

// Row reads one item.
func (s *rowSink[T]) Row(d *codec.Decoder) error {
	if s.max > 0 && len(s.items) >= s.max {
		if !s.over {
			s.over, s.last = true, slices.Clone(s.row)
		}
		return d.Skip()
	}
	d.Peek()
	from := d.Pos()
	var item T
	s.items = append(s.items, item)
	if err := s.decode(d, &s.items[len(s.items)-1]); err != nil {
		s.items = s.items[:len(s.items)-1]
		s.last = slices.Clone(s.row)
		return err
	}
	s.row = d.Since(from)
	if s.back && len(s.items) == 1 {
		s.first = slices.Clone(s.row)
	}
	return nil
}

func (s *rowSink[T]) decode(d *codec.Decoder, item *T) error {
	if !s.read.hydrate {
		s.check.watch(d)
		from := d.Pos()
		if err := codec.DecodeNext(s.plan, d, item); err != nil {
			return err
		}
		return s.check.row(d.Watched(), d.Since(from))
	}
	row, err := d.Raw()
	if err == nil {
		err = s.check.scan(row)
	}
	if err != nil {
		return err
	}
	key, err := s.read.core.pick(row, s.text.start.names)
	if err != nil {
		return err
	}
	s.keys = append(s.keys, key)
	return nil
}

// stopped is where to go on after an error: before the item that cannot be read,
// or where the failed request began.
func (s *rowSink[T]) stopped(start map[string]types.AttributeValue, err error) (map[string]types.AttributeValue, error) {
	if _, ok := errors.AsType[*wire.RowError](err); !ok {
		s.truncate()
	}
	if len(s.items) == s.base {
		return start, err
	}
	at, bad := s.text.position(s.read, s.last)
	if bad != nil {
		s.truncate()
		return start, errors.Join(err, bad)
	}
	return at, err
}

// fill reads until the bound is reached or the end, following empty pages; without
// a bound, and if not whole, one request that gives items. It returns where to go
// on, nil at the end. The page has its items also after an error.
func fill[T any](ctx context.Context, s *rowSink[T], start map[string]types.AttributeValue, page *Page[T], seg segment, whole bool) (next map[string]types.AttributeValue, err error) {
	whole = whole && s.max > 0
	s.check.init(s.read.key)
	for next = start; ; s.base = len(s.items) {
		var f fetched
		f, err = s.read.fetch(ctx, s.text, next, s.read.size(s.max-len(s.items)), seg, s)
		page.book(1, f.consumed)
		page.Scanned += f.scanned
		switch {
		case err != nil:
			next, err = s.stopped(next, err)
		case s.over:
			next, err = s.text.position(s.read, s.last)
		default:
			next = f.last
		}
		if err != nil || next == nil || s.over || !whole && len(s.items) > s.base || whole && len(s.items) >= s.max {
			break
		}
	}
	if s.read.hydrate {
		return hydrate(ctx, s, page, start, next, err)
	}
	page.Items = s.items
	return next, err
}

// size is how many items a request may evaluate. A filter makes that more than
// are returned, so then the limit says nothing about it.
func (r *read) size(remaining int) int {
	size := r.pageSize
	if size == 0 {
		size = int(r.core.pageSize)
	}
	if r.limit > 0 && r.filter == nil && (size == 0 || remaining < size) {
		size = remaining
	}
	return size
}

// readPage is the terminal Page.
func readPage[T any](ctx context.Context, r read, plan *codec.Plan) (Page[T], error) {
	start, back := r.after, r.before != nil
	if back {
		if r.after != nil {
			r = r.wrong(errors.New("both After and Before are given"))
		}
		start = r.before
	}
	t, err := r.text()
	if err != nil {
		return Page[T]{}, r.fail(err)
	}
	if back {
		r.descending = !r.descending
	}
	var page Page[T]
	m := &struct { // one piece of memory
		read read
		sink rowSink[T]
	}{read: r}
	m.sink = rowSink[T]{read: &m.read, text: t, plan: plan, max: r.limit, back: start != nil}
	next, err := fill(ctx, &m.sink, start.from(), &page, segment{}, true)
	page.Next = cursorAt[T](&m.read, t, next)
	resumable(err, page.Next.String)
	if m.sink.first != nil && len(m.sink.items) > 0 {
		first, bad := t.position(&m.read, m.sink.first)
		err = errors.Join(err, r.fail(bad))
		page.Prev = cursorAt[T](&m.read, t, first)
	}
	if back {
		slices.Reverse(page.Items)
		page.Next, page.Prev = page.Prev, page.Next
	}
	return page, err
}

// readPages is the terminal Pages: one page after the other, each of as many
// items as a request gives. While the caller has a page, the next is fetched.
func readPages[T any](ctx context.Context, r read, plan *codec.Plan) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		r := r.onePage()
		t, err := r.text()
		if err != nil {
			yield(Page[T]{}, r.fail(err))
			return
		}
		for p := range prefetch(ctx, func(ctx context.Context, prev *chained[T]) *chained[T] {
			return readNext(ctx, r, t, plan, prev)
		}) {
			if p.page.empty() && p.next == nil && p.err == nil {
				return
			}
			if (p.err == nil || !p.page.empty()) && !yield(p.page, nil) {
				return
			}
			if p.err != nil {
				rethrow(p.err)
				yield(Page[T]{}, p.err)
				return
			}
		}
	}
}

// onePage refuses Before where more than a page is read.
func (r read) onePage() read {
	if r.before != nil {
		r = r.wrong(errors.New("a cursor given to Before reads a single page; use it with Page"))
	}
	return r
}

func (p *Page[T]) empty() bool { return len(p.Items) == 0 && p.Missing == 0 }

// readNext reads the page behind prev, or the first.
func readNext[T any](ctx context.Context, r read, t *readText, plan *codec.Plan, prev *chained[T]) *chained[T] {
	start, left := r.after.from(), r.limit
	if prev != nil {
		start, left = prev.next, prev.left
	}
	r.limit = left
	c := &chained[T]{left: left}
	s := rowSink[T]{read: &r, text: t, plan: plan, max: left}
	c.next, c.err = fill(ctx, &s, start, &c.page, segment{}, false)
	c.page.Next = cursorAt[T](&r, t, c.next)
	resumable(c.err, c.page.Next.String)
	if left > 0 {
		if c.left -= len(s.items); c.left == 0 {
			c.next = nil
		}
	}
	return c
}

// readAll is the terminal All.
func readAll[T any](pages iter.Seq2[Page[T], error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for p, err := range pages {
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// readCollect is the terminal Collect.
func readCollect[T any](all iter.Seq2[T, error]) ([]T, error) {
	var items []T
	for item, err := range all {
		if err != nil {
			return items, err
		}
		items = append(items, item)
	}
	return items, nil
}

// readCount is the terminal Count: pages without items.
func readCount(ctx context.Context, r read, seg segment) (int, error) {
	r = r.onePage()
	t, err := r.text()
	if err != nil {
		return 0, r.fail(err)
	}
	n, start := 0, r.after.from()
	for {
		f, err := r.fetch(ctx, t, start, r.size(r.limit-n), seg, nil)
		if err != nil {
			if seg.total == 0 {
				resumable(err, cursorAt[struct{}](&r, t, start).String)
			}
			return n, err
		}
		n += f.count
		if r.limit > 0 && n >= r.limit {
			return r.limit, nil
		}
		if start = f.last; start == nil {
			return n, nil
		}
	}
}

// readFirst is the terminal First. Entries of an index whose item is gone are passed over.
func readFirst[T any](ctx context.Context, r read, plan *codec.Plan) (item T, err error) {
	r.limit = 1
	for {
		page, err := readPage[T](ctx, r, plan)
		if err != nil {
			return item, err
		}
		if len(page.Items) > 0 {
			return page.Items[0], nil
		}
		next := &r.after
		at := page.Next.at
		if r.before != nil {
			next, at = &r.before, page.Prev.at
		}
		if at == nil {
			return item, r.fail(ErrNotFound)
		}
		*next = at
	}
}
