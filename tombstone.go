// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"time"

	"github.com/dynamotable/ddb/internal/core"
)

// Tombstones makes the outcome of every write provable, including deletes and creates: a delete leaves a small item with the
// key, the [Revision] and the attribute attr, which is the time in Unix seconds after which DynamoDB may remove it. It needs
// [Version] with a Revision:
//
//	accounts, err := ddb.NewSimple(client, "accounts", accountID, ddb.Version(accountRevision), ddb.Tombstones("deleted", time.Hour))
//
// Without tombstones a delete leaves no trace: after a lost reply of a delete, or of a Create on a key that others use too,
// the outcome can remain unknown, and a request that the network repeats late can restore a deleted item. With tombstones
// this does not happen as long as the tombstone exists and records the write.
//
// All reads of the table hide tombstones: Get, BatchGet and TransactGet find no item; queries and scans leave them out by a
// filter, if the index can hold them. Other programs see them as an item with attr; in streams a delete is a modification.
// Of the attributes of global indexes, a tombstone has only those of the table's key.
//
// keep is the least time that a tombstone is kept, at least 15 minutes: a request cannot arrive after its signature has
// expired. An hour is enough. [Table.EnsureTable] enables time to live for attr, or for the attribute of [TTL] if there is
// one, which tombstones then have too. T must not have a field for attr.
//
// A delete costs as much as a put of the tombstone, which is as much as DeleteItem: a write unit for each 1 KB of the item
// that it replaces. The removal by time to live is free. Reads pay for the tombstones that they skip.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
// https://docs.aws.amazon.com/general/latest/gr/sigv4-troubleshooting.html
func Tombstones(attr string, keep time.Duration) TableOption {
	return core.TombstonesOption(attr, keep)
}
