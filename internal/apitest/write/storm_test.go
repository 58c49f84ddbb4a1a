// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
)

var (
	stormWrites = flag.Int("storm", 8_000, "writes of each storm")
	stormSeeds  = flag.Int("seeds", 1, "how many storms of each kind, with the seeds 1, 2, ...")
)

const (
	stormCallers = 32
	hotItems     = 16
	coldItems    = 300
)

// TestStorm: 32 callers write 16 hot and 300 cold items while a share of all requests, including reads, gets a
// fault of any kind, such as replies that never come, through a client with the defaults of NewClient. A write that was
// acknowledged counts once, one that was refused not at all; the share of unknown outcomes stays below the bound. It
// prints that share by verb and cause. The figures in docs/guarantees.md are those of `-long -storm 34000 -seeds 3`.
func TestStorm(t *testing.T) {
	for _, p := range []struct {
		name string
		opts []ddb.TableOption
		// most limits the unknown share of each verb, at 5 % and at 30 % faults; 0 means no limit.
		most map[string][2]float64
	}{
		{"revision", nil, map[string][2]float64{"Put": {0.0005, 0.005}, "Replace": {0.0005, 0.005}, "Update": {0.0005, 0.005}}},
		{
			"tombstones", []ddb.TableOption{ddb.Tombstones("deleted", time.Hour)},
			map[string][2]float64{"Put": {0.0005, 0.005}, "Replace": {0.0005, 0.005}, "Update": {0.0005, 0.005}, "Create": {0.0005, 0.005}, "Delete": {0.0005, 0.005}},
		},
	} {
		for level, share := range []float64{0.05, 0.30} {
			t.Run(fmt.Sprintf("%s at %.0f%%", p.name, 100*share), func(t *testing.T) {
				total := map[string]*tally{}
				for seed := range *stormSeeds {
					synctest.Test(t, func(t *testing.T) {
						s := newWriteStorm(t, uint64(seed+1), share, p.opts)
						s.run(max(300, longtest.Size(*stormWrites, 300)))
						s.check(total)
					})
				}
				for _, verb := range []string{"Put", "Replace", "Update", "Create", "Delete"} {
					sum := total[verb]
					if sum == nil && verb == "Delete" && !longtest.Enabled() {
						continue // one write of fifty is a Delete
					}
					unknown := float64(sum.unknown) / float64(sum.writes)
					t.Logf("%-8s %7d writes, %6d conflicts, %5d other, %4d unknown (%.4f %%) %v", verb, sum.writes, sum.conflicts, sum.other, sum.unknown, 100*unknown, sum.causes)
					if most := p.most[verb][level]; most > 0 && unknown > most && sum.unknown > 1 {
						t.Errorf("%s: %.4f %% unknown, at most %.4f %%", verb, 100*unknown, 100*most)
					}
				}
			})
		}
	}
}

// tally counts the outcomes of the calls of one verb.
type tally struct {
	writes, conflicts, other, unknown int
	causes                            map[string]int
}

type writeStorm struct {
	*testing.T
	table   *accounts
	rng     *rand.Rand
	mu      sync.Mutex
	tallies map[string]*tally
	least   map[string]int64 // of each counter: acknowledged
	most    map[string]int64 // acknowledged or unknown
}

// network adds latency to requests and replies, of 1 to 3 ms each.
type network struct {
	next aws.HTTPClient
	s    *writeStorm
}

func (n network) Do(req *http.Request) (*http.Response, error) {
	if err := n.wait(req.Context()); err != nil {
		return nil, err
	}
	resp, err := n.next.Do(req)
	if lost := n.wait(req.Context()); lost != nil {
		return nil, lost
	}
	return resp, err
}

func (n network) wait(ctx context.Context) error {
	n.s.mu.Lock()
	d := time.Millisecond + time.Duration(n.s.rng.Int64N(int64(2*time.Millisecond)))
	n.s.mu.Unlock()
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newWriteStorm(t *testing.T, seed uint64, share float64, opts []ddb.TableOption) *writeStorm {
	s := &writeStorm{T: t, rng: rand.New(rand.NewPCG(seed, 7)), tallies: map[string]*tally{}, least: map[string]int64{}, most: map[string]int64{}}
	silent := share / 10 // the same share of faults never gets a reply, before or after the write was applied
	rules := []fault.Rule{
		fault.On("PutItem", "UpdateItem", "DeleteItem", "GetItem").Chance(silent / 2).Hang(),
		fault.On("PutItem", "UpdateItem", "DeleteItem").Chance(silent / 2).Applied().Hang(),
		fault.On("PutItem", "UpdateItem", "DeleteItem").Chance(silent).Late(time.Second),
	}
	e := ddbtest.NewEngine(ddbtest.WithSeed(seed), ddbtest.WithFaults(append(rules, fault.Storm(share-2*silent)...)...))
	t.Cleanup(e.Close)
	client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(network{e, s}), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithConfig(aws.Config{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}))
	if err != nil {
		t.Fatal(err)
	}
	opts = append([]ddb.TableOption{ddb.Version(accountRevision), ddb.WithRetryBudget(nil)}, opts...)
	if s.table, err = ddb.NewSimple(client, "accounts", accountID, opts...); err != nil {
		t.Fatal(err)
	}
	for s.table.EnsureTable(t.Context()) != nil { // faults affect it too
	}
	return s
}

