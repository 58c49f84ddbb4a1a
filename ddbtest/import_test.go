// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// creationOf are the parameters of an import's table.
func creationOf(in *dynamodb.CreateTableInput) *types.TableCreationParameters {
	return &types.TableCreationParameters{
		TableName: in.TableName, AttributeDefinitions: in.AttributeDefinitions, KeySchema: in.KeySchema, BillingMode: in.BillingMode,
		GlobalSecondaryIndexes: in.GlobalSecondaryIndexes,
	}
}

func importOf(name, format string) *dynamodb.ImportTableInput {
	return &dynamodb.ImportTableInput{
		InputFormat: types.InputFormat(format), S3BucketSource: &types.S3BucketSource{S3Bucket: aws.String("archive")}, TableCreationParameters: creationOf(pairTable(name)),
	}
}

// mustImport imports a table and returns the description of the completed import.
func mustImport(t rapid.TB, client *dynamodb.Client, in *dynamodb.ImportTableInput) *types.ImportTableDescription {
	t.Helper()
	out, err := client.ImportTable(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if d := out.ImportTableDescription; d.ImportStatus != types.ImportStatusInProgress || d.ProcessedItemCount != 0 || d.EndTime != nil {
		t.Errorf("the reply says %s of %d items", d.ImportStatus, d.ProcessedItemCount)
	}
	d, err := client.DescribeImport(context.Background(), &dynamodb.DescribeImportInput{ImportArn: out.ImportTableDescription.ImportArn})
	if err != nil {
		t.Fatal(err)
	}
	return d.ImportTableDescription
}

func putObject(t rapid.TB, bucket, key, text string, packed bool) {
	t.Helper()
	data := []byte(text)
	if packed {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write(data)
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		data = b.Bytes()
	}
	name := filepath.Join(bucket, key)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// contentsOf returns the items of a table in wire form, in the order of a scan.
func contentsOf(t rapid.TB, e *ddbtest.Engine, table string) string {
	t.Helper()
	out, err := e.Client().Scan(context.Background(), &dynamodb.ScanInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, it := range out.Items {
		list = append(list, fmt.Sprint(it["pk"], it["sk"], len(it)))
	}
	return strings.Join(list, "\n")
}

// Every format and compression gives the same items; prefixes select objects.
func TestImportFormats(t *testing.T) {
	const (
		jsonText = `{"Item":{"pk":{"S":"a"},"sk":{"S":"1"},"v":{"S":"x,\"y\""}}}` + "\n\n" + ` { "Other" : 1, "Item" : {"pk":{"S":"b"},"sk":{"S":"2"},"v":{"S":""}} } ` + "\r\n"
		ionText  = `$ion_1_0 {Item:{pk:"a",sk:"1",v:"x,\"y\""}}` + "\n\n" + `{ Item : { 'pk' : "b" , "sk":"2", v:"" } }`
		csvText  = "pk,sk,v\na,1,\"x,\"\"y\"\"\"\n\nb,2,\n"
	)
	want := []map[string]types.AttributeValue{
		{"pk": str("a"), "sk": str("1"), "v": str(`x,"y"`)},
		{"pk": str("b"), "sk": str("2"), "v": str("")},
	}
	for name, c := range map[string]struct {
		format, text string
		change       func(*dynamodb.ImportTableInput)
	}{
		"json": {"DYNAMODB_JSON", jsonText, nil},
		"ion":  {"ION", ionText, nil},
		"csv":  {"CSV", csvText, nil},
		"csv with options": {"CSV", "1;a;\"x,\"\"y\"\"\"\n2;b;\n", func(in *dynamodb.ImportTableInput) {
			in.InputFormatOptions = &types.InputFormatOptions{Csv: &types.CsvOptions{Delimiter: aws.String(";"), HeaderList: []string{"sk", "pk", "v"}}}
		}},
	} {
		for _, packed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s packed %t", name, packed), func(t *testing.T) {
				_, client, bucket := withBucket(t)
				putObject(t, bucket, "in/part-1", c.text, packed)
				putObject(t, bucket, "other", "this is nothing", false)
				in := importOf("orders", c.format)
				in.S3BucketSource.S3KeyPrefix = aws.String("in/part")
				if packed {
					in.InputCompressionType = "GZIP"
				}
				if c.change != nil {
					c.change(in)
				}
				d := mustImport(t, client, in)
				if d.ImportStatus != "COMPLETED" || d.ProcessedItemCount != 2 || d.ImportedItemCount != 2 || d.ErrorCount != 0 || *d.ProcessedSizeBytes != int64(len(c.text)) {
					t.Errorf("%s: %d processed, %d imported, %d errors, %d bytes of %d", d.ImportStatus, d.ProcessedItemCount, d.ImportedItemCount, d.ErrorCount, *d.ProcessedSizeBytes, len(c.text))
				}
				for _, it := range want {
					got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: item{"pk": it["pk"], "sk": it["sk"]}})
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(it, got.Item, ignoreUnexported); diff != "" {
						t.Error(diff)
					}
				}
			})
		}
	}
}

