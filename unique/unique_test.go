// SPDX-License-Identifier: Apache-2.0

package unique_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/unique"
)

type reservation struct {
	ID    string `dynamodbav:"id"`
	Owner string `dynamodbav:"owner"`
}

var (
	reservationID    = ddb.StrField(func(r *reservation) *string { return &r.ID })
	reservationOwner = ddb.StrField(func(r *reservation) *string { return &r.Owner })
)

type (
	uniqueEmails = unique.Values[reservation, string, string]
	emailClaim   = unique.Claim[string]
	emailFinding = unique.Finding[string, string]
)

// members is a table of users with unique addresses, in one scope.
type members struct {
	client       ddb.Client
	users        *ddb.SimpleTable[user, string]
	reservations *ddb.SimpleTable[reservation, string]
	emails       *uniqueEmails
}

const tenant = "acme"

// newMembers keeps the reservations in the users' own table if shared is true.
func newMembers(t testing.TB, shared bool) members {
	t.Helper()
	client := newClient(t)
	m := members{client: client}
	name := tableName(t)
	var err1, err2, err3 error
	m.users, err1 = ddb.NewSimple(client, name, userID)
	err := m.users.CreateTable(t.Context())
	if !shared {
		name = tableName(t)
	}
	m.reservations, err2 = ddb.NewSimple(client, name, reservationID)
	if !shared {
		err = errors.Join(err, m.reservations.CreateTable(t.Context()))
	}
	m.emails, err3 = unique.New(m.reservations, "email", reservationOwner)
	if err := errors.Join(err, err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m members) create(ctx context.Context, id, email string) error {
	return ddb.Transact(ctx, m.client, m.users.TxCreate(&user{ID: id, Email: email}), m.emails.TxReserve(tenant, email, id))
}

// change requires that the address is still the one that u was read with.
func (m members) change(ctx context.Context, u user, email string) error {
	return ddb.Transact(ctx, m.client, m.users.TxUpdate(u.ID, userEmail.Set(email)), m.emails.TxChange(tenant, u.Email, email, u.ID))
}

func (m members) remove(ctx context.Context, u user) error {
	return ddb.Transact(ctx, m.client, m.users.TxDelete(u.ID), m.emails.TxRelease(tenant, u.Email, u.ID))
}

func (m members) claims(ctx context.Context) iter.Seq2[emailClaim, error] {
	return func(yield func(emailClaim, error) bool) {
		for u, err := range m.users.Scan().Filter(ddb.Exists(userName)).Consistent().All(ctx) {
			if !yield(emailClaim{Scope: tenant, Value: u.Email, Owner: u.ID}, err) {
				return
			}
		}
	}
}

func (m members) owners(t testing.TB, emails ...string) string {
	t.Helper()
	var all []string
	for _, e := range emails {
		owner, err := m.emails.Owner(t.Context(), tenant, e)
		if err != nil && !errors.Is(err, ddb.ErrNotFound) {
			t.Fatal(err)
		}
		all = append(all, e+"="+owner)
	}
	return strings.Join(all, " ")
}

func TestUnique(t *testing.T) {
	ctx := t.Context()
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("shared table %v", shared), func(t *testing.T) {
			m := newMembers(t, shared)
			ann, bea := user{ID: "u1", Email: "a"}, user{ID: "u2", Email: "b"}
			stale := user{ID: "u1", Email: "z"}
			for i, step := range []struct {
				do   func() error
				want error
				then string
			}{
				{func() error { return m.create(ctx, "u1", "a") }, nil, "a=u1 b= c="},
				{func() error { return m.create(ctx, "u2", "a") }, unique.ErrTaken, "a=u1 b= c="},
				{func() error { return m.create(ctx, "u2", "b") }, nil, "a=u1 b=u2 c="},
				{func() error { return m.change(ctx, ann, "b") }, unique.ErrTaken, "a=u1 b=u2 c="},
				{func() error { return m.change(ctx, stale, "c") }, unique.ErrNotReserved, "a=u1 b=u2 c="},
				{func() error { return m.change(ctx, user{ID: "u1", Email: "b"}, "c") }, unique.ErrNotReserved, "a=u1 b=u2 c="},
				{func() error { return m.change(ctx, ann, "a") }, nil, "a=u1 b=u2 c="},
				{func() error { return m.change(ctx, stale, "z") }, unique.ErrNotReserved, "a=u1 b=u2 c="},
				{func() error { return m.change(ctx, ann, "c") }, nil, "a= b=u2 c=u1"},
				{func() error { return m.change(ctx, ann, "a") }, unique.ErrNotReserved, "a= b=u2 c=u1"},
				{func() error { return m.remove(ctx, ann) }, unique.ErrNotReserved, "a= b=u2 c=u1"},
				{func() error { return m.change(ctx, bea, "") }, nil, "a= b= c=u1"},
				{func() error { return m.change(ctx, user{ID: "u2"}, "a") }, nil, "a=u2 b= c=u1"},
				{func() error { return m.remove(ctx, user{ID: "u1", Email: "c"}) }, nil, "a=u2 b= c="},
				// Reserving a value again for its owner is no conflict.
				{func() error { return ddb.Transact(ctx, m.client, m.emails.TxReserve(tenant, "a", "u2")) }, nil, "a=u2 b= c="},
				// Another scope, another value.
				{func() error { return ddb.Transact(ctx, m.client, m.emails.TxReserve("other", "a", "u9")) }, nil, "a=u2 b= c="},
			} {
				err := step.do()
				if !errors.Is(err, step.want) || step.want != nil && !errors.Is(err, ddb.ErrConditionFailed) {
					t.Errorf("step %d: %v, want %v", i, err, step.want)
				}
				if got := m.owners(t, "a", "b", "c"); got != step.then {
					t.Errorf("step %d: %s, want %s", i, got, step.then)
				}
			}
		})
	}
}

