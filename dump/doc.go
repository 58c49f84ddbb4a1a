// SPDX-License-Identifier: Apache-2.0

// Package dump exports tables to a folder, or to other storage that implements [Storage], and reads exports. It uses the layout
// of DynamoDB's own exports to S3: ImportTable, StartBulkPutItems, Athena and other tools can read what it writes, and it can
// read the exports of DynamoDB.
//
//	t, err := rawtable.Open(ctx, client, "orders")
//	report, err := dump.Export(ctx, t, dump.Dir("backup"), dump.Name("monday"))
//
//	src, err := dump.Open(ctx, dump.Dir("backup"), "monday")
//	err = dump.Verify(ctx, src)                                  // checksums, counts, every line
//	report, err = dump.Import(ctx, src, t, dump.OnlyMissing())
//
// Items are not converted to structs, so no part of them is lost or changed. [Items] reads an export into a Go type:
//
//	for order, err := range dump.Items[Order](ctx, src) { ... }
//
// Exports and imports obey the pace of their context (package pace), report to package progress, and can be resumed; so can
// [Verify], [CompareTables] and [CompareExport]. Files for a conditional bulk put are not written, because the members of their
// lines are not documented publicly. Files for an unconditional one are the same as for any export.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
package dump
