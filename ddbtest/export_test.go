// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

var exportStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// withBucket returns an engine with a stopped clock, and its bucket "archive".
func withBucket(t testing.TB, opts ...ddbtest.Option) (*ddbtest.Engine, *dynamodb.Client, string) {
	t.Helper()
	dir := t.TempDir()
	bucket := filepath.Join(dir, "archive")
	if err := os.Mkdir(bucket, 0o755); err != nil {
		t.Fatal(err)
	}
	e := ddbtest.NewEngine(append([]ddbtest.Option{ddbtest.WithVirtualClock(exportStart), ddbtest.WithBuckets(dir)}, opts...)...)
	t.Cleanup(e.Close)
	return e, e.Client(), bucket
}

// recoverable creates a table with point-in-time recovery.
func recoverable(t testing.TB, client *dynamodb.Client, name string) (arn string) {
	t.Helper()
	mustCreate(t, client, pairTable(name))
	enableRecovery(t, client, name, true)
	return "arn:aws:dynamodb:us-east-1:000000000000:table/" + name
}

func enableRecovery(t rapid.TB, client *dynamodb.Client, name string, enabled bool) {
	t.Helper()
	_, err := client.UpdateContinuousBackups(context.Background(), &dynamodb.UpdateContinuousBackupsInput{
		TableName: &name, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: &enabled},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func exportOf(arn string) *dynamodb.ExportTableToPointInTimeInput {
	return &dynamodb.ExportTableToPointInTimeInput{TableArn: &arn, S3Bucket: aws.String("archive")}
}

// mustExport exports a table and returns the description of the completed export.
func mustExport(t rapid.TB, client *dynamodb.Client, in *dynamodb.ExportTableToPointInTimeInput) *types.ExportDescription {
	t.Helper()
	out, err := client.ExportTableToPointInTime(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.ExportDescription.ExportStatus; got != types.ExportStatusInProgress {
		t.Errorf("the reply says %s", got)
	}
	d, err := client.DescribeExport(context.Background(), &dynamodb.DescribeExportInput{ExportArn: out.ExportDescription.ExportArn})
	if err != nil {
		t.Fatal(err)
	}
	return d.ExportDescription
}

// filesOf are the paths of the files in a folder.
func filesOf(t rapid.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, err = filepath.Rel(dir, name)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func readFile(t rapid.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func sumOf(data []byte) string {
	sum := md5.Sum(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// exportedLines reads an export by its manifests, with all checksums and counts, and returns its lines in order.
func exportedLines(t rapid.TB, bucket string, d *types.ExportDescription) (lines []string) {
	t.Helper()
	dir := filepath.Join(bucket, filepath.Dir(*d.ExportManifest))
	for _, name := range []string{"manifest-summary", "manifest-files"} {
		if got, want := string(readFile(t, filepath.Join(dir, name+".md5"))), sumOf(readFile(t, filepath.Join(dir, name+".json"))); got != want {
			t.Errorf("%s.md5 has %s, want %s", name, got, want)
		}
	}
	items := 0
	list := json.NewDecoder(bytes.NewReader(readFile(t, filepath.Join(dir, "manifest-files.json"))))
	for list.More() {
		var f struct {
			ItemCount                        int
			MD5Checksum, ETag, DataFileS3Key string
		}
		if err := list.Decode(&f); err != nil {
			t.Fatal(err)
		}
		data := readFile(t, filepath.Join(bucket, f.DataFileS3Key))
		if f.MD5Checksum != sumOf(data) || !strings.HasSuffix(f.ETag, "-1") {
			t.Errorf("the manifest has checksum %s and ETag %s", f.MD5Checksum, f.ETag)
		}
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n != f.ItemCount {
			t.Errorf("%d lines in a file of %d items", n, f.ItemCount)
		}
		items += f.ItemCount
		lines = append(lines, strings.Fields(string(text))...)
	}
	if int64(items) != *d.ItemCount {
		t.Errorf("the files have %d items, the description %d", items, *d.ItemCount)
	}
	slices.Sort(lines)
	return lines
}

// An export has the files, manifests and members that the service documents.
func TestExportLayout(t *testing.T) {
	e, client, bucket := withBucket(t)
	arn := recoverable(t, client, "orders")
	for i := range 40 {
		mustPut(t, client, "orders", item{"pk": str(strconv.Itoa(i)), "sk": str("a"), "n": num("600")})
	}
	e.Clock().Advance(time.Minute)
	in := exportOf(arn)
	in.S3Prefix, in.S3BucketOwner = aws.String("daily/"), aws.String("000000000000")
	d := mustExport(t, client, in)
	id := (*d.ExportArn)[strings.LastIndexByte(*d.ExportArn, '/')+1:]
	at := exportStart.Add(time.Minute)
	if want := fmt.Sprintf("%014d-", at.UnixMilli()); !strings.HasPrefix(id, want) || *d.ExportArn != arn+"/export/"+id {
		t.Errorf("the export is %s", *d.ExportArn)
	}
	table, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	want := &types.ExportDescription{
		ExportArn: d.ExportArn, ExportStatus: "COMPLETED", ExportFormat: "DYNAMODB_JSON", ExportType: "FULL_EXPORT", ExportManifest: aws.String("daily/AWSDynamoDB/" + id + "/manifest-summary.json"),
		StartTime: &at, EndTime: &at, ExportTime: &at, ItemCount: aws.Int64(40), BilledSizeBytes: table.Table.TableSizeBytes,
		TableArn: &arn, TableId: table.Table.TableId, S3Bucket: in.S3Bucket, S3Prefix: in.S3Prefix, S3BucketOwner: in.S3BucketOwner, S3SseAlgorithm: "AES256", ClientToken: d.ClientToken,
	}
	if diff := cmp.Diff(want, d, cmpopts.IgnoreUnexported(types.ExportDescription{})); diff != "" {
		t.Error(diff)
	}
	if n := len(exportedLines(t, bucket, d)); n != 40 {
		t.Errorf("%d lines", n)
	}
	var names []string
	for _, name := range filesOf(t, bucket) {
		rest, ok := strings.CutPrefix(name, "daily/AWSDynamoDB/"+id+"/")
		if !ok {
			t.Errorf("there is a file %s", name)
		}
		if data, ok := strings.CutPrefix(rest, "data/"); ok && strings.HasSuffix(data, ".json.gz") {
			rest = "data/*.json.gz"
		}
		names = append(names, rest)
	}
	if diff := cmp.Diff([]string{"_started", "data/*.json.gz", "data/*.json.gz", "data/*.json.gz", "data/*.json.gz", "manifest-files.json", "manifest-files.md5", "manifest-summary.json", "manifest-summary.md5"}, names); diff != "" {
		t.Error(diff)
	}
	var summary map[string]any
	if err := json.Unmarshal(readFile(t, filepath.Join(bucket, *d.ExportManifest)), &summary); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{
		"version": "2020-06-30", "exportArn": *d.ExportArn, "startTime": "2026-03-01T12:01:00.000Z", "endTime": "2026-03-01T12:01:00.000Z", "exportTime": "2026-03-01T12:01:00.000Z",
		"tableArn": arn, "tableId": *d.TableId, "s3Bucket": "archive", "s3Prefix": "daily/", "s3SseAlgorithm": "AES256", "s3SseKmsKeyId": nil,
		"manifestFilesS3Key": "daily/AWSDynamoDB/" + id + "/manifest-files.json", "billedSizeBytes": float64(*d.BilledSizeBytes), "itemCount": 40.0,
		"outputFormat": "DYNAMODB_JSON", "exportType": "FULL_EXPORT",
	}, summary); diff != "" {
		t.Error(diff)
	}
}

// A full export has the table as it was at its time, and an incremental one the changes in its time span, whatever was written since.
func TestExportHistory(t *testing.T) {
	longtest.Checks(t, 15)
	root, run := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		dir := filepath.Join(root, fmt.Sprint(run))
		bucket := filepath.Join(dir, "archive")
		if err := os.MkdirAll(bucket, 0o755); err != nil {
			t.Fatal(err)
		}
		e := ddbtest.NewEngine(ddbtest.WithVirtualClock(exportStart), ddbtest.WithBuckets(dir))
		defer e.Close()
		client := e.Client()
		name := aws.String("orders")
		if _, err := client.CreateTable(t.Context(), pairTable(*name)); err != nil {
			t.Fatal(err)
		}
		// state[m] is the table at the end of minute m, written[k][m] whether k was written in it.
		const minutes = 40
		var states [minutes]map[string]string
		written := map[string][]int{}
		current := map[string]string{}
		for m := range minutes {
			if m == 1 {
				enableRecovery(t, client, *name, true)
			}
			for range rapid.IntRange(0, 3).Draw(t, "writes") {
				k := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key")
				id := item{"pk": str(k), "sk": str("x")}
				_, there := current[k]
				if !there && rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
					continue // nothing to delete
				}
				var err error
				if there && rapid.Bool().Draw(t, "delete it") {
					_, err = client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: name, Key: id})
					delete(current, k)
				} else {
					current[k] = fmt.Sprintf("%d.%d", m, len(written[k]))
					id["v"] = str(current[k])
					_, err = client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: id})
				}
				if err != nil {
					t.Fatal(err)
				}
				written[k] = append(written[k], m)
			}
			states[m] = maps.Clone(current)
			e.Clock().Advance(time.Minute)
		}
		image := func(k, v string) string { return fmt.Sprintf(`{"pk":{"S":"%s"},"sk":{"S":"x"},"v":{"S":"%s"}}`, k, v) }
		arn := "arn:aws:dynamodb:us-east-1:000000000000:table/orders"

		at := rapid.IntRange(1, minutes-1).Draw(t, "at")
		in := exportOf(arn)
		in.ExportTime = aws.Time(exportStart.Add(time.Duration(at)*time.Minute + time.Duration(rapid.IntRange(0, 59).Draw(t, "seconds"))*time.Second))
		want := []string{}
		for _, k := range slices.Sorted(maps.Keys(states[at])) {
			want = append(want, `{"Item":`+image(k, states[at][k])+`}`)
		}
		if diff := cmp.Diff(want, append([]string{}, exportedLines(t, bucket, mustExport(t, client, in))...)); diff != "" {
			t.Fatalf("full export of minute %d: %s", at, diff)
		}

		from := rapid.IntRange(1, minutes-16).Draw(t, "from")
		to := rapid.IntRange(from+15, minutes).Draw(t, "to")
		both := rapid.Bool().Draw(t, "both")
		in = exportOf(arn)
		in.ExportType = types.ExportTypeIncrementalExport
		in.IncrementalExportSpecification = &types.IncrementalExportSpecification{
			ExportFromTime: aws.Time(exportStart.Add(time.Duration(from) * time.Minute)), ExportToTime: aws.Time(exportStart.Add(time.Duration(to) * time.Minute)),
		}
		if !both {
			in.IncrementalExportSpecification.ExportViewType = types.ExportViewTypeNewImage
		}
		want = []string{}
		for k, when := range written {
			when = slices.DeleteFunc(slices.Clone(when), func(m int) bool { return m < from || m >= to })
			before, had := states[from-1][k]
			after, has := states[to-1][k]
			if len(when) == 0 || !had && !has {
				continue
			}
			last := exportStart.Add(time.Duration(when[len(when)-1]) * time.Minute)
			line := fmt.Sprintf(`{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":{"pk":{"S":"%s"},"sk":{"S":"x"}}`, last.UnixMicro(), k)
			if had && both {
				line += `,"OldImage":` + image(k, before)
			}
			if has {
				line += `,"NewImage":` + image(k, after)
			}
			want = append(want, line+"}")
		}
		slices.Sort(want)
		d := mustExport(t, client, in)
		if diff := cmp.Diff(want, append([]string{}, exportedLines(t, bucket, d)...)); diff != "" {
			t.Fatalf("incremental export from %d to %d: %s", from, to, diff)
		}
		if *d.BilledSizeBytes != 10<<20 {
			t.Errorf("%d bytes are billed", *d.BilledSizeBytes)
		}
	})
}

