// SPDX-License-Identifier: Apache-2.0

package unique

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Claim is a value that an owner has according to its own item.
type Claim[O comparable] struct {
	Scope, Value string
	Owner        O
}

// Format prints the name of the type for every verb, because a claim is data.
func (c Claim[O]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, "Claim") }

// LogValue returns the same text.
func (c Claim[O]) LogValue() slog.Value { return slog.StringValue("Claim") }

// Finding is a reservation that does not agree with the claims; see [Values.Verify].
type Finding[PK ~string, O comparable] struct {
	Kind FindingKind
	// Key is the key of the reservation.
	Key PK
	// Claim is the zero value if Kind is Orphaned.
	Claim Claim[O]
	// Holder is the owner that the reservation names; it is the zero value if there is no reservation.
	Holder O
}

// String returns the kind. It shows neither value nor owner.
func (f Finding[PK, O]) String() string { return string(f.Kind) + " reservation" }

// Format prints the text of [Finding.String] for every verb.
func (f Finding[PK, O]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, f.String()) }

// LogValue returns the same text.
func (f Finding[PK, O]) LogValue() slog.Value { return slog.StringValue(f.String()) }

// FindingKind is what is wrong with a reservation.
type FindingKind string

const (
	// Missing means that an owner has the value, but it is not reserved. Repair reserves it.
	Missing FindingKind = "missing"
	// Foreign means that an owner has the value, but it is reserved for another owner that does not have it. Repair changes the
	// reservation to the owner that has it.
	Foreign FindingKind = "foreign"
	// Orphaned means that the value is reserved, but no owner has it. Repair releases it.
	Orphaned FindingKind = "orphaned"
	// Contested means that several owners have the value. There is a finding for each of them for which it is not reserved. It is
	// not repaired: decide which owner keeps the value, and change the items of the others.
	Contested FindingKind = "contested"
)

// Verify compares the reservations of the field, in all scopes, with the items of the owners:
//
//	findings, err := emails.Verify(ctx, func(yield func(unique.Claim[string], error) bool) {
//		for u, err := range users.Scan().Consistent().All(ctx) {
//			if !yield(unique.Claim[string]{Scope: u.Tenant, Value: u.Email, Owner: u.ID}, err) {
//				return
//			}
//		}
//	})
//
// The claims must be complete, otherwise reservations seem to be orphaned. An error among them ends the call, and claims with an
// empty value are ignored. Verify changes nothing, keeps all claims in memory, and reads the whole table of reservations once,
// consistently.
//
// Claims and reservations are read at different times. If there are writes meanwhile, a finding is only a suspicion: verify
// again, or repair with a check, see [Values.TxRepair].
func (u *Values[T, PK, O]) Verify(ctx context.Context, claims iter.Seq2[Claim[O], error]) ([]Finding[PK, O], error) {
	if err := u.usable(); err != nil {
		return nil, err
	}
	if claims == nil {
		return nil, u.opError("Verify", invalid(errors.New("the claims are nil")))
	}
	byKey := map[PK][]Claim[O]{}
	var keys []PK // in the order of the claims
	n := 0
	for c, err := range claims {
		if err != nil {
			return nil, u.opError("Verify", fmt.Errorf("reading the claims: %w", err))
		}
		if c.Value == "" {
			continue
		}
		key, err := u.claimKey(c.Scope, c.Value, c.Owner)
		if err != nil {
			return nil, u.opError("Verify", invalid(ofClaim(n, err)...))
		}
		n++
		same := byKey[key]
		if same == nil {
			keys = append(keys, key)
		}
		if !slices.ContainsFunc(same, func(o Claim[O]) bool { return o.Owner == c.Owner }) {
			byKey[key] = append(same, c)
		}
	}
	var (
		findings []Finding[PK, O]
		holders  = map[PK]O{}
	)
	for item, err := range u.table.Scan().Filter(u.all()).Consistent().All(ctx) {
		if err != nil {
			return nil, err
		}
		key, holder := u.table.KeyOf(&item), u.ownerOf(&item)
		if byKey[key] == nil {
			findings = append(findings, Finding[PK, O]{Kind: Orphaned, Key: key, Holder: holder})
			continue
		}
		holders[key] = holder
	}
	for _, key := range keys {
		holder, held := holders[key]
		for _, c := range byKey[key] {
			f := Finding[PK, O]{Kind: Missing, Key: key, Claim: c, Holder: holder}
			switch {
			case held && holder == c.Owner:
				continue
			case len(byKey[key]) > 1:
				f.Kind = Contested
			case held:
				f.Kind = Foreign
			}
			findings = append(findings, f)
		}
	}
	return findings, nil
}

