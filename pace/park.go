// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
)

// A key range that is hot waits so long, twice as long each time in a row.
const (
	firstPark = 500 * time.Millisecond
	mostPark  = 8 * time.Second

	mostParked = 1000 // before those that are over are forgotten
)

// parking is how long a key range waits.
type parking struct {
	until time.Time
	wait  time.Duration
}

// parkKey names the key range of a request: the segment of a scan, or the hash of the one partition key; it is empty for others, which
// the loops of batches and transactions send again.
func parkKey(call *ddb.Call) string {
	switch {
	case len(call.Partitions) == 1:
		return fmt.Sprintf("%s/%s/%s", call.Table, call.Index, call.Partitions[0])
	case call.Operation == "Scan":
		return fmt.Sprintf("%s/%s/%d of %d", call.Table, call.Index, call.Segment, call.Segments)
	}
	return ""
}

// park makes a key range wait, and reports whether it was not parked yet.
func (p *Pace) park(now time.Time, key string) bool {
	if key == "" {
		return false
	}
	old, parked := p.parked[key]
	if parked && now.Before(old.until) {
		return false // another attempt of the same time
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
