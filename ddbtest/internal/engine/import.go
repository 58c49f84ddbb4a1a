// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/itemfile"
)

// ImportInput holds the parameters of ImportTable.
type ImportInput struct {
	ClientToken             *string
	InputCompressionType    *string
	InputFormat             *string
	InputFormatOptions      *InputFormatOptions
	S3BucketSource          *S3BucketSource
	TableCreationParameters *TableCreationParameters
}

// InputFormatOptions say how files are read.
type InputFormatOptions struct {
	CSV *CsvOptions `json:"Csv,omitempty"`
}

// CsvOptions say how CSV files are read.
type CsvOptions struct {
	Delimiter  *string  `json:",omitempty"`
	HeaderList []string `json:",omitempty"`
}

// S3BucketSource is where an import reads.
type S3BucketSource struct {
	S3Bucket      *string
	S3BucketOwner *string `json:",omitempty"`
	S3KeyPrefix   *string `json:",omitempty"`
}

// TableCreationParameters are those of the table that an import makes, as they were given and as CreateTable has them.
type TableCreationParameters struct {
	Text  json.RawMessage
	Table CreateTableInput
}

// MarshalJSON returns what was given.
func (p *TableCreationParameters) MarshalJSON() ([]byte, error) { return p.Text, nil }

// ImportError is an error of an import, which the service writes to a log.
type ImportError struct {
	ImportARN string
	Bucket    string
	Key       string // of the object
	Line      int    // on which the item begins, from 1; 0 if it is not known
	Rest      bool   // whether the rest of the object was left out
	Err       error
}

// importJob is an import.
type importJob struct {
	in         ImportInput
	arn        string
	tableARN   string
	tableID    string
	start, end time.Time

	processed, imported, failed, bytes int64
	failure                            *transferFailure
}

// ImportTable makes a table of the items in a bucket. The table is CREATING until it has them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ImportTable.html
func (e *Engine) ImportTable(_ context.Context, in *ImportInput) (*ImportDescription, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := e.haveBuckets("ImportTable"); err != nil {
		return nil, err
	}
	ts := &e.transfers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := e.clock.Now()
	token := transferToken{"ImportTable", text(in.ClientToken)}
	arn, err := ts.known(token, in, ImportConflictException, now)
	if err != nil {
		return nil, err
	}
	if j := ts.importJob(arn); j != nil {
		return j.describe(now), nil
	}
	table := &in.TableCreationParameters.Table
	if err := table.valid(); err != nil {
		return nil, err
	}
	if ts.importing(now) >= maxImports {
		return nil, &Error{Type: LimitExceededException, Message: "Too many imports are in progress"}
	}
	j := &importJob{in: *in, start: now, end: now.Add(e.stateDelay)}
	objects, err := e.sourceOf(in)
	if err == nil {
		defer func() { _ = objects.bucket.Close() }() // it was read
	} else {
		j.failure = failureOf(err) // no table is made
	}
	t := e.newTable(table)
	j.tableARN, j.tableID = t.arn, t.id
	if t.readyAt.After(j.end) {
		j.end = t.readyAt // never COMPLETED before the table is ACTIVE
	}
	j.arn = t.arn + "/import/" + transferID(now)
	t.importing.Store(true)
	if j.failure == nil {
		if err := e.publish(t); err != nil {
			return nil, err
		}
		e.load(j, t, objects)
	} else if existing := e.lookup(t.name); existing != nil {
		return nil, e.alreadyExists(existing)
	}
	t.importing.Store(false)
	ts.imports = append(ts.imports, j)
	ts.use(token, in, j.arn, j.end)
	d := j.describe(now)
	return d.begun(), nil
}

// check validates the request by itself; the parameters of the table are for valid.
func (in *ImportInput) check() error {
	var c constraints
	c.matches("clientToken", in.ClientToken, tokenText)
	c.enum("inputCompressionType", in.InputCompressionType, "[GZIP, ZSTD, NONE]")
	if c.required("inputFormat", in.InputFormat != nil) {
		c.enum("inputFormat", in.InputFormat, "[DYNAMODB_JSON, ION, CSV]")
	}
	if s := in.S3BucketSource; c.required("s3BucketSource", s != nil) {
		c.source("s3BucketSource.", s.S3Bucket, s.S3BucketOwner, nil)
		if s.S3KeyPrefix != nil {
			c.length("s3BucketSource.s3KeyPrefix", *s.S3KeyPrefix, 0, 1024)
		}
	}
	c.required("tableCreationParameters", in.TableCreationParameters != nil)
	if in.InputFormatOptions != nil && in.InputFormatOptions.CSV != nil {
		c.csv("inputFormatOptions.csv.", in.InputFormatOptions.CSV)
	}
	if err := c.err(); err != nil {
		return err
	}
	switch {
	case is(in.InputCompressionType, "ZSTD"):
		return invalid("InputCompressionType ZSTD is not supported by this engine: Go's standard library has no reader for it. Use GZIP or NONE")
	case in.csv() != nil && !is(in.InputFormat, itemfile.CSV):
		return invalid("InputFormatOptions.Csv is for the InputFormat CSV alone")
	}
	return nil
}

// csv checks the options of CSV files.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CsvOptions.html
func (c *constraints) csv(path string, o *CsvOptions) {
	if d := o.Delimiter; d != nil && (len(*d) != 1 || !isDelimiter((*d)[0])) {
		c.fail(path+"delimiter", *d, false, `Member must satisfy regular expression pattern: [,;:|\t ]`)
	}
	if o.HeaderList == nil {
		return
	}
	if n := len(o.HeaderList); n < 1 || n > 255 {
		c.failUnquoted(path+"headerList", "Member must have length from 1 to 255")
	}
	for i, name := range o.HeaderList {
		c.length(member(path+"headerList", i), name, 1, 65536)
	}
}

