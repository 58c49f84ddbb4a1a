// SPDX-License-Identifier: Apache-2.0

// Package consumers lists the consumers of changes and events that run in this process, with their statistics.
package consumers

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Stats are the statistics of a consumer of changes or events that runs in this process, for health checks and metrics. Package telemetry
// exports them, and the page of package debug shows them.
type Stats struct {
	// Kind is "feed" for a subscription of an event store, "change" for a consumer of a table's stream.
	Kind string `json:"kind"`
	// Table is the table whose events or changes it handles, Consumer its name.
	Table    string `json:"table"`
	Consumer string `json:"consumer"`
	// Shards is the number of shards that this process handles; with leases, the shards that it holds.
	Shards int `json:"shards"`
	// Lag is the number of commits of its shards that are not handled yet, as of its last look; -1 if the source does not report it, as with a table's stream.
	Lag int64 `json:"lag"`
	// Age is how long the oldest unhandled change or commit of its shards has been waiting, by the clocks of its writer and of this process; zero at the tip.
	Age time.Duration `json:"-"`
	// ReadAge is the time since the last answered read of the slowest of its shards. A growing value means that a shard is not being read.
	ReadAge time.Duration `json:"-"`
	// Handled is the number of commits or records, Retries the number of repeated calls and handlers, since it began.
	Handled int64 `json:"handled"`
	Retries int64 `json:"retries"`
	// GivenUp is the number of changes or commits that were skipped, sent to dead letters or parked since it began; Parked is the number that is parked now.
	GivenUp int64 `json:"givenUp"`
	Parked  int64 `json:"parked"`
	// LeasesLost is the number of leases that another process took over, or that could not be renewed in time, since it began.
	LeasesLost int64 `json:"leasesLost"`
}

var running struct {
	sync.Mutex
	next int
	all  map[int]func() Stats
}

// Add adds a consumer to [List] until remove is called. Stats must be fast and safe for concurrent use. The layers call it; programs may call it for their own
// consumers.
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

// Merge combines two parts of a consumer, such as those of two processes: counts are added, ages are the highest. An unknown lag adds nothing to a known one.
func Merge(a, b Stats) Stats {
	a.Shards += b.Shards
	if b.Lag >= 0 { // -1 means unknown
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
