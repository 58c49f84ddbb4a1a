// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/definition"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/tableinfo"
)

const policyText = `{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "dynamodb:DeleteTable", "Resource": "*"}]}`

func everySetting() []schema.Option {
	return []schema.Option{
		schema.MaxOnDemand(1000, 500), schema.IndexMaxOnDemand("by-status", 200, 0), schema.WarmThroughput(13000, 5000), schema.IndexWarmThroughput("by-status", 14000, 0),
		schema.Stream(types.StreamViewTypeNewAndOldImages), schema.Tags(map[string]string{"team": "a", "cost": "b@c"}), schema.DeletionProtection(true), schema.InfrequentAccess(),
		schema.EncryptWithKMS(""), schema.PointInTimeRecovery(7), schema.ContributorInsights(), schema.ResourcePolicy(policyText),
	}
}

func newVisits(t *testing.T, client ddb.Client, name string) *ddb.Table[visit, string, int64] {
	t.Helper()
	visits, err := ddb.New(client, name, visitPage, visitN, ddb.TTL(visitExpires))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewIndex(visits, "by-status", visitStatus, visitSize); err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewLocalIndex(visits, "by-size", visitSize, ddb.KeysOnly()); err != nil {
		t.Fatal(err)
	}
	return visits
}

// TestSettings: CreateTable and EnsureTable apply the settings, and VerifyTable finds differences.
func TestSettings(t *testing.T) {
	apitest.NeedsEngine(t, "resource policies and insights")
	client := ddbtest.New(t)
	made := newVisits(t, client, "made")
	if err := made.CreateTable(t.Context(), everySetting()...); err != nil {
		t.Fatal(err)
	}
	if differences, err := made.VerifyTable(t.Context(), everySetting()...); err != nil || len(differences) > 0 {
		t.Errorf("after CreateTable: %v, %v", differences, err)
	}
	completed := newVisits(t, client, "completed")
	if err := completed.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	settable := []schema.Option{schema.PointInTimeRecovery(7), schema.ContributorInsights(), schema.Tags(map[string]string{"team": "a"})}
	differences, err := completed.VerifyTable(t.Context(), settable...)
	if err != nil || len(differences) != 3 {
		t.Errorf("before EnsureTable: %v, %v", differences, err)
	}
	if err := completed.EnsureTable(t.Context(), settable...); err != nil {
		t.Error(err)
	}
	if differences, err := completed.VerifyTable(t.Context(), settable...); err != nil || len(differences) > 0 {
		t.Errorf("after EnsureTable: %v, %v", differences, err)
	}
	// Differences are reported and not changed.
	other := []schema.Option{
		schema.PointInTimeRecovery(8), schema.Tags(map[string]string{"team": "b"}), schema.WarmThroughput(40000, 4000000), schema.ResourcePolicy(policyText), schema.IndexMaxOnDemand("by-status", 7, 0),
	}
	err = completed.EnsureTable(t.Context(), other...)
	failed, ok := errors.AsType[*schema.Error](err)
	if !ok || len(failed.Differences) != 5 {
		t.Fatalf("%v", err)
	}
	for _, d := range failed.Differences {
		t.Log(d)
	}
}

func TestWrongSettings(t *testing.T) {
	visits := newVisits(t, apitest.NewClient(t), "wrong")
	_, err := tableinfo.Definition(visits, schema.PointInTimeRecovery(36), schema.WarmThroughput(0, 0), schema.IndexWarmThroughput("none", 1, 1), schema.IndexMaxOnDemand("by-size", 1, 1),
		schema.ResourcePolicy("{"), nil)
	if !errors.Is(err, ddb.ErrInvalid) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"36 days", "option WarmThroughput", "no global index none", "no global index by-size", "not JSON", "an option is nil"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	for _, table := range []schema.Ensurer{nil, (*ddb.Table[visit, string, int64])(nil), (*ddb.SharedTable)(nil), &ddb.SimpleTable[page, string]{}} {
		if d, err := tableinfo.Definition(table); !errors.Is(err, ddb.ErrInvalid) || d != nil {
			t.Errorf("%T: %v", table, err)
		}
	}
}

