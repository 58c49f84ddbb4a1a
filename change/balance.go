package change

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
)

// survey is what a worker knows when it decides which leases to take.
type survey struct {
	me      string
	leases  map[string]Lease // of one stream, by shard
	running map[string]bool  // shards that this worker has
	listed  map[string]bool  // shards that the service lists
	expired map[string]bool  // shards whose owner is dead
	waiting map[string]bool  // shards that others could have taken for some time, and did not
	max     int              // most shards of this worker; zero: any number
}

// choice is which leases to take, or which one to ask a living worker for.
type choice struct {
	free []Lease
	ask  *Lease
}

// choose decides. Workers that know the same end with loads that differ by one at most, and no lease that
// can be handled stays free as long as workers have room.
func (s *survey) choose() choice {
	var (
		free, mine []Lease
		loads      = map[string][]Lease{s.me: nil}
		ready      int
		asked      bool
	)
	for _, shard := range slices.Sorted(maps.Keys(s.leases)) {
		l := s.leases[shard]
		if !s.ready(l) {
			continue
		}
		ready++
		switch {
		case l.Heir != "" && l.Heir != s.me && (s.running[l.Shard] || l.Owner == "" && !s.waiting[l.Shard]):
			loads[l.Heir] = append(loads[l.Heir], l) // as good as gone
		case s.running[l.Shard]:
			mine = append(mine, l)
		case l.Owner == "" || l.Owner == s.me || s.expired[l.Shard]:
			free = append(free, l)
		default:
			loads[l.Owner] = append(loads[l.Owner], l)
			if _, known := loads[l.Heir]; !known && l.Heir != "" {
				loads[l.Heir] = nil // a worker that has no lease yet
			}
			asked = asked || l.Heir == s.me
		}
	}
	share := (ready + len(loads) - 1) / len(loads)
	if s.max > 0 {
		share = min(share, s.max)
	}
	need := share - len(mine)
	if need <= 0 {
		// Others may have less room than their share.
		free = slices.DeleteFunc(free, func(l Lease) bool { return !s.waiting[l.Shard] })
		if s.max > 0 {
			free = free[:min(len(free), max(0, s.max-len(mine)))]
		}
		return choice{free: free}
	}
	if len(free) > 0 {
		// Workers that start together should not all reach for the same leases.
		rand.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] }) //nolint:gosec // no secret
		return choice{free: free[:min(need, len(free))]}
	}
	var richest []Lease
	for _, owner := range slices.Sorted(maps.Keys(loads)) {
		if len(loads[owner]) > len(richest) {
			richest = loads[owner]
		}
	}
	richest = slices.DeleteFunc(richest, func(l Lease) bool { return l.Heir != "" }) // which it will not have for long
	if asked || len(richest) <= len(mine)+1 {
		return choice{}
	}
	return choice{ask: &richest[rand.IntN(len(richest))]} //nolint:gosec // no secret
}

// ready reports whether a shard may be handled: it is not at its end, and the shard that it continues is at
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

// forgettable lists the leases that nothing needs any more: of shards that are handled to their end and gone, whose
// own parents are forgotten and whose children have all begun.
func (s *survey) forgettable() []Lease {
	awaited := make(map[string]bool) // by children that have not begun
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
