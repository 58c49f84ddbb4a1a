// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/itemfile"
	"github.com/dynamotable/ddb/ddbtest/internal/objectstore"
)

const (
	fullExport        = "FULL_EXPORT"
	incrementalExport = "INCREMENTAL_EXPORT"
	bothImages        = "NEW_AND_OLD_IMAGES"

	// https://aws.amazon.com/blogs/database/introducing-incremental-export-from-amazon-dynamodb-to-amazon-s3/
	shortestSpan = 15 * time.Minute
	longestSpan  = 24 * time.Hour
)

// ExportInput holds the parameters of ExportTableToPointInTime.
type ExportInput struct {
	TableArn                       *string
	ClientToken                    *string
	ExportFormat                   *string
	ExportTime                     *time.Time
	ExportType                     *string
	IncrementalExportSpecification *IncrementalExportSpecification
	S3Bucket                       *string
	S3BucketOwner                  *string
	S3Prefix                       *string
	S3SseAlgorithm                 *string
	S3SseKmsKeyID                  *string
	// Filtered says that the request has a FilterSpecification.
	Filtered bool
}

// IncrementalExportSpecification is the time span of an incremental export.
type IncrementalExportSpecification struct {
	ExportFromTime *time.Time
	ExportToTime   *time.Time
	ExportViewType *string
}

// export is an export of a table.
type export struct {
	in         ExportInput
	arn        string
	id         string
	tableARN   string
	tableID    string
	start, end time.Time
	at         time.Time // of a full export
	from, to   time.Time // of an incremental one
	items      int64
	billed     int64

	folder  objectstore.Folder
	pending []object // the manifests, until the export is completed
	ended   bool
	failure *transferFailure
}

// object is an object that is to be stored.
type object struct {
	key  string
	data []byte
}

// ExportTableToPointInTime exports a table to a bucket. The items are those of the request's time; manifests come when the export is completed.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
func (e *Engine) ExportTableToPointInTime(_ context.Context, in *ExportInput) (*ExportDescription, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := e.haveBuckets("ExportTableToPointInTime"); err != nil {
		return nil, err
	}
	ts := &e.transfers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := e.clock.Now()
	token := transferToken{"ExportTableToPointInTime", text(in.ClientToken)}
	arn, err := ts.known(token, in, ExportConflictException, now)
	if err != nil {
		return nil, err
	}
	if x := ts.export(arn); x != nil {
		x.complete(now)
		return x.describe(), nil
	}
	t, h, err := e.exported(in)
	if err != nil {
		return nil, err
	}
	x := &export{
		in: *in, id: transferID(now), tableARN: t.arn, tableID: t.id,
		start: now, end: now.Add(e.stateDelay), folder: e.buckets,
	}
	x.arn = t.arn + "/export/" + x.id
	if err := x.span(t, h, now); err != nil {
		return nil, err
	}
	if n := ts.running(now); n >= maxExports {
		return nil, &Error{Type: LimitExceededException, Message: "Too many exports are in progress"}
	}
	x.failure = failureOf(x.write(t, h))
	ts.exports = append(ts.exports, x)
	ts.use(token, in, x.arn, x.end)
	reply := x.describe()
	x.complete(now)
	return reply, nil
}

// check validates the request by itself.
func (in *ExportInput) check() error {
	var c constraints
	if c.required("tableArn", in.TableArn != nil) {
		c.length("tableArn", *in.TableArn, 1, 1024)
	}
	c.source("", in.S3Bucket, in.S3BucketOwner, in.S3Prefix)
	c.matches("clientToken", in.ClientToken, tokenText)
	c.enum("exportFormat", in.ExportFormat, "[DYNAMODB_JSON, ION]")
	c.enum("exportType", in.ExportType, "[FULL_EXPORT, INCREMENTAL_EXPORT]")
	c.enum("s3SseAlgorithm", in.S3SseAlgorithm, "[AES256, KMS]")
	if s := in.IncrementalExportSpecification; s != nil {
		c.enum("incrementalExportSpecification.exportViewType", s.ExportViewType, "[NEW_IMAGE, NEW_AND_OLD_IMAGES]")
	}
	if err := c.err(); err != nil {
		return err
	}
	s := in.IncrementalExportSpecification
	switch prefix := in.prefix(); {
	case in.Filtered:
		return invalid("FilterSpecification is not supported by this engine")
	case prefix != "" && !objectstore.ValidKey(prefix):
		return invalid("S3Prefix is no path below a folder: the buckets of this engine are folders")
	case in.incremental() && s == nil:
		return invalid("IncrementalExportSpecification is required for an export of type INCREMENTAL_EXPORT")
	case !in.incremental() && s != nil:
		return invalid("IncrementalExportSpecification is for exports of type INCREMENTAL_EXPORT alone")
	case in.incremental() && in.ExportTime != nil:
		return invalid("ExportTime is for exports of type FULL_EXPORT alone")
	case s != nil && s.ExportFromTime == nil:
		return invalid("ExportFromTime is required for an export of type INCREMENTAL_EXPORT")
	}
	return nil
}

