// Package grant keeps authorization grants in a DynamoDB table and decides by them, so
// that whatever goes wrong denies.
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
// [Store.Check] allows only by what it has read consistently, by the grant's own key: not
// revoked, and before its expiry by the clock of the reader, taken after the read. An
// error, a missing or damaged row, or one of a later version of the library denies. The lists
// read indexes and are for people, not for decisions. Clocks of different hosts differ: a
// grant ends on each host when that host's clock says so.
//
// Consistent is within a Region. In a global table of eventual consistency, a revocation of
// another Region is seen when it has been replicated, typically within a second:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
//
// A service that only decides needs the permissions GetItem, BatchGetItem and Query on the
// table, and none on its indexes.
//
// # Changes
//
// Each change ([Store.Save], [Store.Revoke], [Store.Delete]) raises the grant's revision and
// writes an entry of its history ([Store.History]) in the same transaction. No revision is
// used twice, also not after a deletion; only [Store.Erase] starts them again. Granting again does
// not hide that the grant was revoked.
//
// # Activity groups
//
// A group is a set of activities ([Store.AddActivities]); a user is a member by a grant of
// [GroupType] ([MemberKey]), which expires, is revoked, listed and kept in history as any
// other. Check looks at the user's own grant first, then at the user's groups.
//
// # Table
//
// One table, by default "grants", holds all. Its keys are the attributes tenant and sk:
//
//	T#tenant, U#user#type#qualifier       a grant
//	T#tenant, H#user#type#qualifier#rev   an entry of its history
//	T#tenant, A#group#type#qualifier      an activity of a group
//
// The tenant is - where there is none. Names are escaped as by [keyformat.Format], so
// that distinct keys never collide; the whole sort key has at most 1024 bytes. The indexes
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
// Package granttest is the acceptance suite: another store that passes it keeps the
// same promises.
package grant