var ignoreUnexported = cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{})

// In CSV the keys of the table and of its indexes have their types, and all other fields are strings.
func TestImportCSVTypes(t *testing.T) {
	_, client, bucket := withBucket(t)
	putObject(t, bucket, "a.csv", "id\tkind\traw\tplain\n1e2\t7\tAAH/\t12\n", false)
	in := importOf("orders", "CSV")
	in.InputFormatOptions = &types.InputFormatOptions{Csv: &types.CsvOptions{Delimiter: aws.String("\t")}}
	all := &types.Projection{ProjectionType: "ALL"}
	in.TableCreationParameters = creationOf(&dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: []types.AttributeDefinition{attr("id", "N"), attr("kind", "N"), attr("raw", "B")},
		KeySchema: []types.KeySchemaElement{key("id", "HASH")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: aws.String("by-kind"), Projection: all, KeySchema: []types.KeySchemaElement{key("kind", "HASH"), key("raw", "RANGE")}},
		},
	})
	if d := mustImport(t, client, in); d.ImportedItemCount != 1 {
		t.Errorf("%+v", d)
	}
	got, err := client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String("orders"), IndexName: aws.String("by-kind"), KeyConditionExpression: aws.String("kind = :k"), ExpressionAttributeValues: item{":k": num("7")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]map[string]types.AttributeValue{{"id": num("100"), "kind": num("7"), "raw": &types.AttributeValueMemberB{Value: []byte{0, 1, 255}}, "plain": str("12")}}, got.Items, ignoreUnexported); diff != "" {
		t.Error(diff)
	}
}

