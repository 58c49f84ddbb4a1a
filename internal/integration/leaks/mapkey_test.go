// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/rawexpr"
	"github.com/dynamotable/ddb/telemetry"
)

// TestMapKeysAreNotShown: the keys of a map are data, and are shown as question marks in every path: in texts of
// conditions and errors, in explanations, on the debug page, in logs and spans. They are sent unchanged.
func TestMapKeysAreNotShown(t *testing.T) {
	var log bytes.Buffer
	spans := tracetest.NewSpanRecorder()
	tracing, err := telemetry.New(telemetry.WithTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans))))
	if err != nil {
		t.Fatal(err)
	}
	page := debug.New()
	members, s := newMembers(t, 200, `{"Items":[],"Count":0,"ScannedCount":0}`,
		ddb.WithHook(hooks.LogCalls(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), 0)),
		ddb.WithHook(tracing), ddb.WithHook(page), ddb.WithHook(printer{&log}))
	mine := ddb.AsNum(votes.Key(canary))
	conds := map[string]struct {
		cond ddb.Cond[member]
		text string
	}{
		"compare":   {mine.Gt(1), "votes.? > ?"},
		"exists":    {ddb.Exists(votes.Key(canary)), "attribute_exists(votes.?)"},
		"attribute": {ddb.EqAttr(mine, votes.Key(canary+"2")), "votes.? = votes.?"},
		"raw":       {rawexpr.CondText[member]("votes.#k > :n", map[string]string{"#k": canary}, map[string]any{":n": 1}), "votes.? > ?"},
		"builder":   {rawexpr.Cond[member](expression.Name("votes." + canary).Equal(expression.Value(1))), "votes.? = ?"},
		"a field":   {city.Eq("x"), "address.city = ?"},
	}
	for name, c := range conds {
		if got := c.cond.String(); got != c.text {
			t.Errorf("%s: %s, want %s", name, got, c.text)
		}
		if text := everyText(c.cond); strings.Contains(text, canary) {
			t.Errorf("%s: %s", name, text)
		}
		plan, err := ddb.Explain(t.Context(), func(ctx context.Context) error {
			_, err := members.Query("c").Filter(c.cond).Project(votes.Key(canary), age).Page(ctx)
			return err
		})
		if err != nil {
			t.Fatal(name, err)
		}
		if text := everyText(plan); strings.Contains(text, canary) || plan.Filter != c.text || !strings.Contains(plan.Projection, "votes.?, age") {
			t.Errorf("%s: %s", name, text)
		}
		if _, err := members.Query("c").Filter(c.cond).Project(votes.Key(canary), age).Page(t.Context()); err != nil {
			t.Error(name, err)
		}
	}
	if s.requests() != len(conds) {
		t.Errorf("%d requests", s.requests())
	}
	for _, err := range []error{
		second(members.Update(t.Context(), members.Key("c", "1"), mine.Set(1), mine.Set(2))),
		second(members.Update(t.Context(), members.Key("c", "1"), votes.Set(nil), mine.Set(2))),
		second(members.Query("c").Filter(ddb.In(mine)).Page(t.Context())),
		second(members.Query("c").Filter(mine.Between(2, 1)).Page(t.Context())),
	} {
		if !errors.Is(err, ddb.ErrInvalid) || strings.Contains(everyText(err), canary) || !strings.Contains(err.Error(), "votes.?") {
			t.Error(err)
		}
	}
	snapshot, err := json.Marshal(page.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	seen := log.String() + string(snapshot)
	for _, span := range spans.Ended() {
		seen += fmt.Sprint(span.Name(), span.Attributes())
	}
	if strings.Contains(seen, canary) || !strings.Contains(seen, "votes.?") {
		t.Error(seen)
	}
}

func second[T any](_ T, err error) error { return err }

// TestMapKeysAreDistinguished: two keys of one map are two attributes, although they are shown in the same way.
func TestMapKeysAreDistinguished(t *testing.T) {
	members, s := newMembers(t, 200, `{"Attributes":{"club":{"S":"c"},"id":{"S":"1"}}}`)
	if _, err := members.Update(t.Context(), members.Key("c", "1"), ddb.AsNum(votes.Key("a")).Set(1), ddb.AsNum(votes.Key("b")).Set(2)); err != nil || s.requests() != 1 {
		t.Error(err)
	}
}
