// SPDX-License-Identifier: Apache-2.0

package sweep_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/sweep"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	goleak.VerifyTestMain(m)
}

// long reports whether tests run in full length. The flag is of the tests in package sweep.
func long() bool { return flag.Lookup("long").Value.String() == "true" }

// Thing is an item of any size.
type Thing struct {
	ID   string `dynamodbav:"id"`
	Kind string `dynamodbav:"kind"`
	Data string `dynamodbav:"data"`
}

var (
	thingID   = ddb.StrField(func(t *Thing) *string { return &t.ID })
	thingKind = ddb.StrField(func(t *Thing) *string { return &t.Kind })
)

type things = ddb.SimpleTable[Thing, string]

// The size of the small table that most tests sweep.
const (
	items    = 60
	segments = 7
	workers  = 3
	pageSize = 4
)

// newThings creates a table on an engine whose client sends each request once.
func newThings(t testing.TB, e *ddbtest.Engine, opts ...schema.Option) *things {
	t.Helper()
	table, err := ddb.NewSimple[Thing](e.Client(func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }), "things", thingID)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(context.Background(), opts...); err != nil {
		t.Fatal(err)
	}
	return table
}

// filled stores n items with data of the given size.
func filled(t testing.TB, table *things, n, size int) *things {
	t.Helper()
	list := make([]Thing, n)
	for i := range list {
		list[i] = Thing{ID: fmt.Sprint(i), Kind: []string{"even", "odd"}[i%2], Data: strings.Repeat("x", size)}
	}
	if err := table.BatchPut(context.Background(), list); err != nil {
		t.Fatal(err)
	}
	return table
}

// small returns a sweep with many short pages.
func small(table *things) *sweep.Sweep[Thing] {
	return sweep.Of(table.Scan().PageSize(pageSize), sweep.Segments(segments), sweep.Workers(workers))
}

// drain runs a sweep to its end.
func drain[T any](ctx context.Context, s *sweep.Sweep[T], body func(sweep.Page[T])) error {
	for page, err := range s.Pages(ctx) {
		if err != nil {
			return err
		}
		body(page)
	}
	return nil
}
