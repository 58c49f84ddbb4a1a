// SPDX-License-Identifier: Apache-2.0

package grant_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/grant"
)

// end is the error that an iterator ends with. More than one, or values after it, is an error as well.
func end[E any](seq iter.Seq2[E, error]) error {
	var last error
	for _, err := range seq {
		if last != nil {
			return errors.New("the iterator continues after its error")
		}
		last = err
	}
	return last
}

// verbs are all calls that send requests, on the data of populate.
var verbs = map[string]func(context.Context, *grant.Store) error{
	"Check own":      func(ctx context.Context, s *grant.Store) error { _, err := s.Check(ctx, admin); return err },
	"Check by group": func(ctx context.Context, s *grant.Store) error { _, err := s.Check(ctx, mayDo); return err },
	"Get":            func(ctx context.Context, s *grant.Store) error { _, err := s.Get(ctx, admin); return err },
	"Save new": func(ctx context.Context, s *grant.Store) error {
		k := admin
		k.Qualifier = "new"
		_, err := s.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.IfAbsent())
		return err
	},
	"Save": func(ctx context.Context, s *grant.Store) error {
		_, err := s.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.IfRevision(1))
		return err
	},
	"Revoke":      func(ctx context.Context, s *grant.Store) error { _, err := s.Revoke(ctx, admin, boss); return err },
	"Delete":      func(ctx context.Context, s *grant.Store) error { return s.Delete(ctx, admin, boss) },
	"Erase":       func(ctx context.Context, s *grant.Store) error { return s.Erase(ctx, admin) },
	"History":     func(ctx context.Context, s *grant.Store) error { return end(s.History(ctx, admin)) },
	"ListForUser": func(ctx context.Context, s *grant.Store) error { return end(s.ListForUser(ctx, "u")) },
	"ListForUser verified": func(ctx context.Context, s *grant.Store) error {
		return end(s.ListForUser(ctx, "u", grant.VerifyConsistent()))
	},
	"ListHolders": func(ctx context.Context, s *grant.Store) error { return end(s.ListHolders(ctx, acme, "role", "admin")) },
	"Users":       func(ctx context.Context, s *grant.Store) error { return end(s.Users(ctx, "role")) },
	"DeleteForUser": func(ctx context.Context, s *grant.Store) error {
		_, err := s.DeleteForUser(ctx, "u", boss)
		return err
	},
	"DeleteOfType": func(ctx context.Context, s *grant.Store) error {
		_, err := s.DeleteOfType(ctx, "role", boss)
		return err
	},
	"AddActivities":    func(ctx context.Context, s *grant.Store) error { return s.AddActivities(ctx, acme, "g", boss, read) },
	"RemoveActivities": func(ctx context.Context, s *grant.Store) error { return s.RemoveActivities(ctx, acme, "staff", read) },
	"Activities":       func(ctx context.Context, s *grant.Store) error { return end(s.Activities(ctx, acme, "staff")) },
	"Groups":           func(ctx context.Context, s *grant.Store) error { return end(s.Groups(ctx, acme)) },
	"DeleteGroup": func(ctx context.Context, s *grant.Store) error {
		_, err := s.DeleteGroup(ctx, acme, "staff", boss)
		return err
	},
}

func populate(ctx context.Context, s *grant.Store) error {
	_, err1 := s.Save(ctx, grant.Grant{Key: admin, GrantedBy: "boss"}, grant.Upsert())
	_, err2 := s.Save(ctx, grant.Grant{Key: member, GrantedBy: "boss"}, grant.Upsert())
	return errors.Join(err1, err2, s.AddActivities(ctx, acme, "staff", boss, read))
}

// TestEachRequestFails: whichever request of a call fails, the call returns an error.
func TestEachRequestFails(t *testing.T) {
	for verb, call := range verbs {
		t.Run(verb, func(t *testing.T) {
			for fail := 1; ; fail++ {
				var (
					ctx    = t.Context()
					armed  atomic.Bool
					failed atomic.Bool
				)
				client := ddbtest.New(t, ddbtest.WithFaults(
					fault.On().Where(func(fault.Request) bool { return armed.Load() }).Nth(fail).Error("AccessDeniedException", "denied")),
					ddbtest.WithObserver(func(r fault.Request) { failed.CompareAndSwap(false, r.Fault != "") }))
				s, err := grant.New(client)
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(s.Ensure(ctx), populate(ctx, s)); err != nil {
					t.Fatal(err)
				}
				armed.Store(true)
				err = call(ctx, s)
				if !failed.Load() {
					if err != nil {
						t.Errorf("without a fault: %v", err)
					}
					if fail == 1 {
						t.Error("the call sends nothing")
					}
					return
				}
				if err == nil {
					t.Errorf("request %d was refused, and the call returned no error", fail)
				}
			}
		})
	}
}

