// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/internal/longtest"
)

// crossing sends another request in place of some requests of one operation, so that these get the reply to it.
type crossing struct {
	engine *ddbtest.Engine
	op     string
	swap   func(body []byte) []byte // the body that is sent instead
	answer string                   // or the reply to return

	mu   sync.Mutex
	left int // number of replies still to be swapped
	sent int
}

func (c *crossing) Do(req *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(req.Header.Get("X-Amz-Target"), "."+c.op) {
		return c.engine.Do(req)
	}
	c.mu.Lock()
	cross := c.left > 0
	c.left--
	c.sent++
	c.mu.Unlock()
	if !cross {
		return c.engine.Do(req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if c.swap == nil {
		header := http.Header{"X-Amzn-Requestid": {"CROSSED"}, "Content-Type": {"application/x-amz-json-1.0"}}
		return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(c.answer)), ContentLength: int64(len(c.answer)), Request: req}, nil
	}
	other := c.swap(body)
	if bytes.Equal(other, body) {
		return nil, fmt.Errorf("no reply to swap for %s", body)
	}
	r := req.Clone(req.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(other)), int64(len(other))
	return c.engine.Do(r)
}

func replace(old, other string) func([]byte) []byte {
	return func(body []byte) []byte { return bytes.ReplaceAll(body, []byte(old), []byte(other)) }
}

// whole has the attributes of the key, unlike most views.
type whole struct {
	Sensor string `dynamodbav:"sensor"`
	Minute int    `dynamodbav:"minute"`
	Value  int64  `dynamodbav:"value"`
}

