// SPDX-License-Identifier: Apache-2.0

package change

import (
	"cmp"
	"slices"

	"github.com/dynamotable/ddb/internal/lease"
)

// survey is what a worker knows about the leases of one stream.
type survey struct {
	me      string
	leases  map[string]Lease // by shard
	running map[string]bool  // shards that this worker has
	listed  map[string]bool  // shards that the service lists
	expired map[string]bool  // shards whose owner is dead
	waiting map[string]bool  // shards that others could have taken for some time but did not
	max     int              // maximum number of shards of this worker; zero: no limit
}

// choose decides which leases to take, or which one to ask a living worker for.
func (s *survey) choose() lease.Choice {
	ready := make(map[string]lease.State, len(s.leases))
	for shard, l := range s.leases {
		if s.ready(l) {
			ready[shard] = l.state()
		}
	}
	c := lease.Survey{Me: s.me, Leases: ready, Running: s.running, Expired: s.expired, Waiting: s.waiting, Max: s.max}
	return c.Choose()
}

// ready reports whether a shard may be handled: it is not at its end, and its parent is at
// its end or forgotten.
func (s *survey) ready(l Lease) bool {
	if l.Shard == "" || l.Checkpoint == End {
		return false
	}
	if l.Parent == "" {
		return true
	}
	if parent, ok := s.leases[l.Parent]; ok {
		return parent.Checkpoint == End
	}
	return !s.listed[l.Parent]
}

// forgettable lists the leases that are no longer needed: of shards that are handled to their end and no longer exist, whose
// parents are forgotten and whose children have all begun.
func (s *survey) forgettable() []Lease {
	awaited := make(map[string]bool) // of children that have not begun
	for _, l := range s.leases {
		if l.Owner == "" && l.Counter == 0 {
			awaited[l.Parent] = true
		}
	}
	var out []Lease
	for _, l := range s.leases {
		_, hasParent := s.leases[l.Parent]
		if l.Shard != "" && l.Checkpoint == End && !s.listed[l.Shard] && !awaited[l.Shard] && (l.Parent == "" || !hasParent) {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b Lease) int { return cmp.Compare(a.Shard, b.Shard) })
	return out
}
