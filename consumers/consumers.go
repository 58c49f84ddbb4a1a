// SPDX-License-Identifier: Apache-2.0

// Package consumers lists the consumers of changes and events that run in this process, with their figures.
package consumers

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Stats are figures of a consumer of changes or events that runs in this process, for health checks and metrics; package telemetry
// exports them, and the page of package debug shows them.
type Stats struct {
	// Kind is "feed" for a subscription of an event store, "change" for a consumer of a table's stream.
	Kind string `json:"kind"`
	// Table is the one whose events or changes it handles, Consumer its name there.
	Table    string `json:"table"`
	Consumer string `json:"consumer"`
	// Shards is how many shards this process handles; with leases, those that it has.
	Shards int `json:"shards"`
	// Lag is how many commits of its shards are not handled yet, as far as it has looked; -1 where the source cannot tell, as a table's stream.
	Lag int64 `json:"lag"`
	// Age is how long the oldest change or commit of its shards that is not handled waits, by the clocks of its writer and of this process; zero at the tip.
	Age time.Duration `json:"-"`
	// ReadAge is how long ago the last read of the slowest of its shards was answered. A value that grows means that a shard is not read.
	ReadAge time.Duration `json:"-"`
	// Handled counts commits or records, Retries the calls and handlers that were tried again, since it began.
	Handled int64 `json:"handled"`
	Retries int64 `json:"retries"`
	// GivenUp counts what was skipped, sent to dead letters or parked since it began; Parked is how much of its shards is parked now.
	GivenUp int64 `json:"givenUp"`
	Parked  int64 `json:"parked"`
	// LeasesLost counts leases that another process took over, or that could not be renewed in time, since it began.
	LeasesLost int64 `json:"leasesLost"`
}

var running struct {
	sync.Mutex
	next int
	all  map[int]func() Stats
}

// Add has [List] list a consumer until remove is called. Stats must be quick and safe for concurrent use. Layers call it; a program may, for consumers of its own.
func Add(stats func() Stats) (remove func()) {
	running.Lock()
	defer running.Unlock()
	if running.all == nil {
		running.all = make(map[int]func() Stats)
	}
	id := running.next
	running.next++
	running.all[id] = stats
	return func() {
		running.Lock()
		defer running.Unlock()
		delete(running.all, id)
	}
}

// Merge makes one of two parts of a consumer, such as those of two processes: counts are sums, ages the highest. A lag that is not known adds nothing to one that is.
func Merge(a, b Stats) Stats {
	a.Shards += b.Shards
	if b.Lag >= 0 { // -1 is not known
		a.Lag = max(a.Lag, 0) + b.Lag
	}
	a.Age, a.ReadAge = max(a.Age, b.Age), max(a.ReadAge, b.ReadAge)
	a.Handled += b.Handled
	a.Retries += b.Retries
	a.GivenUp += b.GivenUp
	a.Parked += b.Parked
	a.LeasesLost += b.LeasesLost
	return a
}

// List lists the consumers that run in this process, by kind, table and name. It sends nothing.
func List() []Stats {
	running.Lock()
	funcs := make([]func() Stats, 0, len(running.all))
	for _, f := range running.all {
		funcs = append(funcs, f)
	}
	running.Unlock()
	list := make([]Stats, len(funcs))
	for i, f := range funcs {
		list[i] = f()
	}
	slices.SortFunc(list, func(a, b Stats) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Consumer, b.Consumer))
	})
	return list
}
