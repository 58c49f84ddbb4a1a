// SPDX-License-Identifier: Apache-2.0

package dump_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

// exporting is an engine with a bucket "archive", which is a folder.
func exporting(t testing.TB, opts ...ddbtest.Option) (e *ddbtest.Engine, client *dynamodb.Client, bucket string) {
	t.Helper()
	dir := t.TempDir()
	bucket = filepath.Join(dir, "archive")
	noError(t, os.Mkdir(bucket, 0o755))
	e = ddbtest.NewEngine(append(opts, ddbtest.WithBuckets(dir))...)
	t.Cleanup(e.Close)
	return e, e.Client(), bucket
}

// tableExport exports a table with DynamoDB's own export, and opens the result.
func tableExport(t testing.TB, client *dynamodb.Client, bucket string, in *dynamodb.ExportTableToPointInTimeInput) *dump.Source {
	t.Helper()
	in.S3Bucket = aws.String("archive")
	in.TableArn = aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/orders")
	out, err := client.ExportTableToPointInTime(t.Context(), in)
	noError(t, err)
	arn := *out.ExportDescription.ExportArn
	src, err := dump.Open(t.Context(), dump.Dir(filepath.Join(bucket, aws.ToString(in.S3Prefix))), arn[strings.LastIndexByte(arn, '/')+1:])
	noError(t, err)
	noError(t, dump.Verify(t.Context(), src))
	return src
}

func recover35Days(t testing.TB, client *dynamodb.Client, name string) {
	t.Helper()
	_, err := client.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
		TableName: &name, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	})
	noError(t, err)
}

// A table exported by the engine is read with all its values: as raw items, into structs and into another table.
func TestReadsTableExport(t *testing.T) {
	type order struct {
		P string  `dynamodbav:"p"`
		Q int     `dynamodbav:"q"`
		V int     `dynamodbav:"v"`
		S string  `dynamodbav:"s"`
		B []byte  `dynamodbav:"b"`
		L []any   `dynamodbav:"l"`
		N string  `dynamodbav:"-"`
		X float64 `dynamodbav:"-"`
	}
	for _, format := range []types.ExportFormat{types.ExportFormatDynamodbJson, types.ExportFormatIon} {
		for _, prefix := range []string{"", "backups/daily"} {
			t.Run(string(format)+" "+prefix, func(t *testing.T) {
				_, client, bucket := exporting(t)
				table := newTable(t, client, "orders")
				fill(t, table, 50)
				recover35Days(t, client, "orders")
				in := &dynamodb.ExportTableToPointInTimeInput{ExportFormat: format}
				if prefix != "" {
					in.S3Prefix = &prefix
				}
				src := tableExport(t, client, bucket, in)
				if src.Items() != 50 || src.Files() != 4 || src.Incremental() || src.Table() != *in.TableArn {
					t.Errorf("%d items in %d files of %s", src.Items(), src.Files(), src.Table())
				}
				n := 0
				for o, err := range dump.Items[order](t.Context(), src) {
					noError(t, err)
					if n++; o.V != 1 || o.S != "\"\\\u0001\u2028 é 😀 <&>\n" || string(o.B) != "\x00\x01\xff" || len(o.L) != 2 {
						t.Errorf("an item is %+v", o)
					}
				}
				if n != 50 {
					t.Errorf("%d items", n)
				}
				for d, err := range dump.Compare(t.Context(), dump.Items[rawitem.Item](t.Context(), src), table) {
					t.Errorf("the export differs: %v, %v", d.Kind, err)
				}
				copied := newTable(t, client, "copied")
				if _, err := dump.Import(t.Context(), src, copied); err != nil {
					t.Error(err)
				}
				if !slices.Equal(contents(t, table), contents(t, copied)) {
					t.Error("the tables differ")
				}
			})
		}
	}
}

