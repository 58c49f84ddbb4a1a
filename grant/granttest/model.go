// SPDX-License-Identifier: Apache-2.0

package granttest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/grant"
)

// model makes random calls on the store and on a simple model of it. The names collide
// if parts are joined without escaping, and the clock often stops at instants around an expiry.
func model(s *suite) {
	runs := 0
	rapid.Check(s.T, func(t *rapid.T) {
		runs++
		w := &world{
			suite: s, prefix: fmt.Sprintf("%d.", runs), now: s.clock.Now(),
			grants: map[grant.Key]grant.Grant{}, revs: map[grant.Key]int64{}, groups: map[group]map[grant.Activity]bool{},
		}
		t.Repeat(map[string]func(*rapid.T){
			"save":              w.save,
			"save a membership": w.join,
			"revoke":            w.revoke,
			"delete":            w.delete,
			"erase":             w.erase,
			"move the clock":    w.move,
			"add activity":      w.add,
			"remove activity":   w.remove,
			"list":              w.list,
			"":                  w.compare,
		})
	})
}

// world is the expected content of the store.
type world struct {
	suite  *suite
	prefix string // of users and groups, so that runs share a store
	now    time.Time
	grants map[grant.Key]grant.Grant
	revs   map[grant.Key]int64 // last revision of each key, in history
	groups map[group]map[grant.Activity]bool
}

type group struct {
	tenant grant.Tenant
	name   string
}

var (
	modelTenants    = []grant.Tenant{grant.NoTenant(), grant.TenantOf(""), grant.TenantOf("-")}
	modelUsers      = []string{"u", "u#t"}
	modelTypes      = []string{"t", "t#q"}
	modelQualifiers = []string{"", "q", "q#q", "%23"}
	modelGroups     = []string{"g", "g#t"}
)

func pick[E any](t *rapid.T, label string, list []E) E { return rapid.SampledFrom(list).Draw(t, label) }

func (w *world) key(t *rapid.T) grant.Key {
	return grant.Key{
		Tenant: pick(t, "tenant", modelTenants), User: w.prefix + pick(t, "user", modelUsers),
		Type: pick(t, "type", modelTypes), Qualifier: pick(t, "qualifier", modelQualifiers),
	}
}

func (w *world) membership(t *rapid.T) grant.Key {
	return grant.MemberKey(pick(t, "tenant", modelTenants), w.prefix+pick(t, "user", modelUsers), w.prefix+pick(t, "group", modelGroups))
}

// anyKey returns a key of either kind, preferably of a stored grant.
func (w *world) anyKey(t *rapid.T) grant.Key {
	if stored := w.stored(); len(stored) > 0 && rapid.IntRange(0, 3).Draw(t, "stored") > 0 {
		return pick(t, "key", stored)
	}
	if rapid.Bool().Draw(t, "membership") {
		return w.membership(t)
	}
	return w.key(t)
}

func (w *world) stored() []grant.Key {
	return slices.SortedFunc(maps.Keys(w.grants), func(a, b grant.Key) int {
		return slices.Compare([]string{name(a.Tenant), a.User, a.Type, a.Qualifier}, []string{name(b.Tenant), b.User, b.Type, b.Qualifier})
	})
}

func name(t grant.Tenant) string {
	text, _ := t.MarshalText()
	return string(text)
}

func (w *world) save(t *rapid.T) { w.put(t, w.key(t)) }
func (w *world) join(t *rapid.T) { w.put(t, w.membership(t)) }

func (w *world) put(t *rapid.T, k grant.Key) {
	g := grant.Grant{Key: k, GrantedBy: pick(t, "by", []string{"a", "b"})}
	if rapid.Bool().Draw(t, "expires") {
		g.ExpiresAt = w.now.Add(time.Duration(rapid.Int64Range(-2, 5).Draw(t, "in")) * pick(t, "unit", []time.Duration{1, time.Second}))
	}
	stored, found := w.grants[k]
	mode, admits := grant.Upsert(), true
	switch rapid.IntRange(0, 3).Draw(t, "mode") {
	case 0:
		mode, admits = grant.IfAbsent(), !found
	case 1:
		rev := rapid.Int64Range(0, w.revs[k]+1).Draw(t, "rev")
		mode, admits = grant.IfRevision(rev), rev == stored.Rev
	}
	got, err := w.suite.Save(w.suite.Context(), g, mode)
	if !admits {
		if !errors.Is(err, grant.ErrConflict) {
			t.Fatalf("Save = %v, want ErrConflict", err)
		}
		return
	}
	if err != nil {
		t.Fatalf("Save = %v", err)
	}
	w.revs[k]++
	g.Rev, g.GrantedAt = w.revs[k], w.now
	w.grants[k] = g
	w.same(t, got, g)
}

func (w *world) same(t *rapid.T, got, want grant.Grant) {
	if got.Revoked != nil && want.Revoked != nil && *got.Revoked == *want.Revoked {
		got.Revoked = want.Revoked
	}
	if !got.ExpiresAt.Equal(want.ExpiresAt) || !got.GrantedAt.Equal(want.GrantedAt) {
		t.Fatalf("the grant is %+v, want %+v", got, want)
	}
	got.ExpiresAt, got.GrantedAt = want.ExpiresAt, want.GrantedAt
	if got != want {
		t.Fatalf("the grant is %+v, want %+v", got, want)
	}
}

