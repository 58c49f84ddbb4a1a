// SPDX-License-Identifier: Apache-2.0

package job

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// If a function returns the same list of changes for several items, the condition of one of them must not be added to it.
func TestSendKeepsCallersChanges(t *testing.T) {
	t.Parallel()
	type thing struct {
		ID string `dynamodbav:"id"`
		N  int    `dynamodbav:"n"`
	}
	id := ddb.StrField(func(t *thing) *string { return &t.ID })
	n := ddb.NumField(func(t *thing) *int { return &t.N })
	table, err := ddb.NewSimple[thing](ddbtest.New(t), "things", id)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := table.Put(t.Context(), &thing{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	changes := append(make([]ddb.UpdateOption[thing], 0, 4), n.Set(7))
	j, err := New("n", table, func(i thing) Change[thing] {
		if i.N == 7 {
			return Keep[thing]()
		}
		return Change[thing]{kind: update, updates: changes}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Apply(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if changes[:2][1] != nil {
		t.Error("the list contains the condition of an item")
	}
}
