// SPDX-License-Identifier: Apache-2.0

package telemetry_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/telemetry"
)

type user struct {
	ID   string `dynamodbav:"id"`
	Name string `dynamodbav:"name"`
}

var userID = ddb.StrField(func(u *user) *string { return &u.ID })

func newUsers(tb testing.TB, opts ...ddb.TableOption) *ddb.SimpleTable[user, string] {
	tb.Helper()
	users, err := ddb.NewSimple(ddbtest.New(tb), "users", userID, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	if err := users.CreateTable(context.Background()); err != nil {
		tb.Fatal(err)
	}
	if err := users.Put(context.Background(), &user{ID: "1", Name: "Ann"}); err != nil {
		tb.Fatal(err)
	}
	return users
}

// Without providers nothing is reported and nothing goes wrong. The tests with the
// SDK's providers are in internal/integration, so that users do not inherit the SDK.
func TestWithoutProviders(t *testing.T) {
	stop, err := telemetry.Start()
	if err != nil {
		t.Fatal(err)
	}
	users := newUsers(t)
	if u, err := users.Get(t.Context(), "1"); err != nil || u.Name != "Ann" {
		t.Errorf("got %+v, %v", u, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// BenchmarkGet compares a Get without a hook with one whose spans and metrics are not recorded.
func BenchmarkGet(b *testing.B) {
	hook, err := telemetry.New(telemetry.WithTracerProvider(tracenoop.NewTracerProvider()), telemetry.WithMeterProvider(noop.NewMeterProvider()))
	if err != nil {
		b.Fatal(err)
	}
	for name, opts := range map[string][]ddb.TableOption{"no hook": nil, "nothing recorded": {ddb.WithHook(hook)}} {
		b.Run(name, func(b *testing.B) {
			users := newUsers(b, opts...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := users.Get(context.Background(), "1"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHook measures the cost of the hook alone when nothing is recorded.
func BenchmarkHook(b *testing.B) {
	hook, err := telemetry.New(telemetry.WithTracerProvider(tracenoop.NewTracerProvider()), telemetry.WithMeterProvider(noop.NewMeterProvider()))
	if err != nil {
		b.Fatal(err)
	}
	call := &hooks.Call{Operation: "GetItem", Table: "users", Items: 1, Attempts: 1}
	b.ReportAllocs()
	for b.Loop() {
		ctx := hook.Begin(context.Background(), call)
		hook.End(ctx, call)
	}
}
