// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"context"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// Token is an item that expires.
type Token struct {
	ID    string `dynamodbav:"id"`
	Until int64  `dynamodbav:"until"`
}

var (
	tokenID    = ddb.StrField(func(t *Token) *string { return &t.ID })
	tokenUntil = ddb.NumField(func(t *Token) *int64 { return &t.Until })
)

// DynamoDB deletes expired items late. Reads of this table leave them out immediately.
func ExampleHideExpired() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	tokens, err := ddb.NewSimple(engine.Client(), "tokens", tokenID, ddb.TTL(tokenUntil), ddb.HideExpired(), ddb.Clock(func() time.Time { return now }))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := tokens.CreateTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := tokens.Put(ctx, &Token{"t1", now.Add(time.Minute).Unix()}); err != nil {
		fmt.Println(err)
		return
	}
	now = now.Add(time.Hour)
	_, err = tokens.Get(ctx, "t1")
	fmt.Println(err)
	t, err := tokens.Get(ctx, "t1", ddb.IncludeExpired())
	fmt.Println(t.ID, err)
	// Output:
	// ddb: GetItem tokens: item not found
	// t1 <nil>
}
