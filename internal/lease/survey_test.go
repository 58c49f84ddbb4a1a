// SPDX-License-Identifier: Apache-2.0

package lease_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/internal/lease"
)

// TestWorkersShareEvenly: whatever the workers own at first, and whenever each of them reads the leases, their loads finally differ by at
// most one, every lease that is free or of a dead worker is taken, and then no worker takes or requests a lease.
func TestWorkersShareEvenly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		workers := rapid.IntRange(1, 6).Draw(t, "workers")
		shards := rapid.IntRange(0, 20).Draw(t, "shards")
		name := func(w int) string { return fmt.Sprint("w", w) }
		leases := make(map[string]lease.State)
		running := make([]map[string]bool, workers)
		for w := range running {
			running[w] = make(map[string]bool)
		}
		dead := make(map[string]bool)
		for i := range shards {
			shard := fmt.Sprint("shard", i)
			switch owner := rapid.IntRange(-2, workers-1).Draw(t, "owner"); owner {
			case -2:
				leases[shard] = lease.State{Owner: "gone"}
				dead[shard] = true
			case -1:
				leases[shard] = lease.State{}
			default:
				leases[shard] = lease.State{Owner: name(owner)}
				running[owner][shard] = true
			}
		}
		quiet := 0
		for step := 0; quiet < 3*workers; step++ {
			if step > 2000 {
				t.Fatalf("the workers do not stop moving leases: %v", leases)
			}
			w := step % workers
			// An owner whose lease is requested finishes and frees it.
			for shard := range running[w] {
				if l := leases[shard]; l.RequestedBy != "" {
					delete(running[w], shard)
					l.Owner = ""
					leases[shard] = l
				}
			}
			survey := lease.Survey{Me: name(w), Leases: leases, Running: running[w], Expired: dead}
			c := survey.Choose()
			quiet++
			for _, shard := range c.Free {
				if l := leases[shard]; l.Owner != "" && !dead[shard] {
					t.Fatalf("%s takes %s, which a living worker owns", name(w), shard)
				}
				leases[shard] = lease.State{Owner: name(w)}
				running[w][shard] = true
				delete(dead, shard)
				quiet = 0
			}
			if c.Ask != "" {
				l := leases[c.Ask]
				l.RequestedBy = name(w)
				leases[c.Ask] = l
				quiet = 0
			}
		}
		least, most, owned := shards, 0, 0
		for _, r := range running {
			least, most, owned = min(least, len(r)), max(most, len(r)), owned+len(r)
		}
		if owned != shards || most-least > 1 {
			t.Fatalf("%d of %d leases are owned, loads from %d to %d", owned, shards, least, most)
		}
	})
}

// cluster is a model of workers that share leases by load, each with the leases as it last read them.
type cluster struct {
	leases  map[string]lease.State
	running map[string]map[string]bool // by living worker
	dead    map[string]bool            // workers
	read    map[string]map[string]lease.State
	moves   map[string][]string // by shard: its owner and the workers that requested it
	twice   error
}

func (c *cluster) join(name string) { c.running[name] = make(map[string]bool) }

// kill ends a worker without releasing its leases; the others see that these no longer change.
func (c *cluster) kill(name string) {
	delete(c.running, name)
	delete(c.read, name)
	c.dead[name] = true
}

// look lets a worker act on the leases that it read before, free leases that others have requested, and read again. Others have acted since it read; if they were
// faster, its write is refused.
func (c *cluster) look(me string) {
	if known := c.read[me]; known != nil {
		c.act(me, known)
	}
	for shard := range c.running[me] {
		if l := c.leases[shard]; l.RequestedBy != "" {
			delete(c.running[me], shard)
			l.Owner = ""
			l.Counter++
			c.leases[shard] = l
		}
	}
	c.read[me] = maps.Clone(c.leases)
}

func (c *cluster) act(me string, known map[string]lease.State) {
	expired, waiting := make(map[string]bool), make(map[string]bool)
	for shard, l := range known {
		expired[shard] = c.dead[l.Owner]
		waiting[shard] = l.Owner == "" && c.dead[l.RequestedBy]
	}
	survey := lease.Survey{Me: me, Leases: known, Running: c.running[me], Expired: expired, Waiting: waiting}
	choice := survey.Choose()
	for _, shard := range choice.Free {
		l := c.leases[shard]
		if l.Counter != known[shard].Counter {
			continue
		}
		for other, shards := range c.running {
			if shards[shard] {
				c.twice = fmt.Errorf("%s takes %s, which %s handles", me, shard, other)
			}
		}
		c.leases[shard] = lease.State{Owner: me, Counter: l.Counter + 1, Load: l.Load}
		c.running[me][shard] = true
	}
	if l := c.leases[choice.Ask]; choice.Ask != "" && l.Counter == known[choice.Ask].Counter {
		if c.moves[choice.Ask] == nil {
			c.moves[choice.Ask] = []string{l.Owner}
		}
		c.moves[choice.Ask] = append(c.moves[choice.Ask], me)
		l.RequestedBy = me
		l.Counter++
		c.leases[choice.Ask] = l
	}
}

