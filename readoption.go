// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/itemsize"
)

// ReadOption is an option for the method With of queries and scans: [MaxScanned], [MaxReadUnits] and [IncludeExpired].
type ReadOption interface{ ApplyRead(*read) error }

type readOption func(*read) error

// ApplyRead makes it an option.
func (o readOption) ApplyRead(r *read) error { return o(r) }

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
func MaxScanned(n int) ReadOption { return maxScannedOption(n) }

// MaxReadUnits is [MaxScanned] in read units: a page stops before the request that would exceed them. DynamoDB bills what it
// reads, so the size of each request is estimated from the items that the page has read before, and that of the first from
// the items that this process has seen. If later items are larger, the last request can exceed the bound. What
// [IndexQuery.Hydrate] reads from the table does not count.
//
// The bound must allow at least one request: half a unit, or a whole unit if consistent. If the endpoint does not state what
// a request consumed, the page ends with an error.
func MaxReadUnits(units float64) ReadOption { return maxReadUnitsOption(units) }

// withOptions applies options.
func withOptions(r *read, opts []ReadOption) *read {
	r = r.changed()
	for _, o := range opts {
		err := errors.New("an option is nil")
		if o != nil {
			err = o.ApplyRead(r)
		}
		if err != nil {
			r = r.wrong(err)
		}
	}
	return r
}

// stops reports whether a page ends before its limit is reached.
func (r *read) stops() bool { return r.mostScanned > 0 || r.mostUnits > 0 }

// endless refuses options that end a page early if there is no cursor to continue from.
func (r *read) endless() *read {
	if r != nil && r.stops() {
		return r.wrong(errors.New("MaxScanned and MaxReadUnits are for Page and Pages, which return a cursor to continue from; All, Collect, Count, First and parallel scans return none"))
	}
	return r
}

// checkStops refuses a bound below the cost of one request.
func (r *read) checkStops() error {
	if least := itemsize.ReadFactor(r.strongly, false); r.mostUnits > 0 && r.mostUnits < least {
		return fmt.Errorf("MaxReadUnits %g: one request costs %g at least", r.mostUnits, least)
	}
	return nil
}

// stopped reports whether a page that has evaluated that many items, for that many units, stops.
func (r *read) stopped(scanned int, units float64) bool {
	if r.mostScanned > 0 && scanned >= r.mostScanned {
		return true
	}
	return r.mostUnits > 0 && r.bytesLeft(units) < r.likelySize(scanned, units)
}

// bound limits size, the number of items that the next request of a page would evaluate, to what the bounds allow; 0 is no bound.
func (r *read) bound(size, scanned int, units float64) int {
	atMost := func(n int) {
		if size == 0 || n < size {
			size = max(1, n)
		}
	}
	if r.mostScanned > 0 {
		atMost(r.mostScanned - scanned)
	}
	if r.mostUnits > 0 {
		likely := r.likelySize(scanned, units)
		atMost(int(min(r.bytesLeft(units)/(likely+likely/4), 1<<30))) // a margin of a quarter, since items differ
	}
	return size
}

// bytesLeft returns how many bytes MaxReadUnits leaves to evaluate after the given units were spent. A request is billed in
// whole units of 4 KB.
func (r *read) bytesLeft(units float64) int64 {
	const exact = 1e-9
	return int64((r.mostUnits-units)/itemsize.ReadFactor(r.strongly, false)+exact) * itemsize.ReadBlock
}

// likelySize returns the average size of the items that a page has evaluated for the given units, or of those that were seen
// before.
func (r *read) likelySize(scanned int, units float64) int64 {
	if scanned > 0 {
		return max(1, int64(units/itemsize.ReadFactor(r.strongly, false)*itemsize.ReadBlock)/int64(scanned))
	}
	if n, average := r.core.sizesAt(r.index).Seen(); n > 0 {
		return max(1, average)
	}
	return itemsize.MaxItem
}

// errNoUnits is the error of a page with MaxReadUnits if the endpoint does not state the units.
var errNoUnits = errors.New("MaxReadUnits: the reply does not state what the request has consumed, so the bound cannot be kept; use MaxScanned")

// maxScannedOption is the option MaxScanned.
//
//go:noinline
func maxScannedOption(n int) readOption {
	return readOption(func(r *read) error {
		if n < 1 {
			return fmt.Errorf("MaxScanned %d: must be at least 1", n)
		}
		r.mostScanned = n
		return nil
	})
}

// maxReadUnitsOption is the option MaxReadUnits.
//
//go:noinline
func maxReadUnitsOption(units float64) readOption {
	return readOption(func(r *read) error {
		if !(units > 0 && units <= cost.MaxUnits) { // written so that NaN is refused
			return fmt.Errorf("MaxReadUnits %g: must be more than 0 and at most %g", units, cost.MaxUnits)
		}
		r.mostUnits = units
		return nil
	})
}
