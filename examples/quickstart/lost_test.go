// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// way is what happens to a request on its way: next passes it to DynamoDB.
type way func(req *http.Request, next func() *http.Response) (*http.Response, error)

var errReset = errors.New("connection reset by peer")

// roads sends the requests of one client by the planned ways, and all others directly.
type roads struct {
	engine *ddbtest.Engine
	mu     sync.Mutex
	plan   []way // of the next writes
}

// next takes the way of a request from the plan; nil is the direct one. A read may come while a slow write is underway.
func (r *roads) next(target string) way {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.plan) == 0 || strings.HasSuffix(target, "GetItem") || strings.HasSuffix(target, "Table") || strings.HasSuffix(target, "TimeToLive") {
		return nil
	}
	w := r.plan[0]
	r.plan = r.plan[1:]
	return w
}

// set plans the way of the next write.
func (r *roads) set(w way) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan = []way{w}
}

func (r *roads) Do(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	next := func() *http.Response {
		again := req.Clone(req.Context())
		again.Body = io.NopCloser(strings.NewReader(string(body)))
		resp, err := r.engine.Do(again)
		if err != nil {
			panic(err)
		}
		return resp
	}
	if w := r.next(req.Header.Get("X-Amz-Target")); w != nil {
		return w(req, next)
	}
	return next(), nil
}

type lostOrders = ddb.Table[Order, CustomerID, OrderID]

// scene is a table with two callers: requests of a may be lost, requests of b are not.
type scene struct {
	*testing.T
	road   roads
	client ddb.Client
	a, b   *lostOrders
}

func newScene(t *testing.T) *scene {
	s := &scene{T: t, road: roads{engine: ddbtest.NewEngine()}}
	t.Cleanup(s.road.engine.Close)
	client := s.road.engine.Client(func(o *dynamodb.Options) { o.HTTPClient = &s.road })
	s.client = client
	var err error
	s.a, err = newOrders(client, "orders")
	if err != nil {
		t.Fatal(err)
	}
	s.b, err = newOrders(s.road.engine.Client(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.b.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Error(err)
	}
}

func (s *scene) conflict(err error) {
	s.Helper()
	if !errors.Is(err, ddb.ErrConditionFailed) {
		s.Errorf("%v, want a failed condition", err)
	}
}

func (s *scene) get() Order {
	s.Helper()
	o, err := s.b.Get(s.Context(), "c", "o", ddb.Consistent())
	s.must(err)
	return o
}

func (s *scene) create() Order {
	o := Order{Customer: "c", ID: "o", Status: "open", Total: 5}
	s.must(s.b.Create(s.Context(), &o))
	return o
}

// The ways, combined with writes of others in the meantime.

func lostBefore(meanwhile func()) way {
	return func(*http.Request, func() *http.Response) (*http.Response, error) {
		meanwhile()
		return nil, errReset
	}
}

func lostAfter(meanwhile func()) way {
	return func(_ *http.Request, next func() *http.Response) (*http.Response, error) {
		_ = next().Body.Close()
		meanwhile()
		return nil, errReset
	}
}

func secondReply(meanwhile func()) way {
	return func(_ *http.Request, next func() *http.Response) (*http.Response, error) {
		_ = next().Body.Close()
		meanwhile()
		return next(), nil
	}
}

func gateway(status int, applied bool) way {
	return func(req *http.Request, next func() *http.Response) (*http.Response, error) {
		if applied {
			_ = next().Body.Close()
		}
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
			Body: io.NopCloser(strings.NewReader(`{"message":"Forbidden","__type":"ForbiddenException"}`)),
		}, nil
	}
}

func nothing() {}

