// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/longtest"
)

// distant delays each request and each reply by half of the latency.
type distant struct {
	next aws.HTTPClient
	time time.Duration
}

func (d distant) Do(req *http.Request) (*http.Response, error) {
	way := func() error {
		select {
		case <-time.After(d.time / 2):
			return nil
		case <-req.Context().Done():
			return req.Context().Err()
		}
	}
	if err := way(); err != nil {
		return nil, err
	}
	resp, err := d.next.Do(req)
	if err != nil {
		return nil, err
	}
	if err := way(); err != nil {
		return nil, err
	}
	return resp, nil
}

// TestCrowdedShard: sixteen processes append to one shard at once; each append succeeds within a second.
func TestCrowdedShard(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: a virtual clock")
	}
	each := longtest.Size(60, 4)
	for _, writers := range []int{4, 16} {
		synctest.Test(t, func(t *testing.T) {
			e := ddbtest.NewEngine()
			t.Cleanup(e.Close)
			openStore(t, e.Client(), "events", eventstore.Sequenced(1))
			var (
				mu    sync.Mutex
				worst time.Duration
				wg    sync.WaitGroup
			)
			begin := time.Now()
			for w := range writers {
				client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(distant{e, 5 * time.Millisecond}), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithConfig(aws.Config{
					Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
				}))
				if err != nil {
					t.Fatal(err)
				}
				s, err := eventstore.New(client, "events", eventstore.Sequenced(1))
				if err != nil {
					t.Fatal(err)
				}
				wg.Go(func() {
					for i := range each {
						at := time.Now()
						if _, err := s.Append(t.Context(), fmt.Sprint("s", w), eventstore.Exactly(int64(i)), event("x")); err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						worst = max(worst, time.Since(at))
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			took := time.Since(begin)
			t.Logf("%d writers: %.0f appends a second, the slowest took %v", writers, float64(each*writers)/took.Seconds(), worst)
			if worst > time.Second {
				t.Errorf("%d writers: the slowest append took %v", writers, worst)
			}
		})
	}
}
