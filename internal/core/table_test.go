// SPDX-License-Identifier: Apache-2.0

package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
)

type order struct {
	Customer string `dynamodbav:"customer"`
	ID       string `dynamodbav:"id"`
	Total    int    `dynamodbav:"total"`
	Version  int    `dynamodbav:"version"`
}

// orderKey has the form of a ddb.Key.
type orderKey struct{ Customer, ID string }

// gotOrder has the form of a ddb.Got.
type gotOrder struct {
	Item  order
	Found bool
}

// field is a key field, as the handles of package ddb are.
type field struct{ h *handle.Handle }

func (f field) Handle() *handle.Handle { return f.h }

var (
	customer = field{handle.New(func(o *order) *string { return &o.Customer })}
	id       = field{handle.New(func(o *order) *string { return &o.ID })}
	total    = handle.New(func(o *order) *int { return &o.Total })
	version  = handle.New(func(o *order) *int { return &o.Version })
)

// conditionError is what the tests make of a failed condition, in place of a ddb.ConditionFailed[order].
type conditionError struct {
	condition string
	content   core.FailedCondition
}

func (f *conditionError) Error() string { return f.content.Text(f.condition) }

func (*conditionError) Is(target error) bool { return target == ddberr.ErrConditionFailed }

func newOrders(t *testing.T, opts ...core.AnyTableOption) *core.Table {
	t.Helper()
	of := core.NewItemOf((*[]order)(nil), func(condition string, f core.FailedCondition) error { return &conditionError{condition, f} })
	orders, err := core.New(ddbtest.New(t), "orders", of, customer, id, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.EnsureTable(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return orders
}

// put stores n orders of the customer c1, whose totals are 0, 1 and so on.
func put(t *testing.T, orders *core.Table, n int) (all []order) {
	t.Helper()
	for i := range n {
		all = append(all, order{Customer: "c1", ID: fmt.Sprintf("o%02d", i), Total: i})
	}
	if err := orders.BatchWrite(t.Context(), &all, nil, core.BatchCall{}); err != nil {
		t.Fatal(err)
	}
	return all
}

func get(t *testing.T, orders *core.Table, key orderKey) (o order, err error) {
	t.Helper()
	err = orders.Get(t.Context(), new(core.GetState), &key, &o, core.ReadCall{})
	return o, err
}

// TestWrites: puts, updates and deletes, with a version that the table maintains.
func TestWrites(t *testing.T) {
	t.Parallel()
	orders := newOrders(t, core.VersionOption(version))
	ctx := t.Context()
	o, key := order{Customer: "c1", ID: "o1", Total: 3}, orderKey{"c1", "o1"}
	if err := orders.Put(ctx, core.VerbCreate, &o, nil); err != nil || o.Version != 1 {
		t.Fatal(o, err)
	}
	stale := o
	var changed order
	five := 5
	err := orders.Update(ctx, &key, &changed, true, []any{handle.Shift(total, "+", &five), handle.Compare(total, "=", &o.Total)})
	if want := (order{"c1", "o1", 8, 2}); err != nil || changed != want {
		t.Errorf("the update returns %v, %v, want %v", changed, err, want)
	}
	if got, err := get(t, orders, key); err != nil || got != changed {
		t.Errorf("%v is stored, %v", got, err)
	}

	// A refused write returns the content of the failed condition, with the item that is stored.
	err = orders.Put(ctx, core.VerbPut, &stale, nil)
	if failed, ok := errors.AsType[*conditionError](err); !ok || !failed.content.Stale || !cmp.Equal(failed.content.Current, &changed) {
		t.Errorf("a put of a stale item: %v", err)
	}
	if err = orders.DeleteItem(ctx, &stale, nil); !errors.Is(err, ddberr.ErrConditionFailed) {
		t.Errorf("a delete of a stale item: %v", err)
	}
	var old order
	if err := orders.DeleteItem(ctx, &changed, []any{&core.ReturnOld{Dst: &old}}); err != nil || old != changed {
		t.Errorf("deleted %v, %v", old, err)
	}
	if _, err := get(t, orders, key); !errors.Is(err, ddberr.ErrNotFound) {
		t.Errorf("after the delete: %v", err)
	}
}

// TestReads: a query by pages, a filter, a limit, an order, a count, and cursors as text.
func TestReads(t *testing.T) {
	t.Parallel()
	orders := newOrders(t)
	all := put(t, orders, 7)
	ctx := t.Context()
	query := func() *core.Read { return orders.Query(new("c1")).Read() }

	var paged []order
	for at := ""; ; {
		cursor, err := query().ParseCursor(at)
		if err != nil {
			t.Fatal(err)
		}
		var list []order
		page, err := query().Limited(3).From(cursor).Page(ctx, &list)
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, list...)
		if at = page.Next.String(); at == "" {
			break
		}
	}
	if diff := cmp.Diff(all, paged); diff != "" {
		t.Errorf("by pages (-want +got):\n%s", diff)
	}

	backwards := slices.Clone(all[3:])
	slices.Reverse(backwards)
	var filtered []order
	if err := query().Filtered([]*handle.Condition{handle.Compare(total, ">=", new(3))}).Reversed().Paged(2).Collect(ctx, &filtered); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(backwards, filtered); diff != "" {
		t.Errorf("filtered, in descending order (-want +got):\n%s", diff)
	}
	if n, err := orders.Scan().Parallel(3).Count(ctx); n != len(all) || err != nil {
		t.Errorf("a parallel scan counts %d, %v", n, err)
	}
}

// TestBatchGet: found and missing keys keep their places.
func TestBatchGet(t *testing.T) {
	t.Parallel()
	orders := newOrders(t)
	all := put(t, orders, 3)
	keys := []orderKey{{"c1", "o02"}, {"c1", "missing"}, {"c1", "o00"}, {"c1", "o02"}}
	var got []gotOrder
	if err := orders.BatchGet(t.Context(), &keys, &got, core.ReadCall{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]gotOrder{{all[2], true}, {}, {all[0], true}, {all[2], true}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTransaction: all operations are applied, or none.
func TestTransaction(t *testing.T) {
	t.Parallel()
	orders := newOrders(t)
	all := put(t, orders, 2)
	transact := func(ctx context.Context, least int) error {
		ops := []core.TxPart{
			orders.TxUpdate("Update", &orderKey{"c1", "o00"}, true, []any{handle.Set(total, new(10))}),
			orders.TxCheck(&orderKey{"c1", "o01"}, []*handle.Condition{handle.Compare(total, ">=", &least)}),
			orders.TxPut(core.VerbCreate, &order{Customer: "c1", ID: "new"}, nil),
		}
		return core.Transact(ctx, orders.Client, len(ops), func(i int) core.TxPart { return ops[i] })
	}
	err := transact(t.Context(), 2)
	failure, ok := errors.AsType[*ddberr.TransactionError](err)
	if !ok || len(failure.Failed) != 1 || failure.Failed[0].Index != 1 || !errors.Is(err, ddberr.ErrConditionFailed) {
		t.Errorf("a check that fails: %v", err)
	}
	if o, err := get(t, orders, orderKey{"c1", "o00"}); err != nil || o != all[0] {
		t.Errorf("after it %v is stored, %v", o, err)
	}
	if err := transact(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var got, created gotOrder
	reads := []core.TxReadPart{
		orders.TxGet(&orderKey{"c1", "o00"}, &got, core.ReadCall{}), orders.TxGet(&orderKey{"c1", "new"}, &created, core.ReadCall{}),
	}
	if err := core.TransactGet(t.Context(), orders.Client, len(reads), func(i int) core.TxReadPart { return reads[i] }); err != nil {
		t.Fatal(err)
	}
	if got.Item.Total != 10 || !created.Found {
		t.Errorf("read %v and %v", got, created)
	}
}

// TestInvalidTables: a table whose constructor failed, and a nil one, send nothing.
func TestInvalidTables(t *testing.T) {
	t.Parallel()
	of := core.NewItemOf((*[]order)(nil), func(string, core.FailedCondition) error { return nil })
	wrong, err := core.New(nil, "x", of, field{total}, id, []core.AnyTableOption{core.PageSizeOption(-1)}, nil)
	if !errors.Is(err, ddberr.ErrInvalid) {
		t.Fatal(err)
	}
	for _, orders := range []*core.Table{wrong, nil} {
		if _, got := get(t, orders, orderKey{}); got == nil || !errors.Is(got, ddberr.ErrInvalid) {
			t.Errorf("Get: %v", got)
		}
		if got := orders.Put(t.Context(), core.VerbPut, new(order), nil); !errors.Is(got, ddberr.ErrInvalid) {
			t.Errorf("Put: %v", got)
		}
		if _, got := orders.Scan().Count(t.Context()); !errors.Is(got, ddberr.ErrInvalid) {
			t.Errorf("Count: %v", got)
		}
	}
}
