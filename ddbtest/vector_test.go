// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
)

func vector(numbers ...float64) []types.AttributeValue {
	list := make([]types.AttributeValue, len(numbers))
	for i, n := range numbers {
		list[i] = num(strconv.FormatFloat(n, 'g', -1, 32))
	}
	return list
}

// vectorTable has an index "near" on the attribute v, of two dimensions. The attributes of the schema are strings.
func vectorTable(function types.VectorDistanceFunction, schema ...types.SearchSchemaElement) *dynamodb.CreateTableInput {
	in := pairTable("vectors")
	for _, e := range schema {
		if name := *e.AttributeName; name != "pk" && name != "sk" {
			in.AttributeDefinitions = append(in.AttributeDefinitions, attr(name, "S"))
		}
	}
	in.VectorIndexes = []types.VectorIndex{{
		IndexName: aws.String("near"), Dimensions: aws.Int64(2), DistanceFunction: function, SearchSchema: schema,
		VectorAttribute: &types.VectorAttributeDefinition{AttributeName: aws.String("v")},
		Projection:      &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"name"}},
	}}
	return in
}

func putVector(t testing.TB, client *dynamodb.Client, sk, kind string, numbers ...float64) {
	t.Helper()
	mustPut(t, client, "vectors", item{
		"pk": str("p"), "sk": str(sk), "kind": str(kind), "name": str("name of " + sk), "v": &types.AttributeValueMemberL{Value: vector(numbers...)}, "extra": str("x"),
	})
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
func TestSearchVectors(t *testing.T) {
	for function, want := range map[types.VectorDistanceFunction][]string{
		types.VectorDistanceFunctionCosine:     {"east 0.000", "north-east 0.293", "north 1.000"},
		types.VectorDistanceFunctionEuclidean:  {"north-east 1.000", "north 1.414", "west 6.000"},
		types.VectorDistanceFunctionDotProduct: {"east 10.000", "north-east 1.000", "north 0.000"},
	} {
		client := ddbtest.New(t)
		mustCreate(t, client, vectorTable(function))
		putVector(t, client, "east", "a", 10, 0)
		putVector(t, client, "north", "a", 0, 1)
		putVector(t, client, "north-east", "b", 1, 1)
		putVector(t, client, "west", "b", -5, 0)
		mustPut(t, client, "vectors", item{"pk": str("p"), "sk": str("none")})
		out, err := client.SearchVectors(t.Context(), &dynamodb.SearchVectorsInput{
			TableName: aws.String("vectors"), IndexName: aws.String("near"), SearchVector: vector(1, 0), TopK: aws.Int32(3), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range out.SearchResults {
			got = append(got, fmt.Sprintf("%s %.3f", r.Item["sk"].(*types.AttributeValueMemberS).Value, r.Score))
			if len(r.Item) != 3 {
				t.Errorf("%s: %v, want the key and name", function, r.Item)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", function, got, want)
		}
		if c := out.ConsumedCapacity; c == nil || aws.ToFloat64(c.VectorSearchRequestBytes) != 1024 { // the lowest score
			t.Errorf("%s: capacity %v", function, c)
		}
		d, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("vectors")})
		if err != nil || len(d.Table.VectorIndexes) != 1 || aws.ToInt64(d.Table.VectorIndexes[0].ItemCount) != 4 || d.Table.VectorIndexes[0].IndexStatus != types.IndexStatusActive {
			t.Errorf("%v, %v", d, err)
		}
	}
}

func TestSearchVectorsBySchema(t *testing.T) {
	client := ddbtest.New(t)
	mustCreate(t, client, vectorTable(types.VectorDistanceFunctionEuclidean,
		types.SearchSchemaElement{AttributeName: aws.String("kind"), SearchSchemaElementType: types.SearchSchemaElementTypeHash},
		types.SearchSchemaElement{AttributeName: aws.String("sk"), SearchSchemaElementType: types.SearchSchemaElementTypeInlineFilter}))
	for i := range 4 {
		putVector(t, client, strconv.Itoa(i), string(rune('a'+i%2)), float64(i), 0)
	}
	const (
		comparator = "Invalid SearchConditionExpression: Invalid comparator used in SearchConditionExpression"
		elements   = "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point number attribute"
	)
	for name, c := range map[string]struct {
		condition string
		change    func(*dynamodb.SearchVectorsInput)
		want      int
		message   string
	}{
		"partition":     {condition: "kind = :k", want: 2},
		"filter":        {condition: "kind = :k AND sk = :s", want: 1},
		"projection":    {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.ProjectionExpression = aws.String("sk") }, want: 2},
		"not projected": {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.ProjectionExpression = aws.String("extra") }, want: 2},
		// https://github.com/nubo-db/dynoxide/pull/175 for what follows
		"no partition": {condition: "sk = :s", message: "SearchConditionExpression must be provided when SearchSchema has a HASH key"},
		"no condition": {change: func(in *dynamodb.SearchVectorsInput) {
			in.SearchConditionExpression, in.ExpressionAttributeValues = nil, nil
		}, message: "SearchConditionExpression must be provided when SearchSchema has a HASH key"},
		"range":           {condition: "kind > :k", message: comparator},
		"alternatives":    {condition: "kind = :k OR sk = :s", message: comparator},
		"function":        {condition: "begins_with(kind, :k)", message: comparator},
		"two attributes":  {condition: "kind = sk", message: comparator},
		"nested":          {condition: "kind.a = :k", message: "Invalid SearchConditionExpression: SearchConditionExpression cannot have conditions on nested attributes"},
		"twice":           {condition: "kind = :k AND kind = :k", message: "Invalid SearchConditionExpression: SearchConditionExpression must only contain one condition per attribute"},
		"other attribute": {condition: "kind = :k AND pk = :s", message: "SearchConditionExpression must not contain any attributes that is not in SearchSchema. Invalid attribute: pk"},
		"other type":      {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.ExpressionAttributeValues[":k"] = num("1") }, message: "Type of 'kind' attribute in SearchConditionExpression (N) does not match type in search schema (S)"},
		"empty string":    {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.ExpressionAttributeValues[":k"] = str("") }, message: "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: kind"},
		"dimensions":      {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.SearchVector = vector(1) }, message: "Input search vector dimension 1 does not match vector index dimension 2"},
		"no number":       {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.SearchVector = []types.AttributeValue{str("x")} }, message: elements},
		"out of range":    {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.SearchVector[0] = num("1e39") }, message: elements},
		"empty vector":    {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.SearchVector = []types.AttributeValue{} }, message: "1 validation error detected: Value at 'SearchVector' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"index":           {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.IndexName = aws.String("far") }, message: "The table does not have the specified index: far"},
		"short index":     {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.IndexName = aws.String("ab") }, message: "1 validation error detected: Value at 'IndexName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		"top":             {condition: "kind > :k", change: func(in *dynamodb.SearchVectorsInput) { in.TopK = aws.Int32(101) }, message: "Provided TopK value '101' is out of valid range. The value must be between 1 and 100 inclusive"},
		"no top":          {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.TopK = aws.Int32(0) }, message: "1 validation error detected: Value '0' at 'topK' failed to satisfy constraint: Member must have value greater than or equal to 1"},
	} {
		in := &dynamodb.SearchVectorsInput{
			TableName: aws.String("vectors"), IndexName: aws.String("near"), SearchVector: vector(0, 0), TopK: aws.Int32(10),
			SearchConditionExpression: &c.condition, ExpressionAttributeValues: item{},
		}
		for placeholder, v := range map[string]string{":k": "a", ":s": "2"} {
			if strings.Contains(c.condition, placeholder) {
				in.ExpressionAttributeValues[placeholder] = str(v)
			}
		}
		if len(in.ExpressionAttributeValues) == 0 {
			in.ExpressionAttributeValues = nil
		}
		if c.change != nil {
			c.change(in)
		}
		out, err := client.SearchVectors(t.Context(), in)
		if c.message != "" {
			t.Run(name, func(t *testing.T) { wantError(t, err, "ValidationException", c.message) })
			continue
		}
		if err != nil || len(out.SearchResults) != c.want {
			t.Errorf("%s: %v, %v; want %d results", name, out, err, c.want)
		}
	}
}

