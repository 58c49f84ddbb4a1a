// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/keytext"
)

var (
	// ErrTaken means that another owner has reserved the value; see [TakenError].
	ErrTaken = errors.New("value taken")
	// ErrNotReserved means that the value is not reserved for this owner; see [NotReservedError].
	ErrNotReserved = errors.New("value not reserved")
)

// Unique keeps the values of a field unique, which DynamoDB does for primary keys only.
// For each value there is a reservation: an item whose key is made from the value and
// that names its owner, written in the same transaction as the owner's own item:
//
//	type Reservation struct {
//		ID    string `dynamodbav:"id"`
//		Owner string `dynamodbav:"owner"`
//	}
//	emails, err := ddb.NewUnique(reservations, "email", reservationOwner)
//
//	err = ddb.Transact(ctx, client, users.TxCreate(&u), emails.TxReserve(tenant, u.Email, u.ID))
//
//	// u as it was read; its address changes.
//	err = ddb.Transact(ctx, client,
//		users.TxUpdate(u.ID, userEmail.Set(address)),
//		emails.TxChange(tenant, u.Email, address, u.ID))
//
//	err = ddb.Transact(ctx, client, users.TxDelete(u.ID), emails.TxRelease(tenant, u.Email, u.ID))
//
// It holds if every write of the field goes through these operations. A change or
// release is tied to the value that was read: if another call has changed it meanwhile, its
// reservation is gone, and the transaction fails as a whole with [ErrNotReserved].
// An owner without a value has no reservation to tie to. There, the write of the owner's
// item needs a condition that it has none, such as ddb.If(ddb.NotExists(email)).
//
// Values are unique within a scope, such as a tenant; the empty scope is one as well. They
// are compared byte by byte: give them in one form, such as lower case. The key is
// "unique#field#scope#value", where characters up to the dollar sign are escaped as in
// package keyformat, and scopes and values that are longer than 256 bytes then are replaced by
// their SHA-256. So reservations may share a table with other items.
//
// Each operation adds its write units, doubled as all in transactions: 2 for reserving or
// releasing, 4 for changing. A Unique is immutable and safe for concurrent use.
type Unique[T any, PK ~string, O comparable] struct {
	none   bool // an empty value is none
	table  *SimpleTable[T, PK]
	field  string
	prefix string // of all keys
	id     *handle
	owner  *handle
	failed error // of NewUnique; every call returns it
}

// UniqueOption is an option of [NewUnique]: [OptionalValues].
type UniqueOption struct{ optional bool }

// OptionalValues lets owners have no value: TxReserve and TxRelease of an empty value add nothing to the transaction, as
// TxChange from or to one does. Without it they refuse an empty value, for a value that is missing by mistake would not be reserved.
// An owner without a value has no reservation that other writes could be tied to, so two calls that give it its first
// value at once can both succeed and leave two reservations: the write of its item needs a condition that it has none.
func OptionalValues() UniqueOption { return UniqueOption{true} }

const (
	uniquePrefix   = "unique"
	maxUniqueField = 64
	// maxPlainPart is the longest scope or value that stands in a key as it is.
	maxPlainPart = 256
	// hashMark is in no escaped text: an escape is followed by @ to d.
	hashMark = "$h"
)

// NewUnique describes the unique values of a field, whose name becomes part of the keys
// and so must stay. The reservations are the items of a table of their own, or of a
// [SimpleTable] with another item type on a table that has other items too; owner is
// the attribute that says whose a reservation is.
//
// It refuses, naming everything that is wrong at once: a key that is not stored as text,
// tables with [Version], an owner that is not a top-level attribute, and field names
// other than 1 to 64 letters, digits, underscores, hyphens and dots.
func NewUnique[T any, PK ~string, O comparable](table *SimpleTable[T, PK], field string, owner AttrOf[T, O], opts ...UniqueOption) (*Unique[T, PK, O], error) {
	if table == nil {
		err := &OpError{Op: "NewUnique", Err: invalid(errors.New("the table is nil"))}
		return &Unique[T, PK, O]{failed: err}, err
	}
	if err := table.core.usable(); err != nil {
		return &Unique[T, PK, O]{failed: err}, err
	}
	var errs []error
	if field == "" || len(field) > maxUniqueField || strings.ContainsFunc(field, func(r rune) bool { return !isNameRune(r) }) {
		errs = append(errs, fmt.Errorf("field %q: must be 1 to %d letters, digits, underscores, hyphens and dots", field, maxUniqueField))
	}
	id := keyHandles(table.core.key.partitionField)[0]
	if id.value.Kind() != codec.S {
		errs = append(errs, fmt.Errorf("key attribute %s is stored as %s; reservations need text", id.path, id.value.Kind()))
	}
	if h := table.core.guardAttr(); h != nil {
		errs = append(errs, fmt.Errorf("a table with a version (attribute %s): reservations are guarded by their owner", h.path))
	}
	u := &Unique[T, PK, O]{table: table, field: field, prefix: uniquePrefix + string(keytext.Delimiter) + field + string(keytext.Delimiter), id: id}
	for _, o := range opts {
		u.none = u.none || o.optional
	}
	var err error
	u.owner, err = table.core.ownAttr("owner", owner, codec.KindAny)
	errs = append(errs, err)
	if err := invalid(errs...); err != nil {
		u.failed = &OpError{Op: "NewUnique", Table: table.core.name, Err: err}
		return u, u.failed
	}
	return u, nil
}

