// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/schema"
)

// Terraform writes a configuration in JSON, for a file that ends in .tf.json, with the resources of the AWS provider: a table and, if requested, its
// contributor insights and its resource policy. The tables are kept when a change would delete them (prevent_destroy). It refuses indexes
// with several partition or sort attributes, because aws_dynamodb_table has only hash_key and range_key.
//
// https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/dynamodb_table
func Terraform(tables ...*schema.Definition) ([]byte, error) {
	if err := check(tables); err != nil {
		return nil, err
	}
	resources, insights, policies := object{}, object{}, object{}
	var errs []error
	for _, t := range tables {
		id := terraformName(identifier(deref(t.Create.TableName)))
		table, err := terraformTable(t)
		errs = append(errs, err)
		resources[id] = table
		if t.ContributorInsights {
			insights[id] = object{"table_name": "${aws_dynamodb_table." + id + ".name}"}
		}
		policy, err := policyOf(t)
		errs = append(errs, err)
		if policy != nil {
			policies[id] = object{"resource_arn": "${aws_dynamodb_table." + id + ".arn}", "policy": terraformText(deref(t.Create.ResourcePolicy))}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	all := object{"aws_dynamodb_table": resources}
	if len(insights) > 0 {
		all["aws_dynamodb_contributor_insights"] = insights
	}
	if len(policies) > 0 {
		all["aws_dynamodb_resource_policy"] = policies
	}
	return write(object{"resource": all})
}

// terraformName converts OrdersTable to orders_table.
func terraformName(id string) string {
	var b strings.Builder
	for i, r := range id {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// terraformText escapes text so that it is not read as a template.
// https://developer.hashicorp.com/terraform/language/syntax/json
func terraformText(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s)
}

func terraformTable(t *schema.Definition) (object, error) {
	in := t.Create
	name := deref(in.TableName)
	hash, sort, err := pair(in.KeySchema)
	if err != nil {
		return nil, fmt.Errorf("definition: table %s: %w", name, err)
	}
	o := object{"name": name, "billing_mode": string(in.BillingMode), "hash_key": hash, "lifecycle": object{"prevent_destroy": true}}
	if sort != "" {
		o["range_key"] = sort
	}
	var attributes, global, local []object
	for _, d := range in.AttributeDefinitions {
		attributes = append(attributes, object{"name": deref(d.AttributeName), "type": string(d.AttributeType)})
	}
	o["attribute"] = attributes
	terraformThroughput(o, in.ProvisionedThroughput, in.OnDemandThroughput, in.WarmThroughput)
	var errs []error
	for _, g := range in.GlobalSecondaryIndexes {
		i, err := terraformIndex(deref(g.IndexName), g.KeySchema, g.Projection)
		errs = append(errs, err)
		if err == nil {
			terraformThroughput(i, g.ProvisionedThroughput, g.OnDemandThroughput, g.WarmThroughput)
			global = append(global, i)
		}
	}
	for _, l := range in.LocalSecondaryIndexes {
		i, err := terraformIndex(deref(l.IndexName), l.KeySchema, l.Projection)
		errs = append(errs, err)
		if err == nil {
			delete(i, "hash_key") // it is the table's
			local = append(local, i)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("definition: table %s: %w", name, err)
	}
	if len(global) > 0 {
		o["global_secondary_index"] = global
	}
	if len(local) > 0 {
		o["local_secondary_index"] = local
	}
	if s := in.StreamSpecification; s != nil && deref(s.StreamEnabled) {
		o["stream_enabled"], o["stream_view_type"] = true, string(s.StreamViewType)
	}
	if s := in.SSESpecification; s != nil && deref(s.Enabled) {
		e := object{"enabled": true}
		if s.KMSMasterKeyId != nil {
			e["kms_key_arn"] = *s.KMSMasterKeyId
		}
		o["server_side_encryption"] = e
	}
	if in.DeletionProtectionEnabled != nil {
		o["deletion_protection_enabled"] = *in.DeletionProtectionEnabled
	}
	if in.TableClass != "" {
		o["table_class"] = string(in.TableClass)
	}
	if len(t.Create.Tags) > 0 {
		tags := object{}
		for _, tag := range t.Create.Tags {
			tags[deref(tag.Key)] = terraformText(deref(tag.Value))
		}
		o["tags"] = tags
	}
	if t.TTL != "" {
		o["ttl"] = object{"attribute_name": t.TTL, "enabled": true}
	}
	if t.RecoveryDays > 0 {
		o["point_in_time_recovery"] = object{"enabled": true, "recovery_period_in_days": t.RecoveryDays}
	}
	return o, nil
}

func terraformIndex(name string, key []types.KeySchemaElement, p *types.Projection) (object, error) {
	hash, sort, err := pair(key)
	if err != nil {
		return nil, fmt.Errorf("index %s: %w", name, err)
	}
	o := object{"name": name, "hash_key": hash}
	if sort != "" {
		o["range_key"] = sort
	}
	projected := projection(p)
	o["projection_type"] = projected["ProjectionType"]
	if more, ok := projected["NonKeyAttributes"]; ok {
		o["non_key_attributes"] = more
	}
	return o, nil
}

// pair returns a key with one partition attribute and at most one sort attribute.
func pair(key []types.KeySchemaElement) (hash, sort string, err error) {
	for _, e := range key {
		at := &hash
		if e.KeyType == types.KeyTypeRange {
			at = &sort
		}
		if *at != "" {
			return "", "", errors.New("its key has several partition or sort attributes, which this format does not support")
		}
		*at = deref(e.AttributeName)
	}
	return hash, sort, nil
}

func terraformThroughput(o object, provisioned *types.ProvisionedThroughput, limits *types.OnDemandThroughput, warm *types.WarmThroughput) {
	if provisioned != nil {
		o["read_capacity"], o["write_capacity"] = deref(provisioned.ReadCapacityUnits), deref(provisioned.WriteCapacityUnits)
	}
	if limits != nil {
		o["on_demand_throughput"] = sides("max_read_request_units", limits.MaxReadRequestUnits, "max_write_request_units", limits.MaxWriteRequestUnits)
	}
	if warm != nil {
		o["warm_throughput"] = sides("read_units_per_second", warm.ReadUnitsPerSecond, "write_units_per_second", warm.WriteUnitsPerSecond)
	}
}
