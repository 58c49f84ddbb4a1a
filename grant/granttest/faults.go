// SPDX-License-Identifier: Apache-2.0

package granttest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/grant"
)

// Opener makes an empty store on a DynamoDB client that reads its time from now.
type Opener func(t *testing.T, client *dynamodb.Client, now func() time.Time) Store

// RunFaults tests that no fault ever makes a store on DynamoDB allow access. For each
// kind of fault it makes the given number of checks on an engine of package ddbtest where a third of all
// requests fail. Waits take no real time, because it runs in a
// [synctest] bubble.
func RunFaults(t *testing.T, checks int, open Opener) {
	t.Helper()
	for _, kind := range faultKinds {
		t.Run(kind.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFaulty(t, open, kind.rules)
				f.checkAll(checks)
			})
		})
	}
	t.Run("changes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			newFaulty(t, open, func(fault.Matcher) []fault.Rule { return fault.Storm(0.3) }).changes(checks / 10)
		})
	})
}

// lag is the age of the data that stale reads return: from before everything ended.
const lag = time.Hour

var faultKinds = []struct {
	name  string
	rules func(fault.Matcher) []fault.Rule
}{
	{"request lost", rule(fault.Matcher.DropRequest)},
	{"reply lost", rule(fault.Matcher.DropReply)},
	{"connection refused", rule(fault.Matcher.Refuse)},
	{"hanging", rule(fault.Matcher.Hang)},
	{"slow request", rule(func(m fault.Matcher) fault.Rule { return m.Delay(4 * time.Second) })},
	{"slow reply", rule(func(m fault.Matcher) fault.Rule { return m.Applied().Delay(4 * time.Second) })},
	{"delivered twice", rule(fault.Matcher.Duplicate)},
	{"delivered late", rule(func(m fault.Matcher) fault.Rule { return m.Late(time.Second) })},
	{"throttled", rule(func(m fault.Matcher) fault.Rule { return m.Throttle() })},
	{"throttled with a reason", rule(func(m fault.Matcher) fault.Rule { return m.Throttle("TableReadKeyRangeThroughputExceeded") })},
	{"account limit", rule(fault.Matcher.Limit)},
	{"internal error", rule(fault.Matcher.InternalError)},
	{"internal error after", rule(func(m fault.Matcher) fault.Rule { return m.Applied().InternalError() })},
	{"unavailable", rule(fault.Matcher.Unavailable)},
	{"conflict", rule(fault.Matcher.Conflict)},
	{"table gone", rule(func(m fault.Matcher) fault.Rule { return m.Error("ResourceNotFoundException", "gone") })},
	{"access denied", rule(func(m fault.Matcher) fault.Rule { return m.Error("AccessDeniedException", "denied") })},
	{"body cut", rule(fault.Matcher.TruncateBody)},
	{"byte flipped", rule(fault.Matcher.FlipByte)},
	{"wrong checksum", rule(fault.Matcher.WrongChecksum)},
	{"empty body", rule(fault.Matcher.EmptyBody)},
	{"foreign body", rule(fault.Matcher.Foreign)},
	{"left unprocessed", rule(func(m fault.Matcher) fault.Rule { return m.Unprocessed(1) })},
	{"stale reads", rule(func(m fault.Matcher) fault.Rule { return m.StaleReads(lag) })},
	{"stale index", rule(func(m fault.Matcher) fault.Rule { return m.StaleIndex(lag) })},
	{"storm", func(fault.Matcher) []fault.Rule { return fault.Storm(0.5) }},
}

func rule(of func(fault.Matcher) fault.Rule) func(fault.Matcher) []fault.Rule {
	return func(m fault.Matcher) []fault.Rule { return []fault.Rule{of(m)} }
}

// faulty is a store whose requests fail once armed.
type faulty struct {
	*testing.T
	Store

	armed atomic.Bool
}

func newFaulty(t *testing.T, open Opener, rules func(fault.Matcher) []fault.Rule) *faulty {
	t.Helper()
	f := &faulty{T: t}
	list := []fault.Rule{fault.On().Where(func(fault.Request) bool { return !f.armed.Load() }).Delay(0)}
	e := ddbtest.NewEngine(ddbtest.WithFaults(append(list, rules(fault.On().Chance(1.0/3))...)...))
	t.Logf("seed %d", e.Seed())
	client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(e), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithConfig(aws.Config{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}))
	if err != nil {
		t.Fatal(err)
	}
	f.Store = open(t, client, time.Now)
	return f
}

// pass advances the time of the bubble.
func pass(d time.Duration) { <-time.After(d) }

// claim is a key and whether it allows access: always, or until the renewed grants expire.
type claim struct {
	name           string
	key            grant.Key
	holds, renewed bool
}

