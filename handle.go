package ddb

import "fmt"

// The methods of handles. Each is one line over functions without type parameters, since every
// package that names a handle compiles all of its methods. P is a pointer to the item type: the
// code of all handles with values of one kind is the same then, whatever the items.
// Receivers may be nil, which is the zero handle: the functions below take it as an error.

// AttrHandle is what an [Attr] points to.
type AttrHandle[P, V any] handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *AttrHandle[P, V]) Eq(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "=", &v)} }

// Ne is true where the attribute differs from v, or is absent.
func (a *AttrHandle[P, V]) Ne(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<>", &v)} }

// In is true where the attribute equals one of the values; DynamoDB takes up to 100.
func (a *AttrHandle[P, V]) In(values ...V) CondOf[P] { return CondOf[P]{inList((*handle)(a), &values)} }

// Exists is true where the item has the attribute, even with the value NULL.
func (a *AttrHandle[P, V]) Exists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_exists")}
}

// NotExists is true where the item lacks the attribute.
func (a *AttrHandle[P, V]) NotExists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_not_exists")}
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func (a *AttrHandle[P, V]) IsType(t AttributeType) CondOf[P] {
	return CondOf[P]{isType((*handle)(a), t)}
}

// Size is the size of the attribute as a number that conditions can compare: bytes of text
// (UTF-8) and binary, elements of a set, list or map.
func (a *AttrHandle[P, V]) Size() SizeOf[P] { return SizeOf[P]{(*handle)(a)} }

// Set writes the attribute. A nil pointer, map or slice is stored as NULL; use
// [AttrHandle.Remove] to drop the attribute.
func (a *AttrHandle[P, V]) Set(v V) ChangeOf[P] { return ChangeOf[P]{set((*handle)(a), &v)} }

// SetIfMissing writes the attribute only where the item lacks it.
func (a *AttrHandle[P, V]) SetIfMissing(v V) ChangeOf[P] {
	return ChangeOf[P]{setIfMissing((*handle)(a), &v)}
}

// Remove drops the attribute, list element or map key from the item.
func (a *AttrHandle[P, V]) Remove() ChangeOf[P] { return ChangeOf[P]{remove((*handle)(a))} }

// String is item type and attribute, such as shop.Order.status, for people; see [NameOf].
func (a *AttrHandle[P, V]) String() string { return (*handle)(a).text() }

// Format prints what String gives, whatever the verb.
func (a *AttrHandle[P, V]) Format(s fmt.State, verb rune) { (*handle)(a).print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *AttrHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *AttrHandle[P, V]) HandleOf(P, V) {}

// OrdHandle is what an [Ord] points to.
type OrdHandle[P, V any] handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *OrdHandle[P, V]) Eq(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "=", &v)} }

// Ne is true where the attribute differs from v, or is absent.
func (a *OrdHandle[P, V]) Ne(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<>", &v)} }

// Lt is true where the attribute is less than v.
func (a *OrdHandle[P, V]) Lt(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<", &v)} }

// Le is true where the attribute is at most v.
func (a *OrdHandle[P, V]) Le(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<=", &v)} }

// Gt is true where the attribute is greater than v.
func (a *OrdHandle[P, V]) Gt(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), ">", &v)} }

// Ge is true where the attribute is at least v.
func (a *OrdHandle[P, V]) Ge(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), ">=", &v)} }

// Between is true where low <= attribute <= high. A call with low above high is refused.
func (a *OrdHandle[P, V]) Between(low, high V) CondOf[P] {
	return CondOf[P]{between((*handle)(a), &low, &high)}
}

// In is true where the attribute equals one of the values; DynamoDB takes up to 100.
func (a *OrdHandle[P, V]) In(values ...V) CondOf[P] { return CondOf[P]{inList((*handle)(a), &values)} }

// Exists is true where the item has the attribute, even with the value NULL.
func (a *OrdHandle[P, V]) Exists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_exists")}
}

