// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
)

type Book struct {
	ISBN   string `dynamodbav:"isbn"`
	Title  string `dynamodbav:"title"`
	Copies int    `dynamodbav:"copies"`
}

var (
	bookISBN   = ddb.StrField(func(b *Book) *string { return &b.ISBN })
	bookCopies = ddb.NumField(func(b *Book) *int { return &b.Copies })
)

type Loan struct {
	Reader string `dynamodbav:"reader"`
	ISBN   string `dynamodbav:"isbn"`
}

var (
	loanReader = ddb.StrField(func(l *Loan) *string { return &l.Reader })
	loanISBN   = ddb.StrField(func(l *Loan) *string { return &l.ISBN })
)

func newLibrary(ctx context.Context, client ddb.Client) (*ddb.SimpleTable[Book, string], *ddb.Table[Loan, string, string]) {
	books, err := ddb.NewSimple(client, "books", bookISBN)
	if err != nil {
		log.Fatal(err)
	}
	loans, err := ddb.New(client, "loans", loanReader, loanISBN)
	if err != nil {
		log.Fatal(err)
	}
	if err := schema.EnsureTables(ctx, books, loans); err != nil {
		log.Fatal(err)
	}
	return books, loans
}

func ExampleSimpleTable_BatchGet() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	books, _ := newLibrary(ctx, engine.Client())

	err := books.BatchPut(ctx, []Book{{"0-19-852663-6", "Principia", 2}, {"0-14-043205-1", "Origin of Species", 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	keys := []string{"0-14-043205-1", "none", "0-19-852663-6", "0-14-043205-1"}
	got, err := books.BatchGet(ctx, keys)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, g := range got { // got[i] belongs to keys[i]
		fmt.Printf("%s %v %q\n", keys[i], g.Found, g.Item.Title)
	}
	// Output:
	// 0-14-043205-1 true "Origin of Species"
	// none false ""
	// 0-19-852663-6 true "Principia"
	// 0-14-043205-1 true "Origin of Species"
}

func ExampleSimpleTable_BatchPut() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	books, _ := newLibrary(ctx, engine.Client())

	list := make([]Book, 60)
	for i := range list {
		list[i] = Book{ISBN: fmt.Sprint("isbn-", i), Copies: 1}
	}
	var stats ddb.BatchStats
	err := books.BatchPut(ctx, list, ddb.StatsTo(&stats))

	// What was not written is named by its index, with its cause.
	if failed, ok := errors.AsType[*ddb.BatchError](err); ok {
		for _, f := range failed.Failed {
			fmt.Println(f.Index, f.Unknown, f.Err)
		}
		again := ddberr.Pick(list, failed.Puts())
		fmt.Println("to try again later:", len(again))
	}
	fmt.Println(err, stats.Done, "written by", stats.Requests, "requests for", stats.Consumed.WriteUnits, "units")
	// Output:
	// <nil> 60 written by 3 requests for 60 units
}

func ExampleTransact() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	client := engine.Client()
	books, loans := newLibrary(ctx, client)

	if err := books.Put(ctx, &Book{"0-19-852663-6", "Principia", 1}); err != nil {
		fmt.Println(err)
		return
	}
	lend := func(reader, isbn string) error {
		return ddb.Transact(ctx, client,
			loans.TxCreate(&Loan{reader, isbn}),
			books.TxUpdate(isbn, bookCopies.Sub(1), ddb.If(bookCopies.Ge(1))))
	}
	fmt.Println(lend("ann", "0-19-852663-6"))

	err := lend("bea", "0-19-852663-6")
	fmt.Println(errors.Is(err, ddb.ErrConditionFailed))
	if book, ok := ddb.CurrentOf[Book](err, 1); ok {
		fmt.Println(book.Title, "has", book.Copies, "copies left")
	}

	// Both reads are of the same moment.
	var (
		book ddb.Got[Book]
		loan ddb.Got[Loan]
	)
	err = ddb.TransactGet(ctx, client, books.TxGet("0-19-852663-6", &book), loans.TxGet(loans.Key("bea", "0-19-852663-6"), &loan))
	fmt.Println(err, book.Item.Copies, loan.Found)
	// Output:
	// <nil>
	// true
	// Principia has 0 copies left
	// <nil> 0 false
}
