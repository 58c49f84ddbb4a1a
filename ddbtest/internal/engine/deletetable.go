// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"
)

// DeleteTable removes the table with a name and all its items.
func (e *Engine) DeleteTable(_ context.Context, name *string) (*TableDescription, error) {
	t, err := e.describedTable(name)
	if err != nil {
		return nil, err
	}
	now := e.clock.Now()
	t.mu.Lock()
	t.catchUp(now)
	if err := t.deletable(now); err != nil {
		t.mu.Unlock()
		return nil, err
	}
	t.deletedAt.Store(now.Add(e.stateDelay).UnixNano())
	t.mu.Unlock()
	if e.stateDelay == 0 {
		e.lookup(t.name)
	}
	e.tableChanged(t, TableDeleted)
	return e.describe(t, statusDeleting).deleted(), nil
}

// deleted removes what the reply of DeleteTable lacks: the definitions of the table and its indexes.
//
// https://github.com/mhart/dynalite/issues/60, https://github.com/scylladb/scylladb/issues/14132
func (d *TableDescription) deleted() *TableDescription {
	return &TableDescription{
		TableName:                 d.TableName,
		TableStatus:               d.TableStatus,
		ProvisionedThroughput:     d.ProvisionedThroughput,
		TableSizeBytes:            d.TableSizeBytes,
		ItemCount:                 d.ItemCount,
		TableArn:                  d.TableArn,
		TableID:                   d.TableID,
		BillingModeSummary:        d.BillingModeSummary,
		TableClassSummary:         d.TableClassSummary,
		DeletionProtectionEnabled: d.DeletionProtectionEnabled,
	}
}

// deletable returns an error if the table is changing or
// protected against deletion. The caller holds mu.
func (t *Table) deletable(now time.Time) error {
	if t.settings.protected {
		return invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	status := t.status(now)
	if status == statusCreating || status == statusDeleting {
		return t.changeable(status)
	}
	for _, x := range t.Schema().Indexes {
		if x.status(now) != statusActive {
			return inUse("Cannot delete table while indexes are being created, updated, or deleted.")
		}
	}
	for _, x := range t.Schema().vectors {
		if now.Before(x.readyAt) {
			return inUse("Cannot delete table while indexes are being created, updated, or deleted.")
		}
	}
	if status == statusUpdating {
		return inUse("Table: " + t.name + " is in the process of being updated.")
	}
	return nil
}

func inUse(message string) error {
	return &Error{Type: ResourceInUseException, Message: "Attempt to change a resource which is still in use: " + message}
}

// changeable returns an error if the table is changing.
func (t *Table) changeable(status string) error {
	var doing string
	switch status {
	case statusCreating:
		doing = "created"
	case statusUpdating:
		doing = "updated"
	case statusDeleting:
		doing = "deleted"
	default:
		return nil
	}
	return inUse("Table is being " + doing + ": " + t.name)
}
