package ddb

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The rule of proof. A write is reported as done only if a reply says so, or the stored item
// names it. It is reported as a failed condition only if none of its requests can have been applied, now or
// later. Everything else is unknown. Equal content, equal version numbers and an absent item prove nothing, since another call
// can have produced them.
//
// Only a [Revision] is evidence: each write gives the item a random tag of its own, keeps the tags of the writes before,
// and applies only to the revision that it was prepared on. docs/guarantees.md has the rule verb by verb.

// evidence is what a stored item proves about a write.
type evidence uint8

const (
	// provesNothing: the item says neither that the write was applied nor that it cannot be.
	provesNothing evidence = iota
	// provesApplied: the item names the write.
	provesApplied
	// provesSuperseded: another write took the place that ours was meant for. Since tags never come back, ours
	// was not applied and never will be, however late its requests arrive.
	provesSuperseded
	// provesPending: the item is still what the write was prepared on. It was not applied so far, and
	// the same request, or an earlier one that is late, can apply once.
	provesPending
)

// stored is the state of an item, as it was read or came with a refusal.
type stored struct {
	item      map[string]types.AttributeValue // nil for no item
	revision  Revision
	tombstone bool // of a deleted item
}

// exists reports whether there is an item that readers see.
func (s stored) exists() bool { return len(s.item) > 0 && !s.tombstone }

// storedState reads the state out of an item.
func (c *core) storedState(item map[string]types.AttributeValue) stored {
	s := stored{item: item}
	if c.revision != nil {
		s.revision = revisionOf(item[c.revision.path[0].Name])
	}
	s.tombstone = c.isTombstone(item)
	return s
}

// prove says what the state proves about a write that was prepared on base and whose requests
// named themselves by the tags. lasting says that a delete leaves a tombstone, so that the tags outlive the item.
func prove(base stored, tags []Tag, now stored, lasting bool) evidence {
	for _, t := range tags {
		if now.revision.place(t) >= 0 {
			return provesApplied
		}
	}
	if base.revision.IsZero() {
		switch {
		case len(base.item) == 0 && len(now.item) == 0:
			return provesPending
		case lasting && len(base.item) == 0 && now.revision.First != Tag{}:
			return provesSuperseded // ours could only have been the first write of all, which was another's
		}
		return provesNothing
	}
	switch place := now.revision.place(base.revision.Tags[0]); {
	case place == 0:
		return provesPending
	case place > 0:
		return provesSuperseded
	}
	return provesNothing
}