// An export is consistent while others write: two items that are always written in one transaction have the same version.
func TestExportIsConsistent(t *testing.T) {
	_, client, bucket := withBucket(t)
	arn := recoverable(t, client, "orders")
	put := func(n int) error {
		var writes []types.TransactWriteItem
		for _, k := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			writes = append(writes, types.TransactWriteItem{Put: &types.Put{TableName: aws.String("orders"), Item: item{"pk": str(k), "sk": str("x"), "v": num(strconv.Itoa(n))}}})
		}
		_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: writes})
		return err
	}
	if err := put(0); err != nil {
		t.Fatal(err)
	}
	done, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for n := 1; err == nil; n++ {
			select {
			case <-done:
				failed <- nil
				return
			default:
				err = put(n)
			}
		}
		failed <- err
	}()
	for range 20 {
		versions := map[string]bool{}
		for _, line := range exportedLines(t, bucket, mustExport(t, client, exportOf(arn))) {
			_, version, _ := strings.Cut(line, `"v":`)
			versions[version] = true
		}
		if len(versions) != 1 {
			t.Errorf("an export has versions %v", versions)
		}
	}
	close(done)
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

func TestExportErrors(t *testing.T) {
	e, client, _ := withBucket(t)
	arn := recoverable(t, client, "orders")
	mustCreate(t, client, pairTable("plain"))
	e.Clock().Advance(time.Hour)
	span := func(from, to time.Duration) func(*dynamodb.ExportTableToPointInTimeInput) {
		return func(in *dynamodb.ExportTableToPointInTimeInput) {
			in.ExportType = types.ExportTypeIncrementalExport
			in.IncrementalExportSpecification = &types.IncrementalExportSpecification{ExportFromTime: aws.Time(exportStart.Add(from)), ExportToTime: aws.Time(exportStart.Add(to))}
		}
	}
	const (
		outside = "The specified ExportTime is outside of the point in time recovery window"
		length  = "The time from ExportFromTime to ExportToTime must be from 15 minutes to 24 hours"
	)
	for name, c := range map[string]struct {
		change        func(*dynamodb.ExportTableToPointInTimeInput)
		code, message string
	}{
		"no table": {func(in *dynamodb.ExportTableToPointInTimeInput) { *in.TableArn += "s" }, "TableNotFoundException", "Table not found: orderss"},
		"no recovery": {func(in *dynamodb.ExportTableToPointInTimeInput) {
			in.TableArn = aws.String(strings.Replace(arn, "orders", "plain", 1))
		}, "PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table 'plain'"},
		"too early": {func(in *dynamodb.ExportTableToPointInTimeInput) {
			in.ExportTime = aws.Time(exportStart.Add(-time.Second))
		}, "InvalidExportTimeException", outside},
		"future": {func(in *dynamodb.ExportTableToPointInTimeInput) {
			in.ExportTime = aws.Time(exportStart.Add(time.Hour + time.Second))
		}, "InvalidExportTimeException", outside},
		"span early":    {span(-time.Minute, 30*time.Minute), "InvalidExportTimeException", outside},
		"span future":   {span(50*time.Minute, 70*time.Minute), "InvalidExportTimeException", outside},
		"span short":    {span(0, 15*time.Minute-time.Second), "ValidationException", length},
		"span long":     {span(0, 24*time.Hour+time.Second), "ValidationException", length},
		"span reversed": {span(30*time.Minute, 0), "ValidationException", length},
		"no span":       {func(in *dynamodb.ExportTableToPointInTimeInput) { in.ExportType = "INCREMENTAL_EXPORT" }, "ValidationException", "IncrementalExportSpecification is required for an export of type INCREMENTAL_EXPORT"},
		"no beginning": {func(in *dynamodb.ExportTableToPointInTimeInput) {
			span(0, time.Hour)(in)
			in.IncrementalExportSpecification.ExportFromTime = nil
		}, "ValidationException", "ExportFromTime is required for an export of type INCREMENTAL_EXPORT"},
		"span of a full one": {func(in *dynamodb.ExportTableToPointInTimeInput) {
			span(0, time.Hour)(in)
			in.ExportType = "FULL_EXPORT"
		}, "ValidationException", "IncrementalExportSpecification is for exports of type INCREMENTAL_EXPORT alone"},
		"time of a span": {func(in *dynamodb.ExportTableToPointInTimeInput) { span(0, time.Hour)(in); in.ExportTime = &exportStart }, "ValidationException", "ExportTime is for exports of type FULL_EXPORT alone"},
		"filter": {func(in *dynamodb.ExportTableToPointInTimeInput) {
			in.FilterSpecification = &types.FilterSpecification{FilterExpression: aws.String("a = :a")}
		}, "ValidationException", "FilterSpecification is not supported by this engine"},
		"prefix": {func(in *dynamodb.ExportTableToPointInTimeInput) { in.S3Prefix = aws.String("../up") }, "ValidationException", "S3Prefix is no path below a folder: the buckets of this engine are folders"},
		"bucket": {func(in *dynamodb.ExportTableToPointInTimeInput) { in.S3Bucket = aws.String("../up") }, "ValidationException",
			`1 validation error detected: Value '../up' at 's3Bucket' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+`},
		"several": {func(in *dynamodb.ExportTableToPointInTimeInput) { in.ExportFormat, in.S3SseAlgorithm = "CSV", "ROT13" }, "ValidationException",
			"2 validation errors detected: Value 'CSV' at 'exportFormat' failed to satisfy constraint: Member must satisfy enum value set: [DYNAMODB_JSON, ION]; " +
				"Value 'ROT13' at 's3SseAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [AES256, KMS]"},
	} {
		t.Run(name, func(t *testing.T) {
			in := exportOf(arn)
			c.change(in)
			_, err := client.ExportTableToPointInTime(t.Context(), in)
			wantError(t, err, c.code, c.message)
		})
	}
	_, err := client.DescribeExport(t.Context(), &dynamodb.DescribeExportInput{ExportArn: aws.String(arn + "/export/01")})
	wantError(t, err, "ExportNotFoundException", "Export not found: "+arn+"/export/01")
	_, err = ddbtest.New(t).ExportTableToPointInTime(t.Context(), exportOf(arn))
	wantError(t, err, "ValidationException", "ExportTableToPointInTime needs a bucket, and this engine has none: make it with ddbtest.WithBuckets, or start ddblocal with -buckets")
}

