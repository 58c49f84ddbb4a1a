// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"errors"
	"iter"
)

// ListOption is an option of lists and of deletions of many grants.
type ListOption func(*listing)

type listing struct {
	expired, revoked, verify bool
	tenant                   *Tenant
	typ                      *string
	errs                     []error
}

// IncludeExpired also lists grants that have expired.
func IncludeExpired() ListOption { return func(l *listing) { l.expired = true } }

// IncludeRevoked also lists grants that are revoked; those that have expired too only with
// [IncludeExpired].
func IncludeRevoked() ListOption { return func(l *listing) { l.revoked = true } }

// VerifyConsistent reads each grant from the index again by its key, consistently, and lists
// the stored one. So grants that were revoked or deleted before the list
// began are not listed. Grants that the index does not have yet are still missing. It costs a read unit or more for each.
func VerifyConsistent() ListOption { return func(l *listing) { l.verify = true } }

// Within limits the call to one tenant. [Store.ListForUser] and [Store.DeleteForUser] then read
// the table itself, consistently, and miss nothing.
func Within(tenant Tenant) ListOption {
	return func(l *listing) {
		if tenant.IsZero() {
			l.errs = append(l.errs, errors.New("option Within: the tenant is not set"))
		}
		l.tenant = &tenant
	}
}

// OfType limits the call to grants of one type.
func OfType(typ string) ListOption {
	return func(l *listing) {
		if typ == "" {
			l.errs = append(l.errs, errors.New("option OfType: the type is empty"))
		}
		l.typ = &typ
	}
}

// newListing collects the options and other errors of the call.
func newListing(opts []ListOption, errs ...error) (*listing, error) {
	l := &listing{}
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		o(l)
	}
	return l, refuse(append(errs, l.errs...)...)
}

func notEmpty(name, value string) error {
	if value == "" {
		return errors.New("the " + name + " is empty")
	}
	return nil
}

// ListForUser yields the grants of a user in all tenants, or in one ([Within]): active ones, unless options include others. Memberships of activity groups are among them.
//
// Over all tenants it reads an index, which lags
// slightly behind the table: do not base decisions on it. At most one error is yielded, last.
func (s *Store) ListForUser(ctx context.Context, user string, opts ...ListOption) iter.Seq2[Grant, error] {
	if err := s.usable(); err != nil {
		return failing[Grant](err)
	}
	l, err := newListing(opts, notEmpty("user", user))
	return s.list(ctx, "ListForUser", l, err, func() (iter.Seq2[row, error], error) { return s.ofUser(ctx, user, l) })
}

// ListHolders yields the grants of all users who hold a type with a qualifier in a
// tenant themselves, not through a group; with [GroupType] and the name of a group these are
// its members. The tenant, the type and the options are as for [Store.ListForUser].
//
// It reads an index, which lags slightly behind the table: do not base decisions on it. At most
// one error is yielded, last.
func (s *Store) ListHolders(ctx context.Context, tenant Tenant, typ, qualifier string, opts ...ListOption) iter.Seq2[Grant, error] {
	if err := s.usable(); err != nil {
		return failing[Grant](err)
	}
	l, err := newListing(opts, notEmpty("type", typ), tenant.problem())
	if err == nil && (l.tenant != nil || l.typ != nil) {
		err = refuse(errors.New("options Within and OfType: tenant and type are arguments of ListHolders"))
	}
	return s.list(ctx, "ListHolders", l, err, func() (iter.Seq2[row, error], error) {
		prefix, err := typeSorts.Prefix(typeSort{Tenant: tenant.text, Qualifier: qualifier}, 2)
		return s.rows.byType(ctx, typ, prefix), refuse(err)
	})
}

