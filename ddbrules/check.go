// SPDX-License-Identifier: Apache-2.0

// Package ddbrules fails a test whose code reads or spends more than it should:
//
//	func TestCheckout(t *testing.T) {
//		orders := newOrders(ddbtest.New(t))
//		ddbrules.Check(t, ddbrules.NoScan, ddbrules.MaxUnits(50))
//		checkout(t.Context(), orders)
//	}
//
// The rules hold for what the code does on the test's data, as DynamoDB, or ddbtest, bills it. They see the requests of tables of package
// ddb by a hook, and need no change in the code under test. A failure says which request broke the rule, with its plan
// ([hooks.Call.Explain]), never with a key value or item data. Requests that create, describe and delete tables are not seen.
package ddbrules

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/dynamotable/ddb/hooks"
)

// TB is what is asked of a test: a [testing.TB].
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Cleanup(func())
}

// Check holds every request of every table of the process against the rules, from now to the end of the test. For tests that run
// in parallel take [Context], as the requests of all of them are seen here. Without a test, which nil is, nothing is checked.
func Check(t TB, rules ...Rule) {
	if t == nil {
		return
	}
	t.Helper()
	start(t, rules, func(context.Context) bool { return true })
}

// Context holds the requests that are made with the context that it returns, or with one made of it, against the rules, to the end of the test.
func Context(ctx context.Context, t TB, rules ...Rule) context.Context {
	if ctx == nil {
		ctx = context.Background()
	}
	if t == nil {
		return ctx
	}
	t.Helper()
	key := new(contextKey)
	start(t, rules, func(ctx context.Context) bool { return ctx.Value(key) != nil })
	return context.WithValue(ctx, key, true)
}

// contextKey is the key of one call of [Context]; its address distinguishes it from others, so it has a size.
type contextKey struct{ _ byte }

func start(t TB, rules []Rule, concerns func(context.Context) bool) {
	t.Helper()
	c := &checker{t: t, concerns: concerns}
	for i, r := range rules {
		if r.begin == nil {
			t.Errorf("ddbrules: rule %d is the zero Rule; take one of the package's", i+1)
			return
		}
		c.rules = append(c.rules, r.begin()...)
	}
	if len(rules) == 0 {
		t.Errorf("ddbrules: there are no rules to check")
		return
	}
	remove := hooks.Add(c)
	t.Cleanup(func() {
		remove()
		c.finish()
	})
}

// checker is a hook that holds requests against rules.
type checker struct {
	t        TB
	concerns func(context.Context) bool

	mu    sync.Mutex
	rules []check
	ended bool
}

// check is what one rule knows of one test.
type check interface {
	// sent, answered and end say what is wrong, or "".
	sent(call *hooks.Call) string
	answered(call *hooks.Call) string
	end() string
}

func (c *checker) Begin(ctx context.Context, call *hooks.Call) context.Context {
	if c.concerns(ctx) {
		c.each(func(r check) string { return about(call, r.sent(call)) })
	}
	return ctx
}

func (c *checker) End(ctx context.Context, call *hooks.Call) {
	if c.concerns(ctx) {
		c.each(func(r check) string { return about(call, r.answered(call)) })
	}
}

func (c *checker) finish() {
	c.each(check.end)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true // a request that outlives the test is not its concern
}

// each asks all rules, one request at a time. A rule that is broken is reported once.
func (c *checker) each(ask func(check) string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.rules = slices.DeleteFunc(c.rules, func(r check) bool {
		text := ask(r)
		if text != "" {
			c.t.Errorf("ddbrules: %s", text)
		}
		return text != ""
	})
}

// about adds the request to what is wrong with it.
func about(call *hooks.Call, text string) string {
	if text == "" {
		return ""
	}
	where := call.Table
	if call.Index != "" {
		where += ", index " + call.Index
	}
	if call.Label != "" {
		where += ", label " + call.Label
	}
	return fmt.Sprintf("%s: %s of %s\n%s", text, call.Operation, where, call.Explain())
}
