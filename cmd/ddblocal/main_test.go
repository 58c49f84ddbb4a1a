// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// asServer makes the test binary run the command itself.
const asServer = "DDBLOCAL_TEST_ARGS"

func TestMain(m *testing.M) {
	if args, ok := os.LookupEnv(asServer); ok {
		os.Args = append(os.Args[:1], strings.Fields(args)...)
		main()
		return
	}
	os.Exit(m.Run())
}

// start runs the command in its own process and returns a client.
func start(t *testing.T, args string) (*exec.Cmd, *dynamodb.Client, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asServer+"=-addr 127.0.0.1:0 "+args)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url, _, found := strings.Cut(strings.TrimPrefix(line, "ddblocal: listening on "), ",")
	if !found {
		t.Fatalf("the line is %q", line)
	}
	return cmd, clientOf(url), url
}

func clientOf(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("any", "key", ""), RetryMaxAttempts: 1,
	})
}

var table = aws.String("things")

func create(t *testing.T, c *dynamodb.Client) {
	t.Helper()
	_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}, {AttributeName: aws.String("kind"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-kind"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("kind"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func thing(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}, "kind": &types.AttributeValueMemberS{Value: "k"}}
}

func put(ctx context.Context, c *dynamodb.Client, id string) error {
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: thing(id)})
	return err
}

// Every acknowledged write exists after the process was killed.
func TestDataSurvivesKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var acknowledged []string
	var created float64
	for round := range 3 {
		cmd, c, _ := start(t, "-data "+dir)
		if round == 0 {
			create(t, c)
		}
		d, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table})
		if err != nil {
			t.Fatal(err)
		}
		if at := float64(d.Table.CreationDateTime.UnixMilli()); round == 0 {
			created = at
		} else if at != created {
			t.Errorf("the table was created at %v, before the restart at %v", at, created)
		}
		for _, id := range acknowledged {
			got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: map[string]types.AttributeValue{"id": thing(id)["id"]}})
			if err != nil || got.Item == nil {
				t.Fatalf("round %d: %s is lost: %v", round, id, err)
			}
		}
		found, err := c.Query(t.Context(), &dynamodb.QueryInput{
			TableName: table, IndexName: aws.String("by-kind"), KeyConditionExpression: aws.String("kind = :k"), Select: types.SelectCount,
			ExpressionAttributeValues: map[string]types.AttributeValue{":k": &types.AttributeValueMemberS{Value: "k"}},
		})
		if err != nil || int(found.Count) < len(acknowledged) {
			t.Errorf("round %d: the index has %d items, want at least %d: %v", round, found.Count, len(acknowledged), err)
		}
		ids := make(chan string)
		for w := range 4 {
			go func() {
				for i := 0; ; i++ {
					id := fmt.Sprintf("%d-%d-%d", round, w, i)
					if put(t.Context(), c, id) != nil {
						ids <- ""
						return
					}
					ids <- id
				}
			}()
		}
		for ended := 0; ended < 4; {
			id := <-ids
			if id == "" {
				ended++
				continue
			}
			if acknowledged = append(acknowledged, id); len(acknowledged) == 100*(round+1) {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait()
	}
}

func TestEndsOnSignal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cmd, c, url := start(t, "-data "+dir)
	create(t, c)
	if err := put(t.Context(), c, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: map[string]types.AttributeValue{"id": thing("a")["id"]}}); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if !strings.HasPrefix(string(body), "healthy") {
		t.Errorf("GET / answers %q", body)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	_, c, _ = start(t, "-data "+dir)
	tags, err := c.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/things")})
	if err != nil || len(tags.Tags) != 1 {
		t.Errorf("tags after the restart: %v, %v", tags, err)
	}
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: map[string]types.AttributeValue{"id": thing("a")["id"]}})
	if err != nil || got.Item != nil {
		t.Errorf("the deleted item exists again: %v, %v", got, err)
	}
}

func TestSeed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seed.json")
	const content = `{
		"tables": [{"TableName": "things", "BillingMode": "PAY_PER_REQUEST",
			"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}],
		"items": {"things": [{"id": {"S": "a"}, "n": {"N": "1"}}, {"id": {"S": "b"}}]}
	}`
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	for range 2 { // the second time the tables exist
		cmd, c, _ := start(t, "-data "+data+" -seed "+file)
		scan, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: table})
		if err != nil || scan.Count != 2 {
			t.Errorf("%v, %v; want two items", scan, err)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
}

