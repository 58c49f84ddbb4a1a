// SPDX-License-Identifier: Apache-2.0

// Package importer brings events into a store from the tables that other event stores have written: [DynamoES] (the Rust
// crates dynamo-es and cqrs-es), [Angzarr], [Schemeless] (the npm package @schemeless/event-store-adapter-dynamodb) and
// [Excalibur] (.NET). Whatever else can list streams and their events is a [Source] as well.
//
//	source, err := importer.DynamoES(client, "Events", nil)
//	if err != nil {
//		return err
//	}
//	report, err := importer.Import(ctx, source, store)
//	if err != nil {
//		return err
//	}
//	report, err = importer.Verify(ctx, source, store)
//	if err != nil {
//		return err
//	}
//
// # Migrating
//
//  1. Import while the old system runs: it is only read. An import that ends early is started
//     again and goes on where it was; one that is repeated writes nothing twice.
//  2. Stop the writers of the old system, import once more, and [Verify]: every event is compared, and the order too.
//  3. Start the writers of the new one. Keep the old tables until nobody needs them.
//
// Where not all programs of the old system can stop at once, [SchemelessBridge] writes the old table from here.
//
// Streams keep the order of their events; versions count from 1. Where an old sequence differs from
// the new version, the event keeps it in its metadata under [SequenceKey], and the time
// of the old record under [RecordedAtKey]: the store's own time is that of the import.
//
// What the old systems keep beside their events is imported by packages of the same name below position, snapshot, grant and change. The
// snapshots of dynamo-es are not, for they can have versions ahead of their states; they are taken again from the events.
package importer
