// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"slices"
	"time"

	"github.com/dynamotable/ddb"
)

// protection is a way to define a table, or to open a store of a layer, with its promises.
type protection struct {
	name    string
	options []ddb.TableOption
	layer   *layer // the layer explored instead of a table, nil for tables
	// protects: a write of an item that was read requires that item.
	protects bool
	// swaps: a delete by key needs no condition, because the library reads the item and swaps it.
	swaps bool
	// condition requires the item that was read, in an Update or a Delete by key.
	condition func(read *record) ddb.Option[record]
	// expires: expired items are hidden, and a create treats them as absent.
	expires bool
	// tombstone is the attribute of tombstones, empty if there are none.
	tombstone string
	// excepted lists what is not promised. Everything else is promised.
	excepted []exception
}

// exception is a violation that the documents allow for some verbs (all, if none is named), in histories that
// need at least the given circumstances.
type exception struct {
	why       string
	violation violation
	needs     circumstance
	verbs     []string
}

const (
	whyIncarnation = "a number that starts at 1 cannot tell an item from the next one under its key"
	whyCopies      = "nothing recognises a request that the network repeats"
	whyDeleted     = "a delete leaves nothing that names it or what it deleted"
	whyAnew        = "a Create that the network repeats after a delete makes the same revision again"
	whyLateTx      = "a transaction that was refused and arrives again late is applied if its conditions hold by then"
	whyAhead       = "an append that expects a version which the stream does not have yet is applied by a late copy, if the stream has it by then"
	whyOver        = "a transaction that creates over a tombstone or an expired item does not know its tags"
	whyForeign     = "an item from before the table had a version has none that names it"
	whyErased      = "a foreign delete leaves no tombstone"
)

// single are the verbs that send one request, which nothing identifies without a revision. A transaction
// is identified by its token.
var single = []string{
	"Create", "Put(read)", "DeleteItem(read)", "Update n+1 If(read)", "Update n+1", "Update Set If(open)", "Delete(key)", "Replace(read)", "Put(blind)", "Upsert n+1",
}

// creates are the verbs that require that there is no item.
var creates = []string{"Create", "Put(blind)", "Upsert n+1"}

