// Package snapshot keeps the state of aggregates at some of their versions, so that a load need not
// fold all events.
//
// A snapshot is immutable: a version of a stream is saved once, and an older snapshot can never take the
// place of a newer one. Its version is that of the last event that is folded into the
// state, never one ahead of it: a snapshot whose version is too high loses events silently, for
// nobody folds them again.
//
// When to take one is a [Policy], what to keep is a [Retention]. Snapshots are a cache: whatever
// is wrong with one, the events can make it again.
//
// The partition key of the table is the stream, the sort key the version. Saving costs a write unit for each KB
// of the state, loading the newest a read unit for each 4 KB.
package snapshot