// TestTemplateCreatesTable: a table that is created only from the template's properties is the one that the code needs.
func TestTemplateCreatesTable(t *testing.T) {
	apitest.NeedsEngine(t, "resource policies and insights")
	client := ddbtest.New(t)
	visits := newVisits(t, client, "visits")
	d, err := tableinfo.Definition(visits, everySetting()...)
	if err != nil {
		t.Fatal(err)
	}
	template, err := definition.CloudFormation(d)
	if err != nil {
		t.Fatal(err)
	}
	deploy(t, client, template)
	if differences, err := visits.VerifyTable(t.Context(), everySetting()...); err != nil || len(differences) > 0 {
		t.Errorf("%v, %v\n%s", differences, err, template)
	}
}

// deploy does what CloudFormation does with a template of one table.
func deploy(t *testing.T, client *dynamodb.Client, template []byte) {
	t.Helper()
	var stack struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				dynamodb.CreateTableInput
				StreamSpecification struct{ StreamViewType types.StreamViewType }
				SSESpecification    struct {
					SSEEnabled bool
					SSEType    types.SSEType
				}
				ResourcePolicy                   struct{ PolicyDocument json.RawMessage }
				TimeToLiveSpecification          *types.TimeToLiveSpecification
				PointInTimeRecoverySpecification *types.PointInTimeRecoverySpecification
				ContributorInsightsSpecification struct{ Enabled bool }
			}
		}
	}
	if err := json.Unmarshal(template, &stack); err != nil || len(stack.Resources) != 1 {
		t.Fatalf("%v\n%s", err, template)
	}
	for _, r := range stack.Resources {
		p := r.Properties
		in := p.CreateTableInput
		if r.Type != "AWS::DynamoDB::Table" {
			t.Errorf("a resource of type %s", r.Type)
		}
		if v := p.StreamSpecification.StreamViewType; v != "" {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: v}
		}
		if p.SSESpecification.SSEEnabled {
			in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: p.SSESpecification.SSEType}
		}
		if len(p.ResourcePolicy.PolicyDocument) > 0 {
			in.ResourcePolicy = aws.String(string(p.ResourcePolicy.PolicyDocument))
		}
		if _, err := client.CreateTable(t.Context(), &in); err != nil {
			t.Fatalf("%v\n%s", err, template)
		}
		if _, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: in.TableName, TimeToLiveSpecification: p.TimeToLiveSpecification}); err != nil {
			t.Error(err)
		}
		if _, err := client.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
			TableName: in.TableName, PointInTimeRecoverySpecification: p.PointInTimeRecoverySpecification,
		}); err != nil {
			t.Error(err)
		}
		if p.ContributorInsightsSpecification.Enabled {
			if _, err := client.UpdateContributorInsights(t.Context(), &dynamodb.UpdateContributorInsightsInput{
				TableName: in.TableName, ContributorInsightsAction: types.ContributorInsightsActionEnable,
			}); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestTerraformAndCDKForms compares the definitions for Terraform and CDK with the attributes that their documentation lists.
func TestTerraformAndCDKForms(t *testing.T) {
	visits := newVisits(t, apitest.NewClient(t), "my-visits")
	d, err := tableinfo.Definition(visits, everySetting()...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := definition.Terraform(d)
	if err != nil {
		t.Fatal(err)
	}
	var configuration struct {
		Resource map[string]map[string]map[string]any
	}
	if err := json.Unmarshal(text, &configuration); err != nil {
		t.Fatal(err)
	}
	table := configuration.Resource["aws_dynamodb_table"]["my_visits_table"]
	want := map[string]string{
		"name": `"my-visits"`, "billing_mode": `"PAY_PER_REQUEST"`, "hash_key": `"page"`, "range_key": `"n"`,
		"attribute":              `[{"name":"page","type":"S"},{"name":"n","type":"N"},{"name":"size","type":"N"},{"name":"status","type":"S"}]`,
		"on_demand_throughput":   `{"max_read_request_units":1000,"max_write_request_units":500}`,
		"warm_throughput":        `{"read_units_per_second":13000,"write_units_per_second":5000}`,
		"global_secondary_index": `[{"hash_key":"status","name":"by-status","on_demand_throughput":{"max_read_request_units":200},"projection_type":"ALL","range_key":"size","warm_throughput":{"read_units_per_second":14000}}]`,
		"local_secondary_index":  `[{"name":"by-size","projection_type":"KEYS_ONLY","range_key":"size"}]`,
		"stream_enabled":         `true`, "stream_view_type": `"NEW_AND_OLD_IMAGES"`, "server_side_encryption": `{"enabled":true}`,
		"deletion_protection_enabled": `true`, "table_class": `"STANDARD_INFREQUENT_ACCESS"`, "tags": `{"cost":"b@c","team":"a"}`,
		"ttl": `{"attribute_name":"expires","enabled":true}`, "point_in_time_recovery": `{"enabled":true,"recovery_period_in_days":7}`, "lifecycle": `{"prevent_destroy":true}`,
	}
	for name, value := range want {
		if got, err := json.Marshal(table[name]); err != nil || string(got) != value {
			t.Errorf("%s is %s, not %s (%v)", name, got, value, err)
		}
	}
	if len(table) != len(want) {
		t.Errorf("%d arguments, not %d:\n%s", len(table), len(want), text)
	}
	if configuration.Resource["aws_dynamodb_contributor_insights"]["my_visits_table"]["table_name"] != "${aws_dynamodb_table.my_visits_table.name}" ||
		configuration.Resource["aws_dynamodb_resource_policy"]["my_visits_table"]["resource_arn"] != "${aws_dynamodb_table.my_visits_table.arn}" {
		t.Errorf("insights or policy are missing:\n%s", text)
	}
	cdk, err := definition.CDK(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		`"MyVisitsTable": {`, `"tableName": "my-visits"`, `"sseSpecification": {`, `"sseEnabled": true`, `"globalSecondaryIndexes": [`, `"attributeName": "page"`, `"policyDocument": {`,
		`"Effect": "Deny"`, `"maxReadRequestUnits": 1000`, `"contributorInsightsSpecification": {`,
	} {
		if !strings.Contains(string(cdk), name) {
			t.Errorf("CDK's form lacks %s:\n%s", name, cdk)
		}
	}
}

func TestWrongDefinitions(t *testing.T) {
	visits := newVisits(t, apitest.NewClient(t), "a-b")
	d, err := tableinfo.Definition(visits)
	if err != nil {
		t.Fatal(err)
	}
	same, err := tableinfo.Definition(newVisits(t, apitest.NewClient(t), "a.b"))
	if err != nil {
		t.Fatal(err)
	}
	several := *d.Create
	several.KeySchema = append([]types.KeySchemaElement{{AttributeName: aws.String("x"), KeyType: types.KeyTypeHash}}, several.KeySchema...)
	for what, tables := range map[string][]*schema.Definition{
		"none": nil, "nil": {nil}, "zero": {{}}, "one identifier for two": {d, same}, "the same twice": {d, d},
	} {
		for form, write := range map[string]func(...*schema.Definition) ([]byte, error){
			"CloudFormation": definition.CloudFormation, "Terraform": definition.Terraform, "CDK": definition.CDK,
		} {
			if text, err := write(tables...); err == nil || text != nil {
				t.Errorf("%s takes %s", form, what)
			}
		}
	}
	if _, err := definition.Terraform(&schema.Definition{Create: &several}); err == nil || !strings.Contains(err.Error(), "several partition") {
		t.Errorf("%v", err)
	}
}
