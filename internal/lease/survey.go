package lease

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Survey is what a worker knows when it decides which leases to take.
type Survey struct {
	Me      string
	Leases  map[string]State // those that can be worked on, by shard
	Running map[string]bool  // shards that this worker has
	Expired map[string]bool  // shards whose owner is dead
	Waiting map[string]bool  // shards that others could have taken for some time, and did not
	Max     int              // most shards of this worker; zero: any number
}

// Choice is which leases to take, or which one to ask a living worker for; empty for none.
type Choice struct {
	Free []string
	Ask  string
}

// Choose decides. Workers that know the same end with loads that differ by one at most, and no lease that
// can be worked on stays free as long as workers have room.
func (s *Survey) Choose() Choice {
	var (
		free, mine []string
		loads      = map[string][]string{s.Me: nil}
		asked      bool
	)
	for _, shard := range slices.Sorted(maps.Keys(s.Leases)) {
		l := s.Leases[shard]
		switch {
		case l.Heir != "" && l.Heir != s.Me && (s.Running[shard] || l.Owner == "" && !s.Waiting[shard]):
			loads[l.Heir] = append(loads[l.Heir], shard) // as good as gone
		case s.Running[shard]:
			mine = append(mine, shard)
		case l.Owner == "" || l.Owner == s.Me || s.Expired[shard]:
			free = append(free, shard)
		default:
			loads[l.Owner] = append(loads[l.Owner], shard)
			if _, known := loads[l.Heir]; !known && l.Heir != "" {
				loads[l.Heir] = nil // a worker that has no lease yet
			}
			asked = asked || l.Heir == s.Me
		}
	}
	share := (len(s.Leases) + len(loads) - 1) / len(loads)
	if s.Max > 0 {
		share = min(share, s.Max)
	}
	need := share - len(mine)
	if need <= 0 {
		// Others may have less room than their share.
		free = slices.DeleteFunc(free, func(shard string) bool { return !s.Waiting[shard] })
		if s.Max > 0 {
			free = free[:min(len(free), max(0, s.Max-len(mine)))]
		}
		return Choice{Free: free}
	}
	if len(free) > 0 {
		// Workers that start together should not all reach for the same leases.
		rand.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] }) //nolint:gosec // no secret
		return Choice{Free: free[:min(need, len(free))]}
	}
	var richest []string
	for _, owner := range slices.Sorted(maps.Keys(loads)) {
		if len(loads[owner]) > len(richest) {
			richest = loads[owner]
		}
	}
	richest = slices.DeleteFunc(richest, func(shard string) bool { return s.Leases[shard].Heir != "" }) // which it will not have for long
	if asked || len(richest) <= len(mine)+1 {
		return Choice{}
	}
	return Choice{Ask: richest[rand.IntN(len(richest))]} //nolint:gosec // no secret
}

// Sightings are when each lease was seen first as it is. The zero Sightings have seen none.
type Sightings struct{ of map[string]sighting }

type sighting struct {
	owner   string
	counter int64
	at      time.Time
}

// See notes leases that were read, all that there are, by the worker's own monotonic clock, read after the leases were.
func (s *Sightings) See(leases map[string]State, now time.Time) {
	of := make(map[string]sighting, len(leases))
	for shard, l := range leases {
		if was, ok := s.of[shard]; ok && was.owner == l.Owner && was.counter == l.Counter {
			of[shard] = was
		} else {
			of[shard] = sighting{l.Owner, l.Counter, now}
		}
	}
	s.of = of
}

// Still lists the shards whose leases have not changed for a time.
func (s *Sightings) Still(now time.Time, d time.Duration) map[string]bool {
	still := make(map[string]bool)
	for shard, seen := range s.of {
		if now.Sub(seen.at) >= d {
			still[shard] = true
		}
	}
	return still
}
