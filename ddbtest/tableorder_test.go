// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

// The sources of the rules of this file.
const (
	// quirks records answers of the service in October 2026:
	// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks
	quirks = "quirks"
	// dynoxideLog records answers of the service in its change log and its sources: https://github.com/nubo-db/dynoxide
	dynoxideLog = "dynoxide"
	// lint is https://github.com/aws-cloudformation/cfn-lint/issues/1037
	lint = "cfn-lint"
)

// initialWarmth is the end of the texts about warm throughput of on-demand tables.
const initialWarmth = " is lower than initial throughput for OnDemand. " +
	"See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial"

func globalIndex(name string, keys ...types.KeySchemaElement) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{IndexName: &name, KeySchema: keys, Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}
}

func localIndex(name string, keys ...types.KeySchemaElement) types.LocalSecondaryIndex {
	return types.LocalSecondaryIndex{IndexName: &name, KeySchema: keys, Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}
}

func provisioned(read, write int64) *types.ProvisionedThroughput {
	return &types.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
}

func warm(read, write int64) *types.WarmThroughput {
	return &types.WarmThroughput{ReadUnitsPerSecond: &read, WriteUnitsPerSecond: &write}
}

func TestCreateTableOrder(t *testing.T) {
	client := ddbtest.New(t)
	const invalid = "One or more parameter values were invalid: "
	for name, c := range map[string]struct {
		source string
		change func(*dynamodb.CreateTableInput)
		want   string
	}{
		"name before everything else, and alone": {dynoxideLog, func(in *dynamodb.CreateTableInput) { in.TableName, in.BillingMode = aws.String("a b"), "FREE" },
			"1 validation error detected: Value 'a b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		"characters of the name before its length": {dynoxideLog, func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("a ") },
			"2 validation errors detected: Value 'a ' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; " +
				"Value 'a ' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		"length of an index's name before its characters": {quirks, func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("", key("pk", "HASH"))}
		}, "2 validation errors detected: Value '' at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must have length greater than or equal to 3; " +
			"Value '' at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		"kind of stream": {quirks, func(in *dynamodb.CreateTableInput) {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: "OLD"}
		}, "1 validation error detected: Value 'OLD' at 'streamSpecification.streamViewType' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]"},
		"empty key of encryption": {quirks, func(in *dynamodb.CreateTableInput) {
			in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms, KMSMasterKeyId: aws.String("")}
		}, "1 validation error detected: Value '' at 'sSESpecification.kMSMasterKeyId' failed to satisfy constraint: Member must have length greater than or equal to 1"},

		"no definition of the sort key": {lint, func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = in.AttributeDefinitions[:1] },
			"Invalid KeySchema: Some index key attribute have no definition"},
		"no definitions": {quirks, func(in *dynamodb.CreateTableInput) {
			in.KeySchema, in.AttributeDefinitions = in.KeySchema[:1], []types.AttributeDefinition{}
		}, "Invalid KeySchema: Some index key attribute have no definition"},
		"definition of another name": {quirks, func(in *dynamodb.CreateTableInput) {
			in.KeySchema, in.AttributeDefinitions = []types.KeySchemaElement{key("PK", "HASH")}, []types.AttributeDefinition{attr("pk", "S")}
		}, invalid + "Some index key attributes are not defined in AttributeDefinitions. Keys: [PK], AttributeDefinitions: [pk]"},
		"definitions before the kind of the second key": {dynoxideLog, func(in *dynamodb.CreateTableInput) {
			in.KeySchema[1].KeyType, in.AttributeDefinitions = types.KeyTypeHash, in.AttributeDefinitions[:1]
		}, "Invalid KeySchema: Some index key attribute have no definition"},
		"kind of the second key": {quirks, func(in *dynamodb.CreateTableInput) { in.KeySchema[1].KeyType = types.KeyTypeHash },
			"Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"},
		"a name twice": {dynoxideLog, func(in *dynamodb.CreateTableInput) {
			in.KeySchema[1].AttributeName, in.AttributeDefinitions = in.KeySchema[0].AttributeName, in.AttributeDefinitions[:1]
		}, "Invalid KeySchema: Some index key attribute have no definition"},
		"a name twice, with another definition": {dynoxideLog, func(in *dynamodb.CreateTableInput) {
			in.KeySchema[1].AttributeName = in.KeySchema[0].AttributeName
		}, "Invalid KeySchema: Some index key attribute have no definition"},
		"a name twice in the key of an index": {quirks, func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("far", key("pk", "HASH"), key("pk", "RANGE"))}
		}, "Both the Hash Key and the Range Key element in the KeySchema have the same name"},

		"list of global indexes before that of local ones": {"issue 18", func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes, in.LocalSecondaryIndexes = []types.GlobalSecondaryIndex{}, []types.LocalSecondaryIndex{}
		}, invalid + "List of GlobalSecondaryIndexes is empty"},
		"global indexes before local ones": {"issue 18", func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("far", key("g", "HASH"))}
			in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{localIndex("near", key("pk", "HASH"), key("l", "RANGE"))}
		}, invalid + "Some index key attributes are not defined in AttributeDefinitions. Keys: [g], AttributeDefinitions: [pk, sk]"},
		"parameters of global indexes before those of local ones": {"issue 18", func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("f;r", key("pk", "HASH"))}
			in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{localIndex("ne", key("pk", "HASH"), key("sk", "RANGE"))}
		}, "2 validation errors detected: Value 'f;r' at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; " +
			"Value 'ne' at 'localSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		"indexes before definitions that nothing uses": {dynoxideLog, func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, attr("unused", "S"))
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("far", key("pk", "RANGE"))}
		}, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},

		"ceiling in provisioned mode": {dynoxideLog, func(in *dynamodb.CreateTableInput) {
			in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, provisioned(1, 1)
			in.OnDemandThroughput = &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(5)}
		}, invalid + "MaxWriteRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED."},
		"no ceiling to remove": {quirks, func(in *dynamodb.CreateTableInput) {
			in.OnDemandThroughput = &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(-1)}
		}, invalid + "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range"},
		"warm throughput below the initial one": {quirks, func(in *dynamodb.CreateTableInput) { in.WarmThroughput = warm(1, 1) },
			invalid + "Requested ReadUnitsPerSecond for WarmThroughput for table" + initialWarmth},
		"warm writes below the initial ones": {quirks, func(in *dynamodb.CreateTableInput) { in.WarmThroughput = warm(12000, 3999) },
			invalid + "Requested WriteUnitsPerSecond for WarmThroughput for table" + initialWarmth},
		"warm throughput of an index": {quirks, func(in *dynamodb.CreateTableInput) {
			x := globalIndex("far", key("pk", "HASH"))
			x.WarmThroughput = warm(1, 1)
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{x}
		}, invalid + "Requested ReadUnitsPerSecond for WarmThroughput for index far" + initialWarmth},
		"warm throughput below the provisioned one": {quirks, func(in *dynamodb.CreateTableInput) {
			in.BillingMode, in.ProvisionedThroughput, in.WarmThroughput = types.BillingModeProvisioned, provisioned(10, 10), warm(5, 5)
		}, invalid + "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than ReadCapacityUnits of ProvisionedThroughput"},
	} {
		t.Run(name, func(t *testing.T) {
			in := pairTable("fresh")
			c.change(in)
			_, err := client.CreateTable(t.Context(), in)
			wantError(t, err, "ValidationException", c.want)
			if t.Failed() {
				t.Logf("source: %s", c.source)
			}
		})
	}
}

