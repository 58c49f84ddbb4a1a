// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"fmt"
	"time"

	"github.com/dynamotable/ddb/hooks"
)

// How long requests for a hot key range wait. The time doubles each time in a row.
const (
	firstPark = 500 * time.Millisecond
	mostPark  = 8 * time.Second

	mostParked = 1000 // above this number, expired entries are removed
)

// parking is the wait of a key range.
type parking struct {
	until time.Time
	wait  time.Duration
}

// parkKey returns the name of a request's key range: the segment of a scan, or the hash of its only partition key. It is empty
// for other requests; batches and transactions repeat those in their own loops.
func parkKey(call *hooks.Call) string {
	switch {
	case len(call.Partitions) == 1:
		return fmt.Sprintf("%s/%s/%s", call.Table, call.Index, call.Partitions[0])
	case call.Operation == "Scan":
		return fmt.Sprintf("%s/%s/%d of %d", call.Table, call.Index, call.Segment, call.Segments)
	}
	return ""
}

// park makes requests for a key range wait, and reports whether they did not wait yet.
func (p *Pace) park(now time.Time, key string) bool {
	if key == "" {
		return false
	}
	old, parked := p.parked[key]
	if parked && now.Before(old.until) {
		return false // another attempt from the same period
	}
	if len(p.parked) > mostParked {
		for k, of := range p.parked {
			if now.Sub(of.until) > mostPark {
				delete(p.parked, k)
			}
		}
	}
	wait := firstPark
	if parked {
		wait = min(2*old.wait, mostPark)
	}
	p.parked[key] = parking{now.Add(wait), wait}
	return true
}

// waitParked waits while a key range is parked.
func (p *Pace) waitParked(ctx context.Context, key string) error {
	for {
		p.mu.Lock()
		wait := time.Until(p.parked[key].until)
		p.mu.Unlock()
		if wait <= 0 {
			return nil
		}
		if err := sleep(ctx, wait, nil); err != nil {
			return err
		}
	}
}
