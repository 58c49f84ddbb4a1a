// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/bench"
)

type audit struct{}

func (audit) BeforeExecution(context.Context, *smithyhttp.InterceptorContext) error { return nil }

type embedding struct{ *dynamodb.Client }

// steps are middlewares that a company may add to its client, by the name that declares them harmless.
var steps = map[string]func(aws.HTTPClient) ddb.Client{
	"RequestLogging": func(h aws.HTTPClient) ddb.Client {
		return bench.Client(h, func(o *dynamodb.Options) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Initialize.Add(middleware.InitializeMiddlewareFunc("RequestLogging", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					return next.HandleInitialize(ctx, in)
				}), middleware.Before)
			})
		})
	},
	"bench_test.audit": func(h aws.HTTPClient) ddb.Client {
		return bench.Client(h, func(o *dynamodb.Options) { o.Interceptors.AddBeforeExecution(audit{}) })
	},
	"bench_test.embedding": func(h aws.HTTPClient) ddb.Client { return embedding{bench.Client(h)} },
}

func page(tb testing.TB) bench.Call {
	tb.Helper()
	calls, err := bench.Calls()
	if err != nil {
		tb.Fatal(err)
	}
	for _, c := range calls {
		if c.Name == "Query 100 rows" {
			return c
		}
	}
	tb.Fatal("no page of 100")
	return bench.Call{}
}

func run(tb testing.TB, call bench.Call, step string, opts ...ddb.TableOption) func() {
	tb.Helper()
	work := bench.Query100(steps[step](bench.NewStub(call.Reply)), opts...)
	return func() {
		if err := work(context.Background()); err != nil {
			tb.Error(err)
		}
	}
}

// TestAllocationsOffTheFastPath: a declared step costs only its own allocations, and an undeclared one no more than the SDK
// with attributevalue.
func TestAllocationsOffTheFastPath(t *testing.T) {
	const most = 700
	call := page(t)
	sdk := call.With["sdk+attributevalue"](bench.Client(bench.NewStub(call.Reply)))
	theirs := testing.AllocsPerRun(20, func() {
		if err := sdk(t.Context()); err != nil {
			t.Error(err)
		}
	})
	for step := range steps {
		declared := testing.AllocsPerRun(20, run(t, call, step, ddb.HarmlessSteps(step)))
		undeclared := testing.AllocsPerRun(20, run(t, call, step))
		t.Logf("%-22s %5.0f allocations declared, %5.0f undeclared, %5.0f of SDK + attributevalue", step, declared, undeclared, theirs)
		if declared > most {
			t.Errorf("%s, declared: %.0f allocations, at most %d", step, declared, most)
		}
		if undeclared > theirs {
			t.Errorf("%s, not declared: %.0f allocations, and SDK + attributevalue %.0f", step, undeclared, theirs)
		}
	}
}

// BenchmarkPaths measures the time of the same calls.
func BenchmarkPaths(b *testing.B) {
	call := page(b)
	for step := range steps {
		for name, opts := range map[string][]ddb.TableOption{"declared": {ddb.HarmlessSteps(step)}, "undeclared": nil} {
			b.Run(step+"/"+name, func(b *testing.B) {
				work := run(b, call, step, opts...)
				b.ReportAllocs()
				for b.Loop() {
					work()
				}
			})
		}
	}
	b.Run("sdk+attributevalue", func(b *testing.B) {
		work := call.With["sdk+attributevalue"](bench.Client(bench.NewStub(call.Reply)))
		b.ReportAllocs()
		for b.Loop() {
			if err := work(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
