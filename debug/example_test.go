// SPDX-License-Identifier: Apache-2.0

package debug_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/debug"
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
