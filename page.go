// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"iter"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/cursor"
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

// fillPage sets the page to what was read, which may be nothing. It is not inlined, since each kind of query calls it.
//
//go:noinline
func fillPage[T any](p *Page[T], read *core.PageData) {
	if read == nil {
		return
	}
	p.Items = *read.List.(*[]T) //nolint:forcetypeassert // it was made as one
	p.Next, p.Prev = Cursor[T](cursor.Of(read.Next)), Cursor[T](cursor.Of(read.Prev))
	p.Scanned, p.Missing, p.Hidden, p.Requests, p.Consumed = read.Scanned, read.Missing, read.Hidden, read.Requests, read.Consumed
}

//go:noinline
func pagesOf[T any](pages core.PageSeq) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		pages(func(read *core.PageData, err error) bool {
			var page Page[T]
			fillPage(&page, read)
			return yield(page, err)
		})
	}
}

//go:noinline
func itemsOf[T any](pages core.PageSeq) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		pages(func(p *core.PageData, err error) bool {
			if err != nil {
				var zero T
				return yield(zero, err)
			}
			for _, item := range *p.List.(*[]T) { //nolint:forcetypeassert // it was made as one
				if !yield(item, nil) {
					return false
				}
			}
			return true
		})
	}
}