// A line that is not an item ends the import of its file; an item that the table cannot hold does not. Each is one error with its line.
func TestImportBadLines(t *testing.T) {
	good := func(k string) string { return `{"Item":{"pk":{"S":"` + k + `"},"sk":{"S":"1"}}}` }
	const (
		form = `the line is not {"Item":{...}} in DynamoDB JSON`
		ion  = "the line is not {Item:{...}} in Ion text"
		none = `the line has no member "Item"`
		inv  = "ValidationException: One or more parameter values were invalid: "
	)
	for name, c := range map[string]struct {
		format, line, message string
		rest                  bool
	}{
		"no JSON":          {"DYNAMODB_JSON", `{"Item":`, form, true},
		"two on a line":    {"DYNAMODB_JSON", good("x") + good("y"), form, true},
		"an array":         {"DYNAMODB_JSON", `[]`, form, true},
		"null":             {"DYNAMODB_JSON", `null`, form, true},
		"no Item":          {"DYNAMODB_JSON", `{"item":{"pk":{"S":"x"},"sk":{"S":"1"}}}`, none, true},
		"null Item":        {"DYNAMODB_JSON", `{"Item":null}`, none, true},
		"bare item":        {"DYNAMODB_JSON", `{"pk":{"S":"x"},"sk":{"S":"1"}}`, none, true},
		"untyped":          {"DYNAMODB_JSON", `{"Item":{"pk":"x","sk":"1"}}`, "SerializationException: Unexpected value type in payload", true},
		"no number":        {"DYNAMODB_JSON", `{"Item":{"pk":{"S":"x"},"sk":{"S":"1"},"n":{"N":"one"}}}`, "ValidationException: The parameter cannot be converted to a numeric value: one", true},
		"empty set":        {"DYNAMODB_JSON", `{"Item":{"pk":{"S":"x"},"sk":{"S":"1"},"n":{"SS":[]}}}`, inv + "An string set  may not be empty", true},
		"no key":           {"DYNAMODB_JSON", `{"Item":{"pk":{"S":"x"}}}`, inv + "Missing the key sk in the item", false},
		"other key type":   {"DYNAMODB_JSON", `{"Item":{"pk":{"N":"1"},"sk":{"S":"1"}}}`, inv + "Type mismatch for key pk expected: S actual: N", false},
		"other index type": {"DYNAMODB_JSON", `{"Item":{"pk":{"S":"x"},"sk":{"S":"1"},"g":{"N":"1"}}}`, inv + "Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g", false},
		"too large":        {"DYNAMODB_JSON", `{"Item":{"pk":{"S":"x"},"sk":{"S":"1"},"v":{"S":"` + strings.Repeat("x", 400<<10) + `"}}}`, "ValidationException: Item size has exceeded the maximum allowed size", false},
		"no Ion":           {"ION", `{Item:{pk:"x",sk:}}`, ion, true},
		"Ion symbol":       {"ION", `{Item:{pk:x,sk:"1"}}`, ion, true},
		"Ion set":          {"ION", `{Item:{pk:"x",sk:"1",s:$dynamodb_XS::["a"]}}`, ion, true},
		"Ion without Item": {"ION", `{pk:{}}`, none, true},
		"Ion number":       {"ION", `{Item:{pk:"x",sk:"1",n:1.2.3}}`, "ValidationException: The parameter cannot be converted to a numeric value: 1.2.3", true},
		"Ion key":          {"ION", `{Item:{pk:"x",sk:1}}`, inv + "Type mismatch for key sk expected: S actual: N", false},
		"Ion twice":        {"ION", `{Item:{pk:"x",sk:"1",v:"a",'v':"b"}}`, `the item has attribute "v" twice`, true},
		"Ion map twice":    {"ION", `{Item:{pk:"x",sk:"1",m:{a:[{k:1,other:2,k:1}]}}}`, `a map in attribute "m" has a key twice`, true},
		"short":            {"CSV", `x`, "the line is not CSV of the header: wrong number of fields", true},
		"long":             {"CSV", `x,1,2,3`, "the line is not CSV of the header: wrong number of fields", true},
		"quote":            {"CSV", `x,1,"a`, `the line is not CSV of the header: extraneous or missing " in quoted-field`, true},
		"not UTF-8":        {"CSV", "x,1,\xff", "the field of attribute g is not UTF-8", true},
		"empty key":        {"CSV", `,1,g`, "ValidationException: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk", false},
	} {
		t.Run(name, func(t *testing.T) {
			var errs []ddbtest.ImportError
			_, client, bucket := withBucket(t, ddbtest.WithImportErrors(func(e ddbtest.ImportError) { errs = append(errs, e) }))
			lines := []string{good("a"), c.line, good("c")}
			first := 1
			switch c.format {
			case "ION":
				lines[0], lines[2] = `{Item:{pk:"a",sk:"1",m:{m:{m:1},n:{m:1}}}}`, `{Item:{pk:"c",sk:"1"}}`
			case "CSV":
				lines = []string{"pk,sk,g", "a,1,g", c.line, "c,1,g"}
				first = 2
			}
			putObject(t, bucket, "1", strings.Join(lines, "\n")+"\n", false)
			in := importOf("orders", c.format)
			def := pairTable("orders")
			def.AttributeDefinitions = append(def.AttributeDefinitions, attr("g", "S"))
			def.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{IndexName: aws.String("by-g"), Projection: &types.Projection{ProjectionType: "ALL"}, KeySchema: []types.KeySchemaElement{key("g", "HASH")}}}
			in.TableCreationParameters = creationOf(def)
			d := mustImport(t, client, in)
			imported, processed := int64(2), int64(3)
			if c.rest {
				imported, processed = 1, 2
			}
			if d.ImportStatus != "COMPLETED" || d.ErrorCount != 1 || d.ImportedItemCount != imported || d.ProcessedItemCount != processed {
				t.Errorf("%s: %d processed, %d imported, %d errors", d.ImportStatus, d.ProcessedItemCount, d.ImportedItemCount, d.ErrorCount)
			}
			if len(errs) != 1 {
				t.Fatalf("the errors are %v", errs)
			}
			e := errs[0]
			if e.ImportARN != *d.ImportArn || e.Bucket != "archive" || e.Key != "1" || e.Line != first+1 || e.Rest != c.rest || e.Unwrap().Error() != c.message {
				t.Errorf("the error is %+v", e)
			}
			want := fmt.Sprintf("line %d of object 1 of bucket archive: %s", first+1, c.message)
			if c.rest {
				want += "; the rest of the object is left out"
			}
			if e.Error() != want {
				t.Errorf("got  %s\nwant %s", e.Error(), want)
			}
		})
	}
}

