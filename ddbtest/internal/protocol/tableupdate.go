// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"cmp"
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

var indexUpdateStructure = structure[engine.IndexUpdate]{
	{"Create", func(r *reader, to *engine.IndexUpdate) { to.Create = readPointer(r, indexStructure) }},
	{"Update", func(r *reader, to *engine.IndexUpdate) { to.Update = readPointer(r, indexStructure) }},
	{"Delete", func(r *reader, to *engine.IndexUpdate) { to.Delete = readPointer(r, indexStructure) }},
}

var updateTableStructure = structure[engine.UpdateTableInput]{
	{"TableName", func(r *reader, in *engine.UpdateTableInput) { in.TableName = r.str() }},
	{"AttributeDefinitions", func(r *reader, in *engine.UpdateTableInput) {
		in.AttributeDefinitions = readList(r, attributeDefinitionStructure)
	}},
	{"BillingMode", func(r *reader, in *engine.UpdateTableInput) { in.BillingMode = r.str() }},
	{"ProvisionedThroughput", func(r *reader, in *engine.UpdateTableInput) {
		in.ProvisionedThroughput = readPointer(r, throughputStructure)
	}},
	{"OnDemandThroughput", func(r *reader, in *engine.UpdateTableInput) {
		in.OnDemandThroughput = readPointer(r, onDemandStructure)
	}},
	{"WarmThroughput", func(r *reader, in *engine.UpdateTableInput) { in.WarmThroughput = readPointer(r, warmStructure) }},
	{"GlobalSecondaryIndexUpdates", func(r *reader, in *engine.UpdateTableInput) {
		in.GlobalSecondaryIndexUpdates = readList(r, indexUpdateStructure)
	}},
	{"VectorIndexUpdates", func(r *reader, in *engine.UpdateTableInput) {
		in.VectorIndexUpdates = readList(r, vectorUpdateStructure)
	}},
	{"StreamSpecification", func(r *reader, in *engine.UpdateTableInput) { in.StreamSpecification = readPointer(r, streamStructure) }},
	{"SSESpecification", func(r *reader, in *engine.UpdateTableInput) {
		in.SSESpecification = readPointer(r, encryptionStructure)
	}},
	{"TableClass", func(r *reader, in *engine.UpdateTableInput) { in.TableClass = r.str() }},
	{"DeletionProtectionEnabled", func(r *reader, in *engine.UpdateTableInput) { in.DeletionProtectionEnabled = r.boolean() }},
}

func updateTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.UpdateTableInput
	if err := readInput(r, updateTableStructure, &in); err != nil {
		return nil, err
	}
	return named("TableDescription")(e.UpdateTable(ctx, &in))
}

// timeToLiveInput holds the parameters of UpdateTimeToLive.
type timeToLiveInput struct {
	TableName               *string
	TimeToLiveSpecification *engine.TimeToLiveSpecification
}

var timeToLiveStructure = structure[engine.TimeToLiveSpecification]{
	{"AttributeName", func(r *reader, to *engine.TimeToLiveSpecification) { to.AttributeName = r.str() }},
	{"Enabled", func(r *reader, to *engine.TimeToLiveSpecification) { to.Enabled = r.boolean() }},
}

var updateTimeToLiveStructure = structure[timeToLiveInput]{
	{"TableName", func(r *reader, in *timeToLiveInput) { in.TableName = r.str() }},
	{"TimeToLiveSpecification", func(r *reader, in *timeToLiveInput) { in.TimeToLiveSpecification = readPointer(r, timeToLiveStructure) }},
}

func updateTimeToLive(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in timeToLiveInput
	if err := readInput(r, updateTimeToLiveStructure, &in); err != nil {
		return nil, err
	}
	err := e.UpdateTimeToLive(ctx, in.TableName, in.TimeToLiveSpecification)
	return result(map[string]any{"TimeToLiveSpecification": in.TimeToLiveSpecification}, err)
}

func describeTimeToLive(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, nameStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.DescribeTimeToLive(ctx, in.TableName)
	return result(map[string]any{"TimeToLiveDescription": out}, err)
}

// tagInput holds the parameters of the operations on tags.
type tagInput struct {
	ResourceArn *string
	Tags        []engine.Tag
	TagKeys     []string
}

var tagInputStructure = structure[tagInput]{
	{"ResourceArn", func(r *reader, in *tagInput) { in.ResourceArn = r.str() }},
	{"Tags", func(r *reader, in *tagInput) { in.Tags = readList(r, tagStructure) }},
	{"TagKeys", func(r *reader, in *tagInput) { in.TagKeys = r.strs() }},
}

func tagResource(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in tagInput
	if err := readInput(r, tagInputStructure, &in); err != nil {
		return nil, err
	}
	return nothing(e.TagResource(ctx, in.ResourceArn, in.Tags))
}

func untagResource(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in tagInput
	if err := readInput(r, tagInputStructure, &in); err != nil {
		return nil, err
	}
	return nothing(e.UntagResource(ctx, in.ResourceArn, in.TagKeys))
}

func listTagsOfResource(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in tagInput
	if err := readInput(r, tagInputStructure, &in); err != nil {
		return nil, err
	}
	return result(e.ListTagsOfResource(ctx, in.ResourceArn))
}

// nothing writes the reply of an operation without a result, which has no
// body.
func nothing(err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return []byte{}, nil
}

var emptyStructure = structure[struct{}]{}

func describeLimits(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	if err := readInput(r, emptyStructure, &struct{}{}); err != nil {
		return nil, err
	}
	return result(e.DescribeLimits(ctx), nil)
}

// describeEndpoints returns the endpoint of the request, so that a client with endpoint discovery keeps using it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Endpoint.html
func describeEndpoints(_ context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	if err := readInput(r, emptyStructure, &struct{}{}); err != nil {
		return nil, err
	}
	return result(map[string]any{"Endpoints": []map[string]any{{
		"Address":              cmp.Or(r.host, "dynamodb."+e.Region()+".amazonaws.com"),
		"CachePeriodInMinutes": 1440,
	}}}, nil)
}
