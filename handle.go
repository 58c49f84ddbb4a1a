// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"fmt"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

// The methods of handles. Each is one line that calls a function without type parameters, since every package that uses a
// handle compiles all of its methods. P is a pointer to the item type, so that handles with values of the same kind share
// their code whatever the item type. Receivers may be nil, which is the zero handle; the called functions report it as an
// error.

// AttrHandle is the type that an [Attr] points to.
type AttrHandle[P, V any] handle.Handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *AttrHandle[P, V]) Eq(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "=", boxed(v))))
}

// Ne is true where the attribute differs from v, or is absent.
func (a *AttrHandle[P, V]) Ne(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<>", boxed(v))))
}

// Set writes the attribute. A nil pointer is stored as NULL, a nil map or list as an empty one; use [Remove] to drop the
// attribute.
func (a *AttrHandle[P, V]) Set(v V) ChangeOf[P] {
	return ChangeOf[P]{handle.Set((*handle.Handle)(a), boxed(v))}
}

// Format prints the result of String for every verb.
func (a *AttrHandle[P, V]) Format(s fmt.State, verb rune) { (*handle.Handle)(a).Print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *AttrHandle[P, V]) Handle() *handle.Handle { return (*handle.Handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *AttrHandle[P, V]) HandleOf(P, V) {}

// OrdHandle is the type that an [Ord] points to.
type OrdHandle[P, V any] handle.Handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *OrdHandle[P, V]) Eq(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "=", boxed(v))))
}

// Ne is true where the attribute differs from v, or is absent.
func (a *OrdHandle[P, V]) Ne(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<>", boxed(v))))
}

// Lt is true where the attribute is less than v.
func (a *OrdHandle[P, V]) Lt(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<", boxed(v))))
}

// Le is true where the attribute is at most v.
func (a *OrdHandle[P, V]) Le(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<=", boxed(v))))
}

// Gt is true where the attribute is greater than v.
func (a *OrdHandle[P, V]) Gt(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), ">", boxed(v))))
}

// Ge is true where the attribute is at least v.
func (a *OrdHandle[P, V]) Ge(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), ">=", boxed(v))))
}

// Between is true where low <= attribute <= high. A call with low above high is refused.
func (a *OrdHandle[P, V]) Between(low, high V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Between((*handle.Handle)(a), &low, &high)))
}

// Set writes the attribute. A nil pointer is stored as NULL, a nil map or list as an empty one; use [Remove] to drop the
// attribute.
func (a *OrdHandle[P, V]) Set(v V) ChangeOf[P] {
	return ChangeOf[P]{handle.Set((*handle.Handle)(a), boxed(v))}
}

// Format prints the result of String for every verb.
func (a *OrdHandle[P, V]) Format(s fmt.State, verb rune) { (*handle.Handle)(a).Print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *OrdHandle[P, V]) Handle() *handle.Handle { return (*handle.Handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *OrdHandle[P, V]) HandleOf(P, V) {}

// NumHandle is the type that a [Num] points to.
type NumHandle[P, V any] handle.Handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *NumHandle[P, V]) Eq(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "=", boxed(v))))
}

// Ne is true where the attribute differs from v, or is absent.
func (a *NumHandle[P, V]) Ne(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<>", boxed(v))))
}

// Lt is true where the attribute is less than v.
func (a *NumHandle[P, V]) Lt(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<", boxed(v))))
}

// Le is true where the attribute is at most v.
func (a *NumHandle[P, V]) Le(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<=", boxed(v))))
}

// Gt is true where the attribute is greater than v.
func (a *NumHandle[P, V]) Gt(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), ">", boxed(v))))
}

// Ge is true where the attribute is at least v.
func (a *NumHandle[P, V]) Ge(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), ">=", boxed(v))))
}

// Between is true where low <= attribute <= high. A call with low above high is refused.
func (a *NumHandle[P, V]) Between(low, high V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Between((*handle.Handle)(a), &low, &high)))
}

// Set writes the attribute. A nil pointer is stored as NULL, a nil map or list as an empty one; use [Remove] to drop the
// attribute.
func (a *NumHandle[P, V]) Set(v V) ChangeOf[P] {
	return ChangeOf[P]{handle.Set((*handle.Handle)(a), boxed(v))}
}

// Add adds n to the number, counting an absent attribute as zero: an atomic counter. See
// [Table.Update] for what happens when a reply is lost.
func (a *NumHandle[P, V]) Add(n V) ChangeOf[P] {
	return ChangeOf[P]{handle.Shift((*handle.Handle)(a), "+", boxed(n))}
}