// An object that is damaged as a whole is one error, and the others are imported; of several items with one key the last one is kept.
func TestImportObjects(t *testing.T) {
	var errs []string
	e, client, bucket := withBucket(t, ddbtest.WithImportErrors(func(e ddbtest.ImportError) { errs = append(errs, e.Error()) }))
	lines := `{"Item":{"pk":{"S":"a"},"sk":{"S":"1"},"v":{"N":"1"}}}` + "\n"
	putObject(t, bucket, "1.gz", lines, true)
	putObject(t, bucket, "2.gz", lines, false) // not compressed
	putObject(t, bucket, "3.gz", "", true)
	putObject(t, bucket, "4.gz", "", false) // empty
	putObject(t, bucket, "5.gz", strings.Replace(lines, `"N":"1"`, `"N":"2"`, 1), true)
	whole := readFile(t, filepath.Join(bucket, "1.gz"))
	putObject(t, bucket, "6.gz", string(whole[:len(whole)-6]), false) // cut short
	in := importOf("orders", "DYNAMODB_JSON")
	in.InputCompressionType = "GZIP"
	d := mustImport(t, client, in)
	if d.ErrorCount != 2 || d.ImportedItemCount < 2 || len(errs) != 2 || d.ImportStatus != "COMPLETED" {
		t.Errorf("%d imported, %d errors: %v", d.ImportedItemCount, d.ErrorCount, errs)
	}
	if !strings.HasPrefix(errs[0], "object 2.gz of bucket archive: the object is not compressed with gzip") || !strings.Contains(errs[1], "6.gz") {
		t.Errorf("the errors are %q", errs)
	}
	if got := contentsOf(t, e, "orders"); strings.Contains(got, "\n") {
		t.Errorf("the items are %s", got)
	}
	in = importOf("none", "DYNAMODB_JSON")
	in.S3BucketSource.S3KeyPrefix = aws.String("nothing/")
	if d := mustImport(t, client, in); d.ImportStatus != "COMPLETED" || d.ProcessedItemCount != 0 || contentsOf(t, e, "none") != "" {
		t.Errorf("%s of %d items", d.ImportStatus, d.ProcessedItemCount)
	}
}