// Empty members count as absent.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-throughput-billing.md, DDB-TABLE-457)
func TestEmptyThroughputs(t *testing.T) {
	client := ddbtest.New(t)
	in := pairTable("empty")
	in.WarmThroughput, in.OnDemandThroughput = &types.WarmThroughput{}, &types.OnDemandThroughput{}
	x := globalIndex("far", key("sk", "HASH"))
	x.WarmThroughput, x.OnDemandThroughput = &types.WarmThroughput{}, &types.OnDemandThroughput{}
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{x}
	mustCreate(t, client, in)
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: in.TableName})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct{ read, write *int64 }{
		{out.Table.WarmThroughput.ReadUnitsPerSecond, out.Table.WarmThroughput.WriteUnitsPerSecond},
		{out.Table.GlobalSecondaryIndexes[0].WarmThroughput.ReadUnitsPerSecond, out.Table.GlobalSecondaryIndexes[0].WarmThroughput.WriteUnitsPerSecond},
	} {
		if aws.ToInt64(w.read) != 12000 || aws.ToInt64(w.write) != 4000 {
			t.Errorf("warm throughput is %d and %d", aws.ToInt64(w.read), aws.ToInt64(w.write))
		}
	}
	if out.Table.OnDemandThroughput != nil || out.Table.GlobalSecondaryIndexes[0].OnDemandThroughput != nil {
		t.Error("there is a ceiling")
	}
	update := &dynamodb.UpdateTableInput{TableName: in.TableName, WarmThroughput: in.WarmThroughput, OnDemandThroughput: in.OnDemandThroughput, DeletionProtectionEnabled: aws.Bool(false)}
	if _, err := client.UpdateTable(t.Context(), update); err != nil {
		t.Error(err)
	}
}

