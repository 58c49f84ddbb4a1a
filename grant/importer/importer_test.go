// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/grant/importer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type item = map[string]types.AttributeValue

func s(v string) types.AttributeValue  { return &types.AttributeValueMemberS{Value: v} }
func flag(v bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: v} }

const table = "authorization_grants"

// excalibur is a grant as Excalibur stores it.
func excalibur(tenant, user, grantType, qualifier string, more item) item {
	it := item{
		"tenant_id": s(tenant), "sk": s("GRANT#" + user + "#" + grantType + "#" + qualifier), "user_id": s(user), "grant_type": s(grantType), "qualifier": s(qualifier),
		"granted_by": s("admin"), "granted_on": s("2026-01-01T10:00:00.1234567+01:00"), "is_revoked": flag(false), "gsi_user_id": s(user), "gsi_sk": s("x"),
	}
	if tenant != "__null__" {
		it["original_tenant_id"] = s(tenant)
	}
	maps.Copy(it, more)
	return it
}

var revoked = item{"is_revoked": flag(true), "revoked_by": s("boss"), "revoked_on": s("2026-02-01T00:00:00.0000000+00:00")}

func seed(t *testing.T, client *dynamodb.Client, items ...item) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("tenant_id"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("tenant_id"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, client, items...)
}

func put(t *testing.T, client *dynamodb.Client, items ...item) {
	t.Helper()
	for _, it := range items {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: it}); err != nil {
			t.Fatal(err)
		}
	}
}