// Exported items of all types are imported as the same items, in both formats.
func TestExportIsImported(t *testing.T) {
	longtest.Checks(t, 15)
	root, run := t.TempDir(), 0
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `"\'`, "null", "$1", "a b", "\x00\n\u2028😀", "{{"}))
	number := rapid.OneOf(
		rapid.Map(rapid.Int64(), func(n int64) string { return fmt.Sprint(n) }),
		rapid.SampledFrom([]string{"0", "100", "-2500", "0.001", "-1.5", "12345678901234567890123456789012345678", "1e125", "-1e-130"}),
	)
	binary := rapid.SliceOfN(rapid.Byte(), 1, 8)
	var value func(depth int) *rapid.Generator[types.AttributeValue]
	value = func(depth int) *rapid.Generator[types.AttributeValue] {
		return rapid.Custom(func(t *rapid.T) types.AttributeValue {
			kinds := 8
			if depth < 3 {
				kinds = 10
			}
			switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
			case 0:
				return str(text.Draw(t, "S"))
			case 1:
				return num(number.Draw(t, "N"))
			case 2:
				return &types.AttributeValueMemberB{Value: binary.Draw(t, "B")}
			case 3:
				return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(t, "BOOL")}
			case 4:
				return &types.AttributeValueMemberNULL{Value: true}
			case 5:
				return &types.AttributeValueMemberSS{Value: rapid.SliceOfNDistinct(text, 1, 4, rapid.ID).Draw(t, "SS")}
			case 6:
				return &types.AttributeValueMemberNS{Value: rapid.SliceOfNDistinct(rapid.Map(rapid.Int64(), func(n int64) string { return fmt.Sprint(n) }), 1, 4, rapid.ID).Draw(t, "NS")}
			case 7:
				return &types.AttributeValueMemberBS{Value: rapid.SliceOfNDistinct(binary, 1, 4, func(b []byte) string { return string(b) }).Draw(t, "BS")}
			case 8:
				return &types.AttributeValueMemberL{Value: rapid.SliceOfN(value(depth+1), 0, 3).Draw(t, "L")}
			default:
				return &types.AttributeValueMemberM{Value: rapid.MapOfN(text.Filter(func(s string) bool { return s != "" }), value(depth+1), 0, 3).Draw(t, "M")}
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		run++
		dir := filepath.Join(root, fmt.Sprint(run))
		if err := os.MkdirAll(filepath.Join(dir, "archive"), 0o755); err != nil {
			t.Fatal(err)
		}
		e := ddbtest.NewEngine(ddbtest.WithBuckets(dir), ddbtest.WithImportErrors(func(e ddbtest.ImportError) { t.Error(e) }))
		defer e.Close()
		client := e.Client()
		if _, err := client.CreateTable(context.Background(), pairTable("from")); err != nil {
			t.Fatal(err)
		}
		enableRecovery(t, client, "from", true)
		n := rapid.IntRange(1, 4).Draw(t, "items")
		for i := range n {
			it := rapid.MapOfN(text.Filter(func(s string) bool { return s != "" && s != "pk" && s != "sk" }), value(0), 0, 4).Draw(t, "item")
			it["pk"], it["sk"] = str(fmt.Sprint(i)), str("k")
			if _, err := client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("from"), Item: it}); err != nil {
				t.Fatal(err)
			}
		}
		format := rapid.SampledFrom([]string{"DYNAMODB_JSON", "ION"}).Draw(t, "format")
		in := exportOf("arn:aws:dynamodb:us-east-1:000000000000:table/from")
		in.ExportFormat = types.ExportFormat(format)
		d := mustExport(t, client, in)
		taken := importOf("taken", format)
		taken.InputCompressionType = "GZIP"
		taken.S3BucketSource.S3KeyPrefix = aws.String(filepath.ToSlash(filepath.Dir(*d.ExportManifest)) + "/data/")
		if d := mustImport(t, client, taken); d.ImportedItemCount != int64(n) {
			t.Errorf("%d items are imported", d.ImportedItemCount)
		}
		scan := func(name string) string {
			var list []string
			for i := range n {
				list = append(list, raw(t, e, "GetItem", fmt.Sprintf(`{"TableName":"%s","Key":{"pk":{"S":"%d"},"sk":{"S":"k"}}}`, name, i)))
			}
			return strings.Join(list, "\n")
		}
		if diff := cmp.Diff(scan("from"), scan("taken")); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestImportErrors(t *testing.T) {
	_, client, bucket := withBucket(t)
	putObject(t, bucket, "a", "", false)
	mustCreate(t, client, pairTable("taken"))
	for name, c := range map[string]struct {
		change        func(*dynamodb.ImportTableInput)
		code, message string
	}{
		"there": {func(in *dynamodb.ImportTableInput) { in.TableCreationParameters.TableName = aws.String("taken") }, "ResourceInUseException", "Table already exists: taken"},
		"there, without bucket": {func(in *dynamodb.ImportTableInput) {
			in.TableCreationParameters.TableName, in.S3BucketSource.S3Bucket = aws.String("taken"), aws.String("elsewhere")
		}, "ResourceInUseException", "Table already exists: taken"},
		"table": {func(in *dynamodb.ImportTableInput) {
			in.TableCreationParameters.AttributeDefinitions = []types.AttributeDefinition{}
		}, "ValidationException",
			"Invalid KeySchema: Some index key attribute have no definition"},
		"zstd": {func(in *dynamodb.ImportTableInput) { in.InputCompressionType = "ZSTD" }, "ValidationException",
			"InputCompressionType ZSTD is not supported by this engine: Go's standard library has no reader for it. Use GZIP or NONE"},
		"options": {func(in *dynamodb.ImportTableInput) {
			in.InputFormatOptions = &types.InputFormatOptions{Csv: &types.CsvOptions{}}
		}, "ValidationException", "InputFormatOptions.Csv is for the InputFormat CSV alone"},
		"several": {func(in *dynamodb.ImportTableInput) {
			in.InputFormat, in.InputCompressionType = "XML", "ZIP"
			in.InputFormatOptions = &types.InputFormatOptions{Csv: &types.CsvOptions{Delimiter: aws.String("x"), HeaderList: []string{""}}}
		}, "ValidationException", "4 validation errors detected: Value 'ZIP' at 'inputCompressionType' failed to satisfy constraint: Member must satisfy enum value set: [GZIP, ZSTD, NONE]; " +
			"Value 'XML' at 'inputFormat' failed to satisfy constraint: Member must satisfy enum value set: [DYNAMODB_JSON, ION, CSV]; " +
			`Value 'x' at 'inputFormatOptions.csv.delimiter' failed to satisfy constraint: Member must satisfy regular expression pattern: [,;:|\t ]; ` +
			"Value '' at 'inputFormatOptions.csv.headerList.1.member' failed to satisfy constraint: Member must have length greater than or equal to 1"},
	} {
		t.Run(name, func(t *testing.T) {
			in := importOf("orders", "DYNAMODB_JSON")
			c.change(in)
			_, err := client.ImportTable(t.Context(), in)
			wantError(t, err, c.code, c.message)
		})
	}
	in := importOf("orders", "DYNAMODB_JSON")
	in.S3BucketSource.S3Bucket = aws.String("elsewhere")
	d := mustImport(t, client, in)
	if d.ImportStatus != "FAILED" || *d.FailureCode != "S3NoSuchBucket" {
		t.Errorf("%s: %v", d.ImportStatus, aws.ToString(d.FailureCode))
	}
	_, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	if !errors.As(err, new(*types.ResourceNotFoundException)) {
		t.Errorf("the table of an import that has failed: %v", err)
	}
	const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/import/01"
	_, err = client.DescribeImport(t.Context(), &dynamodb.DescribeImportInput{ImportArn: aws.String(arn)})
	wantError(t, err, "ImportNotFoundException", "Import not found: "+arn)
	_, err = ddbtest.New(t).ImportTable(t.Context(), importOf("orders", "CSV"))
	wantError(t, err, "ValidationException", "ImportTable needs a bucket, and this engine has none: make it with ddbtest.WithBuckets, or start ddblocal with -buckets")
}