func protections() []*protection {
	// A request that is refused, and arrives again when its condition is true.
	lateTx := exception{whyLateTx, failedLater, latecomers, []string{"TxCreate", "TxUpdate n+1"}}
	// Violations that cannot be excluded without evidence of past writes.
	copies := []exception{
		{whyCopies, appliedTwice, second, single},
		{whyCopies, okAppliedAgain, latecomers, single},
		{whyCopies, failedApplied, second, single},
		{whyCopies, failedLater, latecomers, nil},
	}
	byRevisions := []exception{
		lateTx,
		{whyDeleted, appliedTwice, deletion, creates},
		{whyDeleted, okAppliedAgain, latecomers | deletion, creates},
		{whyDeleted, failedLater, latecomers | deletion, creates},
		{whyDeleted, failedApplied, second | deletion, nil},
		{whyDeleted, errorApplied, second | deletion, []string{"Update n+1", "Update Set If(open)", "Upsert n+1", "Delete(key)", "Expire"}},
		{whyAnew, otherItem, second | deletion, nil},
		{whyAnew, otherItem, latecomers | deletion, nil},
		{whyAnew, appliedTwice, second | deletion, []string{"DeleteItem(read)", "Delete(key)"}},
		{whyAnew, appliedTwice, latecomers | deletion, []string{"DeleteItem(read)", "Delete(key)"}},
		{whyAnew, okAppliedAgain, latecomers | deletion, []string{"DeleteItem(read)", "Delete(key)"}},
		{whyForeign, otherItem, foreignItem, []string{"Put(blind)"}},
		{whyForeign, errorApplied, latecomers | transaction | foreignItem, []string{"TxUpdate n+1"}},
		{whyForeign, otherItem, deletion | foreignItem, []string{"Put(read)", "TxPut(read)"}},
		{whyForeign, appliedTwice, deletion | foreignItem, []string{"Put(read)"}},
		{whyForeign, okAppliedAgain, latecomers | deletion | foreignItem, []string{"Put(read)"}},
		{whyForeign, appliedTwice, second | deletion | foreignItem, []string{"Delete(key)", "Update n+1", "Update Set If(open)", "Expire"}},
	}
	byTombstones := []exception{
		lateTx,
		{whyOver, failedApplied, second | deletion | transaction, []string{"DeleteItem(read)"}},
		{whyOver, errorApplied, second | deletion | transaction, []string{"Delete(key)"}},
		{whyForeign, otherItem, foreignItem, []string{"Put(blind)"}},
		{whyForeign, otherItem, deletion | foreignItem, []string{"Put(read)", "TxPut(read)"}},
		{whyForeign, errorApplied, latecomers | transaction | foreignItem, []string{"TxUpdate n+1"}},
		{whyErased, appliedTwice, foreignDelete | foreignItem, []string{"Put(read)"}},
		{whyErased, okAppliedAgain, latecomers | foreignDelete | foreignItem, []string{"Put(read)"}},
		{whyErased, failedApplied, foreignDelete | foreignItem, []string{"Put(read)"}},
		{whyErased, failedApplied, foreignDelete, creates},
		{whyErased, appliedTwice, foreignDelete, creates},
		{whyErased, okAppliedAgain, latecomers | foreignDelete, creates},
		{whyErased, failedLater, latecomers | foreignDelete, creates},
		{whyErased, failedApplied, second | foreignDelete, nil},
		{whyErased, failedApplied, latecomers | foreignDelete, creates},
		{whyErased, otherItem, second | foreignDelete, nil},
		{whyErased, otherItem, latecomers | foreignDelete, nil},
	}
	overExpired := []exception{
		{whyOver, errorApplied, second | transaction, []string{"Update n+1", "Expire", "Delete(key)"}},
	}
	return []*protection{
		{
			name: "none", condition: func(read *record) ddb.Option[record] { return ddb.If(recordN.Eq(read.N)) },
			excepted: copies,
		},
		{
			name: "Version", options: []ddb.TableOption{ddb.Version(recordVersion)}, protects: true, condition: byVersion,
			excepted: append([]exception{
				{whyIncarnation, otherItem, 0, nil},
				{whyForeign, failedTrue, foreignItem, []string{"Update n+1 If(read)", "Delete(key)"}},
			}, copies...),
		},
		{
			name: "Revision", options: []ddb.TableOption{ddb.Version(recordRevision)}, protects: true, swaps: true, condition: byRevision,
			excepted: byRevisions,
		},
		{
			name: "Tombstones", options: []ddb.TableOption{ddb.Version(recordRevision), ddb.Tombstones("deleted", time.Hour)}, protects: true, swaps: true, condition: byRevision,
			tombstone: "deleted",
			excepted:  byTombstones,
		},
		{
			name: "Expiry", options: expiring(ddb.Version(recordRevision)), protects: true, swaps: true, condition: byRevision, expires: true,
			excepted: slices.Concat(byRevisions, overExpired, []exception{{whyDeleted, failedApplied, latecomers | deletion, creates}}),
		},
		{
			name: "Expiry with tombstones", options: expiring(ddb.Version(recordRevision), ddb.Tombstones("deleted", time.Hour)), protects: true, swaps: true, condition: byRevision, expires: true,
			tombstone: "deleted",
			excepted:  slices.Concat(byTombstones, overExpired),
		},
	}
}

// The clock of tables that hide expired items, which is ahead of the engine's clock, so that only the library treats items as expired; and an expired time.
var (
	libraryTime = time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	longAgo     = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// expiring are the options of a table that hides expired items.
func expiring(opts ...ddb.TableOption) []ddb.TableOption {
	return append(opts, ddb.TTL(recordUntil), ddb.HideExpired(), ddb.Clock(func() time.Time { return libraryTime }))
}

func byVersion(read *record) ddb.Option[record] { return ddb.If(recordVersion.Eq(read.Version)) }

func byRevision(read *record) ddb.Option[record] { return ddb.If(recordRevision.Eq(read.Revision)) }
