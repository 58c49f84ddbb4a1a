// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/dynamotable/ddb/internal/badinput"
)

// ErrBudgetExceeded means that a call was not made, or not continued, because its [Budget] is spent.
var ErrBudgetExceeded = errors.New("budget exceeded")

// Limits are the limits of a [Budget]. A zero field means no limit. A field that is negative, not a
// number or too large to be counted is refused.
type Limits struct {
	ReadUnits  float64
	WriteUnits float64
	// Items is the number of items that are read, before any filter, or written. A missing
	// item that is billed counts as one.
	Items int64
	// Requests is the number of requests that are sent, not counting the SDK's retries. A page
	// of a query or scan is a request; so are 100 keys or 25 writes of a batch.
	Requests int64
}

// Spent is what was spent of a [Budget].
type Spent struct {
	ReadUnits  float64
	WriteUnits float64
	Items      int64
	Requests   int64
}

// Budget limits the total cost of all calls that are made with a context, or with several. A budget
// without limits is a meter.
//
//	ctx = ddb.WithBudget(ctx, cost.NewBudget(cost.Limits{ReadUnits: 500}))
//	for o, err := range orders.Scan().All(ctx) { ... } // ends with *BudgetExceeded
//
// A request is sent only if its minimum cost (an item of known size when it is
// put, 4 KB when it is read) still fits in addition to all requests in flight. Items and
// Requests are never exceeded. Units can be exceeded, because a request is billed for what it
// finds: by one request for each that is in flight at once; a page of a query or scan
// costs at most 1 MB, which is 128 read units or 256 if consistent. Pages and All read one page
// ahead.
//
// Units are counted as replies state them; the cost of a failed call is not known. A Budget is safe for concurrent use.
type Budget struct {
	limits Limits
	wrong  error // what is wrong with the limits
	mu     sync.Mutex
	spent  spending // including what is reserved for requests in flight
	held   spending
}

// spending is Spent in millionths, so that sums are exact.
type spending struct{ read, write, items, requests int64 }

func (s spending) plus(t spending) spending {
	return spending{s.read + t.read, s.write + t.write, s.items + t.items, s.requests + t.requests}
}

func (s spending) minus(t spending) spending {
	return spending{s.read - t.read, s.write - t.write, s.items - t.items, s.requests - t.requests}
}

// NewBudget makes a budget. If a limit is negative, not a number or
// more than 9e12 units, every call with the budget fails with a *ddb.InvalidError that names the
// limits. So the rest of an overdrawn quota never becomes a budget without a limit.
func NewBudget(l Limits) *Budget { return &Budget{limits: l, wrong: l.check()} }

// MaxUnits is the maximum of a limit: what can be counted in millionths.
const MaxUnits = 9e12

