// SPDX-License-Identifier: Apache-2.0

package pagetoken_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/pagetoken"
)

// Message is an item of a chat: all messages of a room, by time.
type Message struct {
	Room string `dynamodbav:"room"`
	At   int64  `dynamodbav:"at"`
	Text string `dynamodbav:"text"`
}

var (
	messageRoom = ddb.StrField(func(m *Message) *string { return &m.Room })
	messageAt   = ddb.NumField(func(m *Message) *int64 { return &m.At })
)

// A token goes to a browser and back; it is valid for its tenant, for an hour.
func ExampleSealer() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	messages, err := ddb.New(engine.Client(), "messages", messageRoom, messageAt)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := messages.CreateTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for i := range int64(5) {
		if err := messages.Put(ctx, &Message{"go", i, fmt.Sprintf("message %d", i)}); err != nil {
			fmt.Println(err)
			return
		}
	}

	secret := make([]byte, 32) // a program gets its key from a secret manager
	_, _ = rand.Read(secret)   // never fails
	tokens, err := pagetoken.New(pagetoken.Key{ID: "2026-09", Secret: secret})
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
	token, err := tokens.Seal(page.Next, pagetoken.ForTenant("t1"), pagetoken.ValidFor(time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token != "")

	cursor, err := pagetoken.Open(tokens, q, token, pagetoken.ForTenant("t1"))
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

	_, err = pagetoken.Open(tokens, q, token, pagetoken.ForTenant("t2"))
	fmt.Println(errors.Is(err, ddb.ErrBadCursor))
	_, err = pagetoken.Open(tokens, messages.Query("rust"), token, pagetoken.ForTenant("t1"))
	fmt.Println(errors.Is(err, ddb.ErrBadCursor))
	// Output:
	// true
	// message 2
	// true
	// true
}