func TestUpdateTableOrder(t *testing.T) {
	client := ddbtest.New(t)
	in := pairTable("there")
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("far", key("sk", "HASH"))}
	mustCreate(t, client, in)
	full := pairTable("full")
	for i := range 20 {
		full.GlobalSecondaryIndexes = append(full.GlobalSecondaryIndexes, globalIndex("far"+strconv.Itoa(i), key("sk", "HASH")))
	}
	mustCreate(t, client, full)
	mustCreate(t, client, &dynamodb.CreateTableInput{
		TableName: aws.String("units"), KeySchema: in.KeySchema, AttributeDefinitions: in.AttributeDefinitions, ProvisionedThroughput: provisioned(1, 1),
	})
	const (
		invalid = "One or more parameter values were invalid: "
		nothing = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, " +
			"ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"
		oneAtATime = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
	)
	remove := func(names ...string) (updates []types.GlobalSecondaryIndexUpdate) {
		for _, name := range names {
			updates = append(updates, types.GlobalSecondaryIndexUpdate{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: &name}})
		}
		return updates
	}
	add := func(name string, warmth *types.WarmThroughput) types.GlobalSecondaryIndexUpdate {
		x := globalIndex(name, key("sk", "HASH"))
		return types.GlobalSecondaryIndexUpdate{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection, WarmThroughput: warmth,
		}}
	}
	change := func(name string, warmth *types.WarmThroughput) types.GlobalSecondaryIndexUpdate {
		return types.GlobalSecondaryIndexUpdate{Update: &types.UpdateGlobalSecondaryIndexAction{IndexName: &name, WarmThroughput: warmth}}
	}
	for name, c := range map[string]struct {
		source string
		in     dynamodb.UpdateTableInput
		code   string
		want   string
	}{
		"name before everything else, and alone": {dynoxideLog, dynamodb.UpdateTableInput{TableName: aws.String("a b"), BillingMode: "FREE"}, "ValidationException",
			"1 validation error detected: Value 'a b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		"nothing to do":                  {quirks, dynamodb.UpdateTableInput{}, "ValidationException", nothing},
		"nothing to do with a table":     {quirks, dynamodb.UpdateTableInput{TableName: aws.String("ghost")}, "ValidationException", nothing},
		"no updates of indexes":          {quirks, dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{}}, "ValidationException", nothing},
		"no updates of indexes, a class": {quirks, dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{}, TableClass: "STANDARD"}, "ValidationException", invalid + "List of GlobalSecondaryIndexUpdates is empty"},
		"empty throughputs":              {dynoxideLog, dynamodb.UpdateTableInput{WarmThroughput: &types.WarmThroughput{}, OnDemandThroughput: &types.OnDemandThroughput{}}, "ValidationException", nothing},
		"parameters before the table": {quirks, dynamodb.UpdateTableInput{TableName: aws.String("ghost"), GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{change("ghost", &types.WarmThroughput{})}},
			"ValidationException", invalid + "WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: ghost"},
		"no table":                              {quirks, dynamodb.UpdateTableInput{TableName: aws.String("ghost"), GlobalSecondaryIndexUpdates: remove("one", "two")}, "ResourceNotFoundException", "Requested resource not found: Table: ghost not found"},
		"no index":                              {quirks, dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: remove("ghost")}, "ResourceNotFoundException", "Requested resource not found: Index ghost for table there"},
		"limits before existence":               {dynoxideLog, dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: remove("one", "two")}, "LimitExceededException", oneAtATime},
		"a new index and a deleted one":         {quirks, dynamodb.UpdateTableInput{AttributeDefinitions: in.AttributeDefinitions, GlobalSecondaryIndexUpdates: append(remove("far"), add("new", nil))}, "LimitExceededException", oneAtATime},
		"number of indexes":                     {quirks, dynamodb.UpdateTableInput{TableName: full.TableName, AttributeDefinitions: in.AttributeDefinitions, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{add("new", nil)}}, "LimitExceededException", "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20"},
		"number before existence":               {"issue 18", dynamodb.UpdateTableInput{TableName: full.TableName, AttributeDefinitions: in.AttributeDefinitions, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{add("far1", nil)}}, "LimitExceededException", "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20"},
		"index that exists":                     {quirks, dynamodb.UpdateTableInput{AttributeDefinitions: in.AttributeDefinitions, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{add("far", nil)}}, "ValidationException", "Attempting to create an index which already exists"},
		"warm throughput and a new index":       {quirks, dynamodb.UpdateTableInput{WarmThroughput: warm(13000, 5000), AttributeDefinitions: in.AttributeDefinitions, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{add("new", nil)}}, "ValidationException", invalid + "Create global secondary index cannot be specified when updating WarmThroughput"},
		"warm throughput that decreases":        {quirks, dynamodb.UpdateTableInput{WarmThroughput: warm(11999, 4000)}, "ValidationException", invalid + "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, decreasing WarmThroughput is not supported"},
		"warm throughput of a new index":        {quirks, dynamodb.UpdateTableInput{AttributeDefinitions: in.AttributeDefinitions, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{add("new", warm(12000, 1))}}, "ValidationException", invalid + "Requested WriteUnitsPerSecond for WarmThroughput for index new" + initialWarmth},
		"ceiling in provisioned mode":           {dynoxideLog, dynamodb.UpdateTableInput{TableName: aws.String("units"), OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(1)}}, "ValidationException", invalid + "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"},
		"ceiling outside of the range":          {quirks, dynamodb.UpdateTableInput{OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(-2)}}, "ValidationException", invalid + "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range"},
		"length of a name, then its characters": {quirks, dynamodb.UpdateTableInput{TableName: aws.String("é")}, "ValidationException", "2 validation errors detected: Value 'é' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3; Value 'é' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.in.TableName == nil {
				c.in.TableName = in.TableName
			}
			client := client
			if c.code == "LimitExceededException" { // the SDK would retry it
				client = dynamodb.New(client.Options(), func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
			}
			_, err := client.UpdateTable(t.Context(), &c.in)
			wantError(t, err, c.code, c.want)
			if t.Failed() {
				t.Logf("source: %s", c.source)
			}
		})
	}
	// Deleting an index of a table with the maximum number of indexes.
	if _, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: full.TableName, GlobalSecondaryIndexUpdates: remove("far3")}); err != nil {
		t.Error(err)
	}
}

