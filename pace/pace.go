// SPDX-License-Identifier: Apache-2.0

// Package pace limits the rate of read and write units a second. All calls whose context has the pace share it, from Get to
// parallel scans, batches and layers.
//
//	p := pace.New(pace.Rates{ReadUnits: 500, WriteUnits: 200})
//	for o, err := range orders.Scan().Parallel(4).All(pace.With(ctx, p)) { ... }
//
// [Of] follows a share of a table's throughput. A request waits until its maximum cost fits; afterwards its actual cost is counted. Pages
// are sized so that they fit. When DynamoDB throttles, the pace slows down according to the reason.
package pace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/progress"
)

// Rates are capacity units a second. Zero is no limit for that kind.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type Rates struct {
	ReadUnits  float64
	WriteUnits float64
}

// maxRate is more than any table has.
const maxRate = 1e9

func (r Rates) check() error {
	var errs []error
	for _, u := range []struct {
		name string
		rate float64
	}{{"ReadUnits", r.ReadUnits}, {"WriteUnits", r.WriteUnits}} {
		if !(u.rate >= 0 && u.rate <= maxRate) { // so written for what is no number
			errs = append(errs, fmt.Errorf("pace: Rates.%s is %g units a second: it must be 0, for no limit, to %g", u.name, u.rate, maxRate))
		}
	}
	if errs != nil {
		return fmt.Errorf("%w: %w", ddb.ErrInvalid, errors.Join(errs...))
	}
	return nil
}

// Pace is a rate that many calls share; it is a [ddb.Gate]. It is safe for concurrent use, and has no goroutine.
//
// In every window of w seconds the requests with a pace cost at most rate x (w + 1) units and one page or request more. That counts a
// request when it is admitted. It holds as long as no item is a quarter larger than all that the program has seen of the table; what a
// larger one costs more is paid back before the next request. What the reply of a failed request does not state is not counted.
type Pace struct {
	wrong error
	share *share // nil for a fixed rate

	mu      sync.Mutex
	read    bucket
	write   bucket
	parked  map[string]parking
	sizes   map[string]float64 // bytes of an item as scans meet them, by table and index
	reasons map[string]int64
	stats   Stats
}

var _ ddb.Gate = (*Pace)(nil)

// New is a pace of a fixed rate. The rate is lowered while DynamoDB throttles, and never raised above what is given. Rates
// that are negative or no number are refused by each call with the pace.
func New(r Rates) *Pace {
	p := newPace()
	if p.wrong = r.check(); p.wrong == nil {
		p.setCeiling(time.Now(), r)
		p.read.reset()
		p.write.reset()
	}
	return p
}

func newPace() *Pace {
	p := &Pace{parked: make(map[string]parking), sizes: make(map[string]float64)}
	p.read.turn, p.write.turn = make(chan struct{}, 1), make(chan struct{}, 1)
	p.read.changed, p.write.changed = make(chan struct{}, 1), make(chan struct{}, 1)
	p.reasons = make(map[string]int64)
	return p
}

// With limits calls with the context to the pace, besides those that the context has already. A nil pace changes nothing. The progress of a long call shows the
// rate as its ceiling, and that it waits.
func With(ctx context.Context, p *Pace) context.Context {
	if p == nil {
		return ctx
	}
	ctx = progress.WithLimit(context.WithValue(ctx, paceKey{}, p), p.limit)
	return ddb.WithGate(ctx, p)
}

// limit is the state for progress.
func (p *Pace) limit() progress.Limit {
	s := p.Stats()
	l := progress.Limit{Ceiling: progress.Units{Read: s.Rate.ReadUnits, Write: s.Rate.WriteUnits}, Waiting: s.Waiting > 0}
	switch {
	case s.State == "lowered":
		l.Reason = "pace, lowered: " + s.Reason
	case l.Waiting:
		l.Reason = "pace"
	}
	return l
}

type paceKey struct{}

// From returns the pace that was last given to the context, or nil.
func From(ctx context.Context) *Pace {
	p, _ := ctx.Value(paceKey{}).(*Pace)
	return p
}

// Set changes the rates while calls are under way. It returns an error for rates that [New] refuses, and for a pace
// that follows a table.
func (p *Pace) Set(r Rates) error {
	if err := r.check(); err != nil {
		return err
	}
	if p == nil || p.share != nil {
		return fmt.Errorf("%w: pace: Set on a pace that is nil or follows a table", ddb.ErrInvalid)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong = nil
	p.setCeiling(time.Now(), r)
	p.read.reset()
	p.write.reset()
	return nil
}

// setCeiling changes what the rates may be at most. The caller holds mu.
func (p *Pace) setCeiling(now time.Time, r Rates) {
	p.read.limit(now, r.ReadUnits)
	p.write.limit(now, r.WriteUnits)
	p.read.notify()
	p.write.notify()
}

// Stats is the state of a [Pace].
type Stats struct {
	// State is "running", "waiting" while requests wait for units, or "lowered" while DynamoDB's throttling keeps the rate down.
	State string
	// Reason is the last throttling reason that lowered the rate or parked a key range, such as IndexWriteProvisionedThroughputExceeded; it is
	// "throttled" if DynamoDB gave none.
	Reason string
	// Resource is what that reason is about: the ARN of a table or an index.
	Resource string
	// Rate is what is used now, Ceiling is the most that it may be.
	Rate, Ceiling Rates
	// Source says where the ceiling comes from, for a pace that follows a table: "provisioned", "on-demand maximum" or "warm throughput".
	Source string
	// Spent is what the requests that have ended have cost.
	Spent cost.Consumed
	// Requests have ended, Waiting are not sent yet.
	Requests int64
	Waiting  int
	// Waited is the time that all requests have waited together.
	Waited time.Duration
	// Parked is how many key ranges or segments wait by themselves because they are hot.
	Parked int
	// Throttled counts attempts by DynamoDB's reason, in the order of the names.
	Throttled []Throttle
	// FollowError is why the throughput of the table could not be read again, if it could not.
	FollowError string
}

// Throttle is how many attempts were throttled for a reason.
type Throttle struct {
	Reason   string
	Attempts int64
}

// Stats returns the state now.
func (p *Pace) Stats() Stats {
	if p == nil {
		return Stats{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.read.fill(now)
	p.write.fill(now)
	s := p.stats
	for _, reason := range slices.Sorted(maps.Keys(p.reasons)) {
		s.Throttled = append(s.Throttled, Throttle{reason, p.reasons[reason]})
	}
	s.Rate, s.Ceiling = Rates{p.read.rate, p.write.rate}, Rates{p.read.ceiling, p.write.ceiling}
	for _, k := range p.parked {
		if k.until.After(now) {
			s.Parked++
		}
	}
	switch {
	case p.read.lowered() || p.write.lowered():
		s.State = "lowered"
	case s.Waiting > 0:
		s.State = "waiting"
	default:
		s.State = "running"
	}
	return s
}

// Format prints the type's name, for every verb. [Pace.Stats] has its state.
func (p *Pace) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "pace.Pace") }
