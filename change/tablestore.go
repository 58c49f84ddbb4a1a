// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
	"github.com/dynamotable/ddb/schema"
)

// TableStore keeps leases in a DynamoDB table, one item each, under the app (app) and the stream with
// the shard after a space (lease). One table serves any number of apps. An item has less than 1 KB, so that every
// write of it costs one unit. The updated attribute is for people; no worker reads it.
type TableStore struct {
	table  any   // see tableOf
	failed error // of NewTableStore; every method returns it
}

// tableOf returns the table. It is a function and the field has no type, because every package that uses a
// store would compile the methods of the table again if it found their types in the store or its methods.
//
//go:noinline
func tableOf(s *TableStore) *ddb.Table[leaseItem, appKey, shardKey] {
	table, _ := s.table.(*ddb.Table[leaseItem, appKey, shardKey])
	return table
}

var _ Store = (*TableStore)(nil)

type (
	appKey   string
	shardKey string
)

type leaseItem struct {
	App         appKey    `dynamodbav:"app"`
	Key         shardKey  `dynamodbav:"lease"`
	Owner       string    `dynamodbav:"owner"`
	Counter     int64     `dynamodbav:"counter"`
	RequestedBy string    `dynamodbav:"heir,omitempty"`
	Checkpoint  string    `dynamodbav:"checkpoint"`
	Parent      string    `dynamodbav:"parent,omitempty"`
	Children    []string  `dynamodbav:"children,omitempty"`
	Load        int64     `dynamodbav:"load,omitempty"`
	Updated     time.Time `dynamodbav:"updated,sdktime"`
	// Write is a random text of the last write. A writer whose reply was lost recognises its own write by it.
	Write string `dynamodbav:"write,omitempty"`
}

var (
	leaseApp     = ddb.StrField(func(l *leaseItem) *appKey { return &l.App })
	leaseShard   = ddb.StrField(func(l *leaseItem) *shardKey { return &l.Key })
	leaseOwner   = ddb.StrField(func(l *leaseItem) *string { return &l.Owner })
	leaseCounter = ddb.NumField(func(l *leaseItem) *int64 { return &l.Counter })
	leaseUpdated = ddb.TimeField(func(l *leaseItem) *time.Time { return &l.Updated })
)

// NewTableStore describes a table of leases. It sends nothing. Create the table with
// [TableStore.EnsureTable] or by other means, with string keys app (partition) and lease (sort).
func NewTableStore(client ddb.Client, table string, opts ...ddb.TableOption) (*TableStore, error) {
	t, err := ddb.New(client, table, leaseApp, leaseShard, append([]ddb.TableOption{ddb.Updated(leaseUpdated)}, opts...)...)
	return &TableStore{table: t, failed: err}, err
}

// usable returns the error of the constructor, or an error for a TableStore that was not made by it.
func (s *TableStore) usable() error {
	switch {
	case s != nil && s.failed != nil:
		return s.failed
	case s == nil || s.table == nil:
		return &ddb.InvalidError{Problems: []error{errors.New("change: a TableStore that NewTableStore did not make")}}
	}
	return nil
}

// EnsureTable creates the table if it is missing and waits for it; see [ddb.Table.EnsureTable].
func (s *TableStore) EnsureTable(ctx context.Context, opts ...schema.Option) error {
	if err := s.usable(); err != nil {
		return err
	}
	return tableOf(s).EnsureTable(ctx, opts...)
}

// VerifyTable lists all differences between the live table and its definition.
func (s *TableStore) VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	return tableOf(s).VerifyTable(ctx, opts...)
}

// DeleteTable deletes the table with all leases, and waits until it is gone; consumers then start from their beginning again. It is
// refused unless the permission names the table; see [schema.AllowDelete].
func (s *TableStore) DeleteTable(ctx context.Context, allow schema.DeletePermission) error {
	if err := s.usable(); err != nil {
		return err
	}
	return tableOf(s).DeleteTable(ctx, allow)
}

// Leases reads all leases of an app by a consistent query.
func (s *TableStore) Leases(ctx context.Context, app string) ([]Lease, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	var all []Lease
	for item, err := range tableOf(s).Query(appKey(app)).Consistent().All(ctx) {
		if err != nil {
			return nil, err
		}
		all = append(all, item.lease())
	}
	return all, nil
}

// Create stores a lease unless there is one. If a reply is lost, the request is sent again, which is harmless.
func (s *TableStore) Create(ctx context.Context, lease Lease) error {
	if err := s.usable(); err != nil {
		return err
	}
	item := itemOf(lease)
	err := repeat.Write(ctx, func() error { return tableOf(s).Create(ctx, &item) })
	if errors.Is(err, ddb.ErrConditionFailed) {
		return nil
	}
	return err
}

// Swap replaces was by will. If a reply is lost, it reads the stored lease, and recognises its own write by
// a random text in it.
func (s *TableStore) Swap(ctx context.Context, was, will Lease) (Lease, bool, error) {
	if err := s.usable(); err != nil {
		return Lease{}, false, err
	}
	item := itemOf(will)
	item.Write = rand.Text()
	err := tableOf(s).Replace(ctx, &item, ddb.If(leaseOwner.Eq(was.Owner), leaseCounter.Eq(was.Counter)))
	switch {
	case err == nil:
		return will, true, nil
	case errors.Is(err, ddb.ErrConditionFailed), repeat.InDoubt(err):
	default:
		return Lease{}, false, err
	}
	found, err := tableOf(s).Get(ctx, item.App, item.Key, ddb.Consistent())
	switch {
	case errors.Is(err, ddb.ErrNotFound):
		return Lease{}, false, nil
	case err != nil:
		return Lease{}, false, err
	}
	return found.lease(), found.Write == item.Write, nil
}

// Delete removes a lease if it is unchanged. If a reply is lost, the request is sent again under the same condition.
func (s *TableStore) Delete(ctx context.Context, lease Lease) error {
	if err := s.usable(); err != nil {
		return err
	}
	item := itemOf(lease)
	err := repeat.Write(ctx, func() error {
		return tableOf(s).Delete(ctx, item.App, item.Key, ddb.If(leaseOwner.Eq(lease.Owner), leaseCounter.Eq(lease.Counter)))
	})
	if errors.Is(err, ddb.ErrConditionFailed) {
		return nil
	}
	return err
}

func itemOf(l Lease) leaseItem {
	return leaseItem{
		App: appKey(l.App), Key: shardKey(l.Stream + " " + l.Shard),
		Owner: l.Owner, Counter: l.Counter, RequestedBy: l.RequestedBy, Checkpoint: string(l.Checkpoint), Parent: l.Parent, Children: l.Children, Load: l.Load,
	}
}

func (i *leaseItem) lease() Lease {
	stream, shard, _ := strings.Cut(string(i.Key), " ") // neither can contain a space
	return Lease{
		App: string(i.App), Stream: stream, Shard: shard, Owner: i.Owner, Counter: i.Counter, RequestedBy: i.RequestedBy,
		Checkpoint: Checkpoint(i.Checkpoint), Parent: i.Parent, Children: i.Children, Load: i.Load,
	}
}
