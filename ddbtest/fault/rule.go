// SPDX-License-Identifier: Apache-2.0

// Package fault describes faults that an engine of package ddbtest injects, and when:
//
//	client := ddbtest.New(t, ddbtest.WithFaults(
//		fault.On("PutItem").Table("orders").Nth(2).DropReply(),
//		fault.On().Chance(0.05).Throttle("TableWriteKeyRangeThroughputExceeded"),
//	))
//
// A rule is a chain of calls that begins with [On]. The calls select requests, and the last call says what happens to
// them. The first rule that matches a request applies; the others do not count it.
//
// What a rule with [Matcher.Chance] does with the n-th request that it matches depends only on the seed, the position of
// the rule and n. So a program that sends its requests in a fixed order gets the same faults each time. With
// concurrent requests, their order decides which of them is the n-th.
package fault

import (
	"slices"
	"time"
)

// Request is a request that arrived.
type Request struct {
	// Operation is the name of the operation, such as "PutItem".
	Operation string
	// Tables are the names of the tables of the request, each once.
	Tables []string
	// Body is the JSON body. It must not be changed.
	Body []byte
	// Time is the engine's time.
	Time time.Time
	// Fault is the injected fault, such as "reply dropped"; it is empty without one.
	Fault string
}

// Matcher selects the requests that a rule applies to. The zero Matcher selects all. It is immutable: every method returns
// a new one.
type Matcher struct {
	operations        []string
	table             string
	where             func(Request) bool
	nth, first, every int
	chance            float64
	chances           bool
	from, until       time.Time
	applied           bool
}

// On begins a rule for some operations, or for all if none is named.
func On(operations ...string) Matcher { return Matcher{operations: slices.Clone(operations)} }

// Table limits the rule to requests for a table.
func (m Matcher) Table(name string) Matcher {
	m.table = name
	return m
}

// Where limits the rule to requests for which a function returns true. It is called from many goroutines.
func (m Matcher) Where(match func(Request) bool) Matcher {
	m.where = match
	return m
}

// Nth limits the rule to the n-th request that it would match, counted from 1.
func (m Matcher) Nth(n int) Matcher {
	m.nth = n
	return m
}

// First limits the rule to the first n requests that it would match.
func (m Matcher) First(n int) Matcher {
	m.first = n
	return m
}

// Every limits the rule to each n-th request that it would match.
func (m Matcher) Every(n int) Matcher {
	m.every = n
	return m
}

// Chance limits the rule to a share of its requests, 0 to 1, chosen by the seed.
func (m Matcher) Chance(share float64) Matcher {
	m.chance, m.chances = share, true
	return m
}

// Between limits the rule to a time range by the engine's clock, until excluded. A zero time means no limit.
func (m Matcher) Between(from, until time.Time) Matcher {
	m.from, m.until = from, until
	return m
}

// Applied makes the engine execute the request before the fault.
func (m Matcher) Applied() Matcher {
	m.applied = true
	return m
}

// matches reports whether the rule matches a request, apart from its number.
func (m *Matcher) matches(r Request) bool {
	return (len(m.operations) == 0 || slices.Contains(m.operations, r.Operation)) &&
		(m.table == "" || slices.Contains(r.Tables, m.table)) &&
		(m.from.IsZero() || !r.Time.Before(m.from)) && (m.until.IsZero() || r.Time.Before(m.until)) &&
		(m.where == nil || m.where(r))
}

// appliesTo reports whether the rule applies to the n-th request that it matches.
func (m *Matcher) appliesTo(n int, seed uint64) bool {
	switch {
	case m.nth > 0 && n != m.nth, m.first > 0 && n > m.first, m.every > 0 && n%m.every != 0:
		return false
	}
	return !m.chances || fraction(seed, n) < m.chance
}

// fraction returns a number from 0 to 1 that depends only on its arguments.
func fraction(seed uint64, n int) float64 {
	x := mix(seed + uint64(n)*0x9e3779b97f4a7c15)
	return float64(x>>11) / (1 << 53)
}

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Rule is a fault and the requests that it applies to.
type Rule struct {
	match Matcher
	name  string
	lag   time.Duration // of stale reads
	do    action
}

func (m Matcher) rule(name string, do action) Rule { return Rule{match: m, name: name, do: do} }
