// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/pagetoken"
)

// TestEmptyGuards: a guard without conditions protects nothing, so the write is refused before it is sent. A filter
// with an empty Or would keep every item, and is refused as well.
func TestEmptyGuards(t *testing.T) {
	ctx := t.Context()
	members, s := newMembers(t, 200, `{"Items":[],"Count":0,"ScannedCount":0}`)
	key := members.Key("c", "1")
	var (
		none    []ddb.Cond[member]
		zero    ddb.Cond[member]
		guarded = age.Eq(1)
	)
	q := members.Query("c")
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"If of an empty Or":      {members.Delete(ctx, "c", "1", ddb.If(ddb.Or(none...))), "an Or of no conditions"},
		"If of an empty And":     {members.Delete(ctx, "c", "1", ddb.If(ddb.And(none...))), "condition 1 of If is empty"},
		"If of nothing":          {members.Delete(ctx, "c", "1", ddb.If(none...)), "If without a condition"},
		"If of a zero condition": {members.Put(ctx, &member{Club: "c", ID: "1"}, ddb.If(guarded, zero)), "condition 2 of If is empty"},
		"Replace":                {members.Replace(ctx, &member{Club: "c", ID: "1"}, ddb.If(zero)), "condition 1 of If is empty"},
		"DeleteItem":             {members.DeleteItem(ctx, &member{Club: "c", ID: "1"}, ddb.If(zero)), "condition 1 of If is empty"},
		"Update":                 {second(members.Update(ctx, key, age.Set(1), ddb.If(zero))), "condition 1 of If is empty"},
		"Upsert":                 {second(members.Upsert(ctx, key, age.Set(1), ddb.If(none...))), "If without a condition"},
		"Not of nothing":         {members.Delete(ctx, "c", "1", ddb.If(ddb.Not(zero))), "a Not of no condition"},
		"Or of zero conditions":  {members.Delete(ctx, "c", "1", ddb.If(ddb.Or(zero, ddb.And(none...)))), "an Or of no conditions"},
		"nested":                 {members.Delete(ctx, "c", "1", ddb.If(guarded, ddb.And(guarded, ddb.Or(none...)))), "an Or of no conditions"},
		"TxDelete":               {ddb.Transact(ctx, s.client(), members.TxDelete(key, ddb.If(zero))), "condition 1 of If is empty"},
		"TxUpdate":               {ddb.Transact(ctx, s.client(), members.TxUpdate(key, age.Set(1), ddb.If(none...))), "If without a condition"},
		"TxPut":                  {ddb.Transact(ctx, s.client(), members.TxPut(&member{Club: "c", ID: "1"}, ddb.If(ddb.Or(none...)))), "an Or of no conditions"},
		"TxCheck":                {ddb.Transact(ctx, s.client(), members.TxCheck(key)), "TxCheck without a condition"},
		"TxCheck, zero":          {ddb.Transact(ctx, s.client(), members.TxCheck(key, guarded, zero)), "condition 2 of TxCheck is empty"},
		"filter of an empty Or":  {second(q.Filter(ddb.Or(none...)).Page(ctx)), "an Or of no conditions"},
		"scan of an empty Or":    {second(members.Scan().Filter(ddb.Or(none...)).Page(ctx)), "an Or of no conditions"},
		"filter of Not nothing":  {second(q.Filter(ddb.Not(zero)).Page(ctx)), "a Not of no condition"},
		"zero sort condition":    {second(q.SortKey(ddb.SortCond[string]{}).Page(ctx)), "a zero sort-key condition"},
	} {
		if !errors.Is(c.err, ddb.ErrInvalid) || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, c.err, c.says)
		}
	}
	if s.requests() != 0 {
		t.Errorf("%d requests were sent", s.requests())
	}
	// A filter without conditions keeps everything, and empty conditions in a list are ignored.
	for name, good := range map[string]*ddb.Query[member, string]{
		"no filter": q.Filter(none...), "zero filter": q.Filter(zero), "empty And": q.Filter(ddb.And(none...)),
	} {
		plan, err := ddb.Explain(ctx, func(ctx context.Context) error { return second(good.Page(ctx)) })
		if err != nil || plan.Filter != "" {
			t.Errorf("%s: %q, %v", name, plan.Filter, err)
		}
	}
	plan, err := ddb.Explain(ctx, func(ctx context.Context) error {
		return members.Delete(ctx, "c", "1", ddb.If(ddb.And(zero, guarded), ddb.Or(zero, guarded)))
	})
	if err != nil || plan.Condition != "age = ? AND age = ?" {
		t.Errorf("%q, %v", plan.Condition, err)
	}
}

