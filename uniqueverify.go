// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// UniqueClaim is a value that an owner has, as its own item says.
type UniqueClaim[O comparable] struct {
	Scope, Value string
	Owner        O
}

// UniqueFinding is a reservation that does not agree with the claims; see [Unique.Verify].
type UniqueFinding[PK ~string, O comparable] struct {
	Kind FindingKind
	// Key is the reservation's.
	Key PK
	// Claim is the zero value if Kind is ReservationOrphaned.
	Claim UniqueClaim[O]
	// Holder is the owner whom the reservation names, the zero value if there is none.
	Holder O
}

// String tells the kind, but neither value nor owner.
func (f UniqueFinding[PK, O]) String() string { return string(f.Kind) + " reservation" }

// FindingKind is what is wrong with a reservation.
type FindingKind string

const (
	// ReservationMissing means that an owner has the value, but nobody has reserved it. Repair reserves it.
	ReservationMissing FindingKind = "missing"
	// ReservationForeign means that one owner has the value, but it is reserved for another who does not
	// have it. Repair gives it to the owner who has it.
	ReservationForeign FindingKind = "foreign"
	// ReservationOrphaned means that the value is reserved, but no owner has it. Repair releases it.
	ReservationOrphaned FindingKind = "orphaned"
	// ReservationContested means that several owners have the value; there is a finding for each to whom it is
	// not reserved. No repair: somebody has to decide whose it is, and change the others' items.
	ReservationContested FindingKind = "contested"
)

// Verify compares the reservations of the field, in all scopes, with what the owners'
// items say:
//
//	findings, err := emails.Verify(ctx, func(yield func(ddb.UniqueClaim[string], error) bool) {
//		for u, err := range users.Scan().Consistent().All(ctx) {
//			if !yield(ddb.UniqueClaim[string]{Scope: u.Tenant, Value: u.Email, Owner: u.ID}, err) {
//				return
//			}
//		}
//	})
//
// The claims must be complete, or reservations look orphaned. An error among them ends
// the call, and claims with an empty value are left out. It changes nothing, keeps all
// claims in memory, and reads the whole table of the reservations once, consistently.
//
// Claims and reservations are read at different times. Where there are writes meanwhile,
// a finding is a suspicion only: verify again, or repair with a check, see [Unique.TxRepair].
func (u *Unique[T, PK, O]) Verify(ctx context.Context, claims iter.Seq2[UniqueClaim[O], error]) ([]UniqueFinding[PK, O], error) {
	if err := u.usable(); err != nil {
		return nil, err
	}
	if claims == nil {
		return nil, opError("Verify", u.table.core.name, "", invalid(errors.New("the claims are nil")))
	}
	byKey := map[PK][]UniqueClaim[O]{}
	var keys []PK // in the order of the claims
	n := 0
	for c, err := range claims {
		if err != nil {
			return nil, opError("Verify", u.table.core.name, "", fmt.Errorf("reading the claims: %w", err))
		}
		if c.Value == "" {
			continue
		}
		key, err := u.claimKey(c.Scope, c.Value, c.Owner)
		if err != nil {
			return nil, opError("Verify", u.table.core.name, "", invalid(inputError("claim", n, err)...))
		}
		n++
		same := byKey[key]
		if same == nil {
			keys = append(keys, key)
		}
		if !slices.ContainsFunc(same, func(o UniqueClaim[O]) bool { return o.Owner == c.Owner }) {
			byKey[key] = append(same, c)
		}
	}
	var (
		findings []UniqueFinding[PK, O]
		holders  = map[PK]O{}
	)
	for item, err := range u.table.Scan().Filter(u.all()).Consistent().All(ctx) {
		if err != nil {
			return nil, err
		}
		key, holder := u.keyOf(&item), u.ownerOf(&item)
		if byKey[key] == nil {
			findings = append(findings, UniqueFinding[PK, O]{Kind: ReservationOrphaned, Key: key, Holder: holder})
			continue
		}
		holders[key] = holder
	}
	for _, key := range keys {
		holder, held := holders[key]
		for _, c := range byKey[key] {
			f := UniqueFinding[PK, O]{Kind: ReservationMissing, Key: key, Claim: c, Holder: holder}
			switch {
			case held && holder == c.Owner:
				continue
			case len(byKey[key]) > 1:
				f.Kind = ReservationContested
			case held:
				f.Kind = ReservationForeign
			}
			findings = append(findings, f)
		}
	}
	return findings, nil
}

// TxRepair repairs one finding in a transaction, if the reservation still is as it was
// found; otherwise it fails with [ErrTaken] or [ErrNotReserved]. Where the owners' items
// are written meanwhile, give it a check that the finding is still true:
//
//	err := ddb.Transact(ctx, client, emails.TxRepair(f),
//		users.TxCheck(f.Claim.Owner, userEmail.Eq(f.Claim.Value)))       // missing, foreign
//	err := ddb.Transact(ctx, client, emails.TxRepair(f),
//		users.TxCheck(f.Holder, userVersion.Eq(u.Version)))              // orphaned; u does not have the value
//
// [ReservationContested] findings are refused.
func (u *Unique[T, PK, O]) TxRepair(f UniqueFinding[PK, O]) TxOp {
	return u.op(func(tx *transaction) {
		var err error
		if !strings.HasPrefix(string(f.Key), u.prefix) {
			err = fmt.Errorf("field %s: the finding is of another field", u.field)
		}
		switch f.Kind {
		case ReservationMissing:
			u.add(tx, "Repair", u.reserveKey(f.Key, f.Claim.Owner), err, func(cause error) error {
				return &TakenError{Field: u.field, Scope: f.Claim.Scope, cause: cause}
			})
		case ReservationForeign:
			as := Or(u.ownedBy(f.Holder), u.ownedBy(f.Claim.Owner))
			u.add(tx, "Repair", u.table.TxUpdate(f.Key, Change[T]{set(u.owner, &f.Claim.Owner)}, If(as)), err, u.lost(f.Claim.Scope))
		case ReservationOrphaned:
			u.add(tx, "Repair", u.table.TxDelete(f.Key, If(u.ownedBy(f.Holder))), err, u.lost(""))
		default:
			u.add(tx, "Repair", nil, errors.Join(err, fmt.Errorf("field %s: a finding of kind %q cannot be repaired", u.field, f.Kind)), nil)
		}
	})
}

// Repair repairs the findings of the kinds that are allowed, one by one, and tells how
// many it has repaired. Only use it while nobody writes owners' items; see [Unique.TxRepair].
//
//	n, err := emails.Repair(ctx, findings, ddb.ReservationMissing, ddb.ReservationOrphaned)
//
// Findings that are no longer true are left unchanged and named in the error by their
// index; any other failure ends the call. Without an allowed kind it is refused, and so is [ReservationContested].
func (u *Unique[T, PK, O]) Repair(ctx context.Context, findings []UniqueFinding[PK, O], allowed ...FindingKind) (repaired int, err error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	var errs []error
	if len(allowed) == 0 {
		errs = append(errs, errors.New("no kind of finding is allowed; name those to be repaired"))
	}
	for _, kind := range allowed {
		if kind != ReservationMissing && kind != ReservationForeign && kind != ReservationOrphaned {
			errs = append(errs, fmt.Errorf("findings of kind %q cannot be repaired", kind))
		}
	}
	if err := invalid(errs...); err != nil {
		return 0, opError("Repair", u.table.core.name, "", err)
	}
	for i, f := range findings {
		if !slices.Contains(allowed, f.Kind) {
			continue
		}
		err := Transact(ctx, u.table.core.client, u.TxRepair(f))
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
