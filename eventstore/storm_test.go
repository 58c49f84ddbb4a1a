// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"flag"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/eventstoretest"
	"github.com/dynamotable/ddb/eventstore/keys"
	"github.com/dynamotable/ddb/internal/longtest"
)

var (
	stormAppends = flag.Int("appends", 24_000, "appends with faults in all storms together, with -long")
)

// onEndpoint reports whether the suite runs on another endpoint than our engine, which cannot inject faults.
func onEndpoint() bool { return os.Getenv("DYNAMODB_ENDPOINT") != "" }

// storms are mixtures of faults: in all requests, and more in transactions.
func storms(share float64, on *atomic.Bool) []fault.Rule {
	m := fault.On().Where(func(fault.Request) bool { return on.Load() })
	writes := fault.On("TransactWriteItems").Where(func(fault.Request) bool { return on.Load() })
	part := share / 12
	return []fault.Rule{
		m.Chance(part).DropRequest(), m.Chance(part).DropReply(), m.Chance(part).InternalError(), m.Chance(part).Applied().InternalError(),
		m.Chance(part).Unavailable(), m.Chance(part).Throttle(), m.Chance(part).TruncateBody(), m.Chance(part).EmptyBody(),
		writes.Chance(2 * part).DropReply(), writes.Chance(part).Duplicate(), writes.Chance(part).Late(3 * time.Second),
		writes.Chance(part).Conflict(), writes.Chance(part).InProgress(),
	}
}

// slowly delays requests and replies.
type slowly struct{ next aws.HTTPClient }

func (s slowly) Do(req *http.Request) (*http.Response, error) {
	select {
	case <-time.After(time.Millisecond):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return s.next.Do(req)
}

// TestStorm: under faults of every kind, writers, repeated calls and readers lose nothing, duplicate nothing and see no gap.
func TestStorm(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	variants := []struct {
		name   string
		weight int
		cfg    eventstoretest.StormConfig
		opts   []eventstore.Option
		client []ddbclient.Option
	}{
		{"plain", 2, eventstoretest.StormConfig{Writers: 64, Streams: 32}, nil, nil},
		{"hot", 1, eventstoretest.StormConfig{Writers: 16, Streams: 2}, nil, nil},
		{"sequenced", 3, eventstoretest.StormConfig{Writers: 64, Streams: 32, Feed: true}, []eventstore.Option{eventstore.Sequenced(4)}, nil},
		{"sequenced with frames", 1, eventstoretest.StormConfig{Writers: 16, Streams: 8, Feed: true}, []eventstore.Option{eventstore.Sequenced(2), eventstore.Frames(4 << 10)}, nil},
		{"encrypted", 1, eventstoretest.StormConfig{Writers: 16, Streams: 8, Feed: true}, []eventstore.Option{
			eventstore.Sequenced(2), eventstore.Frames(4 << 10), eventstore.Compress(8), eventstore.Encrypt(new(keys.Memory), func(stream string) string { return stream }),
		}, nil},
		{"time-limited", 1, eventstoretest.StormConfig{Writers: 16, Streams: 8, Feed: true}, []eventstore.Option{
			eventstore.Sequenced(2), eventstore.Expiring(func(string) time.Duration { return 24 * time.Hour }),
		}, nil},
		// With a client that sends everything once, the store must resolve all unknown outcomes.
		{"without the client's retries", 2, eventstoretest.StormConfig{Writers: 32, Streams: 16}, []eventstore.Option{once}, []ddbclient.Option{ddbclient.WithMaxAttempts(1)}},
		{"sequenced without the client's retries", 1, eventstoretest.StormConfig{Writers: 16, Streams: 8, Feed: true}, []eventstore.Option{eventstore.Sequenced(2), once}, []ddbclient.Option{ddbclient.WithMaxAttempts(1)}},
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			cfg := v.cfg
			cfg.Appends = longtest.Size(*stormAppends, 240) * v.weight / 12
			cfg.Writers = longtest.Size(cfg.Writers, max(8, cfg.Writers*3/8)) // each still makes several appends
			cfg.Seed = uint64(time.Now().UnixNano())
			t.Logf("seed %d", cfg.Seed)
			synctest.Test(t, func(t *testing.T) {
				on := new(atomic.Bool)
				e := ddbtest.NewEngine(ddbtest.WithSeed(cfg.Seed), ddbtest.WithFaults(storms(0.08, on)...))
				t.Cleanup(e.Close)
				s := openStore(t, stormClient(t, e, v.client...), "storm", v.opts...)
				on.Store(true)
				cfg.Calm = func() { on.Store(false); <-time.After(time.Minute) } // so that late requests arrive
				t.Logf("%+v", eventstoretest.Storm(t, s, cfg))
			})
		})
	}
}

// once makes the table also send transactions only once.
var once = eventstore.TableOptions(ddb.Retry(ddb.RetryPolicy{MaxAttempts: 1}))

func stormClient(t testing.TB, e *ddbtest.Engine, opts ...ddbclient.Option) ddb.Client {
	t.Helper()
	return clientOver(t, slowly{e}, opts...)
}

// clientOver returns a client over a transport.
func clientOver(t testing.TB, transport aws.HTTPClient, opts ...ddbclient.Option) ddb.Client {
	t.Helper()
	client, err := ddbclient.New(t.Context(), append(opts, ddbclient.WithHTTPClient(transport), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithConfig(aws.Config{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}))...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
