// SPDX-License-Identifier: Apache-2.0

// Package granttest is the acceptance suite of package grant. A store that passes it gives
// the guarantees of [grant.Store]:
//
//	func TestStore(t *testing.T) {
//		granttest.Run(t, func(t *testing.T, now func() time.Time) granttest.Store {
//			s, err := grant.NewMemory(grant.Clock(now))
//			...
//			return s
//		})
//	}
package granttest

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb/grant"
)

// Store is what the suite tests: a [grant.Store] without the methods for its table.
type Store interface {
	grant.Checker
	Keeper
	Lister
	Grouper
}

// Keeper is the part of a Store that changes single grants.
type Keeper interface {
	Get(ctx context.Context, key grant.Key) (grant.Grant, error)
	Save(ctx context.Context, g grant.Grant, mode grant.Mode) (grant.Grant, error)
	Revoke(ctx context.Context, key grant.Key, act grant.Act) (grant.Grant, error)
	Delete(ctx context.Context, key grant.Key, act grant.Act) error
	Erase(ctx context.Context, key grant.Key) error
	History(ctx context.Context, key grant.Key) iter.Seq2[grant.Entry, error]
}

// Lister is the part of a Store that lists and deletes many grants.
type Lister interface {
	ListForUser(ctx context.Context, user string, opts ...grant.ListOption) iter.Seq2[grant.Grant, error]
	ListHolders(ctx context.Context, tenant grant.Tenant, typ, qualifier string, opts ...grant.ListOption) iter.Seq2[grant.Grant, error]
	Users(ctx context.Context, typ string, opts ...grant.ListOption) iter.Seq2[string, error]
	DeleteForUser(ctx context.Context, user string, act grant.Act, opts ...grant.ListOption) (int, error)
	DeleteOfType(ctx context.Context, typ string, act grant.Act, opts ...grant.ListOption) (int, error)
}

// Grouper is the part of a Store for activity groups.
type Grouper interface {
	AddActivities(ctx context.Context, tenant grant.Tenant, group string, act grant.Act, activities ...grant.Activity) error
	RemoveActivities(ctx context.Context, tenant grant.Tenant, group string, activities ...grant.Activity) error
	Activities(ctx context.Context, tenant grant.Tenant, group string) iter.Seq2[grant.Activity, error]
	Groups(ctx context.Context, tenant grant.Tenant) iter.Seq2[string, error]
	DeleteGroup(ctx context.Context, tenant grant.Tenant, group string, act grant.Act) (int, error)
}

var _ Store = (*grant.Store)(nil)

// Factory makes an empty store that reads its time from now. It fails the test if it cannot.
type Factory func(t *testing.T, now func() time.Time) Store

// Run tests all guarantees of a store that need no faults. It makes a store for each of a
// dozen tests. Lists that may lag are read again for up to ten seconds.
func Run(t *testing.T, newStore Factory) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"expiry instant", expiryInstant},
		{"names", hostileNames},
		{"refused calls", rejectedCalls},
		{"modes", modes},
		{"revocation", revocation},
		{"deletion", deletion},
		{"groups", groups},
		{"lists", lists},
		{"many", many},
		{"delete for user", deleteForUser},
		{"concurrent changes", concurrentChanges},
		{"model", model},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newClock()
			test.run(&suite{T: t, Store: newStore(t, clock.Now), clock: clock})
		})
	}
}

// suite is what each test has.
type suite struct {
	*testing.T
	Store

	clock *clock
}

// clock is a clock that does not move until it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 7, 1, 9, 30, 0, 123456789, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

var (
	acme  = grant.TenantOf("acme")
	admin = grant.Act{By: "admin", Reason: "test"}
)

func role(user, name string) grant.Key {
	return grant.Key{Tenant: acme, User: user, Type: "role", Qualifier: name}
}

// save stores a grant and fails the test if that fails.
func (s *suite) save(k grant.Key, expires time.Time) grant.Grant {
	s.Helper()
	g, err := s.Save(s.Context(), grant.Grant{Key: k, GrantedBy: "admin", ExpiresAt: expires}, grant.Upsert())
	if err != nil {
		s.Fatal("Save:", err)
	}
	return g
}

// wants checks a decision.
func (s *suite) wants(k grant.Key, reason grant.Reason) {
	s.Helper()
	d, err := s.Check(s.Context(), k)
	if err != nil {
		s.Fatal("Check:", err)
	}
	if allowed := reason == grant.Granted || reason == grant.GrantedByGroup; d.Reason != reason || d.Allowed != allowed {
		s.Errorf("Check(%+v) = %v, %s, want %s", k, d.Allowed, d.Reason, reason)
	}
	if !d.At.Equal(s.clock.Now()) {
		s.Errorf("Check(%+v) has the time %s, the clock shows %s", k, d.At, s.clock.Now())
	}
}

// eventually repeats a read of an index until it finds the expected result.
func (s *suite) eventually(fault func() string) {
	s.Helper()
	for wait := time.Millisecond; ; wait *= 2 {
		problem := fault()
		if problem == "" {
			return
		}
		if wait > 5*time.Second {
			s.Error(problem)
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.Context().Done():
			timer.Stop()
			s.Error(problem)
			return
		}
	}
}

// collect returns the values of an iterator.
func collect[E any](seq iter.Seq2[E, error]) ([]E, error) {
	var list []E
	for e, err := range seq {
		if err != nil {
			return list, err
		}
		list = append(list, e)
	}
	return list, nil
}