func TestVectorIndexesOfTables(t *testing.T) {
	client := ddbtest.New(t)
	in := vectorTable(types.VectorDistanceFunctionCosine)
	in.VectorIndexes = append(in.VectorIndexes, in.VectorIndexes[0])
	_, err := client.CreateTable(t.Context(), in)
	wantError(t, err, "ValidationException", "One or more parameter values were invalid: Duplicate index name: near")
	in.VectorIndexes[1].IndexName, in.VectorIndexes[1].Dimensions = aws.String("far"), aws.Int64(3)
	_, err = client.CreateTable(t.Context(), in)
	wantError(t, err, "ValidationException", "One or more parameter values were invalid: Conflicting attribute definition for 'v'. All VectorIndexes on the same vector attribute must use the same dimensions.")
	in.VectorIndexes = in.VectorIndexes[:1]
	mustCreate(t, client, in)
	update := func(u types.VectorIndexUpdate) error {
		_, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("vectors"), VectorIndexUpdates: []types.VectorIndexUpdate{u}})
		return err
	}
	near := in.VectorIndexes[0]
	if err := update(types.VectorIndexUpdate{Create: &types.CreateVectorIndexAction{
		IndexName: aws.String("second"), Dimensions: near.Dimensions, DistanceFunction: near.DistanceFunction, VectorAttribute: near.VectorAttribute, Projection: near.Projection,
	}}); err != nil {
		t.Fatal(err)
	}
	if err := update(types.VectorIndexUpdate{Delete: &types.DeleteVectorIndexAction{IndexName: aws.String("near")}}); err != nil {
		t.Fatal(err)
	}
	wantError(t, update(types.VectorIndexUpdate{Delete: &types.DeleteVectorIndexAction{IndexName: aws.String("near")}}), "ResourceNotFoundException", "Requested resource not found: Index: near not found")
	d, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("vectors")})
	if err != nil || len(d.Table.VectorIndexes) != 1 || aws.ToString(d.Table.VectorIndexes[0].IndexName) != "second" {
		t.Errorf("%v, %v", d, err)
	}
}

