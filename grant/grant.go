// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"errors"
	"time"
)

// Grant is the permission of a user to do something in a tenant, with its time and who granted it.
type Grant struct {
	Key
	// FullName is the user's name, for people. It has no effect on decisions.
	FullName string `json:"full_name,omitempty"`
	// GrantedBy is who granted it; never empty.
	GrantedBy string `json:"granted_by"`
	// GrantedAt is when it was granted; Save sets it to the time of the clock if it is zero. It has no effect on decisions.
	GrantedAt time.Time `json:"granted_at"`
	// ExpiresAt is the first instant at which the grant is no longer active, to the
	// nanosecond; zero means never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Revoked is who revoked the grant, when and why; nil if it is not revoked.
	// Save ignores it: a saved grant is not revoked.
	Revoked *Act `json:"revoked,omitempty"`
	// Rev counts the changes of the grant, from 1. Save sets it.
	Rev int64 `json:"rev"`
}

// Act is who did something, when and why.
type Act struct {
	By string `json:"by"`
	// At is set to the time of the clock if it is zero.
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Active reports whether the grant is active at a time: it is not revoked, and the time is before
// ExpiresAt. The zero Grant is never active.
func (g *Grant) Active(now time.Time) bool { return g != nil && g.reason(now) == Granted }

// Expired reports whether the grant has expired at a time.
func (g *Grant) Expired(now time.Time) bool {
	return g != nil && !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt)
}

// reason returns the decision of a grant about its own key at a time.
func (g *Grant) reason(now time.Time) Reason {
	switch {
	case g.Rev < 1:
		return NoGrant
	case g.Revoked != nil:
		return Revoked
	case g.Expired(now):
		return Expired
	}
	return Granted
}

// Mode is the condition that a Save puts on the stored grant. The zero Mode is refused.
type Mode struct {
	kind modeKind
	rev  int64
}

type modeKind int8

const (
	modeUnset modeKind = iota
	modeAbsent
	modeUpsert
	modeRevision
)

// IfAbsent saves only if there is no grant with the key, not even a revoked or
// expired one.
func IfAbsent() Mode { return Mode{kind: modeAbsent} }

// Upsert saves whatever is stored. If the stored grant is revoked, this is a new grant with a
// new revision; the revocation stays in the history.
func Upsert() Mode { return Mode{kind: modeUpsert} }

// IfRevision saves only if the stored grant has the revision; zero means the same as [IfAbsent].
func IfRevision(rev int64) Mode { return Mode{modeRevision, rev} }

// admits reports whether the mode allows a grant to replace the stored one.
func (m Mode) admits(current *Grant) bool {
	switch m.kind {
	case modeAbsent:
		return current == nil
	case modeUpsert:
		return true
	case modeRevision:
		return current == nil && m.rev == 0 || current != nil && m.rev == current.Rev
	}
	return false
}

func (m Mode) problem() error {
	switch {
	case m.kind == modeUnset:
		return errors.New("the mode is not set; use IfAbsent, Upsert or IfRevision")
	case m.rev < 0:
		return errors.New("IfRevision: the revision is negative")
	}
	return nil
}
