// SPDX-License-Identifier: Apache-2.0

// Package livetable returns the description of an existing table in the form that deployment tools use.
package livetable

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/schema"
)

// Table is what a service reports about a table.
type Table struct {
	*types.TableDescription
	Definition *schema.Definition
	// Unread lists settings that could not be read, each with the reason. They are missing from the definition.
	Unread []error
}

// Describe reads the description of a table and its settings.
func Describe(ctx context.Context, client *dynamodb.Client, name string) (*Table, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", name, ddberr.Redact(err))
	}
	if out.Table == nil || len(out.Table.KeySchema) == 0 {
		return nil, fmt.Errorf("table %s: its description has no keys", name)
	}
	t := &Table{TableDescription: out.Table, Definition: &schema.Definition{Create: create(out.Table)}}
	for _, setting := range []struct {
		what string
		read func() error
	}{
		{"time to live", func() error { return t.ttl(ctx, client) }},
		{"point-in-time recovery", func() error { return t.recovery(ctx, client) }},
		{"contributor insights", func() error { return t.insights(ctx, client) }},
		{"tags", func() error { return t.tags(ctx, client) }},
		{"resource policy", func() error { return t.policy(ctx, client) }},
	} {
		if err := setting.read(); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			t.Unread = append(t.Unread, fmt.Errorf("%s: %w", setting.what, ddberr.Redact(err)))
		}
	}
	return t, nil
}

func (t *Table) ttl(ctx context.Context, client *dynamodb.Client) error {
	out, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: t.TableName})
	if err != nil {
		return err
	}
	if d := out.TimeToLiveDescription; d != nil &&
		(d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling) {
		t.Definition.TTL = aws.ToString(d.AttributeName)
	}
	return nil
}

func (t *Table) recovery(ctx context.Context, client *dynamodb.Client) error {
	out, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: t.TableName})
	if err != nil {
		return err
	}
	if d := out.ContinuousBackupsDescription; d != nil && d.PointInTimeRecoveryDescription != nil &&
		d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled {
		t.Definition.RecoveryDays = max(1, aws.ToInt32(d.PointInTimeRecoveryDescription.RecoveryPeriodInDays))
	}
	return nil
}

func (t *Table) insights(ctx context.Context, client *dynamodb.Client) error {
	out, err := client.DescribeContributorInsights(ctx, &dynamodb.DescribeContributorInsightsInput{TableName: t.TableName})
	if err != nil {
		return err
	}
	t.Definition.ContributorInsights = out.ContributorInsightsStatus == types.ContributorInsightsStatusEnabled ||
		out.ContributorInsightsStatus == types.ContributorInsightsStatusEnabling
	return nil
}

func (t *Table) tags(ctx context.Context, client *dynamodb.Client) error {
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: t.TableArn}
	for {
		page, err := client.ListTagsOfResource(ctx, in)
		if err != nil {
			return err
		}
		t.Definition.Create.Tags = append(t.Definition.Create.Tags, page.Tags...)
		if in.NextToken = page.NextToken; aws.ToString(in.NextToken) == "" {
			return nil
		}
	}
}

func (t *Table) policy(ctx context.Context, client *dynamodb.Client) error {
	out, err := client.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: t.TableArn})
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "PolicyNotFoundException" {
		return nil
	}
	if err != nil {
		return err
	}
	t.Definition.Create.ResourcePolicy = out.Policy
	return nil
}

// create returns the request that would create a table like this one.
func create(t *types.TableDescription) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: t.TableName, KeySchema: t.KeySchema, AttributeDefinitions: t.AttributeDefinitions,
		BillingMode: types.BillingModeProvisioned, OnDemandThroughput: t.OnDemandThroughput, StreamSpecification: t.StreamSpecification,
	}
	if b := t.BillingModeSummary; b != nil && b.BillingMode == types.BillingModePayPerRequest {
		in.BillingMode = types.BillingModePayPerRequest
	}
	provisioned := in.BillingMode == types.BillingModeProvisioned
	if provisioned {
		in.ProvisionedThroughput = throughput(t.ProvisionedThroughput)
	}
	if aws.ToBool(t.DeletionProtectionEnabled) {
		in.DeletionProtectionEnabled = aws.Bool(true)
	}
	if c := t.TableClassSummary; c != nil && c.TableClass != types.TableClassStandard {
		in.TableClass = c.TableClass
	}
	if s := t.SSEDescription; s != nil && s.Status == types.SSEStatusEnabled {
		in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: s.SSEType, KMSMasterKeyId: s.KMSMasterKeyArn}
	}
	for _, x := range t.GlobalSecondaryIndexes {
		g := types.GlobalSecondaryIndex{IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection, OnDemandThroughput: x.OnDemandThroughput}
		if provisioned {
			g.ProvisionedThroughput = throughput(x.ProvisionedThroughput)
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, g)
	}
	for _, x := range t.LocalSecondaryIndexes {
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection})
	}
	for _, x := range t.VectorIndexes {
		in.VectorIndexes = append(in.VectorIndexes, types.VectorIndex{IndexName: x.IndexName}) // package definition rejects it by name
	}
	return in
}

func throughput(d *types.ProvisionedThroughputDescription) *types.ProvisionedThroughput {
	if d == nil {
		return nil
	}
	return &types.ProvisionedThroughput{ReadCapacityUnits: d.ReadCapacityUnits, WriteCapacityUnits: d.WriteCapacityUnits}
}