// The nearest random vectors are the first ones in a sort by distance.
func TestSearchVectorsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		client := ddbtest.New(t)
		mustCreate(t, client, vectorTable(types.VectorDistanceFunctionEuclidean))
		points := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) [2]float64 {
			return [2]float64{float64(rapid.IntRange(-9, 9).Draw(rt, "x")), float64(rapid.IntRange(-9, 9).Draw(rt, "y"))}
		}), 0, 30).Draw(rt, "points")
		for i, p := range points {
			putVector(t, client, strconv.Itoa(i), "a", p[0], p[1])
		}
		k := rapid.IntRange(1, 10).Draw(rt, "k")
		out, err := client.SearchVectors(t.Context(), &dynamodb.SearchVectorsInput{TableName: aws.String("vectors"), IndexName: aws.String("near"), SearchVector: vector(0, 0), TopK: aws.Int32(int32(k))})
		if err != nil {
			rt.Fatal(err)
		}
		slices.SortFunc(points, func(a, b [2]float64) int { return cmp.Compare(math.Hypot(a[0], a[1]), math.Hypot(b[0], b[1])) })
		if len(out.SearchResults) != min(k, len(points)) {
			rt.Fatalf("%d results", len(out.SearchResults))
		}
		for i, r := range out.SearchResults {
			if want := math.Hypot(points[i][0], points[i][1]); math.Abs(r.Score-want) > 1e-6 {
				rt.Fatalf("result %d has %v, want %v", i, r.Score, want)
			}
		}
	})
}

