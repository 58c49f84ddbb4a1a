// SPDX-License-Identifier: Apache-2.0

// Package browser_test opens the page of package debug in a real browser.
package browser_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/progress"
)

type order struct {
	Customer string `dynamodbav:"customer"`
	ID       string `dynamodbav:"id"`
	Status   string `dynamodbav:"status"`
	Total    int64  `dynamodbav:"total"`
	Note     string `dynamodbav:"note"`
}

type stockItem struct {
	SKU string `dynamodbav:"sku"`
	Qty int64  `dynamodbav:"qty"`
}

type visit struct {
	Visitor string `dynamodbav:"visitor"`
	At      int    `dynamodbav:"at"`
	Page    string `dynamodbav:"page"`
}

var (
	orderCustomer = ddb.StrField(func(o *order) *string { return &o.Customer })
	orderID       = ddb.StrField(func(o *order) *string { return &o.ID })
	orderStatus   = ddb.StrField(func(o *order) *string { return &o.Status })
	orderTotal    = ddb.NumField(func(o *order) *int64 { return &o.Total })
	stockSKU      = ddb.StrField(func(s *stockItem) *string { return &s.SKU })
	stockQty      = ddb.NumField(func(s *stockItem) *int64 { return &s.Qty })
	visitVisitor  = ddb.StrField(func(v *visit) *string { return &v.Visitor })
	visitAt       = ddb.NumField(func(v *visit) *int { return &v.At })
)

// shop is a program with load on three tables, and a recorder whose clock the load advances.
type shop struct {
	t        *testing.T
	client   ddb.Client
	recorder *debug.Recorder
	orders   *ddb.Table[order, string, string]
	byStatus *ddb.Index[order, string, string]
	stock    *ddb.SimpleTable[stockItem, string]
	visits   *ddb.Table[visit, string, int]
	archive  *ddb.SimpleTable[stockItem, string] // it does not exist
	budget   *cost.Budget
	long     *progress.Tracker

	mu  sync.Mutex
	now time.Time
}

func (s *shop) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *shop) advance() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(time.Second)
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, long: progress.NewTracker(), now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	ledger := cost.NewLedger()
	s.recorder = debug.New(debug.WithLedger(ledger), debug.WithClock(s.clock), debug.WithHotKeys(64, 0), debug.WithProcess("shop-1"),
		debug.WithPrice(debug.Price{Currency: "USD", ReadMillion: 0.125, WriteMillion: 0.625})) // a price of us-east-1, https://aws.amazon.com/dynamodb/pricing/on-demand/
	engine := ddbtest.NewEngine(ddbtest.WithFaults(
		fault.On("Query").Every(45).Throttle("IndexReadKeyRangeThroughputExceeded"),
		fault.On("UpdateItem").Every(30).Throttle("TableWriteMaxOnDemandThroughputExceeded"),
		fault.On("PutItem").Every(75).Throttle(),
		fault.On("GetItem").Nth(200).Error("InternalServerError", "invented"),
		fault.On("PutItem").Nth(40).DropReply(),
		fault.On("BatchWriteItem").Every(4).Unprocessed(1),
		fault.On("Query", "Scan").Every(4).Delay(4*time.Millisecond),
		fault.On("TransactWriteItems").Every(3).Delay(7*time.Millisecond),
	))
	t.Cleanup(engine.Close)
	client := engine.Client(func(o *dynamodb.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	})
	s.client = client
	opts := []ddb.TableOption{ddb.WithLedger(ledger), ddb.WithHook(s.recorder), ddb.Retry(ddb.RetryPolicy{BaseDelay: time.Microsecond})}
	var errs [5]error
	s.orders, errs[0] = ddb.New(client, "orders", orderCustomer, orderID, opts...)
	s.stock, errs[1] = ddb.NewSimple(client, "stock", stockSKU, opts...)
	s.visits, errs[2] = ddb.New(client, "visits", visitVisitor, visitAt, opts...)
	s.byStatus, errs[3] = ddb.NewIndex(s.orders, "by-status", orderStatus, orderID)
	s.archive, errs[4] = ddb.NewSimple(client, "archive", stockSKU, opts...)
	s.must(errors.Join(errs[:]...))
	s.must(errors.Join(s.orders.CreateTable(t.Context()), s.stock.CreateTable(t.Context()), s.visits.CreateTable(t.Context())))
	s.must(s.recorder.Describe(t.Context(), s.orders, s.stock, s.visits))
	s.budget = cost.NewBudget(cost.Limits{ReadUnits: 12})
	t.Cleanup(s.recorder.ShowBudget("search", s.budget))
	t.Cleanup(s.recorder.ShowProgress(s.long))
	return s
}

