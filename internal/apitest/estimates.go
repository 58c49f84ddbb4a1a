// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dynamotable/ddb/hooks"
)

// wantWithin is the share of requests whose cost must be in the estimated range.
const wantWithin = 0.95

// measured runs the tests and compares the cost of each request with the estimate.
type measured struct{ m *testing.M }

func (s measured) Run() int {
	var e estimates
	remove := hooks.Add(&e)
	code := s.m.Run()
	remove()
	if text, good := e.report(); text != "" {
		fmt.Print(text)
		if !good && code == 0 {
			code = 1
		}
	}
	return code
}

// estimates compares the cost of requests with the estimates, by operation.
type estimates struct {
	mu    sync.Mutex
	sums  map[string]*estimateSum
	worst map[string]string
}

type estimateSum struct {
	calls, within int
	widths        []float64 // highest divided by lowest estimate
}

func (e *estimates) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

func (e *estimates) End(_ context.Context, call *hooks.Call) {
	if call.Err != nil || len(call.Capacity) == 0 {
		return // the reply contains no cost
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sums == nil {
		e.sums, e.worst = map[string]*estimateSum{}, map[string]string{}
	}
	s := e.sums[call.Operation]
	if s == nil {
		s = new(estimateSum)
		e.sums[call.Operation] = s
	}
	s.calls++
	if least := call.Estimate.Read.Min + call.Estimate.Write.Min; least > 0 {
		s.widths = append(s.widths, (call.Estimate.Read.Max+call.Estimate.Write.Max)/least)
	}
	if call.Estimate.Contains(call.Consumed) {
		s.within++
		return
	}
	e.worst[call.Operation] = fmt.Sprintf("read %g of %s, write %g of %s on %s/%s", call.Consumed.ReadUnits, call.Estimate.Read,
		call.Consumed.WriteUnits, call.Estimate.Write, call.Table, call.Index)
}

// report returns a table by operation, and whether enough estimates were right.
func (e *estimates) report() (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all estimateSum
	var text strings.Builder
	text.WriteString("units within the range of Explain, by operation:\n")
	for _, op := range sortedKeys(e.sums) {
		s := e.sums[op]
		all.calls += s.calls
		all.within += s.within
		slices.Sort(s.widths)
		fmt.Fprintf(&text, "  %-20s %7d of %7d  %6.2f %%, the range is 1 to %g in the median\n",
			op, s.within, s.calls, 100*float64(s.within)/float64(s.calls), s.widths[len(s.widths)/2])
		if w := e.worst[op]; w != "" && testing.Verbose() {
			text.WriteString("    such as " + w + "\n")
		}
	}
	if all.calls == 0 {
		return "", true
	}
	share := float64(all.within) / float64(all.calls)
	const some = 500 // fewer requests of an operation are not significant
	good := true
	for op, s := range e.sums {
		if s.calls >= some && float64(s.within) < wantWithin*float64(s.calls) {
			good = false
			fmt.Fprintf(&text, "  too few of %s are within the range\n", op)
		}
	}
	fmt.Fprintf(&text, "  %-20s %7d of %7d  %6.2f %%\n", "all", all.within, all.calls, 100*share)
	// A few selected tests say nothing about all of them.
	const enough = 3_000
	return text.String(), good && (share >= wantWithin || all.calls < enough)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
