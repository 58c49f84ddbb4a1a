// SPDX-License-Identifier: Apache-2.0

// Package snapshot stores the state of aggregates at some of their versions, so that loading an aggregate
// need not fold all of its events.
//
//	snapshots, err := snapshot.New(client, "snapshots",
//		snapshot.When(snapshot.EveryN(100)), snapshot.Keep(snapshot.KeepLast(2)))
//	if err != nil {
//		return err
//	}
//	if err := snapshots.EnsureTable(ctx); err != nil {
//		return err
//	}
//	accounts := eventstore.NewRepository(store, types, fold,
//		eventstore.WithSnapshots(snapshots, "account", 1))
//
// A snapshot is immutable: a version of a stream is saved once, and an older snapshot never replaces a
// newer one. Its version is that of the last event in the state. It is never higher: a load
// folds only the events after that version, so a version that is too high would lose events silently.
//
// A [Policy] decides when to take a snapshot, a [Retention] which ones to keep. Snapshots are a cache: if
// one is damaged, it can be made again from the events.
//
// The partition key of the table is the stream, the sort key the version. Saving costs a write unit for each KB
// of the state, loading the newest a read unit for each 4 KB.
package snapshot
