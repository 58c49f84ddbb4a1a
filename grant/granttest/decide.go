// SPDX-License-Identifier: Apache-2.0

package granttest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/grant"
)

// expiryInstant: the instant of expiry is the first that denies, whatever its unit and zone.
func expiryInstant(s *suite) {
	start := s.clock.Now()
	for name, expires := range map[string]time.Time{
		"nanosecond":    start.Add(1),
		"nanoseconds":   start.Add(987654321),
		"whole second":  start.Truncate(time.Second).Add(3 * time.Second),
		"zone":          start.Add(time.Hour).In(time.FixedZone("east", 9*3600+1800)),
		"a day":         start.AddDate(0, 0, 1),
		"far":           time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		"monotonic now": time.Now().Add(time.Hour),
	} {
		own, member := role("u-"+name, "admin"), grant.MemberKey(acme, "m-"+name, "staff")
		activity := grant.Activity{Type: "activity", Qualifier: "read"}
		s.save(own, expires)
		s.save(member, expires)
		if err := s.AddActivities(s.Context(), acme, "staff", admin, activity); err != nil {
			s.Fatal(err)
		}
		byGroup := grant.Key{Tenant: acme, User: member.User, Type: activity.Type, Qualifier: activity.Qualifier}
		for _, c := range []struct {
			off           time.Duration
			reason, group grant.Reason
		}{
			{-time.Second, grant.Granted, grant.GrantedByGroup},
			{-time.Nanosecond, grant.Granted, grant.GrantedByGroup},
			{0, grant.Expired, grant.NoGrant},
			{time.Nanosecond, grant.Expired, grant.NoGrant},
			{time.Second, grant.Expired, grant.NoGrant},
		} {
			s.clock.set(expires.Add(c.off))
			s.wants(own, c.reason)
			s.wants(byGroup, c.group)
		}
		s.clock.set(start)
		g, err := s.Get(s.Context(), own)
		if err != nil || !g.ExpiresAt.Equal(expires) {
			s.Errorf("%s: the stored grant expires at %s, want %s (%v)", name, g.ExpiresAt, expires, err)
		}
	}
	never := role("never", "admin")
	s.save(never, time.Time{})
	s.clock.set(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	s.wants(never, grant.Granted)
}

// hostile are parts of keys that collide if parts are joined without escaping.
var hostile = []string{"a", "a#", "#a", "#", "##", "a#b", "b", "%", "%23", "a%23b", "$", "$c", "a$cb", " ", "-", "T#a", "U#a", "ä", "a\u0308", "日本", "\x00", "A", "null", "__null__", "*"}

// hostileNames: of all keys with hostile names, only the granted one is allowed.
func hostileNames(s *suite) {
	tenants := []grant.Tenant{grant.NoTenant(), grant.TenantOf("")}
	for _, name := range hostile {
		tenants = append(tenants, grant.TenantOf(name))
	}
	// Each pair of parts with all pairs of names, so that a separator can move between any two.
	var keys []grant.Key
	for i, a := range hostile {
		keys = append(keys,
			grant.Key{Tenant: tenants[i], User: "u", Type: "t", Qualifier: "q"},
			grant.Key{Tenant: acme, User: a, Type: "t", Qualifier: ""})
		for _, b := range hostile {
			keys = append(keys,
				grant.Key{Tenant: acme, User: a, Type: b, Qualifier: "q"},
				grant.Key{Tenant: acme, User: "u", Type: a, Qualifier: b})
		}
	}
	for _, tenant := range tenants[len(hostile):] {
		keys = append(keys, grant.Key{Tenant: tenant, User: "u", Type: "t", Qualifier: "q"})
	}
	granted := map[grant.Key]bool{}
	for i, k := range keys {
		if i%3 == 0 && !granted[k] {
			s.save(k, time.Time{})
			granted[k] = true
		}
	}
	for _, k := range keys {
		if granted[k] {
			s.wants(k, grant.Granted)
		} else {
			s.wants(k, grant.NoGrant)
		}
	}
	for k := range granted {
		g, err := s.Get(s.Context(), k)
		if err != nil || g.Key != k {
			s.Errorf("Get(%+v) = %+v, %v", k, g.Key, err)
		}
	}
}

// rejectedCalls: invalid arguments are refused, and never allow access.
func rejectedCalls(s *suite) {
	ctx := s.Context()
	good := role("u", "admin")
	for name, k := range map[string]grant.Key{
		"zero":            {},
		"no tenant":       {User: "u", Type: "role", Qualifier: "admin"},
		"invalid tenant":  {Tenant: grant.TenantOf("\xff"), User: "u", Type: "role", Qualifier: "admin"},
		"no user":         {Tenant: acme, Type: "role", Qualifier: "admin"},
		"no type":         {Tenant: acme, User: "u", Qualifier: "admin"},
		"invalid user":    {Tenant: acme, User: "u\xff", Type: "role", Qualifier: "admin"},
		"invalid quality": {Tenant: acme, User: "u", Type: "role", Qualifier: "\xc0\x80"},
		"long":            {Tenant: acme, User: "u", Type: "role", Qualifier: strings.Repeat("q", 1000)},
		"long by escapes": {Tenant: acme, User: "u", Type: "role", Qualifier: strings.Repeat("#", 500)},
		"long tenant":     {Tenant: grant.TenantOf(strings.Repeat("t", 1100)), User: "u", Type: "role", Qualifier: "admin"},
	} {
		_, saveErr := s.Save(ctx, grant.Grant{Key: k, GrantedBy: "admin"}, grant.Upsert())
		_, getErr := s.Get(ctx, k)
		_, revokeErr := s.Revoke(ctx, k, admin)
		_, historyErr := collect(s.History(ctx, k))
		for verb, err := range map[string]error{
			"Save": saveErr, "Get": getErr, "Revoke": revokeErr, "Delete": s.Delete(ctx, k, admin), "Erase": s.Erase(ctx, k), "History": historyErr,
		} {
			if !errors.Is(err, ddb.ErrInvalid) {
				s.Errorf("%s of key %s = %v, want ErrInvalid", verb, name, err)
			}
		}
		if d, err := s.Check(ctx, k); !errors.Is(err, ddb.ErrInvalid) || d.Allowed || d.Reason != grant.Failed {
			s.Errorf("Check of key %s = %+v, %v, want denied with ErrInvalid", name, d, err)
		}
	}
	_, err0 := s.Save(ctx, grant.Grant{Key: good}, grant.Upsert())
	_, err1 := s.Save(ctx, grant.Grant{Key: good, GrantedBy: "boss"}, grant.Mode{})
	_, err2 := s.Save(ctx, grant.Grant{Key: good, GrantedBy: "boss"}, grant.IfRevision(-1))
	_, err3 := s.Save(ctx, grant.Grant{Key: good, GrantedBy: "boss", ExpiresAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, grant.Upsert())
	_, err4 := s.Revoke(ctx, good, grant.Act{})
	_, err5 := collect(s.ListForUser(ctx, ""))
	_, err6 := collect(s.ListForUser(ctx, "u", grant.Within(grant.Tenant{})))
	_, err7 := collect(s.ListHolders(ctx, grant.Tenant{}, "role", "admin"))
	_, err8 := s.DeleteForUser(ctx, "u", grant.Act{})
	err9 := s.AddActivities(ctx, acme, "g", admin, grant.Activity{Type: grant.GroupType, Qualifier: "other"})
	err10 := s.AddActivities(ctx, acme, "", admin, grant.Activity{Type: "a"})
	longest := grant.Key{Tenant: grant.TenantOf(strings.Repeat("t", 600)), User: "u", Type: "role", Qualifier: strings.Repeat("q", 600)}
	_, err11 := s.Save(ctx, grant.Grant{Key: longest, GrantedBy: "boss"}, grant.Upsert()) // too long for an index only
	if d, err := s.Check(ctx, longest); err != nil || d.Allowed {
		s.Errorf("Check of a key that cannot be saved = %+v, %v", d, err)
	}
	for i, err := range []error{err0, err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11} {
		if !errors.Is(err, ddb.ErrInvalid) {
			s.Errorf("refused call %d = %v, want ErrInvalid", i, err)
		}
	}
	s.wants(good, grant.NoGrant)

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	s.save(good, time.Time{})
	if d, err := s.Check(cancelled, good); err == nil || d.Allowed {
		s.Errorf("Check with a cancelled context = %+v, %v, want denied with an error", d, err)
	}
}

// groups: a membership and the activity together allow, and nothing less.
func groups(s *suite) {
	ctx := s.Context()
	read, pay := grant.Activity{Type: "activity", Qualifier: "read"}, grant.Activity{Type: "activity", Qualifier: "pay"}
	can := func(tenant grant.Tenant, user string, a grant.Activity) grant.Key {
		return grant.Key{Tenant: tenant, User: user, Type: a.Type, Qualifier: a.Qualifier}
	}
	must := func(err error) {
		s.Helper()
		if err != nil {
			s.Fatal(err)
		}
	}
	other := grant.TenantOf("other")
	must(s.AddActivities(ctx, acme, "staff", admin, read, read))
	must(s.AddActivities(ctx, acme, "staff#pay", admin, read, pay))
	must(s.AddActivities(ctx, other, "staff", admin, read, pay))
	s.wants(can(acme, "u", read), grant.NoGrant)
	s.save(grant.MemberKey(acme, "u", "staff"), time.Time{})
	s.wants(can(acme, "u", read), grant.GrantedByGroup)
	s.wants(can(acme, "u", pay), grant.NoGrant)
	s.wants(can(other, "u", read), grant.NoGrant)
	s.wants(can(acme, "v", read), grant.NoGrant)
	s.wants(grant.MemberKey(acme, "u", "staff"), grant.Granted)

	// If the user's own grant is not active, the groups decide.
	s.save(can(acme, "u", read), s.clock.Now())
	s.wants(can(acme, "u", read), grant.GrantedByGroup)

	s.save(grant.MemberKey(acme, "u", "staff#pay"), time.Time{})
	s.wants(can(acme, "u", pay), grant.GrantedByGroup)
	d, err := s.Check(ctx, can(acme, "u", pay))
	if err != nil || d.Group != "staff#pay" || d.Grant.Key != grant.MemberKey(acme, "u", "staff#pay") {
		s.Errorf("Check names group %q and grant %+v, %v", d.Group, d.Grant.Key, err)
	}
	_, err = s.Revoke(ctx, grant.MemberKey(acme, "u", "staff#pay"), admin)
	must(err)
	s.wants(can(acme, "u", pay), grant.NoGrant)
	must(s.RemoveActivities(ctx, acme, "staff", read, pay))
	s.wants(can(acme, "u", read), grant.Expired)

	must(s.AddActivities(ctx, acme, "staff", admin, pay, read))
	list, err := collect(s.Activities(ctx, acme, "staff"))
	added := grant.Act{By: admin.By, At: s.clock.Now(), Reason: admin.Reason}
	pay.Added, read.Added = added, added
	if err != nil || !slices.Equal(list, []grant.Activity{pay, read}) {
		s.Errorf("Activities = %v, %v", list, err)
	}
	names, err := collect(s.Groups(ctx, acme))
	if err != nil || !slices.Equal(names, []string{"staff", "staff#pay"}) {
		s.Errorf("Groups = %q, %v", names, err)
	}
	s.eventually(func() string {
		return s.listed([]string{"u"}, grantUsers(s.ListHolders(ctx, acme, grant.GroupType, "staff")))
	})
	n, err := s.DeleteGroup(ctx, acme, "staff", admin)
	if err != nil || n != 1 {
		s.Errorf("DeleteGroup = %d, %v, want 1 member", n, err)
	}
	s.wants(can(acme, "u", read), grant.Expired)
	s.wants(grant.MemberKey(acme, "u", "staff"), grant.NoGrant)
	names, err = collect(s.Groups(ctx, acme))
	if err != nil || !slices.Equal(names, []string{"staff#pay"}) {
		s.Errorf("Groups = %q, %v", names, err)
	}
}
