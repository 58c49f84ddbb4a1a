// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/hooks"
)

type reading struct {
	Sensor string  `dynamodbav:"sensor"`
	Minute int     `dynamodbav:"minute"`
	Value  float64 `dynamodbav:"value"`
	Room   string  `dynamodbav:"room,omitempty"`
}

var (
	readingSensor = ddb.StrField(func(r *reading) *string { return &r.Sensor })
	readingMinute = ddb.NumField(func(r *reading) *int { return &r.Minute })
)

// logging is a middleware as companies add it, at the usual position.
func logging(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("RequestLogging", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	})
}

type audit struct{}

func (*audit) BeforeExecution(context.Context, *smithyhttp.InterceptorContext) error { return nil }

// tenant embeds the SDK's client.
type tenant struct{ *dynamodb.Client }

// calls keeps the calls that it sees.
type calls struct{ all []*hooks.Call }

func (c *calls) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }
func (c *calls) End(_ context.Context, call *hooks.Call)                  { c.all = append(c.all, call) }

func (c *calls) last() *hooks.Call { return c.all[len(c.all)-1] }

var clients = []struct {
	what, step string // step is what PathReason names
	client     func(*ddbtest.Engine) ddb.Client
}{
	{"plain", "", func(e *ddbtest.Engine) ddb.Client { return e.Client() }},
	{"middleware", "RequestLogging", func(e *ddbtest.Engine) ddb.Client { return e.Client(logging) }},
	{"interceptor", "*item_test.audit", func(e *ddbtest.Engine) ddb.Client {
		return e.Client(func(o *dynamodb.Options) { o.Interceptors.AddBeforeExecution(&audit{}) })
	}},
	{"embedding client", "*item_test.tenant", func(e *ddbtest.Engine) ddb.Client { return &tenant{e.Client()} }},
}

const rows = 100

func filled(t *testing.T) *ddbtest.Engine {
	t.Helper()
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	table := tableOn(t, e.Client())
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := make([]reading, rows)
	for i := range list {
		list[i] = reading{"s", i, float64(i), fmt.Sprint("room ", i)}
	}
	if err := table.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	return e
}

func tableOn(t *testing.T, client ddb.Client, opts ...ddb.TableOption) *ddb.Table[reading, string, int] {
	t.Helper()
	table, err := ddb.New(client, "readings", readingSensor, readingMinute, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Calls report which path their items took and why, Explain reports it in advance, and the debug page counts it. Items of a
// plain client take the fast path with every version of the SDK.
func TestPathIsVisible(t *testing.T) {
	if os.Getenv("DDB_TEST_CODEC") == "off" {
		t.Skip("every table takes the path of attribute values")
	}
	e := filled(t)
	for _, c := range clients {
		for _, declared := range []bool{false, true} {
			if c.step == "" && declared {
				continue
			}
			var seen calls
			page := debug.New()
			opts := []ddb.TableOption{ddb.WithHook(&seen), ddb.WithHook(page)}
			if declared {
				opts = append(opts, ddb.HarmlessSteps(c.step))
			}
			fast := c.step == "" || declared
			table := tableOn(t, c.client(e), opts...)
			got, err := table.Query("s").Collect(t.Context())
			if err != nil || len(got) != rows || got[7].Room != "room 7" {
				t.Fatalf("%s: %d rows, %v", c.what, len(got), err)
			}
			query := seen.last()
			if want := map[bool]hooks.Path{true: hooks.FastPath, false: hooks.BesidePath}[fast]; query.Path != want || (query.PathReason == "") != fast || !fast && !strings.Contains(query.PathReason, c.step) {
				t.Errorf("%s, declared %v: a page took the path %q because of %q", c.what, declared, query.Path, query.PathReason)
			}
			if err := table.Put(t.Context(), &got[7]); err != nil {
				t.Fatal(err)
			}
			put := seen.last()
			if want := map[bool]hooks.Path{true: hooks.FastPath, false: hooks.AttributeValuePath}[fast]; put.Path != want || put.PathReason != query.PathReason {
				t.Errorf("%s, declared %v: a put took the path %q because of %q", c.what, declared, put.Path, put.PathReason)
			}
			plan, err := ddb.Explain(t.Context(), func(ctx context.Context) error {
				_, err := table.Query("s").Page(ctx)
				return err
			})
			if err != nil || plan.PathReason != query.PathReason || strings.Contains(plan.String(), "not the fast one: "+c.step) && fast ||
				!fast && !strings.Contains(plan.String(), query.PathReason) || query.Explain().PathReason != query.PathReason {
				t.Errorf("%s, declared %v: explained as %q, took %q\n%s", c.what, declared, plan.PathReason, query.PathReason, plan)
			}
			s := page.Snapshot()
			if want := map[bool]int64{true: 0, false: 2}[fast]; s.Totals.OffFastPath != want || len(s.Paths) != 2 {
				t.Errorf("%s, declared %v: counted %d, %+v", c.what, declared, s.Totals.OffFastPath, s.Paths)
			}
			for _, p := range s.Paths {
				if p.Count != 1 || p.Table != "readings" || p.Reason != query.PathReason || (p.Path == hooks.FastPath) != fast {
					t.Errorf("%s: counted %+v", c.what, p)
				}
			}
		}
	}
}

// ThroughSDK is reported, too.
func TestPathThroughSDK(t *testing.T) {
	var seen calls
	table := tableOn(t, filled(t).Client(), ddb.WithHook(&seen), ddb.ThroughSDK())
	if _, err := table.Query("s").Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := seen.last(); c.Path != hooks.AttributeValuePath || !strings.Contains(c.PathReason, "ThroughSDK") {
		t.Errorf("%q because of %q", c.Path, c.PathReason)
	}
}

func TestHarmlessStepsRefuses(t *testing.T) {
	for want, opt := range map[string]ddb.TableOption{"no names": ddb.HarmlessSteps(), "name 1 is empty": ddb.HarmlessSteps("a", "")} {
		if _, err := ddb.New(ddbtest.New(t), "readings", readingSensor, readingMinute, opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
