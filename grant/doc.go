// SPDX-License-Identifier: Apache-2.0

// Package grant stores authorization grants in a DynamoDB table and makes access decisions
// from them. Any failure denies access.
//
//	grants, err := grant.New(client)
//	if err != nil {
//		return err
//	}
//	if err := grants.Ensure(ctx); err != nil {
//		return err
//	}
//
//	key := grant.Key{Tenant: grant.TenantOf("acme"), User: "u1", Type: "role", Qualifier: "admin"}
//	if _, err := grants.Save(ctx, grant.Grant{Key: key, GrantedBy: "u0", ExpiresAt: end}, grant.Upsert()); err != nil {
//		return err
//	}
//
//	d, err := grants.Check(ctx, key)
//	if err != nil || !d.Allowed {
//		return forbidden
//	}
//
// # Decisions
//
// [Store.Check] reads the grant consistently, by its own key. It allows access only if the grant is not
// revoked and has not expired by the reader's clock, taken after the read. An
// error, a missing or damaged row, or a row of a later version of the library denies access. The lists
// read indexes and are for people, not for decisions. Clocks of different hosts differ: on each host a
// grant expires by that host's clock.
//
// Reads are consistent within a Region. In a global table with eventual consistency, a revocation in
// another Region takes effect once it has been replicated, typically within a second:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
//
// A service that only decides needs the permissions GetItem, BatchGetItem and Query on the
// table, and no permissions on its indexes.
//
// # Changes
//
// Each change ([Store.Save], [Store.Revoke], [Store.Delete]) raises the grant's revision and
// writes an entry of its history ([Store.History]) in the same transaction. No revision is
// used twice, even after a deletion; only [Store.Erase] restarts at one. Granting again does
// not hide that the grant was revoked.
//
// # Activity groups
//
// A group is a set of activities ([Store.AddActivities]). A user becomes a member by a grant of
// [GroupType] ([MemberKey]), which expires, is revoked, listed and recorded in history like any
// other. Check reads the user's own grant first, then those of the user's groups.
//
// # Table
//
// One table, by default "grants", holds everything. Its keys are the attributes tenant and sk:
//
//	T#tenant, U#user#type#qualifier       a grant
//	T#tenant, H#user#type#qualifier#rev   an entry of its history
//	T#tenant, A#group#type#qualifier      an activity of a group
//
// Without a tenant, tenant is "-". Names are escaped as by [keyformat.Format], so
// that distinct keys never collide. The whole sort key has at most 1024 bytes. The indexes
// by-user (user, by_user) and by-type (type, by_type) hold the grants, for [Store.ListForUser] and
// for [Store.ListHolders], [Store.Users] and the deletions. Attribute ttl is the time to
// live, if [DeleteExpired] is set; no decision depends on it.
//
// # Coming from Excalibur
//
//	IGrantStore.GetGrant                     Get; to decide: Check
//	IGrantStore.GetAllGrants                 ListForUser; with expired ones: IncludeExpired
//	IGrantStore.SaveGrant                    Save with Upsert
//	IGrantStore.DeleteGrant                  Delete; with revokedBy and revokedOn: Revoke
//	IGrantStore.GrantExists                  Check (knows expiry, which GrantExists does not)
//	IGrantQueryStore.GetMatchingGrants       Get with a user, ListHolders without
//	IGrantQueryStore.FindUserGrants          ListForUser
//	IActivityGroupGrantStore.Insert          Save with a MemberKey
//	IActivityGroupGrantStore.DeleteByUser    DeleteForUser with OfType
//	IActivityGroupGrantStore.DeleteAll       DeleteOfType
//	IActivityGroupGrantStore
//	.GetDistinctUserIds                      Users
//	AddDynamoDbAuthorization,                New (client and options),
//	AddDynamoDbGrantStore,                   grantclient.Open (Config)
//	AddDynamoDbActivityGroupGrantStore
//
// A Grant of Excalibur has FullName, ExpiresOn (ExpiresAt), GrantedBy and GrantedOn (GrantedAt); a
// grant without a TenantId is one of [NoTenant].
//
// Package granttest is the acceptance suite: another store that passes it gives the
// same guarantees.
package grant