// https://github.com/nubo-db/dynoxide/pull/175
func TestVectorIndexDefinitions(t *testing.T) {
	client := ddbtest.New(t)
	const invalid = "One or more parameter values were invalid: "
	for name, c := range map[string]struct {
		change  func(*dynamodb.CreateTableInput)
		message string
	}{
		"provisioned": {func(in *dynamodb.CreateTableInput) {
			in.BillingMode, in.ProvisionedThroughput = "", &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)}
		}, invalid + "Vector indexes are only supported for PAY_PER_REQUEST tables"},
		"empty list": {func(in *dynamodb.CreateTableInput) { in.VectorIndexes = []types.VectorIndex{} }, invalid + "List of VectorIndexes is empty"},
		"defined": {func(in *dynamodb.CreateTableInput) {
			in.VectorIndexes[0].VectorAttribute.AttributeName = aws.String("sk")
		},
			invalid + "Conflicting attribute definition for 'sk'. An attribute cannot be defined in AttributeDefinitions when used as a VectorAttribute."},
		"not defined": {func(in *dynamodb.CreateTableInput) {
			in.VectorIndexes[0].SearchSchema = []types.SearchSchemaElement{{AttributeName: aws.String("x"), SearchSchemaElementType: "HASH"}}
		}, invalid + "Some index key attributes are not defined in AttributeDefinitions. Keys: [x], AttributeDefinitions: [pk, sk]"},
		"no dimension": {func(in *dynamodb.CreateTableInput) { in.VectorIndexes[0].Dimensions = aws.Int64(0) },
			"1 validation error detected: Value '0' at 'vectorIndexes.1.member.dimensions' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"six": {func(in *dynamodb.CreateTableInput) {
			for i := range 5 {
				in.VectorIndexes = append(in.VectorIndexes, in.VectorIndexes[0])
				in.VectorIndexes[i+1].IndexName = aws.String("near" + strconv.Itoa(i))
			}
		}, invalid + "VectorIndex count exceeds the per-table limit of 5"},
	} {
		t.Run(name, func(t *testing.T) {
			in := vectorTable(types.VectorDistanceFunctionCosine)
			c.change(in)
			_, err := client.CreateTable(t.Context(), in)
			wantError(t, err, "ValidationException", c.message)
		})
	}
}

// A write that the index cannot hold is refused, by each operation that writes.
//
// https://github.com/nubo-db/dynoxide/pull/175
func TestVectorWrites(t *testing.T) {
	client := ddbtest.New(t)
	mustCreate(t, client, vectorTable(types.VectorDistanceFunctionCosine, types.SearchSchemaElement{AttributeName: aws.String("kind"), SearchSchemaElementType: "HASH"}))
	list := func(v ...types.AttributeValue) types.AttributeValue { return &types.AttributeValueMemberL{Value: v} }
	const invalid = "One or more parameter values were invalid. "
	for _, c := range []struct {
		name    string
		value   types.AttributeValue
		message string
	}{
		{"v", str("1"), invalid + "Invalid type for parameter v, Expected: 32-bit floating point number list IndexName: near"},
		{"v", list(num("1")), invalid + "Invalid size for parameter v, Expected: 2, Actual: 1 IndexName: near"},
		{"v", list(num("1"), str("x")), invalid + "Invalid type for parameter v[1], Expected: 32-bit floating point number, Actual: S. IndexName: near"},
		{"v", list(num("1e39"), num("1")), invalid + "Invalid value for parameter v[0], Value: 1" + strings.Repeat("0", 39) + " is outside valid range [-3.4028235E38, 3.4028235E38]. IndexName: near"},
		{"kind", num("1"), invalid + "Attribute 'kind' type mismatch. Expected: S, Actual: N. IndexName: near"},
		{"v", list(num("1"), num("2")), ""},
		{"kind", str("x"), ""},
		{"other", num("1"), ""},
	} {
		k := item{"pk": str("p"), "sk": str("s")}
		_, put := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("vectors"), Item: item{"pk": str("p"), "sk": str("s"), c.name: c.value}})
		_, update := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: aws.String("vectors"), Key: k, UpdateExpression: aws.String("SET #n = :v"),
			ExpressionAttributeNames: map[string]string{"#n": c.name}, ExpressionAttributeValues: item{":v": c.value},
		})
		_, batch := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
			"vectors": {{PutRequest: &types.PutRequest{Item: item{"pk": str("p"), "sk": str("s"), c.name: c.value}}}},
		}})
		for operation, err := range map[string]error{"PutItem": put, "UpdateItem": update, "BatchWriteItem": batch} {
			if (err == nil) != (c.message == "") || err != nil && !strings.Contains(err.Error(), c.message) {
				t.Errorf("%s of %s: %v, want %q", operation, c.name, err, c.message)
			}
		}
	}
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("vectors"), Item: item{"pk": str("p"), "sk": str("s"), "kind": str("")}})
	wantError(t, err, "ValidationException", "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
		"The AttributeValue for a key attribute cannot contain an empty string value. IndexName: near, IndexKey: kind")
}

