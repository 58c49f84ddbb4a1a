// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/hooks"
)

// Bytes that a read unit covers.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
const (
	unitBytes       = 4096 // of a consistent read
	eventuallyBytes = 8192
	pageBytes       = 1 << 20 // a page of a Query or Scan ends at this size
	pagesPerSecond  = 40      // a page may use this fraction of the units of a second: small pages notice throttling early
	leastPage       = 2       // units, if they are at most a tenth of a second's units; the cost of each page is rounded up to a whole unit
)

// PageSize returns how many items a page may evaluate so that it costs a fortieth of the units of a second, or 2 units. It is
// based on the sizes of the items that were read before.
func (p *Pace) PageSize(table, index string, consistent bool) int {
	if p == nil {
		return 0
	}
	per, most := float64(eventuallyBytes), float64(pageBytes)/eventuallyBytes
	if consistent {
		per, most = unitBytes, float64(pageBytes)/unitBytes
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read.ceiling == 0 || p.wrong != nil || !p.isOf(table) {
		return 0
	}
	p.read.fill(time.Now())
	units := max(1, p.read.rate/pagesPerSecond, min(leastPage, p.read.rate/10))
	size, known := p.sizes[sizeKey(table, index)]
	if !known {
		return max(1, int(min(units, most))) // until the sizes of items are known
	}
	if units >= most {
		return 0
	}
	return max(1, int(units*per/size))
}

func sizeKey(table, index string) string { return table + "\x00" + index }

// isOf reports whether the pace belongs to a table.
func (p *Pace) isOf(table string) bool { return p.share == nil || shortName(table) == p.share.table }

// shortName returns the name of a table, also if it is given as an ARN.
func shortName(table string) string {
	if _, name, ok := strings.Cut(table, ":table/"); ok && strings.HasPrefix(table, "arn:") {
		return name
	}
	return table
}

func (p *Pace) concerns(call *hooks.Call) bool {
	if p == nil || call == nil || p.read.turn == nil {
		return false
	}
	return p.isOf(call.Table) || slices.ContainsFunc(call.Tables, p.isOf)
}

var errZero = fmt.Errorf("%w: pace: a nil or zero Pace was used; make it with New or Of", ddb.ErrInvalid)

// Admit waits until the request may be sent: until its key range is no longer hot and its maximum cost fits the rate.
func (p *Pace) Admit(ctx context.Context, call *hooks.Call) error {
	if p == nil || p.read.turn == nil {
		return errZero
	}
	p.mu.Lock()
	wrong := p.wrong
	p.mu.Unlock()
	if wrong != nil || !p.concerns(call) {
		return wrong
	}
	if p.share != nil {
		p.follow(ctx)
	}
	begin := time.Now()
	p.mu.Lock()
	p.stats.Waiting++
	p.mu.Unlock()
	err := p.waitParked(ctx, parkKey(call))
	if err == nil {
		err = p.wait(ctx, &p.read, call.Estimate.Read.Max)
	}
	if err == nil {
		if err = p.wait(ctx, &p.write, call.Estimate.Write.Max); err != nil {
			p.mu.Lock()
			p.read.release(time.Now(), call.Estimate.Read.Max, 0)
			p.mu.Unlock()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Waiting--
	p.stats.Waited += time.Since(begin)
	if err != nil {
		return fmt.Errorf("waited for the pace: %w", err)
	}
	return nil
}

// Done replaces the reserved units by those that the reply reports, and records the sizes of items.
func (p *Pace) Done(call *hooks.Call) {
	if !p.concerns(call) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	billed := p.cost(call)
	p.read.release(now, call.Estimate.Read.Max, billed.ReadUnits)
	p.write.release(now, call.Estimate.Write.Max, billed.WriteUnits)
	p.stats.Spent.ReadUnits += billed.ReadUnits
	p.stats.Spent.WriteUnits += billed.WriteUnits
	p.stats.Requests++
	if call.Scanned > 0 && call.Consumed.ReadUnits > 0 {
		per := float64(eventuallyBytes)
		if call.Consistent {
			per = unitBytes
		}
		key, size := sizeKey(call.Table, call.Index), call.Consumed.ReadUnits*per/float64(call.Scanned)
		if old, known := p.sizes[key]; known {
			size = 0.7*old + 0.3*size
		}
		p.sizes[key] = size
	}
	if call.Err == nil {
		delete(p.parked, parkKey(call))
	}
	if call.Unprocessed > 0 && (call.Write || call.Consumed.ReadUnits < mostBatchUnits) {
		p.throttled(now, call, ddberr.ThrottlingReason{})
	}
}

// mostBatchUnits is less than the cost of 16 MB. Above that a BatchGetItem leaves keys unprocessed without being throttled.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const mostBatchUnits = 16 << 20 / eventuallyBytes * 0.9

// cost returns the units that a request counts with: all of them, or, if the rate is a share of what the table and each index
// have, the most that it cost on one of these.
func (p *Pace) cost(call *hooks.Call) (c cost.Consumed) {
	if p.share == nil {
		return call.Consumed
	}
	for _, e := range call.Capacity {
		if p.isOf(e.Table) {
			c.ReadUnits, c.WriteUnits = max(c.ReadUnits, e.ReadUnits), max(c.WriteUnits, e.WriteUnits)
		}
	}
	return c
}

// Throttled backs off according to the reasons: only requests for a hot key range wait, any other limit lowers the rate.
func (p *Pace) Throttled(call *hooks.Call, reasons []ddberr.ThrottlingReason) {
	if !p.concerns(call) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for _, r := range reasons {
		p.throttled(now, call, r)
	}
	if len(reasons) == 0 {
		p.throttled(now, call, ddberr.ThrottlingReason{})
	}
}

// throttled backs off for one reason. The caller holds mu.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html
func (p *Pace) throttled(now time.Time, call *hooks.Call, r ddberr.ThrottlingReason) {
	name := cmp.Or(r.Reason, "throttled")
	p.reasons[name]++
	if r.HotKey() {
		if p.park(now, parkKey(call)) {
			p.stats.Reason, p.stats.Resource = name, r.Resource
		}
		return
	}
	b := &p.read
	if strings.Contains(r.Reason, "Write") || call.Write && !strings.Contains(r.Reason, "Read") {
		b = &p.write
	}
	b.lower(now)
	p.stats.Reason, p.stats.Resource = name, r.Resource
}