// A request with a known token starts no further export for 8 hours.
func TestExportToken(t *testing.T) {
	e, client, bucket := withBucket(t)
	arn := recoverable(t, client, "orders")
	in := exportOf(arn)
	in.ClientToken = aws.String("once")
	first := mustExport(t, client, in)
	e.Clock().Advance(8*time.Hour - time.Second)
	again, err := client.ExportTableToPointInTime(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.ExportArn, again.ExportDescription.ExportArn); diff != "" {
		t.Error(diff)
	}
	if again.ExportDescription.ExportStatus != "COMPLETED" || len(filesOf(t, bucket)) != 9 {
		t.Errorf("%s, %d files", again.ExportDescription.ExportStatus, len(filesOf(t, bucket)))
	}
	other := exportOf(arn)
	other.ClientToken, other.ExportFormat = in.ClientToken, "ION"
	_, err = client.ExportTableToPointInTime(t.Context(), other)
	wantError(t, err, "ExportConflictException", "The client token was used for a request with other parameters")
	e.Clock().Advance(time.Second)
	if next := mustExport(t, client, other); *next.ExportArn == *first.ExportArn {
		t.Error("the token is known after 8 hours")
	}
}

// An export is in progress for the state delay, and has no manifests until it is completed.
func TestExportInProgress(t *testing.T) {
	e, client, bucket := withBucket(t, ddbtest.WithStateDelay(10*time.Minute))
	mustCreate(t, client, pairTable("orders"))
	e.Clock().Advance(10 * time.Minute)
	enableRecovery(t, client, "orders", true)
	mustPut(t, client, "orders", item{"pk": str("a"), "sk": str("a")})
	d := mustExport(t, client, exportOf("arn:aws:dynamodb:us-east-1:000000000000:table/orders"))
	mustPut(t, client, "orders", item{"pk": str("b"), "sk": str("a")})
	if d.ExportStatus != "IN_PROGRESS" || d.EndTime != nil || d.ItemCount != nil || d.ExportManifest != nil {
		t.Errorf("%+v", d)
	}
	if names := strings.Join(filesOf(t, bucket), " "); strings.Contains(names, "manifest") || !strings.Contains(names, "_started") {
		t.Errorf("there are %s", names)
	}
	e.Clock().Advance(10 * time.Minute)
	if names := strings.Join(filesOf(t, bucket), " "); strings.Count(names, "manifest") != 4 {
		t.Errorf("there are %s", names)
	}
	out, err := client.DescribeExport(t.Context(), &dynamodb.DescribeExportInput{ExportArn: d.ExportArn})
	if err != nil {
		t.Fatal(err)
	}
	d = out.ExportDescription
	if d.ExportStatus != "COMPLETED" || *d.ItemCount != 1 || !d.EndTime.Equal(exportStart.Add(20*time.Minute)) {
		t.Errorf("%+v", d)
	}
	exportedLines(t, bucket, d)
}

