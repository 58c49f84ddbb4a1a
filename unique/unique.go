// SPDX-License-Identifier: Apache-2.0

// Package unique keeps the values of a field unique, such as the addresses of users; DynamoDB itself does that only for primary
// keys. Each value has a reservation: an item whose key is made from the value and that names its owner. It is written in the
// same transaction as the item of the owner.
//
//	emails, err := unique.New(reservations, "email", reservationOwner)
//	err = ddb.Transact(ctx, client, users.TxCreate(&u), emails.TxReserve(tenant, u.Email, u.ID))
//
// [Values.Verify] compares the reservations with the owners' items, and [Values.Repair] repairs them.
package unique

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/keytext"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/rawexpr"
	"github.com/dynamotable/ddb/tableinfo"
	"github.com/dynamotable/ddb/typeditem"
)

var (
	// ErrTaken means that another owner has reserved the value; see [TakenError].
	ErrTaken = errors.New("value taken")
	// ErrNotReserved means that the value is not reserved for this owner; see [NotReservedError].
	ErrNotReserved = errors.New("value not reserved")
)

// Values describes the unique values of a field. Make it with [New]:
//
//	type Reservation struct {
//		ID    string `dynamodbav:"id"`
//		Owner string `dynamodbav:"owner"`
//	}
//	emails, err := unique.New(reservations, "email", reservationOwner)
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
// Uniqueness holds if every write of the field goes through these operations. A change or release has the condition that the
// value is the one that was read. If another call has changed it meanwhile, its reservation is gone, and the whole transaction
// fails with [ErrNotReserved]. An owner without a value has no reservation that a condition could refer to. In that case the
// write of the owner's item needs a condition that it has no value, such as ddb.If(ddb.NotExists(email)).
//
// Values are unique within a scope, such as a tenant; the empty scope counts as a scope. They are compared byte by byte, so pass
// them in a normalized form, such as lower case. The key is "unique#field#scope#value". Characters up to the dollar sign are
// escaped as in package keyformat, and scopes and values that are then longer than 256 bytes are replaced by their SHA-256. So
// reservations may share a table with other items.
//
// Each operation adds its write units, doubled as always in transactions: 2 for reserving or releasing, 4 for changing. Values
// are immutable and safe for concurrent use.
type Values[T any, PK ~string, O comparable] struct {
	optional bool // an empty value means no value
	table    *ddb.SimpleTable[T, PK]
	client   ddb.Client
	field    string
	prefix   string // of all keys
	key      string // attribute of the key
	owner    string // attribute of the owner
	ownerOf  func(*T) O
	failed   error // of New; every call returns it
}

// Option is an option of [New]: [OptionalValues].
type Option struct{ optional bool }

// OptionalValues allows owners without a value. TxReserve and TxRelease of an empty value add nothing to the transaction, and
// neither does the empty side of TxChange. Without this option they reject an empty value, because a value that is missing by
// mistake would not be reserved. An owner without a value has no reservation that a condition could refer to. So two calls at the
// same time that set its first value can both succeed and leave two reservations: the write of its item needs a condition that it
// has no value.
func OptionalValues() Option { return Option{true} }

const (
	keyPrefix = "unique"
	maxField  = 64
	// maxPlainPart is the length of the longest scope or value that is part of a key unchanged.
	maxPlainPart = 256
	// hashMark does not occur in escaped text: an escape is followed by a character from @ to d.
	hashMark = "$h"
)

// New describes the unique values of a field. The name of the field is part of the keys, so it must not change. The reservations
// are the items of a table of their own, or of a [ddb.SimpleTable] with another item type on a table that also has other items.
// owner is the attribute of a reservation that names its owner. New sends nothing.
//
// It rejects keys that are not stored as text, tables with [ddb.Version], owners that are not top-level attributes, and field
// names other than 1 to 64 letters, digits, underscores, hyphens and dots. The error names everything that is wrong and matches
// [ddb.ErrInvalid]; each call then returns it.
func New[T any, PK ~string, O comparable](table *ddb.SimpleTable[T, PK], field string, owner ddb.AttrOf[T, O], opts ...Option) (*Values[T, PK, O], error) {
	u := &Values[T, PK, O]{table: table, field: field, prefix: keyPrefix + string(keytext.Delimiter) + field + string(keytext.Delimiter)}
	if table == nil {
		u.failed = &ddb.OpError{Op: opNew, Err: invalid(errors.New("the table is nil"))}
		return u, u.failed
	}
	info, err := tableinfo.Of(table)
	if err != nil {
		u.failed = err
		return u, err
	}
	errs := check(field, info)
	u.client, u.key = info.Client, info.Key.Partition[0].Name
	for _, o := range opts {
		u.optional = u.optional || o.optional
	}
	if u.ownerOf, err = typeditem.FieldOf(owner); err != nil {
		errs = append(errs, fmt.Errorf("owner: %w", err))
	} else if u.owner = ddb.NameOf(owner); u.owner == u.key {
		errs = append(errs, fmt.Errorf("owner: attribute %s is a key of the table", u.owner))
	}
	if err := invalid(errs...); err != nil {
		u.failed = &ddb.OpError{Op: opNew, Table: info.Name, Err: err}
	}
	return u, u.failed
}

