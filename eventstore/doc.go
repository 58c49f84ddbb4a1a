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
// An append is one transaction: the head of the stream, which holds its version, and an item for each event, or for
// a frame of several. It happens as a whole or not at all, upon the version that [Expected] names. Every append
// has a commit id; repeated with the same id and events it writes nothing more, so a caller
// that does not know the outcome of an append repeats it, at any time. [Store.Commit] appends to several streams at once, and
// [With] adds writes of the caller's own.
//
// # Reads
//
// [Store.Read] yields a stream from and to any version, in both directions, over all pages; a version
// that is missing is an error and never a shorter stream. [Store.Feed] is everything that was ever appended, for
// projections and subscriptions: with [Sequenced], each append also takes the next number of its shard, so
// a reader can neither miss an event nor see it out of its stream's order. [Store.TimeFeed] is the cheaper feed by time, with
// weaker promises. [ByCorrelation], [ByCausation] and [ByCategory] keep sparse indexes.
//
// # State
//
// [Repository] folds events into aggregates, decides upon them, and appends; snapshots (package snapshot)
// or [StateStored] make loading independent of the number of events. [Views] are stored
// projections. Events of old forms are brought up to date as they are read, see [Upcast].
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
// # What to know
//
// Transactions hold within a Region: in global tables with eventual consistency, append to a stream in
// one Region only, and with a [Sequenced] feed to the whole store, whose streams share the counters. The role of a writer needs GetItem, Query, PutItem, UpdateItem and, for transactions, ConditionCheckItem; an
// IAM condition on dynamodb:EnclosingOperation can allow writes in transactions alone, so that nothing
// else can break a stream.
package eventstore
