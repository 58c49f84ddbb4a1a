// SPDX-License-Identifier: Apache-2.0

package telemetry_test

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/telemetry"
)

// All tables of the program report to the providers that it has set up; without providers nothing is reported.
func ExampleStart() {
	stop, err := telemetry.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("reporting")
	if err := stop(); err != nil { // when the program ends
		fmt.Println(err)
	}
	// Output:
	// reporting
}

// A hook for one table.
func ExampleNew() {
	type User struct {
		ID string `dynamodbav:"id"`
	}
	hook, err := telemetry.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	client, stop := ddbtest.Open()
	defer stop()
	users, err := ddb.NewSimple(client, "users", ddb.StrField(func(u *User) *string { return &u.ID }), ddb.WithHook(hook))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := users.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(users.Put(ctx, &User{ID: "u1"}))
	// Output:
	// <nil>
}