// claims stores the grants of the checks. Inactive ones were active until half an hour ago, and
// stale reads return that state.
func (f *faulty) claims() []claim {
	ctx := f.Context()
	must := func(_ grant.Grant, err error) {
		f.Helper()
		if err != nil {
			f.Fatal(err)
		}
	}
	read, write := grant.Activity{Type: "activity", Qualifier: "read"}, grant.Activity{Type: "activity", Qualifier: "write"}
	can := func(user string, a grant.Activity) grant.Key {
		return grant.Key{Tenant: acme, User: user, Type: a.Type, Qualifier: a.Qualifier}
	}
	f.armed.Store(false)
	end := time.Now().Add(2*lag - lag/2)
	for user, expires := range map[string]time.Time{"holder": {}, "revoked": {}, "expired": end, "deleted": {}, "erased": {}} {
		f.save(user, expires)
	}
	must(grant.Grant{}, f.AddActivities(ctx, acme, "staff", admin, read, write))
	pass(2*lag - lag/2) // "expired" ends now
	for _, k := range []grant.Key{role("revoked", "admin"), grant.MemberKey(acme, "revoked", "staff")} {
		must(f.Revoke(ctx, k, admin))
	}
	for _, k := range []grant.Key{role("deleted", "admin"), grant.MemberKey(acme, "deleted", "staff")} {
		must(grant.Grant{}, f.Delete(ctx, k, admin))
	}
	for _, k := range []grant.Key{role("erased", "admin"), grant.MemberKey(acme, "erased", "staff")} {
		must(grant.Grant{}, f.Erase(ctx, k))
	}
	must(grant.Grant{}, f.RemoveActivities(ctx, acme, "staff", write))
	pass(lag / 2)
	f.armed.Store(true)

	var list []claim
	for _, user := range []string{"holder", "revoked", "expired", "deleted", "erased", renewed, "never"} {
		holds, soon := user == "holder" || user == renewed, user == renewed
		list = append(list,
			claim{user, role(user, "admin"), holds, soon},
			claim{user + " by group", can(user, read), holds, soon},
			claim{user + " by a removed activity", can(user, write), false, soon},
			claim{user + " in another tenant", grant.Key{Tenant: grant.NoTenant(), User: user, Type: "role", Qualifier: "admin"}, false, soon})
	}
	return list
}

// save stores the user's role and membership.
func (f *faulty) save(user string, expires time.Time) {
	f.Helper()
	for _, k := range []grant.Key{role(user, "admin"), grant.MemberKey(acme, user, "staff")} {
		if _, err := f.Save(f.Context(), grant.Grant{Key: k, GrantedBy: "admin", ExpiresAt: expires}, grant.Upsert()); err != nil {
			f.Fatal(err)
		}
	}
}

// renewed is a user whose grants expire again and again, sometimes during a slow check.
const renewed = "soon"

// renew makes the grants of the user active for a moment more.
func (f *faulty) renew(hold time.Duration) (until time.Time) {
	f.Helper()
	f.armed.Store(false)
	defer f.armed.Store(true)
	until = time.Now().Add(hold)
	f.save(renewed, until)
	return until
}

// checkAll makes checks. Only active grants are allowed; a nil error means that the answer is correct.
func (f *faulty) checkAll(checks int) {
	claims := f.claims()
	answers := map[string]int{}
	var until time.Time
	for i := range checks {
		c := claims[i%len(claims)]
		if c.renewed && c.holds {
			until = f.renew(time.Duration(1+i%9) * time.Second) // a delay is 4 s
		}
		before := time.Now()
		d, err := f.Check(f.Context(), c.key)
		after := time.Now()
		held := func(at time.Time) bool { return c.holds && (!c.renewed || at.Before(until)) }
		switch {
		case d.Allowed && err != nil:
			f.Fatalf("%s: allowed with error %v", c.name, err)
		case d.Allowed && !held(after):
			f.Fatalf("%s: wrongly allowed: %+v", c.name, d)
		case d.Allowed:
			answers["allowed"]++
		case err == nil && held(before) && held(after):
			f.Fatalf("%s: denied without an error: %+v", c.name, d)
		case err == nil:
			answers["denied"]++
		default:
			answers["failed"]++
		}
	}
	f.Log(answers)
	for _, user := range []string{"revoked", "deleted", "erased", "expired"} {
		list, err := collect(f.ListForUser(f.Context(), user, grant.VerifyConsistent()))
		if len(list) > 0 {
			f.Errorf("%d grants of a user without any are listed, %v", len(list), err)
		}
	}
	pass(time.Minute) // for requests that are delivered late
}

// changes makes grants and revokes them in a storm, and checks what the changes returned against
// decisions, the grants and their history.
func (f *faulty) changes(rounds int) {
	ctx := context.WithoutCancel(f.Context())
	f.armed.Store(true)
	unknown := 0
	for round := range rounds {
		k := role(fmt.Sprintf("u%d", round), "admin")
		// Each change is applied or not; only after an unknown outcome both are possible.
		var may [2]bool // not granted, granted
		may[0] = true
		for i := range 6 {
			want := 1 - i%2
			var err error
			if want == 1 {
				_, err = f.Save(ctx, grant.Grant{Key: k, GrantedBy: "admin"}, grant.Upsert())
			} else {
				_, err = f.Revoke(ctx, k, admin)
			}
			switch {
			case err == nil:
				may[want], may[1-want] = true, false
			case errors.Is(err, ddb.ErrOutcomeUnknown):
				may[want] = true
				unknown++
			}
			d, err := f.Check(ctx, k)
			if err != nil {
				continue
			}
			if answer := map[bool]int{true: 1}[d.Allowed]; !may[answer] {
				f.Fatalf("after change %d: Check says %v, %s", i+1, d.Allowed, d.Reason)
			}
		}
		f.armed.Store(false)
		f.consistent(ctx, k)
		f.armed.Store(true)
	}
	f.armed.Store(false)
	f.Logf("%d of %d changes with an unknown outcome", unknown, 6*rounds)
}

// consistent checks that the grant agrees with its history.
func (f *faulty) consistent(ctx context.Context, k grant.Key) {
	f.Helper()
	entries, err := collect(f.History(ctx, k))
	if err != nil {
		f.Fatal(err)
	}
	for i, e := range entries {
		if e.Grant.Rev != int64(i+1) {
			f.Errorf("entry %d of the history has revision %d", i+1, e.Grant.Rev)
		}
	}
	g, err := f.Get(ctx, k)
	if len(entries) == 0 {
		return
	}
	last := entries[len(entries)-1].Grant
	if err != nil || g.Rev != last.Rev || (g.Revoked == nil) != (last.Revoked == nil) {
		f.Errorf("stored is %+v, %v, the last of the history %+v", g, err, last)
	}
}
