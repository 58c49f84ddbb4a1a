// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// openBooks is a table of books with two in it.
func openBooks() (*ddb.SimpleTable[Book, string], func()) {
	engine := ddbtest.NewEngine()
	books, _ := newLibrary(context.Background(), engine.Client())
	err := books.BatchPut(context.Background(), []Book{{"1", "Dune", 3}, {"2", "Emma", 1}})
	if err != nil {
		log.Fatal(err)
	}
	return books, engine.Close
}

// A table of books, without a sort key, in an engine inside the process.
func ExampleNewSimple() {
	ctx := context.Background()
	engine := ddbtest.NewEngine() // ddbclient.New(ctx) is a client of DynamoDB itself
	defer engine.Close()
	client := engine.Client()
	books, err := ddb.NewSimple(client, "books", bookISBN)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := books.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := books.Put(ctx, &Book{ISBN: "1", Title: "Dune", Copies: 3}); err != nil {
		fmt.Println(err)
		return
	}
	book, err := books.Get(ctx, "1")
	fmt.Println(book, err)
	// Output:
	// {1 Dune 3} <nil>
}

// A table with a partition key and a sort key.
func ExampleNew() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	client := engine.Client()
	loans, err := ddb.New(client, "loans", loanReader, loanISBN)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := loans.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := loans.Create(ctx, &Loan{Reader: "ann", ISBN: "1"}); err != nil {
		fmt.Println(err)
		return
	}
	lent, err := loans.Exists(ctx, "ann", "1")
	fmt.Println(lent, err)
	// Output:
	// true <nil>
}

func ExampleTable_Get() {
	books, stop := openBooks()
	defer stop()
	ctx := context.Background()
	book, err := books.Get(ctx, "1", ddb.Consistent(), ddb.Project(bookCopies))
	fmt.Println(book, err)
	_, err = books.Get(ctx, "3")
	fmt.Println(errors.Is(err, ddb.ErrNotFound))
	// Output:
	// {1  3} <nil>
	// true
}

func ExampleTable_Create() {
	books, stop := openBooks()
	defer stop()
	err := books.Create(context.Background(), &Book{ISBN: "1", Title: "Another"})
	if failed, ok := errors.AsType[*ddb.ConditionFailed[Book]](err); ok {
		there, _ := failed.Current()
		fmt.Println("there is", there.Title)
	}
	// Output:
	// there is Dune
}

func ExampleTable_Put() {
	books, stop := openBooks()
	defer stop()
	ctx := context.Background()
	var before Book
	err := books.Put(ctx, &Book{ISBN: "1", Title: "Dune", Copies: 2}, ddb.If(bookCopies.Eq(3)), ddb.ReturnOld(&before))
	fmt.Println(before.Copies, err)
	err = books.Put(ctx, &Book{ISBN: "1"}, ddb.If(bookCopies.Eq(3)))
	fmt.Println(errors.Is(err, ddb.ErrConditionFailed))
	// Output:
	// 3 <nil>
	// true
}

func ExampleTable_Replace() {
	books, stop := openBooks()
	defer stop()
	err := books.Replace(context.Background(), &Book{ISBN: "3", Title: "Persuasion"})
	fmt.Println(errors.Is(err, ddb.ErrNotFound))
	// Output:
	// true
}

func ExampleTable_Update() {
	books, stop := openBooks()
	defer stop()
	book, err := books.Update(context.Background(), "1", bookCopies.Sub(1), ddb.If(bookCopies.Ge(1)))
	fmt.Println(book, err)
	// Output:
	// {1 Dune 2} <nil>
}

func ExampleTable_Upsert() {
	books, stop := openBooks()
	defer stop()
	book, err := books.Upsert(context.Background(), "3", bookCopies.Add(1)) // creates the item
	fmt.Println(book.ISBN, book.Copies, err)
	// Output:
	// 3 1 <nil>
}

func ExampleTable_Delete() {
	books, stop := openBooks()
	defer stop()
	var gone Book
	err := books.Delete(context.Background(), "2", ddb.If(bookCopies.Le(1)), ddb.ReturnOld(&gone))
	fmt.Println(gone.Title, err)
	// Output:
	// Emma <nil>
}

func ExampleTable_BatchGetAll() {
	books, stop := openBooks()
	defer stop()
	isbns := slices.Values([]string{"2", "9", "1"}) // or any stream, of any length
	for got, err := range books.BatchGetAll(context.Background(), isbns) {
		fmt.Println(got.Found, got.Item.Title, err)
	}
	// Output:
	// true Emma <nil>
	// false  <nil>
	// true Dune <nil>
}

func ExampleTable_BatchPutAll() {
	books, stop := openBooks()
	defer stop()
	ctx := context.Background()
	stream := func(yield func(Book) bool) {
		for i := range 1000 {
			if !yield(Book{ISBN: fmt.Sprint(i), Copies: i}) {
				return
			}
		}
	}
	var stats ddb.BatchStats
	err := books.BatchPutAll(ctx, stream, ddb.StatsTo(&stats))
	fmt.Println(stats.Done, "in", stats.Requests, "requests,", stats.Consumed.WriteUnits, "write units", err)
	// Output:
	// 1000 in 40 requests, 1000 write units <nil>
}

func ExampleTransactGet() {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	client := engine.Client()
	ctx := context.Background()
	books, loans := newLibrary(ctx, client)
	if err := books.Put(ctx, &Book{ISBN: "1", Title: "Dune"}); err != nil {
		fmt.Println(err)
		return
	}
	var (
		book ddb.Got[Book]
		loan ddb.Got[Loan]
	)
	err := ddb.TransactGet(ctx, client, books.TxGet("1", &book), loans.TxGet(loans.Key("ann", "1"), &loan))
	fmt.Println(book.Item.Title, book.Found, loan.Found, err)
	// Output:
	// Dune true false <nil>
}

func ExampleView() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	client := engine.Client()
	messages, _ := newChat(ctx, client)
	type line struct { // its attributes, and no others, are read
		At     int64  `dynamodbav:"at"`
		Author string `dynamodbav:"author"`
	}
	lines, err := ddb.View[line](messages.Query("go").Limit(2)).Collect(ctx)
	fmt.Println(lines, err)
	// Output:
	// [{0 ann} {10 bob}] <nil>
}

func ExampleTable_VerifyTable() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	client := engine.Client()
	messages, _ := newChat(ctx, client)
	// The live table lacks an index that the definition gets now.
	if _, err := ddb.NewSimpleIndex(messages, "by-text", ddb.StrField(func(m *Message) *string { return &m.Text })); err != nil {
		fmt.Println(err)
		return
	}
	differences, err := messages.VerifyTable(ctx)
	for _, d := range differences {
		fmt.Println(d)
	}
	fmt.Println(err)
	// Output:
	// index by-text global index is missing, want present
	// <nil>
}

func ExampleIsRetryable() {
	books, stop := openBooks()
	defer stop()
	err := books.Create(context.Background(), &Book{ISBN: "1"})
	fmt.Println(ddb.IsRetryable(err)) // the same call would fail in the same way
	// Output:
	// false
}
