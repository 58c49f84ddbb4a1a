// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
)

// Derive maintains an attribute that is computed from other attributes, its members; for example the key of an index. The
// table sets it with every write, so it cannot become stale. If from returns false the item does not get the attribute, and
// so is not in the index:
//
//		// Only open orders are in the index, by the time they were placed.
//		ddb.Derive(orderOpenSince, func(o *Order) (string, bool) {
//			return o.PlacedAt.UTC().Format(time.RFC3339), o.Status == "open"
//		}, orderStatus, orderPlacedAt)
//
//	  - Put, Create, Replace and their forms in transactions and batches compute the
//	    attribute and replace what the caller's item has there. The item gets the value
//	    after success only; the list given to a batch never does.
//	  - Update and Upsert that change a member must give all members, each by Set or Remove, or
//	    prove its value by a condition, such as ddb.If(orderPlacedAt.Eq(placed)); members in the primary key
//	    are known. Then the attribute is set or removed with them. A member that is set to the value that a
//	    condition proves does not count as changed. Otherwise the call is refused and names all that are missing, for their
//	    values are not known, together with those that setting them would ask for. So is an Upsert without them that could make an item to which the attribute belongs.
//	  - An update of the attribute itself is refused.
//
// from must be a function of its members alone, as they are stored, and must take any of
// them to be absent. That is checked on each put: a result that changes when only the
// members are there is refused. It must not change its argument and may be called by
// several goroutines at once.
//
// The attribute is a top-level field with omitempty or omitzero, which drops it where it
// is not wanted. So a zero value with true is refused; use a pointer field where zero is
// meant. Members can be nested (address.city), but not list elements, other derived
// attributes, or what the table keeps by itself ([Version], [Updated] and such).
//
// Items that were stored before, or by other writers, get the attribute at their next put.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-general-sparse-indexes.html
func Derive[T, V any](attr AttrOf[T, V], from func(item *T) (value V, ok bool), members ...AnyAttr) TableOption {
	if from == nil {
		return core.DeriveOption(handle.Of(attr), handlesOf(members), nil)
	}
	return core.DeriveOption(handle.Of(attr), handlesOf(members), func(item any) (any, bool) {
		v, ok := from(item.(*T)) //nolint:forcetypeassert // an item of the table
		return &v, ok
	})
}
