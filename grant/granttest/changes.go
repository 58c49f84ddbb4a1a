// SPDX-License-Identifier: Apache-2.0

package granttest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dynamotable/ddb/grant"
)

// modes: each mode saves if its condition is met, and otherwise reports what is stored.
func modes(s *suite) {
	ctx, k := s.Context(), role("u", "admin")
	save := func(mode grant.Mode, wantRev, conflict int64) {
		s.Helper()
		g, err := s.Save(ctx, grant.Grant{Key: k, GrantedBy: "admin", FullName: "Ada"}, mode)
		if wantRev > 0 {
			if err != nil || g.Rev != wantRev || g.FullName != "Ada" || g.GrantedAt != s.clock.Now() {
				s.Errorf("Save = %+v, %v, want revision %d", g, err, wantRev)
			}
			return
		}
		rejected, ok := errors.AsType[*grant.ConflictError](err)
		if !ok || !errors.Is(err, grant.ErrConflict) {
			s.Errorf("Save = %v, want a ConflictError", err)
			return
		}
		if found := rejected.Current != nil; found != (conflict > 0) || found && (rejected.Current.Rev != conflict || rejected.Current.Key != k) {
			s.Errorf("the ConflictError holds %+v, want revision %d", rejected.Current, conflict)
		}
	}
	save(grant.IfRevision(1), 0, 0)
	save(grant.IfAbsent(), 1, 0)
	save(grant.IfAbsent(), 0, 1)
	save(grant.IfRevision(0), 0, 1)
	save(grant.IfRevision(2), 0, 1)
	save(grant.IfRevision(1), 2, 0)
	save(grant.Upsert(), 3, 0)
	if _, err := s.Revoke(ctx, k, admin); err != nil {
		s.Fatal(err)
	}
	save(grant.IfAbsent(), 0, 4)
	save(grant.IfRevision(3), 0, 4)
	s.wants(k, grant.Revoked)
	save(grant.IfRevision(4), 5, 0)
	if err := s.Delete(ctx, k, admin); err != nil {
		s.Fatal(err)
	}
	save(grant.IfRevision(5), 0, 0)
	save(grant.IfRevision(0), 7, 0)
	s.history(k, "1 granted", "2 regranted", "3 regranted", "4 revoked", "5 regranted", "6 deleted", "7 granted")
}

