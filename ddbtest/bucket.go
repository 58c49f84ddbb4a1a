// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"fmt"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// WithBuckets makes the folders in dir the buckets of S3, so that ExportTableToPointInTime writes files and ImportTable reads them: the object with
// key "backup/x" of bucket "archive" is the file archive/backup/x in dir. A bucket is there if its folder is. Without this option the two operations are
// refused, and nothing is listed.
//
//	dir := t.TempDir()
//	if err := os.Mkdir(filepath.Join(dir, "archive"), 0o755); err != nil {
//		t.Fatal(err)
//	}
//	client := ddbtest.New(t, ddbtest.WithBuckets(dir))
//
// An export has the layout, the manifests and the checksums of the service, in DynamoDB JSON or Ion, with four data files. It is full, as the table was at any
// time since point-in-time recovery was enabled, or incremental, from 15 minutes to 24 hours of that time. For that the engine keeps what the items of such tables
// were before each write, for 35 days on its clock. An engine of [OpenFolder] knows it from its opening only.
//
// An import makes a table of files in DynamoDB JSON, Ion or CSV, plain or compressed with gzip; zstd is refused. It is subject to the rules of the service: a
// line that forms no item is one error, and the rest of its file is left out; an item that the table cannot hold, such as one without a key, is one error
// too, and the next is read. Of items with the same key the last one stays. [WithImportErrors] names each error. Items of imports use no throughput, and no rule of package
// fault meets them.
//
// Both are done before the reply comes, and the reply says IN_PROGRESS. They are COMPLETED at once, or when the time of [WithStateDelay] has passed; until then
// the table is CREATING, and an export has no manifests. It gets them with the next [Clock.Advance], DescribeExport or ListExports. An export or an import whose
// bucket is missing is FAILED; that import makes no table. A client token is valid for 8 hours. What is exported or imported is listed for 90 days, and not
// kept in a folder of [OpenFolder]. FilterSpecification is refused.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
func WithBuckets(dir string) Option {
	return func(c *config) { c.buckets = dir }
}

// WithImportErrors calls f for every error of an ImportTable, which the service writes to CloudWatch Logs. f is called before the reply of ImportTable comes, by
// one import at a time, and must not call the engine's exports and imports.
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
