package engine

import "context"

// DeleteTable removes the table with a name and all its items.
func (e *Engine) DeleteTable(_ context.Context, name *string) (*TableDescription, error) {
	t, err := e.describedTable(name)
	if err != nil {
		return nil, err
	}
	now := e.clock.Now()
	t.mu.Lock()
	status := t.status(now)
	if err := t.changeable(status); err != nil {
		t.mu.Unlock()
		return nil, err
	}
	if t.settings.protected {
		t.mu.Unlock()
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	t.deletedAt.Store(now.Add(e.stateDelay).UnixNano())
	t.mu.Unlock()
	if e.stateDelay == 0 {
		e.lookup(t.name)
	}
	e.tableChanged(t, TableDeleted)
	d := e.describe(t, statusDeleting)
	return d, nil
}

// changeable returns the error for a change of a table that is changing.
func (t *Table) changeable(status string) error {
	doing := ""
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
	return &Error{
		Type:    ResourceInUseException,
		Message: "Attempt to change a resource which is still in use: Table is being " + doing + ": " + t.name,
	}
}
