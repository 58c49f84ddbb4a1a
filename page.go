package ddb

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// Page is one page of a query or scan.
type Page[T any] struct {
	// Items are in the order of the query.
	Items []T
	// Next continues behind the last item; it is zero at the end. A page that was
	// filled exactly by the last item has a Next behind which there is nothing, since
	// DynamoDB does not look further.
	Next Cursor[T]
	// Prev, given to Before, reads the page before this one; it is zero at the
	// beginning, with the same exception.
	Prev Cursor[T]
	// Scanned is how many items were read, and billed, before the filter.
	Scanned int
	// Requests is how many requests were needed.
	Requests int
	// Consumed is what they cost; zero without capacity counting.
	Consumed Consumed
}

func (p *Page[T]) book(f fetched) {
	p.Scanned += f.scanned
	p.Requests++
	p.Consumed.ReadUnits += f.consumed.ReadUnits
	p.Consumed.WriteUnits += f.consumed.WriteUnits
}

// rowSink decodes the rows of a page into a slice, up to a bound, and keeps the
// bytes of the rows that cursors are made of.
type rowSink[T any] struct {
	plan  *codec.Plan
	base  int // items before this request
	max   int // items in all, 0 for no bound
	items []T
	over  bool   // there was a row beyond the bound
	first []byte // the very first row
	last  []byte // the row at the bound, or the last before one that cannot be read
}

func (s *rowSink[T]) Reset(sizeHint int) {
	s.items, s.over, s.last = s.items[:s.base], false, nil
	if s.base == 0 {
		s.first = nil
	}
	if n := min(sizeHint, 1<<14); s.max == 0 && n > cap(s.items)-s.base {
		s.items = slices.Grow(s.items, n)
	}
}

func (s *rowSink[T]) Row(d *codec.Decoder) error {
	if s.max > 0 && len(s.items) >= s.max {
		s.over = true
		return d.Skip()
	}
	d.Peek()
	from := d.Pos()
	s.items = slices.Grow(s.items, 1)[:len(s.items)+1]
	v := &s.items[len(s.items)-1]
	var zero T
	*v = zero
	if err := codec.DecodeNext(s.plan, d, v); err != nil {
		s.items = s.items[:len(s.items)-1]
		return err
	}
	if len(s.items) == 1 {
		s.first = slices.Clone(d.Since(from))
	}
	if len(s.items) == s.max {
		s.last = slices.Clone(d.Since(from))
	}
	return nil
}

// fill reads until the limit is reached or the end, following empty pages; without
// a limit, one request that gives items. It returns where to go on, nil at the end.
func fill[T any](ctx context.Context, r *read, t *readText, start map[string]types.AttributeValue, s *rowSink[T], page *Page[T], seg segment) (map[string]types.AttributeValue, error) {
	for {
		f, err := r.fetch(ctx, t, start, r.size(s.max-len(s.items)), seg, s)
		page.book(f)
		if err != nil {
			return start, err
		}
		switch {
		case s.over:
			return r.core.pick(s.last, r.keyNames())
		case f.last == nil:
			return nil, nil
		case s.max == 0 && len(s.items) > s.base, s.max > 0 && len(s.items) >= s.max:
			return f.last, nil
		}
		start, s.base = f.last, len(s.items)
	}
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
	back := r.before != nil
	if back && r.after != nil {
		r.errs = append(r.errs, errors.New("both After and Before are given"))
	}
	t, err := r.text()
	if err != nil {
		return Page[T]{}, r.fail(err)
	}
	start := r.after
	if back {
		start = r.before
		r.descending = !r.descending
	}
	var (
		page Page[T]
		s    = rowSink[T]{plan: plan, max: r.limit}
	)
	next, err := fill(ctx, &r, t, start.startKey(), &s, &page, segment{})
	page.Items = s.items
	if err != nil {
		page.Next = cursorAt[T](&r, t, next)
		return page, err
	}
	page.Next = cursorAt[T](&r, t, next)
	if start != nil && s.first != nil {
		first, err := r.core.pick(s.first, r.keyNames())
		if err != nil {
			return page, r.fail(err)
		}
		page.Prev = cursorAt[T](&r, t, first)
	}
	if back {
		slices.Reverse(page.Items)
		page.Next, page.Prev = page.Prev, page.Next
	}
	return page, nil
}

