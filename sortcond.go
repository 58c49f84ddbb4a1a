// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/handle"
)

// SortCond is a condition on the sort key in a query. It names no attribute, so it cannot name the wrong one; its type is
// that of the sort key. The methods of handles, such as BeginsWith, are for filters and [If] instead. Make it with [Eq],
// [Lt], [Le], [Gt], [Ge], [Between] or [BeginsWith]; the zero SortCond is refused.
//
// On a key of several attributes (multikey.Key) the condition is on the last of them, and the earlier ones must be equal, as
// DynamoDB requires; multikey.FirstOne, multikey.FirstTwo and multikey.FirstThree leave later ones open.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
type SortCond[SK any] handle.SortCond

// Eq selects the items whose sort key equals v.
func Eq[SK any](v SK) SortCond[SK] { return SortCond[SK](handle.NewSortCond("=", &v, nil)) }

// Lt selects the items whose sort key is less than v.
func Lt[SK any](v SK) SortCond[SK] { return SortCond[SK](handle.NewSortCond("<", &v, nil)) }

// Le selects the items whose sort key is at most v.
func Le[SK any](v SK) SortCond[SK] { return SortCond[SK](handle.NewSortCond("<=", &v, nil)) }

// Gt selects the items whose sort key is greater than v.
func Gt[SK any](v SK) SortCond[SK] { return SortCond[SK](handle.NewSortCond(">", &v, nil)) }

// Ge selects the items whose sort key is at least v.
func Ge[SK any](v SK) SortCond[SK] { return SortCond[SK](handle.NewSortCond(">=", &v, nil)) }

// Between selects the items with low <= sort key <= high. A query with low above high is refused.
func Between[SK any](low, high SK) SortCond[SK] {
	return SortCond[SK](handle.NewSortCond("BETWEEN", &low, &high))
}

// BeginsWith selects the items whose sort key begins with the prefix. It is for
// keys of text and bytes only; on a number it does not compile.
//
//	orders.Query("c1").SortKey(ddb.BeginsWith(OrderID("2026-")))
func BeginsWith[SK ~string | ~[]byte](prefix SK) SortCond[SK] {
	return SortCond[SK](handle.NewSortCond("begins_with", &prefix, nil))
}

// BeginsWithText is [BeginsWith] for sort keys of other Go types that are stored
// as text, such as a type with MarshalText or a time. The prefix is of the stored text.
func BeginsWithText[SK any](prefix string) SortCond[SK] {
	return SortCond[SK](handle.BeginsWithText(prefix))
}
