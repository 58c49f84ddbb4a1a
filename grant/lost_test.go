// SPDX-License-Identifier: Apache-2.0

package grant_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/grant"
)

// TestEachChangeLosesReplies: a change whose reply was lost is applied once, is reported as applied, and has one entry in the history.
func TestEachChangeLosesReplies(t *testing.T) {
	t.Parallel()
	fresh := admin
	fresh.Qualifier = "new"
	for name, rule := range map[string]func(m fault.Matcher) fault.Rule{
		"reply lost": fault.Matcher.DropReply, "request lost": fault.Matcher.DropRequest, "cut": fault.Matcher.TruncateBody,
		"500 after it was applied": func(m fault.Matcher) fault.Rule { return m.Applied().InternalError() },
		"doubled":                  fault.Matcher.Duplicate,
	} {
		for attempts := 1; attempts <= 3; attempts++ {
			for verb, c := range map[string]struct {
				call func(ctx context.Context, s *grant.Store) error
				key  grant.Key
				want []grant.Event
			}{
				"Save new": {func(ctx context.Context, s *grant.Store) error {
					g, err := s.Save(ctx, grant.Grant{Key: fresh, GrantedBy: "boss"}, grant.IfAbsent())
					if err == nil && g.Rev != 1 {
						err = errors.New("the revision is not 1")
					}
					return err
				}, fresh, []grant.Event{grant.EventGranted}},
				"Save": {func(ctx context.Context, s *grant.Store) error {
					_, err := s.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.IfRevision(1))
					return err
				}, admin, []grant.Event{grant.EventGranted, grant.EventRegranted}},
				"Revoke": {verbs["Revoke"], admin, []grant.Event{grant.EventGranted, grant.EventRevoked}},
				"Delete": {verbs["Delete"], admin, []grant.Event{grant.EventGranted, grant.EventDeleted}},
				"DeleteForUser": {func(ctx context.Context, s *grant.Store) error {
					n, err := s.DeleteForUser(ctx, "u", boss)
					if err == nil && n < 1 {
						err = errors.New("none was deleted")
					}
					return err
				}, admin, []grant.Event{grant.EventGranted, grant.EventDeleted}},
			} {
				synctest.Test(t, func(t *testing.T) {
					armed := false
					rules := fault.On("TransactWriteItems").Where(func(fault.Request) bool { return armed })
					s, err := grant.New(ddbtest.New(t, ddbtest.WithFaults(rule(rules.First(attempts)))))
					if err := errors.Join(err, s.Ensure(t.Context()), populate(t.Context(), s)); err != nil {
						t.Fatal(err)
					}
					armed = true
					if err := c.call(t.Context(), s); err != nil {
						t.Errorf("%s, %s %d times: %v", verb, name, attempts, err)
					}
					armed = false
					var got []grant.Event
					for e, err := range s.History(t.Context(), c.key) {
						if err != nil {
							t.Fatal(err)
						}
						got = append(got, e.Event)
					}
					if len(got) != len(c.want) {
						t.Errorf("%s, %s %d times: history %v, want %v", verb, name, attempts, got, c.want)
					}
				})
			}
		}
	}
}
