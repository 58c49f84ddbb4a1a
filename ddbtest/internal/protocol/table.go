package protocol

import (
	"context"
	"encoding/json"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

var attributeDefinitionShape = shape[engine.AttributeDefinition]{
	{"AttributeName", func(r *reader, to *engine.AttributeDefinition) { to.AttributeName = r.str() }},
	{"AttributeType", func(r *reader, to *engine.AttributeDefinition) { to.AttributeType = r.str() }},
}

var keySchemaShape = shape[engine.KeySchemaElement]{
	{"AttributeName", func(r *reader, to *engine.KeySchemaElement) { to.AttributeName = r.str() }},
	{"KeyType", func(r *reader, to *engine.KeySchemaElement) { to.KeyType = r.str() }},
}

var projectionShape = shape[engine.Projection]{
	{"ProjectionType", func(r *reader, to *engine.Projection) { to.ProjectionType = r.str() }},
	{"NonKeyAttributes", func(r *reader, to *engine.Projection) { to.NonKeyAttributes = r.strs() }},
}

var throughputShape = shape[engine.ProvisionedThroughput]{
	{"ReadCapacityUnits", func(r *reader, to *engine.ProvisionedThroughput) { to.ReadCapacityUnits = r.integer("Long") }},
	{"WriteCapacityUnits", func(r *reader, to *engine.ProvisionedThroughput) { to.WriteCapacityUnits = r.integer("Long") }},
}

var onDemandShape = shape[engine.OnDemandThroughput]{
	{"MaxReadRequestUnits", func(r *reader, to *engine.OnDemandThroughput) { to.MaxReadRequestUnits = r.integer("Long") }},
	{"MaxWriteRequestUnits", func(r *reader, to *engine.OnDemandThroughput) { to.MaxWriteRequestUnits = r.integer("Long") }},
}

var warmShape = shape[engine.WarmThroughput]{
	{"ReadUnitsPerSecond", func(r *reader, to *engine.WarmThroughput) { to.ReadUnitsPerSecond = r.integer("Long") }},
	{"WriteUnitsPerSecond", func(r *reader, to *engine.WarmThroughput) { to.WriteUnitsPerSecond = r.integer("Long") }},
}

var indexShape = shape[engine.SecondaryIndex]{
	{"IndexName", func(r *reader, to *engine.SecondaryIndex) { to.IndexName = r.str() }},
	{"KeySchema", func(r *reader, to *engine.SecondaryIndex) { to.KeySchema = keySchemaShape.list(r) }},
	{"Projection", func(r *reader, to *engine.SecondaryIndex) { to.Projection = projectionShape.pointer(r) }},
	{"ProvisionedThroughput", func(r *reader, to *engine.SecondaryIndex) { to.ProvisionedThroughput = throughputShape.pointer(r) }},
	{"OnDemandThroughput", func(r *reader, to *engine.SecondaryIndex) { to.OnDemandThroughput = onDemandShape.pointer(r) }},
	{"WarmThroughput", func(r *reader, to *engine.SecondaryIndex) { to.WarmThroughput = warmShape.pointer(r) }},
}

var streamShape = shape[engine.StreamSpecification]{
	{"StreamEnabled", func(r *reader, to *engine.StreamSpecification) { to.StreamEnabled = r.boolean() }},
	{"StreamViewType", func(r *reader, to *engine.StreamSpecification) { to.StreamViewType = r.str() }},
}

var encryptionShape = shape[engine.SSESpecification]{
	{"Enabled", func(r *reader, to *engine.SSESpecification) { to.Enabled = r.boolean() }},
	{"SSEType", func(r *reader, to *engine.SSESpecification) { to.SSEType = r.str() }},
	{"KMSMasterKeyId", func(r *reader, to *engine.SSESpecification) { to.KMSMasterKeyID = r.str() }},
}

var tagShape = shape[engine.Tag]{
	{"Key", func(r *reader, to *engine.Tag) { to.Key = r.str() }},
	{"Value", func(r *reader, to *engine.Tag) { to.Value = r.str() }},
}

var createTableShape = shape[engine.CreateTableInput]{
	{"TableName", func(r *reader, in *engine.CreateTableInput) { in.TableName = r.str() }},
	{"AttributeDefinitions", func(r *reader, in *engine.CreateTableInput) {
		in.AttributeDefinitions = attributeDefinitionShape.list(r)
	}},
	{"KeySchema", func(r *reader, in *engine.CreateTableInput) { in.KeySchema = keySchemaShape.list(r) }},
	{"BillingMode", func(r *reader, in *engine.CreateTableInput) { in.BillingMode = r.str() }},
	{"ProvisionedThroughput", func(r *reader, in *engine.CreateTableInput) {
		in.ProvisionedThroughput = throughputShape.pointer(r)
	}},
	{"OnDemandThroughput", func(r *reader, in *engine.CreateTableInput) { in.OnDemandThroughput = onDemandShape.pointer(r) }},
	{"WarmThroughput", func(r *reader, in *engine.CreateTableInput) { in.WarmThroughput = warmShape.pointer(r) }},
	{"GlobalSecondaryIndexes", func(r *reader, in *engine.CreateTableInput) { in.GlobalSecondaryIndexes = indexShape.list(r) }},
	{"LocalSecondaryIndexes", func(r *reader, in *engine.CreateTableInput) { in.LocalSecondaryIndexes = indexShape.list(r) }},
	{"VectorIndexes", func(r *reader, in *engine.CreateTableInput) { in.VectorIndexes = vectorIndexShape.list(r) }},
	{"StreamSpecification", func(r *reader, in *engine.CreateTableInput) { in.StreamSpecification = streamShape.pointer(r) }},
	{"SSESpecification", func(r *reader, in *engine.CreateTableInput) { in.SSESpecification = encryptionShape.pointer(r) }},
	{"Tags", func(r *reader, in *engine.CreateTableInput) { in.Tags = tagShape.list(r) }},
	{"TableClass", func(r *reader, in *engine.CreateTableInput) { in.TableClass = r.str() }},
	{"DeletionProtectionEnabled", func(r *reader, in *engine.CreateTableInput) { in.DeletionProtectionEnabled = r.boolean() }},
	{"ResourcePolicy", func(r *reader, in *engine.CreateTableInput) { in.ResourcePolicy = r.str() }},
}

func createTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.CreateTableInput
	if err := readInput(r, createTableShape, &in); err != nil {
		return nil, err
	}
	return description("TableDescription")(e.CreateTable(ctx, &in))
}

