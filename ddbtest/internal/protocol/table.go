// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"context"
	"encoding/json"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

var attributeDefinitionStructure = structure[engine.AttributeDefinition]{
	{"AttributeName", func(r *reader, to *engine.AttributeDefinition) { to.AttributeName = r.str() }},
	{"AttributeType", func(r *reader, to *engine.AttributeDefinition) { to.AttributeType = r.str() }},
}

var keySchemaStructure = structure[engine.KeySchemaElement]{
	{"AttributeName", func(r *reader, to *engine.KeySchemaElement) { to.AttributeName = r.str() }},
	{"KeyType", func(r *reader, to *engine.KeySchemaElement) { to.KeyType = r.str() }},
}

var projectionStructure = structure[engine.Projection]{
	{"ProjectionType", func(r *reader, to *engine.Projection) { to.ProjectionType = r.str() }},
	{"NonKeyAttributes", func(r *reader, to *engine.Projection) { to.NonKeyAttributes = r.strs() }},
}

var throughputStructure = structure[engine.ProvisionedThroughput]{
	{"ReadCapacityUnits", func(r *reader, to *engine.ProvisionedThroughput) { to.ReadCapacityUnits = r.integer("Long") }},
	{"WriteCapacityUnits", func(r *reader, to *engine.ProvisionedThroughput) { to.WriteCapacityUnits = r.integer("Long") }},
}

var onDemandStructure = structure[engine.OnDemandThroughput]{
	{"MaxReadRequestUnits", func(r *reader, to *engine.OnDemandThroughput) { to.MaxReadRequestUnits = r.integer("Long") }},
	{"MaxWriteRequestUnits", func(r *reader, to *engine.OnDemandThroughput) { to.MaxWriteRequestUnits = r.integer("Long") }},
}

var warmStructure = structure[engine.WarmThroughput]{
	{"ReadUnitsPerSecond", func(r *reader, to *engine.WarmThroughput) { to.ReadUnitsPerSecond = r.integer("Long") }},
	{"WriteUnitsPerSecond", func(r *reader, to *engine.WarmThroughput) { to.WriteUnitsPerSecond = r.integer("Long") }},
}

var indexStructure = structure[engine.SecondaryIndex]{
	{"IndexName", func(r *reader, to *engine.SecondaryIndex) { to.IndexName = r.str() }},
	{"KeySchema", func(r *reader, to *engine.SecondaryIndex) { to.KeySchema = readList(r, keySchemaStructure) }},
	{"Projection", func(r *reader, to *engine.SecondaryIndex) { to.Projection = readPointer(r, projectionStructure) }},
	{"ProvisionedThroughput", func(r *reader, to *engine.SecondaryIndex) {
		to.ProvisionedThroughput = readPointer(r, throughputStructure)
	}},
	{"OnDemandThroughput", func(r *reader, to *engine.SecondaryIndex) { to.OnDemandThroughput = readPointer(r, onDemandStructure) }},
	{"WarmThroughput", func(r *reader, to *engine.SecondaryIndex) { to.WarmThroughput = readPointer(r, warmStructure) }},
}

var streamStructure = structure[engine.StreamSpecification]{
	{"StreamEnabled", func(r *reader, to *engine.StreamSpecification) { to.StreamEnabled = r.boolean() }},
	{"StreamViewType", func(r *reader, to *engine.StreamSpecification) { to.StreamViewType = r.str() }},
}

var encryptionStructure = structure[engine.SSESpecification]{
	{"Enabled", func(r *reader, to *engine.SSESpecification) { to.Enabled = r.boolean() }},
	{"SSEType", func(r *reader, to *engine.SSESpecification) { to.SSEType = r.str() }},
	{"KMSMasterKeyId", func(r *reader, to *engine.SSESpecification) { to.KMSMasterKeyID = r.str() }},
}

var tagStructure = structure[engine.Tag]{
	{"Key", func(r *reader, to *engine.Tag) { to.Key = r.str() }},
	{"Value", func(r *reader, to *engine.Tag) { to.Value = r.str() }},
}