func isDelimiter(c byte) bool {
	switch c {
	case ',', ';', ':', '|', '\t', ' ':
		return true
	}
	return false
}

func (in *ImportInput) csv() *CsvOptions {
	if in.InputFormatOptions == nil {
		return nil
	}
	return in.InputFormatOptions.CSV
}

// importJob returns the import with an ARN, or nil. The caller holds mu.
func (ts *transfers) importJob(arn string) *importJob {
	for _, j := range ts.imports {
		if j.arn == arn {
			return j
		}
	}
	return nil
}

func (ts *transfers) importing(now time.Time) (n int) {
	for _, j := range ts.imports {
		if now.Before(j.end) {
			n++
		}
	}
	return n
}

// ImportDescription describes an import in the form of the wire.
type ImportDescription struct {
	ImportArn               string
	ImportStatus            string
	TableArn                string
	TableID                 string          `json:"TableId"`
	ClientToken             string          `json:",omitempty"`
	S3BucketSource          *S3BucketSource `json:",omitempty"`
	ErrorCount              int64
	CloudWatchLogGroupArn   string
	InputFormat             string
	InputFormatOptions      *InputFormatOptions `json:",omitempty"`
	InputCompressionType    string
	TableCreationParameters *TableCreationParameters `json:",omitempty"`
	StartTime               *Timestamp
	EndTime                 *Timestamp `json:",omitempty"`
	ProcessedSizeBytes      int64
	ProcessedItemCount      int64
	ImportedItemCount       int64
	FailureCode             string `json:",omitempty"`
	FailureMessage          string `json:",omitempty"`
}

func (j *importJob) status(now time.Time) string {
	switch {
	case now.Before(j.end):
		return statusInProgress
	case j.failure != nil:
		return statusFailed
	default:
		return statusCompleted
	}
}

// describe describes the import. The counts are 0 until it has ended.
func (j *importJob) describe(now time.Time) *ImportDescription {
	d := &ImportDescription{
		ImportArn: j.arn, ImportStatus: j.status(now), TableArn: j.tableARN, TableID: j.tableID, ClientToken: text(j.in.ClientToken),
		S3BucketSource: j.in.S3BucketSource, CloudWatchLogGroupArn: logGroupOf(j.tableARN),
		InputFormat: text(j.in.InputFormat), InputFormatOptions: j.in.InputFormatOptions,
		InputCompressionType:    cmp.Or(text(j.in.InputCompressionType), "NONE"),
		TableCreationParameters: j.in.TableCreationParameters, StartTime: timestamp(j.start),
	}
	if d.ImportStatus == statusInProgress {
		return d
	}
	d.EndTime = timestamp(j.end)
	d.ErrorCount, d.ProcessedSizeBytes, d.ProcessedItemCount, d.ImportedItemCount = j.failed, j.bytes, j.processed, j.imported
	if j.failure != nil {
		d.FailureCode, d.FailureMessage = j.failure.code, j.failure.message
	}
	return d
}

// begun is what the reply of ImportTable has: the import has begun, and nothing is known of its end.
func (d *ImportDescription) begun() *ImportDescription {
	d.ImportStatus, d.EndTime, d.FailureCode, d.FailureMessage = statusInProgress, nil, "", ""
	d.ErrorCount, d.ProcessedSizeBytes, d.ProcessedItemCount, d.ImportedItemCount = 0, 0, 0, 0
	return d
}

// DescribeImport describes an import.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeImport.html
func (e *Engine) DescribeImport(_ context.Context, arn *string) (*ImportDescription, error) {
	if err := describedArn("importArn", arn); err != nil {
		return nil, err
	}
	e.transfers.mu.Lock()
	defer e.transfers.mu.Unlock()
	now := e.clock.Now()
	j := e.transfers.importJob(*arn)
	if j == nil || now.Sub(j.end) >= transferLife {
		return nil, &Error{Type: ImportNotFoundException, Message: "Import not found: " + *arn}
	}
	return j.describe(now), nil
}

// ImportList is a page of imports in the form of the wire.
type ImportList struct {
	ImportSummaryList []importSummary
	NextToken         string `json:",omitempty"`
}

type importSummary struct {
	ImportArn             string
	ImportStatus          string
	TableArn              string
	S3BucketSource        *S3BucketSource
	CloudWatchLogGroupArn string
	InputFormat           string
	StartTime             *Timestamp
	EndTime               *Timestamp `json:",omitempty"`
}

// ListImports lists the imports of the last 90 days. The page names no order; here it is that of ListExports.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListImports.html
func (e *Engine) ListImports(_ context.Context, in *ListJobsInput) (*ImportList, error) {
	if err := in.constraints("pageSize"); err != nil {
		return nil, err
	}
	e.transfers.mu.Lock()
	defer e.transfers.mu.Unlock()
	now := e.clock.Now()
	var arns []string
	for _, j := range e.transfers.imports {
		if now.Sub(j.end) < transferLife && ofTable(j.arn, in.TableArn) {
			arns = append(arns, j.arn)
		}
	}
	page, next, err := in.page(arns)
	if err != nil {
		return nil, err
	}
	out := &ImportList{ImportSummaryList: []importSummary{}, NextToken: next}
	for _, arn := range page {
		d := e.transfers.importJob(arn).describe(now)
		out.ImportSummaryList = append(out.ImportSummaryList, importSummary{
			arn, d.ImportStatus, d.TableArn, d.S3BucketSource, d.CloudWatchLogGroupArn, d.InputFormat, d.StartTime, d.EndTime,
		})
	}
	return out, nil
}
