// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/schema"
)

// meter sums the consumed capacity of the engine's replies.
type meter struct {
	engine  *ddbtest.Engine
	mu      sync.Mutex
	units   float64
	answers int64
}

func (m *meter) Do(req *http.Request) (*http.Response, error) {
	resp, err := m.engine.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var reply struct{ ConsumedCapacity json.RawMessage }
	if json.Unmarshal(body, &reply) != nil || reply.ConsumedCapacity == nil {
		return resp, err
	}
	type consumed struct{ CapacityUnits float64 }
	var (
		one  consumed
		many []consumed
	)
	if json.Unmarshal(reply.ConsumedCapacity, &one) == nil {
		many = []consumed{one}
	} else if json.Unmarshal(reply.ConsumedCapacity, &many) != nil {
		return nil, fmt.Errorf("consumed capacity %s", reply.ConsumedCapacity)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range many {
		m.units += c.CapacityUnits
		m.answers++
	}
	return resp, err
}

// TestLedgerMatchesReplies: 64 goroutines of all operations, on a table with
// indexes; the ledger holds exactly the sum of the engine's replies.
func TestLedgerMatchesReplies(t *testing.T) {
	needsEngine(t, "counts the engine's answers")
	ctx := t.Context()
	e := ddbtest.NewEngine()
	defer e.Close()
	m := &meter{engine: e}
	client := e.Client(func(o *dynamodb.Options) { o.HTTPClient = m })
	ledger := cost.NewLedger()
	orders, err := ddb.New(client, "orders", orderCustomer, orderKey, ddb.WithLedger(ledger))
	if err != nil {
		t.Fatal(err)
	}
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderPlacedAt)
	if err != nil {
		t.Fatal(err)
	}
	byTotal, err := ddb.NewLocalIndex(orders, "by-total", orderTotal)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			c := customerID(fmt.Sprint(g))
			o := order{Customer: c, ID: "a", Status: "open", Notes: []string{strings.Repeat("x", 100*g)}}
			list := []order{{Customer: c, ID: "b", Status: "open"}, {Customer: c, ID: "d", Status: "paid"}}
			var got ddb.Got[order]
			for i, err := range []error{
				orders.Put(ctx, &o), second(orders.Get(ctx, c, "a", ddb.Consistent())), second(orders.Get(ctx, c, "a")),
				second(orders.Update(ctx, orders.Key(c, "a"), orderTotal.Add(1))), orders.BatchPut(ctx, list),
				second(orders.BatchGet(ctx, []ddb.Key[customerID, orderID]{orders.Key(c, "a"), orders.Key(c, "x")})),
				second(orders.Query(c).Collect(ctx)), second(byTotal.Query(c).Count(ctx)), second(byStatus.Query("open").Limit(5).Page(ctx)),
				ddb.Transact(ctx, client, orders.TxUpdate(orders.Key(c, "b"), orderTotal.Add(1)), orders.TxCheck(orders.Key(c, "a"), orderTotal.Eq(1))),
				ddb.TransactGet(ctx, client, orders.TxGet(orders.Key(c, "a"), &got)),
				orders.Delete(ctx, c, "d"), second(orders.Scan().Limit(3).Collect(ctx)),
			} {
				if err != nil {
					t.Errorf("step %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	s := ledger.Snapshot()
	if math.Abs(s.Total()-m.units) > 1e-6 || m.units == 0 {
		t.Errorf("the ledger has %v units, the engine answered %v", s.Total(), m.units)
	}
	if s.Operations() != m.answers {
		t.Errorf("the ledger has %d operations, the engine answered %d", s.Operations(), m.answers)
	}
	seen := map[string]bool{}
	for _, e := range s.ByIndex().Entries {
		seen[e.Index] = true
	}
	if !seen[""] || !seen["by-status"] || !seen["by-total"] {
		t.Errorf("indexes %v", seen)
	}
	if s.Read() == 0 || s.Write() == 0 {
		t.Errorf("read %v, write %v units", s.Read(), s.Write())
	}
}

// TestOptionsOfTables: prefix, page size and the option that turns counting off.
func TestOptionsOfTables(t *testing.T) {
	needsEngine(t, "looks at requests")
	ctx := t.Context()
	e := ddbtest.NewEngine()
	defer e.Close()
	var last map[string]any
	client := e.Client(func(o *dynamodb.Options) {
		o.HTTPClient = apitest.Doer(func(req *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(req.Body)
			last = nil
			if err := json.Unmarshal(body, &last); err != nil {
				return nil, err
			}
			req.Body = io.NopCloser(bytes.NewReader(body))
			return e.Do(req)
		})
	})
	orders, err := ddb.New(client, "orders", orderCustomer, orderKey, ddb.TablePrefix("dev-"), ddb.PageSize(7), ddb.WithoutCapacity(), ddb.ThroughSDK())
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(ctx, schema.EncryptWithKMS("alias/k"), schema.MaxOnDemand(100, 0)); err != nil {
		t.Fatal(err)
	}
	if orders.Name() != "dev-orders" {
		t.Errorf("name %s", orders.Name())
	}
	diffs, err := orders.VerifyTable(ctx, schema.EncryptWithKMS(""), schema.MaxOnDemand(200, 5))
	if err != nil || len(diffs) != 1 || diffs[0].What != "maximum on-demand throughput" || diffs[0].Got != "100 read, none write" {
		t.Errorf("differences %v, %v", diffs, err)
	}
	if _, err := orders.Query("c").Page(ctx); err != nil || last["Limit"] != 7.0 || last["ReturnConsumedCapacity"] != string(types.ReturnConsumedCapacityNone) {
		t.Errorf("request %v, %v", last, err)
	}
	if _, err := orders.Query("c").PageSize(3).Page(ctx); err != nil || last["Limit"] != 3.0 {
		t.Errorf("request %v, %v", last, err)
	}
	if _, err := orders.Query("c").Limit(5).Page(ctx); err != nil || last["Limit"] != 5.0 {
		t.Errorf("request %v, %v", last, err)
	}
	users, err := ddb.NewSimple(client, "users", userID)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	if err := users.Put(ctx, &user{ID: "u", Avatar: []byte("abc"), Nick: "nick"}); err != nil {
		t.Fatal(err)
	}
	labels := ddb.MapField(func(o *order) *map[string]string { return &o.Labels })
	if got := ddb.AsStr(labels.Key("x")).BeginsWith("y").String(); got != "begins_with(labels.?, ?)" {
		t.Errorf("condition %q", got)
	}
	n, err := users.Scan().Filter(userAvatar.BeginsWith([]byte("ab")), userAvatar.Contains([]byte("c")), userEmail.Ne("x")).Count(ctx)
	if err != nil || n != 1 {
		t.Errorf("conditions on bytes count %d, %v", n, err)
	}
}