func (w *world) revoke(t *rapid.T) {
	k := w.anyKey(t)
	g, found := w.grants[k]
	got, err := w.suite.Revoke(w.suite.Context(), k, admin)
	if !found {
		if !errors.Is(err, grant.ErrNotFound) {
			t.Fatalf("Revoke = %v, want ErrNotFound", err)
		}
		return
	}
	if err != nil {
		t.Fatalf("Revoke = %v", err)
	}
	if g.Revoked == nil {
		w.revs[k]++
		g.Rev, g.Revoked = w.revs[k], &grant.Act{By: admin.By, At: w.now, Reason: admin.Reason}
		w.grants[k] = g
	}
	w.same(t, got, g)
}

func (w *world) delete(t *rapid.T) {
	k := w.anyKey(t)
	_, found := w.grants[k]
	err := w.suite.Delete(w.suite.Context(), k, admin)
	if found != (err == nil) || !found && !errors.Is(err, grant.ErrNotFound) {
		t.Fatalf("Delete = %v of a grant that exists: %v", err, found)
	}
	if found {
		w.revs[k]++
		delete(w.grants, k)
	}
}

func (w *world) erase(t *rapid.T) {
	k := w.anyKey(t)
	if err := w.suite.Erase(w.suite.Context(), k); err != nil {
		t.Fatalf("Erase = %v", err)
	}
	delete(w.grants, k)
	delete(w.revs, k)
}

// move sets the clock near a future expiry, or just forward.
func (w *world) move(t *rapid.T) {
	var ahead []time.Time
	for _, k := range w.stored() {
		if at := w.grants[k].ExpiresAt; at.After(w.now) {
			ahead = append(ahead, at)
		}
	}
	if len(ahead) == 0 {
		w.now = w.now.Add(time.Second)
	} else {
		off := pick(t, "off", []time.Duration{-time.Second, -1, 0, 1, time.Second})
		if next := pick(t, "expiry", ahead).Add(off); next.After(w.now) {
			w.now = next
		}
	}
	w.suite.clock.set(w.now)
}

func (w *world) add(t *rapid.T) {
	g := group{pick(t, "tenant", modelTenants), w.prefix + pick(t, "group", modelGroups)}
	a := grant.Activity{Type: pick(t, "type", modelTypes), Qualifier: pick(t, "qualifier", modelQualifiers)}
	if err := w.suite.AddActivities(w.suite.Context(), g.tenant, g.name, admin, a); err != nil {
		t.Fatalf("AddActivities = %v", err)
	}
	if w.groups[g] == nil {
		w.groups[g] = map[grant.Activity]bool{}
	}
	w.groups[g][a] = true
}

func (w *world) remove(t *rapid.T) {
	g := group{pick(t, "tenant", modelTenants), w.prefix + pick(t, "group", modelGroups)}
	a := grant.Activity{Type: pick(t, "type", modelTypes), Qualifier: pick(t, "qualifier", modelQualifiers)}
	if err := w.suite.RemoveActivities(w.suite.Context(), g.tenant, g.name, a); err != nil {
		t.Fatalf("RemoveActivities = %v", err)
	}
	delete(w.groups[g], a)
}

// list compares the consistent list.
func (w *world) list(t *rapid.T) {
	tenant, user := pick(t, "tenant", modelTenants), w.prefix+pick(t, "user", modelUsers)
	got, err := collect(w.suite.ListForUser(w.suite.Context(), user, grant.Within(tenant)))
	if err != nil {
		t.Fatalf("ListForUser = %v", err)
	}
	want := 0
	for k, g := range w.grants {
		if k.Tenant == tenant && k.User == user && g.Active(w.now) {
			want++
		}
	}
	if len(got) != want {
		t.Fatalf("ListForUser has %d grants, want %d", len(got), want)
	}
	for _, g := range got {
		w.same(t, g, w.grants[g.Key])
	}
}

// compare checks a few decisions.
func (w *world) compare(t *rapid.T) {
	for range 3 {
		k := w.anyKey(t)
		want := w.decide(k)
		d, err := w.suite.Check(w.suite.Context(), k)
		if err != nil {
			t.Fatalf("Check = %v", err)
		}
		if d.Reason != want || d.Allowed != (want == grant.Granted || want == grant.GrantedByGroup) {
			t.Fatalf("Check(%+v) at %s = %v, %s, want %s", k, w.now, d.Allowed, d.Reason, want)
		}
	}
}

func (w *world) decide(k grant.Key) grant.Reason {
	own := grant.NoGrant
	if g, found := w.grants[k]; found {
		switch {
		case g.Revoked != nil:
			own = grant.Revoked
		case g.ExpiresAt.IsZero() || w.now.Before(g.ExpiresAt):
			return grant.Granted
		default:
			own = grant.Expired
		}
	}
	if k.Type == grant.GroupType {
		return own
	}
	for g, activities := range w.groups {
		m, found := w.grants[grant.MemberKey(g.tenant, k.User, g.name)]
		if g.tenant == k.Tenant && activities[grant.Activity{Type: k.Type, Qualifier: k.Qualifier}] &&
			found && m.Revoked == nil && (m.ExpiresAt.IsZero() || w.now.Before(m.ExpiresAt)) {
			return grant.GrantedByGroup
		}
	}
	return own
}