// history compares revisions and events.
func (s *suite) history(k grant.Key, want ...string) {
	s.Helper()
	entries, err := collect(s.History(s.Context(), k))
	if err != nil {
		s.Fatal("History:", err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%d %s", e.Grant.Rev, e.Event))
		if e.Grant.Key != k || e.Act.By == "" || e.Act.At.IsZero() {
			s.Errorf("entry of the history: %+v", e)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("history %q, want %q", got, want)
	}
}

// revocation: it denies at once, keeps who, when and why, and granting again does not hide it.
func revocation(s *suite) {
	ctx, k := s.Context(), role("u", "admin")
	if _, err := s.Revoke(ctx, k, admin); !errors.Is(err, grant.ErrNotFound) {
		s.Errorf("Revoke of nothing = %v, want ErrNotFound", err)
	}
	s.history(k)
	s.save(k, s.clock.Now().Add(time.Hour))
	at := s.clock.Now().Add(-time.Minute)
	act := grant.Act{By: "boss", At: at, Reason: "left"}
	g, err := s.Revoke(ctx, k, act)
	if err != nil || g.Revoked == nil || *g.Revoked != act || g.Rev != 2 {
		s.Errorf("Revoke = %+v, %v", g, err)
	}
	s.wants(k, grant.Revoked)
	again, err := s.Revoke(ctx, k, admin)
	if err != nil || again.Rev != 2 || again.Revoked == nil || *again.Revoked != act {
		s.Errorf("Revoke again = %+v, %v, want the first revocation", again, err)
	}
	if stored, err := s.Get(ctx, k); err != nil || stored.Revoked == nil || *stored.Revoked != act || stored.Rev != 2 {
		s.Errorf("Get = %+v, %v, want the revocation", stored, err)
	}
	s.clock.set(s.clock.Now().Add(2 * time.Hour))
	s.wants(k, grant.Revoked) // not merely expired

	s.save(k, time.Time{})
	s.wants(k, grant.Granted)
	s.history(k, "1 granted", "2 revoked", "3 regranted")
	entries, err := collect(s.History(ctx, k))
	if err != nil {
		s.Fatal(err)
	}
	if e := entries[1]; e.Act != act || e.Grant.Revoked == nil || *e.Grant.Revoked != act {
		s.Errorf("the history holds %+v, want the revocation", e)
	}
	if e := entries[2]; e.Grant.Revoked != nil {
		s.Errorf("the history holds %+v for the new grant, want no revocation", e)
	}
}

// deletion: Delete keeps the history and the revisions, Erase removes them.
func deletion(s *suite) {
	ctx, k := s.Context(), role("u", "admin")
	neighbour := role("u", "admin#") // whose history must not change
	s.save(neighbour, time.Time{})
	if err := s.Delete(ctx, k, admin); !errors.Is(err, grant.ErrNotFound) {
		s.Errorf("Delete of nothing = %v, want ErrNotFound", err)
	}
	if err := s.Erase(ctx, k); err != nil {
		s.Errorf("Erase of nothing = %v", err)
	}
	s.save(k, time.Time{})
	if err := s.Delete(ctx, k, admin); err != nil {
		s.Fatal(err)
	}
	s.wants(k, grant.NoGrant)
	if _, err := s.Get(ctx, k); !errors.Is(err, grant.ErrNotFound) {
		s.Errorf("Get = %v, want ErrNotFound", err)
	}
	if g := s.save(k, time.Time{}); g.Rev != 3 {
		s.Errorf("revision %d after a deletion, want 3", g.Rev)
	}
	s.history(k, "1 granted", "2 deleted", "3 granted")
	if err := s.Erase(ctx, k); err != nil {
		s.Fatal(err)
	}
	s.wants(k, grant.NoGrant)
	s.history(k)
	if g := s.save(k, time.Time{}); g.Rev != 1 {
		s.Errorf("revision %d after Erase, want 1", g.Rev)
	}
	s.history(neighbour, "1 granted")
	s.wants(neighbour, grant.Granted)
}

// concurrentChanges: writers of one grant never lose a change, and each revision is one change.
func concurrentChanges(s *suite) {
	const writers, rounds = 8, 10
	ctx, k := s.Context(), role("u", "admin")
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		done = map[int64]string{} // the replies of each writer
	)
	note := func(rev int64, name string) {
		mu.Lock()
		defer mu.Unlock()
		if before, twice := done[rev]; twice {
			s.Errorf("revision %d was assigned to %s and to %s", rev, before, name)
		}
		done[rev] = name
	}
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				name := fmt.Sprintf("writer %d, round %d", w, i)
				g, err := s.Save(ctx, grant.Grant{Key: k, GrantedBy: name}, grant.Upsert())
				if err != nil {
					s.Error(name, err)
					return
				}
				note(g.Rev, name)
			}
		})
	}
	wg.Wait()
	entries, err := collect(s.History(ctx, k))
	if err != nil || len(entries) != writers*rounds {
		s.Fatalf("the history has %d entries, %v, want %d", len(entries), err, writers*rounds)
	}
	for i, e := range entries {
		if e.Grant.Rev != int64(i+1) || done[e.Grant.Rev] != e.Grant.GrantedBy {
			s.Errorf("entry %d has revision %d by %s, which was returned to %q", i, e.Grant.Rev, e.Grant.GrantedBy, done[e.Grant.Rev])
		}
	}
	stored, err := s.Get(ctx, k)
	if last := entries[len(entries)-1].Grant; err != nil || stored.Rev != last.Rev || stored.GrantedBy != last.GrantedBy {
		s.Errorf("stored is %+v, %v, the last of the history %+v", stored, err, last)
	}
}