// TestWrongBudgets: a negative remainder of a quota does not become a budget without a limit.
func TestWrongBudgets(t *testing.T) {
	members, s := newMembers(t, 200, `{}`)
	for name, c := range map[string]struct {
		limits cost.Limits
		says   string
	}{
		"negative":          {cost.Limits{ReadUnits: -0.5}, "Limits.ReadUnits is -0.5"},
		"no number":         {cost.Limits{WriteUnits: math.NaN()}, "Limits.WriteUnits is NaN"},
		"infinite":          {cost.Limits{ReadUnits: math.Inf(1)}, "Limits.ReadUnits is +Inf"},
		"too large":         {cost.Limits{ReadUnits: 1e13}, "Limits.ReadUnits is 1e+13"},
		"negative items":    {cost.Limits{Items: -1}, "Limits.Items is -1"},
		"negative requests": {cost.Limits{Requests: math.MinInt64, Items: -3}, "Limits.Items is -3"},
	} {
		ctx := ddb.WithBudget(t.Context(), cost.NewBudget(c.limits))
		_, err := members.Get(ctx, "c", "1")
		_, queried := members.Query("c").Page(ctx)
		if !errors.Is(err, ddb.ErrInvalid) || !errors.Is(queried, ddb.ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v, want %q", name, err, queried, c.says)
		}
		if both := ddb.WithBudget(ctx, cost.NewBudget(cost.Limits{})); !errors.Is(members.Delete(both, "c", "1"), ddb.ErrInvalid) {
			t.Errorf("%s: a second budget lifts the first", name)
		}
	}
	// The smallest limit is one.
	if _, err := members.Get(ddb.WithBudget(t.Context(), cost.NewBudget(cost.Limits{ReadUnits: 1e-9})), "c", "1"); !errors.Is(err, cost.ErrBudgetExceeded) {
		t.Errorf("a limit of a billionth of a unit: %v", err)
	}
	if s.requests() != 0 {
		t.Errorf("%d requests were sent", s.requests())
	}
	if _, err := members.Get(ddb.WithBudget(t.Context(), cost.NewBudget(cost.Limits{ReadUnits: 9e12})), "c", "1"); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("the largest limit: %v", err)
	}
}

// TestLongTokens: a duration that overflows the current time is refused and does not give an expired token.
func TestLongTokens(t *testing.T) {
	tokens, err := pagetoken.New(pagetoken.Key{ID: "k", Secret: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	members, _ := newMembers(t, 200, onePage)
	q := members.Query("c").Limit(1)
	page, err := q.Page(t.Context())
	if err != nil || page.Next.IsZero() {
		t.Fatal(page, err)
	}
	for _, d := range []time.Duration{math.MaxInt64, math.MaxInt64 - time.Second, 101 * 365 * 24 * time.Hour, 0, -1} {
		if _, err := tokens.Seal(page.Next, pagetoken.ValidFor(d)); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("valid for %v: %v", d, err)
		}
	}
	token, err := tokens.Seal(page.Next, pagetoken.ValidFor(100*365*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pagetoken.Open(tokens, q, token); err != nil {
		t.Error(err)
	}
}

// onePage is a reply with one item and a key of more items.
const onePage = `{"Items":[{"club":{"S":"c"},"id":{"S":"SSN-4711"},"age":{"N":"4711"}}],"Count":1,"ScannedCount":1,"LastEvaluatedKey":{"club":{"S":"c"},"id":{"S":"SSN-4711"}}}`

// listed is a hook of a type that is not comparable.
type listed struct{ calls []*int }

func (l listed) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }
func (l listed) End(context.Context, *hooks.Call)                         { *l.calls[0]++ }

// TestUncomparableHooks are removed like any other.
func TestUncomparableHooks(t *testing.T) {
	members, _ := newMembers(t, 200, `{}`)
	var first, other int
	removeFirst := hooks.Add(listed{[]*int{&first}})
	removeOther := hooks.Add(listed{[]*int{&other}})
	get := func() { _, _ = members.Get(t.Context(), "c", "1") }
	get()
	removeFirst()
	removeFirst()
	get()
	removeOther()
	get()
	if first != 1 || other != 2 {
		t.Errorf("the hooks saw %d and %d calls, want 1 and 2", first, other)
	}
}
