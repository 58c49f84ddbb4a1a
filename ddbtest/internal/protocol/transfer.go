// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

var incrementalStructure = structure[engine.IncrementalExportSpecification]{
	{"ExportFromTime", func(r *reader, to *engine.IncrementalExportSpecification) { to.ExportFromTime = r.time() }},
	{"ExportToTime", func(r *reader, to *engine.IncrementalExportSpecification) { to.ExportToTime = r.time() }},
	{"ExportViewType", func(r *reader, to *engine.IncrementalExportSpecification) { to.ExportViewType = r.str() }},
}

var exportStructure = structure[engine.ExportInput]{
	{"TableArn", func(r *reader, in *engine.ExportInput) { in.TableArn = r.str() }},
	{"ClientToken", func(r *reader, in *engine.ExportInput) { in.ClientToken = r.str() }},
	{"ExportFormat", func(r *reader, in *engine.ExportInput) { in.ExportFormat = r.str() }},
	{"ExportTime", func(r *reader, in *engine.ExportInput) { in.ExportTime = r.time() }},
	{"ExportType", func(r *reader, in *engine.ExportInput) { in.ExportType = r.str() }},
	{"IncrementalExportSpecification", func(r *reader, in *engine.ExportInput) {
		in.IncrementalExportSpecification = readPointer(r, incrementalStructure)
	}},
	{"FilterSpecification", func(r *reader, in *engine.ExportInput) { in.Filtered = string(r.raw()) != "null" }},
	{"S3Bucket", func(r *reader, in *engine.ExportInput) { in.S3Bucket = r.str() }},
	{"S3BucketOwner", func(r *reader, in *engine.ExportInput) { in.S3BucketOwner = r.str() }},
	{"S3Prefix", func(r *reader, in *engine.ExportInput) { in.S3Prefix = r.str() }},
	{"S3SseAlgorithm", func(r *reader, in *engine.ExportInput) { in.S3SseAlgorithm = r.str() }},
	{"S3SseKmsKeyId", func(r *reader, in *engine.ExportInput) { in.S3SseKmsKeyID = r.str() }},
}

func exportTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ExportInput
	if err := readInput(r, exportStructure, &in); err != nil {
		return nil, err
	}
	return named("ExportDescription")(e.ExportTableToPointInTime(ctx, &in))
}

// arnInput holds the only parameter of operations that describe an export or an import.
type arnInput struct{ arn *string }

func describeExport(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in arnInput
	if err := readInput(r, structure[arnInput]{{"ExportArn", func(r *reader, in *arnInput) { in.arn = r.str() }}}, &in); err != nil {
		return nil, err
	}
	return named("ExportDescription")(e.DescribeExport(ctx, in.arn))
}

func describeImport(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in arnInput
	if err := readInput(r, structure[arnInput]{{"ImportArn", func(r *reader, in *arnInput) { in.arn = r.str() }}}, &in); err != nil {
		return nil, err
	}
	return named("ImportTableDescription")(e.DescribeImport(ctx, in.arn))
}

var sourceStructure = structure[engine.S3BucketSource]{
	{"S3Bucket", func(r *reader, to *engine.S3BucketSource) { to.S3Bucket = r.str() }},
	{"S3BucketOwner", func(r *reader, to *engine.S3BucketSource) { to.S3BucketOwner = r.str() }},
	{"S3KeyPrefix", func(r *reader, to *engine.S3BucketSource) { to.S3KeyPrefix = r.str() }},
}

var csvStructure = structure[engine.CsvOptions]{
	{"Delimiter", func(r *reader, to *engine.CsvOptions) { to.Delimiter = r.str() }},
	{"HeaderList", func(r *reader, to *engine.CsvOptions) { to.HeaderList = r.strs() }},
}

var formatStructure = structure[engine.InputFormatOptions]{
	{"Csv", func(r *reader, to *engine.InputFormatOptions) { to.CSV = readPointer(r, csvStructure) }},
}

var importStructure = structure[engine.ImportInput]{
	{"ClientToken", func(r *reader, in *engine.ImportInput) { in.ClientToken = r.str() }},
	{"InputCompressionType", func(r *reader, in *engine.ImportInput) { in.InputCompressionType = r.str() }},
	{"InputFormat", func(r *reader, in *engine.ImportInput) { in.InputFormat = r.str() }},
	{"InputFormatOptions", func(r *reader, in *engine.ImportInput) { in.InputFormatOptions = readPointer(r, formatStructure) }},
	{"S3BucketSource", func(r *reader, in *engine.ImportInput) { in.S3BucketSource = readPointer(r, sourceStructure) }},
	{"TableCreationParameters", func(r *reader, in *engine.ImportInput) { in.TableCreationParameters = r.creationParameters() }},
}

// creationParameters reads the table of an import, whose parameters are some of CreateTable's; nil for null.
func (r *reader) creationParameters() *engine.TableCreationParameters {
	if r.err != nil || r.null() {
		return nil
	}
	start := r.pos
	p := new(engine.TableCreationParameters)
	createTableStructure.read(r, &p.Table)
	if r.err != nil {
		return nil
	}
	if p.Text = bytes.Clone(r.data[start:r.pos]); !json.Valid(p.Text) { // inside of members that are not known
		r.fail(malformed())
		return nil
	}
	return p
}

func importTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ImportInput
	if err := readInput(r, importStructure, &in); err != nil {
		return nil, err
	}
	return named("ImportTableDescription")(e.ImportTable(ctx, &in))
}

var listJobsStructure = structure[engine.ListJobsInput]{
	{"TableArn", func(r *reader, in *engine.ListJobsInput) { in.TableArn = r.str() }},
	{"NextToken", func(r *reader, in *engine.ListJobsInput) { in.NextToken = r.str() }},
	{"MaxResults", func(r *reader, in *engine.ListJobsInput) { in.MaxResults = r.integer("Integer") }},
	{"PageSize", func(r *reader, in *engine.ListJobsInput) { in.MaxResults = r.integer("Integer") }},
}

func listExports(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ListJobsInput
	if err := readInput(r, listJobsStructure, &in); err != nil {
		return nil, err
	}
	return result(e.ListExports(ctx, &in))
}

func listImports(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ListJobsInput
	if err := readInput(r, listJobsStructure, &in); err != nil {
		return nil, err
	}
	return result(e.ListImports(ctx, &in))
}

// time reads seconds since 1970 to the millisecond, or nil for null.
func (r *reader) time() *time.Time {
	if r.err != nil || r.null() {
		return nil
	}
	if c := r.peek(); c != '-' && (c < '0' || c > '9') {
		r.fail(r.notScalar("Date"))
		return nil
	}
	seconds, err := strconv.ParseFloat(string(r.number()), 64)
	const latest = 253402300799 // the year 9999
	if err != nil || math.Abs(seconds) > latest {
		r.fail(malformed())
		return nil
	}
	at := time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	return &at
}
