// SPDX-License-Identifier: Apache-2.0

package grant_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/grant"
)

func Example() {
	client, stop := ddbtest.Open() // in production: ddbclient.New(ctx)
	ctx := context.Background()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

	grants, err := grant.New(client, grant.TableName(fmt.Sprintf("grants-example-%d", time.Now().UnixNano())),
		grant.Clock(func() time.Time { return now }))
	if err != nil {
		log.Fatal(err)
	}
	if err := grants.Ensure(ctx); err != nil {
		log.Fatal(err)
	}
	check := func(what string, key grant.Key) {
		d, err := grants.Check(ctx, key)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(what, d.Allowed, d.Reason)
	}

	acme := grant.TenantOf("acme")
	admin := grant.Key{Tenant: acme, User: "u1", Type: "role", Qualifier: "admin"}
	_, err = grants.Save(ctx, grant.Grant{Key: admin, GrantedBy: "u0", ExpiresAt: now.Add(time.Hour)}, grant.IfAbsent())
	if err != nil {
		log.Fatal(err)
	}
	check("admin", admin)
	admin2 := admin
	admin2.Tenant = grant.TenantOf("other")
	check("admin elsewhere", admin2)

	// A group of activities, and a member.
	err = grants.AddActivities(ctx, acme, "accounting", grant.Act{By: "u0"},
		grant.Activity{Type: "activity", Qualifier: "invoice.read"}, grant.Activity{Type: "activity", Qualifier: "invoice.pay"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = grants.Save(ctx, grant.Grant{Key: grant.MemberKey(acme, "u1", "accounting"), GrantedBy: "u0"}, grant.Upsert())
	if err != nil {
		log.Fatal(err)
	}
	check("pay", grant.Key{Tenant: acme, User: "u1", Type: "activity", Qualifier: "invoice.pay"})

	now = now.Add(time.Hour)
	check("admin an hour later", admin)
	if _, err := grants.Revoke(ctx, admin, grant.Act{By: "u0", Reason: "left the team"}); err != nil {
		log.Fatal(err)
	}
	check("admin revoked", admin)
	for e, err := range grants.History(ctx, admin) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("history %d %s %q\n", e.Grant.Rev, e.Event, e.Act.Reason)
	}
	stop()

	// Output:
	// admin true granted
	// admin elsewhere false no grant
	// pay true granted by group
	// admin an hour later false expired
	// admin revoked false revoked
	// history 1 granted ""
	// history 2 revoked "left the team"
}