// NotExists is true where the item lacks the attribute.
func (a *OrdHandle[P, V]) NotExists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_not_exists")}
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func (a *OrdHandle[P, V]) IsType(t AttributeType) CondOf[P] {
	return CondOf[P]{isType((*handle)(a), t)}
}

// Size is the size of the attribute as a number that conditions can compare: bytes of text
// (UTF-8) and binary, elements of a set, list or map.
func (a *OrdHandle[P, V]) Size() SizeOf[P] { return SizeOf[P]{(*handle)(a)} }

// Set writes the attribute. A nil pointer, map or slice is stored as NULL; use
// [AttrHandle.Remove] to drop the attribute.
func (a *OrdHandle[P, V]) Set(v V) ChangeOf[P] { return ChangeOf[P]{set((*handle)(a), &v)} }

// SetIfMissing writes the attribute only where the item lacks it.
func (a *OrdHandle[P, V]) SetIfMissing(v V) ChangeOf[P] {
	return ChangeOf[P]{setIfMissing((*handle)(a), &v)}
}

// Remove drops the attribute, list element or map key from the item.
func (a *OrdHandle[P, V]) Remove() ChangeOf[P] { return ChangeOf[P]{remove((*handle)(a))} }

// String is item type and attribute, such as shop.Order.status, for people; see [NameOf].
func (a *OrdHandle[P, V]) String() string { return (*handle)(a).text() }

// Format prints what String gives, whatever the verb.
func (a *OrdHandle[P, V]) Format(s fmt.State, verb rune) { (*handle)(a).print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *OrdHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *OrdHandle[P, V]) HandleOf(P, V) {}

// NumHandle is what a [Num] points to.
type NumHandle[P, V any] handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *NumHandle[P, V]) Eq(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "=", &v)} }

// Ne is true where the attribute differs from v, or is absent.
func (a *NumHandle[P, V]) Ne(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<>", &v)} }

// Lt is true where the attribute is less than v.
func (a *NumHandle[P, V]) Lt(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<", &v)} }

// Le is true where the attribute is at most v.
func (a *NumHandle[P, V]) Le(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<=", &v)} }

// Gt is true where the attribute is greater than v.
func (a *NumHandle[P, V]) Gt(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), ">", &v)} }

// Ge is true where the attribute is at least v.
func (a *NumHandle[P, V]) Ge(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), ">=", &v)} }

// Between is true where low <= attribute <= high. A call with low above high is refused.
func (a *NumHandle[P, V]) Between(low, high V) CondOf[P] {
	return CondOf[P]{between((*handle)(a), &low, &high)}
}

// In is true where the attribute equals one of the values; DynamoDB takes up to 100.
func (a *NumHandle[P, V]) In(values ...V) CondOf[P] { return CondOf[P]{inList((*handle)(a), &values)} }

// Exists is true where the item has the attribute, even with the value NULL.
func (a *NumHandle[P, V]) Exists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_exists")}
}

// NotExists is true where the item lacks the attribute.
func (a *NumHandle[P, V]) NotExists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_not_exists")}
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func (a *NumHandle[P, V]) IsType(t AttributeType) CondOf[P] {
	return CondOf[P]{isType((*handle)(a), t)}
}

// Size is the size of the attribute as a number that conditions can compare: bytes of text
// (UTF-8) and binary, elements of a set, list or map.
func (a *NumHandle[P, V]) Size() SizeOf[P] { return SizeOf[P]{(*handle)(a)} }

// Set writes the attribute. A nil pointer, map or slice is stored as NULL; use
// [AttrHandle.Remove] to drop the attribute.
func (a *NumHandle[P, V]) Set(v V) ChangeOf[P] { return ChangeOf[P]{set((*handle)(a), &v)} }

// SetIfMissing writes the attribute only where the item lacks it.
func (a *NumHandle[P, V]) SetIfMissing(v V) ChangeOf[P] {
	return ChangeOf[P]{setIfMissing((*handle)(a), &v)}
}

