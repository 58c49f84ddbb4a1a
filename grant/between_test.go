// SPDX-License-Identifier: Apache-2.0

package grant_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/grant"
)

// between is a store that runs a function just before a request of an operation arrives.
type between struct {
	*grant.Store

	hook     atomic.Pointer[func(operation string)]
	requests atomic.Int64
}

func newBetween(t *testing.T, rules ...fault.Rule) *between {
	t.Helper()
	b := &between{}
	client := ddbtest.New(t, ddbtest.WithFaults(rules...), ddbtest.WithObserver(func(r fault.Request) {
		b.requests.Add(1)
		if hook := b.hook.Load(); hook != nil {
			(*hook)(r.Operation)
		}
	}))
	s, err := grant.New(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Store = s
	return b
}

// before calls do once, before the next request of the operation.
func (b *between) before(operation string, do func()) {
	var hook func(string)
	hook = func(op string) {
		if op == operation && b.hook.CompareAndSwap(&hook, nil) {
			do()
		}
	}
	b.hook.Store(&hook)
}

var (
	read   = grant.Activity{Type: "activity", Qualifier: "read"}
	mayDo  = grant.Key{Tenant: acme, User: "u", Type: read.Type, Qualifier: read.Qualifier}
	member = grant.MemberKey(acme, "u", "staff")
)

// TestGroupEndsBetweenReads: a membership or activity that ends between the first and the last read of a check does not allow.
func TestGroupEndsBetweenReads(t *testing.T) {
	for _, operation := range []string{"Query", "BatchGetItem", "TransactGetItems"} {
		for name, end := range map[string]func(context.Context, *between) error{
			"revoked": func(ctx context.Context, b *between) error { _, err := b.Revoke(ctx, member, boss); return err },
			"deleted": func(ctx context.Context, b *between) error { return b.Delete(ctx, member, boss) },
			"removed": func(ctx context.Context, b *between) error { return b.RemoveActivities(ctx, acme, "staff", read) },
			"swapped": func(ctx context.Context, b *between) error {
				// The membership ends before the activity begins: they were never active together.
				if _, err := b.Revoke(ctx, member, boss); err != nil {
					return err
				}
				return b.AddActivities(ctx, acme, "staff", boss, read)
			},
		} {
			t.Run(operation+" "+name, func(t *testing.T) {
				ctx, b := t.Context(), newBetween(t)
				if _, err := b.Save(ctx, grant.Grant{Key: member, GrantedBy: "boss"}, grant.Upsert()); err != nil {
					t.Fatal(err)
				}
				if name != "swapped" || operation == "TransactGetItems" {
					if err := b.AddActivities(ctx, acme, "staff", boss, read); err != nil {
						t.Fatal(err)
					}
				}
				ended := false
				b.before(operation, func() {
					ended = true
					if err := end(ctx, b); err != nil {
						t.Error(err)
					}
				})
				d, err := b.Check(ctx, mayDo)
				if err != nil || d.Allowed {
					t.Errorf("Check = %+v, %v, want denied", d, err)
				}
				if !ended {
					t.Errorf("the check sent no %s", operation)
				}
			})
		}
	}
}

// TestOneGroupOfMany: if a group's grant ends during the check, the next group decides.
func TestOneGroupOfMany(t *testing.T) {
	ctx, b := t.Context(), newBetween(t)
	const groups = 130 // more than one batch
	for i := range groups {
		group := fmt.Sprintf("g%03d", i)
		if _, err := b.Save(ctx, grant.Grant{Key: grant.MemberKey(acme, "u", group), GrantedBy: "boss"}, grant.Upsert()); err != nil {
			t.Fatal(err)
		}
		if i == 7 || i == 129 {
			if err := b.AddActivities(ctx, acme, group, boss, read); err != nil {
				t.Fatal(err)
			}
		}
	}
	d, err := b.Check(ctx, mayDo)
	if err != nil || d.Group != "g007" {
		t.Errorf("Check = %+v, %v, want allowed by g007", d, err)
	}
	b.before("TransactGetItems", func() {
		if _, err := b.Revoke(ctx, grant.MemberKey(acme, "u", "g007"), boss); err != nil {
			t.Error(err)
		}
	})
	d, err = b.Check(ctx, mayDo)
	if err != nil || !d.Allowed || d.Group != "g129" {
		t.Errorf("Check = %+v, %v, want allowed by g129", d, err)
	}
}

// TestRequests checks the cost of a decision.
func TestRequests(t *testing.T) {
	ctx, b := t.Context(), newBetween(t)
	for _, k := range []grant.Key{admin, member} {
		if _, err := b.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.Upsert()); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.AddActivities(ctx, acme, "staff", boss, read); err != nil {
		t.Fatal(err)
	}
	stranger := admin
	stranger.User = "stranger"
	for _, c := range []struct {
		name string
		key  grant.Key
		want int64
	}{
		{"own grant", admin, 1},
		{"membership", member, 1},
		{"user without groups", stranger, 2},
		{"no member", grant.MemberKey(acme, "u", "other"), 1},
		{"by group", mayDo, 4},
		{"another activity", grant.Key{Tenant: acme, User: "u", Type: read.Type, Qualifier: "other"}, 3},
	} {
		before := b.requests.Load()
		if _, err := b.Check(ctx, c.key); err != nil {
			t.Fatal(err)
		}
		if got := b.requests.Load() - before; got != c.want {
			t.Errorf("%s: %d requests, want %d", c.name, got, c.want)
		}
	}
}

// TestChangeBetweenReadAndWrite: a change that comes in between is neither lost nor overwritten.
func TestChangeBetweenReadAndWrite(t *testing.T) {
	ctx, b := t.Context(), newBetween(t)
	upsert := func() error {
		_, err := b.Save(ctx, grant.Grant{Key: admin, GrantedBy: "between"}, grant.Upsert())
		return err
	}
	meanwhile := func(do func() error) {
		b.before("TransactWriteItems", func() {
			if err := do(); err != nil {
				t.Error(err)
			}
		})
	}
	meanwhile(upsert)
	_, err := b.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.IfAbsent())
	if conflict, ok := errors.AsType[*grant.ConflictError](err); !ok || conflict.Current == nil || conflict.Current.GrantedBy != "between" {
		t.Errorf("Save IfAbsent = %v, want a conflict with the other", err)
	}
	meanwhile(upsert)
	if _, err := b.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.IfRevision(1)); !errors.Is(err, grant.ErrConflict) {
		t.Errorf("Save IfRevision = %v, want a conflict", err)
	}
	meanwhile(upsert)
	if g, err := b.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.Upsert()); err != nil || g.Rev != 4 {
		t.Errorf("Save Upsert = revision %d, %v, want 4", g.Rev, err)
	}
	meanwhile(upsert)
	if g, err := b.Revoke(ctx, admin, boss); err != nil || g.Rev != 6 {
		t.Errorf("Revoke = revision %d, %v, want 6", g.Rev, err)
	}
	meanwhile(func() error { return b.Delete(ctx, admin, boss) })
	if err := b.Delete(ctx, admin, boss); !errors.Is(err, grant.ErrNotFound) {
		t.Errorf("Delete = %v, want ErrNotFound", err)
	}
	// Deleted and created again in between: the revision shows it.
	if err := upsert(); err != nil {
		t.Fatal(err)
	}
	meanwhile(func() error { return errors.Join(b.Delete(ctx, admin, boss), upsert()) })
	if _, err := b.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.IfRevision(8)); !errors.Is(err, grant.ErrConflict) {
		t.Errorf("Save IfRevision = %v, want a conflict", err)
	}
	// Erased in between: IfRevision refuses to save a grant that no longer exists.
	erased := admin
	erased.Qualifier = "erased"
	if _, err := b.Save(ctx, grant.Grant{Key: erased, GrantedBy: "boss"}, grant.IfAbsent()); err != nil {
		t.Fatal(err)
	}
	meanwhile(func() error { return b.Erase(ctx, erased) })
	if _, err := b.Save(ctx, grant.Grant{Key: erased, GrantedBy: "boss"}, grant.IfRevision(1)); !errors.Is(err, grant.ErrConflict) {
		t.Errorf("Save IfRevision of an erased grant = %v, want a conflict", err)
	}
	n := int64(0)
	for e, err := range b.History(ctx, admin) {
		if n++; err != nil || e.Grant.Rev != n {
			t.Errorf("entry %d has revision %d, %v", n, e.Grant.Rev, err)
		}
	}
	if n != 10 {
		t.Errorf("the history has %d entries, want 10", n)
	}
}