const opNew = "unique.New"

// check returns what is wrong with the name of a field and with the table of its reservations.
func check(field string, info tableinfo.Info) (errs []error) {
	if field == "" || len(field) > maxField || strings.ContainsFunc(field, func(r rune) bool { return !isNameRune(r) }) {
		errs = append(errs, fmt.Errorf("field %q: must be 1 to %d letters, digits, underscores, hyphens and dots", field, maxField))
	}
	if key := info.Key.Partition[0]; key.Type != types.ScalarAttributeTypeS {
		errs = append(errs, fmt.Errorf("key attribute %s is stored as %s; reservations need text", key.Name, key.Type))
	}
	if info.Version != "" {
		errs = append(errs, fmt.Errorf("a table with a version (attribute %s): reservations are guarded by their owner", info.Version))
	}
	return errs
}

func isNameRune(r rune) bool {
	return r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.", r))
}

// invalid joins all problems in one error; it returns nil if there are none.
func invalid(errs ...error) error {
	var all []error
	for _, err := range errs {
		all = append(all, splitErrors(err)...)
	}
	if len(all) == 0 {
		return nil
	}
	return &ddb.InvalidError{Problems: all}
}

// splitErrors splits a list that errors.Join made.
func splitErrors(err error) []error {
	if err == nil {
		return nil
	}
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	return []error{err}
}

// String returns the name of the field.
func (u *Values[T, PK, O]) String() string {
	if u == nil {
		return "unique values of no field"
	}
	return "unique values of field " + u.field
}

// Format prints the text of String for every verb.
func (u *Values[T, PK, O]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, u.String()) }

// usable returns the error of the constructor, or an error for Values that no constructor made.
func (u *Values[T, PK, O]) usable() error {
	switch {
	case u != nil && u.failed != nil:
		return u.failed
	case u == nil || u.table == nil:
		return &ddb.OpError{Op: opNew, Err: invalid(errors.New("nil or zero Values were used; make them with unique.New"))}
	}
	return nil
}

// TxReserve reserves a value for an owner. It fails with a [*TakenError] if another owner has reserved it. Reserving it again for
// the same owner succeeds and changes nothing, so a transaction with an unknown outcome can be repeated.
func (u *Values[T, PK, O]) TxReserve(scope, value string, owner O) ddb.TxOp {
	if err := u.usable(); err != nil {
		return rejected(err)
	}
	if value == "" && u.optional {
		return nothing()
	}
	key, err := u.claimKey(scope, value, owner)
	return u.reserve("Reserve", key, scope, owner, err)
}

// TxRelease releases the value that was read from the owner. It fails with a [*NotReservedError] if the value is not, or no
// longer, reserved for this owner.
func (u *Values[T, PK, O]) TxRelease(scope, value string, owner O) ddb.TxOp {
	if err := u.usable(); err != nil {
		return rejected(err)
	}
	if value == "" && u.optional {
		return nothing()
	}
	key, err := u.claimKey(scope, value, owner)
	return ddb.TxCompose("Release", u.notReserved(scope), err, u.table.TxDelete(key, ddb.If(u.ownedBy(owner))))
}

// TxChange changes the value of an owner from the one that was read to another. It combines TxRelease and TxReserve; it counts as
// one operation in a [ddb.TransactionError], and as two of the 100 operations of a transaction. An empty value means no value, so
// an owner can receive its first value or lose its last one. If both values are equal, it only checks that the owner still has
// the value.
func (u *Values[T, PK, O]) TxChange(scope, before, after string, owner O) ddb.TxOp {
	if err := u.usable(); err != nil {
		return rejected(err)
	}
	if before != "" && before == after {
		key, err := u.claimKey(scope, before, owner)
		return ddb.TxCompose("Check", u.notReserved(scope), err, u.table.TxCheck(key, u.ownedBy(owner)))
	}
	var ops []ddb.TxOp
	if before != "" {
		ops = append(ops, u.TxRelease(scope, before, owner))
	}
	if after != "" {
		ops = append(ops, u.TxReserve(scope, after, owner))
	}
	return ddb.TxCompose("", nil, nil, ops...)
}

// rejected is an operation that makes its transaction fail.
func rejected(err error) ddb.TxOp { return ddb.TxCompose("", nil, err) }