// TestLostReplies: with the table of main.go and the README, no lost, duplicated or forged reply
// leads to a wrong report or to an unknown outcome.
func TestLostReplies(t *testing.T) {
	for name, play := range map[string]func(ctx context.Context, s *scene){
		"two updates of one order": func(ctx context.Context, s *scene) {
			s.create()
			x, y := s.get(), s.get()
			x.Total, y.Total = 6, 6
			s.road.set(lostBefore(func() { s.must(s.b.Put(ctx, &x)) }))
			s.conflict(s.a.Put(ctx, &y))
		},
		"two claims of one order": func(ctx context.Context, s *scene) {
			x, y := Order{Customer: "c", ID: "o", Status: "claimed"}, Order{Customer: "c", ID: "o", Status: "claimed"}
			s.road.set(lostBefore(func() { s.must(s.b.Create(ctx, &x)) }))
			s.conflict(s.a.Create(ctx, &y))
		},
		"a delete, and a new order": func(ctx context.Context, s *scene) {
			o := s.create()
			s.road.set(lostAfter(func() { s.create() }))
			s.must(s.a.DeleteItem(ctx, &o))
			if s.get().Total != 5 {
				s.Error("the new order was deleted")
			}
		},
		"a delete by key, and a new order": func(ctx context.Context, s *scene) {
			s.create()
			s.road.set(lostAfter(func() { s.create() }))
			s.must(s.a.Delete(ctx, "c", "o"))
			s.get()
		},
		"a put, deleted and created again": func(ctx context.Context, s *scene) {
			o := s.create()
			o.Total = 9
			s.road.set(lostAfter(func() { s.must(s.b.Delete(ctx, "c", "o")); s.create() }))
			s.must(s.a.Put(ctx, &o))
			if s.get().Total != 5 {
				s.Error("the put replaced the new order")
			}
		},
		"a put that never arrived, deleted and created again": func(ctx context.Context, s *scene) {
			o := s.create()
			o.Total = 9
			s.road.set(lostBefore(func() { s.must(s.b.Delete(ctx, "c", "o")); s.create() }))
			s.conflict(s.a.Put(ctx, &o))
			if s.get().Total != 5 {
				s.Error("the put replaced the new order")
			}
		},
		"second replies": func(ctx context.Context, s *scene) {
			o := Order{Customer: "c", ID: "o", Status: "open"}
			for _, call := range []func() error{
				func() error { return s.a.Create(ctx, &o) },
				func() error { return s.a.Put(ctx, &o) },
				func() error { return s.a.Replace(ctx, &o) },
				func() error { _, err := s.a.Update(ctx, s.a.Key("c", "o"), orderTotal.Add(1)); return err },
				func() error { _, err := s.a.Upsert(ctx, s.a.Key("c", "o"), orderTotal.Add(1)); return err },
				func() error {
					_, err := s.a.Update(ctx, s.a.Key("c", "o"), orderStatus.Set("paid"), ddb.If(orderStatus.Eq("open")))
					return err
				},
				func() error { return s.a.Delete(ctx, "c", "o") },
			} {
				s.road.set(secondReply(nothing))
				s.must(call())
			}
		},
		"a create, deleted and created again": func(ctx context.Context, s *scene) {
			o := Order{Customer: "c", ID: "o"}
			s.road.set(lostAfter(func() { s.must(s.b.Delete(ctx, "c", "o")); s.create() }))
			s.must(s.a.Create(ctx, &o))
			if s.get().Total != 5 {
				s.Error("another order is stored")
			}
		},
		"updates under a condition": func(ctx context.Context, s *scene) {
			o := s.create()
			s.road.set(lostAfter(nothing))
			got, err := s.a.Update(ctx, s.a.Key("c", "o"), orderTotal.Add(1), ddb.If(orderRevision.Eq(o.Revision)))
			s.must(err)
			s.road.set(lostAfter(nothing))
			_, err = s.a.Update(ctx, s.a.Key("c", "o"), orderStatus.Set("paid"), ddb.If(orderStatus.Eq("open")))
			s.must(err)
			s.road.set(lostAfter(nothing))
			_, err = s.a.Update(ctx, s.a.Key("c", "o"), orderTotal.Add(1))
			s.must(err)
			if now := s.get(); got.Total != 6 || now.Total != 7 || now.Status != "paid" {
				s.Errorf("got %d, then %d, %s", got.Total, now.Total, now.Status)
			}
		},
		"a transaction with a token": func(ctx context.Context, s *scene) {
			s.create()
			for range 3 {
				s.must(ddb.Transact(ctx, s.client, ddb.Token("t"), s.a.TxUpdate(s.a.Key("c", "o"), orderTotal.Add(1)),
					s.a.TxCreate(&Order{Customer: "c", ID: "p"})))
			}
			if s.get().Total != 6 {
				s.Error("applied more than once")
			}
		},
		"gateways": func(ctx context.Context, s *scene) {
			o := s.create()
			for _, status := range []int{400, 403, 404, 408, 413, 429, 500, 502, 503} {
				for _, applied := range []bool{false, true} {
					s.road.set(gateway(status, applied))
					s.must(s.a.Put(ctx, &o))
					s.road.set(gateway(status, applied))
					_, err := s.a.Update(ctx, s.a.Key("c", "o"), orderTotal.Add(1))
					s.must(err)
					o = s.get()
				}
			}
			if o.Total != 5+18 {
				s.Errorf("counted to %d", o.Total)
			}
		},
		"an empty reply": func(ctx context.Context, s *scene) {
			s.create()
			s.road.set(func(req *http.Request, next func() *http.Response) (*http.Response, error) {
				resp := next()
				_ = resp.Body.Close()
				return &http.Response{StatusCode: http.StatusOK, Request: req, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(`{}`))}, nil
			})
			got, err := s.a.Update(ctx, s.a.Key("c", "o"), orderTotal.Add(1))
			s.must(err)
			if got.Total != 6 || s.get().Total != 6 {
				s.Errorf("got %d, stored %d", got.Total, s.get().Total)
			}
		},
		"swapped replies": func(ctx context.Context, s *scene) {
			s.create()
			s.must(s.b.Create(ctx, &Order{Customer: "c", ID: "other", Total: 99}))
			s.road.set(func(_ *http.Request, next func() *http.Response) (*http.Response, error) {
				_ = next().Body.Close()
				var reply *http.Response
				other, err := newOrders(s.road.engine.Client(func(o *dynamodb.Options) {
					o.HTTPClient = doFunc(func(req *http.Request) (*http.Response, error) {
						resp, err := s.road.engine.Do(req)
						reply = resp
						if strings.HasSuffix(req.Header.Get("X-Amz-Target"), "UpdateItem") {
							return nil, errReset
						}
						return resp, err
					})
				}), "orders")
				s.must(err)
				short, cancel := context.WithCancel(ctx)
				defer cancel()
				_, _ = other.Update(short, other.Key("c", "other"), orderTotal.Add(1).AtLeastOnce())
				return reply, nil
			})
			got, err := s.a.Update(ctx, s.a.Key("c", "o"), orderTotal.Add(1))
			s.must(err)
			if got.ID != "o" || got.Total != 6 {
				s.Errorf("got order %s, total %d", got.ID, got.Total)
			}
		},
	} {
		t.Run(name, func(t *testing.T) { play(t.Context(), newScene(t)) })
	}
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(req *http.Request) (*http.Response, error) { return f(req) }

// TestReadmeTable: the README has the same table, so the tests above also apply to it.
func TestReadmeTable(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(text)), " ")
	}
	code, readme := read("main.go"), read("../../README.md")
	for from, to := range map[string]string{"type Order struct": "}", "var ( orderCustomer": " )", "orderCustomer, orderID, ddb.Version": "Hour))"} {
		_, rest, found := strings.Cut(code, from)
		block, _, ended := strings.Cut(rest, to)
		if !found || !ended || !strings.Contains(readme, from+block+to) {
			t.Errorf("the README lacks %q", from+block+to)
		}
	}
}