// TestCrossedReplies: no read returns the reply to another request. It is repeated, and fails if the next reply is wrong, too.
func TestCrossedReplies(t *testing.T) {
	if os.Getenv("DDB_TEST_CODEC") == "off" {
		t.Skip("through the SDK's maps a swapped reply is refused, but not always requested again")
	}
	type tables struct {
		client ddb.Client
		table  *readings
		rooms  *ddb.Index[reading, string, int]
	}
	one := func(r reading, err error) ([]reading, error) {
		if err != nil {
			return []reading{r}, err // must be zero
		}
		return []reading{r}, nil
	}
	// The right replies are for sensor a, or room x; the wrong ones for b and y.
	for name, tc := range map[string]struct {
		op   string
		swap func([]byte) []byte
		run  func(context.Context, tables) ([]reading, error)
		n    int
	}{
		"Get, another sensor": {"GetItem", replace(`{"S":"a"}`, `{"S":"b"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return one(t.table.Get(ctx, "a", 7))
		}, 1},
		"Get, another minute": {"GetItem", replace(`{"N":"7"}`, `{"N":"8"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return one(t.table.Get(ctx, "a", 7))
		}, 1},
		"Get, projected": {"GetItem", replace(`{"N":"7"}`, `{"N":"8"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return one(t.table.Get(ctx, "a", 7, ddb.Project(readingValue)))
		}, 1},
		"GetView": {"GetItem", replace(`{"S":"a"}`, `{"S":"b"}`), func(ctx context.Context, t tables) ([]reading, error) {
			v, err := ddb.GetView[whole](ctx, t.table, t.table.Key("a", 7))
			return one(reading{Sensor: v.Sensor, Minute: v.Minute, Value: v.Value}, err)
		}, 1},
		"Exists": {"GetItem", replace(`{"N":"7"}`, `{"N":"8"}`), func(ctx context.Context, t tables) ([]reading, error) {
			ok, err := t.table.Exists(ctx, "a", 7)
			if err != nil && ok {
				return []reading{{Sensor: "b"}}, err
			}
			return []reading{{Sensor: "a"}}, err
		}, 1},
		"BatchGet": {"BatchGetItem", replace(`{"N":"7"}`, `{"N":"8"}`), func(ctx context.Context, t tables) ([]reading, error) {
			got, err := t.table.BatchGet(ctx, []key{{Partition: "a", Sort: 6}, {Partition: "a", Sort: 7}})
			return []reading{got[0].Item, got[1].Item}, err
		}, 2},
		"TransactGet": {"TransactGetItems", replace(`{"S":"a"}`, `{"S":"b"}`), func(ctx context.Context, t tables) ([]reading, error) {
			var got [2]ddb.Got[reading]
			err := ddb.TransactGet(ctx, t.client, t.table.TxGet(t.table.Key("a", 6), &got[0]), t.table.TxGet(t.table.Key("a", 7), &got[1]))
			if err != nil && (got[0].Found || got[1].Found) {
				return []reading{{Sensor: "b"}}, err
			}
			return []reading{got[0].Item, got[1].Item}, err
		}, 2},
		"TransactGet, in another order": {"TransactGetItems", func(body []byte) []byte {
			body = bytes.ReplaceAll(body, []byte(`{"N":"6"}`), []byte(`{"N":"x"}`))
			body = bytes.ReplaceAll(body, []byte(`{"N":"7"}`), []byte(`{"N":"6"}`))
			return bytes.ReplaceAll(body, []byte(`{"N":"x"}`), []byte(`{"N":"7"}`))
		}, func(ctx context.Context, t tables) ([]reading, error) {
			var got [2]ddb.Got[reading]
			err := ddb.TransactGet(ctx, t.client, t.table.TxGet(t.table.Key("a", 6), &got[0]), t.table.TxGet(t.table.Key("a", 7), &got[1]))
			return []reading{got[0].Item, got[1].Item}, err
		}, 2},
		"Query": {"Query", replace(`{"S":"a"}`, `{"S":"b"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return t.table.Query("a").Collect(ctx)
		}, 20},
		"Query, one page": {"Query", replace(`{"S":"a"}`, `{"S":"b"}`), func(ctx context.Context, t tables) ([]reading, error) {
			page, err := t.table.Query("a").Limit(5).Page(ctx)
			return page.Items, err
		}, 5},
		"Query, projected": {"Query", replace(`{"S":"a"}`, `{"S":"b"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return t.table.Query("a").Project(readingValue).Collect(ctx)
		}, 20},
		"Query, another range": {"Query", replace(`{"N":"12"}`, `{"N":"4"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return t.table.Query("a").SortKey(ddb.Ge(12)).Collect(ctx)
		}, 8},
		"First": {"Query", replace(`{"S":"a"}`, `{"S":"b"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return one(t.table.Query("a").Descending().First(ctx))
		}, 1},
		"a view of a query": {"Query", replace(`{"S":"a"}`, `{"S":"b"}`), func(ctx context.Context, t tables) ([]reading, error) {
			views, err := ddb.View[valueOnly](t.table.Query("a")).Collect(ctx)
			var all []reading
			for _, v := range views {
				all = append(all, reading{Sensor: "a", Value: v.Value})
			}
			return all, err
		}, 20},
		"index": {"Query", replace(`{"S":"x"}`, `{"S":"y"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return t.rooms.Query("x").Collect(ctx)
		}, 20},
		"index, hydrated": {"Query", replace(`{"S":"x"}`, `{"S":"y"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return t.rooms.Query("x").Hydrate().Collect(ctx)
		}, 20},
		"index, the hydrating batch": {"BatchGetItem", replace(`{"S":"a"}`, `{"S":"b"}`), func(ctx context.Context, t tables) ([]reading, error) {
			return t.rooms.Query("x").Hydrate().Collect(ctx)
		}, 20},
	} {
		for _, crossed := range []int{0, 1, 2, 1000} {
			synctest.Test(t, func(t *testing.T) {
				e := engineOf(t, 1)
				c := &crossing{engine: e, op: tc.op, swap: tc.swap}
				client := defaults(t, e, ddbclient.WithHTTPClient(c))
				table := tableOn(t, client)
				rooms, err := byRoom(table)
				if err != nil {
					t.Fatal(err)
				}
				for sensor, room := range map[string]string{"a": "x", "b": "y"} {
					list := make([]reading, 20)
					for i := range list {
						list[i] = reading{Sensor: sensor, Minute: i, Value: int64(100 + i), Room: room}
					}
					if err := table.BatchPut(t.Context(), list); err != nil {
						t.Fatal(err)
					}
				}
				c.left, c.sent = crossed, 0
				got, err := tc.run(t.Context(), tables{client, table, rooms})
				if crossed < 3 {
					if err != nil || len(got) != tc.n || c.sent != crossed+1 {
						t.Errorf("%s, swapped %d times: %d items after %d requests, %v", name, crossed, len(got), c.sent, err)
					}
				} else if err == nil || errors.Is(err, ddb.ErrNotFound) || !ddb.IsRetryable(err) || c.sent != 3 || !strings.Contains(err.Error(), "it does not answer the request") {
					t.Errorf("%s, always swapped: %v after %d requests", name, err, c.sent)
				}
				for _, r := range got {
					if r.Sensor == "b" || r.Room == "y" || r.Sensor != "a" && crossed < 3 || err != nil && r.Sensor != "" && name != "Exists" {
						t.Errorf("%s, swapped %d times: it gave %+v", name, crossed, r)
					}
				}
			})
		}
	}
}

// TestSwappedLastEvaluatedKey: a page without items still has a LastEvaluatedKey, which must be in the query's
// partition.
func TestSwappedLastEvaluatedKey(t *testing.T) {
	e := engineOf(t, 1)
	for _, sensor := range []string{"a", "b"} {
		for i := range 9 {
			r := reading{Sensor: sensor, Minute: i, Room: sensor}
			if err := tableOn(t, e.Client()).Put(t.Context(), &r); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := &crossing{engine: e, op: "Query", swap: replace(`{"S":"a"}`, `{"S":"b"}`)}
	table := tableOn(t, defaults(t, e, ddbclient.WithHTTPClient(c)))
	rooms, err := byRoom(table)
	if err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func() (int, error){
		"filter": func() (int, error) {
			got, err := table.Query("a").PageSize(3).Filter(readingValue.Gt(5)).Collect(t.Context())
			return len(got), err
		},
		"count": func() (int, error) { return table.Query("a").PageSize(3).Count(t.Context()) },
		"index": func() (int, error) { return rooms.Query("a").PageSize(3).Count(t.Context()) },
	} {
		c.left = 0
		if n, err := run(); err != nil || n != map[string]int{"filter": 0, "count": 9, "index": 9}[name] {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		c.left = 1
		if n, err := run(); err == nil || n != 0 || !ddb.IsRetryable(err) || !strings.Contains(err.Error(), "another partition") {
			t.Errorf("%s, crossed: %d, %v", name, n, err)
		}
	}
}

type valueOnly struct {
	Value int64 `dynamodbav:"value"`
}

// TestRepliesWithoutContent: a reply of status 200 with an empty object is refused where the reply must contain more.
func TestRepliesWithoutContent(t *testing.T) {
	list, keys := manyReadings(10)
	for name, tc := range map[string]struct {
		op    string
		write bool
		run   func(context.Context, ddb.Client, *readings) error
	}{
		"Query": {"Query", false, func(ctx context.Context, _ ddb.Client, table *readings) error {
			_, err := table.Query("s0").Collect(ctx)
			return err
		}},
		"Count": {"Query", false, func(ctx context.Context, _ ddb.Client, table *readings) error {
			_, err := table.Query("s0").Count(ctx)
			return err
		}},
		"Scan": {"Scan", false, func(ctx context.Context, _ ddb.Client, table *readings) error {
			_, err := table.Scan().Collect(ctx)
			return err
		}},
		"BatchGet": {"BatchGetItem", false, func(ctx context.Context, _ ddb.Client, table *readings) error {
			_, err := table.BatchGet(ctx, keys)
			return err
		}},
		"TransactGet": {"TransactGetItems", false, func(ctx context.Context, client ddb.Client, table *readings) error {
			var got ddb.Got[reading]
			return ddb.TransactGet(ctx, client, table.TxGet(keys[0], &got))
		}},
		"BatchPut": {"BatchWriteItem", true, func(ctx context.Context, _ ddb.Client, table *readings) error {
			return table.BatchPut(ctx, list)
		}},
	} {
		for _, crossed := range []int{1, 2, 1000} {
			synctest.Test(t, func(t *testing.T) {
				e := engineOf(t, 1)
				c := &crossing{engine: e, op: tc.op, answer: `{}`}
				client := defaults(t, e, ddbclient.WithHTTPClient(c))
				c.left = crossed
				err := tc.run(t.Context(), client, tableOn(t, client))
				switch {
				case crossed < 3:
					if err != nil || c.sent != crossed+1 {
						t.Errorf("%s: %v after %d requests", name, err, c.sent)
					}
				case err == nil || c.sent != 3 || errors.Is(err, ddb.ErrOutcomeUnknown) != tc.write || !strings.Contains(err.Error(), "does not answer the request"):
					t.Errorf("%s: %v after %d requests", name, err, c.sent)
				}
			})
		}
	}
}

// TestRightRepliesAreAccepted: whatever the keys and the range, a query returns the stored items.
func TestRightRepliesAreAccepted(t *testing.T) {
	text := draw.TextOf(1, 6, 20, "a", "a\"b", `a\b`, "ä", "\u2028", "<&>", "a\nb", "😀", "\u007f")
	longtest.Checks(t, 30)
	rapid.Check(t, func(rt *rapid.T) {
		e := engineOf(t, 1)
		client := e.Client()
		table := tableOn(t, client)
		sensors, err := byRoom(table)
		if err != nil {
			rt.Fatal(err)
		}
		names := text.Distinct(rt, 1, 3, "sensors")
		var list []reading
		for _, s := range names {
			for _, m := range draw.DistinctInts(rt, -20, 20, 1, 12, "minutes") {
				list = append(list, reading{Sensor: s, Minute: m, Room: s})
			}
		}
		if err := table.BatchPut(t.Context(), list); err != nil {
			rt.Fatal(err)
		}
		at, to := draw.Int(rt, -22, 22, "at"), draw.Int(rt, -22, 22, "to")
		at, to = min(at, to), max(at, to)
		for name, c := range map[string]struct {
			cond ddb.SortCond[int]
			in   func(int) bool
		}{
			"equal":         {ddb.Eq(at), func(m int) bool { return m == at }},
			"less":          {ddb.Lt(at), func(m int) bool { return m < at }},
			"less equal":    {ddb.Le(at), func(m int) bool { return m <= at }},
			"greater":       {ddb.Gt(at), func(m int) bool { return m > at }},
			"greater equal": {ddb.Ge(at), func(m int) bool { return m >= at }},
			"between":       {ddb.Between(at, to), func(m int) bool { return m >= at && m <= to }},
		} {
			for _, s := range names {
				want := 0
				for _, r := range list {
					if r.Sensor == s && c.in(r.Minute) {
						want++
					}
				}
				got, err := table.Query(s).SortKey(c.cond).Collect(t.Context())
				if err != nil || len(got) != want {
					rt.Fatalf("%s of %q: %d items, want %d, %v", name, s, len(got), want, err)
				}
				got, err = sensors.Query(s).SortKey(c.cond).Collect(t.Context())
				if err != nil || len(got) != want {
					rt.Fatalf("%s of %q on the index: %d items, want %d, %v", name, s, len(got), want, err)
				}
			}
		}
		for _, r := range list {
			if got, err := table.Get(t.Context(), r.Sensor, r.Minute); err != nil || got != r {
				rt.Fatalf("%+v: %+v, %v", r, got, err)
			}
			if ok, err := table.Exists(t.Context(), r.Sensor, r.Minute); err != nil || !ok {
				rt.Fatalf("%+v: %v, %v", r, ok, err)
			}
		}
	})
}

// TestNewClientTakesFastPath: the timeouts of NewClient do not prevent the fast path. The SDK's attribute values cost
// several times as much, and replies would be checked after the SDK's retries.
func TestNewClientTakesFastPath(t *testing.T) {
	e := engineOf(t, 1)
	list := make([]reading, 100)
	for i := range list {
		list[i] = reading{Sensor: "a", Minute: i, Room: "x"}
	}
	if err := tableOn(t, e.Client()).BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	count := func(client ddb.Client) float64 {
		table := tableOn(t, client)
		return testing.AllocsPerRun(10, func() {
			if page, err := table.Query("a").Page(t.Context()); err != nil || len(page.Items) != len(list) {
				t.Errorf("%d items, %v", len(page.Items), err)
			}
		})
	}
	if own, bare := count(defaults(t, e)), count(e.Client()); own > bare+100 {
		t.Errorf("a page of 100 takes %v allocations with a client of NewClient, %v with a bare one", own, bare)
	}
}
