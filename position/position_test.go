// SPDX-License-Identifier: Apache-2.0

package position_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/position/positiontest"
	"github.com/dynamotable/ddb/schema"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

func open(t testing.TB, client ddb.Client, table string, opts ...position.Option) *position.Store {
	t.Helper()
	s, err := position.New(client, table, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.DeleteTable(context.WithoutCancel(t.Context()), schema.AllowDelete(s.Name())) })
	return s
}

func TestSuite(t *testing.T) {
	positiontest.Run(t, func(t testing.TB, opts ...position.Option) *position.Store {
		return open(t, ddbtest.NewFromEnv(t), ddbtest.TableName(t), opts...)
	})
}

// TestStorm: with requests and replies lost, each number takes effect exactly once.
func TestStorm(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		on := new(atomic.Bool)
		m := fault.On().Where(func(fault.Request) bool { return on.Load() })
		e := ddbtest.NewEngine(ddbtest.WithSeed(seed), ddbtest.WithFaults(
			m.Chance(0.02).DropReply(), m.Chance(0.02).DropRequest(), m.Chance(0.02).InternalError(), m.Chance(0.02).Applied().InternalError(),
			m.Chance(0.02).Throttle(), m.Chance(0.02).TruncateBody(), fault.On("TransactWriteItems").Chance(0.02).Late(time.Second)))
		t.Cleanup(e.Close)
		client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(e), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithConfig(aws.Config{
			Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		}))
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, client, "positions")
		on.Store(true)
		positiontest.Storm(t, s, 16, longtest.Size(60, 16), seed)
	})
}

func Example() {
	ctx := context.Background()
	client, stop := ddbtest.Open()
	defer stop()
	positions, err := position.New(client, "positions")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := positions.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	first, _ := positions.Claim(ctx, "mailer", "shard-0", "host-1")
	fmt.Println("saved:", first.Save(ctx, 10) == nil)

	second, _ := positions.Claim(ctx, "mailer", "shard-0", "host-2") // takes over
	fmt.Println("continues after", second.Start().Number)
	fmt.Println("the first is fenced:", first.Save(ctx, 11) != nil)
	// Output:
	// saved: true
	// continues after 10
	// the first is fenced: true
}
