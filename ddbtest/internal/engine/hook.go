// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Hooks let other packages observe an engine and interfere with it.
// Every field may be nil. They are called from many goroutines.
type Hooks struct {
	// Commit is called for every committed change of an item, after the change
	// and before anyone can see it, in the order of the changes of that item.
	// It runs under the lock of the item's partition: it must be quick and must
	// not call the engine.
	Commit func(*Change)
	// Admit is called before the engine reads or writes an item. An error
	// refuses the access: it is the answer of an operation on one item or
	// index, it leaves a member of a batch unprocessed, and it cancels a
	// transaction with the corresponding reason.
	Admit func(context.Context, Access) error
	// Prepared is called when a TransactWriteItems has claimed its items and
	// not yet written them. Until it returns, any other write to these items
	// fails with a conflict.
	Prepared func(context.Context, []Access)
	// TableChanged is called after a table was created, its stream was enabled or
	// disabled, or it was deleted.
	TableChanged func(*Table, TableEvent)
}

// Reason is the cause of a change.
type Reason uint8

// The reasons of a change.
const (
	ReasonWrite  Reason = iota + 1 // a request
	ReasonExpiry                   // its time to live
)

// Change is one committed change of one item.
type Change struct {
	Table  *Table
	Schema *Schema
	// Time is the engine's time of the change.
	Time   time.Time
	Reason Reason
	// Key holds the primary key of the item.
	Key value.Item
	// Old and New are the item before and after the change: Old is nil if the
	// item is new, New is nil if it was deleted. A write that changes nothing is
	// reported too; see Same.
	Old, New *storage.Item
}

// Same reports whether the item is the same before and after the change.
func (c *Change) Same() bool {
	if c.Old == nil || c.New == nil {
		return c.Old == c.New
	}
	if c.Old == c.New {
		return true
	}
	if c.Old.Size != c.New.Size {
		return false
	}
	before, err := decodeStored(c.Old)
	if err != nil {
		return false
	}
	after, err := decodeStored(c.New)
	return err == nil && value.EqualItems(before, after)
}

// AccessKind is what an access does.
type AccessKind uint8

// The kinds of access.
const (
	AccessRead AccessKind = iota + 1
	AccessWrite
	AccessCheck // the condition of a transaction
)

// Access is one access to one item, or to the items that a Query or Scan reads.
type Access struct {
	// Operation is the name of the API operation.
	Operation string
	Kind      AccessKind
	Table     *Table
	// Index is the name of the index that is read, or empty.
	Index string
	// Key is the primary key of the item; nil for a Query or Scan.
	Key value.Item
}

// TableEvent is what happened to a table.
type TableEvent uint8

// The events of a table.
const (
	TableCreated TableEvent = iota + 1
	TableStreamChanged
	TableDeleted
)

func (e *Engine) admit(ctx context.Context, a Access) error {
	if e.hooks.Admit == nil {
		return nil
	}
	return e.hooks.Admit(ctx, a)
}

func (e *Engine) tableChanged(t *Table, event TableEvent) {
	if e.hooks.TableChanged != nil {
		e.hooks.TableChanged(t, event)
	}
}
