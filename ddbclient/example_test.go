// SPDX-License-Identifier: Apache-2.0

package ddbclient_test

import (
	"context"
	"fmt"
	"log"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
)

type Book struct {
	ISBN string `dynamodbav:"isbn"`
}

var bookISBN = ddb.StrField(func(b *Book) *string { return &b.ISBN })

// New takes Region, credentials and endpoint from the same sources as the AWS tools.
func ExampleNew() {
	ctx := context.Background()
	client, err := ddbclient.New(ctx, ddbclient.WithRegion("eu-central-1"), ddbclient.WithMaxAttempts(5))
	if err != nil {
		log.Fatal(err) // the error names the missing setting
	}
	books, err := ddb.NewSimple(client, "books", bookISBN)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(books.Name())
	// Output:
	// books
}
