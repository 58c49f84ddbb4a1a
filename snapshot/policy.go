// SPDX-License-Identifier: Apache-2.0

package snapshot

import "time"

// Progress is the input of a policy.
type Progress struct {
	// Version is the version of the state, LastVersion that of the newest known snapshot, 0 if there is none.
	Version, LastVersion int64
	// Age is the time since the newest snapshot was taken, 0 if there is none.
	Age time.Duration
	// Size is the size of the encoded state in bytes. It is encoded only if a policy asks for the size.
	Size func() int
}

// Policy decides whether a snapshot is due. It is called only if the version is higher than that of the last snapshot.
type Policy func(p Progress) bool

// EveryN takes a snapshot when at least n events followed the last one.
func EveryN(n int64) Policy {
	return func(p Progress) bool { return p.Version-p.LastVersion >= n }
}

// OlderThan takes a snapshot when the last one is older, or if there is none.
func OlderThan(d time.Duration) Policy {
	return func(p Progress) bool { return p.LastVersion == 0 || p.Age > d }
}

// LargerThan takes a snapshot when the encoded state has more bytes. Small states are quickly folded again.
func LargerThan(bytes int) Policy {
	return func(p Progress) bool { return p.Size != nil && p.Size() > bytes }
}

// Any takes a snapshot when one of the policies does.
func Any(policies ...Policy) Policy {
	return func(p Progress) bool {
		for _, policy := range policies {
			if policy != nil && policy(p) {
				return true
			}
		}
		return false
	}
}

// All takes a snapshot when all of the policies do.
func All(policies ...Policy) Policy {
	return func(p Progress) bool {
		for _, policy := range policies {
			if policy == nil || !policy(p) {
				return false
			}
		}
		return len(policies) > 0
	}
}

// Never takes no snapshot.
func Never() Policy { return func(Progress) bool { return false } }

// Retention determines which snapshots of a stream are kept when a new one is saved. The newest is always kept.
type Retention struct {
	keep int // 0 means all
	ttl  time.Duration
}

// Persist keeps all snapshots for ever.
func Persist() Retention { return Retention{} }

// KeepLast keeps the newest n snapshots of a stream, at least one.
func KeepLast(n int) Retention { return Retention{keep: max(n, 1)} }

// Transient keeps only the newest snapshot: KeepLast(1).
func Transient() Retention { return KeepLast(1) }

// Expire lets DynamoDB delete snapshots, even the newest, some time after they have reached an age; expired ones are no longer loaded. It applies
// in addition to the other rules of the retention.
func (r Retention) Expire(after time.Duration) Retention {
	r.ttl = after
	return r
}
