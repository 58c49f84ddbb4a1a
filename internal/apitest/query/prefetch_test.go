// SPDX-License-Identifier: Apache-2.0

package query_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// gate lets the first requests of one operation pass, and blocks the others until they are cancelled.
type gate struct {
	engine  *ddbtest.Engine
	op      string
	mu      sync.Mutex
	open    int
	waiting int
	ended   int
}

func (g *gate) Do(req *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(req.Header.Get("X-Amz-Target"), "."+g.op) {
		return g.engine.Do(req)
	}
	g.mu.Lock()
	g.open--
	held := g.open < 0
	if held {
		g.waiting++
	}
	g.mu.Unlock()
	if !held {
		return g.engine.Do(req)
	}
	<-req.Context().Done()
	g.mu.Lock()
	g.ended++
	g.mu.Unlock()
	return nil, req.Context().Err()
}

func (g *gate) counts() (waiting, ended int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting, g.ended
}

func newGate(t testing.TB, op string, open int) (*gate, *ddb.Table[order, customerID, orderID]) {
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	g := &gate{engine: e, op: op, open: open}
	orders := newOrdersOn(t, e.Client(func(o *dynamodb.Options) { o.HTTPClient = g }))
	fill(t, orders, 20)
	return g, orders
}

// TestNextPageIsFetchedAhead: while the caller works on a page the next one is in
// flight; leaving the loop cancels its request and waits until it has ended.
func TestNextPageIsFetchedAhead(t *testing.T) {
	needsEngine(t, "it uses virtual time")
	synctest.Test(t, func(t *testing.T) {
		g, orders := newGate(t, "Query", 1)
		for page, err := range orders.Query("c1").PageSize(4).Pages(t.Context()) {
			if err != nil || ids(page.Items) != "000 001 002 003" {
				t.Errorf("%s, %v", ids(page.Items), err)
			}
			synctest.Wait()
			if waiting, ended := g.counts(); waiting != 1 || ended != 0 {
				t.Errorf("%d requests are in flight, %d have ended; want 1, 0", waiting, ended)
			}
			break
		}
		if waiting, ended := g.counts(); waiting != 1 || ended != 1 {
			t.Errorf("after the loop %d of %d requests have ended", ended, waiting)
		}
	})
}

// TestLoopLeavesNoGoroutine: a synctest bubble cannot end while one of its goroutines runs.
func TestLoopLeavesNoGoroutine(t *testing.T) {
	needsEngine(t, "it uses virtual time")
	for name, loop := range map[string]func(context.Context, *ddb.Table[order, customerID, orderID]) iter.Seq2[order, error]{
		"query": func(ctx context.Context, o *ddb.Table[order, customerID, orderID]) iter.Seq2[order, error] {
			return o.Query("c1").PageSize(2).All(ctx)
		},
		"scan": func(ctx context.Context, o *ddb.Table[order, customerID, orderID]) iter.Seq2[order, error] {
			return o.Scan().PageSize(2).All(ctx)
		},
		"parallel": func(ctx context.Context, o *ddb.Table[order, customerID, orderID]) iter.Seq2[order, error] {
			return o.Scan().PageSize(2).Parallel(5).All(ctx)
		},
		"view": func(ctx context.Context, o *ddb.Table[order, customerID, orderID]) iter.Seq2[order, error] {
			return ddb.View[order](o.Query("c1").PageSize(2)).All(ctx)
		},
	} {
		for stop := 0; stop < 21; stop += longtest.Every(4) {
			for how, leave := range map[string]func(cancel func()){
				"break": func(func()) {}, "panic": func(func()) { panic("loop") }, "cancel": func(cancel func()) { cancel() },
			} {
				synctest.Test(t, func(t *testing.T) {
					_, orders := newGate(t, "none", 0)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					defer func() { _ = recover() }()
					n := 0
					for _, err := range loop(ctx, orders) {
						if err != nil {
							if how != "cancel" || !errors.Is(err, context.Canceled) {
								t.Errorf("%s, %s: %v", name, how, err)
							}
							break
						}
						if n++; n > stop {
							leave(cancel)
							if how == "break" {
								break
							}
						}
					}
				})
			}
		}
	}
}

// TestCancelledLoop: when the context ends, the loop yields one error, and never looks as if the results had ended.
func TestCancelledLoop(t *testing.T) {
	needsEngine(t, "it uses virtual time")
	for name, op := range map[string]string{"query": "Query", "scan": "Scan", "parallel": "Scan"} {
		for open := range 4 {
			synctest.Test(t, func(t *testing.T) {
				_, orders := newGate(t, op, open)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					synctest.Wait() // until all requests are held
					cancel()
				}()
				seq := orders.Query("c1").PageSize(3).All(ctx)
				switch name {
				case "scan":
					seq = orders.Scan().PageSize(3).All(ctx)
				case "parallel":
					seq = orders.Scan().PageSize(3).Parallel(4).All(ctx)
				}
				var errs []error
				for o, err := range seq {
					if err != nil {
						if errs = append(errs, err); o.ID != "" {
							t.Errorf("%s: the error comes with an item", name)
						}
					} else if len(errs) > 0 {
						t.Errorf("%s: an item after the error", name)
					}
				}
				if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
					t.Errorf("%s after %d requests: %v", name, open, errs)
				}
			})
		}
	}
	orders := newOrders(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"page": second(orders.Query("c").Page(ctx)), "count": second(orders.Query("c").Count(ctx)), "first": second(orders.Query("c").First(ctx)),
		"scan": second(orders.Scan().Collect(ctx)), "parallel": second(orders.Scan().Parallel(3).Collect(ctx)), "parallel count": second(orders.Scan().Parallel(3).Count(ctx)),
	} {
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), orders.Name()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// touchy is a text whose decoding can panic.
type touchy string

// UnmarshalText panics on one value.
func (s *touchy) UnmarshalText(b []byte) error {
	if strings.HasPrefix(string(b), "!") {
		panic(errTouched)
	}
	*s = touchy(b)
	return nil
}

// MarshalText returns the text itself.
func (s touchy) MarshalText() ([]byte, error) { return []byte(s), nil }

var errTouched = errors.New("touched")

// TestPanicsReachTheCaller: a panic of the caller's own code while a page is read
// ahead, or while segments are read in parallel, can be recovered by the caller.
func TestPanicsReachTheCaller(t *testing.T) {
	ctx := t.Context()
	table, _ := newWide(t)
	for i := range 6 {
		text := touchy(fmt.Sprint(i))
		if i == 3 {
			text = "!"
		}
		if err := table.Put(ctx, &wide{Part: "p", Sort: []byte{byte(i)}, A: "a", B: []byte{1}, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	for name, run := range map[string]func(){
		"page":     func() { _, _ = table.Query("p").Page(ctx) },
		"ahead":    func() { _, _ = table.Query("p").PageSize(1).Collect(ctx) },
		"scan":     func() { _, _ = table.Scan().PageSize(1).Collect(ctx) },
		"parallel": func() { _, _ = table.Scan().Parallel(3).Collect(ctx) },
	} {
		func() {
			defer func() {
				err, ok := recover().(error)
				if !ok || !errors.Is(err, errTouched) {
					t.Errorf("%s: recovered %v", name, err)
				}
			}()
			run()
			t.Errorf("%s did not panic", name)
		}()
	}
	n := 0
	for b, err := range table.Query("p").PageSize(1).All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; b.Sort[0] == 2 {
			break // before the page that was read ahead
		}
	}
	if n != 3 {
		t.Errorf("%d items", n)
	}
}
