// SPDX-License-Identifier: Apache-2.0

// Sdk contains the same program twice: an account book written with the SDK, attributevalue and
// expression (old.go), and with ddb (new.go), on one client and one table. Both
// get the same calls, each on items that the other wrote, and must return the same results:
//
//	go run ./examples/sdk
//
// It runs on the embedded engine, or on the endpoint in DYNAMODB_ENDPOINT.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
)

// Entry is one line of an account. Both programs read and write it with the same tags.
type Entry struct {
	Account string   `dynamodbav:"account"`
	Seq     int64    `dynamodbav:"seq"`
	Amount  int64    `dynamodbav:"amount"`
	Note    string   `dynamodbav:"note,omitempty"`
	Tags    []string `dynamodbav:"tags,stringset,omitempty"`
}

var (
	errExists  = errors.New("the entry is there already")
	errMissing = errors.New("there is no such entry")
)

// Book is the interface that the rest of a program uses.
type book interface {
	Add(ctx context.Context, e Entry) error
	Get(ctx context.Context, account string, seq int64) (Entry, error)
	Annotate(ctx context.Context, account string, seq int64, note, tag string) (Entry, error)
	Large(ctx context.Context, account string, since, amount int64, limit int) ([]Entry, error)
	Many(ctx context.Context, account string, seqs []int64) ([]Entry, error)
	Move(ctx context.Context, from, to Entry) error
}

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	defer stop()
	ctx := context.Background()
	entries, err := ddb.New(client, "sdk-entries", entryAccount, entrySeq)
	if err == nil {
		err = entries.CreateTable(ctx)
	}
	if err != nil {
		log.Fatal(err) //nolint:gocritic // the engine dies with the process
	}
	before, after := oldBook{client, aws.String(entries.Name())}, newBook{client, entries}
	same := run(ctx, before, after)
	if err := entries.DeleteTable(ctx, schema.AllowDelete(entries.Name())); err != nil {
		log.Fatal(err)
	}
	fmt.Println("all answers are the same:", same)
}

// Run writes account "old" with the old book and "new" with the new book, and calls
// each book for both accounts.
func run(ctx context.Context, before, after book) (same bool) {
	same = true
	ask := func(what string, job func(b book, own, other string) (any, error)) {
		a, b := answer(job(before, "old", "new")), answer(job(after, "new", "old"))
		same = same && a == b
		fmt.Printf("%-18s %-5v %s\n", what, a == b, b)
	}
	ask("Add 300", func(b book, own, _ string) (any, error) {
		for i := range int64(300) {
			if err := b.Add(ctx, Entry{Account: own, Seq: i, Amount: i * i % 101}); err != nil {
				return nil, err
			}
		}
		return "300 entries", nil
	})
	ask("Add again", func(b book, _, other string) (any, error) {
		return nil, b.Add(ctx, Entry{Account: other, Seq: 7})
	})
	ask("Get", func(b book, _, other string) (any, error) {
		e, err := b.Get(ctx, other, 12)
		return e.Amount, err
	})
	ask("Get nothing", func(b book, _, other string) (any, error) {
		e, err := b.Get(ctx, other, 1000)
		return e, err
	})
	ask("Annotate", func(b book, _, other string) (any, error) {
		e, err := b.Annotate(ctx, other, 12, "gift", "cash")
		e.Account = ""
		return e, err
	})
	ask("Annotate nothing", func(b book, _, other string) (any, error) {
		_, err := b.Annotate(ctx, other, 1000, "gift", "cash")
		return nil, err
	})
	ask("Large, newest 5", func(b book, _, other string) (any, error) {
		list, err := b.Large(ctx, other, 100, 90, 5)
		return seqs(list), err
	})
	ask("Many", func(b book, _, other string) (any, error) {
		var want []int64
		for i := range int64(150) {
			want = append(want, i*7%320) // some are missing
		}
		list, err := b.Many(ctx, other, append(want, 3, 3))
		sum := int64(0)
		for _, e := range list {
			sum += e.Amount
		}
		return fmt.Sprint(len(list), " entries, ", sum), err
	})
	ask("Move", func(b book, own, _ string) (any, error) {
		return nil, b.Move(ctx, Entry{Account: own, Seq: 400, Amount: -5}, Entry{Account: own + "-savings", Seq: 0, Amount: 5})
	})
	ask("Move again", func(b book, _, other string) (any, error) {
		return nil, b.Move(ctx, Entry{Account: other, Seq: 401, Amount: -5}, Entry{Account: other + "-savings", Seq: 0, Amount: 5})
	})
	return same
}

func seqs(list []Entry) []int64 {
	out := make([]int64, len(list))
	for i, e := range list {
		out[i] = e.Seq
	}
	return out
}

// Answer is a result or an error as text.
func answer(result any, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
