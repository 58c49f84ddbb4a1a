// SPDX-License-Identifier: Apache-2.0

// Restart measures the processor time that ddblocal takes to open a folder with many items.
//
//	GOWORK=off go run ./restart -data ./million                     # fills the folder first if it is empty
//	GOWORK=off go run ./restart -data ./million -server ./ddblocal
//
// The items have 1 KB in 14 attributes, in a table with one global index that projects all of them. Each round starts
// the server on the folder, waits until it listens, asks for one item by the index, and ends it.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func main() {
	log.SetFlags(0)
	items := flag.Int("items", 1_000_000, "items, a multiple of 25, if the folder is empty")
	rounds := flag.Int("rounds", 3, "rounds, of which the median counts")
	data := flag.String("data", "", "`folder` of the data")
	server := flag.String("server", "", "ddblocal `binary`; built from the source beside this command if empty")
	flag.Parse()
	if err := run(context.Background(), *data, *server, *items, *rounds); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, data, server string, items, rounds int) error {
	if data == "" {
		return errors.New("-data is missing")
	}
	if server == "" {
		dir, err := os.MkdirTemp("", "restart-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // the system clears its folder of temporary files
		server = filepath.Join(dir, "ddblocal")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", server, "github.com/dynamotable/ddb/cmd/ddblocal").CombinedOutput(); err != nil { //nolint:gosec // a path of this command
			return fmt.Errorf("build ddblocal: %w\n%s", err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(data, "journal")); errors.Is(err, os.ErrNotExist) {
		fmt.Printf("filling %s with %d items\n", data, items)
		_, err := serve(ctx, server, data, func(c *dynamodb.Client) error { return fill(ctx, c, items) })
		if err != nil {
			return err
		}
	}
	var used []time.Duration
	for range rounds {
		start := time.Now()
		var ready time.Duration
		state, err := serve(ctx, server, data, func(c *dynamodb.Client) error {
			ready = time.Since(start)
			return look(ctx, c)
		})
		if err != nil {
			return err
		}
		cpu := state.UserTime() + state.SystemTime()
		fmt.Printf("processor time %.2f s (user %.2f, system %.2f), listening after %.2f s\n", cpu.Seconds(), state.UserTime().Seconds(), state.SystemTime().Seconds(), ready.Seconds())
		used = append(used, cpu)
	}
	slices.Sort(used)
	fmt.Printf("median: %.2f s of processor time\n", used[len(used)/2].Seconds())
	return nil
}

// serve runs the server while use does.
func serve(ctx context.Context, binary, data string, use func(*dynamodb.Client) error) (*os.ProcessState, error) {
	cmd := exec.CommandContext(ctx, binary, "-addr", "127.0.0.1:0", "-data", data) //nolint:gosec // the user names the binary
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", binary, err), cmd.Wait())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	url, _, _ := strings.Cut(strings.TrimPrefix(line, "ddblocal: listening on "), ",")
	useErr := use(dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("any", "key", ""),
	}))
	err = errors.Join(useErr, cmd.Process.Signal(os.Interrupt), cmd.Wait())
	return cmd.ProcessState, err
}

var table = aws.String("restart")

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func item(i int) map[string]types.AttributeValue {
	it := map[string]types.AttributeValue{
		"pk": text("item-" + strconv.Itoa(i)), "sk": text("s"), "group": text("group-" + strconv.Itoa(i%10_000)), "text": text(strings.Repeat("x", 700)),
	}
	for j := range 10 {
		it["attribute"+strconv.Itoa(j)] = &types.AttributeValueMemberN{Value: strconv.Itoa(j * 1234)}
	}
	return it
}

func fill(ctx context.Context, c *dynamodb.Client, items int) error {
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: "S"}, {AttributeName: aws.String("sk"), AttributeType: "S"}, {AttributeName: aws.String("group"), AttributeType: "S"},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-group"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("group"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("pk"), KeyType: types.KeyTypeRange}},
		}},
	})
	if err != nil {
		return err
	}
	requests := make([]types.WriteRequest, 25)
	for i := 0; i < items; i += len(requests) {
		for j := range requests {
			requests[j].PutRequest = &types.PutRequest{Item: item(i + j)}
		}
		if _, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*table: requests}}); err != nil {
			return err
		}
	}
	return nil
}

// look checks that the data are there, by the index.
func look(ctx context.Context, c *dynamodb.Client) error {
	out, err := c.Query(ctx, &dynamodb.QueryInput{
		TableName: table, IndexName: aws.String("by-group"), KeyConditionExpression: aws.String("#g = :g"), Limit: aws.Int32(1),
		ExpressionAttributeNames: map[string]string{"#g": "group"}, ExpressionAttributeValues: map[string]types.AttributeValue{":g": text("group-7")},
	})
	if err != nil {
		return err
	}
	if len(out.Items) != 1 || len(out.Items[0]) != len(item(7)) {
		return fmt.Errorf("the index gives %d items; the folder was not filled by this command, or data are lost", len(out.Items))
	}
	return nil
}