// rest lets the workers act until nothing changes.
func (c *cluster) rest(t *rapid.T) {
	for quiet, rounds := 0, 0; quiet < 4; rounds++ {
		before := fmt.Sprint(c.leases)
		for _, name := range slices.Sorted(maps.Keys(c.running)) {
			c.look(name)
		}
		if c.twice != nil {
			t.Fatal(c.twice)
		}
		if quiet++; fmt.Sprint(c.leases) != before {
			quiet = 0
		}
		if rounds > 500 {
			t.Fatalf("the workers do not stop moving leases: %v", c.leases)
		}
	}
}

// even fails if moving a lease would still be worthwhile, or a lease is free.
func (c *cluster) even(t *rapid.T) {
	loads, count, smallest, load := make(map[string]int64), make(map[string]int64), make(map[string]int64), int64(0)
	for name := range c.running {
		loads[name] = 0
	}
	total := int64(0)
	for shard, l := range c.leases {
		if c.running[l.Owner] == nil || !c.running[l.Owner][shard] {
			t.Fatalf("%s has no living owner: %+v", shard, l)
		}
		w := l.Load + lease.PollLoad
		loads[l.Owner], load, total = loads[l.Owner]+w, load+l.Load, total+w
		count[l.Owner]++
	}
	for _, l := range c.leases { // the smallest load that is worth a move
		w := l.Load + lease.PollLoad
		if s, ok := smallest[l.Owner]; w >= loads[l.Owner]/(8*count[l.Owner]) && (!ok || w < s) {
			smallest[l.Owner] = w
		}
	}
	n := int64(min(len(smallest)+1, len(loads))) // the workers that the least loaded one knows: it cannot see others without leases
	poorest, least := "", total+1
	for name, l := range loads {
		if l < least {
			poorest, least = name, l
		}
	}
	for name, l := range loads {
		// A fifth of the average, or a lease and the minimum gain of a move.
		if gap, w := l-least, smallest[name]; gap > max(load/n/5, w+max(load/n/10, w/4)) {
			t.Errorf("%s has %d, %s %d, with a smallest lease of %d: %v", name, l, poorest, least, w, c.leases)
		}
	}
}

// TestLoadIsBalanced: workers join and die while the loads of shards change. Whenever the loads do not change for a while, the workers stop moving leases, and no
// two of them differ by much more than the smallest lease of the more loaded one; no shard ever has two workers. Loads that then vary by a few percent move no shard back and forth.
func TestLoadIsBalanced(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := &cluster{
			leases: make(map[string]lease.State), running: make(map[string]map[string]bool), dead: make(map[string]bool), read: make(map[string]map[string]lease.State),
			moves: make(map[string][]string),
		}
		for i := range rapid.IntRange(1, 40).Draw(t, "shards") {
			c.leases[fmt.Sprint("shard", i)] = lease.State{}
		}
		load := rapid.OneOf(rapid.Int64Range(0, 10), rapid.Int64Range(0, 1000), rapid.Int64Range(0, 100_000))
		joined := 0
		for range rapid.IntRange(1, 6).Draw(t, "phases") {
			for range rapid.IntRange(0, 3).Draw(t, "kills") {
				if names := slices.Sorted(maps.Keys(c.running)); len(names) > 0 {
					c.kill(rapid.SampledFrom(names).Draw(t, "killed"))
				}
			}
			for n := rapid.IntRange(0, 3).Draw(t, "joins"); n > 0 || len(c.running) == 0; n-- {
				c.join(fmt.Sprint("w", joined))
				joined++
			}
			for _, shard := range slices.Sorted(maps.Keys(c.leases)) {
				if l := c.leases[shard]; rapid.Bool().Draw(t, "changes") {
					l.Load = load.Draw(t, "load")
					c.leases[shard] = l
				}
			}
			if rapid.Bool().Draw(t, "hurry") { // the next phase begins before they have stopped
				for _, name := range slices.Sorted(maps.Keys(c.running)) {
					c.look(name)
				}
				continue
			}
			c.rest(t)
			c.even(t)
		}
		c.rest(t)
		c.even(t)
		c.moves = make(map[string][]string)
		steady := maps.Clone(c.leases)
		rounds := 30
		for range rounds {
			for shard, l := range c.leases {
				l.Load = steady[shard].Load * rapid.Int64Range(97, 103).Draw(t, "waver") / 100
				c.leases[shard] = l
			}
			for _, name := range slices.Sorted(maps.Keys(c.running)) {
				c.look(name)
			}
		}
		for shard, owners := range c.moves {
			if was := len(owners); was != len(slices.Compact(slices.Sorted(slices.Values(owners)))) {
				t.Errorf("%s moved back and forth while loads varied by 3 %%: %v of %v", shard, owners, steady)
			}
		}
	})
}