// The index holds 32 bits of each number and returns the vector only if it is named.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearch.Requirements.html and
// https://github.com/nubo-db/dynoxide/issues/174
func TestVectorProjection(t *testing.T) {
	client := ddbtest.New(t)
	in := vectorTable(types.VectorDistanceFunctionEuclidean)
	in.VectorIndexes[0].Projection = &types.Projection{ProjectionType: types.ProjectionTypeAll}
	keys := in.VectorIndexes[0]
	keys.IndexName, keys.Projection = aws.String("keys"), &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
	in.VectorIndexes = append(in.VectorIndexes, keys)
	mustCreate(t, client, in)
	exact := &types.AttributeValueMemberL{Value: []types.AttributeValue{num("0.1234567890123"), num("16777217")}}
	whole := item{"pk": str("p"), "sk": str("s"), "v": exact, "extra": num("0.1234567890123")}
	mustPut(t, client, "vectors", whole)
	for _, c := range []struct {
		index, projection string
		want              item
	}{
		{"near", "", item{"pk": str("p"), "sk": str("s"), "extra": num("0.1234567890123")}},
		{"near", "v, sk", item{"sk": str("s"), "v": &types.AttributeValueMemberL{Value: []types.AttributeValue{num("0.12345679"), num("16777216")}}}},
		{"near", "v[1]", item{"v": &types.AttributeValueMemberL{Value: []types.AttributeValue{num("16777216")}}}},
		{"keys", "", item{"pk": str("p"), "sk": str("s")}},
		{"keys", "v, sk", item{"sk": str("s")}},
	} {
		search := &dynamodb.SearchVectorsInput{TableName: aws.String("vectors"), IndexName: &c.index, SearchVector: vector(0, 16777216), TopK: aws.Int32(1)}
		if c.projection != "" {
			search.ProjectionExpression = &c.projection
		}
		out, err := client.SearchVectors(t.Context(), search)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(c.want, out.SearchResults[0].Item, sameValues); diff != "" {
			t.Errorf("%s %s: (-want +got)\n%s", c.index, c.projection, diff)
		}
		if got := out.SearchResults[0].Score; math.Abs(got-0.12345679) > 1e-8 {
			t.Errorf("the score is %v, which is not that of the rounded numbers in the index", got)
		}
	}
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("vectors"), Key: item{"pk": str("p"), "sk": str("s")}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(whole, got.Item, sameValues); diff != "" {
		t.Errorf("the table has lost precision: %s", diff)
	}
}

// https://github.com/nubo-db/dynoxide/pull/175
func TestVectorScores(t *testing.T) {
	for _, c := range []struct {
		function types.VectorDistanceFunction
		a, b     []types.AttributeValue
		want     float64
	}{
		{types.VectorDistanceFunctionCosine, vector(0, 0), vector(1, 2), 1},
		{types.VectorDistanceFunctionCosine, vector(1, 2), vector(1, 2), 0},
		{types.VectorDistanceFunctionCosine, vector(1, 0), vector(-3, 0), 2},
		{types.VectorDistanceFunctionEuclidean, vector(3e38, 3e38), vector(-3e38, -3e38), math.MaxFloat32},
		{types.VectorDistanceFunctionDotProduct, vector(3e38, 0), vector(-3e38, 0), -math.MaxFloat32},
		{types.VectorDistanceFunctionDotProduct, vector(3e38, 3e38), vector(-3e38, 3e38), 0},
	} {
		client := ddbtest.New(t)
		mustCreate(t, client, vectorTable(c.function))
		mustPut(t, client, "vectors", item{"pk": str("p"), "sk": str("s"), "v": &types.AttributeValueMemberL{Value: c.a}})
		out, err := client.SearchVectors(t.Context(), &dynamodb.SearchVectorsInput{TableName: aws.String("vectors"), IndexName: aws.String("near"), SearchVector: c.b, TopK: aws.Int32(1)})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.SearchResults[0].Score; got != c.want {
			t.Errorf("%s of %v and %v: %v, want %v", c.function, c.a, c.b, got, c.want)
		}
	}
}

