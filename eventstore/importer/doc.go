// SPDX-License-Identifier: Apache-2.0

// Package importer imports events into a store from the tables of other event stores: [DynamoES] (the Rust
// crates dynamo-es and cqrs-es), [Angzarr], [Schemeless] (the npm package @schemeless/event-store-adapter-dynamodb) and
// [Excalibur] (.NET). Anything else that can list streams and their events can implement [Source].
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
//  1. Import while the old system runs: it is only read. If an import ends early, start it
//     again: it continues where it was. Repeating it writes nothing twice.
//  2. Stop the writers of the old system, import once more, and call [Verify], which compares every event and the order.
//  3. Start the writers of the new system. Keep the old tables until they are no longer needed.
//
// If not all programs of the old system can stop at once, [SchemelessBridge] writes to the old table.
//
// Streams keep the order of their events; versions count from 1. If an old sequence differs from
// the new version, the event keeps it in its metadata under [SequenceKey]. The time
// of the old record is kept under [RecordedAtKey], because the store records the time of the import.
//
// Packages of the same name below position, snapshot, grant and change import the other data of the old systems. The
// snapshots of dynamo-es are not imported, because their versions can be ahead of their states; take them again from the events.
package importer
