// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/itemsize"
)

// ReadOption is an option of a query or scan.
type ReadOption func(*Read) error

// ApplyRead makes it an option.
func (o ReadOption) ApplyRead(r *Read) error { return o(r) }

// errNoUnits is the error of a page with MaxReadUnits if the endpoint does not state the units.
var errNoUnits = errors.New("MaxReadUnits: the reply does not state what the request has consumed, so the bound cannot be kept; use MaxScanned")

// MaxScannedOption is the option ddb.MaxScanned.
//
//go:noinline
func MaxScannedOption(n int) ReadOption {
	return ReadOption(func(r *Read) error {
		if n < 1 {
			return fmt.Errorf("MaxScanned %d: must be at least 1", n)
		}
		r.mostScanned = n
		return nil
	})
}

// MaxReadUnitsOption is the option ddb.MaxReadUnits.
//
//go:noinline
func MaxReadUnitsOption(units float64) ReadOption {
	return ReadOption(func(r *Read) error {
		if !(units > 0 && units <= cost.MaxUnits) { // written so that NaN is refused
			return fmt.Errorf("MaxReadUnits %g: must be more than 0 and at most %g", units, cost.MaxUnits)
		}
		r.mostUnits = units
		return nil
	})
}

// stops reports whether a page ends before its limit is reached.
func (r *Read) stops() bool { return r.mostScanned > 0 || r.mostUnits > 0 }

// endless refuses options that end a page early if there is no cursor to continue from.
func (r *Read) endless() *Read {
	if r != nil && r.stops() {
		return r.Wrong(errors.New("MaxScanned and MaxReadUnits are for Page and Pages, which return a cursor to continue from; All, Collect, Count, First and parallel scans return none"))
	}
	return r
}

// checkStops refuses a bound below the cost of one request.
func (r *Read) checkStops() error {
	if least := itemsize.ReadFactor(r.strongly, false); r.mostUnits > 0 && r.mostUnits < least {
		return fmt.Errorf("MaxReadUnits %g: one request costs %g at least", r.mostUnits, least)
	}
	return nil
}

// stopped reports whether a page that has evaluated that many items, for that many units, stops.
func (r *Read) stopped(scanned int, units float64) bool {
	if r.mostScanned > 0 && scanned >= r.mostScanned {
		return true
	}
	return r.mostUnits > 0 && r.bytesLeft(units) < r.likelySize(scanned, units)
}

// bound limits size, the number of items that the next request of a page would evaluate, to what the bounds allow; 0 is no bound.
func (r *Read) bound(size, scanned int, units float64) int {
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
func (r *Read) bytesLeft(units float64) int64 {
	const exact = 1e-9
	return int64((r.mostUnits-units)/itemsize.ReadFactor(r.strongly, false)+exact) * itemsize.ReadBlock
}

// likelySize returns the average size of the items that a page has evaluated for the given units, or of those that were seen
// before.
func (r *Read) likelySize(scanned int, units float64) int64 {
	if scanned > 0 {
		return max(1, int64(units/itemsize.ReadFactor(r.strongly, false)*itemsize.ReadBlock)/int64(scanned))
	}
	if n, average := r.Core.sizesAt(r.Index).Seen(); n > 0 {
		return max(1, average)
	}
	return itemsize.MaxItem
}
