// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/bench"
)

// all returns the usual calls, the pages of each type of items, reads of an index, and the small writes.
func all(tb testing.TB) []bench.Call {
	tb.Helper()
	calls, err := bench.Calls()
	if err != nil {
		tb.Fatal(err)
	}
	pages, err := bench.ItemTypes()
	if err != nil {
		tb.Fatal(err)
	}
	indexes, err := bench.Indexes()
	if err != nil {
		tb.Fatal(err)
	}
	return slices.Concat(calls, pages, indexes, bench.Points())
}

// BenchmarkCalls runs every call with every library.
func BenchmarkCalls(b *testing.B) {
	for _, call := range all(b) {
		for _, lib := range bench.Libraries {
			if call.With[lib] == nil {
				continue
			}
			b.Run("call="+strings.ReplaceAll(call.Name, " ", "_")+"/lib="+lib, func(b *testing.B) {
				run := call.With[lib](bench.Client(call.Stub()))
				b.ReportAllocs()
				for b.Loop() {
					if err := run(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestCallsWork: every call works with every library, so that no benchmark measures an error.
func TestCallsWork(t *testing.T) {
	for _, call := range all(t) {
		for _, lib := range append(slices.Clone(bench.Libraries), bench.Floor) {
			if call.With[lib] == nil {
				continue
			}
			if err := call.With[lib](bench.Client(call.Stub()))(t.Context()); err != nil {
				t.Errorf("%s with %s: %v", call.Name, lib, err)
			}
		}
	}
}

// TestAllocations checks the gates: the limits of ddb, and by which factor
// it allocates less than the SDK with attributevalue.
func TestAllocations(t *testing.T) {
	gates := map[string]struct{ most, times float64 }{
		"GetItem 1 KB":            {307, 1.3},
		"PutItem 1 KB":            {302, 1.2},
		"Query 100 rows":          {542, 18.8},
		"Query 1,000 rows (1 MB)": {2600, 38},
		"BatchGet 100":            {570, 17},
		"BatchWrite 25":           {350, 6},
		"page of 100, narrow":     {336, 3.4},
		"page of 100, wide":       {340, 50},
		"page of 100, nested":     {1550, 11},
		"page of 100, blob":       {350, 5.5},
		"page of 100, sets":       {650, 11},
		"page of 100, numbers":    {540, 18},
		"page of 100, pointers":   {990, 4},
		"page of 100, any":        {2650, 4},
		"page of 100, custom":     {2050, 3},
		"page of 100, times":      {540, 8},
		"index of 100":            {880, 12},
		"scan of an index of 100": {880, 12},
		"DeleteItem":              {300, 1},
		"PutItem, 3 attributes":   {301, 1},
		"transaction of 10 puts":  {659, 1.7},
	}
	for _, call := range all(t) {
		gate, ok := gates[call.Name]
		if !ok {
			t.Errorf("%s has no gate", call.Name)
			continue
		}
		count := func(lib string) float64 {
			run := call.With[lib](bench.Client(call.Stub()))
			return testing.AllocsPerRun(20, func() {
				if err := run(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		ours, theirs := count("ddb"), count("sdk+attributevalue")
		t.Logf("%-24s %7.0f allocations, %.1f times fewer than SDK + attributevalue (%.0f)", call.Name, ours, theirs/ours, theirs)
		if ours > gate.most || theirs/ours < gate.times {
			t.Errorf("%s: %.0f allocations (limit %.0f), %.1f times fewer (at least %.1f)", call.Name, ours, gate.most, theirs/ours, gate.times)
		}
	}
}

// TestPointCalls: Get and Put allocate at most this much more than the same call of the SDK without an item.
func TestPointCalls(t *testing.T) {
	const most = 8
	calls, err := bench.Calls()
	if err != nil {
		t.Fatal(err)
	}
	client := bench.Client(bench.NewStub([]byte(`{}`)))
	none := map[string]types.AttributeValue{}
	empty := map[string]func() error{
		"GetItem 1 KB": func() error {
			_, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: none})
			return err
		},
		"PutItem 1 KB": func() error {
			_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: none})
			return err
		},
	}
	for _, call := range calls {
		if empty[call.Name] == nil {
			continue
		}
		count := func(run func() error) float64 {
			return testing.AllocsPerRun(50, func() {
				if err := run(); err != nil {
					t.Error(err)
				}
			})
		}
		ddb := call.With["ddb"](bench.Client(call.Stub()))
		ours, floor := count(func() error { return ddb(t.Context()) }), count(empty[call.Name])
		t.Logf("%-14s %3.0f allocations, %2.0f above an empty call (%.0f)", call.Name, ours, ours-floor, floor)
		if ours-floor > most {
			t.Errorf("%s: %.0f allocations, %.0f above an empty call; at most %d", call.Name, ours, ours-floor, most)
		}
	}
}
