// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"errors"
	"time"

	"github.com/dynamotable/ddb"
)

// Decision is the answer of Check. The zero Decision denies.
type Decision struct {
	// Allowed is true only with a nil error.
	Allowed bool
	// Reason is why, for logs and people.
	Reason Reason
	// Grant is the grant that decided: the user's own grant, or the membership of the group that
	// allows. It is the zero Grant if none was found.
	Grant Grant
	// Group is the activity group that allows; empty if the user's own grant allows.
	Group string
	// At is the time of the decision by the store's clock.
	At time.Time
}

// Reason is the reason of a Decision.
type Reason string

// The reasons of a Decision.
const (
	Granted        Reason = "granted"          // the user's own grant allows
	GrantedByGroup Reason = "granted by group" // an activity group of the user has the activity
	NoGrant        Reason = "no grant"
	Expired        Reason = "expired"
	Revoked        Reason = "revoked"
	Failed         Reason = "failed" // see the error
)

// Check decides whether a user may do something now. It allows access if a grant with exactly this
// key is stored, is not revoked, and has not expired by the clock; or if the user is a member, by
// such a grant, of an activity group ([MemberKey]) that has
// the activity. Everything else denies: no grant, any error, a timeout, a row that is
// damaged or of an unknown schema. With an error, Allowed is false.
//
// Decisions use neither indexes nor reads that may be stale. The user's own grant
// is read by one consistent GetItem. If it does not allow, Check queries the user's memberships and
// reads the activities of their groups, both consistently. A group allows after one
// TransactGetItems has returned membership and activity at the same
// moment. The time is taken after the last read, so that a slow reply cannot allow a grant that
// has expired meanwhile. If the user's own grant is revoked or expired, a
// group can still allow; if it is unreadable, not.
//
// It retries as the client does. Give the context a deadline.
//
// It costs a read unit if the user's own grant allows. Otherwise it also costs one for each
// 4 KB of memberships, one for each active membership, and 4 for the group that allows.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
func (s *Store) Check(ctx context.Context, key Key) (Decision, error) {
	if err := s.usable(); err != nil {
		return Decision{Reason: Failed}, err
	}
	d, err := s.check(ctx, key)
	if err != nil {
		return Decision{Reason: Failed, At: s.time()}, failed("Check", err)
	}
	return d, nil
}

func (s *Store) check(ctx context.Context, key Key) (Decision, error) {
	k, err := key.rowKey()
	if err != nil {
		return Decision{}, err
	}
	got, err := s.rows.get(ctx, k)
	if err != nil {
		return Decision{}, err
	}
	own, err := s.own(got, k)
	if err != nil || own.Allowed || !s.groups || key.Type == GroupType {
		return own, err
	}
	byGroup, err := s.checkGroups(ctx, key)
	if err != nil || byGroup.Allowed {
		return byGroup, err
	}
	own.At = byGroup.At
	return own, nil
}

// own decides by the row of the user's own grant.
func (s *Store) own(got ddb.Got[row], k rowKey) (Decision, error) {
	if !got.Found {
		return Decision{Reason: NoGrant, At: s.time()}, nil
	}
	g, err := got.Item.grantAt(k)
	if err != nil {
		return Decision{}, err
	}
	d := Decision{Grant: g, At: s.time()}
	d.Reason = g.reason(d.At)
	d.Allowed = d.Reason == Granted
	return d, nil
}

// candidate is a group that may allow: the rows of membership and activity.
type candidate struct {
	group                string
	membership, activity rowKey
}

// checkGroups decides by the groups that the user is a member of.
func (s *Store) checkGroups(ctx context.Context, key Key) (Decision, error) {
	candidates, err := s.candidates(ctx, key)
	if err != nil || len(candidates) == 0 {
		return Decision{Reason: NoGrant, At: s.time()}, err
	}
	activities := make([]rowKey, len(candidates))
	for i, c := range candidates {
		activities[i] = c.activity
	}
	got, err := s.rows.getMany(ctx, activities)
	if err != nil {
		return Decision{}, err
	}
	for i, c := range candidates {
		if !got[i].Found {
			continue
		}
		membership, activity, err := s.rows.getTogether(ctx, c.membership, c.activity)
		if err != nil {
			return Decision{}, err
		}
		d, err := s.own(membership, c.membership)
		if err != nil {
			return Decision{}, err
		}
		if !d.Allowed || !activity.Found {
			continue // one of the two ended meanwhile
		}
		if err := activity.Item.checkActivity(c.activity); err != nil {
			return Decision{}, err
		}
		d.Reason, d.Group = GrantedByGroup, c.group
		return d, nil
	}
	return Decision{Reason: NoGrant, At: s.time()}, nil
}

// candidates returns the groups of which the user is a member now.
func (s *Store) candidates(ctx context.Context, key Key) ([]candidate, error) {
	prefix, err := grantSorts.Prefix(grantSort{User: key.User, Type: GroupType}, 2)
	if err != nil {
		return nil, err
	}
	var list []candidate
	for r, err := range s.rows.prefix(ctx, key.Tenant.text, prefix, false) {
		if err != nil {
			return nil, err
		}
		g, err := r.grant()
		if err != nil {
			return nil, err
		}
		if g.User != key.User || g.Tenant != key.Tenant || g.Type != GroupType {
			return nil, errors.Join(ErrUnreadable, errors.New("a row is not of the requested user"))
		}
		if !g.Active(s.time()) {
			continue
		}
		activity, err := activityKey(key.Tenant, g.Qualifier, Activity{Type: key.Type, Qualifier: key.Qualifier})
		if err != nil {
			continue // too long together: the group cannot have it
		}
		list = append(list, candidate{g.Qualifier, r.key(), activity})
	}
	return list, nil
}
