package lease_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/internal/lease"
)

// TestWorkersShareEvenly: whatever the workers own at first, and whichever looks when, they end with loads that differ by one at most, every
// lease that is free or of a dead worker is taken, and then nobody takes or asks for anything any more.
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
				t.Fatalf("they do not come to rest: %v", leases)
			}
			w := step % workers
			// An owner that is asked finishes and frees the lease.
			for shard := range running[w] {
				if l := leases[shard]; l.Heir != "" {
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
				l.Heir = name(w)
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
