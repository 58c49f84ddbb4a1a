// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"iter"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
)

// rows is the storage of a Store.
type rows interface {
	rowReader
	rowWriter
	schemaKeeper
}

// rowReader reads. All reads except those by an index see every write that ended before they began.
type rowReader interface {
	// get reads one row.
	get(ctx context.Context, k rowKey) (ddb.Got[row], error)
	// getTogether reads two rows as they are at one moment.
	getTogether(ctx context.Context, a, b rowKey) (gotA, gotB ddb.Got[row], err error)
	// getMany reads rows independently, in the order of the keys.
	getMany(ctx context.Context, keys []rowKey) ([]ddb.Got[row], error)
	// prefix yields the rows of a tenant whose sort keys begin with a text.
	prefix(ctx context.Context, tenant, prefix string, descending bool) iter.Seq2[row, error]
	// byUser and byType yield the grants in the index.
	byUser(ctx context.Context, user, prefix string) iter.Seq2[row, error]
	byType(ctx context.Context, typ, prefix string) iter.Seq2[row, error]
}

// rowWriter writes.
type rowWriter interface {
	// commit makes all changes or none; an error that matches ErrConditionFailed means
	// that a row does not have the required revision.
	commit(ctx context.Context, changes []change) error
	// putAll and deleteAll do not check what is stored.
	putAll(ctx context.Context, list []row) error
	deleteAll(ctx context.Context, keys []rowKey) error
}

// schemaKeeper manages the table itself.
type schemaKeeper interface {
	ensure(ctx context.Context, opts []schema.Option) error
	verify(ctx context.Context, opts []schema.Option) ([]schema.Difference, error)
	reset(ctx context.Context, allow schema.DeletePermission, opts []schema.Option) error
}

// change is one operation of a commit on a row that must have the revision rev, or be absent if that is zero.
type change struct {
	put    *row
	remove rowKey // if put is nil
	rev    int64
}
