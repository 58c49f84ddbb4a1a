package ddb

import "fmt"

// The methods of handles of sets, lists and maps; see handle.go.

// SetHandle is what a [Set] points to.
type SetHandle[P, E any] handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *SetHandle[P, E]) Eq(v []E) CondOf[P] { return CondOf[P]{compare((*handle)(a), "=", &v)} }

// Ne is true where the attribute differs from v, or is absent.
func (a *SetHandle[P, E]) Ne(v []E) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<>", &v)} }

// Has is true where the set has the member.
func (a *SetHandle[P, E]) Has(member E) CondOf[P] { return CondOf[P]{contains((*handle)(a), &member)} }

// In is true where the attribute equals one of the values; DynamoDB takes up to 100.
func (a *SetHandle[P, E]) In(values ...[]E) CondOf[P] {
	return CondOf[P]{inList((*handle)(a), &values)}
}

// Exists is true where the item has the attribute, even with the value NULL.
func (a *SetHandle[P, E]) Exists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_exists")}
}

// NotExists is true where the item lacks the attribute.
func (a *SetHandle[P, E]) NotExists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_not_exists")}
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func (a *SetHandle[P, E]) IsType(t AttributeType) CondOf[P] {
	return CondOf[P]{isType((*handle)(a), t)}
}

// Size is the size of the attribute as a number that conditions can compare: bytes of text
// (UTF-8) and binary, elements of a set, list or map.
func (a *SetHandle[P, E]) Size() SizeOf[P] { return SizeOf[P]{(*handle)(a)} }

// Set writes the attribute. A nil pointer, map or slice is stored as NULL; use
// [AttrHandle.Remove] to drop the attribute.
func (a *SetHandle[P, E]) Set(v []E) ChangeOf[P] { return ChangeOf[P]{set((*handle)(a), &v)} }

// SetIfMissing writes the attribute only where the item lacks it.
func (a *SetHandle[P, E]) SetIfMissing(v []E) ChangeOf[P] {
	return ChangeOf[P]{setIfMissing((*handle)(a), &v)}
}

// Remove drops the attribute, list element or map key from the item.
func (a *SetHandle[P, E]) Remove() ChangeOf[P] { return ChangeOf[P]{remove((*handle)(a))} }

// Insert adds members to the set, making it where it is absent.
func (a *SetHandle[P, E]) Insert(members ...E) ChangeOf[P] {
	return ChangeOf[P]{setMembers((*handle)(a), clauseAdd, &members)}
}

// Delete takes members out of the set. A set that becomes empty is removed.
func (a *SetHandle[P, E]) Delete(members ...E) ChangeOf[P] {
	return ChangeOf[P]{setMembers((*handle)(a), clauseDelete, &members)}
}

// String is item type and attribute, such as shop.Order.status, for people; see [NameOf].
func (a *SetHandle[P, E]) String() string { return (*handle)(a).text() }

// Format prints what String gives, whatever the verb.
func (a *SetHandle[P, E]) Format(s fmt.State, verb rune) { (*handle)(a).print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *SetHandle[P, E]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *SetHandle[P, E]) HandleOf(P, []E) {}

// ListHandle is what a [List] points to.
type ListHandle[P, E any] handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *ListHandle[P, E]) Eq(v []E) CondOf[P] { return CondOf[P]{compare((*handle)(a), "=", &v)} }

// Ne is true where the attribute differs from v, or is absent.
func (a *ListHandle[P, E]) Ne(v []E) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<>", &v)} }

// Has is true where the list has an element equal to the value.
func (a *ListHandle[P, E]) Has(element E) CondOf[P] {
	return CondOf[P]{contains((*handle)(a), &element)}
}

// In is true where the attribute equals one of the values; DynamoDB takes up to 100.
func (a *ListHandle[P, E]) In(values ...[]E) CondOf[P] {
	return CondOf[P]{inList((*handle)(a), &values)}
}

// Exists is true where the item has the attribute, even with the value NULL.
func (a *ListHandle[P, E]) Exists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_exists")}
}

// NotExists is true where the item lacks the attribute.
func (a *ListHandle[P, E]) NotExists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_not_exists")}
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func (a *ListHandle[P, E]) IsType(t AttributeType) CondOf[P] {
	return CondOf[P]{isType((*handle)(a), t)}
}

// Size is the size of the attribute as a number that conditions can compare: bytes of text
// (UTF-8) and binary, elements of a set, list or map.
func (a *ListHandle[P, E]) Size() SizeOf[P] { return SizeOf[P]{(*handle)(a)} }