// A table is CREATING while its import is in progress, and the import has no counts. Requests with one token create one table.
func TestImportInProgress(t *testing.T) {
	e, client, bucket := withBucket(t, ddbtest.WithStateDelay(10*time.Minute))
	putObject(t, bucket, "a", "pk,sk\na,1\n", false)
	in := importOf("orders", "CSV")
	in.ClientToken = aws.String("once")
	status := func() types.TableStatus {
		out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
		if err != nil {
			t.Fatal(err)
		}
		return out.Table.TableStatus
	}
	d := mustImport(t, client, in)
	if d.ImportStatus != "IN_PROGRESS" || d.ImportedItemCount != 0 || status() != "CREATING" {
		t.Errorf("%s of %d items, the table is %s", d.ImportStatus, d.ImportedItemCount, status())
	}
	if _, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("orders")}); !errors.As(err, new(*types.ResourceNotFoundException)) {
		t.Errorf("a table that is being imported: %v", err)
	}
	again, err := client.ImportTable(t.Context(), in)
	if err != nil || *again.ImportTableDescription.ImportArn != *d.ImportArn {
		t.Errorf("the same request: %v", err)
	}
	other := importOf("others", "CSV")
	other.ClientToken = in.ClientToken
	_, err = client.ImportTable(t.Context(), other)
	wantError(t, err, "ImportConflictException", "The client token was used for a request with other parameters")
	e.Clock().Advance(10 * time.Minute)
	out, err := client.DescribeImport(t.Context(), &dynamodb.DescribeImportInput{ImportArn: d.ImportArn})
	if err != nil {
		t.Fatal(err)
	}
	if d := out.ImportTableDescription; d.ImportStatus != "COMPLETED" || d.ImportedItemCount != 1 || status() != "ACTIVE" || contentsOf(t, e, "orders") == "" || !d.EndTime.Equal(exportStart.Add(10*time.Minute)) {
		t.Errorf("%s of %d items, the table is %s", d.ImportStatus, d.ImportedItemCount, status())
	}
	e.Clock().Advance(8 * time.Hour)
	mustImport(t, client, other)
	list, err := client.ListImports(t.Context(), &dynamodb.ListImportsInput{PageSize: aws.Int32(1)})
	if err != nil || len(list.ImportSummaryList) != 1 || *list.ImportSummaryList[0].TableArn != "arn:aws:dynamodb:us-east-1:000000000000:table/others" || list.NextToken == nil {
		t.Fatalf("the list is %+v: %v", list, err)
	}
	list, err = client.ListImports(t.Context(), &dynamodb.ListImportsInput{PageSize: aws.Int32(1), NextToken: list.NextToken})
	if err != nil || len(list.ImportSummaryList) != 1 || *list.ImportSummaryList[0].ImportArn != *d.ImportArn || list.NextToken != nil {
		t.Errorf("the list is %+v: %v", list, err)
	}
	list, err = client.ListImports(t.Context(), &dynamodb.ListImportsInput{TableArn: d.TableArn})
	if err != nil || len(list.ImportSummaryList) != 1 || list.ImportSummaryList[0].ImportStatus != "COMPLETED" {
		t.Errorf("the list is %+v: %v", list, err)
	}
}