// TestDeleteManyDuringChanges: a grant that changes while many are deleted is deleted as well.
func TestDeleteManyDuringChanges(t *testing.T) {
	ctx, b := t.Context(), newBetween(t)
	const grants = 7
	for i := range grants {
		k := admin
		k.Qualifier = fmt.Sprint(i)
		if _, err := b.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.Upsert()); err != nil {
			t.Fatal(err)
		}
	}
	third, fifth := admin, admin
	third.Qualifier, fifth.Qualifier = "3", "5"
	b.before("TransactWriteItems", func() {
		_, err := b.Revoke(ctx, third, boss)
		if err = errors.Join(err, b.Delete(ctx, fifth, boss)); err != nil {
			t.Error(err)
		}
	})
	n, err := b.DeleteForUser(ctx, "u", boss)
	if err != nil || n != grants {
		t.Errorf("DeleteForUser = %d, %v, want %d", n, err, grants)
	}
	for range b.ListForUser(ctx, "u", grant.IncludeRevoked()) {
		t.Error("a grant is left")
	}
	last := grant.Entry{}
	for e, err := range b.History(ctx, third) {
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	if last.Grant.Rev != 3 || last.Event != grant.EventDeleted {
		t.Errorf("the history of the revoked one ends with %+v", last)
	}
}