// usable is the error of the constructor, or of a Unique that none has made.
func (u *Unique[T, PK, O]) usable() error {
	switch {
	case u != nil && u.failed != nil:
		return u.failed
	case u == nil || u.table == nil:
		return &OpError{Op: "NewUnique", Err: invalid(errors.New("a Unique that NewUnique did not make"))}
	}
	return nil
}

// op is an operation of a transaction, which the error of the constructor makes fail.
func (u *Unique[T, PK, O]) op(add func(tx *transaction)) TxOp {
	if err := u.usable(); err != nil {
		return txFunc(func(tx *transaction) { tx.add(txAction{core: &core{failed: err}}, err) })
	}
	return txFunc(add)
}

// TxReserve reserves a value for an owner. It fails with a [*TakenError] if another owner
// has it. Reserving again for the same owner succeeds and changes nothing, so that a
// transaction whose outcome is unknown can be tried again.
func (u *Unique[T, PK, O]) TxReserve(scope, value string, owner O) TxOp {
	return u.op(func(tx *transaction) { u.reserve(tx, scope, value, owner) })
}

// TxRelease gives the value up that the owner was read with. It fails with a
// [*NotReservedError] if the value is not, or no more, reserved for this owner.
func (u *Unique[T, PK, O]) TxRelease(scope, value string, owner O) TxOp {
	return u.op(func(tx *transaction) { u.release(tx, scope, value, owner) })
}

// TxChange moves an owner from the value that it was read with to another: TxRelease and
// TxReserve in one, which counts as one operation in a [TransactionError] and as two of
// the 100 of a transaction. An empty value is none, so that an owner may get its first or
// give up its last. For two equal values it checks that the owner still has it.
func (u *Unique[T, PK, O]) TxChange(scope, before, after string, owner O) TxOp {
	return u.op(func(tx *transaction) {
		if before != "" && before == after {
			key, err := u.claimKey(scope, before, owner)
			u.add(tx, "Check", u.table.TxCheck(key, u.ownedBy(owner)), err, u.lost(scope))
			return
		}
		if before != "" {
			u.release(tx, scope, before, owner)
		}
		if after != "" {
			u.reserve(tx, scope, after, owner)
		}
	})
}

// Owner tells whose a value is, by a consistent read; [ErrNotFound] if nobody has it.
func (u *Unique[T, PK, O]) Owner(ctx context.Context, scope, value string) (owner O, err error) {
	if err := u.usable(); err != nil {
		return owner, err
	}
	key, err := u.Key(scope, value)
	if err != nil {
		return owner, opError("GetItem", u.table.core.name, "", invalid(err))
	}
	item, err := u.table.Get(ctx, key, Consistent())
	if err != nil {
		return owner, err
	}
	return u.ownerOf(&item), nil
}

// Key is the key of a value's reservation. Values that cannot have one are empty or not
// valid UTF-8.
func (u *Unique[T, PK, O]) Key(scope, value string) (PK, error) {
	if err := u.usable(); err != nil {
		return "", err
	}
	if value == "" {
		return "", fmt.Errorf("field %s: an empty value cannot be unique", u.field)
	}
	s, err1 := uniquePart(scope)
	v, err2 := uniquePart(value)
	if err := errors.Join(err1, err2); err != nil {
		return "", fmt.Errorf("field %s: %w", u.field, err)
	}
	return PK(u.prefix + s + string(keytext.Delimiter) + v), nil
}

// uniquePart is a scope or value as it stands in a key.
func uniquePart(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the scope or value is not valid UTF-8")
	}
	escaped, err := keytext.AppendEscaped(nil, text)
	if err != nil || len(escaped) <= maxPlainPart {
		return string(escaped), err
	}
	sum := sha256.Sum256([]byte(text))
	return hashMark + base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

