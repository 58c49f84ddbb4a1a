// SPDX-License-Identifier: Apache-2.0

package tableinfo_test

import (
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/tableinfo"
)

type Book struct {
	ISBN   string `dynamodbav:"isbn"`
	Author string `dynamodbav:"author"`
}

var (
	bookISBN   = ddb.StrField(func(b *Book) *string { return &b.ISBN })
	bookAuthor = ddb.StrField(func(b *Book) *string { return &b.Author })
)

// What a table was made with, and the definition that a tool deploys.
func Example() {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	books, err := ddb.NewSimple(engine.Client(), "books", bookISBN)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := ddb.NewSimpleIndex(books, "by-author", bookAuthor); err != nil {
		fmt.Println(err)
		return
	}
	info, err := tableinfo.Of(books)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Name, info.Key.Text())
	definition, err := tableinfo.Definition(books, schema.OnDemand())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("definition with", len(definition.Create.GlobalSecondaryIndexes), "global index")
	// Output:
	// books HASH isbn (S)
	// definition with 1 global index
}