func (in *ExportInput) incremental() bool { return is(in.ExportType, incrementalExport) }

func (in *ExportInput) format() string { return cmp.Or(text(in.ExportFormat), itemfile.JSON) }

// prefix is the part of the name before AWSDynamoDB, without a slash at its end.
func (in *ExportInput) prefix() string { return strings.TrimSuffix(text(in.S3Prefix), "/") }

// exported returns the table of an export and its history.
func (e *Engine) exported(in *ExportInput) (*Table, *history, error) {
	t, err := e.backupTable(in.TableArn)
	if err != nil {
		return nil, nil, err
	}
	h := t.history.Load()
	if h == nil {
		return nil, nil, &Error{Type: PointInTimeRecoveryUnavailableException, Message: "Point in time recovery is not enabled for table '" + t.name + "'"}
	}
	return t, h, nil
}

// span works out the times of an export.
func (x *export) span(t *Table, h *history, now time.Time) error {
	t.mu.Lock()
	earliest := now.AddDate(0, 0, -int(t.settings.recovery.days))
	t.mu.Unlock()
	if earliest.Before(h.since) {
		earliest = h.since.Truncate(time.Millisecond) // as requests have it
	}
	outside := func(at time.Time) bool { return at.Before(earliest) || at.After(now) }
	late := &Error{Type: InvalidExportTimeException, Message: "The specified ExportTime is outside of the point in time recovery window"}
	if !x.in.incremental() {
		x.at = now
		if x.in.ExportTime != nil {
			x.at = *x.in.ExportTime
		}
		if outside(x.at) {
			return late
		}
		return nil
	}
	s := x.in.IncrementalExportSpecification
	x.from, x.to = *s.ExportFromTime, now
	if s.ExportToTime != nil {
		x.to = *s.ExportToTime
	}
	if length := x.to.Sub(x.from); length < shortestSpan || length > longestSpan {
		return invalid("The time from ExportFromTime to ExportToTime must be from 15 minutes to 24 hours")
	}
	if outside(x.from) || outside(x.to) {
		return late
	}
	return nil
}

// export returns the export with an ARN, or nil. The caller holds mu.
func (ts *transfers) export(arn string) *export {
	for _, x := range ts.exports {
		if x.arn == arn {
			return x
		}
	}
	return nil
}

func (ts *transfers) running(now time.Time) (n int) {
	for _, x := range ts.exports {
		if now.Before(x.end) {
			n++
		}
	}
	return n
}

// ExportDescription describes an export in the form of the wire.
type ExportDescription struct {
	ExportArn                      string
	ExportStatus                   string
	StartTime                      *Timestamp
	EndTime                        *Timestamp `json:",omitempty"`
	ExportManifest                 string     `json:",omitempty"`
	TableArn                       string
	TableID                        string                    `json:"TableId"`
	ExportTime                     *Timestamp                `json:",omitempty"`
	ClientToken                    string                    `json:",omitempty"`
	S3Bucket                       string                    `json:",omitempty"`
	S3BucketOwner                  string                    `json:",omitempty"`
	S3Prefix                       string                    `json:",omitempty"`
	S3SseAlgorithm                 string                    `json:",omitempty"`
	S3SseKmsKeyID                  string                    `json:"S3SseKmsKeyId,omitempty"`
	FailureCode                    string                    `json:",omitempty"`
	FailureMessage                 string                    `json:",omitempty"`
	ExportFormat                   string                    `json:",omitempty"`
	BilledSizeBytes                *int64                    `json:",omitempty"`
	ItemCount                      *int64                    `json:",omitempty"`
	ExportType                     string                    `json:",omitempty"`
	IncrementalExportSpecification *incrementalSpecification `json:",omitempty"`
}

