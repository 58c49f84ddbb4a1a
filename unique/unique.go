// SPDX-License-Identifier: Apache-2.0

// Package unique keeps the values of a field unique, such as the addresses of users, which DynamoDB does for primary keys only. For each value there
// is a reservation: an item whose key is made from the value and that names its owner, written in the same transaction as the owner's own item.
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
	"github.com/dynamotable/ddb/internal/keytext"
	"github.com/dynamotable/ddb/internal/quiet"
)

var (
	// ErrTaken means that another owner has reserved the value; see [TakenError].
	ErrTaken = errors.New("value taken")
	// ErrNotReserved means that the value is not reserved for this owner; see [NotReservedError].
	ErrNotReserved = errors.New("value not reserved")
)

// Values are the unique values of a field. Make it with [New]:
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
// releasing, 4 for changing. Values are immutable and safe for concurrent use.
type Values[T any, PK ~string, O comparable] struct {
	optional bool // an empty value is none
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

// OptionalValues lets owners have no value: TxReserve and TxRelease of an empty value add nothing to the transaction, as
// TxChange from or to one does. Without it they refuse an empty value, for a value that is missing by mistake would not be reserved.
// An owner without a value has no reservation that other writes could be tied to, so two calls that give it its first
// value at once can both succeed and leave two reservations: the write of its item needs a condition that it has none.
func OptionalValues() Option { return Option{true} }

const (
	keyPrefix = "unique"
	maxField  = 64
	// maxPlainPart is the longest scope or value that stands in a key as it is.
	maxPlainPart = 256
	// hashMark is in no escaped text: an escape is followed by @ to d.
	hashMark = "$h"
)

// New describes the unique values of a field, whose name becomes part of the keys
// and so must stay. The reservations are the items of a table of their own, or of a
// [ddb.SimpleTable] with another item type on a table that has other items too; owner is
// the attribute that says whose a reservation is. It sends nothing.
//
// It refuses, naming everything that is wrong at once: a key that is not stored as text,
// tables with [ddb.Version], an owner that is not a top-level attribute, and field names
// other than 1 to 64 letters, digits, underscores, hyphens and dots. The error matches [ddb.ErrInvalid]; each call returns it then.
func New[T any, PK ~string, O comparable](table *ddb.SimpleTable[T, PK], field string, owner ddb.AttrOf[T, O], opts ...Option) (*Values[T, PK, O], error) {
	u := &Values[T, PK, O]{table: table, field: field, prefix: keyPrefix + string(keytext.Delimiter) + field + string(keytext.Delimiter)}
	if table == nil {
		u.failed = &ddb.OpError{Op: opNew, Err: invalid(errors.New("the table is nil"))}
		return u, u.failed
	}
	info, err := ddb.InfoOf(table)
	if err != nil {
		u.failed = err
		return u, err
	}
	errs := check(field, info)
	u.client, u.key = info.Client, info.Key.Partition[0].Name
	for _, o := range opts {
		u.optional = u.optional || o.optional
	}
	if u.ownerOf, err = ddb.FieldOf(owner); err != nil {
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

// check is what is wrong with a field's name, and with a table for its reservations.
func check(field string, info ddb.TableInfo) (errs []error) {
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

// invalid gathers what is wrong in one error; nil for nothing.
func invalid(errs ...error) error {
	var all []error
	for _, err := range errs {
		all = append(all, flat(err)...)
	}
	if len(all) == 0 {
		return nil
	}
	return &ddb.InvalidError{Problems: all}
}

// flat takes a list that errors.Join made apart.
func flat(err error) []error {
	if err == nil {
		return nil
	}
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	return []error{err}
}

// String names the field.
func (u *Values[T, PK, O]) String() string {
	if u == nil {
		return "unique values of no field"
	}
	return "unique values of field " + u.field
}

// Format prints the same, for every verb.
func (u *Values[T, PK, O]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, u.String()) }

// usable is the error of the constructor, or of Values that none has made.
func (u *Values[T, PK, O]) usable() error {
	switch {
	case u != nil && u.failed != nil:
		return u.failed
	case u == nil || u.table == nil:
		return &ddb.OpError{Op: opNew, Err: invalid(errors.New("nil or zero Values were used; make them with unique.New"))}
	}
	return nil
}

// TxReserve reserves a value for an owner. It fails with a [*TakenError] if another owner
// has it. Reserving again for the same owner succeeds and changes nothing, so that a
// transaction whose outcome is unknown can be tried again.
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

// TxRelease gives the value up that the owner was read with. It fails with a
// [*NotReservedError] if the value is not, or no more, reserved for this owner.
func (u *Values[T, PK, O]) TxRelease(scope, value string, owner O) ddb.TxOp {
	if err := u.usable(); err != nil {
		return rejected(err)
	}
	if value == "" && u.optional {
		return nothing()
	}
	key, err := u.claimKey(scope, value, owner)
	return ddb.TxCompose("Release", u.lost(scope), err, u.table.TxDelete(key, ddb.If(u.ownedBy(owner))))
}

// TxChange moves an owner from the value that it was read with to another: TxRelease and
// TxReserve in one, which counts as one operation in a [ddb.TransactionError] and as two of
// the 100 of a transaction. An empty value is none, so that an owner may get its first or
// give up its last. For two equal values it checks that the owner still has it.
func (u *Values[T, PK, O]) TxChange(scope, before, after string, owner O) ddb.TxOp {
	if err := u.usable(); err != nil {
		return rejected(err)
	}
	if before != "" && before == after {
		key, err := u.claimKey(scope, before, owner)
		return ddb.TxCompose("Check", u.lost(scope), err, u.table.TxCheck(key, u.ownedBy(owner)))
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

// Owner tells whose a value is, by a consistent read; [ddb.ErrNotFound] if nobody has it.
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

// Key is the key of a value's reservation. Values that cannot have one are empty or not
// valid UTF-8.
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

// keyPart is a scope or value as it stands in a key.
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

// reserve writes the owner to the reservation of a key, unless it is another's.
func (u *Values[T, PK, O]) reserve(verb string, key PK, scope string, owner O, err error) ddb.TxOp {
	free := ddb.NotExists(ddb.Named[T](u.key))
	op := u.table.TxUpsert(key, ddb.Named[T](u.owner).Set(owner), ddb.If(ddb.Or(free, u.ownedBy(owner))))
	return ddb.TxCompose(verb, func(cause error) error { return &TakenError{Field: u.field, Scope: scope, cause: cause} }, err, op)
}

// lost is the error of an operation whose value is not reserved for the owner.
func (u *Values[T, PK, O]) lost(scope string) func(error) error {
	return func(cause error) error { return &NotReservedError{Field: u.field, Scope: scope, cause: cause} }
}

// ownedBy is the condition that a reservation is the owner's.
func (u *Values[T, PK, O]) ownedBy(owner O) ddb.Cond[T] { return ddb.Named[T](u.owner).Eq(owner) }

// all is the condition that an item is a reservation of the field.
func (u *Values[T, PK, O]) all() ddb.Cond[T] {
	return ddb.RawText[T]("begins_with(#key, :prefix)", map[string]string{"#key": u.key}, map[string]any{":prefix": u.prefix})
}

// TakenError is a value that another owner has reserved. It matches [ErrTaken] and
// [ddb.ErrConditionFailed], and never shows the value.
type TakenError struct {
	Field, Scope string
	cause        error
}

// Error names the field. The scope is a part of a key and stands in Scope alone.
func (e *TakenError) Error() string {
	return fmt.Sprintf("field %s: another owner has the value", e.Field)
}

// Format prints the text, for every verb.
func (e *TakenError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON is the text.
func (e *TakenError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Is makes the error match [ErrTaken].
func (e *TakenError) Is(target error) bool { return target == ErrTaken }

// Unwrap returns the [*ddb.ConditionFailed], whose current item is the reservation.
func (e *TakenError) Unwrap() error { return ddb.RedactError(e.cause) }

// NotReservedError is a value that is not reserved for the owner who changes or releases
// it: another call was first, and what the caller has read is stale. It matches
// [ErrNotReserved] and [ddb.ErrConditionFailed], and never shows the value.
type NotReservedError struct {
	Field, Scope string
	cause        error
}

// Error names the field. The scope is a part of a key and stands in Scope alone.
func (e *NotReservedError) Error() string {
	return fmt.Sprintf("field %s: the value is not reserved for this owner; it has changed since it was read, so read again", e.Field)
}

// Format prints the text, for every verb.
func (e *NotReservedError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON is the text.
func (e *NotReservedError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Is makes the error match [ErrNotReserved].
func (e *NotReservedError) Is(target error) bool { return target == ErrNotReserved }

// Unwrap returns the [*ddb.ConditionFailed], whose current item is the reservation, if there is one.
func (e *NotReservedError) Unwrap() error { return ddb.RedactError(e.cause) }