// Remove drops the attribute, list element or map key from the item.
func (a *NumHandle[P, V]) Remove() ChangeOf[P] { return ChangeOf[P]{remove((*handle)(a))} }

// Add adds n to the number, counting an absent attribute as zero: an atomic counter. See
// [Table.Update] for what happens when a reply is lost.
func (a *NumHandle[P, V]) Add(n V) ChangeOf[P] { return ChangeOf[P]{shift((*handle)(a), "+", &n)} }

// Sub subtracts n from the number, counting an absent attribute as zero.
func (a *NumHandle[P, V]) Sub(n V) ChangeOf[P] { return ChangeOf[P]{shift((*handle)(a), "-", &n)} }

// String is item type and attribute, such as shop.Order.status, for people; see [NameOf].
func (a *NumHandle[P, V]) String() string { return (*handle)(a).text() }

// Format prints what String gives, whatever the verb.
func (a *NumHandle[P, V]) Format(s fmt.State, verb rune) { (*handle)(a).print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *NumHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *NumHandle[P, V]) HandleOf(P, V) {}

// StrHandle is what a [Str] points to.
type StrHandle[P, V any] handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *StrHandle[P, V]) Eq(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "=", &v)} }

// Ne is true where the attribute differs from v, or is absent.
func (a *StrHandle[P, V]) Ne(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<>", &v)} }

// Lt is true where the attribute is less than v.
func (a *StrHandle[P, V]) Lt(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<", &v)} }

// Le is true where the attribute is at most v.
func (a *StrHandle[P, V]) Le(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<=", &v)} }

// Gt is true where the attribute is greater than v.
func (a *StrHandle[P, V]) Gt(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), ">", &v)} }

// Ge is true where the attribute is at least v.
func (a *StrHandle[P, V]) Ge(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), ">=", &v)} }

// Between is true where low <= attribute <= high. A call with low above high is refused.
func (a *StrHandle[P, V]) Between(low, high V) CondOf[P] {
	return CondOf[P]{between((*handle)(a), &low, &high)}
}

// BeginsWith is true where the text begins with the prefix.
func (a *StrHandle[P, V]) BeginsWith(prefix V) CondOf[P] {
	return CondOf[P]{function((*handle)(a), "begins_with", &prefix)}
}

// Contains is true where the text contains the other text.
func (a *StrHandle[P, V]) Contains(part V) CondOf[P] {
	return CondOf[P]{function((*handle)(a), "contains", &part)}
}

// In is true where the attribute equals one of the values; DynamoDB takes up to 100.
func (a *StrHandle[P, V]) In(values ...V) CondOf[P] { return CondOf[P]{inList((*handle)(a), &values)} }

// Exists is true where the item has the attribute, even with the value NULL.
func (a *StrHandle[P, V]) Exists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_exists")}
}

// NotExists is true where the item lacks the attribute.
func (a *StrHandle[P, V]) NotExists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_not_exists")}
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func (a *StrHandle[P, V]) IsType(t AttributeType) CondOf[P] {
	return CondOf[P]{isType((*handle)(a), t)}
}

// Size is the size of the attribute as a number that conditions can compare: bytes of text
// (UTF-8) and binary, elements of a set, list or map.
func (a *StrHandle[P, V]) Size() SizeOf[P] { return SizeOf[P]{(*handle)(a)} }

// Set writes the attribute. A nil pointer, map or slice is stored as NULL; use
// [AttrHandle.Remove] to drop the attribute.
func (a *StrHandle[P, V]) Set(v V) ChangeOf[P] { return ChangeOf[P]{set((*handle)(a), &v)} }

// SetIfMissing writes the attribute only where the item lacks it.
func (a *StrHandle[P, V]) SetIfMissing(v V) ChangeOf[P] {
	return ChangeOf[P]{setIfMissing((*handle)(a), &v)}
}

// Remove drops the attribute, list element or map key from the item.
func (a *StrHandle[P, V]) Remove() ChangeOf[P] { return ChangeOf[P]{remove((*handle)(a))} }

