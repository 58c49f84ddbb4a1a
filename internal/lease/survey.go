// SPDX-License-Identifier: Apache-2.0

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

// PollLoad is the weight of a shard in addition to its load, in records a minute: a quiet shard must be read too.
const PollLoad = 60

// weight returns what a lease adds to the load of its worker.
func (s *State) weight() int64 { return PollLoad + max(s.Load, 0) }

// distribution says which workers have the leases that can be worked on.
type distribution struct {
	loads map[string]int64    // of every living worker
	owned map[string][]string // by living workers: leases that no worker has requested
	mine  int                 // leases of this worker
	free  []string            // leases that can be taken
	given []string            // leases that were freed for this worker
	asked bool                // a lease that this worker requested has not been freed yet
}

func (s *Survey) distribute() distribution {
	d := distribution{loads: map[string]int64{s.Me: 0}, owned: make(map[string][]string)}
	for _, shard := range slices.Sorted(maps.Keys(s.Leases)) {
		l := s.Leases[shard]
		switch {
		case l.RequestedBy != "" && l.RequestedBy != s.Me && (s.Running[shard] || l.Owner == s.Me && !s.Expired[shard] || l.Owner == "" && !s.Waiting[shard]):
			d.loads[l.RequestedBy] += l.weight() // as good as gone
		case s.Running[shard]:
			d.mine++
			d.loads[s.Me] += l.weight()
		case l.Owner == "" && l.RequestedBy == s.Me:
			d.given = append(d.given, shard)
			d.loads[s.Me] += l.weight()
		case l.Owner == "" || l.Owner == s.Me || s.Expired[shard]:
			d.free = append(d.free, shard)
		case l.RequestedBy != "":
			d.loads[l.Owner] += 0 // a worker, be it without another lease
			d.loads[l.RequestedBy] += l.weight()
			d.asked = d.asked || l.RequestedBy == s.Me
		default:
			d.loads[l.Owner] += l.weight()
			d.owned[l.Owner] = append(d.owned[l.Owner], shard)
		}
	}
	return d
}

// Choose decides by the load of the leases, with [PollLoad] for each. Workers that know the same come to rest: no move of a lease from
// the worker that has most to the one that has least would even out enough to be worth it. Without loads they end with numbers of leases that differ
// by one at most. No lease that can be worked on stays free as long as workers have room.
func (s *Survey) Choose() Choice {
	d := s.distribute()
	var total, load int64
	for shard := range s.Leases {
		l := s.Leases[shard]
		total += l.weight()
		load += max(l.Load, 0)
	}
	workers := int64(len(d.loads))
	room := len(s.Leases)
	if s.Max > 0 {
		room = max(0, s.Max-d.mine)
	}
	mine := d.loads[s.Me]
	if room == 0 || mine*workers >= total {
		// Others may have less room than their share.
		d.free = slices.DeleteFunc(d.free, func(shard string) bool { return !s.Waiting[shard] })
		d.free = append(d.given, d.free...)
		return Choice{Free: d.free[:min(len(d.free), room)]}
	}
	if len(d.given)+len(d.free) > 0 {
		// Workers that start together should not all reach for the same leases.
		rand.Shuffle(len(d.free), func(i, j int) { d.free[i], d.free[j] = d.free[j], d.free[i] }) //nolint:gosec // no secret
		n := 0
		for ; n < len(d.free) && mine*workers < total; n++ {
			l := s.Leases[d.free[n]]
			mine += l.weight()
		}
		d.free = append(d.given, d.free[:n]...)
		return Choice{Free: d.free[:min(len(d.free), room)]}
	}
	if d.asked {
		return Choice{}
	}
	return Choice{Ask: s.ask(&d, load/workers)}
}

// ask chooses the lease whose move to this worker evens out most, or none if none is worth its move: the two workers must differ by a fifth of the
// average load, and by the move become less uneven by half of that, or by the lease itself. A lease that is small among those of its worker evens out
// nothing. So varying loads move no lease back and forth: every move lowers the higher of two loads, and the next does not undo it.
func (s *Survey) ask(d *distribution, average int64) string {
	best, most, slack := "", int64(0), average/5
	for owner, leases := range d.owned {
		gap := d.loads[owner] - d.loads[s.Me]
		if gap < slack {
			continue
		}
		small := d.loads[owner] / int64(8*len(leases))
		rand.Shuffle(len(leases), func(i, j int) { leases[i], leases[j] = leases[j], leases[i] }) //nolint:gosec // no secret
		for _, shard := range leases {
			l := s.Leases[shard]
			w := l.weight()
			if gain := w * (gap - w); gain > most && w >= small && (w <= gap/2 || gap-w >= max(slack/2, w/4)) {
				best, most = shard, gain
			}
		}
	}
	return best
}

// Sightings are when each lease was seen first as it is. The zero Sightings have seen none.
type Sightings struct{ of map[string]lastSeen }

type lastSeen struct {
	owner   string
	counter int64
	at      time.Time
}

// See notes leases that were read, all that there are, by the worker's own monotonic clock, read after the leases were.
func (s *Sightings) See(leases map[string]State, now time.Time) {
	of := make(map[string]lastSeen, len(leases))
	for shard, l := range leases {
		if was, ok := s.of[shard]; ok && was.owner == l.Owner && was.counter == l.Counter {
			of[shard] = was
		} else {
			of[shard] = lastSeen{l.Owner, l.Counter, now}
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