// TestCancelled: no call does anything under a context that has ended, on a table or in memory.
func TestCancelled(t *testing.T) {
	memory, err := grant.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	table := newRawTable(t)
	for name, s := range map[string]*grant.Store{"memory": memory, "table": table.Store} {
		if err := populate(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for verb, call := range verbs {
			if err := call(ctx, s); !errors.Is(err, context.Canceled) {
				t.Errorf("%s in %s = %v, want context.Canceled", verb, name, err)
			}
		}
		for _, k := range []grant.Key{admin, mayDo} {
			if d, err := s.Check(t.Context(), k); err != nil || !d.Allowed {
				t.Errorf("afterwards Check of %s in %s = %+v, %v", k.Type, name, d, err)
			}
		}
	}
}

// TestListOptionsRefused: invalid options are refused and not ignored.
func TestListOptionsRefused(t *testing.T) {
	s, err := grant.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	number := func(_ int, err error) error { return err }
	for name, err := range map[string]error{
		"nil option":                      end(s.ListForUser(ctx, "u", nil)),
		"empty type":                      end(s.ListForUser(ctx, "u", grant.OfType(""))),
		"zero tenant":                     end(s.ListForUser(ctx, "u", grant.Within(grant.Tenant{}))),
		"ListForUser, invalid user":       end(s.ListForUser(ctx, "\xff", grant.Within(acme))),
		"ListHolders, type":               end(s.ListHolders(ctx, acme, "", "")),
		"ListHolders, Within":             end(s.ListHolders(ctx, acme, "role", "", grant.Within(acme))),
		"ListHolders, OfType":             end(s.ListHolders(ctx, acme, "role", "", grant.OfType("role"))),
		"ListHolders, invalid qualifier":  end(s.ListHolders(ctx, acme, "role", "\xff")),
		"Users, type":                     end(s.Users(ctx, "")),
		"Users, OfType":                   end(s.Users(ctx, "role", grant.OfType("role"))),
		"DeleteForUser, nobody":           number(s.DeleteForUser(ctx, "", boss)),
		"DeleteForUser, by nobody":        number(s.DeleteForUser(ctx, "u", grant.Act{})),
		"DeleteForUser, VerifyConsistent": number(s.DeleteForUser(ctx, "u", boss, grant.VerifyConsistent())),
		"DeleteForUser, IncludeExpired":   number(s.DeleteForUser(ctx, "u", boss, grant.IncludeExpired())),
		"DeleteOfType, IncludeRevoked":    number(s.DeleteOfType(ctx, "role", boss, grant.IncludeRevoked())),
		"DeleteOfType, OfType":            number(s.DeleteOfType(ctx, "role", boss, grant.OfType("role"))),
		"DeleteOfType, by nobody":         number(s.DeleteOfType(ctx, "role", grant.Act{})),
		"AddActivities, none":             s.AddActivities(ctx, acme, "staff", boss),
		"AddActivities, by nobody":        s.AddActivities(ctx, acme, "staff", grant.Act{}, read),
		"AddActivities, no type":          s.AddActivities(ctx, acme, "staff", boss, grant.Activity{}),
		"RemoveActivities, none":          s.RemoveActivities(ctx, acme, "staff"),
		"RemoveActivities, no tenant":     s.RemoveActivities(ctx, grant.Tenant{}, "staff", read),
		"Activities, no group":            end(s.Activities(ctx, acme, "")),
		"Groups, no tenant":               end(s.Groups(ctx, grant.Tenant{})),
		"DeleteGroup, no group":           number(s.DeleteGroup(ctx, acme, "", boss)),
		"DeleteGroup, by nobody":          number(s.DeleteGroup(ctx, acme, "staff", grant.Act{})),
	} {
		if !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// TestUnreadableAmongMany: lists report an unreadable row, and deletions delete the others.
func TestUnreadableAmongMany(t *testing.T) {
	r, ctx := newRawTable(t), t.Context()
	if err := populate(ctx, r.Store); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		k := admin
		k.Qualifier = fmt.Sprint(i)
		if _, err := r.Save(ctx, grant.Grant{Key: k, GrantedBy: "boss"}, grant.Upsert()); err != nil {
			t.Fatal(err)
		}
	}
	item := r.row("T#acme", "U#u#role#3")
	item["schema"] = number("7")
	r.put(item)
	item = r.row("T#acme", "A#staff#activity#read")
	item["schema"] = number("7")
	r.put(item)
	for name, err := range map[string]error{
		"ListForUser": end(r.ListForUser(ctx, "u", grant.Within(acme))),
		"Users":       end(r.Users(ctx, "role", grant.VerifyConsistent())),
		"Activities":  end(r.Activities(ctx, acme, "staff")),
		"Groups":      end(r.Groups(ctx, acme)),
	} {
		if !errors.Is(err, grant.ErrUnreadable) {
			t.Errorf("%s = %v, want ErrUnreadable", name, err)
		}
	}
	n, err := r.DeleteForUser(ctx, "u", boss, grant.Within(acme))
	if !errors.Is(err, grant.ErrUnreadable) || n != 6 {
		t.Errorf("DeleteForUser = %d, %v, want 6 and ErrUnreadable", n, err)
	}
	k := admin
	k.Qualifier = "3"
	if err := r.Erase(ctx, k); err != nil {
		t.Fatal(err)
	}
	if n, err := r.DeleteForUser(ctx, "u", boss, grant.Within(acme)); err != nil || n != 0 {
		t.Errorf("DeleteForUser = %d, %v, want 0", n, err)
	}
	// A group is deleted even if its activities are unreadable.
	if _, err := r.DeleteGroup(ctx, acme, "staff", boss); err != nil {
		t.Error(err)
	}
	if err := end(r.Groups(ctx, acme)); err != nil {
		t.Errorf("Groups = %v", err)
	}
}
