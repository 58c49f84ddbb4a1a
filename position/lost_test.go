// SPDX-License-Identifier: Apache-2.0

package position_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
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
	"github.com/dynamotable/ddb/position"
)

// faulty returns a store whose writes fail by rules that can be switched, and a store on the same table without faults.
func faulty(t testing.TB, seed uint64, rules func(m fault.Matcher) []fault.Rule) (s, plain *position.Store, on *atomic.Bool) {
	t.Helper()
	on = new(atomic.Bool)
	m := fault.On("UpdateItem", "TransactWriteItems").Where(func(fault.Request) bool { return on.Load() })
	e := ddbtest.NewEngine(ddbtest.WithSeed(seed), ddbtest.WithFaults(rules(m)...))
	t.Cleanup(e.Close)
	client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(e), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithConfig(aws.Config{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}))
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, client, "positions")
	if plain, err = position.New(e.Client(), "positions"); err != nil {
		t.Fatal(err)
	}
	return s, plain, on
}

// lost are the ways in which a write is applied but its caller gets no reply, or another one.
var lost = map[string]func(m fault.Matcher) []fault.Rule{
	"a lost reply":             func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.Nth(1).DropReply()} },
	"two lost replies":         func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.First(2).DropReply()} },
	"500 after it was applied": func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.Nth(1).Applied().InternalError()} },
	"500s for all attempts": func(m fault.Matcher) []fault.Rule {
		return []fault.Rule{m.Nth(1).Applied().InternalError(), m.First(3).InternalError()}
	},
	"a body that ends early": func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.Nth(1).TruncateBody()} },
	"a doubled request":      func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.Nth(1).Duplicate()} },
	"a late request":         func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.Nth(1).Late(time.Second)} },
}

// TestLostReplies: whichever reply is lost, an idempotent write returns the correct result, and never "unknown".
func TestLostReplies(t *testing.T) {
	t.Parallel()
	for name, rules := range lost {
		for verb, do := range map[string]func(t *testing.T, s *position.Store, faults func()) error{
			"Save": func(t *testing.T, s *position.Store, faults func()) error {
				faults()
				return s.Save(t.Context(), "c", "p", 2)
			},
			"Save again": func(t *testing.T, s *position.Store, faults func()) error {
				ok(t, s.Save(t.Context(), "c", "p", 2))
				faults()
				return s.Save(t.Context(), "c", "p", 2)
			},
			"Claim": func(t *testing.T, s *position.Store, faults func()) error {
				ok(t, s.Save(t.Context(), "c", "p", 2))
				faults()
				c, err := s.Claim(t.Context(), "c", "p", "one")
				if err == nil && (c.Start().Epoch != 1 || c.Save(t.Context(), 2) != nil) {
					t.Errorf("claimed %+v, and cannot save", c.Start())
				}
				return err
			},
			"Claim.Save": func(t *testing.T, s *position.Store, faults func()) error {
				c, err := s.Claim(t.Context(), "c", "p", "one")
				ok(t, err)
				ok(t, c.Save(t.Context(), 1))
				faults()
				return c.Save(t.Context(), 2)
			},
			"Owned.Save": func(t *testing.T, s *position.Store, faults func()) error {
				o := s.As("one")
				_, err := o.Load(t.Context(), "c", "p")
				ok(t, err)
				faults()
				return o.Save(t.Context(), "c", "p", 2)
			},
			"Claim.Release": func(t *testing.T, s *position.Store, faults func()) error {
				c, err := s.Claim(t.Context(), "c", "p", "one")
				ok(t, err)
				ok(t, c.Save(t.Context(), 1))
				faults()
				ok(t, c.Release(t.Context()))
				return s.Save(t.Context(), "c", "p", 2)
			},
			"Reset": func(t *testing.T, s *position.Store, faults func()) error {
				ok(t, s.Save(t.Context(), "c", "p", 5))
				faults()
				return s.Reset(t.Context(), "c", "p", 2, "admin", "again")
			},
		} {
			t.Run(verb+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s, plain, on := faulty(t, 1, rules)
					if err := do(t, s, func() { on.Store(true) }); err != nil {
						t.Errorf("%s: %v", verb, err)
					}
					on.Store(false)
					<-time.After(time.Minute) // late requests arrive
					if n, err := plain.Load(t.Context(), "c", "p"); err != nil || n != 2 {
						t.Errorf("stored: %d, %v; want 2", n, err)
					}
					resets := 0
					for _, err := range plain.Resets(t.Context(), "c", "p") {
						ok(t, err)
						resets++
					}
					if want := map[bool]int{true: 1}[verb == "Reset"]; resets != want {
						t.Errorf("%d records of resets, want %d", resets, want)
					}
				})
			})
		}
	}
}