// Sub subtracts n from the number, counting an absent attribute as zero.
func (a *NumHandle[P, V]) Sub(n V) ChangeOf[P] {
	return ChangeOf[P]{handle.Shift((*handle.Handle)(a), "-", boxed(n))}
}

// Format prints the result of String for every verb.
func (a *NumHandle[P, V]) Format(s fmt.State, verb rune) { (*handle.Handle)(a).Print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *NumHandle[P, V]) Handle() *handle.Handle { return (*handle.Handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *NumHandle[P, V]) HandleOf(P, V) {}

// StrHandle is the type that a [Str] points to.
type StrHandle[P, V any] handle.Handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *StrHandle[P, V]) Eq(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "=", boxed(v))))
}

// Ne is true where the attribute differs from v, or is absent.
func (a *StrHandle[P, V]) Ne(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<>", boxed(v))))
}

// Lt is true where the attribute is less than v.
func (a *StrHandle[P, V]) Lt(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<", boxed(v))))
}

// Le is true where the attribute is at most v.
func (a *StrHandle[P, V]) Le(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<=", boxed(v))))
}

// Gt is true where the attribute is greater than v.
func (a *StrHandle[P, V]) Gt(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), ">", boxed(v))))
}

// Ge is true where the attribute is at least v.
func (a *StrHandle[P, V]) Ge(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), ">=", boxed(v))))
}

// Between is true where low <= attribute <= high. A call with low above high is refused.
func (a *StrHandle[P, V]) Between(low, high V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Between((*handle.Handle)(a), &low, &high)))
}

// BeginsWith is true where the text begins with the prefix.
func (a *StrHandle[P, V]) BeginsWith(prefix V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Function((*handle.Handle)(a), "begins_with", boxed(prefix))))
}

// Contains is true where the text contains the other text.
func (a *StrHandle[P, V]) Contains(part V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Function((*handle.Handle)(a), "contains", boxed(part))))
}

// Set writes the attribute. A nil pointer is stored as NULL, a nil map or list as an empty one; use [Remove] to drop the
// attribute.
func (a *StrHandle[P, V]) Set(v V) ChangeOf[P] {
	return ChangeOf[P]{handle.Set((*handle.Handle)(a), boxed(v))}
}

// Format prints the result of String for every verb.
func (a *StrHandle[P, V]) Format(s fmt.State, verb rune) { (*handle.Handle)(a).Print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *StrHandle[P, V]) Handle() *handle.Handle { return (*handle.Handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *StrHandle[P, V]) HandleOf(P, V) {}

// BinHandle is the type that a [Bin] points to.
type BinHandle[P, V any] handle.Handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *BinHandle[P, V]) Eq(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "=", boxed(v))))
}

// Ne is true where the attribute differs from v, or is absent.
func (a *BinHandle[P, V]) Ne(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<>", boxed(v))))
}

// Lt is true where the attribute is less than v.
func (a *BinHandle[P, V]) Lt(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<", boxed(v))))
}

// Le is true where the attribute is at most v.
func (a *BinHandle[P, V]) Le(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<=", boxed(v))))
}

// Gt is true where the attribute is greater than v.
func (a *BinHandle[P, V]) Gt(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), ">", boxed(v))))
}

// Ge is true where the attribute is at least v.
func (a *BinHandle[P, V]) Ge(v V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), ">=", boxed(v))))
}

// Between is true where low <= attribute <= high. A call with low above high is refused.
func (a *BinHandle[P, V]) Between(low, high V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Between((*handle.Handle)(a), &low, &high)))
}

// BeginsWith is true where the bytes begin with the prefix.
func (a *BinHandle[P, V]) BeginsWith(prefix V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Function((*handle.Handle)(a), "begins_with", boxed(prefix))))
}

// Contains is true where the bytes contain the other bytes.
func (a *BinHandle[P, V]) Contains(part V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Function((*handle.Handle)(a), "contains", boxed(part))))
}

// Set writes the attribute. A nil pointer is stored as NULL, a nil map or list as an empty one; use [Remove] to drop the
// attribute.
func (a *BinHandle[P, V]) Set(v V) ChangeOf[P] {
	return ChangeOf[P]{handle.Set((*handle.Handle)(a), boxed(v))}
}

// Format prints the result of String for every verb.
func (a *BinHandle[P, V]) Format(s fmt.State, verb rune) { (*handle.Handle)(a).Print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *BinHandle[P, V]) Handle() *handle.Handle { return (*handle.Handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *BinHandle[P, V]) HandleOf(P, V) {}

// SetHandle is the type that a [Set] points to.
type SetHandle[P, E any] handle.Handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *SetHandle[P, E]) Eq(v []E) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "=", boxed(v))))
}