// The reply of UpdateTable shows changes in progress.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-060, 165, 179, 183) and,
// for ceilings, the change log of https://github.com/nubo-db/dynoxide
func TestUpdateTableReplies(t *testing.T) {
	client := ddbtest.New(t)
	in := pairTable("changing")
	in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, provisioned(1, 1)
	x := globalIndex("far", key("sk", "HASH"))
	x.ProvisionedThroughput = provisioned(1, 1)
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{x}
	mustCreate(t, client, in)
	update := func(u dynamodb.UpdateTableInput) *types.TableDescription {
		t.Helper()
		u.TableName = in.TableName
		out, err := client.UpdateTable(t.Context(), &u)
		if err != nil {
			t.Fatal(err)
		}
		return out.TableDescription
	}
	describe := func() *types.TableDescription {
		t.Helper()
		out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: in.TableName})
		if err != nil {
			t.Fatal(err)
		}
		return out.Table
	}
	same := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}

	d := update(dynamodb.UpdateTableInput{ProvisionedThroughput: provisioned(2, 3)})
	same("state", d.TableStatus, types.TableStatusUpdating)
	same("reads in the reply", *d.ProvisionedThroughput.ReadCapacityUnits, int64(1))
	same("time of the increase", d.ProvisionedThroughput.LastIncreaseDateTime != nil, true)
	same("writes afterwards", *describe().ProvisionedThroughput.WriteCapacityUnits, int64(3))

	d = update(dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{
		Update: &types.UpdateGlobalSecondaryIndexAction{IndexName: aws.String("far"), ProvisionedThroughput: provisioned(5, 5)},
	}}})
	same("state of the table", d.TableStatus, types.TableStatusActive)
	same("state of the index", d.GlobalSecondaryIndexes[0].IndexStatus, types.IndexStatusUpdating)
	same("reads of the index in the reply", *d.GlobalSecondaryIndexes[0].ProvisionedThroughput.ReadCapacityUnits, int64(1))
	same("state of the index afterwards", describe().GlobalSecondaryIndexes[0].IndexStatus, types.IndexStatusActive)
	same("reads of the index afterwards", *describe().GlobalSecondaryIndexes[0].ProvisionedThroughput.ReadCapacityUnits, int64(5))

	d = update(dynamodb.UpdateTableInput{BillingMode: types.BillingModePayPerRequest})
	same("units of a table that is on demand from now on", *d.ProvisionedThroughput.ReadCapacityUnits, int64(0))
	same("time of the switch in the reply", d.BillingModeSummary.LastUpdateToPayPerRequestDateTime == nil, true)
	same("time of the switch afterwards", describe().BillingModeSummary.LastUpdateToPayPerRequestDateTime != nil, true)

	d = update(dynamodb.UpdateTableInput{WarmThroughput: warm(13000, 4000)})
	same("state of the table", d.TableStatus, types.TableStatusActive)
	same("state of warm throughput", d.WarmThroughput.Status, types.TableStatusUpdating)
	same("state of warm throughput afterwards", describe().WarmThroughput.Status, types.TableStatusActive)

	update(dynamodb.UpdateTableInput{OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(7), MaxWriteRequestUnits: aws.Int64(8)}})
	d = update(dynamodb.UpdateTableInput{OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(-1)}})
	same("ceiling to remove", aws.ToInt64(d.OnDemandThroughput.MaxReadRequestUnits), int64(-1))
	same("ceiling that stays", aws.ToInt64(d.OnDemandThroughput.MaxWriteRequestUnits), int64(8))
	same("ceiling that was removed", describe().OnDemandThroughput.MaxReadRequestUnits == nil, true)
}

