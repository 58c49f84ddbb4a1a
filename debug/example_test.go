// SPDX-License-Identifier: Apache-2.0

package debug_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/hooks"
)

func ExampleHandler() {
	onlyOperators := func(h http.Handler) http.Handler { return h } // your own
	mux := http.NewServeMux()
	mux.Handle("/debug/ddb", onlyOperators(debug.Handler()))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/ddb", nil))
	fmt.Println(answer.Code, strings.Contains(answer.Body.String(), "Hot partition keys"))
	// Output:
	// 200 true
}

func ExampleRecorder_Snapshot() {
	type User struct {
		ID string `dynamodbav:"id"`
	}
	client, stop := ddbtest.Open()
	defer stop()
	recorder := debug.New(debug.WithLedger(cost.NewLedger()))
	users, err := ddb.NewSimple(client, "users", ddb.StrField(func(u *User) *string { return &u.ID }), ddb.WithHook(recorder))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := users.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := users.Put(ctx, &User{ID: "u1"}); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := users.Get(ctx, "u1"); err != nil {
		fmt.Println(err)
		return
	}
	s := recorder.Snapshot()
	fmt.Println(s.Totals.Calls, "calls,", s.Totals.ReadUnits, "read and", s.Totals.WriteUnits, "write units")
	// Output:
	// 2 calls, 0.5 read and 1 write units
}

// One page for several processes: each exports its data, and the page merges them.
func ExampleProcesses() {
	servers := make([]string, 2)
	for i := range servers { // in your programs, each with its own process
		recorder := debug.New(debug.WithLedger(cost.NewLedger()), debug.WithProcess(fmt.Sprint("shop-", i+1)))
		call := hooks.Call{Operation: "Query", Table: "orders", Attempts: 1, Duration: time.Millisecond}
		recorder.End(recorder.Begin(context.Background(), &call), &call)
		server := httptest.NewServer(recorder)
		defer server.Close()
		servers[i] = server.URL + "/debug/ddb"
	}
	all, err := debug.Processes(http.DefaultClient, servers...)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	all.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/fleet?format=json", nil))
	var s debug.Snapshot
	if err := json.Unmarshal(answer.Body.Bytes(), &s); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Totals.Calls, "calls of", s.Processes[0].Name, "and", s.Processes[1].Name)
	// Output:
	// 2 calls of shop-1 and shop-2
}
