// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// continuousBackupsInput holds the parameters of UpdateContinuousBackups.
type continuousBackupsInput struct {
	TableName                        *string
	PointInTimeRecoverySpecification *engine.PointInTimeRecoverySpecification
}

var recoveryStructure = structure[engine.PointInTimeRecoverySpecification]{
	{"PointInTimeRecoveryEnabled", func(r *reader, to *engine.PointInTimeRecoverySpecification) {
		to.PointInTimeRecoveryEnabled = r.boolean()
	}},
	{"RecoveryPeriodInDays", func(r *reader, to *engine.PointInTimeRecoverySpecification) {
		to.RecoveryPeriodInDays = r.integer("Integer")
	}},
}

var continuousBackupsStructure = structure[continuousBackupsInput]{
	{"TableName", func(r *reader, in *continuousBackupsInput) { in.TableName = r.str() }},
	{"PointInTimeRecoverySpecification", func(r *reader, in *continuousBackupsInput) {
		in.PointInTimeRecoverySpecification = readPointer(r, recoveryStructure)
	}},
}

func updateContinuousBackups(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in continuousBackupsInput
	if err := readInput(r, continuousBackupsStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.UpdateContinuousBackups(ctx, in.TableName, in.PointInTimeRecoverySpecification)
	return result(map[string]any{"ContinuousBackupsDescription": out}, err)
}

func describeContinuousBackups(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, nameStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.DescribeContinuousBackups(ctx, in.TableName)
	return result(map[string]any{"ContinuousBackupsDescription": out}, err)
}

var insightsStructure = structure[engine.ContributorInsightsInput]{
	{"TableName", func(r *reader, in *engine.ContributorInsightsInput) { in.TableName = r.str() }},
	{"IndexName", func(r *reader, in *engine.ContributorInsightsInput) { in.IndexName = r.str() }},
	{"ContributorInsightsAction", func(r *reader, in *engine.ContributorInsightsInput) { in.ContributorInsightsAction = r.str() }},
	{"ContributorInsightsMode", func(r *reader, in *engine.ContributorInsightsInput) { in.ContributorInsightsMode = r.str() }},
}

func updateContributorInsights(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ContributorInsightsInput
	if err := readInput(r, insightsStructure, &in); err != nil {
		return nil, err
	}
	return result(e.UpdateContributorInsights(ctx, &in))
}

func describeContributorInsights(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ContributorInsightsInput
	if err := readInput(r, insightsStructure, &in); err != nil {
		return nil, err
	}
	return result(e.DescribeContributorInsights(ctx, &in))
}

var listInsightsStructure = structure[engine.ListContributorInsightsInput]{
	{"TableName", func(r *reader, in *engine.ListContributorInsightsInput) { in.TableName = r.str() }},
	{"MaxResults", func(r *reader, in *engine.ListContributorInsightsInput) { in.MaxResults = r.integer("Integer") }},
	{"NextToken", func(r *reader, in *engine.ListContributorInsightsInput) { in.NextToken = r.str() }},
}

func listContributorInsights(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ListContributorInsightsInput
	if err := readInput(r, listInsightsStructure, &in); err != nil {
		return nil, err
	}
	return result(e.ListContributorInsights(ctx, &in))
}

var listBackupsStructure = structure[engine.ListBackupsInput]{
	{"TableName", func(r *reader, in *engine.ListBackupsInput) { in.TableName = r.str() }},
	{"BackupType", func(r *reader, in *engine.ListBackupsInput) { in.BackupType = r.str() }},
	{"ExclusiveStartBackupArn", func(r *reader, in *engine.ListBackupsInput) { in.ExclusiveStartBackupArn = r.str() }},
	{"Limit", func(r *reader, in *engine.ListBackupsInput) { in.Limit = r.integer("Integer") }},
}

func listBackups(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ListBackupsInput
	if err := readInput(r, listBackupsStructure, &in); err != nil {
		return nil, err
	}
	return result(e.ListBackups(ctx, &in))
}

var listGlobalTablesStructure = structure[engine.ListGlobalTablesInput]{
	{"ExclusiveStartGlobalTableName", func(r *reader, in *engine.ListGlobalTablesInput) { in.ExclusiveStartGlobalTableName = r.str() }},
	{"Limit", func(r *reader, in *engine.ListGlobalTablesInput) { in.Limit = r.integer("Integer") }},
}

func listGlobalTables(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ListGlobalTablesInput
	if err := readInput(r, listGlobalTablesStructure, &in); err != nil {
		return nil, err
	}
	return result(e.ListGlobalTables(ctx, &in))
}

var globalNameStructure = structure[nameInput]{
	{"GlobalTableName", func(r *reader, in *nameInput) { in.TableName = r.str() }},
}

func describeGlobalTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, globalNameStructure, &in); err != nil {
		return nil, err
	}
	return nothing(e.DescribeGlobalTable(ctx, in.TableName))
}

func describeTableReplicaAutoScaling(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, nameStructure, &in); err != nil {
		return nil, err
	}
	return nothing(e.DescribeTableReplicaAutoScaling(ctx, in.TableName))
}

func describeKinesisStreamingDestination(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, nameStructure, &in); err != nil {
		return nil, err
	}
	return result(e.DescribeKinesisStreamingDestination(ctx, in.TableName))
}

func getResourcePolicy(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in tagInput
	if err := readInput(r, tagInputStructure, &in); err != nil {
		return nil, err
	}
	return result(e.GetResourcePolicy(ctx, in.ResourceArn))
}