// Which changes a table and its indexes accept while an index is created or deleted.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-163)
func TestUpdateTableWhileIndexesChange(t *testing.T) {
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Unix(1_700_000_000, 0)), ddbtest.WithStateDelay(10*time.Second))
	defer e.Close()
	client := e.Client(func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	in := pairTable("busy")
	in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, provisioned(1, 1)
	mustCreate(t, client, in)
	e.Clock().Advance(10 * time.Second)
	update := func(u dynamodb.UpdateTableInput) error {
		u.TableName = in.TableName
		_, err := client.UpdateTable(t.Context(), &u)
		return err
	}
	units := dynamodb.UpdateTableInput{ProvisionedThroughput: provisioned(2, 2)}
	stream := dynamodb.UpdateTableInput{StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly}}
	x := globalIndex("far", key("sk", "HASH"))
	add := dynamodb.UpdateTableInput{AttributeDefinitions: in.AttributeDefinitions, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{
		Create: &types.CreateGlobalSecondaryIndexAction{IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection, ProvisionedThroughput: provisioned(1, 1)},
	}}}
	change := dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{
		Update: &types.UpdateGlobalSecondaryIndexAction{IndexName: x.IndexName, ProvisionedThroughput: provisioned(2, 2)},
	}}}
	remove := dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{
		Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: x.IndexName},
	}}}
	const busy = "Attempt to change a resource which is still in use: "
	if err := update(add); err != nil {
		t.Fatal(err)
	}
	wantError(t, update(units), "ResourceInUseException", busy+"Can't change table IOPS when an index is being created. Table: busy Indexes: [far]")
	wantError(t, update(stream), "ResourceInUseException", busy+"Can't change stream status when an index is being created. Table: busy Indexes: [far]")
	wantError(t, update(change), "ResourceInUseException", busy+"Index is being created but is not backfilling yet. Table: busy Index: far")
	wantError(t, update(remove), "ResourceInUseException", busy+"Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the index is active. Table: busy Index: far")
	e.Clock().Advance(10 * time.Second)
	if err := update(remove); err != nil { // an index that is being backfilled
		t.Fatal(err)
	}
	wantError(t, update(units), "ResourceInUseException", busy+"Can't change table IOPS when an index is being deleted. Table: busy Indexes: [far]")
	wantError(t, update(add), "ResourceInUseException", busy+"Index is being deleted. Table: busy Index: far")
	wantError(t, update(remove), "ResourceInUseException", busy+"Index is being deleted. Table: busy Index: far")
	e.Clock().Advance(10 * time.Second)
	if err := update(units); err != nil {
		t.Error(err)
	}
}
