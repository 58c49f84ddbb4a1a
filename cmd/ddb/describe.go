// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cmd/ddb/internal/livetable"
	"github.com/dynamotable/ddb/cmd/ddb/internal/structs"
	"github.com/dynamotable/ddb/definition"
	"github.com/dynamotable/ddb/schema"
)

var describe = command{
	name:  "describe",
	args:  "TABLE...",
	brief: "describe tables as text, Go, CloudFormation, Terraform or CDK",
	long: `
The formats cloudformation, terraform and cdk contain what a tool needs to deploy the same tables: keys, indexes, throughput, stream, time to
live, recovery, encryption, tags, policy. The format go is a struct with the attributes that the definition names, its handles and its schema; ddb gen
struct adds those of a sample. A setting that may not be read is missing, is named, and the exit status is 3.`,
	prepare: func(f *flag.FlagSet) action {
		var c connection
		c.define(f)
		format := f.String("format", "text", "the `format`: text, go, cloudformation, terraform or cdk")
		return func(ctx context.Context, s streams, args []string) error {
			write := map[string]func(io.Writer, []*livetable.Table) error{
				"text": asText, "go": asGo, "cloudformation": asTemplate(definition.CloudFormation),
				"terraform": asTemplate(definition.Terraform), "cdk": asTemplate(definition.CDK),
			}[*format]
			switch {
			case len(args) == 0:
				return usageError("describe: name one table or several")
			case write == nil:
				return usageError("describe: the format %q is not known; there are text, go, cloudformation, terraform and cdk", *format)
			case *format == "go" && len(args) > 1:
				return usageError("describe: the format go takes one table, a file for each")
			}
			client, err := c.client(ctx, s)
			if err != nil {
				return err
			}
			var list []*livetable.Table
			partly := false
			for _, name := range args {
				t, err := livetable.Describe(ctx, client, name)
				if err != nil {
					return err
				}
				for _, err := range t.Unread {
					fmt.Fprintf(s.err, "table %s: not read: %v\n", name, err)
					partly = true
				}
				list = append(list, t)
			}
			if err := write(s.out, list); err != nil {
				return err
			}
			if partly {
				return fmt.Errorf("%w: some settings were not read", errPartly)
			}
			return nil
		}
	},
}

func asTemplate(write func(...*schema.Definition) ([]byte, error)) func(io.Writer, []*livetable.Table) error {
	return func(w io.Writer, list []*livetable.Table) error {
		definitions := make([]*schema.Definition, len(list))
		for i, t := range list {
			definitions[i] = t.Definition
		}
		text, err := write(definitions...)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}
}

func asGo(w io.Writer, list []*livetable.Table) error {
	text, err := structs.Source(&structs.Sample{Table: list[0].TableDescription, TTL: list[0].Definition.TTL}, structs.Options{})
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// asText returns a description for people.
func asText(out io.Writer, list []*livetable.Table) error {
	for i, t := range list {
		if i > 0 {
			fmt.Fprintln(out)
		}
		w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		in := t.Definition.Create
		line := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
		line("table", "%s", aws.ToString(t.TableName))
		line("ARN", "%s", aws.ToString(t.TableArn))
		line("state", "%s", t.TableStatus)
		if at := t.CreationDateTime; at != nil {
			line("created", "%s", at.UTC().Format(time.RFC3339))
		}
		line("key", "%s", typedKey(t, t.KeySchema))
		line("counted", "%d items, %d bytes", aws.ToInt64(t.ItemCount), aws.ToInt64(t.TableSizeBytes))
		line("throughput", "%s", throughputText(in.BillingMode, in.ProvisionedThroughput, in.OnDemandThroughput))
		for _, x := range t.GlobalSecondaryIndexes {
			line("index", "%s on %s, %s, %s", aws.ToString(x.IndexName), typedKey(t, x.KeySchema), projectionText(x.Projection), x.IndexStatus)
		}
		for _, x := range t.LocalSecondaryIndexes {
			line("local index", "%s on %s, %s", aws.ToString(x.IndexName), typedKey(t, x.KeySchema), projectionText(x.Projection))
		}
		for _, x := range t.VectorIndexes {
			line("vector index", "%s", aws.ToString(x.IndexName))
		}
		if t.Definition.TTL != "" {
			line("time to live", "%s", t.Definition.TTL)
		}
		if st := t.StreamSpecification; st != nil && aws.ToBool(st.StreamEnabled) {
			line("stream", "%s", st.StreamViewType)
		}
		if t.Definition.RecoveryDays > 0 {
			line("recovery", "%d days", t.Definition.RecoveryDays)
		}
		if t.Definition.ContributorInsights {
			line("insights", "on")
		}
		if in.TableClass != "" {
			line("class", "%s", in.TableClass)
		}
		if in.SSESpecification != nil {
			line("encryption", "%s", in.SSESpecification.SSEType)
		}
		if aws.ToBool(t.DeletionProtectionEnabled) {
			line("protected", "against deletion")
		}
		for _, r := range t.Replicas {
			line("replica", "%s, %s", aws.ToString(r.RegionName), r.ReplicaStatus)
		}
		for _, tag := range in.Tags {
			line("tag", "%s=%s", aws.ToString(tag.Key), aws.ToString(tag.Value))
		}
		if in.ResourcePolicy != nil {
			line("policy", "a resource policy")
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// keyNames returns the names of a key's attributes, beginning with those of the partition key.
func keyNames(schema []types.KeySchemaElement) (names []string) {
	for _, role := range []types.KeyType{types.KeyTypeHash, types.KeyTypeRange} {
		for _, k := range schema {
			if k.KeyType == role {
				names = append(names, aws.ToString(k.AttributeName))
			}
		}
	}
	return names
}

// typedKey returns a key with the types of its attributes.
func typedKey(t *livetable.Table, schema []types.KeySchemaElement) string {
	var parts []string
	for _, name := range keyNames(schema) {
		i := slices.IndexFunc(t.AttributeDefinitions, func(d types.AttributeDefinition) bool { return aws.ToString(d.AttributeName) == name })
		if i >= 0 {
			name += " " + string(t.AttributeDefinitions[i].AttributeType)
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, ", ")
}

func projectionText(p *types.Projection) string {
	switch {
	case p == nil || p.ProjectionType == types.ProjectionTypeAll:
		return "all attributes"
	case p.ProjectionType == types.ProjectionTypeKeysOnly:
		return "keys only"
	}
	return "with " + strings.Join(p.NonKeyAttributes, ", ")
}

func throughputText(mode types.BillingMode, p *types.ProvisionedThroughput, m *types.OnDemandThroughput) string {
	if mode == types.BillingModeProvisioned && p != nil {
		return fmt.Sprintf("%d read and %d write units a second", aws.ToInt64(p.ReadCapacityUnits), aws.ToInt64(p.WriteCapacityUnits))
	}
	text := "on demand"
	if m != nil {
		bound := func(n *int64, what string) {
			if aws.ToInt64(n) > 0 {
				text += fmt.Sprintf(", at most %d %s units a second", *n, what)
			}
		}
		bound(m.MaxReadRequestUnits, "read")
		bound(m.MaxWriteRequestUnits, "write")
	}
	return text
}
