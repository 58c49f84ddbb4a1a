// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/handle"
)

// Change is one change of an update of items of type T, made from a handle (total.Add(5)). Only the attributes named by
// changes are written. All changes of one call are applied together or not at all.
//
// A Change is an immutable value; a mistake in it is reported by the call that
// uses it, before anything is sent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
type Change[T any] = ChangeOf[*T]

// ChangeOf is the type behind [Change]: Change[Order] is ChangeOf[*Order].
type ChangeOf[P any] struct{ c *handle.Change }

// AtLeastOnce allows a counting change (Add, Sub, Append, Prepend, and changes of list elements by their index) to be sent
// again if the reply of an attempt was lost, so that it may be applied twice. Without it such a call ends with
// [ErrOutcomeUnknown]. [ChangeOf.Exact] makes the count exact.
func (c ChangeOf[P]) AtLeastOnce() ChangeOf[P] { return ChangeOf[P]{c.c.AtLeastOnce()} }

// Exact makes Update and Upsert send all changes of the call as a transaction of one operation, which DynamoDB recognises if
// it is sent again after a lost reply: a nil error means that the changes were applied exactly once. It costs twice the
// write units and a consistent read. The call returns the item that was read back, which may include later changes of
// others. If it cannot be read, the error matches [ErrReplyLost]. [ReturnOld] is refused. In [Transact] it has no effect.
func (c ChangeOf[P]) Exact() ChangeOf[P] { return ChangeOf[P]{c.c.Exactly()} }

// The functions that follow make the changes of handles. Values are given by their address.

// SetFrom copies the value that another attribute of the item has before the update. The call fails if that attribute is absent.
func SetFrom[T, V any](to, from AttrOf[T, V]) Change[T] {
	return Change[T]{handle.SetFrom(handle.Of(to), handle.Of(from))}
}

// SetIfMissing writes the attribute only if the item lacks it.
func SetIfMissing[T, V any](attr AttrOf[T, V], v V) Change[T] {
	return Change[T]{handle.SetIfMissing(handle.Of(attr), &v)}
}

// Remove removes the attribute, list element or map key from the item:
//
//	users.Update(ctx, "u1", ddb.Remove(userNickname), ddb.Remove(userAvatar))
func Remove[T, V any](attr AttrOf[T, V]) Change[T] { return Change[T]{handle.Remove(handle.Of(attr))} }

// Prepend adds elements at the front of the list. It creates the list if it is absent.
func Prepend[T, E any](list List[T, E], elements ...E) Change[T] {
	return Change[T]{handle.Extend((*handle.Handle)(list), &elements, true)}
}