// Users yields each user who holds a grant of a type, in any tenant or in one ([Within]), once. It
// reads the index as [Store.ListHolders] does, with the same options, and keeps the
// names that it has yielded in memory.
func (s *Store) Users(ctx context.Context, typ string, opts ...ListOption) iter.Seq2[string, error] {
	if err := s.usable(); err != nil {
		return failing[string](err)
	}
	l, err := newListing(opts, notEmpty("type", typ))
	if err == nil && l.typ != nil {
		err = refuse(errors.New("option OfType: the type is an argument of Users"))
	}
	return func(yield func(string, error) bool) {
		seen := map[string]bool{}
		for g, err := range s.list(ctx, "Users", l, err, func() (iter.Seq2[row, error], error) { return s.ofType(ctx, typ, l) }) {
			if err != nil {
				yield("", err)
				return
			}
			if seen[g.User] {
				continue
			}
			seen[g.User] = true
			if !yield(g.User, nil) {
				return
			}
		}
	}
}

// ofUser yields the rows of a user's grants.
func (s *Store) ofUser(ctx context.Context, user string, l *listing) (iter.Seq2[row, error], error) {
	if l.tenant != nil {
		sort, n := grantSort{User: user}, 1
		if l.typ != nil {
			sort.Type, n = *l.typ, 2
		}
		prefix, err := grantSorts.Prefix(sort, n)
		return s.rows.prefix(ctx, l.tenant.text, prefix, false), refuse(err)
	}
	var (
		sort userSort
		n    int
	)
	if l.typ != nil {
		sort.Type, n = *l.typ, 1
	}
	prefix, err := userSorts.Prefix(sort, n)
	return s.rows.byUser(ctx, user, prefix), refuse(err)
}

// ofType yields the rows of all grants of a type.
func (s *Store) ofType(ctx context.Context, typ string, l *listing) (iter.Seq2[row, error], error) {
	var (
		sort typeSort
		n    int
	)
	if l.tenant != nil {
		sort.Tenant, n = l.tenant.text, 1
	}
	prefix, err := typeSorts.Prefix(sort, n)
	return s.rows.byType(ctx, typ, prefix), refuse(err)
}

// list yields the grants of rows that the listing includes.
func (s *Store) list(ctx context.Context, op string, l *listing, err error, open func() (iter.Seq2[row, error], error)) iter.Seq2[Grant, error] {
	return func(yield func(Grant, error) bool) {
		if err != nil {
			yield(Grant{}, failed(op, err))
			return
		}
		source, err := open()
		if err != nil {
			yield(Grant{}, failed(op, err))
			return
		}
		if l.verify {
			source = s.verified(ctx, source)
		}
		for r, err := range source {
			var g Grant
			if err == nil {
				g, err = r.grant()
			}
			if err != nil {
				yield(Grant{}, failed(op, err))
				return
			}
			if l.includes(&g, s) && !yield(g, nil) {
				return
			}
		}
	}
}

func (l *listing) includes(g *Grant, s *Store) bool {
	return (l.revoked || g.Revoked == nil) && (l.expired || !g.Expired(s.time()))
}

// verifyAtOnce is how many rows are read again together.
const verifyAtOnce = 100

// verified yields the rows as they are stored now, without those that no longer exist.
func (s *Store) verified(ctx context.Context, source iter.Seq2[row, error]) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for keys, err := range keyBatches(source, verifyAtOnce) {
			if err != nil {
				yield(row{}, err)
				return
			}
			got, err := s.rows.getMany(ctx, keys)
			if err != nil {
				yield(row{}, err)
				return
			}
			for _, g := range got {
				if g.Found && !yield(g.Item, nil) {
					return
				}
			}
		}
	}
}

// keyBatches yields the keys of rows, up to n at once.
func keyBatches(source iter.Seq2[row, error], n int) iter.Seq2[[]rowKey, error] {
	return func(yield func([]rowKey, error) bool) {
		var keys []rowKey
		for r, err := range source {
			if err != nil {
				if len(keys) == 0 || yield(keys, nil) {
					yield(nil, err)
				}
				return
			}
			if keys = append(keys, r.key()); len(keys) == n {
				if !yield(keys, nil) {
					return
				}
				keys = nil
			}
		}
		if len(keys) > 0 {
			yield(keys, nil)
		}
	}
}