// An index that is added to a table leaves out the items that it cannot hold, and can be searched when it is ready.
//
// https://github.com/nubo-db/dynoxide/pull/175
func TestVectorBackfill(t *testing.T) {
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Unix(1_700_000_000, 0)), ddbtest.WithStateDelay(10*time.Second))
	defer e.Close()
	client := e.Client()
	mustCreate(t, client, pairTable("vectors"))
	e.Clock().Advance(10 * time.Second)
	mustPut(t, client, "vectors", item{"pk": str("p"), "sk": str("good"), "kind": str("a"), "v": &types.AttributeValueMemberL{Value: vector(1, 0)}},
		item{"pk": str("p"), "sk": str("text"), "kind": str("a"), "v": str("1,0")},
		item{"pk": str("p"), "sk": str("long"), "kind": str("a"), "v": &types.AttributeValueMemberL{Value: vector(1, 0, 0)}},
		item{"pk": str("p"), "sk": str("typed"), "kind": num("1"), "v": &types.AttributeValueMemberL{Value: vector(1, 0)}},
		item{"pk": str("p"), "sk": str("no kind"), "v": &types.AttributeValueMemberL{Value: vector(1, 0)}})
	x := vectorTable(types.VectorDistanceFunctionCosine, types.SearchSchemaElement{AttributeName: aws.String("kind"), SearchSchemaElementType: "HASH"}).VectorIndexes[0]
	if _, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: aws.String("vectors"), AttributeDefinitions: []types.AttributeDefinition{attr("kind", "S")},
		VectorIndexUpdates: []types.VectorIndexUpdate{{Create: &types.CreateVectorIndexAction{
			IndexName: x.IndexName, Dimensions: x.Dimensions, DistanceFunction: x.DistanceFunction, VectorAttribute: x.VectorAttribute, Projection: x.Projection, SearchSchema: x.SearchSchema,
		}}},
	}); err != nil {
		t.Fatal(err)
	}
	search := &dynamodb.SearchVectorsInput{
		TableName: aws.String("vectors"), IndexName: aws.String("near"), SearchVector: vector(1, 0), TopK: aws.Int32(10),
		SearchConditionExpression: aws.String("kind = :k"), ExpressionAttributeValues: item{":k": str("a")},
	}
	describe := func() types.VectorIndexDescription {
		t.Helper()
		d, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("vectors")})
		if err != nil {
			t.Fatal(err)
		}
		return d.Table.VectorIndexes[0]
	}
	for _, backfilling := range []bool{false, true} {
		if d := describe(); d.IndexStatus != types.IndexStatusCreating || d.Backfilling == nil || *d.Backfilling != backfilling {
			t.Errorf("the new index is %s, backfilling %v, want %v", d.IndexStatus, aws.ToBool(d.Backfilling), backfilling)
		}
		_, err := client.SearchVectors(t.Context(), search)
		wantError(t, err, "ValidationException", "Cannot search backfilling vector index: near")
		e.Clock().Advance(10 * time.Second)
	}
	if d := describe(); d.IndexStatus != types.IndexStatusActive || d.Backfilling != nil || *d.ItemCount != 1 {
		t.Errorf("the index is %s with %d items", d.IndexStatus, *d.ItemCount)
	}
	out, err := client.SearchVectors(t.Context(), search)
	if err != nil || len(out.SearchResults) != 1 {
		t.Errorf("%v, %v", out, err)
	}
}