// TestLostReplyWithOtherWriter: if another process has written in between, the error says what is stored now, and that the earlier outcome is unknown.
func TestLostReplyWithOtherWriter(t *testing.T) {
	t.Parallel()
	for name, rival := range map[string]func(ctx context.Context, s *position.Store) error{
		"stale":  func(ctx context.Context, s *position.Store) error { return s.Save(ctx, "c", "p", 7) },
		"fenced": func(ctx context.Context, s *position.Store) error { _, err := s.Claim(ctx, "c", "p", "x"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var plain *position.Store
				s, plain, on := faulty(t, 1, func(m fault.Matcher) []fault.Rule {
					n := new(atomic.Int32)
					return []fault.Rule{m.Where(func(fault.Request) bool {
						if n.Add(1) == 2 { // the resend
							ok(t, rival(t.Context(), plain))
						}
						return n.Load() == 1
					}).DropReply()}
				})
				on.Store(true)
				err := s.Save(t.Context(), "c", "p", 5)
				target := map[string]error{"stale": position.ErrStale, "fenced": position.ErrFenced}[name]
				if !errors.Is(err, target) || !errors.Is(err, ddb.ErrOutcomeUnknown) {
					t.Errorf("%v; want an error that matches %q and %q", err, target, ddb.ErrOutcomeUnknown)
				}
			})
		})
	}
}

// TestSavesAgainstAModel compares random saves, claims, releases and resets under faults with a model of one position: every
// result must agree with what is stored, and a call with an unknown outcome must have met several faults.
func TestSavesAgainstAModel(t *testing.T) {
	t.Parallel()
	const steps = 60
	runs := longtest.Size(40, 10)
	calls, unknown := 0, 0
	for run := range uint64(runs) {
		synctest.Test(t, func(t *testing.T) {
			s, plain, on := faulty(t, run, func(m fault.Matcher) []fault.Rule {
				return []fault.Rule{
					m.Chance(0.1).DropReply(), m.Chance(0.05).DropRequest(), m.Chance(0.05).Applied().InternalError(), m.Chance(0.05).InternalError(),
					m.Chance(0.05).TruncateBody(), m.Chance(0.05).Duplicate(), m.Chance(0.05).Throttle(), m.Chance(0.05).Late(time.Second),
				}
			})
			rng := rand.New(rand.NewPCG(run, 1))
			stored := func() position.Position {
				p, err := plain.Get(t.Context(), "c", "p")
				if err != nil && !errors.Is(err, ddb.ErrNotFound) {
					t.Fatal(err)
				}
				return p
			}
			var claims []*position.Claim
			for range steps {
				before, n := stored(), rng.Int64N(20)
				var owner *position.Claim // of the save
				if len(claims) > 0 && rng.IntN(4) > 0 {
					owner = claims[rng.IntN(len(claims))]
				}
				owns := owner == nil && before.Owner == "" || owner != nil && before.Owner != "" && owner.Start().Epoch == before.Epoch
				on.Store(true)
				var verb string
				var err error
				switch rng.IntN(8) {
				case 0:
					verb = "claim"
					var c *position.Claim
					if c, err = s.Claim(t.Context(), "c", "p", "x"); err == nil {
						claims = append(claims, c)
					}
				case 1:
					verb = "reset"
					err = s.Reset(t.Context(), "c", "p", n, "x", "y")
				case 2:
					if owner == nil {
						continue
					}
					verb = "release"
					err = owner.Release(t.Context())
				default:
					verb = "save"
					if owner == nil {
						err = s.Save(t.Context(), "c", "p", n)
					} else {
						err = owner.Save(t.Context(), n)
					}
				}
				on.Store(false)
				calls++
				<-time.After(time.Minute) // late requests arrive before the next step
				after := stored()
				report := err
				for _, e := range []error{position.ErrFenced, position.ErrStale} {
					if errors.Is(err, e) {
						report = e // even if it is unknown whether it was stored before: no other process could have come in between
					}
				}
				if err != nil && errors.Is(report, err) {
					if errors.Is(err, ddb.ErrOutcomeUnknown) {
						unknown++
					}
					continue // or refused by the service, for example throttled every time: nothing to compare with
				}
				number, epoch, who, want := before.Number, before.Epoch, before.Owner, error(nil)
				switch {
				case verb == "claim":
					epoch, who = epoch+1, "x"
				case verb == "reset":
					number, epoch, who = n, epoch+1, ""
				case verb == "release" && owns:
					who = ""
				case verb == "release":
				case !owns:
					want = position.ErrFenced
				case n < before.Number:
					want = position.ErrStale
				default:
					number = n
				}
				if after.Number != number || after.Epoch != epoch || after.Owner != who || !errors.Is(report, want) {
					t.Errorf("run %d: %s of %d (by a claim: %v): %v, and stored is %+v; want %d, %d, %q, %v; before it was %+v",
						run, verb, n, owner != nil, report, after, number, epoch, who, want, before)
				}
			}
		})
	}
	t.Logf("%d calls, %d unknown", calls, unknown)
	if unknown*200 > calls {
		t.Errorf("%d of %d calls ended as unknown", unknown, calls)
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
