// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// A token goes to a browser and back; it opens for the tenant that it was given to, for an hour.
func ExamplePageTokens() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	messages, _ := newChat(ctx, engine.Client())

	secret := make([]byte, 32) // that of a program comes from a secret manager
	_, _ = rand.Read(secret)   // never fails
	tokens, err := ddb.NewPageTokens(ddb.TokenKey{ID: "2026-09", Secret: secret})
	if err != nil {
		fmt.Println(err)
		return
	}
	q := messages.Query("go").Limit(2)
	page, err := q.Page(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := tokens.Seal(page.Next, ddb.ForTenant("t1"), ddb.ValidFor(time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token != "")

	cursor, err := ddb.OpenToken(tokens, q, token, ddb.ForTenant("t1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err = q.After(cursor).Page(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Items[0].Text)

	_, err = ddb.OpenToken(tokens, q, token, ddb.ForTenant("t2"))
	fmt.Println(errors.Is(err, ddb.ErrBadCursor))
	_, err = ddb.OpenToken(tokens, messages.Query("rust"), token, ddb.ForTenant("t1"))
	fmt.Println(errors.Is(err, ddb.ErrBadCursor))
	// Output:
	// true
	// message 2
	// true
	// true
}
