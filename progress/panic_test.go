// SPDX-License-Identifier: Apache-2.0

package progress_test

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/progress"
)

// A batch whose list panics is not reported as done.
func TestPanicOfAList(t *testing.T) {
	t.Parallel()
	type thing struct {
		ID string `dynamodbav:"id"`
	}
	table, err := ddb.NewSimple[thing](ddbtest.New(t), "things", ddb.StrField(func(t *thing) *string { return &t.ID }))
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	jobs := progress.NewTracker()
	func() {
		defer func() { _ = recover() }()
		err := table.BatchPutAll(jobs.With(t.Context()), func(yield func(thing) bool) {
			_ = yield(thing{ID: "a"})
			panic("the list")
		})
		t.Errorf("it returned %v", err)
	}()
	if list := jobs.List(); len(list) != 1 || list[0].State != progress.Stopped {
		t.Errorf("got %v", list)
	}
	if err := table.BatchPutAll(jobs.With(t.Context()), func(yield func(thing) bool) { _ = yield(thing{ID: "a"}) }); err != nil {
		t.Error(err)
	}
	if list := jobs.List(); len(list) != 1 || list[0].State != progress.Done {
		t.Errorf("got %v", list)
	}
}
