// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/schema"
)

// CloudFormation writes a template with a resource for each table. The tables stay when the stack is deleted or a change would replace them
// (DeletionPolicy and UpdateReplacePolicy are Retain).
//
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
func CloudFormation(tables ...*schema.Definition) ([]byte, error) {
	if err := check(tables); err != nil {
		return nil, err
	}
	resources := object{}
	for _, t := range tables {
		p, err := properties(t)
		if err != nil {
			return nil, err
		}
		resources[identifier(deref(t.Create.TableName))] = object{
			"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": p,
		}
	}
	return write(object{"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
}

// CDK writes the properties of a CfnTable for each table, under an identifier derived from its name:
//
//	for (const [id, props] of Object.entries(JSON.parse(fs.readFileSync("tables.json", "utf8")))) {
//	  new dynamodb.CfnTable(this, id, props as dynamodb.CfnTableProps);
//	}
//
// https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_dynamodb.CfnTable.html
func CDK(tables ...*schema.Definition) ([]byte, error) {
	if err := check(tables); err != nil {
		return nil, err
	}
	all := object{}
	for _, t := range tables {
		p, err := properties(t)
		if err != nil {
			return nil, err
		}
		policy := p["ResourcePolicy"]
		lowered := lower(p).(object) //nolint:forcetypeassert // an object stays one
		if policy != nil {           // the document is IAM's and keeps its names
			lowered["resourcePolicy"] = object{"policyDocument": policy.(object)["PolicyDocument"]} //nolint:forcetypeassert // made below
		}
		all[identifier(deref(t.Create.TableName))] = lowered
	}
	return write(all)
}

// lower converts the names of properties to those of CDK: TableName is tableName, SSESpecification sseSpecification, KMSMasterKeyId kmsMasterKeyId.
func lower(v any) any {
	switch v := v.(type) {
	case object:
		all := object{}
		for name, value := range v {
			all[lowerFirst(name)] = lower(value)
		}
		return all
	case []object:
		all := make([]any, len(v))
		for i, e := range v {
			all[i] = lower(e)
		}
		return all
	}
	return v
}

func lowerFirst(name string) string {
	letters := []rune(name)
	for i := range letters {
		// The last of several capitals begins the next word.
		if !unicode.IsUpper(letters[i]) || i > 0 && i+1 < len(letters) && !unicode.IsUpper(letters[i+1]) {
			break
		}
		letters[i] = unicode.ToLower(letters[i])
	}
	return string(letters)
}

// properties returns those of AWS::DynamoDB::Table.
func properties(t *schema.Definition) (object, error) {
	in := t.Create
	p := object{
		"TableName": deref(in.TableName), "KeySchema": keyObjects(in.KeySchema), "BillingMode": string(in.BillingMode),
	}
	definitions := make([]object, len(in.AttributeDefinitions))
	for i, d := range in.AttributeDefinitions {
		definitions[i] = object{"AttributeName": deref(d.AttributeName), "AttributeType": string(d.AttributeType)}
	}
	p["AttributeDefinitions"] = definitions
	throughput(p, in.ProvisionedThroughput, in.OnDemandThroughput, in.WarmThroughput)
	var global, local []object
	for _, g := range in.GlobalSecondaryIndexes {
		o := object{"IndexName": deref(g.IndexName), "KeySchema": keyObjects(g.KeySchema), "Projection": projection(g.Projection)}
		throughput(o, g.ProvisionedThroughput, g.OnDemandThroughput, g.WarmThroughput)
		global = append(global, o)
	}
	for _, l := range in.LocalSecondaryIndexes {
		local = append(local, object{"IndexName": deref(l.IndexName), "KeySchema": keyObjects(l.KeySchema), "Projection": projection(l.Projection)})
	}
	if len(global) > 0 {
		p["GlobalSecondaryIndexes"] = global
	}
	if len(local) > 0 {
		p["LocalSecondaryIndexes"] = local
	}
	if s := in.StreamSpecification; s != nil && deref(s.StreamEnabled) {
		p["StreamSpecification"] = object{"StreamViewType": string(s.StreamViewType)}
	}
	if s := in.SSESpecification; s != nil && deref(s.Enabled) {
		o := object{"SSEEnabled": true}
		if s.SSEType != "" {
			o["SSEType"] = string(s.SSEType)
		}
		if s.KMSMasterKeyId != nil {
			o["KMSMasterKeyId"] = *s.KMSMasterKeyId
		}
		p["SSESpecification"] = o
	}
	if in.DeletionProtectionEnabled != nil {
		p["DeletionProtectionEnabled"] = *in.DeletionProtectionEnabled
	}
	if in.TableClass != "" {
		p["TableClass"] = string(in.TableClass)
	}
	var tags []object
	for _, tag := range in.Tags {
		tags = append(tags, object{"Key": deref(tag.Key), "Value": deref(tag.Value)})
	}
	if len(tags) > 0 {
		p["Tags"] = tags
	}
	policy, err := policyOf(t)
	if err != nil {
		return nil, err
	}
	if policy != nil {
		p["ResourcePolicy"] = object{"PolicyDocument": policy}
	}
	if t.TTL != "" {
		p["TimeToLiveSpecification"] = object{"AttributeName": t.TTL, "Enabled": true}
	}
	if t.RecoveryDays > 0 {
		p["PointInTimeRecoverySpecification"] = object{"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": t.RecoveryDays}
	}
	if t.ContributorInsights {
		p["ContributorInsightsSpecification"] = object{"Enabled": true}
	}
	return p, nil
}

func keyObjects(elements []types.KeySchemaElement) []object {
	all := make([]object, len(elements))
	for i, e := range elements {
		all[i] = object{"AttributeName": deref(e.AttributeName), "KeyType": string(e.KeyType)}
	}
	return all
}

func projection(p *types.Projection) object {
	if p == nil {
		return object{"ProjectionType": string(types.ProjectionTypeAll)}
	}
	o := object{"ProjectionType": string(p.ProjectionType)}
	if len(p.NonKeyAttributes) > 0 {
		o["NonKeyAttributes"] = p.NonKeyAttributes
	}
	return o
}

// throughput adds the throughput of a table or of an index, if it has any.
func throughput(o object, provisioned *types.ProvisionedThroughput, limits *types.OnDemandThroughput, warm *types.WarmThroughput) {
	if provisioned != nil {
		o["ProvisionedThroughput"] = object{"ReadCapacityUnits": deref(provisioned.ReadCapacityUnits), "WriteCapacityUnits": deref(provisioned.WriteCapacityUnits)}
	}
	if limits != nil {
		o["OnDemandThroughput"] = sides("MaxReadRequestUnits", limits.MaxReadRequestUnits, "MaxWriteRequestUnits", limits.MaxWriteRequestUnits)
	}
	if warm != nil {
		o["WarmThroughput"] = sides("ReadUnitsPerSecond", warm.ReadUnitsPerSecond, "WriteUnitsPerSecond", warm.WriteUnitsPerSecond)
	}
}

func sides(read string, r *int64, write string, w *int64) object {
	o := object{}
	if r != nil {
		o[read] = *r
	}
	if w != nil {
		o[write] = *w
	}
	return o
}