// TxRepair repairs one finding in a transaction, if the reservation has not changed since. Otherwise it fails with [ErrTaken] or
// [ErrNotReserved]. If items of owners may be written at the same time, add a check that the finding is still true:
//
//	err := ddb.Transact(ctx, client, emails.TxRepair(f),
//		users.TxCheck(f.Claim.Owner, userEmail.Eq(f.Claim.Value)))       // missing, foreign
//	err := ddb.Transact(ctx, client, emails.TxRepair(f),
//		users.TxCheck(f.Holder, userVersion.Eq(u.Version)))              // orphaned; u does not have the value
//
// [Contested] findings are rejected.
func (u *Values[T, PK, O]) TxRepair(f Finding[PK, O]) ddb.TxOp {
	if err := u.usable(); err != nil {
		return rejected(err)
	}
	var err error
	if !strings.HasPrefix(string(f.Key), u.prefix) {
		err = fmt.Errorf("field %s: the finding is of another field", u.field)
	}
	const verb = "Repair"
	switch f.Kind {
	case Missing:
		return u.reserve(verb, f.Key, f.Claim.Scope, f.Claim.Owner, err)
	case Foreign:
		either := ddb.Or(u.ownedBy(f.Holder), u.ownedBy(f.Claim.Owner))
		op := u.table.TxUpdate(f.Key, ddb.Named[T](u.owner).Set(f.Claim.Owner), ddb.If(either))
		return ddb.TxCompose(verb, u.notReserved(f.Claim.Scope), err, op)
	case Orphaned:
		return ddb.TxCompose(verb, u.notReserved(""), err, u.table.TxDelete(f.Key, ddb.If(u.ownedBy(f.Holder))))
	}
	err = errors.Join(err, fmt.Errorf("field %s: a finding of kind %q cannot be repaired", u.field, f.Kind))
	return ddb.TxCompose(verb, nil, err, u.table.TxDelete(f.Key))
}

// Repair repairs the findings of the allowed kinds one by one, and returns how many it has repaired. Use it only while no items
// of owners are written; see [Values.TxRepair].
//
//	n, err := emails.Repair(ctx, findings, unique.Missing, unique.Orphaned)
//
// Findings that are no longer true are left unchanged, and the error names them by their index. Any other failure ends the call.
// A call without an allowed kind, or with [Contested], is rejected.
func (u *Values[T, PK, O]) Repair(ctx context.Context, findings []Finding[PK, O], allowed ...FindingKind) (repaired int, err error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	var errs []error
	if len(allowed) == 0 {
		errs = append(errs, errors.New("no kind of finding is allowed; name those to be repaired"))
	}
	for _, kind := range allowed {
		if kind != Missing && kind != Foreign && kind != Orphaned {
			errs = append(errs, fmt.Errorf("findings of kind %q cannot be repaired", kind))
		}
	}
	if err := invalid(errs...); err != nil {
		return 0, u.opError("Repair", err)
	}
	for i, f := range findings {
		if !slices.Contains(allowed, f.Kind) {
			continue
		}
		err := ddb.Transact(ctx, u.client, u.TxRepair(f))
		if err == nil {
			repaired++
			continue
		}
		errs = append(errs, fmt.Errorf("finding %d (%s): %w", i, f.Kind, err))
		if !errors.Is(err, ErrTaken) && !errors.Is(err, ErrNotReserved) {
			break
		}
	}
	return repaired, errors.Join(errs...)
}

// opError returns err with the name of the operation and the table.
func (u *Values[T, PK, O]) opError(op string, err error) error {
	if _, ok := errors.AsType[*ddb.OpError](err); ok {
		return err
	}
	return &ddb.OpError{Op: op, Table: u.table.Name(), Err: err}
}

// ofClaim returns the problems of a claim, each with the index of the claim.
func ofClaim(i int, err error) []error {
	var all []error
	for _, e := range splitErrors(err) {
		all = append(all, fmt.Errorf("claim %d: %w", i, e))
	}
	return all
}
