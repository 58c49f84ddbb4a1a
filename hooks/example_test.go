// SPDX-License-Identifier: Apache-2.0

package hooks_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hooks"
)

type user struct {
	ID   string `dynamodbav:"id"`
	Name string `dynamodbav:"name"`
}

var userID = ddb.StrField(func(u *user) *string { return &u.ID })

// printer prints the requests of tables.
type printer struct{}

func (printer) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

func (printer) End(_ context.Context, call *hooks.Call) {
	fmt.Println(call.Operation, call.Table, call.Returned, call.Failed())
}

func ExampleAdd() {
	remove := hooks.Add(printer{})
	defer remove()

	engine := ddbtest.NewEngine()
	defer engine.Close()
	users, err := ddb.NewSimple(engine.Client(), "users", userID)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := users.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := users.Get(ctx, "u1"); !errors.Is(err, ddb.ErrNotFound) {
		fmt.Println(err)
	}
	if err := users.Put(ctx, &user{ID: "u1", Name: "Ada"}); err != nil {
		fmt.Println(err)
	}
	if _, err := users.Get(ctx, "u1"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// GetItem users 0 false
	// PutItem users 0 false
	// GetItem users 1 false
}

func ExampleLogCalls() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "duration" {
				return slog.Attr{} // so that the example prints the same each time
			}
			return a
		},
	}))
	engine := ddbtest.NewEngine()
	defer engine.Close()
	users, err := ddb.NewSimple(engine.Client(), "users", userID, ddb.WithHook(hooks.LogCalls(logger, 50*time.Millisecond)))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := users.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := users.Get(ddb.WithLabel(ctx, "nightly"), "u1"); !errors.Is(err, ddb.ErrNotFound) {
		fmt.Println(err)
	}
	// Output:
	// level=DEBUG msg="DynamoDB GetItem" operation=GetItem table=users label=nightly attempts=1 items=1 read_units=0.5 write_units=0
}
