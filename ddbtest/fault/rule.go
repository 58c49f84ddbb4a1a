// SPDX-License-Identifier: Apache-2.0

// Package fault describes what is to go wrong in an engine of package ddbtest, and when:
//
//	client := ddbtest.New(t, ddbtest.WithFaults(
//		fault.On("PutItem").Table("orders").Nth(2).DropReply(),
//		fault.On().Chance(0.05).Throttle("TableWriteKeyRangeThroughputExceeded"),
//	))
//
// A rule says which requests it is for, by a chain that begins with [On], and what happens to them, by the last call
// of the chain. The first rule that a request meets decides; the others do not count it.
//
// What a rule with [Matcher.Chance] does with the n-th request that it matches follows from the seed, the place of
// the rule and n alone. So a program that sends its requests in one order meets the same faults each time; among
// concurrent requests the order decides which of them is the n-th.
package fault

import (
	"slices"
	"time"
)

// Request is a request that arrived.
type Request struct {
	// Operation is the name of the operation, such as "PutItem".
	Operation string
	// Tables are the names of the tables that it is about, each once.
	Tables []string
	// Body is its JSON. It must not be changed.
	Body []byte
	// Time is the engine's time.
	Time time.Time
	// Fault is what the rules decided, such as "reply dropped"; empty for nothing.
	Fault string
}

// Matcher says which requests a rule is for. The zero Matcher is for all. It is immutable: every method returns
// another one.
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

// Table limits the rule to requests about a table.
func (m Matcher) Table(name string) Matcher {
	m.table = name
	return m
}

// Where limits the rule to requests for which a function returns true. It is called from many goroutines.
func (m Matcher) Where(match func(Request) bool) Matcher {
	m.where = match
	return m
}

// Nth limits the rule to the n-th request that it would be for, from 1 on.
func (m Matcher) Nth(n int) Matcher {
	m.nth = n
	return m
}

// First limits the rule to the first n requests that it would be for.
func (m Matcher) First(n int) Matcher {
	m.first = n
	return m
}

// Every limits the rule to each n-th request that it would be for.
func (m Matcher) Every(n int) Matcher {
	m.every = n
	return m
}

// Chance limits the rule to a share of its requests, 0 to 1, by the seed.
func (m Matcher) Chance(share float64) Matcher {
	m.chance, m.chances = share, true
	return m
}

// Between limits the rule to a time by the engine's clock, until excluded. A zero time is no limit.
func (m Matcher) Between(from, until time.Time) Matcher {
	m.from, m.until = from, until
	return m
}

// Applied makes the engine execute the request before it goes wrong.
func (m Matcher) Applied() Matcher {
	m.applied = true
	return m
}

// matches reports whether the rule is for a request, but for its number.
func (m *Matcher) matches(r Request) bool {
	return (len(m.operations) == 0 || slices.Contains(m.operations, r.Operation)) &&
		(m.table == "" || slices.Contains(r.Tables, m.table)) &&
		(m.from.IsZero() || !r.Time.Before(m.from)) && (m.until.IsZero() || r.Time.Before(m.until)) &&
		(m.where == nil || m.where(r))
}

// picks reports whether the rule is for the n-th request that it matches.
func (m *Matcher) picks(n int, seed uint64) bool {
	switch {
	case m.nth > 0 && n != m.nth, m.first > 0 && n > m.first, m.every > 0 && n%m.every != 0:
		return false
	}
	return !m.chances || share(seed, n) < m.chance
}

// share is a number from 0 to 1 that follows from its arguments.
func share(seed uint64, n int) float64 {
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

// Rule is a fault and the requests that it befalls.
type Rule struct {
	match Matcher
	name  string
	lag   time.Duration // of stale reads
	do    action
}

func (m Matcher) rule(name string, do action) Rule { return Rule{match: m, name: name, do: do} }
