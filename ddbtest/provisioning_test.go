// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

// The setting of point-in-time recovery is kept, also in a folder, and described as by the service.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-subresources.md)
func TestPointInTimeRecovery(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	dir := t.TempDir()
	open := func() (*ddbtest.Engine, *dynamodb.Client) {
		e, err := ddbtest.OpenFolder(dir, false, ddbtest.WithVirtualClock(start))
		if err != nil {
			t.Fatal(err)
		}
		return e, e.Client()
	}
	e, client := open()
	mustCreate(t, client, pairTable("things"))
	table := aws.String("things")
	describe := func() *types.ContinuousBackupsDescription {
		t.Helper()
		out, err := client.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: table})
		if err != nil {
			t.Fatal(err)
		}
		return out.ContinuousBackupsDescription
	}
	update := func(enabled bool, days *int32) (*types.ContinuousBackupsDescription, error) {
		out, err := client.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
			TableName: table,
			PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{
				PointInTimeRecoveryEnabled: &enabled, RecoveryPeriodInDays: days,
			},
		})
		if err != nil {
			return nil, err
		}
		return out.ContinuousBackupsDescription, nil
	}
	want := func(d *types.ContinuousBackupsDescription, days int32, earliest, latest time.Time) {
		t.Helper()
		r := d.PointInTimeRecoveryDescription
		if d.ContinuousBackupsStatus != "ENABLED" || (r.PointInTimeRecoveryStatus == "ENABLED") != (days > 0) ||
			aws.ToInt32(r.RecoveryPeriodInDays) != days || !aws.ToTime(r.EarliestRestorableDateTime).Equal(earliest) || !aws.ToTime(r.LatestRestorableDateTime).Equal(latest) {
			t.Errorf("got %s, %s, %d days from %v to %v, want %d days from %v to %v", d.ContinuousBackupsStatus, r.PointInTimeRecoveryStatus,
				aws.ToInt32(r.RecoveryPeriodInDays), r.EarliestRestorableDateTime, r.LatestRestorableDateTime, days, earliest, latest)
		}
	}
	must := func(d *types.ContinuousBackupsDescription, err error) *types.ContinuousBackupsDescription {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	never := time.Time{}
	want(describe(), 0, never, never)
	want(must(update(true, nil)), 35, start, start)
	e.Clock().Advance(time.Hour)
	want(describe(), 35, start, start.Add(55*time.Minute))
	want(must(update(true, aws.Int32(7))), 7, start, start.Add(55*time.Minute))
	e.Clock().Advance(10 * 24 * time.Hour)
	want(must(update(true, nil)), 7, start.Add(time.Hour+3*24*time.Hour), start.Add(55*time.Minute+10*24*time.Hour))

	e.Close()
	e, client = open() // its clock is at the start again, so both bounds are the time of the change
	want(describe(), 7, start, start)
	want(must(update(false, nil)), 0, never, never)
	e.Clock().Advance(time.Minute)
	want(must(update(true, nil)), 35, start.Add(time.Minute), start.Add(time.Minute))
	_, err := update(false, aws.Int32(3))
	wantError(t, err, "ValidationException", "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.")
	_, err = update(true, aws.Int32(36))
	wantError(t, err, "ValidationException", "1 validation error detected: Value '36' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: Member must have value less than or equal to 35")
	table = aws.String("missing")
	_, err = update(true, nil)
	wantError(t, err, "TableNotFoundException", "Table not found: missing")
	if got := raw(t, e, "UpdateContinuousBackups", `{"TableName":"things","PointInTimeRecoverySpecification":{}}`); !strings.Contains(got,
		"1 validation error detected: Value null at 'pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled' failed to satisfy constraint: Member must not be null") {
		t.Error(got)
	}
	e.Close()
}

// A table that is being created has no backups yet.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-116)
func TestPointInTimeRecoveryOfNewTable(t *testing.T) {
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Unix(1_700_000_000, 0)), ddbtest.WithStateDelay(time.Minute))
	defer e.Close()
	client := e.Client()
	mustCreate(t, client, pairTable("young"))
	_, err := client.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
		TableName:                        aws.String("young"),
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	})
	wantError(t, err, "ContinuousBackupsUnavailableException", "Backups are being enabled for the table: young. Please retry later")
	_, err = client.UpdateContributorInsights(t.Context(), &dynamodb.UpdateContributorInsightsInput{TableName: aws.String("young"), ContributorInsightsAction: "ENABLE"})
	wantError(t, err, "ValidationException", "Table or Index is not in a valid state to update Key Access Insights: TableStatus must be ACTIVE to enable ContributorInsights.")
}

// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-subresources.md)
func TestContributorInsights(t *testing.T) {
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Unix(1_700_000_000, 0)))
	defer e.Close()
	client, ctx := e.Client(), t.Context()
	in := pairTable("seen")
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
		IndexName:  aws.String("far"),
		KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("sk"), KeyType: types.KeyTypeHash}},
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
	}}
	in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: aws.String("near"), KeySchema: in.KeySchema, Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}
	mustCreate(t, client, in)
	mustCreate(t, client, pairTable("other"))
	describe := func(table string, index *string) (*dynamodb.DescribeContributorInsightsOutput, error) {
		return client.DescribeContributorInsights(ctx, &dynamodb.DescribeContributorInsightsInput{TableName: &table, IndexName: index})
	}
	update := func(table string, index *string, action types.ContributorInsightsAction, mode types.ContributorInsightsMode) types.ContributorInsightsStatus {
		t.Helper()
		out, err := client.UpdateContributorInsights(ctx, &dynamodb.UpdateContributorInsightsInput{
			TableName: &table, IndexName: index, ContributorInsightsAction: action, ContributorInsightsMode: mode,
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.ContributorInsightsStatus
	}
	listed := func(in *dynamodb.ListContributorInsightsInput) string {
		t.Helper()
		var names []string
		p := dynamodb.NewListContributorInsightsPaginator(client, in)
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range out.ContributorInsightsSummaries {
				names = append(names, aws.ToString(s.TableName)+"/"+aws.ToString(s.IndexName)+" "+string(s.ContributorInsightsStatus))
			}
		}
		return strings.Join(names, ", ")
	}

	if got := raw(t, e, "DescribeContributorInsights", `{"TableName":"seen"}`); got != `{"TableName":"seen","ContributorInsightsStatus":"DISABLED"}` {
		t.Error(got)
	}
	if got := update("seen", nil, "DISABLE", ""); got != "DISABLED" {
		t.Error(got)
	}
	if got := listed(&dynamodb.ListContributorInsightsInput{TableName: aws.String("seen")}); got != "" {
		t.Error(got)
	}
	update("seen", nil, "ENABLE", "")
	update("seen", aws.String("far"), "ENABLE", "THROTTLED_KEYS")
	update("other", nil, "ENABLE", "")
	out, err := describe("seen", nil)
	if err != nil || out.ContributorInsightsMode != "ACCESSED_AND_THROTTLED_KEYS" || len(out.ContributorInsightsRuleList) != 4 || out.LastUpdateDateTime == nil {
		t.Errorf("%+v, %v", out, err)
	}
	out, err = describe("seen", aws.String("far"))
	if err != nil || out.ContributorInsightsMode != "THROTTLED_KEYS" || len(out.ContributorInsightsRuleList) != 1 || aws.ToString(out.IndexName) != "far" {
		t.Errorf("%+v, %v", out, err)
	}
	const all = "other/ ENABLED, seen/ ENABLED, seen/far ENABLED"
	for _, in := range []*dynamodb.ListContributorInsightsInput{{}, {MaxResults: 1}, {MaxResults: 2}} {
		if got := listed(in); got != all {
			t.Errorf("by %d: %s", in.MaxResults, got)
		}
	}
	update("seen", nil, "DISABLE", "")
	if got := listed(&dynamodb.ListContributorInsightsInput{TableName: aws.String("seen")}); got != "seen/far ENABLED" {
		t.Error(got)
	}

	_, err = describe("seen", aws.String("near"))
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Index: near not found for table: seen")
	_, err = describe("seen", aws.String("ghost"))
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Index: ghost not found for table: seen")
	_, err = describe("ghost", nil)
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: ghost not found")
	_, err = describe("seen", aws.String("x"))
	wantError(t, err, "ValidationException", "IndexName must be at least 3 characters long and at most 255 characters long")
	_, err = client.UpdateContributorInsights(ctx, &dynamodb.UpdateContributorInsightsInput{TableName: aws.String("seen"), ContributorInsightsAction: "GUESS", ContributorInsightsMode: "SOME"})
	wantError(t, err, "ValidationException", "2 validation errors detected: Value 'GUESS' at 'contributorInsightsAction' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [ENABLE, DISABLE]; Value 'SOME' at 'contributorInsightsMode' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [THROTTLED_KEYS, ACCESSED_AND_THROTTLED_KEYS]")
}