// While ImportTable stores the items, the table is CREATING for other calls, and they can neither read nor write its items.
func TestImportIsNotReadable(t *testing.T) {
	var client *dynamodb.Client // set before the callback runs
	calls := 0
	e, _, bucket := withBucket(t, ddbtest.WithImportErrors(func(ddbtest.ImportError) {
		calls++
		out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
		if err != nil || out.Table.TableStatus != types.TableStatusCreating {
			t.Errorf("the table is described as %+v: %v", out, err)
		}
		_, err = client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: item{"pk": str("a"), "sk": str("1")}})
		wantError(t, err, "ResourceNotFoundException", "Requested resource not found")
		_, err = client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: item{"pk": str("b"), "sk": str("1")}})
		wantError(t, err, "ResourceNotFoundException", "Requested resource not found")
	}))
	client = e.Client()
	putObject(t, bucket, "1", "pk,sk\na,1\n", false)
	putObject(t, bucket, "2", "pk,sk\nshort\n", false)
	d := mustImport(t, client, importOf("orders", "CSV"))
	if calls != 1 || d.ImportedItemCount != 1 {
		t.Errorf("%d errors, %d items are imported", calls, d.ImportedItemCount)
	}
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: item{"pk": str("a"), "sk": str("1")}})
	if err != nil || len(out.Item) != 2 {
		t.Errorf("after the import the item is %v: %v", out, err)
	}
}

