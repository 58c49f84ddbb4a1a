// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
)

// Hydrate reads the whole items from the table, by the keys found in the index, in batches of up to 100. The items are in
// the order of the index.
//
// The index is updated after the table, so an item may be gone, which [Page.Missing] counts, or may no longer match the key
// condition or the filter. The limit counts entries of the index, so missing items make a page shorter than its limit.
// Project can then select any attributes; the filter still sees only those that the index holds.
//
// It costs as much as the query on the index, of which only the keys are transferred, and a Get of each item.
func (q *IndexQuery[T, SK]) Hydrate() *IndexQuery[T, SK] {
	return (*IndexQuery[T, SK])((*core.ReadRef)(q).Hydrated())
}

// Hydrate reads the whole items from the table; see [IndexQuery.Hydrate].
func (s *IndexScan[T]) Hydrate() *IndexScan[T] {
	return (*IndexScan[T])((*core.ReadRef)(s).Hydrated())
}

// Hydrate reads whole items by a query of a [LocalIndex], whatever the index holds. DynamoDB reads them from the table
// within the same request, so none is missing and [Query.Consistent] applies to all of it. [Query.Project] can then select
// any attributes.
//
// It costs as much as the query on the index, and a Get of each item that it evaluates, before the filter. A query of a
// table reads whole items anyway, and refuses Hydrate.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.Querying
func (q *Query[T, SK]) Hydrate() *Query[T, SK] {
	return (*Query[T, SK])((*core.ReadRef)(q).Hydrated())
}

// Hydrate reads whole items by a scan of a [LocalIndex]; see [Query.Hydrate].
func (s *Scan[T]) Hydrate() *Scan[T] {
	return (*Scan[T])((*core.ReadRef)(s).Hydrated())
}