func TestUniqueErrors(t *testing.T) {
	ctx := t.Context()
	m := newMembers(t, false)
	if err := m.create(ctx, "u1", "canary"); err != nil {
		t.Fatal(err)
	}
	// The change is one operation although it has two actions: the next operation keeps its index.
	err := ddb.Transact(ctx, m.client, m.emails.TxChange(tenant, "canary2", "canary", "u2"), m.users.TxCreate(&user{ID: "u1"}))
	taken, ok1 := errors.AsType[*unique.TakenError](err)
	lost, ok2 := errors.AsType[*unique.NotReservedError](err)
	te, ok3 := errors.AsType[*ddb.TransactionError](err)
	if !ok1 || !ok2 || !ok3 || taken.Field != "email" || taken.Scope != tenant || lost.Field != "email" || lost.Scope != tenant {
		t.Fatalf("%v", err)
	}
	if len(te.Failed) != 3 || te.At(0) == nil || te.At(1) == nil || te.At(1).Verb != "Create" || te.At(1).Table != m.users.Name() {
		t.Errorf("failures %+v", te.Failed)
	}
	if holder, ok := ddb.CurrentOf[user](err, 1); !ok || holder.ID != "u1" {
		t.Errorf("current %+v %v", holder, ok)
	}
	for _, verb := range []string{"%v", "%+v", "%s"} {
		if text := fmt.Sprintf(verb, err); strings.Contains(text, "canary") || !strings.Contains(text, "field email: ") {
			t.Errorf("text %s", text)
		}
	}
	for name, ops := range map[string][]ddb.TxOp{
		"empty value":     {m.emails.TxReserve(tenant, "", "u1")},
		"empty owner":     {m.emails.TxReserve(tenant, "canary", "")},
		"not UTF-8":       {m.emails.TxChange(tenant, "canary", "canary\xff", "u1")},
		"not UTF-8 scope": {m.emails.TxRelease("\xff", "canary", "u1")},
		"one value twice": {m.emails.TxReserve(tenant, "canary", "u1"), m.emails.TxRelease(tenant, "canary", "u1")},
	} {
		if err := ddb.Transact(ctx, m.client, ops...); !errors.Is(err, ddb.ErrInvalid) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := m.emails.Owner(ctx, tenant, ""); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
}

func TestUniqueDeclarations(t *testing.T) {
	users := newUsers(t, ddb.Version(userVersion))
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"everything": {second(unique.New(users, "e#", userID)), []string{`field "e#"`, "a table with a version", "attribute id is a key"}},
		"no field":   {second(unique.New(users, "", userNick)), []string{`field ""`}},
		"no table":   {second(unique.New((*ddb.SimpleTable[reservation, string])(nil), "email", reservationOwner)), []string{"table is nil"}},
	} {
		for _, want := range c.want {
			if !errors.Is(c.err, ddb.ErrInvalid) || !strings.Contains(c.err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, c.err, want)
			}
		}
	}
}