func TestVersion(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), []string{"-version"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if want := runtime.Version(); !strings.HasPrefix(out.String(), "ddblocal ") || !strings.Contains(out.String(), want) {
		t.Errorf("version is %q, want one with %s", &out, want)
	}
}

func TestRefusedArguments(t *testing.T) {
	seedFile := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(seedFile, []byte(`{"items": {"none": [{}]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"-addr 0.0.0.0:0":        "-public",
		"-addr :0":               "-public",
		"-addr nowhere":          "-addr",
		"-seed /does/not/exist":  "-seed",
		"-seed " + seedFile:      "items of table \"none\"",
		"-data /dev/null/folder": "-data",
		"-buckets /no/such":      "-buckets",
		"-buckets " + seedFile:   "is no folder",
		"tables":                 "unknown argument",
		"-origin localhost:8001": "is no origin",
		"-origin http://a/page":  "is no origin",
		"-page-public":           "-public",
	} {
		if err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

// With -buckets a table is exported to a folder, imported again under another name, and kept in the data folder.
func TestBuckets(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "s3", "archive"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, c, _ := start(t, "-data "+filepath.Join(dir, "data")+" -buckets "+filepath.Join(dir, "s3"))
	create(t, c)
	for i := range 10 {
		if err := put(t.Context(), c, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
		TableName: table, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	}); err != nil {
		t.Fatal(err)
	}
	bucket := aws.String("archive")
	if _, err := c.ExportTableToPointInTime(t.Context(), &dynamodb.ExportTableToPointInTimeInput{S3Bucket: bucket, TableArn: aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/things")}); err != nil {
		t.Fatal(err)
	}
	data, err := filepath.Glob(filepath.Join(dir, "s3", "archive", "AWSDynamoDB", "*", "data"))
	if err != nil || len(data) != 1 {
		t.Fatalf("%v: %v", data, err)
	}
	prefix, err := filepath.Rel(filepath.Join(dir, "s3", "archive"), data[0])
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.ImportTable(t.Context(), &dynamodb.ImportTableInput{
		InputFormat: types.InputFormatDynamodbJson, InputCompressionType: types.InputCompressionTypeGzip,
		S3BucketSource: &types.S3BucketSource{S3Bucket: bucket, S3KeyPrefix: aws.String(filepath.ToSlash(prefix))},
		TableCreationParameters: &types.TableCreationParameters{
			TableName: aws.String("others"), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.DescribeImport(t.Context(), &dynamodb.DescribeImportInput{ImportArn: out.ImportTableDescription.ImportArn})
	if err != nil || d.ImportTableDescription.ImportedItemCount != 10 {
		t.Errorf("%+v: %v", d, err)
	}
	scan, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("others")})
	if err != nil || scan.Count != 10 {
		t.Errorf("%+v: %v", scan, err)
	}
}

// Data lost in the folder is reported on standard error, with its size and the path of the original file.
func TestDamageIsReported(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cmd, c, _ := start(t, "-data "+dir)
	create(t, c)
	for _, id := range []string{"a", "b"} {
		if err := put(t.Context(), c, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	file := filepath.Join(dir, "journal")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, int64(len(whole)-3)); err != nil {
		t.Fatal(err)
	}
	last := len(whole) - bytes.LastIndexByte(whole[:len(whole)-1], '\n') - 1 - 3
	var reported strings.Builder
	engine, err := open(settings{data: dir}, &reported)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	kept := engine.Damage().Kept
	if want := fmt.Sprintf("ddblocal: %s: %d bytes in 1 records were cut short or damaged and are left out; the file as it was is %s\n", dir, last, kept); reported.String() != want {
		t.Errorf("reported\n%swant\n%s", reported.String(), want)
	}
	if data, err := os.ReadFile(kept); err != nil || string(data) != string(whole[:len(whole)-3]) {
		t.Errorf("%s differs from the file as it was: %v", kept, err)
	}
	if out, err := engine.Client().Scan(t.Context(), &dynamodb.ScanInput{TableName: table}); err != nil || out.Count != 1 {
		t.Errorf("%v, %v; want one item", out, err)
	}
}
