// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"fmt"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// WithBuckets makes ExportTableToPointInTime write files and ImportTable read them. The folder dir takes the place of S3: its folders are the buckets, and the files in them the
// objects. The object "backup/x" of the bucket "archive" is the file archive/backup/x in dir. Without this option the engine rejects the two operations.
//
//	dir := t.TempDir()
//	if err := os.Mkdir(filepath.Join(dir, "archive"), 0o755); err != nil {
//		t.Fatal(err)
//	}
//	client := ddbtest.New(t, ddbtest.WithBuckets(dir))
//
// An export has the files, manifests and checksums of the service, in DynamoDB JSON or Ion, with four data files. A full export shows the table at any
// time since point-in-time recovery was enabled; an incremental export has the changes of 15 minutes to 24 hours of that time. For this the engine keeps the old
// versions of the items of such tables, for 35 days on its clock. An engine of [OpenFolder] has no versions from before it was opened.
//
// An import makes a table from files in DynamoDB JSON, Ion or CSV, uncompressed or compressed with gzip; zstd is rejected. A line that forms no item counts as one
// error, and the rest of its file is left out, as the service does it. An item that the table cannot store, for example without a key, counts as one error too, and the
// import goes on with the next line. If items have the same key, the last one stays. [WithImportErrors] reports each error. An import uses no throughput, and the rules of package
// fault for items do not apply to it.
//
// Both operations finish their work before they reply, and the reply says IN_PROGRESS. After that they are COMPLETED, or stay IN_PROGRESS for the time of [WithStateDelay]: until
// then the table is CREATING, and an export has no manifests. The manifests are written by the next [Clock.Advance], DescribeExport or ListExports. If the bucket does
// not exist, the export or import is FAILED, and no table is made. A client token is valid for 8 hours; exports and imports are listed for 90 days. An engine of
// [OpenFolder] keeps the imported tables, but forgets the descriptions when it is closed. FilterSpecification is rejected.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
func WithBuckets(dir string) Option {
	return func(c *config) { c.buckets = dir }
}

// WithImportErrors calls f for every error of an ImportTable; the service writes them to CloudWatch Logs. The engine calls f before ImportTable replies, from one
// import at a time. f must not call operations of exports and imports.
func WithImportErrors(f func(ImportError)) Option {
	return func(c *config) { c.onImport = f }
}

// ImportError is a line, or a whole object, that an ImportTable could not import.
type ImportError struct {
	// ImportARN is the import.
	ImportARN string
	// Bucket and Key name the object.
	Bucket, Key string
	// Line is where the item begins, from 1. It is 0 if the object could not be read at all.
	Line int
	// Rest reports that the rest of the object was left out.
	Rest bool
	// Err is what is wrong.
	Err error
}

// Error says where and what.
func (e ImportError) Error() string {
	where := "object " + e.Key + " of bucket " + e.Bucket
	if e.Line > 0 {
		where = fmt.Sprintf("line %d of %s", e.Line, where)
	}
	if e.Rest {
		return fmt.Sprintf("%s: %v; the rest of the object is left out", where, e.Err)
	}
	return fmt.Sprintf("%s: %v", where, e.Err)
}

// Unwrap returns what is wrong.
func (e ImportError) Unwrap() error { return e.Err }

// importError is the hook of the engine, nil for none.
func (c *config) importError() func(engine.ImportError) {
	if c.onImport == nil {
		return nil
	}
	return func(e engine.ImportError) { c.onImport(ImportError(e)) }
}
