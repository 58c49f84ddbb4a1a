// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"time"

	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// Option configures an engine.
type Option func(*config)

type config struct {
	region     string
	account    string
	stateDelay time.Duration
	clock      *Clock
	folder     *folder // nil to keep nothing
	faults     []fault.Rule
	seed       uint64
	shuffle    bool
	observe    func(fault.Request)
	throughput *engine.ThroughputModel
	buckets    string // "" for none
	onImport   func(ImportError)
}

// WithRegion sets the Region in ARNs and in the configuration of clients. The
// default is "us-east-1".
func WithRegion(region string) Option {
	return func(c *config) { c.region = region }
}

// WithAccountID sets the account in ARNs. The default is "000000000000".
func WithAccountID(id string) Option {
	return func(c *config) { c.account = id }
}

// WithVirtualClock makes the engine's clock stay at start until
// [Clock.Advance] moves it. By default it runs.
func WithVirtualClock(start time.Time) Option {
	return func(c *config) { c.clock.virtual, c.clock.now = true, start }
}

// WithStateDelay makes tables and indexes stay CREATING, UPDATING and DELETING
// for d on the engine's clock. By default every change of a table is complete when
// its operation returns.
func WithStateDelay(d time.Duration) Option {
	return func(c *config) { c.stateDelay = d }
}

// WithFaults injects faults by rules; see package fault. [New] logs the
// seed if they involve chance.
func WithFaults(rules ...fault.Rule) Option {
	return func(c *config) { c.faults = append(c.faults, rules...) }
}

// WithSeed repeats the chances of an earlier run. The default is the number in
// DDBTEST_SEED or, without it, a new one each time.
func WithSeed(seed uint64) Option {
	return func(c *config) { c.seed = seed }
}

// WithShuffle makes the engine answer in a random order where the service guarantees
// none: scans visit the partitions in a random order, items with equal
// keys in an index are not ordered by the table's key, and the items of a
// BatchGetItem are not in the order of the request. The order depends on the seed, which
// [New] logs. Within one engine it stays the same for scans and queries.
//
// A test that passes without this option and fails with it relies on luck.
func WithShuffle() Option {
	return func(c *config) { c.shuffle = true }
}

// WithObserver calls f for every request that arrives, before it is executed,
// from many goroutines.
func WithObserver(f func(fault.Request)) Option {
	return func(c *config) { c.observe = f }
}
