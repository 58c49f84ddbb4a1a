// SPDX-License-Identifier: Apache-2.0

// Access checks grants before it calls an HTTP handler: users may do what they are granted, directly
// or through a group, in their tenant, until the grant expires or is revoked. They may do nothing while
// the store of the grants cannot be reached. It runs on the embedded engine, or on the
// endpoint in DYNAMODB_ENDPOINT:
//
//	go run ./examples/access
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/schema"
)

// clock is a clock that the example advances instead of waiting.
type clock struct{ now atomic.Pointer[time.Time] }

func newClock(start time.Time) *clock {
	c := &clock{}
	c.now.Store(&start)
	return c
}

func (c *clock) Now() time.Time { return *c.now.Load() }

func (c *clock) Advance(d time.Duration) {
	now := c.Now().Add(d)
	c.now.Store(&now)
}

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	defer stop()
	if err := run(context.Background(), client); err != nil {
		log.Fatal(err) //nolint:gocritic // the engine dies with the process
	}
}

func run(ctx context.Context, client *dynamodb.Client) error {
	clock := newClock(time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC))
	const table = "access-grants"
	grants, err := grant.New(client, grant.TableName(table), grant.Clock(clock.Now))
	if err != nil {
		return err
	}
	// Remove the table that an earlier run may have left.
	if err := grants.Reset(ctx, schema.AllowDelete(table)); err != nil {
		return err
	}
	defer client.DeleteTable(context.WithoutCancel(ctx), &dynamodb.DeleteTableInput{TableName: aws.String(table)}) //nolint:errcheck // only tidies up
	differences, err := grants.Verify(ctx)
	if err != nil {
		return err
	}
	if len(differences) > 0 {
		return fmt.Errorf("the table differs: %v", differences)
	}
	api, err := serve(ctx, newHandler(grants))
	if err != nil {
		return err
	}
	defer api.close()

	for _, step := range []func() error{
		func() error { return ownGrants(ctx, grants, api, clock) },
		func() error { return groups(ctx, grants, api) },
		func() error { return audit(ctx, grants) },
		func() error { return unreachable(ctx, client) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

var acme = grant.TenantOf("acme")

// ownGrants shows the life of a grant.
func ownGrants(ctx context.Context, grants *grant.Store, api *server, clock *clock) error {
	fmt.Println("anonymous, and a user without grants:")
	if err := errors.Join(api.call(ctx, "GET", "", "/acme/reports/q2"), api.call(ctx, "GET", "ann", "/acme/reports/q2")); err != nil {
		return err
	}
	q2 := grant.Key{Tenant: acme, User: "ann", Type: "report.read", Qualifier: "q2"}
	_, err := grants.Save(ctx, grant.Grant{Key: q2, GrantedBy: "boss", ExpiresAt: clock.Now().Add(8 * time.Hour)}, grant.IfAbsent())
	if err != nil {
		return err
	}
	fmt.Println("ann may read q2 of acme for 8 hours:")
	for _, path := range []string{"/acme/reports/q2", "/acme/reports/q3", "/acme/reports/q2%23", "/other/reports/q2"} {
		if err := api.call(ctx, "GET", "ann", path); err != nil {
			return err
		}
	}
	clock.Advance(8*time.Hour - time.Nanosecond)
	fmt.Println("a nanosecond before the 8 hours end, and after:")
	if err := api.call(ctx, "GET", "ann", "/acme/reports/q2"); err != nil {
		return err
	}
	clock.Advance(time.Nanosecond)
	if err := api.call(ctx, "GET", "ann", "/acme/reports/q2"); err != nil {
		return err
	}
	if _, err := grants.Save(ctx, grant.Grant{Key: q2, GrantedBy: "boss"}, grant.IfRevision(1)); err != nil {
		return err
	}
	fmt.Println("granted again without an end, and revoked:")
	if err := api.call(ctx, "GET", "ann", "/acme/reports/q2"); err != nil {
		return err
	}
	if _, err := grants.Revoke(ctx, q2, grant.Act{By: "security", Reason: "ann has left the project"}); err != nil {
		return err
	}
	return api.call(ctx, "GET", "ann", "/acme/reports/q2")
}

// groups shows what a user may do as a member of a group.
func groups(ctx context.Context, grants *grant.Store, api *server) error {
	err := grants.AddActivities(ctx, acme, "editors", grant.Act{By: "boss"},
		grant.Activity{Type: "report.read", Qualifier: "q2"},
		grant.Activity{Type: "report.delete", Qualifier: "q2"})
	if err != nil {
		return err
	}
	for _, user := range []string{"bob", "cem"} {
		if _, err := grants.Save(ctx, grant.Grant{Key: grant.MemberKey(acme, user, "editors"), GrantedBy: "boss"}, grant.Upsert()); err != nil {
			return err
		}
	}
	fmt.Println("bob and cem are editors:")
	if err := errors.Join(api.call(ctx, "GET", "bob", "/acme/reports/q2"), api.call(ctx, "DELETE", "bob", "/acme/reports/q2")); err != nil {
		return err
	}
	if err := grants.RemoveActivities(ctx, acme, "editors", grant.Activity{Type: "report.delete", Qualifier: "q2"}); err != nil {
		return err
	}
	fmt.Println("editors may no longer delete:")
	if err := errors.Join(api.call(ctx, "GET", "bob", "/acme/reports/q2"), api.call(ctx, "DELETE", "bob", "/acme/reports/q2")); err != nil {
		return err
	}
	n, err := grants.DeleteForUser(ctx, "bob", grant.Act{By: "boss", Reason: "bob has left"}, grant.Within(acme))
	if err != nil {
		return err
	}
	fmt.Println("bob has left,", n, "grant deleted:")
	return api.call(ctx, "GET", "bob", "/acme/reports/q2")
}

// audit lists the remaining grants for a review.
func audit(ctx context.Context, grants *grant.Store) error {
	fmt.Println("history of ann's grant:")
	for e, err := range grants.History(ctx, grant.Key{Tenant: acme, User: "ann", Type: "report.read", Qualifier: "q2"}) {
		if err != nil {
			return err
		}
		fmt.Printf("  %d %s by %s at %s", e.Grant.Rev, e.Event, e.Act.By, e.Act.At.Format(time.RFC3339))
		if e.Act.Reason != "" {
			fmt.Printf(": %s", e.Act.Reason)
		}
		fmt.Println()
	}
	fmt.Print("editors:")
	for g, err := range grants.ListHolders(ctx, acme, grant.GroupType, "editors", grant.VerifyConsistent()) {
		if err != nil {
			return err
		}
		fmt.Print(" ", g.User)
	}
	fmt.Println()
	return nil
}

// unreachable shows that access is denied if DynamoDB does not answer.
func unreachable(ctx context.Context, client ddb.Client) error {
	missing, err := grant.New(client, grant.TableName("access-grants-missing"))
	if err != nil {
		return err
	}
	api, err := serve(ctx, newHandler(missing))
	if err != nil {
		return err
	}
	defer api.close()
	fmt.Println("the table of the grants does not exist:")
	return api.call(ctx, "GET", "cem", "/acme/reports/q2")
}

// server is a handler on a port of the machine.
type server struct {
	http.Server

	address string
}

func serve(ctx context.Context, handler http.Handler) (*server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{Server: http.Server{Handler: handler, ReadHeaderTimeout: time.Second}, address: "http://" + listener.Addr().String()}
	go s.Serve(listener) //nolint:errcheck // ends with close
	return s, nil
}

func (s *server) close() { _ = s.Close() } // no request is in flight by then

// call prints the response to a request.
func (s *server) call(ctx context.Context, method, user, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.address+path, http.NoBody)
	if err != nil {
		return err
	}
	if user != "" {
		req.Header.Set(userHeader, user)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	fmt.Printf("  %-6s %-20s as %-4s %s\n", method, path, user, resp.Status)
	return resp.Body.Close()
}