// TestIndexDelay: an index that lags by an hour allows nothing, and a verified
// list contains no inactive grants.
func TestIndexDelay(t *testing.T) {
	start := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(start), ddbtest.WithFaults(fault.On().StaleIndex(time.Hour)))
	t.Cleanup(e.Close)
	ctx := t.Context()
	s, err := grant.New(e.Client(), grant.Clock(e.Clock().Now))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(ctx); err != nil {
		t.Fatal(err)
	}
	e.Clock().Advance(2 * time.Hour)
	if _, err := s.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	e.Clock().Advance(2 * time.Hour)
	if _, err := s.Revoke(ctx, admin, boss); err != nil {
		t.Fatal(err)
	}
	count := func(opts ...grant.ListOption) (n int) {
		t.Helper()
		for _, err := range s.ListForUser(ctx, "u", opts...) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if n := count(); n != 1 {
		t.Fatalf("the index that lags lists %d active grants, want the one of an hour ago", n)
	}
	if d, err := s.Check(ctx, admin); err != nil || d.Reason != grant.Revoked {
		t.Errorf("Check = %+v, %v, want revoked", d, err)
	}
	for name, n := range map[string]int{
		"verified": count(grant.VerifyConsistent()),
		"within":   count(grant.Within(acme)),
	} {
		if n != 0 {
			t.Errorf("%s: %d active grants are listed, want none", name, n)
		}
	}
	if n := count(grant.VerifyConsistent(), grant.IncludeRevoked()); n != 1 {
		t.Errorf("including revoked grants %d are listed, want 1", n)
	}
	// Within a tenant a deletion includes grants that the index does not show yet.
	fresh := admin
	fresh.Qualifier = "fresh"
	if _, err := s.Save(ctx, grant.Grant{Key: fresh, GrantedBy: "boss"}, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.DeleteForUser(ctx, "u", boss, grant.Within(acme)); err != nil || n != 2 {
		t.Errorf("DeleteForUser = %d, %v, want 2", n, err)
	}
}

// TestStaleReads: eventually consistent reads return data from an hour ago; no decision and no consistent
// list uses them.
func TestStaleReads(t *testing.T) {
	start := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(start), ddbtest.WithFaults(fault.On().StaleReads(time.Hour)))
	t.Cleanup(e.Close)
	ctx := t.Context()
	s, err := grant.New(e.Client(), grant.Clock(e.Clock().Now))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(ctx); err != nil {
		t.Fatal(err)
	}
	e.Clock().Advance(2 * time.Hour)
	wants := func(k grant.Key, want grant.Reason) {
		t.Helper()
		if d, err := s.Check(ctx, k); err != nil || d.Reason != want {
			t.Errorf("Check of %s = %+v, %v, want %s", k.Type, d, err, want)
		}
	}
	for _, k := range []grant.Key{admin, member} {
		if _, err := s.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.Upsert()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddActivities(ctx, acme, "staff", boss, read); err != nil {
		t.Fatal(err)
	}
	wants(admin, grant.Granted)
	wants(mayDo, grant.GrantedByGroup)
	n := 0
	for _, err := range s.Activities(ctx, acme, "staff") {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range s.ListForUser(ctx, "u", grant.Within(acme)) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 3 {
		t.Errorf("%d rows are listed, want 3", n)
	}
	for _, k := range []grant.Key{admin, member} {
		if _, err := s.Revoke(ctx, k, boss); err != nil {
			t.Fatal(err)
		}
	}
	wants(admin, grant.Revoked)
	wants(mayDo, grant.NoGrant)
}

// TestLostReplies: if all replies to a change are lost, the history proves it; a change without
// proof is reported as unknown.
func TestLostReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, b := t.Context(), newBetween(t, fault.On("TransactWriteItems").DropReply())
		if g, err := b.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.IfAbsent()); err != nil || g.Rev != 1 {
			t.Errorf("Save = revision %d, %v", g.Rev, err)
		}
		if g, err := b.Revoke(ctx, admin, boss); err != nil || g.Rev != 2 {
			t.Errorf("Revoke = revision %d, %v", g.Rev, err)
		}
		if err := b.Delete(ctx, admin, boss); err != nil {
			t.Errorf("Delete = %v", err)
		}
		b = newBetween(t, fault.On("TransactWriteItems").DropRequest())
		if _, err := b.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.IfAbsent()); !errors.Is(err, ddb.ErrOutcomeUnknown) {
			t.Errorf("Save = %v, want ErrOutcomeUnknown", err)
		}
		if d, err := b.Check(ctx, admin); err != nil || d.Reason != grant.NoGrant {
			t.Errorf("Check = %+v, %v, want no grant", d, err)
		}
	})
}

