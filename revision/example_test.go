// SPDX-License-Identifier: Apache-2.0

package revision_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/revision"
)

type note struct {
	ID       string            `dynamodbav:"id"`
	Text     string            `dynamodbav:"text"`
	Revision revision.Revision `dynamodbav:"revision"`
}

var (
	noteID       = ddb.OrdField(func(n *note) *string { return &n.ID })
	noteText     = ddb.StrField(func(n *note) *string { return &n.Text })
	noteRevision = ddb.Field(func(n *note) *revision.Revision { return &n.Revision })
)

// Two clients of a web service read the same note. Each sends its change with the entity tag that it received in If-Match. The first
// change is applied, and the second is refused.
func Example() {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	ctx := context.Background()
	notes, err := ddb.NewSimple(engine.Client(), "notes", noteID, ddb.Version(noteRevision))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := notes.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	n := note{ID: "1", Text: "milk"}
	if err := notes.Create(ctx, &n); err != nil {
		fmt.Println(err)
		return
	}
	tag := n.Revision.ETag() // sent to both clients in the header ETag

	for _, text := range []string{"milk, bread", "milk, salt"} {
		seen, err := revision.ParseETag(tag) // received in the header If-Match
		if err != nil {
			fmt.Println(err)
			return
		}
		changed, err := notes.Update(ctx, "1", noteText.Set(text), ddb.If(noteRevision.Eq(seen)))
		if errors.Is(err, ddb.ErrConditionFailed) {
			fmt.Println("412 Precondition Failed")
			continue
		}
		fmt.Println(changed.Text, changed.Revision.Number, err)
	}
	// Output:
	// milk, bread 2 <nil>
	// 412 Precondition Failed
}
