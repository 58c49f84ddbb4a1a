// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// once makes the client send each request once; otherwise it would wait and retry after a LimitExceededException.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// 300 exports may be in progress at a time; when they have ended, the next one may begin. An export to a bucket that does not exist writes no files, but is
// in progress for the state delay like any other.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-import-export
func TestConcurrentExportLimit(t *testing.T) {
	e, client, _ := withBucket(t, ddbtest.WithStateDelay(time.Minute))
	mustCreate(t, client, pairTable("orders"))
	e.Clock().Advance(time.Minute)
	enableRecovery(t, client, "orders", true)
	next := func() *dynamodb.ExportTableToPointInTimeInput {
		in := exportOf("arn:aws:dynamodb:us-east-1:000000000000:table/orders")
		in.S3Bucket = aws.String("elsewhere")
		return in
	}
	for range 300 {
		mustExport(t, client, next())
	}
	_, err := client.ExportTableToPointInTime(t.Context(), next(), once)
	wantError(t, err, "LimitExceededException", "Too many exports are in progress")
	e.Clock().Advance(time.Minute)
	mustExport(t, client, next())
}

// 50 imports may be in progress at a time; when they have ended, the next one may begin.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-import-export
func TestConcurrentImportLimit(t *testing.T) {
	e, client, bucket := withBucket(t, ddbtest.WithStateDelay(time.Minute))
	putObject(t, bucket, "a", "pk,sk\na,1\n", false)
	for i := range 50 {
		mustImport(t, client, importOf(fmt.Sprint("orders-", i), "CSV"))
	}
	_, err := client.ImportTable(t.Context(), importOf("orders", "CSV"), once)
	wantError(t, err, "LimitExceededException", "Too many imports are in progress")
	_, err = client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: orders not found")
	e.Clock().Advance(time.Minute)
	mustImport(t, client, importOf("orders", "CSV"))
}

// An import accepts 50,000 objects. With one more it fails, and creates no table.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-import-export
func TestImportObjectLimit(t *testing.T) {
	if !longtest.Enabled() {
		t.Skip("it creates 50,001 files; needs -long")
	}
	_, client, bucket := withBucket(t)
	for i := range 50_000 {
		if err := os.WriteFile(filepath.Join(bucket, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d := mustImport(t, client, importOf("orders", "CSV")); d.ImportStatus != "COMPLETED" {
		t.Errorf("with 50,000 objects: %s: %s", d.ImportStatus, aws.ToString(d.FailureMessage))
	}
	putObject(t, bucket, "more", "", false)
	d := mustImport(t, client, importOf("others", "CSV"))
	if d.ImportStatus != "FAILED" || aws.ToString(d.FailureMessage) != "the source has 50001 objects; an import takes at most 50000" {
		t.Errorf("with 50,001 objects: %s: %s", d.ImportStatus, aws.ToString(d.FailureMessage))
	}
	_, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("others")})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: others not found")
}
