// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/longtest"
)

var bigStorm = flag.Bool("storm", false, "storms of 64 x 10,000 writes")

// TestStorm (rows A1 and A4 of the fault matrix): 64 writers of versioned items, with a fault of any
// kind in 5 % of all requests, including reads, over a client with the defaults of NewClient. The results of each
// writer are compared with what the engine applied.
func TestStorm(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults")
	for _, tc := range []struct {
		name     string
		items    int
		rounds   int
		revision bool
		unknown  float64 // at most, of all writes
	}{
		// A version number proves nothing after a lost reply.
		{"hot items with version", 16, 100, false, 0.1},
		{"hot items with revision", 16, 300, true, 0.0005},
		{"quiet items with revision", 1024, 200, true, 0.0005},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			rounds := tc.rounds
			if *bigStorm {
				rounds = 10_000
			}
			rounds = longtest.Size(rounds, 4)
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			synctest.Test(t, func(t *testing.T) {
				s := newStorm(t, seed, tc.revision, tc.items)
				s.blow(64, rounds)
				s.check(tc.unknown)
			})
		})
	}
}

// storm records what happened in a storm.
type storm struct {
	*testing.T
	f     *faulty
	table *users
	rng   *rand.Rand
	items int
	mu    sync.Mutex
	// applied has the writers of every version of every item, as the engine saw them.
	applied map[string]map[int64][]string
	writes  []stormWrite
	newest  map[string]int64 // highest version known to be stored
}

type stormWrite struct {
	id, writer string
	version    int64
	start, end time.Time
	err        error
}

func newStorm(t *testing.T, seed uint64, revision bool, items int) *storm {
	s := &storm{
		T: t, f: apitest.NewConnection(t), items: items, rng: rand.New(rand.NewPCG(seed, 1)),
		applied: map[string]map[int64][]string{}, newest: map[string]int64{},
	}
	s.f.Apply = s.watch
	client := apitest.NewDefaults(t, slowly{s.f})
	var err error
	opts := []ddb.TableOption{ddb.Version(userVersion)}
	if revision {
		opts = append(opts, ddb.Version(userRevision))
	}
	if s.table, err = ddb.NewSimple(client, "accounts", userID, opts...); err != nil {
		t.Fatal(err)
	}
	if err := s.table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// slowly adds latency to requests and replies.
type slowly struct{ next aws.HTTPClient }

func (s slowly) Do(req *http.Request) (*http.Response, error) {
	if err := s.wait(req.Context()); err != nil {
		return nil, err
	}
	resp, err := s.next.Do(req)
	if lost := s.wait(req.Context()); lost != nil {
		return nil, lost
	}
	return resp, err
}

func (slowly) wait(ctx context.Context) error {
	select {
	case <-time.After(time.Millisecond + rand.N(2*time.Millisecond)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watch records the puts that the engine applies.
func (s *storm) watch(req *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(req.Header.Get("X-Amz-Target"), ".PutItem") {
		return s.f.Engine.Do(req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var put struct {
		Item struct{ ID, Name, Version struct{ S, N string } }
	}
	if err := json.Unmarshal(body, &put); err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := s.f.Engine.Do(req)
	if err == nil && resp.StatusCode == http.StatusOK {
		var version int64
		_, _ = fmt.Sscan(put.Item.Version.N, &version)
		s.mu.Lock()
		defer s.mu.Unlock()
		id := put.Item.ID.S
		if s.applied[id] == nil {
			s.applied[id] = map[int64][]string{}
		}
		s.applied[id][version] = append(s.applied[id][version], put.Item.Name.S)
	}
	return resp, err
}

func (s *storm) blow(writers, rounds int) {
	s.f.Set(func(string, int) fault {
		if s.rng.IntN(100) >= 5 {
			return noFault
		}
		return lostBefore + fault(s.rng.IntN(int(allFaults-lostBefore)))
	})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for r := range rounds {
				s.write(fmt.Sprint((w*7+r)%s.items), fmt.Sprintf("%d/%d", w, r))
			}
		})
	}
	wg.Wait()
	<-time.After(6 * time.Second) // for the last late requests
	s.f.Set(nil)
}

func (s *storm) write(id, me string) {
	s.mu.Lock()
	newest := s.newest[id]
	s.mu.Unlock()
	u, err := s.table.Get(s.Context(), id, ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		u, err = user{ID: id}, nil
	}
	if err != nil {
		return
	}
	if u.Version < newest {
		s.Errorf("item %s: a read gives version %d after %d was acknowledged or read", id, u.Version, newest)
	}
	u.Name = me
	w := stormWrite{id: id, writer: me, start: time.Now()}
	before := u.Version
	w.err = s.table.Put(s.Context(), &u)
	w.end, w.version = time.Now(), u.Version
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest[id] = max(s.newest[id], before)
	if w.err == nil {
		s.newest[id] = max(s.newest[id], u.Version)
	}
	s.writes = append(s.writes, w)
}

// check compares the reports with what was applied.
func (s *storm) check(mostUnknown float64) {
	s.Helper()
	times := map[string]int{}
	for id, versions := range s.applied {
		for v, writers := range versions {
			if len(writers) != 1 {
				s.Errorf("item %s: version %d was written by %q", id, v, writers)
			}
			for _, w := range writers {
				times[w]++
			}
			if v > int64(len(versions)) {
				s.Errorf("item %s: version %d of %d", id, v, len(versions))
			}
		}
	}
	var acked, conflicts, unknown, other int
	for _, w := range s.writes {
		n := times[w.writer]
		switch {
		case n > 1:
			s.Errorf("write %s was applied %d times", w.writer, n)
		case w.err == nil:
			acked++
			if n != 1 || !slices.Equal(s.applied[w.id][w.version], []string{w.writer}) {
				s.Errorf("write %s: acknowledged as version %d of item %s, which is lost", w.writer, w.version, w.id)
			}
		case errors.Is(w.err, ddb.ErrOutcomeUnknown):
			unknown++
		default:
			if errors.Is(w.err, ddb.ErrConditionFailed) {
				conflicts++
			} else {
				other++
			}
			if n != 0 {
				s.Errorf("write %s was applied, reported: %v", w.writer, w.err)
			}
		}
	}
	s.inOrder()
	n := float64(len(s.writes))
	share := float64(unknown) / n
	s.Logf("%d writes: %d acknowledged, %d conflicts, %d other refusals, %d unknown (%.4f %%)", len(s.writes), acked, conflicts, other, unknown, 100*share)
	// A short storm has few unknown outcomes, so chance counts: five standard deviations of the number that the share allows. Where it
	// allows less than three, they say nothing, since one fault can leave several writes of a hot item unknown: the full form counts them.
	most := n*mostUnknown + 5*math.Sqrt(n*mostUnknown)
	if n*mostUnknown >= 3 && float64(unknown) > most {
		s.Errorf("unknown: %d of %d (%.4f %%), at most %.0f for a share of %.4f %%", unknown, len(s.writes), 100*share, most, 100*mostUnknown)
	}
}

// inOrder checks that no acknowledged write ended before one with an earlier version began. With one writer for each version this
// makes the history linearizable.
func (s *storm) inOrder() {
	slices.SortFunc(s.writes, func(a, b stormWrite) int { return int(a.version - b.version) })
	latest := map[string]time.Time{}
	for _, w := range s.writes {
		if w.err != nil {
			continue
		}
		if w.end.Before(latest[w.id]) {
			s.Errorf("item %s: version %d was written before an earlier one", w.id, w.version)
		}
		if w.start.After(latest[w.id]) {
			latest[w.id] = w.start
		}
	}
}
