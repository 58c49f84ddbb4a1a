// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"iter"
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/grant"
	"github.com/dynamotable/ddb/grant/importer"
	"github.com/dynamotable/ddb/progress"
)

// An import whose source panics is not reported as done.
func TestPanicOfTheSource(t *testing.T) {
	t.Parallel()
	store := newStore(t, ddbtest.New(t))
	jobs := progress.NewTracker()
	func() {
		defer func() { _ = recover() }()
		_, err := importer.Import(jobs.With(t.Context()), func(context.Context) iter.Seq2[grant.Grant, error] {
			return func(func(grant.Grant, error) bool) { panic("the source") }
		}, store)
		t.Errorf("it returned %v", err)
	}()
	if list := jobs.List(); len(list) != 1 || list[0].State != progress.Stopped {
		t.Errorf("got %v", list)
	}
}
