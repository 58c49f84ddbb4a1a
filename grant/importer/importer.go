// SPDX-License-Identifier: Apache-2.0

// Package importer imports grants into a store from the tables of other systems: [Excalibur].
//
//	report, err := importer.Import(ctx, importer.Excalibur(client, "authorization_grants", importer.Options{}), grants)
//
// Stop the writers of the old system first. A later import takes over revocations since then, and reports every other difference.
package importer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/progress"
)

// ErrMalformed means that an item of the source does not have the format of its system.
var ErrMalformed = errors.New("an item of the source is malformed")

// Source yields the grants of a table. It scans the table each time.
type Source func(ctx context.Context) iter.Seq2[grant.Grant, error]

// Options are the options of [Excalibur].
type Options struct {
	// Type renames types. If it is nil, they stay. Memberships of activity groups must become [grant.GroupType] to count as such: their type in
	// Excalibur depends on the program that wrote them.
	Type func(grantType string) string
	// Table are options of the table.
	Table []ddb.TableOption
}

// item is an item of Excalibur's grants, or of its grants of activity groups.
type item struct {
	Tenant    string  `dynamodbav:"tenant_id"`
	Sort      string  `dynamodbav:"sk"`
	User      string  `dynamodbav:"user_id,omitempty"`
	FullName  string  `dynamodbav:"full_name,omitempty"`
	Original  *string `dynamodbav:"original_tenant_id,omitempty"`
	Type      string  `dynamodbav:"grant_type,omitempty"`
	Qualifier string  `dynamodbav:"qualifier,omitempty"`
	Expires   *string `dynamodbav:"expires_on,omitempty"`
	GrantedBy string  `dynamodbav:"granted_by,omitempty"`
	GrantedOn string  `dynamodbav:"granted_on,omitempty"`
	CreatedAt string  `dynamodbav:"created_at,omitempty"`
	Revoked   *bool   `dynamodbav:"is_revoked,omitempty"`
	RevokedBy string  `dynamodbav:"revoked_by,omitempty"`
	RevokedOn string  `dynamodbav:"revoked_on,omitempty"`
}

var (
	itemTenant = ddb.StrField(func(i *item) *string { return &i.Tenant })
	itemSort   = ddb.StrField(func(i *item) *string { return &i.Sort })
)

const (
	noTenant      = "__null__"
	grantPrefix   = "GRANT#"
	groupPrefix   = "ACTGRP#"
	keyDelimiter  = "#"
	noRevocation  = "Excalibur" // who revoked, if the item does not say it
	attributeSort = "sk"
)

// Excalibur reads a table of grants of Excalibur, authorization_grants or authorization_activity_groups by default: partition key tenant_id ("__null__" for no
// tenant), sort key sk ("GRANT#user#type#qualifier", or ACTGRP#), and the attributes user_id, grant_type, qualifier, full_name, original_tenant_id,
// expires_on, granted_by, granted_on or created_at, is_revoked, revoked_by and revoked_on.
//
// A text that should be a time but is not one is an error, and never means "does not expire". A tenant that is really called "__null__" is treated as no
// tenant if original_tenant_id is missing.
func Excalibur(client ddb.Client, table string, o Options) Source {
	return func(ctx context.Context) iter.Seq2[grant.Grant, error] {
		return func(yield func(grant.Grant, error) bool) {
			t, err := ddb.New(client, table, itemTenant, itemSort, o.Table...)
			if err != nil {
				yield(grant.Grant{}, err)
				return
			}
			for i, err := range t.Scan().Consistent().All(ctx) {
				var g grant.Grant
				if err == nil {
					g, err = i.grant(t.Name())
				}
				if err == nil && o.Type != nil {
					g.Type = o.Type(g.Type)
				}
				if !yield(g, err) || err != nil {
					return
				}
			}
		}
	}
}

