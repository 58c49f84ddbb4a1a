// SPDX-License-Identifier: Apache-2.0

// Package dump exports tables to a folder, or to other storage that implements [Storage], and reads exports back, in the layout of DynamoDB's own exports to S3: what it writes is
// read by ImportTable, StartBulkPutItems, Athena and other tools, and what DynamoDB exports is read by it.
//
//	t, err := rawtable.Open(ctx, client, "orders")
//	report, err := dump.Export(ctx, t, dump.Dir("backup"), dump.Name("monday"))
//
//	src, err := dump.Open(ctx, dump.Dir("backup"), "monday")
//	err = dump.Verify(ctx, src)                                  // checksums, counts, every line
//	report, err = dump.Import(ctx, src, t, dump.OnlyMissing())
//
// Items go through no struct, so nothing of them is lost or changed; [Items] reads an export into a type where one wants that:
//
//	for order, err := range dump.Items[Order](ctx, src) { ... }
//
// Exports and imports obey the pace of their context (package pace), report to package progress, and go on where they were stopped; so do [Verify], [CompareTables] and [CompareExport].
// Files for a conditional bulk put are not written: the members of such a line are documented nowhere that could be read. Unconditional ones are those of any export.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
package dump