// An export to a missing bucket fails, and so does one to a folder that cannot be written.
func TestExportFails(t *testing.T) {
	_, client, bucket := withBucket(t)
	arn := recoverable(t, client, "orders")
	in := exportOf(arn)
	in.S3Bucket = aws.String("elsewhere")
	d := mustExport(t, client, in)
	if d.ExportStatus != "FAILED" || *d.FailureCode != "S3NoSuchBucket" || *d.FailureMessage != "The specified bucket does not exist" || d.ExportManifest != nil {
		t.Errorf("%s: %v", d.ExportStatus, aws.ToString(d.FailureCode))
	}
	if err := os.WriteFile(filepath.Join(bucket, "AWSDynamoDB"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if d = mustExport(t, client, exportOf(arn)); d.ExportStatus != "FAILED" || *d.FailureCode != "InternalServerError" {
		t.Errorf("%s: %v", d.ExportStatus, aws.ToString(d.FailureCode))
	}
}

// In Ion text $1 is a symbol ID, and null, true, false and nan are keywords. As names of attributes they are quoted, and so are names
// with other characters.
//
// https://amazon-ion.github.io/ion-docs/docs/symbols.html
func TestExportQuotesIonNames(t *testing.T) {
	_, client, bucket := withBucket(t)
	arn := recoverable(t, client, "orders")
	nested := &types.AttributeValueMemberM{Value: item{"$10": num("1")}}
	mustPut(t, client, "orders", item{
		"pk": str("a"), "sk": str("b"), "$1": str("id"), "$": str("dollar"), "$x1": str("name"), "_1": str("name"), "1": str("digit"),
		"null": str("keyword"), "nan": str("keyword"), "true": str("keyword"), "nulls": str("name"), "a-b": str("hyphen"), "it's": nested,
	})
	in := exportOf(arn)
	in.ExportFormat = "ION"
	d := mustExport(t, client, in)
	want := `{Item:{'$':"dollar",'$1':"id",$x1:"name",'1':"digit",_1:"name",'a-b':"hyphen",'it\'s':{'$10':1.},` +
		`'nan':"keyword",'null':"keyword",nulls:"name",pk:"a",sk:"b",'true':"keyword"}}`
	if diff := cmp.Diff([]string{"$ion_1_0", want}, exportedLines(t, bucket, d)); diff != "" {
		t.Error(diff)
	}
}

func TestListExports(t *testing.T) {
	e, client, _ := withBucket(t)
	orders, gone := recoverable(t, client, "orders"), recoverable(t, client, "gone")
	var arns []string
	for range 5 {
		arns = append(arns, *mustExport(t, client, exportOf(orders)).ExportArn)
		e.Clock().Advance(time.Minute)
	}
	slices.Reverse(arns)
	mustExport(t, client, exportOf(gone))
	list := func(in *dynamodb.ListExportsInput) (got []string) {
		for pages := dynamodb.NewListExportsPaginator(client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if in.MaxResults != nil && len(page.ExportSummaries) > int(*in.MaxResults) {
				t.Errorf("a page of %d", len(page.ExportSummaries))
			}
			for _, s := range page.ExportSummaries {
				got = append(got, *s.ExportArn)
			}
		}
		return got
	}
	if got := list(&dynamodb.ListExportsInput{}); len(got) != 6 {
		t.Errorf("%d exports", len(got))
	}
	if _, err := client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("gone")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(arns, list(&dynamodb.ListExportsInput{MaxResults: aws.Int32(2)})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(arns, list(&dynamodb.ListExportsInput{TableArn: &orders})); diff != "" {
		t.Error(diff)
	}
	if got := list(&dynamodb.ListExportsInput{TableArn: aws.String(orders + "s")}); len(got) != 0 {
		t.Errorf("%d exports of another table", len(got))
	}
	_, err := client.ListExports(t.Context(), &dynamodb.ListExportsInput{NextToken: aws.String("?")})
	wantError(t, err, "ValidationException", "Invalid NextToken")
	e.Clock().Advance(90*24*time.Hour - 2*time.Minute)
	if diff := cmp.Diff(arns[:1], list(&dynamodb.ListExportsInput{})); diff != "" {
		t.Error(diff)
	}
	if _, err := client.DescribeExport(t.Context(), &dynamodb.DescribeExportInput{ExportArn: &arns[4]}); !errors.As(err, new(*types.ExportNotFoundException)) {
		t.Errorf("an old export: %v", err)
	}
}

// Exports of times that an engine has no history for are refused: before recovery was enabled again, more than 35 days ago, and before a folder was opened.
func TestExportWindow(t *testing.T) {
	e, client, _ := withBucket(t)
	arn := recoverable(t, client, "orders")
	try := func(e *dynamodb.Client, ago time.Duration, now time.Time) error {
		in := exportOf(arn)
		in.ExportTime = aws.Time(now.Add(-ago))
		_, err := e.ExportTableToPointInTime(t.Context(), in)
		return err
	}
	var late *types.InvalidExportTimeException
	e.Clock().Advance(40 * 24 * time.Hour)
	if err := try(client, 35*24*time.Hour, e.Clock().Now()); err != nil {
		t.Error(err)
	}
	if err := try(client, 35*24*time.Hour+time.Second, e.Clock().Now()); !errors.As(err, &late) {
		t.Errorf("35 days ago: %v", err)
	}
	enableRecovery(t, client, "orders", false)
	enableRecovery(t, client, "orders", true)
	e.Clock().Advance(time.Minute)
	if err := try(client, time.Minute, e.Clock().Now()); err != nil {
		t.Error(err)
	}
	if err := try(client, time.Minute+time.Second, e.Clock().Now()); !errors.As(err, &late) {
		t.Errorf("before recovery was enabled again: %v", err)
	}

	data, buckets := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(buckets, "archive"), 0o755); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		now := exportStart.Add(time.Duration(round) * time.Hour)
		e, err := ddbtest.OpenFolder(data, false, ddbtest.WithVirtualClock(now), ddbtest.WithBuckets(buckets))
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			recoverable(t, e.Client(), "orders")
			mustPut(t, e.Client(), "orders", item{"pk": str("a"), "sk": str("a")})
		} else {
			if err := try(e.Client(), 0, now); err != nil {
				t.Error(err)
			}
			if err := try(e.Client(), time.Second, now); !errors.As(err, &late) {
				t.Errorf("before the folder was opened: %v", err)
			}
		}
		e.Close()
	}
}
