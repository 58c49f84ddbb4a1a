// SPDX-License-Identifier: Apache-2.0

package core

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/proof"
	"github.com/dynamotable/ddb/revision"
)

// stored is an item as it was read or returned with a refusal. Package proof decides what it proves.
type stored struct {
	item      map[string]types.AttributeValue // nil for no item
	revision  revision.Revision
	tombstone bool // of a deleted item
}

// exists reports whether there is an item that readers see.
func (s stored) exists() bool { return len(s.item) > 0 && !s.tombstone }

func stateOf(s stored) proof.State[revision.Tag] {
	return proof.State[revision.Tag]{Stored: len(s.item) > 0, Revision: tagsOf(s.revision)}
}

// tags returns the tags of the revision.
func tagsOf(r revision.Revision) proof.Revision[revision.Tag] {
	return proof.Revision[revision.Tag]{Tags: r.Tags[:], First: r.First}
}

// storedState reads the state out of an item.
func (c *Table) storedState(item map[string]types.AttributeValue) stored {
	s := stored{item: item}
	if c.revision != nil {
		s.revision = revisionOf(item[c.revision.Path()[0].Name])
	}
	s.tombstone = c.isTombstone(item)
	return s
}

// prove returns what an item proves about a write that was prepared on base and whose requests had the tags.
func (c *Table) prove(base stored, tags []revision.Tag, now stored) proof.Evidence {
	return proof.Of(stateOf(base), tags, stateOf(now), c.tombstones != nil)
}