func (l Limits) check() error {
	var errs []error
	for _, u := range []struct {
		name  string
		units float64
	}{{"ReadUnits", l.ReadUnits}, {"WriteUnits", l.WriteUnits}} {
		if !(u.units >= 0 && u.units <= MaxUnits) { // written so because of NaN
			errs = append(errs, fmt.Errorf("budget: Limits.%s is %g: it must be 0, for no limit, to %g", u.name, u.units, MaxUnits))
		}
	}
	for _, c := range []struct {
		name  string
		count int64
	}{{"Items", l.Items}, {"Requests", l.Requests}} {
		if c.count < 0 {
			errs = append(errs, fmt.Errorf("budget: Limits.%s is %d: it must be 0, for no limit, or more", c.name, c.count))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &badinput.DefinitionError{Cause: errors.Join(errs...)}
}

// limitOf returns a limit in millionths; 0 only for no limit.
func limitOf(units float64) int64 {
	if units <= 0 {
		return 0
	}
	return max(1, toMicro(units))
}

// Limits returns the limits that the budget was made with.
func (b *Budget) Limits() Limits {
	if b == nil {
		return Limits{}
	}
	return b.limits
}

// Spent returns the cost of the calls that have ended.
func (b *Budget) Spent() Spent {
	if b == nil {
		return Spent{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent.minus(b.held).exported()
}

func (s spending) exported() Spent {
	return Spent{ReadUnits: float64(s.read) / micro, WriteUnits: float64(s.write) / micro, Items: s.items, Requests: s.requests}
}

// BudgetExceeded is the error of a call that was not made, or not continued. It matches
// [ErrBudgetExceeded].
type BudgetExceeded struct { //nolint:errname // reads as what happened
	Limits Limits
	Spent  Spent
	// Exhausted names the limits that the next request would have exceeded.
	Exhausted []string
	// Cursor is the text of the cursor after the last returned item, for
	// ParseCursor of the same table or index, so that the query or scan can continue later. It
	// is empty at the beginning, for other calls, and for parallel scans. For a sweep (package sweep) it is the position, for Resume.
	Cursor string
}

// Error says how much of each limit is spent.
func (e *BudgetExceeded) Error() string {
	var of []string
	for _, x := range e.Exhausted {
		switch x {
		case limitRead:
			of = append(of, fmt.Sprintf("%g of %g %s", e.Spent.ReadUnits, e.Limits.ReadUnits, x))
		case limitWrite:
			of = append(of, fmt.Sprintf("%g of %g %s", e.Spent.WriteUnits, e.Limits.WriteUnits, x))
		case limitItems:
			of = append(of, fmt.Sprintf("%d of %d %s", e.Spent.Items, e.Limits.Items, x))
		case limitRequests:
			of = append(of, fmt.Sprintf("%d of %d %s", e.Spent.Requests, e.Limits.Requests, x))
		}
	}
	return "budget exceeded: " + strings.Join(of, ", ") + " are spent, and the next request costs more than what is left"
}

// Is makes the error match [ErrBudgetExceeded].
func (e *BudgetExceeded) Is(target error) bool { return target == ErrBudgetExceeded }

// The names in BudgetExceeded.Exhausted.
const (
	limitRead     = "read units"
	limitWrite    = "write units"
	limitItems    = "items"
	limitRequests = "requests"
)

// Reserved is what one request reserves of its budgets while it is in flight.
type Reserved struct {
	budgets []*Budget
	held    spending
}

// Reserve reserves the minimum cost of a request on all budgets, or on none: then the error is a [*BudgetExceeded], or says what is wrong
// with the limits of a budget and matches ddb.ErrInvalid. Nil budgets are ignored. The result must be
// charged or released.
func Reserve(budgets []*Budget, least Spent) (Reserved, error) {
	r := Reserved{budgets, spending{
		read: int64(math.Floor(least.ReadUnits * micro)), write: int64(math.Floor(least.WriteUnits * micro)),
		items: least.Items, requests: least.Requests,
	}}
	for i, b := range budgets {
		if err := b.hold(r.held); err != nil {
			for _, other := range budgets[:i] {
				other.release(r.held, spending{})
			}
			return Reserved{}, err
		}
	}
	return r, nil
}

// Charge replaces the reservation by the cost of the request.
func (r Reserved) Charge(c Consumed, items int) {
	spent := spending{read: toMicro(validUnits(c.ReadUnits)), write: toMicro(validUnits(c.WriteUnits)), items: int64(items), requests: 1}
	for _, b := range r.budgets {
		b.release(r.held, spent)
	}
}

// Release releases the reservation for a request that is not sent.
func (r Reserved) Release() {
	for _, b := range r.budgets {
		b.release(r.held, spending{})
	}
}

// ItemsLeft returns how many items the next request may read or write, at least one; limited is false if there is no such limit.
func (b *Budget) ItemsLeft() (left int64, limited bool) {
	if b == nil || b.limits.Items <= 0 {
		return 0, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(1, b.limits.Items-b.spent.items), true
}

func (b *Budget) hold(least spending) error {
	if b == nil {
		return nil
	}
	if b.wrong != nil {
		return b.wrong
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	after := b.spent.plus(least)
	var exhausted []string
	check := func(name string, after, before, limit int64) {
		if limit > 0 && after > limit && after > before {
			exhausted = append(exhausted, name)
		}
	}
	check(limitRead, after.read, b.spent.read, limitOf(b.limits.ReadUnits))
	check(limitWrite, after.write, b.spent.write, limitOf(b.limits.WriteUnits))
	check(limitItems, after.items, b.spent.items, b.limits.Items)
	check(limitRequests, after.requests, b.spent.requests, b.limits.Requests)
	if exhausted != nil {
		return &BudgetExceeded{Limits: b.limits, Spent: b.spent.minus(b.held).exported(), Exhausted: exhausted}
	}
	b.spent, b.held = after, b.held.plus(least)
	return nil
}

// release ends the reservation and adds what was spent.
func (b *Budget) release(held, spent spending) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = b.spent.minus(held).plus(spent)
	b.held = b.held.minus(held)
}
