package ddbtest_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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

// vectorTable has an index "near" on the attribute v, of two dimensions.
func vectorTable(function types.VectorDistanceFunction, schema ...types.SearchSchemaElement) *dynamodb.CreateTableInput {
	in := pairTable("vectors")
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
		mustPut(t, client, "vectors", item{"pk": str("p"), "sk": str("none")}, item{"pk": str("p"), "sk": str("text"), "v": str("1,0")},
			item{"pk": str("p"), "sk": str("three"), "v": &types.AttributeValueMemberL{Value: vector(1, 0, 0)}})
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
		if c := out.ConsumedCapacity; c == nil || aws.ToFloat64(c.VectorSearchRequestBytes) != 4*2*4 {
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
	for name, c := range map[string]struct {
		condition string
		change    func(*dynamodb.SearchVectorsInput)
		want      int
		message   string
	}{
		"partition":       {condition: "kind = :k", want: 2},
		"filter":          {condition: "kind = :k AND sk = :s", want: 1},
		"projection":      {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.ProjectionExpression = aws.String("sk") }, want: 2},
		"no partition":    {condition: "sk = :s", message: "SearchConditionExpression missed search schema element: kind"},
		"range":           {condition: "kind > :k", message: "Invalid operator used in SearchConditionExpression: >"},
		"other attribute": {condition: "kind = :k AND pk = :s", message: "SearchConditionExpression can only contain attributes of the search schema: pk"},
		"not projected":   {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.ProjectionExpression = aws.String("extra") }, message: "One or more parameter values were invalid: Vector index near does not project [extra]"},
		"dimensions":      {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.SearchVector = vector(1) }, message: "One or more parameter values were invalid: The vector has 1 dimensions, the index has 2"},
		"no number":       {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.SearchVector[0] = str("x") }, message: "One or more parameter values were invalid: Every element of a vector must be a number"},
		"index":           {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.IndexName = aws.String("far") }, message: "The table does not have the specified index: far"},
		"top":             {condition: "kind = :k", change: func(in *dynamodb.SearchVectorsInput) { in.TopK = aws.Int32(101) }, message: "1 validation error detected: Value '101' at 'topK' failed to satisfy constraint: Member must have value less than or equal to 100"},
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
	wantError(t, err, "ValidationException", "One or more parameter values were invalid: Vector indexes on attribute v must have the same number of dimensions")
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

// The nearest of random vectors are those that a sort by distance finds.
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
