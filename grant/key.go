// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/keyformat"
)

// Tenant is the tenant of grants: a named tenant ([TenantOf]) or no tenant ([NoTenant]).
// They are stored differently, so that no name, not even the empty one, means "no tenant". The
// zero Tenant is neither: every call refuses it, so that a forgotten tenant never allows access.
type Tenant struct{ text string }

const noTenant = "-" // every named tenant begins with T#

type tenantName struct{ Name string }

var tenantNames = keyformat.New[tenantName]("T")

// TenantOf returns the tenant with a name. If the name is not valid UTF-8, the Tenant is
// like the zero one.
func TenantOf(name string) Tenant {
	text, err := tenantNames.Format(tenantName{name})
	if err != nil {
		return Tenant{}
	}
	return Tenant{string(text)}
}

// NoTenant returns the Tenant of grants that belong to no tenant.
func NoTenant() Tenant { return Tenant{noTenant} }

// Name returns the name of the tenant; ok is false for [NoTenant] and the zero Tenant.
func (t Tenant) Name() (name string, ok bool) {
	var n tenantName
	if tenantNames.Parse([]byte(t.text), &n) != nil {
		return "", false
	}
	return n.Name, true
}

// IsZero reports whether the tenant is the zero one, which every call refuses.
func (t Tenant) IsZero() bool { return t.text == "" }

func (t Tenant) problem() error {
	if t.IsZero() {
		return errors.New("the tenant is not set; use TenantOf with valid UTF-8, or NoTenant")
	}
	return nil
}

// MarshalText returns the tenant as it is stored: T# and the escaped name, or - for no tenant.
func (t Tenant) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// UnmarshalText parses the result of [Tenant.MarshalText]; anything else is an error.
func (t *Tenant) UnmarshalText(text []byte) error {
	if t == nil {
		return errors.New("grant: UnmarshalText into a nil Tenant")
	}
	var n tenantName
	if s := string(text); s != "" && s != noTenant && tenantNames.Parse(text, &n) != nil {
		return errors.New("grant: the text is not a tenant")
	}
	t.text = string(text)
	return nil
}

// Key identifies a grant: what a user may do in a tenant. The parts may be any text: names
// that contain #, $ or % do not collide with others. They are compared byte by byte, and may have
// about 1,000 bytes together, where space and characters up to $ count twice.
type Key struct {
	Tenant Tenant `json:"tenant"`
	// User is the holder of the grant; never empty.
	User string `json:"user"`
	// Type is the kind of grant, such as "role" or "activity"; never empty.
	Type string `json:"type"`
	// Qualifier is the object of the type, such as the role's name. The empty qualifier is
	// one like others, not a wildcard.
	Qualifier string `json:"qualifier,omitempty"`
}

// GroupType is the type of the grants that make a user a member of an activity group; the
// qualifier is the group's name. Such a grant expires and is revoked, listed and
// recorded in history like any other.
const GroupType = "activity-group"

// MemberKey returns the key of the grant that makes a user a member of an activity group.
func MemberKey(tenant Tenant, user, group string) Key {
	return Key{Tenant: tenant, User: user, Type: GroupType, Qualifier: group}
}

// problems lists the errors of a key.
func (k Key) problems() []error {
	var errs []error
	if err := k.Tenant.problem(); err != nil {
		errs = append(errs, err)
	}
	if k.User == "" {
		errs = append(errs, errors.New("the user is empty"))
	}
	if k.Type == "" {
		errs = append(errs, errors.New("the type is empty"))
	}
	return errs
}

// rowKey is the key of a row of the table.
type rowKey struct{ tenant, sort string }

// Sort keys. A letter gives the kind of the row: a grant, an entry of its history, or an
// activity of a group.
type (
	grantSort   struct{ User, Type, Qualifier string }
	historySort struct {
		User, Type, Qualifier string
		Rev                   int64
	}
	activitySort struct{ Group, Type, Qualifier string }
)

// Sort keys of the indexes, each in the order in which it is searched.
type (
	userSort struct {
		Type   string
		Tenant string
		// With the qualifier, no two grants of a user have the same sort key.
		Qualifier string
	}
	typeSort struct{ Tenant, Qualifier, User string }
)

var (
	grantSorts    = keyformat.New[grantSort]("U")
	historySorts  = keyformat.New[historySort]("H")
	activitySorts = keyformat.New[activitySort]("A")
	userSorts     = keyformat.New[userSort]("U")
	typeSorts     = keyformat.New[typeSort]("T")
)

// rowKey checks the key and returns that of its row.
func (k Key) rowKey() (rowKey, error) {
	errs := k.problems()
	sort, err := grantSorts.Format(grantSort{k.User, k.Type, k.Qualifier})
	if err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, checkLength(len(sort)+revisionLength), checkLength(len(k.Tenant.text)))
	return rowKey{k.Tenant.text, string(sort)}, refuse(errs...)
}

const (
	maxSortKey     = 1024          // bytes, of tables and of indexes
	revisionLength = len("#") + 19 // the bytes that the history adds to the sort key of a grant
)

// checkLength refuses sort keys that are too long for DynamoDB, and tenants, which are part
// of such a key in an index.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
func checkLength(bytes int) error {
	if bytes > maxSortKey {
		return fmt.Errorf("the names are too long: they make a key of %d bytes, the limit is %d", bytes, maxSortKey)
	}
	return nil
}

// historyKey returns the key of a revision's entry in the history. k was checked by rowKey.
func (k Key) historyKey(rev int64) (rowKey, error) {
	sort, err := historySorts.Format(historySort{k.User, k.Type, k.Qualifier, rev})
	return rowKey{k.Tenant.text, string(sort)}, err
}

// historyPrefix returns the prefix of the sort keys of all entries of a grant's history.
func (k Key) historyPrefix() (string, error) {
	return historySorts.Prefix(historySort{User: k.User, Type: k.Type, Qualifier: k.Qualifier}, 3)
}

// keyOf parses the key of a grant's row.
func keyOf(r *row) (Key, error) {
	var (
		tenant Tenant
		sort   grantSort
	)
	if err := errors.Join(tenant.UnmarshalText([]byte(r.Tenant)), grantSorts.Parse([]byte(r.Sort), &sort)); err != nil {
		return Key{}, fmt.Errorf("%w: its key: %w", ErrUnreadable, err)
	}
	return Key{tenant, sort.User, sort.Type, sort.Qualifier}, nil
}
