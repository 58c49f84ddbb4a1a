package protocol

import (
	"cmp"
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

var indexUpdateShape = shape[engine.IndexUpdate]{
	{"Create", func(r *reader, to *engine.IndexUpdate) { to.Create = indexShape.pointer(r) }},
	{"Update", func(r *reader, to *engine.IndexUpdate) { to.Update = indexShape.pointer(r) }},
	{"Delete", func(r *reader, to *engine.IndexUpdate) { to.Delete = indexShape.pointer(r) }},
}

var updateTableShape = shape[engine.UpdateTableInput]{
	{"TableName", func(r *reader, in *engine.UpdateTableInput) { in.TableName = r.str() }},
	{"AttributeDefinitions", func(r *reader, in *engine.UpdateTableInput) {
		in.AttributeDefinitions = attributeDefinitionShape.list(r)
	}},
	{"BillingMode", func(r *reader, in *engine.UpdateTableInput) { in.BillingMode = r.str() }},
	{"ProvisionedThroughput", func(r *reader, in *engine.UpdateTableInput) {
		in.ProvisionedThroughput = throughputShape.pointer(r)
	}},
	{"OnDemandThroughput", func(r *reader, in *engine.UpdateTableInput) { in.OnDemandThroughput = onDemandShape.pointer(r) }},
	{"WarmThroughput", func(r *reader, in *engine.UpdateTableInput) { in.WarmThroughput = warmShape.pointer(r) }},
	{"GlobalSecondaryIndexUpdates", func(r *reader, in *engine.UpdateTableInput) {
		in.GlobalSecondaryIndexUpdates = indexUpdateShape.list(r)
	}},
	{"VectorIndexUpdates", func(r *reader, in *engine.UpdateTableInput) { in.VectorIndexUpdates = vectorUpdateShape.list(r) }},
	{"StreamSpecification", func(r *reader, in *engine.UpdateTableInput) { in.StreamSpecification = streamShape.pointer(r) }},
	{"SSESpecification", func(r *reader, in *engine.UpdateTableInput) { in.SSESpecification = encryptionShape.pointer(r) }},
	{"TableClass", func(r *reader, in *engine.UpdateTableInput) { in.TableClass = r.str() }},
	{"DeletionProtectionEnabled", func(r *reader, in *engine.UpdateTableInput) { in.DeletionProtectionEnabled = r.boolean() }},
}

func updateTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.UpdateTableInput
	if err := readInput(r, updateTableShape, &in); err != nil {
		return nil, err
	}
	return description("TableDescription")(e.UpdateTable(ctx, &in))
}

// timeToLiveInput holds the parameters of UpdateTimeToLive.
type timeToLiveInput struct {
	TableName               *string
	TimeToLiveSpecification *engine.TimeToLiveSpecification
}

var timeToLiveShape = shape[engine.TimeToLiveSpecification]{
	{"AttributeName", func(r *reader, to *engine.TimeToLiveSpecification) { to.AttributeName = r.str() }},
	{"Enabled", func(r *reader, to *engine.TimeToLiveSpecification) { to.Enabled = r.boolean() }},
}

var updateTimeToLiveShape = shape[timeToLiveInput]{
	{"TableName", func(r *reader, in *timeToLiveInput) { in.TableName = r.str() }},
	{"TimeToLiveSpecification", func(r *reader, in *timeToLiveInput) { in.TimeToLiveSpecification = timeToLiveShape.pointer(r) }},
}

func updateTimeToLive(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in timeToLiveInput
	if err := readInput(r, updateTimeToLiveShape, &in); err != nil {
		return nil, err
	}
	err := e.UpdateTimeToLive(ctx, in.TableName, in.TimeToLiveSpecification)
	return result(map[string]any{"TimeToLiveSpecification": in.TimeToLiveSpecification}, err)
}

func describeTimeToLive(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, nameShape, &in); err != nil {
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

var tagInputShape = shape[tagInput]{
	{"ResourceArn", func(r *reader, in *tagInput) { in.ResourceArn = r.str() }},
	{"Tags", func(r *reader, in *tagInput) { in.Tags = tagShape.list(r) }},
	{"TagKeys", func(r *reader, in *tagInput) { in.TagKeys = r.strs() }},
}

func tagResource(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in tagInput
	if err := readInput(r, tagInputShape, &in); err != nil {
		return nil, err
	}
	return nothing(e.TagResource(ctx, in.ResourceArn, in.Tags))
}

func untagResource(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in tagInput
	if err := readInput(r, tagInputShape, &in); err != nil {
		return nil, err
	}
	return nothing(e.UntagResource(ctx, in.ResourceArn, in.TagKeys))
}

func listTagsOfResource(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in tagInput
	if err := readInput(r, tagInputShape, &in); err != nil {
		return nil, err
	}
	return result(e.ListTagsOfResource(ctx, in.ResourceArn))
}

// nothing writes the answer of an operation without a result, which has no
// body at all.
func nothing(err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return []byte{}, nil
}

var emptyShape = shape[struct{}]{}

func describeLimits(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	if err := readInput(r, emptyShape, &struct{}{}); err != nil {
		return nil, err
	}
	return result(e.DescribeLimits(ctx), nil)
}

// describeEndpoints names the endpoint that was asked, so that a client with endpoint discovery stays there.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Endpoint.html
func describeEndpoints(_ context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	if err := readInput(r, emptyShape, &struct{}{}); err != nil {
		return nil, err
	}
	return result(map[string]any{"Endpoints": []map[string]any{{
		"Address":              cmp.Or(r.host, "dynamodb."+e.Region()+".amazonaws.com"),
		"CachePeriodInMinutes": 1440,
	}}}, nil)
}