func (u *Unique[T, PK, O]) claimKey(scope, value string, owner O) (PK, error) {
	key, err := u.Key(scope, value)
	var none O
	if owner == none {
		err = errors.Join(err, fmt.Errorf("field %s: the owner is empty", u.field))
	}
	return key, err
}

func (u *Unique[T, PK, O]) reserve(tx *transaction, scope, value string, owner O) {
	if value == "" && u.none {
		return
	}
	key, err := u.claimKey(scope, value, owner)
	u.add(tx, "Reserve", u.reserveKey(key, owner), err, func(cause error) error {
		return &TakenError{Field: u.field, Scope: scope, cause: cause}
	})
}

func (u *Unique[T, PK, O]) reserveKey(key PK, owner O) TxOp {
	free := Cond[T]{&condition{node: u.table.core.keyCall("attribute_not_exists")}}
	return u.table.TxUpsert(key, Change[T]{set(u.owner, &owner)}, If(Or(free, u.ownedBy(owner))))
}

func (u *Unique[T, PK, O]) release(tx *transaction, scope, value string, owner O) {
	if value == "" && u.none {
		return
	}
	key, err := u.claimKey(scope, value, owner)
	u.add(tx, "Release", u.table.TxDelete(key, If(u.ownedBy(owner))), err, u.lost(scope))
}

func (u *Unique[T, PK, O]) lost(scope string) func(error) error {
	return func(cause error) error { return &NotReservedError{Field: u.field, Scope: scope, cause: cause} }
}

// add takes an operation in whose failed condition has a meaning of its own.
func (u *Unique[T, PK, O]) add(tx *transaction, verb string, op TxOp, err error, failure func(cause error) error) {
	if err != nil {
		tx.add(txAction{core: u.table.core}, err)
		return
	}
	i := len(tx.actions)
	op.addTo(tx)
	a := &tx.actions[i]
	plain := a.failed
	a.verb = verb
	a.failed = func(item map[string]types.AttributeValue, cause error) error { return failure(plain(item, cause)) }
}

func (u *Unique[T, PK, O]) ownerOf(item *T) O {
	return reflect.ValueOf(item).Elem().FieldByIndex(u.owner.field.Index).Interface().(O)
}

func (u *Unique[T, PK, O]) keyOf(item *T) PK {
	return reflect.ValueOf(item).Elem().FieldByIndex(u.id.field.Index).Interface().(PK)
}

// ownedBy is the condition that a reservation is the owner's.
func (u *Unique[T, PK, O]) ownedBy(owner O) Cond[T] { return Cond[T]{compare(u.owner, "=", &owner)} }

// all is the condition that an item is a reservation of the field.
func (u *Unique[T, PK, O]) all() Cond[T] {
	prefix := expr.Value{AV: &types.AttributeValueMemberS{Value: u.prefix}}
	return Cond[T]{&condition{node: expr.Call{Name: "begins_with", Args: []expr.Node{u.id.path, prefix}}}}
}

// TakenError is a value that another owner has reserved. It matches [ErrTaken] and
// [ErrConditionFailed], and never shows the value.
type TakenError struct {
	Field, Scope string
	cause        error
}

// Error names the field. The scope is a part of a key and stands in Scope alone.
func (e *TakenError) Error() string {
	return fmt.Sprintf("field %s: another owner has the value", e.Field)
}

// Is makes the error match [ErrTaken].
func (e *TakenError) Is(target error) bool { return target == ErrTaken }

// Unwrap returns the [*ConditionFailed], whose current item is the reservation.
func (e *TakenError) Unwrap() error { return RedactError(e.cause) }

// NotReservedError is a value that is not reserved for the owner who changes or releases
// it: another call was first, and what the caller has read is stale. It matches
// [ErrNotReserved] and [ErrConditionFailed], and never shows the value.
type NotReservedError struct {
	Field, Scope string
	cause        error
}

// Error names the field. The scope is a part of a key and stands in Scope alone.
func (e *NotReservedError) Error() string {
	return fmt.Sprintf("field %s: the value is not reserved for this owner; it has changed since it was read, so read again", e.Field)
}

// Is makes the error match [ErrNotReserved].
func (e *NotReservedError) Is(target error) bool { return target == ErrNotReserved }

// Unwrap returns the [*ConditionFailed], whose current item is the reservation, if there is one.
func (e *NotReservedError) Unwrap() error { return RedactError(e.cause) }
