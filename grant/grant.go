// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"errors"
	"time"
)

// Grant says that a user may do something in a tenant, from when, until when, and by whom.
type Grant struct {
	Key
	// FullName is the user's name for people to read. It decides nothing.
	FullName string `json:"full_name,omitempty"`
	// GrantedBy is who granted it; never empty.
	GrantedBy string `json:"granted_by"`
	// GrantedAt is when; Save sets it to the time of the clock if it is zero. It decides nothing.
	GrantedAt time.Time `json:"granted_at"`
	// ExpiresAt is the first instant at which the grant no longer holds, to the
	// nanosecond; zero is never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Revoked says who revoked the grant, when and why; nil if it is not revoked.
	// Save ignores it: what it saves is not revoked.
	Revoked *Act `json:"revoked,omitempty"`
	// Rev counts the changes of the grant, from 1 on. Save sets it.
	Rev int64 `json:"rev"`
}

// Act is who did something, when and why.
type Act struct {
	By string `json:"by"`
	// At is set to the time of the clock if it is zero.
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Active reports whether the grant holds at a time: not revoked, and the time is before
// ExpiresAt. The zero Grant is never active.
func (g *Grant) Active(now time.Time) bool { return g != nil && g.reason(now) == Granted }

// Expired reports whether the grant has expired at a time.
func (g *Grant) Expired(now time.Time) bool {
	return g != nil && !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt)
}

// reason tells what a grant says at a time about its own key.
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

// Mode says what has to be stored before a Save. The zero Mode is refused.
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

// IfAbsent saves only where there is no grant with the key, not even a revoked or
// expired one.
func IfAbsent() Mode { return Mode{kind: modeAbsent} }

// Upsert saves whatever there is. Over a revoked grant this is a new grant with a
// revision of its own; the revocation stays in the history.
func Upsert() Mode { return Mode{kind: modeUpsert} }

// IfRevision saves only in place of the grant with the revision; zero means the same as [IfAbsent].
func IfRevision(rev int64) Mode { return Mode{modeRevision, rev} }

// admits reports whether the mode lets a grant be saved over the one stored.
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
