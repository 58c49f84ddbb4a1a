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
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/progress"
)

// Rates are capacity units a second. Zero means no limit for that kind.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type Rates struct {
	ReadUnits  float64
	WriteUnits float64
}

// maxRate is more than the throughput of any table.
const maxRate = 1e9

func (r Rates) check() error {
	var errs []error
	for _, u := range []struct {
		name string
		rate float64
	}{{"ReadUnits", r.ReadUnits}, {"WriteUnits", r.WriteUnits}} {
		if !(u.rate >= 0 && u.rate <= maxRate) { // written this way to refuse NaN
			errs = append(errs, fmt.Errorf("pace: Rates.%s is %g units a second: it must be 0, for no limit, to %g", u.name, u.rate, maxRate))
		}
	}
	if errs != nil {
		return fmt.Errorf("%w: %w", ddb.ErrInvalid, errors.Join(errs...))
	}
	return nil
}

// Pace is a rate that many calls share. It is a [hooks.Gate], is safe for concurrent use, and has no goroutine.
//
// In every window of w seconds, the requests with a pace cost at most rate x (w + 1) units plus one page or request. A request
// counts at the time when it is admitted. This holds as long as no item is more than a quarter larger than any that the program
// has seen in the table; the additional cost of a larger one is paid back before the next request. The cost of a failed request
// is not counted if its reply does not report it.
type Pace struct {
	wrong error
	share *share // nil for a fixed rate

	mu      sync.Mutex
	read    bucket
	write   bucket
	parked  map[string]parking
	sizes   map[string]float64 // bytes of an item, as scans count them, by table and index
	reasons map[string]int64
	stats   Stats
}

var _ hooks.Gate = (*Pace)(nil)

// New returns a pace with a fixed rate. The rate is lowered while DynamoDB throttles, and never raised above the given rates. If
// a rate is negative or NaN, each call with the pace fails.
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

// With returns a context whose calls obey the pace, in addition to those that the context already has. A nil pace changes
// nothing. The progress of a long call shows the rate as its ceiling, and shows when the call waits.
func With(ctx context.Context, p *Pace) context.Context {
	if p == nil {
		return ctx
	}
	ctx = progress.WithLimit(context.WithValue(ctx, paceKey{}, p), p.limit)
	return ddb.WithGate(ctx, p)
}

// limit returns the state for progress.
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

// From returns the pace that was added to the context last, or nil.
func From(ctx context.Context) *Pace {
	p, _ := ctx.Value(paceKey{}).(*Pace)
	return p
}

// Set changes the rates while calls are in progress. It returns an error for rates that [New] rejects, and for a pace that
// follows a table.
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

// setCeiling changes the upper limits of the rates. The caller holds mu.
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
	// Resource is the ARN of the table or index that the reason is about.
	Resource string
	// Rate is the current rate, Ceiling its upper limit.
	Rate, Ceiling Rates
	// Source is the origin of the ceiling, for a pace that follows a table: "provisioned", "on-demand maximum" or "warm
	// throughput".
	Source string
	// Spent is the cost of the requests that have ended.
	Spent cost.Consumed
	// Requests is the number of requests that have ended, Waiting of those that are not sent yet.
	Requests int64
	Waiting  int
	// Waited is the total time that requests have waited.
	Waited time.Duration
	// Parked is the number of key ranges or segments that wait because they are hot.
	Parked int
	// Throttled counts attempts by DynamoDB's reason, in the order of the names.
	Throttled []Throttle
	// FollowError is the error of the last attempt to read the throughput of the table, if it failed.
	FollowError string
}

// Throttle is the number of attempts that were throttled for a reason.
type Throttle struct {
	Reason   string
	Attempts int64
}

// Stats returns the current state.
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

// Format prints the name of the type for every verb. [Pace.Stats] returns the state.
func (p *Pace) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "pace.Pace") }