// Features that provisioning code describes and the engine lacks are reported as by an account that does not use them.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (backup.md, table-policy-kinesis-autoscaling.md,
// DDB-TABLE-205, 212, 254) and the pages of the operations in https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/
func TestMissingSubresources(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	client, ctx := e.Client(), t.Context()
	mustCreate(t, client, pairTable("plain"))
	const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/plain"
	for _, c := range []struct{ operation, in, want string }{
		{"ListBackups", `{}`, `{"BackupSummaries":[]}`},
		{"ListBackups", `{"TableName":"ghost"}`, `{"BackupSummaries":[]}`},
		{"ListExports", `{"TableArn":"` + arn + `"}`, `{"ExportSummaries":[]}`},
		{"ListImports", `{}`, `{"ImportSummaryList":[]}`},
		{"ListGlobalTables", `{}`, `{"GlobalTables":[]}`},
		{"ListContributorInsights", `{}`, `{"ContributorInsightsSummaries":[]}`},
		{"DescribeKinesisStreamingDestination", `{"TableName":"plain"}`, `{"TableName":"plain","KinesisDataStreamDestinations":[]}`},
		{"DescribeContinuousBackups", `{"TableName":"plain"}`, `{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}}`},
	} {
		if got := raw(t, e, c.operation, c.in); got != c.want {
			t.Errorf("%s\n  got  %s\n  want %s", c.operation, got, c.want)
		}
	}

	calls := map[string]func() error{
		"ListBackups":      func() error { _, err := client.ListBackups(ctx, &dynamodb.ListBackupsInput{}); return err },
		"ListExports":      func() error { _, err := client.ListExports(ctx, &dynamodb.ListExportsInput{}); return err },
		"ListImports":      func() error { _, err := client.ListImports(ctx, &dynamodb.ListImportsInput{}); return err },
		"ListGlobalTables": func() error { _, err := client.ListGlobalTables(ctx, &dynamodb.ListGlobalTablesInput{}); return err },
		"DescribeKinesisStreamingDestination": func() error {
			_, err := client.DescribeKinesisStreamingDestination(ctx, &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: aws.String("plain")})
			return err
		},
	}
	for name, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	policy := func(arn string) error {
		_, err := client.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &arn})
		return err
	}
	const invalid = "One or more parameter values were invalid: "
	for _, c := range []struct {
		err           error
		code, message string
	}{
		{policy(arn), "PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn: " + arn},
		{policy(arn + "s"), "ResourceNotFoundException", "Requested resource not found: Table: plains not found"},
		{policy(arn + "/stream/x"), "ResourceNotFoundException", "Requested resource not found: Stream: x not found for Table: plain"},
		{policy(arn + "/index/x"), "ValidationException", invalid + "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: " + arn + "/index/x"},
		{policy(arn + "/backup/x"), "ValidationException", invalid + "Provided Arn is not a DynamoDB resource arn: " + arn + "/backup/x"},
		{policy("plain"), "ValidationException", invalid + "ARNs must start with 'arn:': plain"},
		{policy("arn:aws:dynamodb:us-east-2:000000000000:table/plain"), "ValidationException", invalid + "Invalid resource Arn: arn:aws:dynamodb:us-east-2:000000000000:table/plain"},
		{policy("arn:aws:dynamodb:us-east-1:111122223333:table/plain"), "ValidationException", "This action is only supported by accounts that match the resource owner’s account."},
		{globalTable(t, client, "plain"), "GlobalTableNotFoundException", "Global table not found: Global table with name: 'plain' does not exist."},
		{globalTable(t, client, "x"), "ValidationException", "TableName must be at least 3 characters long and at most 255 characters long"},
		{replicas(t, client, "plain"), "ResourceNotFoundException", "Global table with name: 'plain' does not exist."},
		{replicas(t, client, "ghost"), "ResourceNotFoundException", "Global table with name: 'ghost' does not exist."},
		{kinesis(t, client, "ghost"), "ResourceNotFoundException", "Requested resource not found: Table: ghost not found"},
	} {
		wantError(t, c.err, c.code, c.message)
	}
	_, err := client.ListBackups(ctx, &dynamodb.ListBackupsInput{Limit: aws.Int32(101)})
	wantError(t, err, "ValidationException", "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100")
	_, err = client.ListExports(ctx, &dynamodb.ListExportsInput{MaxResults: aws.Int32(26)})
	wantError(t, err, "ValidationException", "1 validation error detected: Value '26' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 25")
	_, err = client.ListImports(ctx, &dynamodb.ListImportsInput{PageSize: aws.Int32(0)})
	wantError(t, err, "ValidationException", "1 validation error detected: Value '0' at 'pageSize' failed to satisfy constraint: Member must have value greater than or equal to 1")
}

func globalTable(t *testing.T, client *dynamodb.Client, name string) error {
	_, err := client.DescribeGlobalTable(t.Context(), &dynamodb.DescribeGlobalTableInput{GlobalTableName: &name})
	return err
}

func replicas(t *testing.T, client *dynamodb.Client, name string) error {
	_, err := client.DescribeTableReplicaAutoScaling(t.Context(), &dynamodb.DescribeTableReplicaAutoScalingInput{TableName: &name})
	return err
}

func kinesis(t *testing.T, client *dynamodb.Client, name string) error {
	_, err := client.DescribeKinesisStreamingDestination(t.Context(), &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: &name})
	return err
}

// The policy of a new table is kept as it was given, without spaces.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetResourcePolicy.html
func TestResourcePolicyOfNewTable(t *testing.T) {
	client := ddbtest.New(t)
	in := pairTable("guarded")
	in.ResourcePolicy = aws.String(`{ "Version": "2012-10-17", "Statement": [] }`)
	mustCreate(t, client, in)
	out, err := client.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/guarded")})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(out.Policy); !json.Valid([]byte(got)) || got != `{"Version":"2012-10-17","Statement":[]}` || aws.ToString(out.RevisionId) == "" {
		t.Errorf("got %s, revision %v", got, out.RevisionId)
	}
}