func (s *writeStorm) run(writes int) {
	for i := range hotItems + coldItems {
		for {
			err := s.table.Create(s.Context(), &account{ID: counterID(i)})
			if err == nil || errors.Is(err, ddb.ErrConditionFailed) {
				break
			}
		}
	}
	var wg sync.WaitGroup
	for c := range stormCallers {
		rng := rand.New(rand.NewPCG(uint64(c), 11))
		wg.Go(func() {
			for range writes / stormCallers {
				s.write(rng)
			}
		})
	}
	wg.Wait()
	<-time.After(time.Minute) // for late requests
}

func counterID(i int) string { return fmt.Sprint("counter ", i) }

// write makes one call of a random verb.
func (s *writeStorm) write(rng *rand.Rand) {
	i := rng.IntN(hotItems)
	if rng.IntN(2) == 0 {
		i = hotItems + rng.IntN(coldItems)
	}
	id, ctx := counterID(i), s.Context()
	switch rng.IntN(10) {
	case 0, 1, 2, 3:
		a, err := s.table.Get(ctx, id, ddb.Consistent())
		if err != nil {
			return
		}
		a.N++
		if rng.IntN(2) == 0 {
			s.note("Put", id, s.table.Put(ctx, &a))
		} else {
			s.note("Replace", id, s.table.Replace(ctx, &a))
		}
	case 4, 5, 6:
		_, err := s.table.Update(ctx, id, accountN.Add(1))
		s.note("Update", id, err)
	case 7:
		a, err := s.table.Get(ctx, id, ddb.Consistent())
		if err != nil {
			return
		}
		_, err = s.table.Update(ctx, id, accountN.Add(1), ddb.If(accountRevision.Eq(a.Revision)))
		s.note("Update", id, err)
	case 8:
		s.note("Create", "", s.table.Create(ctx, &account{ID: fmt.Sprint("claim ", i), Status: "claimed"}))
	case 9:
		claim := fmt.Sprint("claim ", i)
		a, err := s.table.Get(ctx, claim, ddb.Consistent())
		if err != nil {
			return
		}
		s.note("Delete", "", s.table.DeleteItem(ctx, &a))
	}
}

// note records the outcome of a call; id is the counter that it raised, if any.
func (s *writeStorm) note(verb, id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tallies[verb]
	if t == nil {
		t = &tally{causes: map[string]int{}}
		s.tallies[verb] = t
	}
	t.writes++
	switch {
	case err == nil || errors.Is(err, ddb.ErrReplyLost):
		s.least[id]++
		s.most[id]++
	case errors.Is(err, ddb.ErrOutcomeUnknown):
		t.unknown++
		t.causes[cause(err)]++
		s.most[id]++
	case errors.Is(err, ddb.ErrConditionFailed):
		t.conflicts++
	default:
		t.other++
	}
}

func cause(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "reading the item back"):
		return "read-back failed"
	case strings.Contains(text, "gave up"):
		return "gave up"
	case errors.Is(err, context.DeadlineExceeded):
		return "silent"
	}
	return "no evidence left"
}

// check compares the counters with the results of the callers, and adds up the tallies.
func (s *writeStorm) check(total map[string]*tally) {
	s.Helper()
	for i := range hotItems + coldItems {
		id := counterID(i)
		var (
			a   account
			err error
		)
		for range 100 { // faults affect it too
			if a, err = s.table.Get(s.Context(), id, ddb.Consistent()); err == nil {
				break
			}
		}
		if err != nil || a.N < s.least[id] || a.N > s.most[id] {
			s.Errorf("%s: counted %d, acknowledged %d, at most %d: %v", id, a.N, s.least[id], s.most[id], err)
		}
	}
	for verb, t := range s.tallies {
		sum := total[verb]
		if sum == nil {
			sum = &tally{causes: map[string]int{}}
			total[verb] = sum
		}
		sum.writes += t.writes
		sum.conflicts += t.conflicts
		sum.other += t.other
		sum.unknown += t.unknown
		for c, n := range t.causes {
			sum.causes[c] += n
		}
	}
}
