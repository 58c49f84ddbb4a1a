// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
)

// HideExpired makes reads leave out items that have expired but that DynamoDB has not deleted yet, which can take days. It
// needs [TTL]:
//
//	sessions, err := ddb.NewSimple(client, "sessions", sessionID, ddb.TTL(sessionUntil), ddb.HideExpired())
//
// Without the option, reads return what is stored. With it Get, Exists, BatchGet and TransactGet find no expired item;
// queries and scans, also of indexes, leave them out, and so do Hydrate, Count and First. [IncludeExpired] shows them to one
// call. An item expires at the second of its time. A time more than five years ago does not count, because DynamoDB regards
// it as a mistake and never deletes the item. The clock is this machine's, or the one of [Clock].
//
// Create treats an expired item as absent, and replaces it. On a table with a [Revision] the new item continues the revision
// of the expired one, so that the outcome can be proven; this takes a second request after the first was refused. All other
// writes, and conditions, act on what is stored, expired or not: an Update can extend an expired session.
//
// Cost: an expired item is read and billed like any other. Every projection and Count also read the attribute, and each item
// of a reply is searched for it before it is decoded. [Page.Hidden] counts what was left out. Every index must hold the
// attribute; one that does not is refused.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
func HideExpired() TableOption { return core.HideExpiredOption() }

// IncludeExpired makes one call return the items that [HideExpired] hides. It is an option of reads by key, and of the
// method With of queries and scans.
func IncludeExpired() interface {
	GetOption
	ReadOption
} {
	return core.IncludeExpired{}
}
