// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
)

// tableRows stores rows in a DynamoDB table.
type tableRows struct {
	client   ddb.Client
	table    *ddb.Table[row, string, string]
	userRows *ddb.Index[row, string, string]
	typeRows *ddb.Index[row, string, string]
}

const (
	userIndex = "by-user"
	typeIndex = "by-type"
)

func newTableRows(client ddb.Client, name string, opts []ddb.TableOption) (*tableRows, error) {
	t := &tableRows{client: client}
	var err error
	if t.table, err = ddb.New(client, name, rowTenant, rowSort, append([]ddb.TableOption{ddb.TTL(rowTTL)}, opts...)...); err != nil {
		return nil, err
	}
	if t.userRows, err = ddb.NewIndex(t.table, userIndex, rowUser, rowByUser); err != nil {
		return nil, err
	}
	if t.typeRows, err = ddb.NewIndex(t.table, typeIndex, rowType, rowByType); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *tableRows) get(ctx context.Context, k rowKey) (ddb.Got[row], error) {
	r, err := t.table.Get(ctx, k.tenant, k.sort, ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		return ddb.Got[row]{}, nil
	}
	return ddb.Got[row]{Item: r, Found: err == nil}, err
}

func (t *tableRows) getTogether(ctx context.Context, a, b rowKey) (gotA, gotB ddb.Got[row], err error) {
	err = ddb.TransactGet(ctx, t.client, t.table.TxGet(t.keyed(a), &gotA), t.table.TxGet(t.keyed(b), &gotB))
	return gotA, gotB, err
}

func (t *tableRows) getMany(ctx context.Context, keys []rowKey) ([]ddb.Got[row], error) {
	return t.table.BatchGet(ctx, t.allKeyed(keys), ddb.Consistent())
}

func (t *tableRows) prefix(ctx context.Context, tenant, prefix string, descending bool) iter.Seq2[row, error] {
	q := t.table.Query(tenant).SortKey(ddb.BeginsWith(prefix)).Consistent()
	if descending {
		q = q.Descending()
	}
	return q.All(ctx)
}

func (t *tableRows) byUser(ctx context.Context, user, prefix string) iter.Seq2[row, error] {
	return t.userRows.Query(user).SortKey(ddb.BeginsWith(prefix)).All(ctx)
}

func (t *tableRows) byType(ctx context.Context, typ, prefix string) iter.Seq2[row, error] {
	return t.typeRows.Query(typ).SortKey(ddb.BeginsWith(prefix)).All(ctx)
}

func (t *tableRows) commit(ctx context.Context, changes []change) error {
	ops := make([]ddb.TxOp, len(changes))
	for i, c := range changes {
		switch {
		case c.put == nil:
			ops[i] = t.table.TxDelete(t.keyed(c.remove), ddb.If(rowRev.Eq(c.rev)))
		case c.rev == 0:
			ops[i] = t.table.TxCreate(c.put)
		default:
			ops[i] = t.table.TxPut(c.put, ddb.If(rowRev.Eq(c.rev)))
		}
	}
	return ddb.Transact(ctx, t.client, ops...)
}

func (t *tableRows) putAll(ctx context.Context, list []row) error {
	return t.table.BatchPut(ctx, list)
}

func (t *tableRows) deleteAll(ctx context.Context, keys []rowKey) error {
	return t.table.BatchDelete(ctx, t.allKeyed(keys))
}

func (t *tableRows) ensure(ctx context.Context, opts []schema.Option) error {
	return t.table.EnsureTable(ctx, opts...)
}

func (t *tableRows) verify(ctx context.Context, opts []schema.Option) ([]schema.Difference, error) {
	return t.table.VerifyTable(ctx, opts...)
}

func (t *tableRows) reset(ctx context.Context, allow schema.DeletePermission, opts []schema.Option) error {
	if err := t.table.DeleteTable(ctx, allow); err != nil {
		return err
	}
	if err := t.table.CreateTable(ctx, opts...); err != nil {
		return fmt.Errorf("the table was deleted, but not created again: %w", err)
	}
	return nil
}

func (t *tableRows) keyed(k rowKey) ddb.Key[string, string] { return t.table.Key(k.tenant, k.sort) }

func (t *tableRows) allKeyed(keys []rowKey) []ddb.Key[string, string] {
	list := make([]ddb.Key[string, string], len(keys))
	for i, k := range keys {
		list[i] = t.keyed(k)
	}
	return list
}
