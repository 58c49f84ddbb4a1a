// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
)

// dial returns clients of the endpoint in DYNAMODB_ENDPOINT, or of an engine on a port.
func dial(t *testing.T) (*dynamodb.Client, *dynamodbstreams.Client) {
	t.Helper()
	url := os.Getenv("DYNAMODB_ENDPOINT")
	if url == "" {
		engine := ddbtest.NewEngine()
		t.Cleanup(engine.Close)
		server := httptest.NewServer(engine.Handler())
		t.Cleanup(server.Close)
		url = server.URL
	}
	keys := credentials.NewStaticCredentialsProvider("key", "secret", "")
	return dynamodb.New(dynamodb.Options{BaseEndpoint: aws.String(url), Region: "us-east-1", Credentials: keys}),
		dynamodbstreams.New(dynamodbstreams.Options{BaseEndpoint: aws.String(url), Region: "us-east-1", Credentials: keys})
}

// Two workers share a stream over HTTP, also with an engine that has one shard and no filters: one is stopped, and
// the other handles the rest.
func TestConsumersOverHTTP(t *testing.T) {
	t.Parallel()
	db, streams := dial(t)
	rows, err := ddb.New(db, ddbtest.TableName(t), rowGroup, rowKey)
	if err == nil {
		err = rows.EnsureTable(t.Context(), schema.Stream(types.StreamViewTypeNewAndOldImages))
	}
	if err != nil {
		t.Fatal(err)
	}
	store := newTableStore(t, db)

	const items, versions = 20, 10
	var (
		mu   sync.Mutex
		last = make(map[rowID]int64)
		all  = make(chan struct{})
		half = make(chan struct{})
		seen int
	)
	h := change.Each(func(_ context.Context, c change.Change[row]) error {
		mu.Lock()
		defer mu.Unlock()
		n := c.New.N
		if n > last[c.Keys.ID]+1 || n > 1 && (c.Old == nil || c.Old.N != n-1) {
			t.Errorf("item %d: change %d was delivered after %d: %+v", c.Keys.ID, n, last[c.Keys.ID], c)
		}
		if n == last[c.Keys.ID]+1 {
			last[c.Keys.ID] = n
			switch seen++; seen {
			case items * versions / 2:
				close(half)
			case items * versions:
				close(all)
			}
		}
		return nil
	})
	run := func() (stop func()) {
		c, err := change.NewConsumer(streams, change.OfTable(rows.Name()), rows.Name(), store, h,
			change.PollInterval(50*time.Millisecond), change.Failover(2*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	await := func(what string, ch chan struct{}) {
		t.Helper()
		select {
		case <-ch:
		case <-time.After(time.Minute):
			t.Errorf("%s of the changes were not handled", what)
		}
	}

	first, second := run(), run()
	write := func(from, to int64) {
		for n := from; n <= to; n++ {
			for id := range rowID(items) {
				if err := rows.Put(t.Context(), &row{Group: groupID(fmt.Sprint("g", id)), ID: id, N: n}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	write(1, versions/2)
	await("half", half)
	first()
	write(versions/2+1, versions)
	await("all", all)
	second()

	leases, err := store.Leases(t.Context(), rows.Name())
	for _, l := range leases {
		if l.Owner != "" {
			err = errors.Join(err, fmt.Errorf("%s is still owned", l.Shard))
		}
	}
	if err != nil || len(leases) < 2 {
		t.Errorf("%d leases, %v", len(leases), err)
	}
}