func (s *shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// run runs the load for a number of seconds of the clock.
func (s *shop) run(seconds int) {
	for second := range seconds {
		s.second(second)
		s.advance()
	}
}

func (s *shop) second(n int) {
	checkout := ddb.WithLabel(s.t.Context(), "POST /checkout")
	for i := range 1 + n/60%3 + n%7/5 {
		customer := fmt.Sprintf("customer-%d", (n*3+i)%17)
		if i == 0 { // a customer who orders more than others
			customer = "customer-hot"
		}
		o := order{Customer: customer, ID: fmt.Sprintf("%04d-%d", n, i), Status: "open", Total: int64(n), Note: "leave it at the door"}
		if err := s.orders.Create(checkout, &o); !errors.Is(err, ddb.ErrOutcomeUnknown) { // one reply is lost
			s.must(err)
		}
		_, err := s.stock.Upsert(checkout, fmt.Sprintf("sku-%d", n%5), stockQty.Add(-1))
		s.must(err)
	}
	browse := ddb.WithLabel(s.t.Context(), "GET /orders")
	if _, err := s.orders.Get(browse, "customer-hot", fmt.Sprintf("%04d-0", n)); err != nil && n != 0 {
		s.t.Logf("second %d: %v", n, err)
	}
	s.must(s.visits.Put(browse, &visit{Visitor: fmt.Sprint("visitor-", n%9), At: n, Page: "/orders"}))
	if n%2 == 0 {
		_, err := s.byStatus.Query("open").Filter(orderTotal.Ge(int64(n - 20))).Limit(20).Page(browse)
		s.must(err)
	}
	if n%10 == 3 {
		_, err := s.orders.Query("customer-hot").Limit(5).Page(ddb.WithBudget(ddb.WithLabel(s.t.Context(), "GET /search"), s.budget))
		if !errors.Is(err, cost.ErrBudgetExceeded) {
			s.must(err)
		}
	}
	report := ddb.WithLabel(s.t.Context(), "nightly report")
	switch {
	case n%100 == 99:
		if _, err := s.archive.Get(report, "sku-0"); !errors.Is(err, ddb.ErrTableNotFound) {
			s.t.Fatal(err)
		}
	case n%60 == 59:
		_, err := s.orders.Scan().Filter(orderTotal.Gt(10)).Collect(report)
		s.must(err)
	case n%20 == 10: // refused, because the order exists
		o := order{Customer: "customer-hot", ID: "0000-0", Status: "open"}
		if err := s.orders.Create(checkout, &o); err == nil {
			s.t.Fatal("an order was created twice")
		}
	case n%15 == 5:
		moved := stockItem{SKU: fmt.Sprintf("sku-moved-%d", n), Qty: 1}
		s.must(ddb.Transact(checkout, s.client, s.stock.TxCreate(&moved), s.stock.TxUpdate("sku-0", stockQty.Add(1))))
	case n%30 == 17:
		s.must(s.visits.BatchPut(progress.Named(s.long.With(report), "import of visits"), []visit{{"robot", n, "/"}, {"robot", n + 1, "/a"}, {"robot", n + 2, "/b"}}))
	}
}
