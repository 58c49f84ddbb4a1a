// SPDX-License-Identifier: Apache-2.0

// Package eventstore keeps streams of events in one DynamoDB table.
//
//	store, err := eventstore.New(client, "events", eventstore.Sequenced(16))
//	if err != nil {
//		return err
//	}
//	if err := store.EnsureTable(ctx); err != nil {
//		return err
//	}
//
//	_, err = store.Append(ctx, "account-42", eventstore.NoStream(),
//		eventstore.NewEvent{Type: "opened", Data: data})
//	if err != nil {
//		return err
//	}
//
//	for e, err := range store.Read(ctx, "account-42") { ... }
//
// # Appends
//
// An append is one transaction: it writes the head of the stream, which holds the version, and an item for each event or for
// a frame of several. It succeeds completely or not at all, at the version that [Expected] gives. Every append
// has a commit id. Repeating it with the same id and events writes nothing more, so if you do not know the outcome of
// an append, repeat it at any time. [Store.Commit] appends to several streams at once, and [With] adds your own writes.
//
// # Reads
//
// [Store.Read] yields a stream between any two versions, in either direction, over all pages. A missing version
// is an error, never a shorter stream. [Store.Feed] yields everything that was ever appended, for
// projections and subscriptions. With [Sequenced], each append also takes the next number of its shard, so
// a reader never misses an event and sees those of a stream in order. [Store.TimeFeed] is a cheaper feed by time with
// weaker guarantees. [ByCorrelation], [ByCausation] and [ByCategory] maintain sparse indexes.
//
// # State
//
// [Repository] folds events into aggregates, runs decisions on them, and appends. Snapshots (package snapshot)
// or [StateStored] make loading independent of the number of events. [Views] are stored
// projections. [Upcast] converts events of old schemas when they are read.
//
// # Cost
//
// In write units, for events of up to 1 KB each, as the tests assert:
//
//	append of n events                   2 + 2n
//	with the feed                        6 + 2n
//	in a frame of up to 1 KB             4 (8 with the feed)
//	with Dedup                           2 more
//	state of 1 KB with StateStored       2 more
//
// A read costs a read unit for each 4 KB, and one for the head unless it begins at the first event.
//
// # Regions and permissions
//
// Transactions hold within a Region: in global tables with eventual consistency, append to a stream in
// one Region only, and with a [Sequenced] feed to the whole store, whose streams share the counters. A writer's role needs GetItem, Query, PutItem, UpdateItem and, for transactions, ConditionCheckItem. An
// IAM condition on dynamodb:EnclosingOperation can restrict writes to transactions, so that nothing
// else can break a stream.
package eventstore
