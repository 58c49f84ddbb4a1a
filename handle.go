package ddb

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

// Name is the attribute's document path, such as status or address.city, for people: a key of
// a map ([MapHandle.Key]) is data and stands in it as a question mark. It is empty when the
// selector is wrong.
func (a *AttrHandle[P, V]) Name() string { return (*handle)(a).name() }

// String names item type and attribute, such as shop.Order.status, for people.
func (a *AttrHandle[P, V]) String() string { return (*handle)(a).text() }

// Handle makes it an [AnyAttr]. Programs have no use for it.
func (a *AttrHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its item and value types. It does nothing.
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

// Name is the attribute's document path, such as status or address.city, for people: a key of
// a map ([MapHandle.Key]) is data and stands in it as a question mark. It is empty when the
// selector is wrong.
func (a *OrdHandle[P, V]) Name() string { return (*handle)(a).name() }

// String names item type and attribute, such as shop.Order.status, for people.
func (a *OrdHandle[P, V]) String() string { return (*handle)(a).text() }

// Handle makes it an [AnyAttr]. Programs have no use for it.
func (a *OrdHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its item and value types. It does nothing.
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

// Name is the attribute's document path, such as status or address.city, for people: a key of
// a map ([MapHandle.Key]) is data and stands in it as a question mark. It is empty when the
// selector is wrong.
func (a *NumHandle[P, V]) Name() string { return (*handle)(a).name() }

// String names item type and attribute, such as shop.Order.status, for people.
func (a *NumHandle[P, V]) String() string { return (*handle)(a).text() }

// Handle makes it an [AnyAttr]. Programs have no use for it.
func (a *NumHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its item and value types. It does nothing.
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

// Name is the attribute's document path, such as status or address.city, for people: a key of
// a map ([MapHandle.Key]) is data and stands in it as a question mark. It is empty when the
// selector is wrong.
func (a *StrHandle[P, V]) Name() string { return (*handle)(a).name() }

// String names item type and attribute, such as shop.Order.status, for people.
func (a *StrHandle[P, V]) String() string { return (*handle)(a).text() }

// Handle makes it an [AnyAttr]. Programs have no use for it.
func (a *StrHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its item and value types. It does nothing.
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

// Name is the attribute's document path, such as status or address.city, for people: a key of
// a map ([MapHandle.Key]) is data and stands in it as a question mark. It is empty when the
// selector is wrong.
func (a *BinHandle[P, V]) Name() string { return (*handle)(a).name() }

// String names item type and attribute, such as shop.Order.status, for people.
func (a *BinHandle[P, V]) String() string { return (*handle)(a).text() }

// Handle makes it an [AnyAttr]. Programs have no use for it.
func (a *BinHandle[P, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its item and value types. It does nothing.
func (a *BinHandle[P, V]) HandleOf(P, V) {}

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

// Name is the attribute's document path, such as status or address.city, for people: a key of
// a map ([MapHandle.Key]) is data and stands in it as a question mark. It is empty when the
// selector is wrong.
func (a *SetHandle[P, E]) Name() string { return (*handle)(a).name() }

// String names item type and attribute, such as shop.Order.status, for people.
func (a *SetHandle[P, E]) String() string { return (*handle)(a).text() }

// Handle makes it an [AnyAttr]. Programs have no use for it.
func (a *SetHandle[P, E]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its item and value types. It does nothing.
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

// Name is the attribute's document path, such as status or address.city, for people: a key of
// a map ([MapHandle.Key]) is data and stands in it as a question mark. It is empty when the
// selector is wrong.
func (a *ListHandle[P, E]) Name() string { return (*handle)(a).name() }

// String names item type and attribute, such as shop.Order.status, for people.
func (a *ListHandle[P, E]) String() string { return (*handle)(a).text() }

// Handle makes it an [AnyAttr]. Programs have no use for it.
func (a *ListHandle[P, E]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its item and value types. It does nothing.
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

// Name is the attribute's document path, such as status or address.city, for people: a key of
// a map ([MapHandle.Key]) is data and stands in it as a question mark. It is empty when the
// selector is wrong.
func (a *MapHandle[P, K, V]) Name() string { return (*handle)(a).name() }

// String names item type and attribute, such as shop.Order.status, for people.
func (a *MapHandle[P, K, V]) String() string { return (*handle)(a).text() }

// Handle makes it an [AnyAttr]. Programs have no use for it.
func (a *MapHandle[P, K, V]) Handle() *handle { return (*handle)(a) }

// HandleOf makes it an [AttrOf] and a [KeyField] of its item and value types. It does nothing.
func (a *MapHandle[P, K, V]) HandleOf(P, map[K]V) {}
