// SPDX-License-Identifier: Apache-2.0

// Package proof implements the rule for what a stored item proves about a write.
//
// A write is reported as done only if a reply says so, or the stored item has its tag. It is reported as a
// failed condition only if none of its requests can have been applied, now or later. Everything else is unknown. Equal
// content, equal version numbers and an absent item prove nothing, since another call can have produced them.
//
// Only a revision is evidence: each write gives the item a random tag of its own, keeps the tags of the writes before,
// and applies only to the revision that it was prepared on. docs/guarantees.md has the rule verb by verb.
package proof

// Revision identifies the last writes of an item by their tags.
type Revision[T comparable] struct {
	Tags  []T // newest first; the zero tag identifies no write
	First T   // of the first write of all, zero if it is not known
}

// IsZero reports whether the item was never stored, or has no revision.
func (r Revision[T]) IsZero() bool {
	var none T
	return len(r.Tags) == 0 || r.Tags[0] == none
}

// Place returns the position of the tag, with the newest at 0 and the first write of all after the others, or -1.
func (r Revision[T]) Place(tag T) int {
	var none T
	if tag == none {
		return -1
	}
	for i, have := range r.Tags {
		if have == tag {
			return i
		}
	}
	if r.First == tag {
		return len(r.Tags)
	}
	return -1
}

// State is an item as it was read or returned with a refusal.
type State[T comparable] struct {
	Stored   bool // there is an item, which may be a tombstone
	Revision Revision[T]
}

// Evidence is what a stored item proves about a write.
type Evidence uint8

const (
	// Nothing is proven: the item shows neither that the write was applied nor that it cannot be.
	Nothing Evidence = iota
	// Applied is proven: the item has the tag of the write.
	Applied
	// Superseded is proven: another write took the place of ours. Since tags never repeat, ours was not applied and never
	// will be, however late its requests arrive.
	Superseded
	// Pending is proven: the item is still what the write was prepared on. The same request, or an earlier one that is
	// late, can apply. It was not applied so far, unless nothing is stored and deletes leave nothing: then it may have been
	// applied and deleted since.
	Pending
)

// Of returns what the current state proves about a write that was prepared on base and whose requests had the tags. lasting
// means that a delete leaves a tombstone, so that the tags outlive the item.
func Of[T comparable](base State[T], tags []T, now State[T], lasting bool) Evidence {
	var none T
	for _, tag := range tags {
		if now.Revision.Place(tag) >= 0 {
			return Applied
		}
	}
	if base.Revision.IsZero() {
		switch {
		case !base.Stored && !now.Stored:
			return Pending
		case lasting && !base.Stored && now.Revision.First != none:
			return Superseded // ours could only have been the first write of all, which was another's
		}
		return Nothing
	}
	// Behind the base's tag all later writes are named, unless only First still names it: then ours may be among those
	// that were dropped.
	switch place := now.Revision.Place(base.Revision.Tags[0]); {
	case place == 0:
		return Pending
	case place > 0 && place < len(now.Revision.Tags):
		return Superseded
	}
	return Nothing
}