// incrementalSpecification is the time span of an incremental export in the form of the wire.
type incrementalSpecification struct {
	ExportFromTime, ExportToTime *Timestamp
	ExportViewType               string
}

func (x *export) viewType() string {
	return cmp.Or(text(x.in.IncrementalExportSpecification.ExportViewType), bothImages)
}

func (x *export) status() string {
	switch {
	case !x.ended:
		return statusInProgress
	case x.failure != nil:
		return statusFailed
	default:
		return statusCompleted
	}
}

// describe describes the export. The caller holds mu of the transfers.
func (x *export) describe() *ExportDescription {
	d := &ExportDescription{
		ExportArn: x.arn, ExportStatus: x.status(), StartTime: &Timestamp{x.start}, TableArn: x.tableARN, TableID: x.tableID,
		ExportTime: timestamp(x.at), ClientToken: text(x.in.ClientToken), S3Bucket: text(x.in.S3Bucket), S3BucketOwner: text(x.in.S3BucketOwner),
		S3Prefix: text(x.in.S3Prefix), S3SseAlgorithm: cmp.Or(text(x.in.S3SseAlgorithm), "AES256"), S3SseKmsKeyID: text(x.in.S3SseKmsKeyID),
		ExportFormat: x.in.format(), ExportType: cmp.Or(text(x.in.ExportType), fullExport),
	}
	if x.in.incremental() {
		d.IncrementalExportSpecification = &incrementalSpecification{timestamp(x.from), timestamp(x.to), x.viewType()}
	}
	switch d.ExportStatus {
	case statusFailed:
		d.EndTime, d.FailureCode, d.FailureMessage = timestamp(x.end), x.failure.code, x.failure.message
	case statusCompleted:
		d.EndTime, d.ExportManifest = timestamp(x.end), x.key("manifest-summary.json")
		d.BilledSizeBytes, d.ItemCount = &x.billed, &x.items
	}
	return d
}

// DescribeExport describes an export.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeExport.html
func (e *Engine) DescribeExport(_ context.Context, arn *string) (*ExportDescription, error) {
	if err := describedArn("exportArn", arn); err != nil {
		return nil, err
	}
	e.transfers.mu.Lock()
	defer e.transfers.mu.Unlock()
	now := e.clock.Now()
	x := e.transfers.export(*arn)
	if x == nil || now.Sub(x.end) >= transferLife {
		return nil, &Error{Type: ExportNotFoundException, Message: "Export not found: " + *arn}
	}
	x.complete(now)
	return x.describe(), nil
}

// ExportList is a page of exports in the form of the wire.
type ExportList struct {
	ExportSummaries []exportSummary
	NextToken       string `json:",omitempty"`
}

type exportSummary struct{ ExportArn, ExportStatus, ExportType string }

// ListExports lists the exports of the last 90 days, those of deleted tables left out, in the reverse order of their ARNs.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListExports.html
func (e *Engine) ListExports(_ context.Context, in *ListJobsInput) (*ExportList, error) {
	if err := in.constraints("maxResults"); err != nil {
		return nil, err
	}
	e.transfers.mu.Lock()
	defer e.transfers.mu.Unlock()
	now := e.clock.Now()
	var arns []string
	for _, x := range e.transfers.exports {
		if t := e.lookup(x.tableARN); t != nil && t.id == x.tableID && now.Sub(x.end) < transferLife && ofTable(x.arn, in.TableArn) {
			arns = append(arns, x.arn)
		}
	}
	page, next, err := in.page(slices.Clone(arns))
	if err != nil {
		return nil, err
	}
	out := &ExportList{ExportSummaries: []exportSummary{}, NextToken: next}
	for _, arn := range page {
		x := e.transfers.export(arn)
		x.complete(now)
		out.ExportSummaries = append(out.ExportSummaries, exportSummary{arn, x.status(), cmp.Or(text(x.in.ExportType), fullExport)})
	}
	return out, nil
}