// A full export and the incremental ones after it together give the same table.
func TestReadsIncrementalExports(t *testing.T) {
	for _, format := range []types.ExportFormat{types.ExportFormatDynamodbJson, types.ExportFormatIon} {
		for _, view := range []types.ExportViewType{types.ExportViewTypeNewImage, types.ExportViewTypeNewAndOldImages} {
			t.Run(string(format)+" "+string(view), func(t *testing.T) {
				start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
				e, client, bucket := exporting(t, ddbtest.WithVirtualClock(start))
				table := newTable(t, client, "orders")
				recover35Days(t, client, "orders")
				fill(t, table, 20)
				e.Clock().Advance(time.Second)
				from := e.Clock().Now()
				sources := []*dump.Source{tableExport(t, client, bucket, &dynamodb.ExportTableToPointInTimeInput{ExportFormat: format})}
				for round := range 3 {
					e.Clock().Advance(20 * time.Minute)
					changed, kept := itemOf(t, round, 2+round), itemOf(t, 30+round, 1)
					noError(t, table.Put(t.Context(), &changed))
					noError(t, table.Put(t.Context(), &kept))
					gone := item(t, `{"p":{"S":"p0"},"q":{"N":"`+[]string{"7", "14", "0"}[round]+`"}}`)
					noError(t, table.DeleteKey(t.Context(), table.KeyOf(&gone)))
					e.Clock().Advance(time.Second)
					to := e.Clock().Now()
					sources = append(sources, tableExport(t, client, bucket, &dynamodb.ExportTableToPointInTimeInput{
						ExportFormat: format, ExportType: types.ExportTypeIncrementalExport,
						IncrementalExportSpecification: &types.IncrementalExportSpecification{ExportFromTime: &from, ExportToTime: &to, ExportViewType: view},
					}))
					from = to
				}
				noError(t, dump.Chain(sources[1:]...))
				copied := newTable(t, client, "copied")
				for i, src := range sources {
					if src.Incremental() != (i > 0) || i > 0 && src.Items() != 3 {
						t.Errorf("source %d has %d items", i, src.Items())
					}
					if _, err := dump.Import(t.Context(), src, copied); err != nil {
						t.Error(err)
					}
				}
				if !slices.Equal(contents(t, table), contents(t, copied)) {
					t.Error("the tables differ")
				}
				for r, err := range dump.Records(t.Context(), sources[1]) {
					noError(t, err)
					if want := view == types.ExportViewTypeNewAndOldImages && !strings.Contains(string(r.Keys.JSON()), `"p2"`); r.Old.Has("p") != want || !r.Written.Equal(start.Add(20*time.Minute+time.Second)) {
						t.Errorf("%s: there is an old item: %t, want %t, written %s", view, r.Old.Has("p"), want, r.Written)
					}
				}
			})
		}
	}
}

// ImportTable accepts the files that Export writes.
func TestImportTableTakesExport(t *testing.T) {
	_, client, bucket := exporting(t, ddbtest.WithImportErrors(func(e ddbtest.ImportError) { t.Error(e) }))
	table := newTable(t, client, "orders")
	fill(t, table, 60)
	_, err := dump.Export(t.Context(), table, dump.Dir(bucket), dump.Name("x"), dump.Segments(3), dump.Workers(2))
	noError(t, err)
	out, err := client.ImportTable(t.Context(), &dynamodb.ImportTableInput{
		InputFormat: types.InputFormatDynamodbJson, InputCompressionType: types.InputCompressionTypeGzip,
		S3BucketSource: &types.S3BucketSource{S3Bucket: aws.String("archive"), S3KeyPrefix: aws.String("AWSDynamoDB/x/data/")},
		TableCreationParameters: &types.TableCreationParameters{
			TableName: aws.String("taken"), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("p"), AttributeType: "S"}, {AttributeName: aws.String("q"), AttributeType: "N"}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("p"), KeyType: "HASH"}, {AttributeName: aws.String("q"), KeyType: "RANGE"}},
		},
	})
	noError(t, err)
	d, err := client.DescribeImport(t.Context(), &dynamodb.DescribeImportInput{ImportArn: out.ImportTableDescription.ImportArn})
	noError(t, err)
	if d := d.ImportTableDescription; d.ImportStatus != types.ImportStatusCompleted || d.ImportedItemCount != 60 || d.ErrorCount != 0 {
		t.Errorf("%s: %d items, %d errors", d.ImportStatus, d.ImportedItemCount, d.ErrorCount)
	}
	taken, err := rawtable.Open(t.Context(), client, "taken")
	noError(t, err)
	if !slices.Equal(contents(t, table), contents(t, taken)) {
		t.Error("the tables differ")
	}
}
