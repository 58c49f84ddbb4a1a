// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
)

// row is an item of the table: a grant, an entry of a grant's history or an activity of
// a group, by its sort key. Attributes that decisions depend on are always written, so that a
// lost attribute cannot be mistaken for "never expires" or "not revoked".
type row struct {
	Tenant string `dynamodbav:"tenant"`
	Sort   string `dynamodbav:"sk"`
	Schema int    `dynamodbav:"schema"`

	// Keys of the indexes, only of grants.
	User   string `dynamodbav:"user,omitempty"`
	Type   string `dynamodbav:"type,omitempty"`
	ByUser string `dynamodbav:"by_user,omitempty"`
	ByType string `dynamodbav:"by_type,omitempty"`

	State     string    `dynamodbav:"state,omitempty"`
	Expires   string    `dynamodbav:"expires,omitempty"`
	Rev       int64     `dynamodbav:"rev,omitempty"`
	FullName  string    `dynamodbav:"full_name,omitempty"`
	GrantedBy string    `dynamodbav:"granted_by,omitempty"`
	GrantedAt time.Time `dynamodbav:"granted_at,omitzero,sdktime"`
	RevokedBy string    `dynamodbav:"revoked_by,omitempty"`
	RevokedAt time.Time `dynamodbav:"revoked_at,omitzero,sdktime"`
	Reason    string    `dynamodbav:"reason,omitempty"`
	TTL       int64     `dynamodbav:"ttl,omitempty"`

	// Of entries of a history.
	Event    string    `dynamodbav:"event,omitempty"`
	ChangeID string    `dynamodbav:"change_id,omitempty"`
	ActBy    string    `dynamodbav:"act_by,omitempty"`
	ActAt    time.Time `dynamodbav:"act_at,omitzero,sdktime"`
	ActFor   string    `dynamodbav:"act_for,omitempty"`
}

var (
	rowTenant = ddb.StrField(func(r *row) *string { return &r.Tenant })
	rowSort   = ddb.StrField(func(r *row) *string { return &r.Sort })
	rowUser   = ddb.StrField(func(r *row) *string { return &r.User })
	rowType   = ddb.StrField(func(r *row) *string { return &r.Type })
	rowByUser = ddb.StrField(func(r *row) *string { return &r.ByUser })
	rowByType = ddb.StrField(func(r *row) *string { return &r.ByType })
	rowRev    = ddb.NumField(func(r *row) *int64 { return &r.Rev })
	rowTTL    = ddb.NumField(func(r *row) *int64 { return &r.TTL })
)

const (
	rowSchema    = 1
	stateActive  = "active"
	stateRevoked = "revoked"
	neverExpires = "never"
)

func (r *row) key() rowKey { return rowKey{r.Tenant, r.Sort} }

// grantRow returns a grant as it is stored. The key was checked by rowKey.
func grantRow(k rowKey, g *Grant, keep time.Duration) (row, error) {
	r := row{Tenant: k.tenant, Sort: k.sort, User: g.User, Type: g.Type}
	byUser, err1 := userSorts.Format(userSort{g.Type, g.Tenant.text, g.Qualifier})
	byType, err2 := typeSorts.Format(typeSort{g.Tenant.text, g.Qualifier, g.User})
	r.ByUser, r.ByType = string(byUser), string(byType)
	r.setGrant(g)
	if keep >= 0 && !g.ExpiresAt.IsZero() {
		// The next whole second, so that it is never deleted before it has expired.
		r.TTL = g.ExpiresAt.Add(keep).Unix() + 1
	}
	return r, refuse(err1, err2, checkLength(len(byUser)), checkLength(len(byType)))
}

// setGrant sets the attributes that grants and their history have in common.
func (r *row) setGrant(g *Grant) {
	r.Schema, r.Rev = rowSchema, g.Rev
	r.FullName, r.GrantedBy, r.GrantedAt = g.FullName, g.GrantedBy, g.GrantedAt
	r.State, r.Expires = stateActive, neverExpires
	if !g.ExpiresAt.IsZero() {
		r.Expires = g.ExpiresAt.Format(time.RFC3339Nano)
	}
	if a := g.Revoked; a != nil {
		r.State, r.RevokedBy, r.RevokedAt, r.Reason = stateRevoked, a.By, a.At, a.Reason
	}
}

// grant reads the row of a grant. Every error matches ErrUnreadable.
func (r *row) grant() (Grant, error) {
	k, err := keyOf(r)
	if err != nil {
		return Grant{}, err
	}
	return r.grantOf(k)
}

// grantAt reads a row that was requested by a key, and refuses any other row.
func (r *row) grantAt(k rowKey) (Grant, error) {
	if r.key() != k {
		return Grant{}, fmt.Errorf("%w: it is not the requested one", ErrUnreadable)
	}
	return r.grant()
}

func (r *row) grantOf(k Key) (Grant, error) {
	if err := r.checkSchema(); err != nil {
		return Grant{}, err
	}
	g := Grant{Key: k, FullName: r.FullName, GrantedBy: r.GrantedBy, GrantedAt: r.GrantedAt, Rev: r.Rev}
	if g.Rev < 1 {
		return Grant{}, fmt.Errorf("%w: attribute %s is not a revision", ErrUnreadable, ddb.NameOf(rowRev))
	}
	switch r.State {
	case stateActive:
	case stateRevoked:
		g.Revoked = &Act{r.RevokedBy, r.RevokedAt, r.Reason}
	default:
		return Grant{}, fmt.Errorf("%w: attribute state is neither %s nor %s", ErrUnreadable, stateActive, stateRevoked)
	}
	if r.Expires != neverExpires {
		at, err := time.Parse(time.RFC3339Nano, r.Expires)
		if err != nil || at.IsZero() {
			return Grant{}, fmt.Errorf("%w: attribute expires is neither %s nor a time", ErrUnreadable, neverExpires)
		}
		g.ExpiresAt = at.UTC()
	}
	return g, nil
}

func (r *row) checkSchema() error {
	if r.Schema != rowSchema {
		return fmt.Errorf("%w: schema %d, known is %d", ErrUnreadable, r.Schema, rowSchema)
	}
	return nil
}
