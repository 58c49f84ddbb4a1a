// SPDX-License-Identifier: Apache-2.0

package grant_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/schema"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	// Keep-alive connections of a client outlive a test when the suite runs on a real endpoint.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

var (
	acme  = grant.TenantOf("acme")
	admin = grant.Key{Tenant: acme, User: "u", Type: "role", Qualifier: "admin"}
	boss  = grant.Act{By: "boss"}
)

// TestRows checks the stored form of rows, which the console,
// exports and later versions read.
func TestRows(t *testing.T) {
	now := time.Date(2026, 7, 1, 9, 0, 0, 5, time.UTC)
	r := newRawTable(t, grant.Clock(func() time.Time { return now }), grant.DeleteExpired(time.Hour))
	ctx := t.Context()
	k := grant.Key{Tenant: grant.TenantOf("a#b"), User: "u", Type: "role", Qualifier: "admin"}
	if _, err := r.Save(ctx, grant.Grant{Key: k, FullName: "Ada", GrantedBy: "boss", ExpiresAt: now.Add(time.Minute)}, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Revoke(ctx, k, grant.Act{By: "boss", Reason: "left"}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"tenant": "T#a$cb", "sk": "U#u#role#admin", "schema": "1", "user": "u", "type": "role",
		"by_user": "U#role#T$ca$dcb#admin", "by_type": "T#T$ca$dcb#admin#u",
		"state": "revoked", "expires": "2026-07-01T09:01:00.000000005Z", "rev": "2", "full_name": "Ada",
		"granted_by": "boss", "granted_at": "2026-07-01T09:00:00.000000005Z",
		"revoked_by": "boss", "revoked_at": "2026-07-01T09:00:00.000000005Z", "reason": "left",
		"ttl": fmt.Sprint(now.Add(time.Hour+time.Minute).Unix() + 1),
	}
	if diff := cmp.Diff(want, plain(r.row("T#a$cb", "U#u#role#admin"))); diff != "" {
		t.Errorf("grant (-want +got):\n%s", diff)
	}
	entry := plain(r.row("T#a$cb", "H#u#role#admin#0000000000000000002"))
	if entry["change_id"] == "" {
		t.Error("the entry of the history has no id")
	}
	delete(entry, "change_id")
	for _, name := range []string{"user", "type", "by_user", "by_type", "ttl"} {
		delete(want, name)
	}
	want["sk"] = "H#u#role#admin#0000000000000000002"
	want["event"], want["act_by"], want["act_for"], want["act_at"] = "revoked", "boss", "left", "2026-07-01T09:00:00.000000005Z"
	if diff := cmp.Diff(want, entry); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func plain(item attributes) map[string]string {
	texts := map[string]string{}
	for name, v := range item {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			texts[name] = v.Value
		case *types.AttributeValueMemberN:
			texts[name] = v.Value
		default:
			texts[name] = fmt.Sprintf("%T", v)
		}
	}
	return texts
}

// TestTimeToLive: DynamoDB deletes a grant only some time after it has expired; its history
// stays, and the revisions continue.
func TestTimeToLive(t *testing.T) {
	start := time.Date(2026, 7, 1, 9, 0, 0, 999, time.UTC)
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(start))
	t.Cleanup(e.Close)
	ctx := t.Context()
	s, err := grant.New(e.Client(), grant.Clock(e.Clock().Now), grant.DeleteExpired(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(ctx); err != nil {
		t.Fatal(err)
	}
	kept := admin
	kept.Qualifier = "kept"
	for k, expires := range map[grant.Key]time.Time{admin: start.Add(time.Minute), kept: {}} {
		if _, err := s.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss", ExpiresAt: expires}, grant.Upsert()); err != nil {
			t.Fatal(err)
		}
	}
	e.Clock().Advance(2 * time.Minute)
	if _, err := s.Get(ctx, admin); err != nil {
		t.Errorf("Get just after the retention time = %v, want the grant", err)
	}
	if d, err := s.Check(ctx, admin); err != nil || d.Reason != grant.Expired {
		t.Errorf("Check = %+v, %v, want expired", d, err)
	}
	e.Clock().Advance(2 * time.Second)
	if _, err := s.Get(ctx, admin); !errors.Is(err, grant.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if d, err := s.Check(ctx, kept); err != nil || !d.Allowed {
		t.Errorf("Check of a grant that never expires = %+v, %v", d, err)
	}
	g, err := s.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.IfAbsent())
	if err != nil || g.Rev != 2 {
		t.Errorf("Save = revision %d, %v, want 2", g.Rev, err)
	}
}

// TestSchema: Ensure creates what Verify requires, and Reset requires permission.
func TestSchema(t *testing.T) {
	ctx := t.Context()
	client, name := ddbtest.NewFromEnv(t), ddbtest.TableName(t)
	s, err := grant.New(client, grant.TableName(name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(ctx); !errors.Is(err, ddb.ErrTableNotFound) {
		t.Errorf("Verify without a table = %v, want ErrTableNotFound", err)
	}
	for range 2 {
		if err := s.Ensure(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if differences, err := s.Verify(ctx); err != nil || len(differences) > 0 {
		t.Errorf("Verify = %v, %v", differences, err)
	}
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil || len(out.Table.GlobalSecondaryIndexes) != 2 {
		t.Errorf("the table has %d indexes, %v", len(out.Table.GlobalSecondaryIndexes), err)
	}
	if _, err := s.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(ctx, schema.AllowDelete("another")); err == nil {
		t.Error("Reset with the permission of another table")
	}
	if d, err := s.Check(ctx, admin); err != nil || !d.Allowed {
		t.Errorf("Check after a refused Reset = %+v, %v", d, err)
	}
	if err := s.Reset(ctx, schema.AllowDelete(name)); err != nil {
		t.Fatal(err)
	}
	if d, err := s.Check(ctx, admin); err != nil || d.Reason != grant.NoGrant {
		t.Errorf("Check after Reset = %+v, %v", d, err)
	}
	if differences, err := s.Verify(ctx); err != nil || len(differences) > 0 {
		t.Errorf("Verify after Reset = %v, %v", differences, err)
	}
	if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
		t.Error(err)
	}
	d, err := s.Check(ctx, admin)
	if !errors.Is(err, ddb.ErrTableNotFound) || d.Allowed {
		t.Errorf("Check without a table = %+v, %v, want denied with ErrTableNotFound", d, err)
	}
}

func TestMemoryReset(t *testing.T) {
	ctx := t.Context()
	s, err := grant.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(ctx); err != nil {
		t.Error(err)
	}
	if differences, err := s.Verify(ctx); err != nil || differences != nil {
		t.Errorf("Verify = %v, %v", differences, err)
	}
	if _, err := s.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(ctx, schema.AllowDelete("another")); err == nil {
		t.Error("Reset with the permission of another table")
	}
	if err := s.Reset(ctx, schema.AllowDelete(grant.DefaultTable)); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(ctx, admin); !errors.Is(err, grant.ErrNotFound) {
		t.Errorf("Get after Reset = %v", err)
	}
}

func TestWithoutGroups(t *testing.T) {
	ctx := t.Context()
	s, err := grant.NewMemory(grant.WithoutGroups())
	if err != nil {
		t.Fatal(err)
	}
	read := grant.Activity{Type: "activity", Qualifier: "read"}
	if err := s.AddActivities(ctx, acme, "staff", boss, read); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(ctx, grant.Grant{Key: grant.MemberKey(acme, "u", "staff"), GrantedBy: "boss"}, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	d, err := s.Check(ctx, grant.Key{Tenant: acme, User: "u", Type: read.Type, Qualifier: read.Qualifier})
	if err != nil || d.Allowed {
		t.Errorf("Check = %+v, %v, want denied", d, err)
	}
}

func TestOptionsRefused(t *testing.T) {
	for name, opt := range map[string]grant.Option{
		"nil": nil, "nil clock": grant.Clock(nil), "negative time": grant.DeleteExpired(-1),
	} {
		if _, err := grant.NewMemory(opt); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("option %s: %v, want ErrInvalid", name, err)
		}
	}
	if _, err := grant.New(ddbtest.New(t), grant.TableName("no such/name")); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("a bad name: %v, want ErrInvalid", err)
	}
	if _, err := grant.New(nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("no client: %v, want ErrInvalid", err)
	}
}

// TestConfig: every field has the effect of the option, or is refused.
func TestConfig(t *testing.T) {
	ctx := t.Context()
	var c grant.Config
	text := `{"table":"access","table_prefix":"test-","region":"eu-central-1","endpoint":"http://127.0.0.1:1","delete_expired_after":"720h","without_groups":true}`
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if back, err := json.Marshal(c); err != nil || string(back) != text {
		t.Errorf("back to JSON: %s, %v", back, err)
	}
	if _, err := c.Options(); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("Options with region and endpoint: %v, want ErrInvalid", err)
	}
	for _, after := range []string{"soon", "-1h", "5"} {
		bad := grant.Config{DeleteExpiredAfter: after}
		_, err1 := bad.Options()
		for i, err := range []error{bad.Validate(), err1} {
			if !errors.Is(err, ddb.ErrInvalid) {
				t.Errorf("delete_expired_after %q, call %d: %v, want ErrInvalid", after, i, err)
			}
		}
	}
	if err := (grant.Config{}).Validate(); err != nil {
		t.Error(err)
	}

	c.Region, c.Endpoint = "", ""
	opts, err := c.Options()
	if err != nil {
		t.Fatal(err)
	}
	client := ddbtest.New(t)
	s, err := grant.New(client, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(ctx); err != nil {
		t.Fatal(err)
	}
	tables, err := client.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil || !slices.Equal(tables.TableNames, []string{"test-access"}) {
		t.Errorf("tables are %v, %v", tables.TableNames, err)
	}
}

// TestJSON: grants go through JSON, for exports and audit.
func TestJSON(t *testing.T) {
	g := grant.Grant{
		Key: admin, GrantedBy: "boss", GrantedAt: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Revoked: &grant.Act{By: "boss", At: time.Date(2026, 2, 2, 3, 4, 5, 6, time.UTC), Reason: "left"}, Rev: 3,
	}
	text, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"tenant":"T#acme","user":"u","type":"role","qualifier":"admin","granted_by":"boss","granted_at":"2026-01-02T03:04:05.000000006Z",` +
		`"revoked":{"by":"boss","at":"2026-02-02T03:04:05.000000006Z","reason":"left"},"rev":3}`
	if string(text) != want {
		t.Errorf("JSON is %s, want %s", text, want)
	}
	var back grant.Grant
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, back, cmp.Comparer(func(a, b grant.Tenant) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// FuzzTenant: only names of tenants are parsed, and each name is that of one tenant.
func FuzzTenant(f *testing.F) {
	for _, s := range []string{"", "-", "T#", "T#a", "T#$c", "T##", "a", "T#\xff", "T#$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var tenant grant.Tenant
		if tenant.UnmarshalText([]byte(s)) == nil {
			back, err := tenant.MarshalText()
			if err != nil || string(back) != s {
				t.Errorf("%q is read back as %q, %v", s, back, err)
			}
			if name, ok := tenant.Name(); ok && grant.TenantOf(name) != tenant {
				t.Errorf("%q has the name %q, which is another tenant", s, name)
			}
		}
		named := grant.TenantOf(s)
		if name, ok := named.Name(); ok && name != s || ok == named.IsZero() || named == grant.NoTenant() {
			t.Errorf("the tenant named %q has the name %q, %v", s, name, ok)
		}
	})
}
