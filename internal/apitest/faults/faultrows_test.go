// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/longtest"
)

// TestRowA2Counters: over an unreliable network, a counter is at least the number of acknowledged writes and at most that plus
// the unknown ones; exact counts leave fewer unknown.
func TestRowA2Counters(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults")
	for name, add := range map[string]ddb.Change[user]{"plain": userLogins.Add(1), "exact": userLogins.Add(1).Exact()} {
		for _, p := range protections {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f, client := newFaulty(t)
					table := p.table(t, client)
					if _, err := table.Upsert(t.Context(), "u", userLogins.Set(0)); err != nil {
						t.Fatal(err)
					}
					seed := uint64(time.Now().UnixNano())
					rng := rand.New(rand.NewPCG(seed, 3))
					f.Set(func(string, int) fault {
						what := lostBefore + fault(rng.IntN(int(allFaults-lostBefore)))
						if rng.IntN(100) >= 5 || what.Twice() || what == hung {
							return noFault
						}
						return what
					})
					var (
						mu             sync.Mutex
						acked, unknown int64
						wg             sync.WaitGroup
					)
					for range 16 {
						wg.Go(func() {
							for range longtest.Size(50, 6) {
								_, err := table.Update(t.Context(), "u", add)
								mu.Lock()
								switch {
								case err == nil || errors.Is(err, ddb.ErrReplyLost):
									acked++
								case errors.Is(err, ddb.ErrOutcomeUnknown):
									unknown++
								}
								mu.Unlock()
							}
						})
					}
					wg.Wait()
					f.Set(nil)
					u, err := table.Get(t.Context(), "u", ddb.Consistent())
					if err != nil || u.Logins < acked || u.Logins > acked+unknown {
						t.Errorf("seed %d: %v: counted %d, acknowledged %d, unknown %d", seed, err, u.Logins, acked, unknown)
					}
					if name == "exact" && unknown > 8 {
						t.Errorf("seed %d: %d exact counts are unknown", seed, unknown)
					}
				})
			})
		}
	}
}

// TestRowA4Ghost: on a table without version, a request that arrives late overwrites a later one, as docs/guarantees.md states;
// with a version it never does.
func TestRowA4Ghost(t *testing.T) {
	needsEngine(t, "faults")
	for _, p := range protections {
		synctest.Test(t, func(t *testing.T) {
			f, client := newFaulty(t)
			table := p.table(t, client)
			hole := false
			for i := range 20 {
				u := user{ID: fmt.Sprint(i), Name: "A"}
				f.Set(first("PutItem", ghost))
				err := table.Put(t.Context(), &u)
				f.Set(nil)
				u.Name = "B"
				if err != nil && !errors.Is(err, ddb.ErrOutcomeUnknown) {
					t.Fatal(err)
				}
				if err := table.Put(t.Context(), &u); err != nil {
					t.Fatal(err)
				}
				<-time.After(6 * time.Second)
				stored, err := table.Get(t.Context(), u.ID, ddb.Consistent())
				if err != nil {
					t.Fatal(err)
				}
				hole = hole || stored.Name != "B"
			}
			if hole == guarded(p) {
				t.Errorf("%s: a late request was put over a later one: %v", p.name, hole)
			}
		})
	}
}

// TestRowA5Context: a context that ends at any time during a write ends it immediately, nothing is sent afterwards, and the error
// says whether the write may have been applied.
func TestRowA5Context(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults")
	for i, p := range protections {
		for k, v := range matrixVerbs {
			t.Run(p.name+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f, _ := newFaulty(t)
					client := f.Engine.Client(func(o *dynamodb.Options) { o.HTTPClient = slowly{f} })
					m := &matrixCell{T: t, protection: p, verb: v, f: f, client: client, table: p.table(t, client)}
					step := longtest.Every(7)
					for at := (i*len(matrixVerbs) + k) % step; at < 40; at += step { // every verb begins at another time
						m.end(time.Duration(at)*300*time.Microsecond, fault(at%int(faults)))
					}
				})
			})
		}
	}
}

// end runs the write under a context that ends after a while, with a fault at the first request.
func (m *matrixCell) end(after time.Duration, what fault) {
	m.Helper()
	u := m.prepare()
	m.f.Set(func(_ string, n int) fault {
		if n == 0 {
			return what
		}
		return noFault
	})
	ctx, cancel := context.WithTimeout(m.Context(), after)
	defer cancel()
	start := time.Now()
	err := m.verb.run(ctx, m.client, m.table, u)
	if late := time.Since(start) - after; late > 10*time.Millisecond {
		m.Errorf("ended %v after its context", late)
	}
	ended, sent := ctx.Err(), m.f.Requests()
	<-time.After(time.Minute)
	if more := m.f.Requests() - sent; more > 0 {
		m.Errorf("%d requests after the call had returned", more)
	}
	m.f.Set(nil)
	stored, rerr := m.table.Get(m.Context(), u.ID, ddb.Consistent())
	effect := m.verb.effect(&stored)
	if errors.Is(rerr, ddb.ErrNotFound) {
		effect = m.verb.effect(nil)
	}
	unknown, applied := errors.Is(err, ddb.ErrOutcomeUnknown), err == nil || errors.Is(err, ddb.ErrReplyLost)
	if applied && effect != 1 || !applied && !unknown && effect != 0 || effect > 1 {
		m.Errorf("after %v, %s: reported %v, applied %d times", after, what, err, effect)
	}
	if ended != nil && !applied && (unknown || effect == 0) && !errors.Is(err, ended) && !m.verb.refuses {
		m.Errorf("after %v: the error does not match the context's error: %v", after, err)
	}
}

// TestRowC3Reason: the error of a throttled request gives the reason and what to do.
func TestRowC3Reason(t *testing.T) {
	needsEngine(t, "faults")
	synctest.Test(t, func(t *testing.T) {
		f, client := newFaulty(t)
		table := protections[0].table(t, client)
		f.Set(func(string, int) fault { return provisioned })
		err := table.Put(t.Context(), &user{ID: "u"})
		throttle, ok := errors.AsType[*ddb.ThrottledError](err)
		if !ok || len(throttle.Reasons) != 1 || !throttle.Reasons[0].HotKey() || !ddb.IsRetryable(err) {
			t.Errorf("got %v", err)
		}
	})
}