// TestUniqueKeys: distinct scopes and values have distinct keys, and each fits into a key attribute.
func TestUniqueKeys(t *testing.T) {
	m := newMembers(t, false)
	long := strings.Repeat("x", 300)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.OneOf(rapid.StringN(1, 6, -1), rapid.StringOf(rapid.RuneFrom([]rune("#$h@a"))), rapid.StringN(240, 300, -1),
			rapid.SampledFrom([]string{long, long + "y", "$h", "#"}))
		s1, v1, s2, v2 := text.Draw(r, "s1"), text.Draw(r, "v1"), text.Draw(r, "s2"), text.Draw(r, "v2")
		if v1 == "" || v2 == "" {
			r.Skip()
		}
		k1, err1 := m.emails.Key(s1, v1)
		k2, err2 := m.emails.Key(s2, v2)
		if err := errors.Join(err1, err2); err != nil {
			r.Fatal(err)
		}
		if (k1 == k2) != (s1 == s2 && v1 == v2) || len(k1) > 1024 || len(k2) > 1024 {
			r.Fatalf("%q %q: %s; %q %q: %s", s1, v1, k1, s2, v2, k2)
		}
	})
}

func TestUniqueVerifyAndRepair(t *testing.T) {
	ctx := t.Context()
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("shared table %v", shared), func(t *testing.T) {
			m := newMembers(t, shared)
			other, err := unique.New(m.reservations, "email2", reservationOwner)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(m.create(ctx, "ok", "fine"), ddb.Transact(ctx, m.client,
				m.emails.TxReserve(tenant, "nobodys", "ghost"), m.emails.TxReserve(tenant, "swapped", "ghost"),
				m.emails.TxReserve(tenant, "fought", "c1"), other.TxReserve(tenant, "x", "y"))); err != nil {
				t.Fatal(err)
			}
			for id, email := range map[string]string{"lacks": "bare", "robbed": "swapped", "c1": "fought", "c2": "fought", "none": ""} {
				if err := m.users.Put(ctx, &user{ID: id, Email: email}); err != nil {
					t.Fatal(err)
				}
			}
			kinds := func(findings []emailFinding) map[string]string {
				got := map[string]string{}
				for _, f := range findings {
					got[f.Key[strings.LastIndex(f.Key, "#")+1:]] = fmt.Sprint(f.Kind, " ", f.Claim.Owner, " ", f.Holder)
				}
				return got
			}
			verify := func(want map[string]string) []emailFinding {
				t.Helper()
				findings, err := m.emails.Verify(ctx, m.claims(ctx))
				if diff := cmp.Diff(want, kinds(findings)); err != nil || diff != "" {
					t.Fatalf("findings (-want +got): %v\n%s", err, diff)
				}
				return findings
			}
			findings := verify(map[string]string{"bare": "missing lacks ", "swapped": "foreign robbed ghost", "nobodys": "orphaned  ghost", "fought": "contested c2 c1"})
			for _, f := range findings {
				if text := fmt.Sprintf("%v %+v %#v", f, f, f); strings.Contains(text, "unique#") {
					t.Errorf("text of a finding shows data: %s", text)
				}
			}
			for _, kinds := range [][]unique.FindingKind{nil, {unique.Contested}, {"any"}} {
				if n, err := m.emails.Repair(ctx, findings, kinds...); n != 0 || !errors.Is(err, ddb.ErrInvalid) {
					t.Errorf("repair of %v: %d, %v", kinds, n, err)
				}
			}
			if n, err := m.emails.Repair(ctx, findings, unique.Orphaned); n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			findings = verify(map[string]string{"bare": "missing lacks ", "swapped": "foreign robbed ghost", "fought": "contested c2 c1"})
			// Another call reserves the missing value in the meantime: it is not repaired, but the other findings are.
			if err := ddb.Transact(ctx, m.client, m.emails.TxReserve(tenant, "bare", "quick")); err != nil {
				t.Fatal(err)
			}
			if n, err := m.emails.Repair(ctx, findings, unique.Missing, unique.Foreign); n != 1 || !errors.Is(err, unique.ErrTaken) {
				t.Errorf("%d, %v", n, err)
			}
			if got := m.owners(t, "fine", "bare", "swapped", "nobodys", "fought"); got != "fine=ok bare=quick swapped=robbed nobodys= fought=c1" {
				t.Error(got)
			}
			for _, f := range findings {
				err := ddb.Transact(ctx, m.client, other.TxRepair(f))
				if !errors.Is(err, ddb.ErrInvalid) {
					t.Errorf("repair of another field's %s: %v", f, err)
				}
			}
		})
	}
}

