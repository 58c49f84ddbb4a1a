// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"context"
	"fmt"
	"log"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// Message is an item of a chat: all messages of a room, by time.
type Message struct {
	Room   string `dynamodbav:"room"`
	At     int64  `dynamodbav:"at"`
	Author string `dynamodbav:"author"`
	Text   string `dynamodbav:"text"`
}

var (
	messageRoom   = ddb.StrField(func(m *Message) *string { return &m.Room })
	messageAt     = ddb.NumField(func(m *Message) *int64 { return &m.At })
	messageAuthor = ddb.StrField(func(m *Message) *string { return &m.Author })
	messageText   = ddb.StrField(func(m *Message) *string { return &m.Text })
)

// newChat makes a table of messages with an index by author, and five messages.
func newChat(ctx context.Context, client ddb.Client) (*ddb.Table[Message, string, int64], *ddb.Index[Message, string, int64]) {
	messages, err := ddb.New(client, "messages", messageRoom, messageAt)
	if err != nil {
		log.Fatal(err)
	}
	byAuthor, err := ddb.NewIndex(messages, "by-author", messageAuthor, messageAt)
	if err != nil {
		log.Fatal(err)
	}
	if err := messages.CreateTable(ctx); err != nil {
		log.Fatal(err)
	}
	for i, author := range []string{"ann", "bob", "ann", "cid", "ann"} {
		if err := messages.Put(ctx, &Message{Room: "go", At: int64(10 * i), Author: author, Text: fmt.Sprint("message ", i)}); err != nil {
			log.Fatal(err)
		}
	}
	return messages, byAuthor
}

func ExampleTable_Query() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	messages, _ := newChat(ctx, engine.Client())

	recent := messages.Query("go").SortKey(ddb.Ge(int64(10))).Filter(messageAuthor.Ne("cid")).Descending()
	for m, err := range recent.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m.At, m.Author)
	}
	// Output:
	// 40 ann
	// 20 ann
	// 10 bob
}

func ExampleNewIndex() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	_, byAuthor := newChat(ctx, engine.Client())

	list, err := byAuthor.Query("ann").Limit(2).Collect(ctx)
	for _, m := range list {
		fmt.Println(m.At, m.Text)
	}
	fmt.Println(err)
	// Output:
	// 0 message 0
	// 20 message 2
	// <nil>
}

// An index that holds only keys is small, and its writes are cheap; the whole items come from the table.
func ExampleIndexQuery_Hydrate() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	messages, _ := newChat(ctx, engine.Client())
	authors, err := ddb.NewIndex(messages, "authors", messageAuthor, messageAt, ddb.KeysOnly())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := messages.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}

	keys, err := authors.Query("ann").Limit(1).Page(ctx)
	fmt.Printf("%q %v\n", keys.Items[0].Text, err)
	whole, err := authors.Query("ann").Hydrate().Limit(1).Page(ctx)
	fmt.Printf("%q %v, %d requests, %d missing\n", whole.Items[0].Text, err, whole.Requests, whole.Missing)
	// Output:
	// "" <nil>
	// "message 0" <nil>, 2 requests, 0 missing
}

// A view of an index reads some of the attributes that the index holds.
func ExampleView_indexScan() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	_, byAuthor := newChat(ctx, engine.Client())

	type Line struct {
		Author string `dynamodbav:"author"`
		Text   string `dynamodbav:"text"`
	}
	n := 0
	for line, err := range ddb.View[Line](byAuthor.Scan().Filter(messageAuthor.Eq("bob"))).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(line.Author, line.Text)
		n++
	}
	fmt.Println(n)
	// Output:
	// bob message 1
	// 1
}

// A cursor goes through a web page as text.
func ExampleCursor() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	messages, _ := newChat(ctx, engine.Client())

	text := ""
	for {
		cursor, err := messages.ParseCursor(text) // from the request; empty for the first page
		if err != nil {
			fmt.Println(err)
			return
		}
		page, err := messages.Query("go").Limit(2).After(cursor).Page(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(len(page.Items), "messages from", page.Items[0].At)
		if text = page.Next.String(); text == "" {
			return
		}
	}
	// Output:
	// 2 messages from 0
	// 2 messages from 20
	// 1 messages from 40
}

func ExampleScan_Parallel() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	messages, _ := newChat(ctx, engine.Client())

	n, err := messages.Scan().Filter(messageAuthor.Eq("ann")).Parallel(4).Count(ctx)
	fmt.Println(n, err)
	// Output:
	// 3 <nil>
}

// A filter that keeps little may read a whole partition to fill a page. MaxScanned ends the page after so many items, with a cursor.
func ExampleMaxScanned() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	messages, _ := newChat(ctx, engine.Client())

	rare := messages.Query("go").Filter(messageAuthor.Eq("cid")).Limit(1).With(ddb.MaxScanned(2))
	var after ddb.Cursor[Message]
	for {
		page, err := rare.After(after).Page(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(page.Scanned, "looked at,", len(page.Items), "found")
		if after = page.Next; after.IsZero() || len(page.Items) > 0 {
			return
		}
	}
	// Output:
	// 2 looked at, 0 found
	// 2 looked at, 1 found
}