// misdirecting sends reads for one user to another's rows, as a broken proxy might.
type misdirecting struct {
	next     aws.HTTPClient
	from, to string // of one length
}

func (m misdirecting) Do(req *http.Request) (*http.Response, error) {
	if target := req.Header.Get("X-Amz-Target"); strings.Contains(target, "Get") || strings.Contains(target, "Query") {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(body), m.from, m.to)))
	}
	return m.next.Do(req)
}

// TestAnotherRow: a row of another key allows nothing.
func TestAnotherRow(t *testing.T) { synctest.Test(t, anotherRow) }

func anotherRow(t *testing.T) {
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	ctx := t.Context()
	s, err := grant.New(e.Client(func(o *dynamodb.Options) { o.HTTPClient = misdirecting{e, "mallory", "holder1"} }))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(ctx); err != nil {
		t.Fatal(err)
	}
	for _, k := range []grant.Key{
		{Tenant: acme, User: "holder1", Type: "role", Qualifier: "admin"}, grant.MemberKey(acme, "holder1", "staff"),
	} {
		if _, err := s.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.Upsert()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddActivities(ctx, acme, "staff", boss, read); err != nil {
		t.Fatal(err)
	}
	for _, k := range []grant.Key{
		{Tenant: acme, User: "mallory", Type: "role", Qualifier: "admin"}, {Tenant: acme, User: "mallory", Type: read.Type, Qualifier: read.Qualifier},
	} {
		d, err := s.Check(ctx, k)
		if err == nil || !strings.Contains(err.Error(), "another key") || d.Allowed || d.Reason != grant.Failed {
			t.Errorf("Check of %s = %+v, %v, want denied because of another user's row", k.Type, d, err)
		}
		k.User = "holder1"
		if d, err := s.Check(ctx, k); err != nil || !d.Allowed {
			t.Errorf("Check of %s of the holder = %+v, %v", k.Type, d, err)
		}
	}
}

// TestUnprocessed: keys that DynamoDB leaves unprocessed in batches are read and deleted nevertheless.
func TestUnprocessed(t *testing.T) {
	ctx := t.Context()
	b := newBetween(t, fault.On("BatchGetItem", "BatchWriteItem").Every(2).Unprocessed(3))
	var many []grant.Activity
	for i := range 60 {
		many = append(many, grant.Activity{Type: "activity", Qualifier: fmt.Sprint(i)})
	}
	if err := b.AddActivities(ctx, acme, "staff", boss, many...); err != nil {
		t.Fatal(err)
	}
	count := func() (n int) {
		t.Helper()
		for _, err := range b.Activities(ctx, acme, "staff") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if n := count(); n != 60 {
		t.Errorf("%d activities, want 60", n)
	}
	if _, err := b.DeleteGroup(ctx, acme, "staff", boss); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 0 {
		t.Errorf("%d activities are left", n)
	}
	failing := newBetween(t, fault.On("BatchWriteItem").Nth(2).Error("AccessDeniedException", "denied"))
	err := failing.AddActivities(ctx, acme, "staff", boss, many...)
	if _, ok := errors.AsType[*ddb.BatchError](err); !ok {
		t.Errorf("AddActivities = %v, want a BatchError", err)
	}
}