// String is item type and attribute, such as shop.Order.status, for people; see [NameOf].
func (a *StrHandle[P, V]) String() string { return (*handle)(a).text() }

// Format prints what String gives, whatever the verb.
func (a *StrHandle[P, V]) Format(s fmt.State, verb rune) { (*handle)(a).print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *StrHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *StrHandle[P, V]) HandleOf(P, V) {}

// BinHandle is what a [Bin] points to.
type BinHandle[P, V any] handle

// Eq is true where the attribute equals v. An absent attribute equals nothing.
func (a *BinHandle[P, V]) Eq(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "=", &v)} }

// Ne is true where the attribute differs from v, or is absent.
func (a *BinHandle[P, V]) Ne(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<>", &v)} }

// Lt is true where the attribute is less than v.
func (a *BinHandle[P, V]) Lt(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<", &v)} }

// Le is true where the attribute is at most v.
func (a *BinHandle[P, V]) Le(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), "<=", &v)} }

// Gt is true where the attribute is greater than v.
func (a *BinHandle[P, V]) Gt(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), ">", &v)} }

// Ge is true where the attribute is at least v.
func (a *BinHandle[P, V]) Ge(v V) CondOf[P] { return CondOf[P]{compare((*handle)(a), ">=", &v)} }

// Between is true where low <= attribute <= high. A call with low above high is refused.
func (a *BinHandle[P, V]) Between(low, high V) CondOf[P] {
	return CondOf[P]{between((*handle)(a), &low, &high)}
}

// BeginsWith is true where the bytes begin with the prefix.
func (a *BinHandle[P, V]) BeginsWith(prefix V) CondOf[P] {
	return CondOf[P]{function((*handle)(a), "begins_with", &prefix)}
}

// Contains is true where the bytes contain the other bytes.
func (a *BinHandle[P, V]) Contains(part V) CondOf[P] {
	return CondOf[P]{function((*handle)(a), "contains", &part)}
}

// In is true where the attribute equals one of the values; DynamoDB takes up to 100.
func (a *BinHandle[P, V]) In(values ...V) CondOf[P] { return CondOf[P]{inList((*handle)(a), &values)} }

// Exists is true where the item has the attribute, even with the value NULL.
func (a *BinHandle[P, V]) Exists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_exists")}
}

// NotExists is true where the item lacks the attribute.
func (a *BinHandle[P, V]) NotExists() CondOf[P] {
	return CondOf[P]{call((*handle)(a), "attribute_not_exists")}
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func (a *BinHandle[P, V]) IsType(t AttributeType) CondOf[P] {
	return CondOf[P]{isType((*handle)(a), t)}
}

// Size is the size of the attribute as a number that conditions can compare: bytes of text
// (UTF-8) and binary, elements of a set, list or map.
func (a *BinHandle[P, V]) Size() SizeOf[P] { return SizeOf[P]{(*handle)(a)} }

// Set writes the attribute. A nil pointer, map or slice is stored as NULL; use
// [AttrHandle.Remove] to drop the attribute.
func (a *BinHandle[P, V]) Set(v V) ChangeOf[P] { return ChangeOf[P]{set((*handle)(a), &v)} }

// SetIfMissing writes the attribute only where the item lacks it.
func (a *BinHandle[P, V]) SetIfMissing(v V) ChangeOf[P] {
	return ChangeOf[P]{setIfMissing((*handle)(a), &v)}
}

// Remove drops the attribute, list element or map key from the item.
func (a *BinHandle[P, V]) Remove() ChangeOf[P] { return ChangeOf[P]{remove((*handle)(a))} }

// String is item type and attribute, such as shop.Order.status, for people; see [NameOf].
func (a *BinHandle[P, V]) String() string { return (*handle)(a).text() }

// Format prints what String gives, whatever the verb.
func (a *BinHandle[P, V]) Format(s fmt.State, verb rune) { (*handle)(a).print(s, verb) }

// Handle makes it an [AnyAttr].
func (a *BinHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its types.
func (a *BinHandle[P, V]) HandleOf(P, V) {}
