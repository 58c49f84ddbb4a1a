// Package importer brings events into a store from the tables that other event stores have written:
// [DynamoES] (the Rust crates dynamo-es and cqrs-es), [Angzarr] and [Schemeless] (the npm package
// @schemeless/event-store-adapter-dynamodb). Whatever else can list streams and their events is a [Source] as well.
//
//	source, err := importer.DynamoES(client, "Events")
//	report, err := importer.Import(ctx, source, store)
//	report, err = importer.Verify(ctx, source, store)
//
// # Migrating
//
//  1. Import while the old system runs: it is only read. An import that ends early is begun
//     again and goes on where it was; one that is repeated writes nothing twice.
//  2. Stop the writers of the old system, import once more, and [Verify]: every event is compared.
//  3. Start the writers of the new one. Keep the old tables until nobody misses them.
//
// Streams keep the order of their events; versions count from 1. Where an old sequence differs from
// the new version, the event keeps it in its metadata under [SequenceKey], and the time
// of the old record under [RecordedAtKey]: the store's own time is that of the import. Snapshots are not
// imported, for some writers of the old stores gave them versions ahead of their state; they
// are made anew from the events.
package importer
