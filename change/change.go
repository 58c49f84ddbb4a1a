// SPDX-License-Identifier: Apache-2.0

package change

import (
	"cmp"
	"strings"
	"time"
)

// Kind is what happened to an item.
type Kind string

// The kinds of changes, with the service's names.
const (
	Insert Kind = "INSERT" // there was no item with this key
	Modify Kind = "MODIFY" // an item was replaced or updated
	Remove Kind = "REMOVE" // an item was deleted
)

// Change is one change of an item of type T. A write that does not
// change an item makes no change.
//
// The view type of the stream (schema.Stream when the table is created) determines which images a change
// has: with NEW_AND_OLD_IMAGES an Insert has New, a Remove has Old, a Modify both.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
type Change[T any] struct {
	Kind Kind
	// Keys is an item with only the key attributes. It is set for every view type of the stream.
	Keys T
	// Old is the item before the change: nil for an Insert, and if the stream has no old images.
	Old *T
	// New is the item after the change: nil for a Remove, and if the stream has no new images.
	New *T
	// Shard is the shard of the stream. It is empty for changes from Lambda and Kinesis, which do not report it.
	Shard string
	// Seq orders the changes of an item. It is empty for changes from Kinesis.
	Seq Seq
	// EventID is the service's id of the change. It is the same when the change is delivered again.
	EventID string
	// ApproxTime is approximately when it happened, by the service's clock; streams round it to seconds.
	// Do not use it to order changes.
	ApproxTime time.Time
	// TTLExpired marks a Remove by the service because the item's time to live had passed.
	// Removals that were replicated from another Region are not marked.
	TTLExpired bool
}

// Image returns the newest image of the item in the change: New, or else Old. It is nil
// if the stream has only keys.
func (c *Change[T]) Image() *T {
	if c == nil {
		return nil
	}
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// Seq is the sequence number of a change: a decimal number of up to 40 digits. Numbers increase within
// a shard and its descendants, and so for one item; others are not comparable.
type Seq string

// Compare returns a negative number if s comes before other, a positive one if it comes after, and zero if they
// are the same. An empty Seq comes first.
func (s Seq) Compare(other Seq) int {
	a, b := strings.TrimLeft(string(s), "0"), strings.TrimLeft(string(other), "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// After reports whether s comes after other.
func (s Seq) After(other Seq) bool { return s.Compare(other) > 0 }