func newStore(t *testing.T, client ddb.Client) *grant.Store {
	t.Helper()
	store, err := grant.New(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

func key(tenant grant.Tenant, user, grantType, qualifier string) grant.Key {
	return grant.Key{Tenant: tenant, User: user, Type: grantType, Qualifier: qualifier}
}

func imported(t *testing.T, source importer.Source, store *grant.Store, read, saved, revoked, same int64, different ...grant.Key) { //nolint:unparam // all fields of a report
	t.Helper()
	r, err := importer.Import(t.Context(), source, store)
	if err != nil || r.Read != read || r.Saved != saved || r.Revoked != revoked || r.Same != same || len(r.Different) != len(different) {
		t.Errorf("%+v, %v; want %d read, %d saved, %d revoked, %d unchanged", r, err, read, saved, revoked, same)
	}
	for i := range min(len(different), len(r.Different)) {
		if r.Different[i] != different[i] {
			t.Errorf("different: %+v, want %+v", r.Different[i], different[i])
		}
	}
}

func TestExcalibur(t *testing.T) {
	client := ddbtest.New(t)
	future := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.0000000+00:00")
	member := excalibur("acme", "u1", "ActivityGroup", "clerks", nil)
	member["sk"], member["created_at"], member["updated_at"] = s("ACTGRP#u1#ActivityGroup#clerks"), member["granted_on"], member["granted_on"]
	delete(member, "granted_on")
	delete(member, "is_revoked")
	seed(t, client,
		excalibur("acme", "u1", "role", "admin", item{"full_name": s("Una"), "expires_on": s(future)}),
		excalibur("acme", "u#2", "role", "a#b", item{"expires_on": s("2026-01-02T00:00:00+00:00")}),
		excalibur("__null__", "u3", "role", "x", nil),
		excalibur("acme", "u4", "role", "x", revoked), member)
	store := newStore(t, client)
	source := importer.Excalibur(client, table, importer.Options{Type: func(name string) string {
		if name == "ActivityGroup" {
			return grant.GroupType
		}
		return name
	}})
	imported(t, source, store, 5, 5, 1, 0)
	imported(t, source, store, 5, 0, 0, 5)

	acme := grant.TenantOf("acme")
	for k, want := range map[grant.Key]grant.Reason{
		key(acme, "u1", "role", "admin"):                   grant.Granted,
		key(acme, "u#2", "role", "a#b"):                    grant.Expired,
		key(grant.NoTenant(), "u3", "role", "x"):           grant.Granted,
		key(grant.TenantOf("__null__"), "u3", "role", "x"): grant.NoGrant,
		key(acme, "u4", "role", "x"):                       grant.Revoked,
		key(acme, "u1", grant.GroupType, "clerks"):         grant.Granted,
	} {
		if d, err := store.Check(t.Context(), k); err != nil || d.Reason != want {
			t.Errorf("%+v: %+v, %v; want %v", k, d, err, want)
		}
	}
	g, err := store.Get(t.Context(), key(acme, "u1", "role", "admin"))
	if err != nil || g.FullName != "Una" || g.GrantedBy != "admin" || !g.GrantedAt.Equal(time.Date(2026, 1, 1, 9, 0, 0, 123456700, time.UTC)) || g.ExpiresAt.Format("2006-01-02T15:04:05.0000000+00:00") != future {
		t.Errorf("%+v, %v", g, err)
	}
	g, err = store.Get(t.Context(), key(acme, "u4", "role", "x"))
	if err != nil || g.Revoked == nil || g.Revoked.By != "boss" || !g.Revoked.At.Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", g, err)
	}

	// Both systems continue. Grants revoked in the old one are revoked; all other differences are left and reported.
	put(t, client, excalibur("__null__", "u3", "role", "x", revoked), excalibur("acme", "u1", "role", "admin", item{"granted_by": s("other")}))
	imported(t, source, store, 5, 0, 1, 3, key(acme, "u1", "role", "admin"))
	if d, err := store.Check(t.Context(), key(grant.NoTenant(), "u3", "role", "x")); err != nil || d.Allowed {
		t.Errorf("revoked in the source: %+v, %v", d, err)
	}
	regranted := grant.Grant{Key: key(grant.NoTenant(), "u3", "role", "x"), GrantedBy: "me"}
	if _, err := store.Save(t.Context(), regranted, grant.Upsert()); err != nil {
		t.Fatal(err)
	}
	imported(t, source, store, 5, 0, 0, 3, regranted.Key, key(acme, "u1", "role", "admin"))
	if d, err := store.Check(t.Context(), regranted.Key); err != nil || !d.Allowed {
		t.Errorf("granted again here: %+v, %v", d, err)
	}
}

// watching passes a number of requests, and runs a check after each.
type watching struct {
	next  aws.HTTPClient
	check func()
	mu    sync.Mutex
	left  int
}

func (w *watching) Do(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left--; w.left < 0 {
		return nil, errors.New("the importer was killed")
	}
	res, err := w.next.Do(req)
	w.check()
	return res, err
}

// TestRevokedIsNeverActive stops the import at every request: a grant that is revoked in the source is never active, and in the end it is revoked.
func TestRevokedIsNeverActive(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	client := e.Client()
	future := item{"expires_on": s("2999-01-01T00:00:00+00:00"), "is_revoked": flag(true), "revoked_on": s("2998-01-01T00:00:00+00:00")} // by a clock that runs ahead
	seed(t, client, excalibur("acme", "u1", "role", "x", revoked), excalibur("acme", "u2", "role", "x", future))
	store := newStore(t, client)
	keys := []grant.Key{key(grant.TenantOf("acme"), "u1", "role", "x"), key(grant.TenantOf("acme"), "u2", "role", "x")}
	for left, done := 0, false; !done; left++ {
		if left == 100 {
			t.Fatal("it does not end")
		}
		dying, err := ddbclient.New(t.Context(), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithMaxAttempts(1),
			ddbclient.WithConfig(aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}),
			ddbclient.WithHTTPClient(&watching{next: e, left: left, check: func() {
				for _, k := range keys {
					if d, err := store.Check(t.Context(), k); err != nil || d.Allowed {
						t.Errorf("%+v holds: %+v, %v", k, d, err)
					}
				}
			}}))
		if err != nil {
			t.Fatal(err)
		}
		target, err := grant.New(dying)
		if err != nil {
			t.Fatal(err)
		}
		_, err = importer.Import(t.Context(), importer.Excalibur(dying, table, importer.Options{}), target)
		done = err == nil
	}
	for _, k := range keys {
		if g, err := store.Get(t.Context(), k); err != nil || g.Revoked == nil {
			t.Errorf("%+v, %v", g, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	for what, tc := range map[string]struct {
		item item
		want string
	}{
		"another key":      {excalibur("acme", "u1", "role", "x", item{"sk": s("GRANT#secret")}), "attribute sk"},
		"another tenant":   {excalibur("acme", "u1", "role", "x", item{"original_tenant_id": s("secret")}), "original_tenant_id"},
		"nobody":           {excalibur("acme", "u1", "role", "x", item{"granted_by": s("")}), "granted_by"},
		"no time":          {excalibur("acme", "u1", "role", "x", item{"granted_on": s("secret")}), "granted_on"},
		"no expiry":        {excalibur("acme", "u1", "role", "x", item{"expires_on": s("secret")}), "expires_on"},
		"an empty expiry":  {excalibur("acme", "u1", "role", "x", item{"expires_on": s("")}), "expires_on"},
		"revoked, no time": {excalibur("acme", "u1", "role", "x", item{"is_revoked": flag(true)}), "revoked_on"},
		"revoked, a text":  {excalibur("acme", "u1", "role", "x", item{"is_revoked": s("secret")}), "is_revoked"},
	} {
		t.Run(what, func(t *testing.T) {
			client := ddbtest.New(t)
			seed(t, client, tc.item)
			_, err := importer.Import(t.Context(), importer.Excalibur(client, table, importer.Options{}), newStore(t, client))
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
}
