// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/job"
	"github.com/dynamotable/ddb/sweep"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	goleak.VerifyTestMain(m)
}

// Order is an item whose status a job changes to lower case.
type Order struct {
	ID     string `dynamodbav:"id"`
	Status string `dynamodbav:"status"`
	Seq    int    `dynamodbav:"seq"`
	Note   string `dynamodbav:"note,omitempty"`
}

var (
	orderID     = ddb.StrField(func(o *Order) *string { return &o.ID })
	orderStatus = ddb.StrField(func(o *Order) *string { return &o.Status })
	orderSeq    = ddb.NumField(func(o *Order) *int { return &o.Seq })
)

type orders = ddb.SimpleTable[Order, string]

// lower is the job function of most tests.
func lower(o Order) job.Change[Order] {
	if o.Status == strings.ToLower(o.Status) {
		return job.Keep[Order]()
	}
	return job.Update[Order](orderStatus.Set(strings.ToLower(o.Status)))
}

// newOrders makes a table with n orders in upper case.
func newOrders(t testing.TB, client *dynamodb.Client, n int) *orders {
	t.Helper()
	table, err := ddb.NewSimple[Order](client, "orders", orderID)
	must(t, err)
	must(t, table.CreateTable(context.Background()))
	list := make([]Order, n)
	for i := range list {
		list[i] = Order{ID: fmt.Sprint(i), Status: fmt.Sprint("OPEN-", i), Seq: i}
	}
	must(t, table.BatchPut(context.Background(), list))
	return table
}

// newJob returns a job that reads small pages.
func newJob(t testing.TB, table *orders, f func(Order) job.Change[Order], opts ...job.Option) *job.Job[Order, string] {
	t.Helper()
	opts = append(opts, job.Sweep(sweep.Segments(3), sweep.Workers(2)), job.Concurrency(2))
	j, err := job.New("lower", pages{table}, f, opts...)
	must(t, err)
	return j
}

// pages is a table whose scans have small pages.
type pages struct{ *orders }

func (p pages) Scan() *ddb.Scan[Order] { return p.orders.Scan().PageSize(3) }

func newClient(e *ddbtest.Engine) *dynamodb.Client {
	return e.Client(func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put stores an item as another program would, without a condition.
func put(t testing.TB, client *dynamodb.Client, item map[string]types.AttributeValue) {
	t.Helper()
	_, err := client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: new("orders"), Item: item})
	must(t, err)
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func number(n any) types.AttributeValue  { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }
func stored(t testing.TB, client *dynamodb.Client, id string) map[string]types.AttributeValue {
	t.Helper()
	out, err := client.GetItem(context.Background(), &dynamodb.GetItemInput{TableName: new("orders"), Key: map[string]types.AttributeValue{"id": text(id)}, ConsistentRead: new(true)})
	must(t, err)
	return out.Item
}

// allLower checks that every order exists, in lower case and as its last writer wrote it.
func allLower(t testing.TB, table *orders, n int) {
	t.Helper()
	list, err := table.Scan().Consistent().Collect(context.Background())
	must(t, err)
	if len(list) != n {
		t.Errorf("%d orders, want %d", len(list), n)
	}
	for _, o := range list {
		if o.Status != fmt.Sprint("open-", o.Seq) {
			t.Errorf("order %s has status %s, its writer's was %d", o.ID, o.Status, o.Seq)
		}
	}
}

// mortal is a store that no longer answers after its runner was killed.
type mortal struct {
	job.Store
	dead atomic.Bool
}

var errKilled = errors.New("killed")

func (m *mortal) Load(ctx context.Context, name string) (job.State, error) {
	if m.dead.Load() {
		return job.State{}, errKilled
	}
	return m.Store.Load(ctx, name)
}

func (m *mortal) Swap(ctx context.Context, name string, was, will job.State) error {
	if m.dead.Load() {
		return errKilled
	}
	return m.Store.Swap(ctx, name, was, will)
}
