// SPDX-License-Identifier: Apache-2.0

// Engines puts the same load on DynamoDB-compatible servers over HTTP and prints how much each does.
//
//	GOWORK=off go run ./engines                                     # ddbtest, behind a server of this process
//	GOWORK=off go run ./engines name=http://127.0.0.1:8000 ...      # others next to it
//
// The load is a mixture of puts, gets, queries, updates of one hot item and transactions by many goroutines, in
// rounds that take turns, with the SDK's own client. The line "client" is the same load on a server that answers
// at once with nothing: what the client and HTTP allow.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

func main() {
	log.SetFlags(0)
	workers := flag.Int("workers", 64, "goroutines")
	length := flag.Duration("time", 2*time.Second, "length of a round")
	rounds := flag.Int("rounds", 3, "rounds, of which the best counts")
	flag.Parse()
	if err := run(*workers, *rounds, *length, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

type server struct {
	name   string
	client *dynamodb.Client
	best   float64
}

func run(workers, rounds int, length time.Duration, others []string) error {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	own := httptest.NewServer(engine.Handler())
	defer own.Close()
	nothing := httptest.NewServer(http.HandlerFunc(answerNothing))
	defer nothing.Close()
	servers := []*server{{name: "client", client: clientOf(nothing.URL)}, {name: "ddbtest", client: clientOf(own.URL)}}
	for _, o := range others {
		name, url, found := strings.Cut(o, "=")
		if !found {
			return fmt.Errorf("%q is not name=URL", o)
		}
		servers = append(servers, &server{name: name, client: clientOf(url)})
	}
	table := fmt.Sprintf("load-%d", time.Now().UnixNano())
	ctx := context.Background()
	for _, s := range servers {
		if err := create(ctx, s.client, table); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for range rounds {
		for _, s := range servers {
			n, err := load(ctx, s.client, table, workers, length)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			s.best = max(s.best, n)
			runtime.GC()
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "server\toperations/s\tddbtest is")
	for _, s := range servers {
		fmt.Fprintf(w, "%s\t%.0f\t%.2fx\n", s.name, s.best, servers[1].best/s.best)
	}
	return w.Flush()
}

func answerNothing(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(`{}`))), 10))
	_, _ = io.WriteString(w, `{}`)
}

func clientOf(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("any", "key", ""),
		HTTPClient: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
	})
}

func create(ctx context.Context, c *dynamodb.Client, table string) error {
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}, {AttributeName: aws.String("sk"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}},
	})
	return err
}

// load runs the mixture and returns operations per second.
func load(ctx context.Context, c *dynamodb.Client, table string, workers int, length time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var (
		wg     sync.WaitGroup
		done   atomic.Int64
		failed atomic.Pointer[error]
	)
	start := time.Now()
	for w := range workers {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := one(ctx, c, table, w, i); err != nil {
					if ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
						failed.CompareAndSwap(nil, &err)
						return
					}
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(start).Seconds(), nil
}

func key(pk, sk int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "p" + strconv.Itoa(pk)}, "sk": &types.AttributeValueMemberS{Value: fmt.Sprintf("s%04d", sk)},
	}
}

var filler = strings.Repeat("x", 400)

func one(ctx context.Context, c *dynamodb.Client, table string, w, i int) error {
	item := key(w, i%50)
	item["text"] = &types.AttributeValueMemberS{Value: filler}
	var err error
	switch i % 10 {
	case 0, 1, 2:
		_, err = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item})
	case 3, 4, 5:
		_, err = c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key(w, i%50)})
	case 6, 7:
		_, err = c.Query(ctx, &dynamodb.QueryInput{
			TableName: &table, KeyConditionExpression: aws.String("pk = :p"), Limit: aws.Int32(10),
			ExpressionAttributeValues: map[string]types.AttributeValue{":p": key(w, 0)["pk"]},
		})
	case 8:
		_, err = c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &table, Key: key(-1, 0), UpdateExpression: aws.String("ADD n :one"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
		})
	default:
		second := key(w, 1000+i%50)
		_, err = c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: &table, Item: item}}, {Put: &types.Put{TableName: &table, Item: second}},
		}})
	}
	return err
}