var createTableStructure = structure[engine.CreateTableInput]{
	{"TableName", func(r *reader, in *engine.CreateTableInput) { in.TableName = r.str() }},
	{"AttributeDefinitions", func(r *reader, in *engine.CreateTableInput) {
		in.AttributeDefinitions = readList(r, attributeDefinitionStructure)
	}},
	{"KeySchema", func(r *reader, in *engine.CreateTableInput) { in.KeySchema = readList(r, keySchemaStructure) }},
	{"BillingMode", func(r *reader, in *engine.CreateTableInput) { in.BillingMode = r.str() }},
	{"ProvisionedThroughput", func(r *reader, in *engine.CreateTableInput) {
		in.ProvisionedThroughput = readPointer(r, throughputStructure)
	}},
	{"OnDemandThroughput", func(r *reader, in *engine.CreateTableInput) {
		in.OnDemandThroughput = readPointer(r, onDemandStructure)
	}},
	{"WarmThroughput", func(r *reader, in *engine.CreateTableInput) { in.WarmThroughput = readPointer(r, warmStructure) }},
	{"GlobalSecondaryIndexes", func(r *reader, in *engine.CreateTableInput) { in.GlobalSecondaryIndexes = readList(r, indexStructure) }},
	{"LocalSecondaryIndexes", func(r *reader, in *engine.CreateTableInput) { in.LocalSecondaryIndexes = readList(r, indexStructure) }},
	{"VectorIndexes", func(r *reader, in *engine.CreateTableInput) { in.VectorIndexes = readList(r, vectorIndexStructure) }},
	{"StreamSpecification", func(r *reader, in *engine.CreateTableInput) { in.StreamSpecification = readPointer(r, streamStructure) }},
	{"SSESpecification", func(r *reader, in *engine.CreateTableInput) {
		in.SSESpecification = readPointer(r, encryptionStructure)
	}},
	{"Tags", func(r *reader, in *engine.CreateTableInput) { in.Tags = readList(r, tagStructure) }},
	{"TableClass", func(r *reader, in *engine.CreateTableInput) { in.TableClass = r.str() }},
	{"DeletionProtectionEnabled", func(r *reader, in *engine.CreateTableInput) { in.DeletionProtectionEnabled = r.boolean() }},
	{"ResourcePolicy", func(r *reader, in *engine.CreateTableInput) { in.ResourcePolicy = r.str() }},
}

func createTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.CreateTableInput
	if err := readInput(r, createTableStructure, &in); err != nil {
		return nil, err
	}
	return named("TableDescription")(e.CreateTable(ctx, &in))
}

// nameInput holds the only parameter of several table operations.
type nameInput struct {
	TableName *string
}

var nameStructure = structure[nameInput]{
	{"TableName", func(r *reader, in *nameInput) { in.TableName = r.str() }},
}

func describeTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, nameStructure, &in); err != nil {
		return nil, err
	}
	return named("Table")(e.DescribeTable(ctx, in.TableName))
}

func deleteTable(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in nameInput
	if err := readInput(r, nameStructure, &in); err != nil {
		return nil, err
	}
	return named("TableDescription")(e.DeleteTable(ctx, in.TableName))
}

var listTablesStructure = structure[engine.ListTablesInput]{
	{"ExclusiveStartTableName", func(r *reader, in *engine.ListTablesInput) { in.ExclusiveStartTableName = r.str() }},
	{"Limit", func(r *reader, in *engine.ListTablesInput) { in.Limit = r.integer("Integer") }},
}

func listTables(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ListTablesInput
	if err := readInput(r, listTablesStructure, &in); err != nil {
		return nil, err
	}
	return result(e.ListTables(ctx, &in))
}

// result writes a result whose Go type has the wire format.
func result(out any, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// named writes a result as the member with a name.
func named(name string) func(any, error) ([]byte, error) {
	return func(out any, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{name: out})
	}
}