// Set writes the attribute. A nil pointer, map or slice is stored as NULL; use
// [AttrHandle.Remove] to drop the attribute.
func (a *ListHandle[P, E]) Set(v []E) ChangeOf[P] { return ChangeOf[P]{set((*handle)(a), &v)} }

// SetIfMissing writes the attribute only where the item lacks it.
func (a *ListHandle[P, E]) SetIfMissing(v []E) ChangeOf[P] {
	return ChangeOf[P]{setIfMissing((*handle)(a), &v)}
}

// Remove drops the attribute, list element or map key from the item.
func (a *ListHandle[P, E]) Remove() ChangeOf[P] { return ChangeOf[P]{remove((*handle)(a))} }

// Append adds elements at the end of the list, making it where it is absent.
func (a *ListHandle[P, E]) Append(elements ...E) ChangeOf[P] {
	return ChangeOf[P]{extend((*handle)(a), &elements, false)}
}

// Prepend adds elements before the first of the list, making it where it is absent.
func (a *ListHandle[P, E]) Prepend(elements ...E) ChangeOf[P] {
	return ChangeOf[P]{extend((*handle)(a), &elements, true)}
}

// At is the handle of the list element at index i, counted from 0.
func (a *ListHandle[P, E]) At(i int) *AttrHandle[P, E] {
	return (*AttrHandle[P, E])((*handle)(a).at(i))
}

// String is item type and attribute, such as shop.Order.status, for people; see [NameOf].
func (a *ListHandle[P, E]) String() string { return (*handle)(a).text() }

// Format prints what String gives, whatever the verb.
func (a *ListHandle[P, E]) Format(s fmt.State, verb rune) { (*handle)(a).print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *ListHandle[P, E]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *ListHandle[P, E]) HandleOf(P, []E) {}

// MapHandle is what a [Map] points to.
type MapHandle[P any, K ~string, V any] handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *MapHandle[P, K, V]) Eq(v map[K]V) CondOf[P] {
	return CondOf[P]{compare((*handle)(a), "=", &v)}
}

// Ne is true where the attribute differs from v, or is absent.
func (a *MapHandle[P, K, V]) Ne(v map[K]V) CondOf[P] {
	return CondOf[P]{compare((*handle)(a), "<>", &v)}
}

// In is true where the attribute equals one of the values; DynamoDB takes up to 100.
func (a *MapHandle[P, K, V]) In(values ...map[K]V) CondOf[P] {
	return CondOf[P]{inList((*handle)(a), &values)}
}

// Exists is true where the item has the attribute, even with the value NULL.
func (a *MapHandle[P, K, V]) Exists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_exists")}
}

// NotExists is true where the item lacks the attribute.
func (a *MapHandle[P, K, V]) NotExists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_not_exists")}
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func (a *MapHandle[P, K, V]) IsType(t AttributeType) CondOf[P] {
	return CondOf[P]{isType((*handle)(a), t)}
}

// Size is the size of the attribute as a number that conditions can compare: bytes of text
// (UTF-8) and binary, elements of a set, list or map.
func (a *MapHandle[P, K, V]) Size() SizeOf[P] { return SizeOf[P]{(*handle)(a)} }

// Set writes the attribute. A nil pointer, map or slice is stored as NULL; use
// [AttrHandle.Remove] to drop the attribute.
func (a *MapHandle[P, K, V]) Set(v map[K]V) ChangeOf[P] { return ChangeOf[P]{set((*handle)(a), &v)} }

// SetIfMissing writes the attribute only where the item lacks it.
func (a *MapHandle[P, K, V]) SetIfMissing(v map[K]V) ChangeOf[P] {
	return ChangeOf[P]{setIfMissing((*handle)(a), &v)}
}

// Remove drops the attribute, list element or map key from the item.
func (a *MapHandle[P, K, V]) Remove() ChangeOf[P] { return ChangeOf[P]{remove((*handle)(a))} }

// Key is the handle of the value under a key of the map.
func (a *MapHandle[P, K, V]) Key(k K) *AttrHandle[P, V] {
	return (*AttrHandle[P, V])((*handle)(a).key(string(k)))
}

// String is item type and attribute, such as shop.Order.status, for people; see [NameOf].
func (a *MapHandle[P, K, V]) String() string { return (*handle)(a).text() }

// Format prints what String gives, whatever the verb.
func (a *MapHandle[P, K, V]) Format(s fmt.State, verb rune) { (*handle)(a).print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *MapHandle[P, K, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *MapHandle[P, K, V]) HandleOf(P, map[K]V) {}