func (i *item) grant(table string) (g grant.Grant, err error) {
	malformed := func(attribute, why string) (grant.Grant, error) {
		return grant.Grant{}, fmt.Errorf("%w: table %s, attribute %s: %s", ErrMalformed, table, attribute, why)
	}
	rest := strings.Join([]string{i.User, i.Type, i.Qualifier}, keyDelimiter)
	if i.Sort != grantPrefix+rest && i.Sort != groupPrefix+rest {
		return malformed(attributeSort, "it is not GRANT# or ACTGRP# and user_id, grant_type and qualifier")
	}
	g.Key = grant.Key{Tenant: grant.NoTenant(), User: i.User, Type: i.Type, Qualifier: i.Qualifier}
	switch {
	case i.Original != nil && *i.Original != i.Tenant:
		return malformed("original_tenant_id", "it is not tenant_id")
	case i.Original != nil || i.Tenant != noTenant:
		g.Tenant = grant.TenantOf(i.Tenant)
	}
	g.FullName, g.GrantedBy = i.FullName, i.GrantedBy
	if g.GrantedBy == "" {
		return malformed("granted_by", "it is empty")
	}
	granted, attribute := i.GrantedOn, "granted_on"
	if granted == "" {
		granted, attribute = i.CreatedAt, "created_at"
	}
	if g.GrantedAt, err = time.Parse(time.RFC3339Nano, granted); err != nil {
		return malformed(attribute, "it is not a time in the form of RFC 3339")
	}
	if i.Expires != nil {
		if g.ExpiresAt, err = time.Parse(time.RFC3339Nano, *i.Expires); err != nil || g.ExpiresAt.IsZero() {
			return malformed("expires_on", "it is not a time in the form of RFC 3339")
		}
		g.ExpiresAt = g.ExpiresAt.UTC()
	}
	g.GrantedAt = g.GrantedAt.UTC()
	if i.Revoked == nil || !*i.Revoked {
		return g, nil
	}
	g.Revoked = &grant.Act{By: i.RevokedBy}
	if g.Revoked.By == "" {
		g.Revoked.By = noRevocation
	}
	if g.Revoked.At, err = time.Parse(time.RFC3339Nano, i.RevokedOn); err != nil {
		return malformed("revoked_on", "it is not a time in the form of RFC 3339")
	}
	g.Revoked.At = g.Revoked.At.UTC()
	return g, nil
}

// Report is what an import has done.
type Report struct {
	// Read is the number of grants in the source, Saved the number that were saved, Revoked the number of these or of existing ones
	// that were revoked, Same the number that are stored as in the source.
	Read, Saved, Revoked, Same int64
	// Different lists grants that differ from the source, which the import has not changed: at most 1,000.
	Different []grant.Key
}

// maxDifferent is how many keys a report lists at most.
const maxDifferent = 1000

// Import saves the grants of a source, and revokes those that are revoked there. It can be repeated: existing grants stay, even if they were changed or deleted
// and granted again here, except that a grant which the source has revoked is revoked.
//
// At no moment is a grant active that is not active in the source: one that is revoked there is first saved with the time of its revocation as its
// expiry, and then revoked. It costs what [grant.Store.Get], [grant.Store.Save] and [grant.Store.Revoke] cost.
func Import(ctx context.Context, source Source, store *grant.Store) (r Report, err error) {
	if source == nil || store == nil {
		return r, &ddb.InvalidError{Problems: []error{errors.New("grant/importer: the source or the store is nil")}}
	}
	ctx, task := progress.Start(ctx, "import of grants")
	defer task.Stop("it ended with a panic") // unless it has ended before
	r, err = importAll(ctx, task, source, store)
	task.End(ddberr.Redact(err))
	return r, err
}

func importAll(ctx context.Context, task *progress.Task, source Source, store *grant.Store) (r Report, err error) {
	for g, err := range source(ctx) {
		if err == nil {
			r.Read++
			task.Items(1)
			err = r.one(ctx, g, store)
		}
		if err != nil {
			return r, fmt.Errorf("import grants: %w", err)
		}
	}
	return r, nil
}

func (r *Report) one(ctx context.Context, g grant.Grant, store *grant.Store) error {
	want := g
	if g.Revoked != nil {
		// Never later than now: it must not be active between the two writes.
		want.ExpiresAt = earliest(g.ExpiresAt, g.Revoked.At, time.Now().UTC())
	}
	is, err := store.Get(ctx, g.Key)
	switch {
	case errors.Is(err, grant.ErrNotFound):
		if is, err = store.Save(ctx, want, grant.IfAbsent()); err != nil {
			return err
		}
		r.Saved++
		if g.Revoked == nil {
			return nil
		}
	case err != nil:
		return err
	case g.Revoked != nil && is.Revoked != nil, g.Revoked == nil && same(&is, &g):
		r.Same++
		return nil
	case g.Revoked == nil || is.GrantedAt.After(g.Revoked.At):
		if len(r.Different) < maxDifferent {
			r.Different = append(r.Different, g.Key)
		}
		return nil
	}
	if _, err := store.Revoke(ctx, g.Key, *g.Revoked); err != nil {
		return err
	}
	r.Revoked++
	return nil
}

// earliest returns the earliest of some times; the first may be zero, which means never.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

func same(a, b *grant.Grant) bool {
	return a.Revoked == nil && a.FullName == b.FullName && a.GrantedBy == b.GrantedBy && a.GrantedAt.Equal(b.GrantedAt) && a.ExpiresAt.Equal(b.ExpiresAt)
}