// nameInput holds the only parameter of several table operations.
type nameInput struct {
	TableName *string
}

var nameShape = shape[nameInput]{
	{"TableName", func(r *reader, in *nameInput) { in.TableName = r.str() }},
}

func describeTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, nameShape, &in); err != nil {
		return nil, err
	}
	return description("Table")(e.DescribeTable(ctx, in.TableName))
}

func deleteTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, nameShape, &in); err != nil {
		return nil, err
	}
	return description("TableDescription")(e.DeleteTable(ctx, in.TableName))
}

// description writes the description of a table as the member with a name.
func description(name string) func(*engine.TableDescription, error) ([]byte, error) {
	return func(d *engine.TableDescription, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{name: d})
	}
}

var listTablesShape = shape[engine.ListTablesInput]{
	{"ExclusiveStartTableName", func(r *reader, in *engine.ListTablesInput) { in.ExclusiveStartTableName = r.str() }},
	{"Limit", func(r *reader, in *engine.ListTablesInput) { in.Limit = r.integer("Integer") }},
}

func listTables(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ListTablesInput
	if err := readInput(r, listTablesShape, &in); err != nil {
		return nil, err
	}
	return result(e.ListTables(ctx, &in))
}

// result writes a result whose Go form is that of the wire.
func result(out any, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}