func TestUniqueVerifyNeedsAllClaims(t *testing.T) {
	m := newMembers(t, false)
	broken := errors.New("cut off")
	_, err := m.emails.Verify(t.Context(), func(yield func(emailClaim, error) bool) { yield(emailClaim{}, broken) })
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

// TestUniqueUnderConcurrency: after concurrent creates, changes and removals no value has
// two owners, and every owner's value is reserved for it.
func TestUniqueUnderConcurrency(t *testing.T) {
	ctx := t.Context()
	ids, addresses := []string{"u1", "u2", "u3"}, []string{"a", "b", "c", "d"}
	type step struct {
		kind      int
		id, email string
	}
	steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
		return step{rapid.IntRange(0, 3).Draw(r, "kind"), rapid.SampledFrom(ids).Draw(r, "id"), rapid.SampledFrom(addresses).Draw(r, "email")}
	}), 1, 6)
	m := newMembers(t, true)
	longtest.Checks(t, 40)
	rapid.Check(t, func(r *rapid.T) {
		plans := rapid.SliceOfN(steps, 2, 4).Draw(r, "plans")
		failures := make(chan error, 64)
		var wg sync.WaitGroup
		for _, plan := range plans {
			wg.Go(func() {
				for _, s := range plan {
					err := m.step(ctx, s.kind, s.id, s.email)
					if err != nil && !errors.Is(err, ddb.ErrConditionFailed) && !errors.Is(err, ddb.ErrNotFound) {
						failures <- err
					}
				}
			})
		}
		wg.Wait()
		close(failures)
		for err := range failures {
			r.Fatal(err)
		}
		findings, err := m.emails.Verify(ctx, m.claims(ctx))
		if err != nil || len(findings) > 0 {
			r.Fatalf("%v: %v", err, findings)
		}
	})
}

// step reads a user and writes a random change, protected only by the reservations.
func (m members) step(ctx context.Context, kind int, id, email string) error {
	if kind == 0 {
		return m.create(ctx, id, email)
	}
	u, err := m.users.Get(ctx, id, ddb.Consistent())
	switch {
	case err != nil:
		return err
	case kind == 1:
		return m.remove(ctx, u)
	}
	return m.change(ctx, u, email)
}
