// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/itemsize"
)

// ReadOption is an option of queries and scans, given to their method With: [MaxScanned], [MaxReadUnits] and [IncludeExpired].
type ReadOption interface{ applyRead(*read) error }

type readOption func(*read) error

func (o readOption) applyRead(r *read) error { return o(r) }

// MaxScanned makes a page stop, without an error, once n items were evaluated, whatever the filter has kept of them. The
// page has what was found so far, and [Page.Next] goes on behind the last item that was evaluated:
//
//	page, err := orders.Query("c1").Filter(orderTotal.Gt(100)).Limit(10).With(ddb.MaxScanned(500)).Page(ctx)
//
// Limit is how many items are returned, MaxScanned how many are read and billed to find them: [Page.Scanned] is never
// more. Without a filter, the smaller of the two counts. A page with fewer items than its limit and a Next has stopped here; it may
// be empty.
//
// Without a limit a page is filled up to the bound, by several requests if need be. Pages yields such pages, empty ones too, so that the caller
// decides after each whether to go on; one further page is fetched in the meantime. All, Collect, Count, First and parallel scans refuse the option, because they have no cursor to
// go on from.
//
// It is the Limit of the API, kept over all requests of a page:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
func MaxScanned(n int) ReadOption {
	return readOption(func(r *read) error {
		if n < 1 {
			return fmt.Errorf("MaxScanned %d: must be at least 1", n)
		}
		r.mostScanned = n
		return nil
	})
}

// MaxReadUnits is [MaxScanned] in read units: a page stops before the request that would exceed them. DynamoDB bills what
// it finds, so each request is sized by the items that the page has read before, and the first by those that this process has seen. Where later items are
// larger the bound can be exceeded, by the last request alone. What [IndexQuery.Hydrate] reads from the table is not part of it.
//
// It must allow at least one request: half a unit, or a whole one when consistent. If the endpoint does not state what a request
// has consumed, the page ends with an error.
func MaxReadUnits(units float64) ReadOption {
	return readOption(func(r *read) error {
		if !(units > 0 && units <= cost.MaxUnits) { // so written for what is no number
			return fmt.Errorf("MaxReadUnits %g: must be more than 0 and at most %g", units, cost.MaxUnits)
		}
		r.mostUnits = units
		return nil
	})
}

// with applies options.
func (r *read) with(opts []ReadOption) *read {
	r = r.changed()
	for _, o := range opts {
		err := errors.New("an option is nil")
		if o != nil {
			err = o.applyRead(r)
		}
		if err != nil {
			r = r.wrong(err)
		}
	}
	return r
}

// stops reports whether a page ends before its limit is reached.
func (r *read) stops() bool { return r.mostScanned > 0 || r.mostUnits > 0 }

// endless refuses what ends a page early where there is no page to go on from.
func (r *read) endless() *read {
	if r != nil && r.stops() {
		return r.wrong(errors.New("MaxScanned and MaxReadUnits are for Page and Pages, whose cursor goes on; All, Collect, Count, First and parallel scans have none"))
	}
	return r
}

// checkStops refuses a bound below the price of one request.
func (r *read) checkStops() error {
	if least := itemsize.ReadFactor(r.strongly, false); r.mostUnits > 0 && r.mostUnits < least {
		return fmt.Errorf("MaxReadUnits %g: one request costs %g at least", r.mostUnits, least)
	}
	return nil
}

// stopped reports whether a page that has evaluated so many items, for so many units, stops.
func (r *read) stopped(scanned int, units float64) bool {
	if r.mostScanned > 0 && scanned >= r.mostScanned {
		return true
	}
	return r.mostUnits > 0 && r.bytesLeft(units) < r.likelySize(scanned, units)
}

// bound is how many items the next request of a page evaluates at most, of the size that it would without bounds; 0 is no bound.
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
		atMost(int(min(r.bytesLeft(units)/(likely+likely/4), 1<<30))) // a quarter of room, as items differ
	}
	return size
}

// bytesLeft is how much MaxReadUnits leaves to evaluate once so many units are spent. A request is billed in whole units of 4 KB.
func (r *read) bytesLeft(units float64) int64 {
	const exact = 1e-9
	return int64((r.mostUnits-units)/itemsize.ReadFactor(r.strongly, false)+exact) * itemsize.ReadBlock
}

// likelySize is the average size of the items that a page has evaluated for so many units, or of those that were seen before.
func (r *read) likelySize(scanned int, units float64) int64 {
	if scanned > 0 {
		return max(1, int64(units/itemsize.ReadFactor(r.strongly, false)*itemsize.ReadBlock)/int64(scanned))
	}
	if n, average := r.core.sizesAt(r.index).Seen(); n > 0 {
		return max(1, average)
	}
	return MaxItemSize
}

// errNoUnits ends a page under MaxReadUnits whose endpoint does not state the units.
var errNoUnits = errors.New("MaxReadUnits: the reply does not state what the request has consumed, so the bound cannot be kept; use MaxScanned")
