// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"

	"github.com/dynamotable/ddb/internal/core"
)

// ReadOption is an option for the method With of queries and scans: [MaxScanned], [MaxReadUnits] and [IncludeExpired].
type ReadOption interface{ ApplyRead(*core.Read) error }

// MaxScanned makes a page stop, without an error, after n items were evaluated, however many of them the filter kept. The
// page has what was found so far, and [Page.Next] continues after the last item that was evaluated:
//
//	page, err := orders.Query("c1").Filter(orderTotal.Gt(100)).Limit(10).With(ddb.MaxScanned(500)).Page(ctx)
//
// Limit is the number of items returned, MaxScanned the number that are read and billed to find them: [Page.Scanned] is
// never more. Without a filter, the smaller of the two applies. A page that has a Next and fewer items than its limit was
// stopped by MaxScanned; it may be empty.
//
// Without a limit a page is filled up to the bound, by several requests if necessary. Pages yields such pages, also empty
// ones, so that the caller decides after each whether to continue; one further page is fetched in the meantime. All,
// Collect, Count, First and parallel scans refuse the option, because they return no cursor to continue from.
//
// It is the API's Limit, applied to all requests of a page together:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
func MaxScanned(n int) ReadOption { return core.MaxScannedOption(n) }

// MaxReadUnits is [MaxScanned] in read units: a page stops before the request that would exceed them. DynamoDB bills what it
// reads, so the size of each request is estimated from the items that the page has read before, and that of the first from
// the items that this process has seen. If later items are larger, the last request can exceed the bound. What
// [IndexQuery.Hydrate] reads from the table does not count.
//
// The bound must allow at least one request: half a unit, or a whole unit if consistent. If the endpoint does not state what
// a request consumed, the page ends with an error.
func MaxReadUnits(units float64) ReadOption { return core.MaxReadUnitsOption(units) }

// withOptions applies options.
func withOptions(q *core.ReadRef, opts []ReadOption) *core.ReadRef {
	r := q.Read().Changed()
	for _, o := range opts {
		err := errors.New("an option is nil")
		if o != nil {
			err = o.ApplyRead(r)
		}
		if err != nil {
			r = r.Wrong(err)
		}
	}
	return r.Ref()
}
