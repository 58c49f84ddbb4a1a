// SPDX-License-Identifier: Apache-2.0

package granttest

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dynamotable/ddb/grant"
)

// grantUsers and grantNames return the parts of lists that tests compare.
func grantUsers(seq iter.Seq2[grant.Grant, error]) iter.Seq2[string, error] {
	return named(seq, func(g *grant.Grant) string { return g.User })
}

func grantNames(seq iter.Seq2[grant.Grant, error]) iter.Seq2[string, error] {
	return named(seq, func(g *grant.Grant) string {
		tenant, ok := g.Tenant.Name()
		return fmt.Sprintf("%q %v %s %s", tenant, ok, g.Type, g.Qualifier)
	})
}

func named(seq iter.Seq2[grant.Grant, error], name func(*grant.Grant) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for g, err := range seq {
			if !yield(name(&g), err) {
				return
			}
		}
	}
}

// listed reports how a list differs from the expected one, in any order.
func (s *suite) listed(want []string, seq iter.Seq2[string, error]) string {
	s.Helper()
	got, err := collect(seq)
	if err != nil {
		s.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Sprintf("listed are %q, want %q", got, want)
	}
	return ""
}

// lists: they include active grants, and others on request.
func lists(s *suite) {
	ctx, start := s.Context(), s.clock.Now()
	none := grant.NoTenant()
	in := func(tenant grant.Tenant, user, typ, qualifier string) grant.Key {
		return grant.Key{Tenant: tenant, User: user, Type: typ, Qualifier: qualifier}
	}
	s.save(in(acme, "u", "role", "active"), time.Time{})
	s.save(in(acme, "u", "role", "expires"), start.Add(time.Minute))
	s.save(in(acme, "u", "role", "revoked"), time.Time{})
	s.save(in(acme, "u", "role", "both"), start.Add(time.Minute))
	s.save(in(none, "u", "role", "active"), time.Time{})
	s.save(in(acme, "u", "right", "active"), time.Time{})
	s.save(in(acme, "u#role", "role", "active"), time.Time{})
	s.save(in(acme, "v", "role", "active"), start.Add(time.Minute))
	s.save(in(acme, "w", "role", "active"), time.Time{})
	for _, k := range []grant.Key{in(acme, "u", "role", "revoked"), in(acme, "u", "role", "both"), in(acme, "w", "role", "active")} {
		if _, err := s.Revoke(ctx, k, admin); err != nil {
			s.Fatal(err)
		}
	}
	s.clock.set(start.Add(time.Minute))

	const (
		active  = `"acme" true role active`
		right   = `"acme" true right active`
		outside = `"" false role active`
		expired = `"acme" true role expires`
		revoked = `"acme" true role revoked`
		both    = `"acme" true role both`
	)
	all := []string{active, right, outside, expired, revoked, both}
	type options = []grant.ListOption
	for _, c := range []struct {
		name string
		opts options
		want []string
	}{
		{"active", nil, []string{active, right, outside}},
		{"expired", options{grant.IncludeExpired()}, []string{active, right, outside, expired}},
		{"revoked", options{grant.IncludeRevoked()}, []string{active, right, outside, revoked}},
		{"all", options{grant.IncludeExpired(), grant.IncludeRevoked()}, all},
		{"all, verified", options{grant.IncludeExpired(), grant.IncludeRevoked(), grant.VerifyConsistent()}, all},
		{"within", options{grant.Within(acme)}, []string{active, right}},
		{"within, verified", options{grant.Within(acme), grant.VerifyConsistent()}, []string{active, right}},
		{"within none", options{grant.Within(none)}, []string{outside}},
		{"within the empty name", options{grant.Within(grant.TenantOf(""))}, nil},
		{"of type", options{grant.OfType("role")}, []string{active, outside}},
		{"within of type", options{grant.OfType("role"), grant.Within(acme)}, []string{active}},
	} {
		s.eventually(func() string {
			if problem := s.listed(c.want, grantNames(s.ListForUser(ctx, "u", c.opts...))); problem != "" {
				return "ListForUser, " + c.name + ": " + problem
			}
			return ""
		})
	}
	for _, c := range []struct {
		name string
		opts options
		want []string
	}{
		{"active", nil, []string{"u", "u#role"}},
		{"expired", options{grant.IncludeExpired()}, []string{"u", "u#role", "v"}},
		{"revoked", options{grant.IncludeRevoked(), grant.VerifyConsistent()}, []string{"u", "u#role", "w"}},
	} {
		s.eventually(func() string {
			if problem := s.listed(c.want, grantUsers(s.ListHolders(ctx, acme, "role", "active", c.opts...))); problem != "" {
				return "ListHolders, " + c.name + ": " + problem
			}
			return ""
		})
	}
	s.eventually(func() string { return s.listed([]string{"u", "u#role"}, s.Users(ctx, "role")) })
	s.eventually(func() string { return s.listed([]string{"u"}, s.Users(ctx, "role", grant.Within(none))) })
	s.eventually(func() string {
		return s.listed([]string{"u", "u#role", "v", "w"}, s.Users(ctx, "role", grant.IncludeExpired(), grant.IncludeRevoked()))
	})

	// A list can be left.
	for name, list := range map[string]iter.Seq2[grant.Grant, error]{
		"plain": s.ListForUser(ctx, "u"), "verified": s.ListForUser(ctx, "u", grant.VerifyConsistent()), "holders": s.ListHolders(ctx, acme, "role", "active"),
	} {
		n := 0
		for _, err := range list {
			if n++; err != nil {
				s.Errorf("%s: %v", name, err)
			}
			break
		}
		if n != 1 {
			s.Errorf("%s: nothing is listed", name)
		}
	}
	for _, err := range s.Users(ctx, "role") {
		if err != nil {
			s.Error(err)
		}
		break
	}
}

