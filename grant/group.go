// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Activity is something that the members of an activity group may do: the type and the qualifier of
// the grants that it replaces.
type Activity struct {
	// Type is never empty and never [GroupType]: groups do not nest.
	Type      string `json:"type"`
	Qualifier string `json:"qualifier,omitempty"`
	// Added is who last added it to the group, when and why. It is set by [Store.Activities] and
	// ignored by all other methods.
	Added Act `json:"added,omitzero"`
}

// AddActivities adds activities to an activity group of a tenant; a group exists as long as
// it has any. Existing activities stay, with the new act. Members ([MemberKey]) may do them from now on.
//
// After an error some may have been added (see [ddb.BatchError]); calling again is safe.
func (s *Store) AddActivities(ctx context.Context, tenant Tenant, group string, act Act, activities ...Activity) error {
	if err := s.usable(); err != nil {
		return err
	}
	act, err := s.act(act)
	if err != nil {
		return failed("AddActivities", err)
	}
	keys, err := activityKeys(tenant, group, activities)
	if err != nil {
		return failed("AddActivities", err)
	}
	list := make([]row, len(keys))
	for i, k := range keys {
		list[i] = row{Tenant: k.tenant, Sort: k.sort, Schema: rowSchema, ActBy: act.By, ActAt: act.At, ActFor: act.Reason}
	}
	return failed("AddActivities", s.rows.putAll(ctx, list))
}

// RemoveActivities removes activities from an activity group. Activities that it does not have are not
// an error. After a nil error, no Check that begins later allows access by them.
func (s *Store) RemoveActivities(ctx context.Context, tenant Tenant, group string, activities ...Activity) error {
	if err := s.usable(); err != nil {
		return err
	}
	keys, err := activityKeys(tenant, group, activities)
	if err != nil {
		return failed("RemoveActivities", err)
	}
	return failed("RemoveActivities", s.rows.deleteAll(ctx, keys))
}

// Activities yields the activities of an activity group, sorted. The read is consistent. At most
// one error is yielded, last.
func (s *Store) Activities(ctx context.Context, tenant Tenant, group string) iter.Seq2[Activity, error] {
	if err := s.usable(); err != nil {
		return failing[Activity](err)
	}
	return func(yield func(Activity, error) bool) {
		prefix, err := groupPrefix(tenant, group)
		if err != nil {
			yield(Activity{}, failed("Activities", err))
			return
		}
		for a, err := range s.activities(ctx, tenant, prefix) {
			if err != nil {
				yield(Activity{}, failed("Activities", err))
				return
			}
			if !yield(a.Activity, nil) {
				return
			}
		}
	}
}

// Groups yields the names of a tenant's activity groups, sorted. It reads all of their
// activities, consistently. At most one error is yielded, last.
func (s *Store) Groups(ctx context.Context, tenant Tenant) iter.Seq2[string, error] {
	if err := s.usable(); err != nil {
		return failing[string](err)
	}
	return func(yield func(string, error) bool) {
		prefix, err := activitySorts.Prefix(activitySort{}, 0)
		if err = refuse(tenant.problem(), err); err != nil {
			yield("", failed("Groups", err))
			return
		}
		last, first := "", true
		for a, err := range s.activities(ctx, tenant, prefix) {
			if err != nil {
				yield("", failed("Groups", err))
				return
			}
			if a.group == last && !first {
				continue
			}
			last, first = a.group, false
			if !yield(a.group, nil) {
				return
			}
		}
	}
}

// DeleteGroup removes all activities of an activity group, after which it allows nothing, and then
// deletes the memberships, as [Store.DeleteOfType] does; it returns how many there were. A
// membership that was saved a moment ago may be missed; it allows nothing unless the
// group is made again.
func (s *Store) DeleteGroup(ctx context.Context, tenant Tenant, group string, act Act) (members int, err error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	members, err = s.deleteGroup(ctx, tenant, group, act)
	return members, failed("DeleteGroup", err)
}

func (s *Store) deleteGroup(ctx context.Context, tenant Tenant, group string, act Act) (int, error) {
	act, err := s.act(act)
	if err != nil {
		return 0, err
	}
	prefix, err := groupPrefix(tenant, group)
	if err != nil {
		return 0, err
	}
	if err := s.deletePrefix(ctx, tenant, prefix); err != nil {
		return 0, err
	}
	membership, err := typeSorts.Prefix(typeSort{Tenant: tenant.text, Qualifier: group}, 2)
	if err != nil {
		return 0, err
	}
	return s.deleteMany(ctx, s.rows.byType(ctx, GroupType, membership), act)
}

// groupActivity is an activity and the group that has it.
type groupActivity struct {
	Activity

	group string
}

// activities yields the activities of rows.
func (s *Store) activities(ctx context.Context, tenant Tenant, prefix string) iter.Seq2[groupActivity, error] {
	return func(yield func(groupActivity, error) bool) {
		for r, err := range s.rows.prefix(ctx, tenant.text, prefix, false) {
			var a groupActivity
			if err == nil {
				a, err = r.activity()
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// activity reads the row of an activity.
func (r *row) activity() (groupActivity, error) {
	var sort activitySort
	if err := activitySorts.Parse([]byte(r.Sort), &sort); err != nil {
		return groupActivity{}, fmt.Errorf("%w: its key: %w", ErrUnreadable, err)
	}
	a := Activity{sort.Type, sort.Qualifier, Act{r.ActBy, r.ActAt, r.ActFor}}
	return groupActivity{a, sort.Group}, r.checkSchema()
}

// checkActivity makes sure that a row is the requested activity.
func (r *row) checkActivity(k rowKey) error {
	if r.key() != k {
		return fmt.Errorf("%w: it is not the requested one", ErrUnreadable)
	}
	return r.checkSchema()
}

func activityKey(tenant Tenant, group string, a Activity) (rowKey, error) {
	sort, err := activitySorts.Format(activitySort{group, a.Type, a.Qualifier})
	return rowKey{tenant.text, string(sort)}, refuse(err, checkLength(len(sort)), checkLength(len(tenant.text)))
}

// activityKeys checks the arguments and returns the keys of the rows, each once.
func activityKeys(tenant Tenant, group string, activities []Activity) ([]rowKey, error) {
	errs := []error{tenant.problem(), notEmpty("group", group)}
	if len(activities) == 0 {
		errs = append(errs, errors.New("no activities are given"))
	}
	var keys []rowKey
	seen := map[rowKey]bool{}
	for _, a := range activities {
		errs = append(errs, notEmpty("type of an activity", a.Type))
		if a.Type == GroupType {
			errs = append(errs, errors.New("an activity of type "+GroupType+": groups do not nest"))
		}
		k, err := activityKey(tenant, group, a)
		errs = append(errs, err)
		if !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys, refuse(errs...)
}

func groupPrefix(tenant Tenant, group string) (string, error) {
	prefix, err := activitySorts.Prefix(activitySort{Group: group}, 1)
	return prefix, refuse(tenant.problem(), notEmpty("group", group), err)
}