// nothing is an operation that adds nothing to its transaction.
func nothing() ddb.TxOp { return ddb.TxCompose("", nil, nil) }

// Owner returns the owner of a value, by a consistent read. It returns [ddb.ErrNotFound] if the value is not reserved.
func (u *Values[T, PK, O]) Owner(ctx context.Context, scope, value string) (owner O, err error) {
	if err := u.usable(); err != nil {
		return owner, err
	}
	key, err := u.Key(scope, value)
	if err != nil {
		return owner, &ddb.OpError{Op: "GetItem", Table: u.table.Name(), Err: invalid(err)}
	}
	item, err := u.table.Get(ctx, key, ddb.Consistent())
	if err != nil {
		return owner, err
	}
	return u.ownerOf(&item), nil
}

// Key returns the key of the reservation of a value. It returns an error for values that are empty or not valid UTF-8.
func (u *Values[T, PK, O]) Key(scope, value string) (PK, error) {
	if err := u.usable(); err != nil {
		return "", err
	}
	if value == "" {
		return "", fmt.Errorf("field %s: an empty value cannot be unique", u.field)
	}
	s, err1 := keyPart(scope)
	v, err2 := keyPart(value)
	if err := errors.Join(err1, err2); err != nil {
		return "", fmt.Errorf("field %s: %w", u.field, err)
	}
	return PK(u.prefix + s + string(keytext.Delimiter) + v), nil
}

// keyPart returns the form of a scope or value in a key.
func keyPart(text string) (string, error) {
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

func (u *Values[T, PK, O]) claimKey(scope, value string, owner O) (PK, error) {
	key, err := u.Key(scope, value)
	var none O
	if owner == none {
		err = errors.Join(err, fmt.Errorf("field %s: the owner is empty", u.field))
	}
	return key, err
}

// reserve writes the owner to the reservation with a key, unless another owner has it.
func (u *Values[T, PK, O]) reserve(verb string, key PK, scope string, owner O, err error) ddb.TxOp {
	free := ddb.NotExists(ddb.Named[T](u.key))
	op := u.table.TxUpsert(key, ddb.Named[T](u.owner).Set(owner), ddb.If(ddb.Or(free, u.ownedBy(owner))))
	return ddb.TxCompose(verb, func(cause error) error { return &TakenError{Field: u.field, Scope: scope, cause: cause} }, err, op)
}

// notReserved returns the error of an operation whose value is not reserved for the owner.
func (u *Values[T, PK, O]) notReserved(scope string) func(error) error {
	return func(cause error) error { return &NotReservedError{Field: u.field, Scope: scope, cause: cause} }
}

// ownedBy is the condition that a reservation belongs to the owner.
func (u *Values[T, PK, O]) ownedBy(owner O) ddb.Cond[T] { return ddb.Named[T](u.owner).Eq(owner) }

// all is the condition that an item is a reservation of the field.
func (u *Values[T, PK, O]) all() ddb.Cond[T] {
	return rawexpr.CondText[T]("begins_with(#key, :prefix)", map[string]string{"#key": u.key}, map[string]any{":prefix": u.prefix})
}

// TakenError means that another owner has reserved the value. It matches [ErrTaken] and [ddb.ErrConditionFailed], and never shows
// the value.
type TakenError struct {
	Field, Scope string
	cause        error
}

// Error names the field. The scope is part of a key, so only the field Scope has it.
func (e *TakenError) Error() string {
	return fmt.Sprintf("field %s: another owner has the value", e.Field)
}

// Format prints the text of Error for every verb.
func (e *TakenError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *TakenError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Is makes the error match [ErrTaken].
func (e *TakenError) Is(target error) bool { return target == ErrTaken }

// Unwrap returns the [*ddb.ConditionFailed], whose current item is the reservation.
func (e *TakenError) Unwrap() error { return ddberr.Redact(e.cause) }

// NotReservedError means that the value is not reserved for the owner that changes or releases it: another call was first, and
// what the caller has read is out of date. It matches [ErrNotReserved] and [ddb.ErrConditionFailed], and never shows the value.
type NotReservedError struct {
	Field, Scope string
	cause        error
}

// Error names the field. The scope is part of a key, so only the field Scope has it.
func (e *NotReservedError) Error() string {
	return fmt.Sprintf("field %s: the value is not reserved for this owner; it has changed since it was read, so read again", e.Field)
}

// Format prints the text of Error for every verb.
func (e *NotReservedError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *NotReservedError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Is makes the error match [ErrNotReserved].
func (e *NotReservedError) Is(target error) bool { return target == ErrNotReserved }

// Unwrap returns the [*ddb.ConditionFailed], whose current item is the reservation, if there is one.
func (e *NotReservedError) Unwrap() error { return ddberr.Redact(e.cause) }