// many: lists and deletions cover all pages and turns.
func many(s *suite) {
	const users = 260 // more than two turns of verification, and five of deletion
	ctx := s.Context()
	// Large enough for several of DynamoDB's pages of 1 MB.
	wide := string(slices.Repeat([]byte("x"), 5000))
	for i := range users {
		k := role(fmt.Sprintf("u%03d", i), "member")
		if _, err := s.Save(ctx, grant.Grant{Key: k, GrantedBy: "admin", FullName: wide}, grant.IfAbsent()); err != nil {
			s.Fatal(err)
		}
	}
	s.save(role("other", "owner"), time.Time{})
	for name, opts := range map[string][]grant.ListOption{"plain": nil, "verified": {grant.VerifyConsistent()}} {
		s.eventually(func() string {
			list, err := collect(s.ListHolders(ctx, acme, "role", "member", opts...))
			if err != nil {
				s.Fatal(err)
			}
			if len(list) != users {
				return fmt.Sprintf("%s: %d holders, want %d", name, len(list), users)
			}
			return ""
		})
	}
	n, err := s.DeleteOfType(ctx, "role", admin, grant.Within(acme))
	if err != nil || n != users+1 {
		s.Errorf("DeleteOfType = %d, %v, want %d", n, err, users+1)
	}
	for _, k := range []grant.Key{role("u000", "member"), role("u259", "member"), role("other", "owner")} {
		s.wants(k, grant.NoGrant)
		s.history(k, "1 granted", "2 deleted")
	}
	s.eventually(func() string {
		return s.listed(nil, s.Users(ctx, "role", grant.IncludeExpired(), grant.IncludeRevoked()))
	})
}

// deleteForUser: it deletes the selected grants, whatever their state.
func deleteForUser(s *suite) {
	ctx := s.Context()
	none := grant.NoTenant()
	right := grant.Key{Tenant: none, User: "u", Type: "right", Qualifier: "read"}
	member := grant.MemberKey(acme, "u", "staff")
	expired, revoked := role("u", "expired"), role("u", "revoked")
	kept := role("v", "active")
	s.save(right, time.Time{})
	s.save(member, time.Time{})
	s.save(expired, s.clock.Now())
	s.save(revoked, time.Time{})
	s.save(kept, time.Time{})
	if _, err := s.Revoke(ctx, revoked, admin); err != nil {
		s.Fatal(err)
	}
	remove := func(want int, opts ...grant.ListOption) {
		s.Helper()
		n, err := s.DeleteForUser(ctx, "u", admin, opts...)
		if err != nil || n != want {
			s.Errorf("DeleteForUser = %d, %v, want %d", n, err, want)
		}
	}
	remove(0, grant.Within(grant.TenantOf("other")))
	remove(1, grant.Within(acme), grant.OfType(grant.GroupType))
	s.wants(member, grant.NoGrant)
	s.wants(expired, grant.Expired)
	remove(2, grant.Within(acme))
	s.wants(expired, grant.NoGrant)
	s.wants(revoked, grant.NoGrant)
	s.wants(right, grant.Granted)
	s.history(revoked, "1 granted", "2 revoked", "3 deleted")
	// Until the index contains the last one and no others.
	s.eventually(func() string {
		if problem := s.listed([]string{`"" false right read`}, grantNames(s.ListForUser(ctx, "u", grant.IncludeExpired(), grant.IncludeRevoked()))); problem != "" {
			return problem
		}
		return ""
	})
	remove(1)
	s.wants(right, grant.NoGrant)
	s.wants(kept, grant.Granted)
}
