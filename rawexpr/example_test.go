// SPDX-License-Identifier: Apache-2.0

package rawexpr_test

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/rawexpr"
)

type Shelf struct {
	ID    string   `dynamodbav:"id"`
	Books []string `dynamodbav:"books"`
	Moves int      `dynamodbav:"moves"`
}

var shelfID = ddb.StrField(func(s *Shelf) *string { return &s.ID })

// An update in the expression language of DynamoDB, for what the handles do not express.
func Example() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	shelves, err := ddb.NewSimple(engine.Client(), "shelves", shelfID)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := shelves.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := shelves.Put(ctx, &Shelf{ID: "s1", Books: []string{"Dune", "Emma"}}); err != nil {
		fmt.Println(err)
		return
	}
	shelf, err := shelves.Update(ctx, "s1",
		rawexpr.ChangeText[Shelf]("SET #m = #m + :one REMOVE #b[0]", map[string]string{"#m": "moves", "#b": "books"}, map[string]any{":one": 1}),
		ddb.If(rawexpr.CondText[Shelf]("size(#b) >= :two", map[string]string{"#b": "books"}, map[string]any{":two": 2})))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(shelf.Books), "book after", shelf.Moves, "move")
	// Output:
	// 1 book after 1 move
}
