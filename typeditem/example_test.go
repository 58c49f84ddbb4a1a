// SPDX-License-Identifier: Apache-2.0

package typeditem_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/typeditem"
)

type Book struct {
	ISBN   string `dynamodbav:"isbn"`
	Copies int    `dynamodbav:"copies"`
}

var bookISBN = ddb.StrField(func(b *Book) *string { return &b.ISBN })

// An item in the form of the SDK, as an event of a stream has it.
func ExampleDecode() {
	book, err := typeditem.Decode[Book](map[string]types.AttributeValue{
		"isbn":   &types.AttributeValueMemberS{Value: "1"},
		"copies": &types.AttributeValueMemberN{Value: "3"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(book.Copies)
	// Output:
	// 3
}

// Two lists of the same table, such as those of two days.
func ExampleDiff() {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	books, err := ddb.NewSimple(engine.Client(), "books", bookISBN)
	if err != nil {
		fmt.Println(err)
		return
	}
	gone, added, changed, err := typeditem.Diff(books, []Book{{"1", 3}, {"2", 1}}, []Book{{"1", 2}, {"3", 5}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(gone), "gone,", len(added), "added,", len(changed), "changed")
	// Output:
	// 1 gone, 1 added, 1 changed
}