// An imported table in a folder outlives its engine, even if the objects have been deleted.
func TestImportIsKept(t *testing.T) {
	data, buckets := t.TempDir(), t.TempDir()
	putObject(t, buckets, "archive/a", "pk,sk\na,1\nb,2\n", false)
	var kept string
	for round := range 3 {
		e, err := ddbtest.OpenFolder(data, false, ddbtest.WithBuckets(buckets))
		if err != nil {
			t.Fatal(err)
		}
		if e.Damage().Bytes > 0 {
			t.Errorf("the damage is %+v", e.Damage())
		}
		if round == 0 {
			mustImport(t, e.Client(), importOf("orders", "CSV"))
			_, err := e.Client().ImportTable(t.Context(), importOf("orders", "CSV"))
			wantError(t, err, "ResourceInUseException", "Table already exists: orders")
			if err := os.RemoveAll(filepath.Join(buckets, "archive")); err != nil {
				t.Fatal(err)
			}
			mustPut(t, e.Client(), "orders", item{"pk": str("c"), "sk": str("3")})
			kept = contentsOf(t, e, "orders")
		}
		if got := contentsOf(t, e, "orders"); got != kept || strings.Count(got, "\n") != 2 {
			t.Errorf("round %d: %s", round, got)
		}
		e.Close()
	}
}

// A kill while an import is written leaves no table, wherever the file ends; a table that was there before is whole.
func TestImportKilled(t *testing.T) {
	data, buckets := t.TempDir(), t.TempDir()
	putObject(t, buckets, "archive/a", "pk,sk\na,1\nb,2\nc,3\n", false)
	e, err := ddbtest.OpenFolder(data, false, ddbtest.WithBuckets(buckets))
	if err != nil {
		t.Fatal(err)
	}
	mustCreate(t, e.Client(), pairTable("before"))
	mustPut(t, e.Client(), "before", item{"pk": str("x"), "sk": str("1")})
	file := filepath.Join(data, "journal")
	size := func() int {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Size())
	}
	begin := size()
	mustImport(t, e.Client(), importOf("orders", "CSV"))
	end := size()
	mustCreate(t, e.Client(), pairTable("after"))
	e.Close()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tables := func() string {
		e, client := openFolder(t, data)
		defer e.Close()
		list, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, name := range list.TableNames {
			out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %d ", name, out.Count)
		}
		return b.String()
	}
	for cut := begin; cut <= end; cut++ {
		if at := whole[cut-1]; at != '\n' && whole[cut] != '\n' && at != ':' { // between records, and at some places in each
			continue
		}
		if err := os.WriteFile(file, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		want := "before 1 "
		if cut == end {
			want = "before 1 orders 3 "
		}
		for round := range 2 { // the second reads what the first has written
			if got := tables(); got != want {
				t.Fatalf("after %d of %d bytes, round %d: got %q, want %q", cut-begin, end-begin, round, got, want)
			}
		}
	}
	// The record of the end is damaged, and others follow.
	if err := os.WriteFile(file, bytes.Replace(whole, []byte("ImportTableEnd"), []byte("ImportTableEnx"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := tables(), "after 0 before 1 orders 3 "; got != want {
		t.Errorf("with a damaged end: got %q, want %q", got, want)
	}
}