func (p *position) startKey() map[string]types.AttributeValue {
	if p == nil {
		return nil
	}
	return p.key
}

func cursorAt[T any](r *read, t *readText, key map[string]types.AttributeValue) Cursor[T] {
	if key == nil {
		return Cursor[T]{}
	}
	return Cursor[T]{&position{table: r.core.name, index: r.index.label(), query: t.query, key: key}}
}

// readPages is the terminal Pages: one page after the other, each of as many
// items as a request gives. While the caller has a page, the next is fetched.
func readPages[T any](ctx context.Context, r read, plan *codec.Plan) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		t, err := r.text()
		if err == nil && r.before != nil {
			err = invalid(errors.New("Before reads a single page; use it with Page"))
		}
		if err != nil {
			yield(Page[T]{}, r.fail(err))
			return
		}
		for p := range prefetch(ctx, func(ctx context.Context, start *chained[T]) *chained[T] {
			return readNext(ctx, &r, t, plan, start)
		}) {
			if p.err != nil {
				if len(p.page.Items) > 0 && !yield(p.page, nil) {
					return
				}
				yield(Page[T]{}, p.err)
				return
			}
			if len(p.page.Items) == 0 && p.next == nil {
				return
			}
			if !yield(p.page, nil) {
				return
			}
		}
	}
}

// chained is one page of a chain; left is what the limit leaves for the next.
type chained[T any] struct {
	page Page[T]
	next map[string]types.AttributeValue
	left int
	err  error
}

func (c *chained[T]) more() bool { return c.err == nil && c.next != nil }

func readNext[T any](ctx context.Context, r *read, t *readText, plan *codec.Plan, prev *chained[T]) *chained[T] {
	start, left := r.after.startKey(), r.limit
	if prev != nil {
		start, left = prev.next, prev.left
	}
	c := &chained[T]{}
	s := rowSink[T]{plan: plan, max: left}
	step := *r
	step.limit = left
	// One request gives one page, but an empty one is followed.
	for {
		f, err := step.fetch(ctx, t, start, step.size(left), segment{}, &s)
		c.page.book(f)
		c.err, c.next = err, f.last
		if err != nil || s.over || len(s.items) > 0 || f.last == nil {
			break
		}
		start = f.last
	}
	c.page.Items = s.items
	if c.err == nil && s.over {
		c.next, c.err = r.core.pick(s.last, r.keyNames())
	}
	c.page.Next = cursorAt[T](r, t, c.next)
	if r.limit > 0 {
		c.left = left - len(s.items)
		if c.left <= 0 {
			c.next = nil
		}
	}
	return c
}

// prefetch chains calls of next, one ahead of the consumer. When the consumer
// stops, the call under way is cancelled and awaited.
func prefetch[T any](ctx context.Context, next func(context.Context, *chained[T]) *chained[T]) iter.Seq[*chained[T]] {
	return func(yield func(*chained[T]) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pending := make(chan *chained[T], 1)
		running := false
		defer func() {
			cancel()
			if running {
				<-pending
			}
		}()
		for p := next(ctx, nil); ; {
			if running = p.more(); running {
				go func(prev *chained[T]) { pending <- next(ctx, prev) }(p)
			}
			if !yield(p) || !running {
				return
			}
			p = <-pending
			running = false
		}
	}
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
	t, err := r.text()
	if err != nil {
		return 0, r.fail(err)
	}
	n, start := 0, r.after.startKey()
	for {
		f, err := r.fetch(ctx, t, start, r.size(r.limit-n), seg, nil)
		if err != nil {
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

// readFirst is the terminal First.
func readFirst[T any](ctx context.Context, r read, plan *codec.Plan) (item T, err error) {
	r.limit = 1
	page, err := readPage[T](ctx, r, plan)
	if err != nil {
		return item, err
	}
	if len(page.Items) == 0 {
		return item, r.fail(ErrNotFound)
	}
	return page.Items[0], nil
}