// Ne is true where the attribute differs from v, or is absent.
func (a *SetHandle[P, E]) Ne(v []E) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<>", boxed(v))))
}

// Has is true where the set has the member.
func (a *SetHandle[P, E]) Has(member E) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Contains((*handle.Handle)(a), boxed(member))))
}

// Set writes the attribute. A nil pointer is stored as NULL, a nil map or list as an empty one; use [Remove] to drop the
// attribute.
func (a *SetHandle[P, E]) Set(v []E) ChangeOf[P] {
	return ChangeOf[P]{handle.Set((*handle.Handle)(a), boxed(v))}
}

// Insert adds members to the set. It creates the set if it is absent.
func (a *SetHandle[P, E]) Insert(members ...E) ChangeOf[P] {
	return ChangeOf[P]{handle.SetMembers((*handle.Handle)(a), expr.ClauseAdd, boxed(members))}
}

// Delete removes members from the set. A set that becomes empty is removed.
func (a *SetHandle[P, E]) Delete(members ...E) ChangeOf[P] {
	return ChangeOf[P]{handle.SetMembers((*handle.Handle)(a), expr.ClauseDelete, boxed(members))}
}

// Format prints the result of String for every verb.
func (a *SetHandle[P, E]) Format(s fmt.State, verb rune) { (*handle.Handle)(a).Print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *SetHandle[P, E]) Handle() *handle.Handle { return (*handle.Handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *SetHandle[P, E]) HandleOf(P, []E) {}

// ListHandle is the type that a [List] points to.
type ListHandle[P, E any] handle.Handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *ListHandle[P, E]) Eq(v []E) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "=", boxed(v))))
}

// Ne is true where the attribute differs from v, or is absent.
func (a *ListHandle[P, E]) Ne(v []E) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<>", boxed(v))))
}

// Has is true where the list has an element equal to the value.
func (a *ListHandle[P, E]) Has(element E) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Contains((*handle.Handle)(a), boxed(element))))
}

// Set writes the attribute. A nil pointer is stored as NULL, a nil map or list as an empty one; use [Remove] to drop the
// attribute.
func (a *ListHandle[P, E]) Set(v []E) ChangeOf[P] {
	return ChangeOf[P]{handle.Set((*handle.Handle)(a), boxed(v))}
}

// Append adds elements at the end of the list. It creates the list if it is absent.
func (a *ListHandle[P, E]) Append(elements ...E) ChangeOf[P] {
	return ChangeOf[P]{handle.Extend((*handle.Handle)(a), boxed(elements), false)}
}

// At returns the handle of the list element at index i, counted from 0.
func (a *ListHandle[P, E]) At(i int) *AttrHandle[P, E] {
	return (*AttrHandle[P, E])((*handle.Handle)(a).At(i))
}

// Format prints the result of String for every verb.
func (a *ListHandle[P, E]) Format(s fmt.State, verb rune) { (*handle.Handle)(a).Print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *ListHandle[P, E]) Handle() *handle.Handle { return (*handle.Handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *ListHandle[P, E]) HandleOf(P, []E) {}

// MapHandle is the type that a [Map] points to.
type MapHandle[P any, K ~string, V any] handle.Handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *MapHandle[P, K, V]) Eq(v map[K]V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "=", boxed(v))))
}

// Ne is true where the attribute differs from v, or is absent.
func (a *MapHandle[P, K, V]) Ne(v map[K]V) CondOf[P] {
	return CondOf[P](handle.CondOf(handle.Compare((*handle.Handle)(a), "<>", boxed(v))))
}

// Set writes the attribute. A nil pointer is stored as NULL, a nil map or list as an empty one; use [Remove] to drop the
// attribute.
func (a *MapHandle[P, K, V]) Set(v map[K]V) ChangeOf[P] {
	return ChangeOf[P]{handle.Set((*handle.Handle)(a), boxed(v))}
}

// Key returns the handle of the value of a key of the map.
func (a *MapHandle[P, K, V]) Key(k K) *AttrHandle[P, V] {
	return (*AttrHandle[P, V])((*handle.Handle)(a).Key(string(k)))
}

// Format prints the result of String for every verb.
func (a *MapHandle[P, K, V]) Format(s fmt.State, verb rune) { (*handle.Handle)(a).Print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *MapHandle[P, K, V]) Handle() *handle.Handle { return (*handle.Handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *MapHandle[P, K, V]) HandleOf(P, map[K]V) {}
