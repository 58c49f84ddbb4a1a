// SPDX-License-Identifier: Apache-2.0

package grant_test

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/grant"
)

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func number(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

// rawTable is a store with direct access to its rows.
type rawTable struct {
	*testing.T
	*grant.Store

	client *dynamodb.Client
	name   string
}

func newRawTable(t *testing.T, opts ...grant.Option) *rawTable {
	t.Helper()
	client, name := ddbtest.NewFromEnv(t), ddbtest.TableName(t)
	return &rawTable{t, newTable(t, client, name, opts...), client, name}
}

func (r *rawTable) row(tenant, sort string) attributes {
	r.Helper()
	consistent := true
	out, err := r.client.GetItem(r.Context(), &dynamodb.GetItemInput{
		TableName: &r.name, ConsistentRead: &consistent, Key: attributes{"tenant": text(tenant), "sk": text(sort)},
	})
	if err != nil || out.Item == nil {
		r.Fatalf("there is no row: %v", err)
	}
	return out.Item
}

func (r *rawTable) put(item attributes) {
	r.Helper()
	if _, err := r.client.PutItem(r.Context(), &dynamodb.PutItemInput{TableName: &r.name, Item: item}); err != nil {
		r.Fatal(err)
	}
}

// TestDamagedRows: if a row that a decision depends on is damaged in any way, Check denies with an error,
// and the grant can be erased and created again.
func TestDamagedRows(t *testing.T) {
	acme := grant.TenantOf("acme")
	own := grant.Key{Tenant: acme, User: "u", Type: "activity", Qualifier: "read"}
	member := grant.MemberKey(acme, "m", "staff")
	byGroup := grant.Key{Tenant: acme, User: "m", Type: "activity", Qualifier: "read"}
	for _, c := range []struct {
		name      string
		attribute string
		value     types.AttributeValue // nil removes the attribute
	}{
		{"no schema", "schema", nil},
		{"later schema", "schema", number("2")},
		{"schema zero", "schema", number("0")},
		{"schema as text", "schema", text("1")},
		{"no state", "state", nil},
		{"unknown state", "state", text("suspended")},
		{"empty state", "state", text("")},
		{"state as a number", "state", number("1")},
		{"no expiry", "expires", nil},
		{"empty expiry", "expires", text("")},
		{"expiry as text", "expires", text("tomorrow")},
		{"expiry as a number", "expires", number("99999999999")},
		{"expiry of the zero time", "expires", text("0001-01-01T00:00:00Z")},
		{"expiry as null", "expires", &types.AttributeValueMemberNULL{Value: true}},
		{"no revision", "rev", nil},
		{"revision zero", "rev", number("0")},
		{"negative revision", "rev", number("-1")},
		{"revision with a fraction", "rev", number("1.5")},
		{"time as text", "granted_at", text("yesterday")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRawTable(t)
			ctx := t.Context()
			for _, k := range []grant.Key{own, member} {
				if _, err := r.Save(ctx, grant.Grant{Key: k, GrantedBy: "admin", ExpiresAt: time.Now().Add(time.Hour)}, grant.Upsert()); err != nil {
					t.Fatal(err)
				}
			}
			act := grant.Act{By: "admin"}
			if err := r.AddActivities(ctx, acme, "staff", act, grant.Activity{Type: "activity", Qualifier: "read"}); err != nil {
				t.Fatal(err)
			}
			allowed := func(k grant.Key) bool {
				d, err := r.Check(ctx, k)
				return err == nil && d.Allowed
			}
			if !allowed(own) || !allowed(byGroup) {
				t.Fatal("the undamaged rows do not allow")
			}
			for sort, k := range map[string]grant.Key{"U#u#activity#read": own, "U#m#activity-group#staff": member} {
				item := maps.Clone(r.row("T#acme", sort))
				delete(item, c.attribute)
				if c.value != nil {
					item[c.attribute] = c.value
				}
				r.put(item)
				asked := k
				if k == member {
					asked = byGroup
				}
				d, err := r.Check(ctx, asked)
				if err == nil || d.Allowed || d.Reason != grant.Failed {
					t.Errorf("Check by %s = %+v, %v, want denied with an error", sort, d, err)
				}
				if _, err := r.Get(ctx, k); err == nil {
					t.Error("Get reads the damaged row")
				}
				if _, err := r.Revoke(ctx, k, act); err == nil {
					t.Error("Revoke overwrites the damaged row")
				}
				if err := r.Erase(ctx, k); err != nil {
					t.Fatal(err)
				}
				if _, err := r.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.IfAbsent()); err != nil || !allowed(asked) {
					t.Errorf("after Erase: %v", err)
				}
			}
		})
	}
}

