// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Event is the kind of a change of a grant.
type Event string

// The events of a history.
const (
	EventGranted   Event = "granted"   // saved when there was none
	EventRegranted Event = "regranted" // saved in place of another one, which may have been revoked
	EventRevoked   Event = "revoked"
	EventDeleted   Event = "deleted" // by Delete; deletion by time to live leaves no entry
)

// Entry is one change of a grant in its history.
type Entry struct {
	Event Event `json:"event"`
	// Act is who did it, when and why; for the events of Save, GrantedBy and the time of the clock.
	Act Act `json:"act"`
	// Grant is the grant after the change, or before a deletion, with the revision of the change.
	Grant Grant `json:"grant"`
}

// History yields all changes of a grant, the oldest first, even after the
// grant was deleted. The read is consistent. At most one error is yielded, last.
func (s *Store) History(ctx context.Context, key Key) iter.Seq2[Entry, error] {
	if err := s.usable(); err != nil {
		return failing[Entry](err)
	}
	return func(yield func(Entry, error) bool) {
		_, err := key.rowKey()
		if err == nil {
			var prefix string
			if prefix, err = key.historyPrefix(); err == nil {
				for r, err2 := range s.rows.prefix(ctx, key.Tenant.text, prefix, false) {
					var e Entry
					if err = err2; err == nil {
						e, err = r.entry(key)
					}
					if err != nil {
						break
					}
					if !yield(e, nil) {
						return
					}
				}
			}
		}
		if err != nil {
			yield(Entry{}, failed("History", err))
		}
	}
}

// historyRow returns a step as it is stored.
func historyRow(todo *step, id string) (row, error) {
	k, err := todo.next.historyKey(todo.next.Rev)
	r := row{
		Tenant: k.tenant, Sort: k.sort, Event: string(todo.event), ChangeID: id,
		ActBy: todo.act.By, ActAt: todo.act.At, ActFor: todo.act.Reason,
	}
	r.setGrant(&todo.next)
	return r, err
}

// entry reads the row of a history.
func (r *row) entry(key Key) (Entry, error) {
	k, err := key.historyKey(r.Rev)
	if err != nil || k != r.key() {
		return Entry{}, errors.Join(fmt.Errorf("%w: its revision differs from that of its key", ErrUnreadable), err)
	}
	g, err := r.grantOf(key)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Event(r.Event), Act{r.ActBy, r.ActAt, r.ActFor}, g}, nil
}