// FuzzRow: only valid values of the attributes that decide can allow access.
func FuzzRow(f *testing.F) {
	f.Add("active", "never", 1, 1)
	f.Add("active", "2027-01-01T00:00:00Z", 1, 7)
	f.Add("active", "2026-07-01T09:00:00.000000001+00:00", 1, 7)
	f.Add("revoked", "never", 1, 2)
	f.Add("", "", 0, 0)
	f.Add("Active", "Never", 2, -1)
	f.Add("active", "10000-01-01T00:00:00Z", 1, 1)
	f.Add("active", "2027-01-01T00:00:00+25:00", 1, 1)
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	e := ddbtest.NewEngine()
	f.Cleanup(e.Close)
	client, name := e.Client(), grant.DefaultTable
	s, err := grant.New(client, grant.Clock(func() time.Time { return now }))
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Ensure(f.Context()); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, state, expires string, schema, rev int) {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: attributes{
			"tenant": text("T#acme"), "sk": text("U#u#role#admin"), "state": text(state), "expires": text(expires),
			"schema": number(strconv.Itoa(schema)), "rev": number(strconv.Itoa(rev)),
		}})
		if err != nil {
			t.Skip("not an item: ", err)
		}
		d, err := s.Check(t.Context(), admin)
		if d.Allowed && err != nil {
			t.Fatalf("allowed with error %v", err)
		}
		at, invalid := time.Parse(time.RFC3339Nano, expires)
		sound := schema == 1 && rev > 0 && (expires == "never" || invalid == nil && at.After(now))
		if want := sound && state == "active"; d.Allowed != want {
			t.Errorf("state %q, expires %q, schema %d, rev %d: %+v, %v, want allowed %v", state, expires, schema, rev, d, err, want)
		}
	})
}

// TestDamagedActivity: an activity of another schema allows nothing.
func TestDamagedActivity(t *testing.T) {
	r, ctx, acme := newRawTable(t), t.Context(), grant.TenantOf("acme")
	if _, err := r.Save(ctx, grant.Grant{Key: grant.MemberKey(acme, "m", "staff"), GrantedBy: "boss"}, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	if err := r.AddActivities(ctx, acme, "staff", grant.Act{By: "admin"}, grant.Activity{Type: "activity", Qualifier: "read"}); err != nil {
		t.Fatal(err)
	}
	item := r.row("T#acme", "A#staff#activity#read")
	item["schema"] = number("2")
	r.put(item)
	d, err := r.Check(ctx, grant.Key{Tenant: acme, User: "m", Type: "activity", Qualifier: "read"})
	if !errors.Is(err, grant.ErrUnreadable) || d.Allowed {
		t.Errorf("Check = %+v, %v, want denied with ErrUnreadable", d, err)
	}
}

// TestDamagedHistory: a damaged entry is reported, and does not let a revision be used twice.
func TestDamagedHistory(t *testing.T) {
	r, ctx := newRawTable(t), t.Context()
	k := grant.Key{Tenant: grant.TenantOf("acme"), User: "u", Type: "role", Qualifier: "admin"}
	if _, err := r.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(ctx, k, grant.Act{By: "admin"}); err != nil {
		t.Fatal(err)
	}
	item := r.row("T#acme", "H#u#role#admin#0000000000000000002")
	delete(item, "rev")
	r.put(item)
	var last error
	for _, err := range r.History(ctx, k) {
		last = err
	}
	if !errors.Is(last, grant.ErrUnreadable) {
		t.Errorf("History ends with %v, want ErrUnreadable", last)
	}
	if g, err := r.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.IfAbsent()); err != nil || g.Rev != 3 {
		t.Errorf("Save = revision %d, %v, want 3", g.Rev, err)
	}
}

// TestErrorsShowNoNames: error texts go to logs, which must not contain names of users.
func TestErrorsShowNoNames(t *testing.T) {
	r, ctx := newRawTable(t), t.Context()
	k := grant.Key{Tenant: grant.TenantOf("secret-tenant"), User: "secret-user", Type: "secret-type", Qualifier: "secret-qualifier"}
	bad := k
	bad.User += "\xff"
	act := grant.Act{By: "secret-admin", Reason: "secret-reason"}
	var errs []error
	note := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("no error")
		}
		errs = append(errs, err)
	}
	_, err := r.Get(ctx, k)
	note(err)
	_, err = r.Get(ctx, bad)
	note(err)
	_, err = r.Revoke(ctx, k, act)
	note(err)
	if _, err = r.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss", FullName: "secret-name"}, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	_, err = r.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.IfAbsent())
	note(err)
	item := r.row("T#secret-tenant", "U#secret-user#secret-type#secret-qualifier")
	item["state"] = text("secret-state")
	r.put(item)
	_, err = r.Check(ctx, k)
	note(err)
	for _, err := range errs {
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a name: %v", err)
		}
	}
}
