// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
)

// Get reads a grant as it is stored, even if it has expired or is revoked. For decisions use
// [Store.Check]. The error matches [ErrNotFound] if there is none. The read is consistent.
func (s *Store) Get(ctx context.Context, key Key) (Grant, error) {
	if err := s.usable(); err != nil {
		return Grant{}, err
	}
	g, err := s.current(ctx, key)
	if err == nil && g == nil {
		err = ErrNotFound
	}
	if err != nil {
		return Grant{}, failed("Get", err)
	}
	return *g, nil
}

// Save stores a grant under the mode's condition, and writes an entry of its history in the
// same transaction. It returns the grant as it is stored, with its new revision; Rev and
// Revoked of the argument are ignored. The revision continues after deletions, by
// [Store.Delete] or by time to live.
//
// If the mode's condition fails, the error is a [*ConflictError] with the stored
// grant. Only after an error that matches [ddb.ErrOutcomeUnknown] the grant may have been
// stored; the history shows whether it was.
//
// It costs two read units and at least 4 write units, and 4 more for the indexes.
func (s *Store) Save(ctx context.Context, g Grant, mode Mode) (Grant, error) {
	if err := s.usable(); err != nil {
		return Grant{}, err
	}
	now := s.time()
	if g.GrantedAt.IsZero() {
		g.GrantedAt = now
	}
	err := refuse(mode.problem(), g.normalize())
	if err != nil {
		return Grant{}, failed("Save", err)
	}
	g.Revoked = nil
	saved, err := s.change(ctx, g.Key, func(current *Grant) (*step, error) {
		if !mode.admits(current) {
			return nil, &ConflictError{current}
		}
		event := EventGranted
		if current != nil {
			event = EventRegranted
		}
		return &step{next: g, event: event, act: Act{By: g.GrantedBy, At: now}}, nil
	})
	return saved, failed("Save", err)
}

func (g *Grant) normalize() error {
	var err1, err2, err3 error
	g.GrantedAt, err1 = storable("GrantedAt", g.GrantedAt)
	if !g.ExpiresAt.IsZero() {
		g.ExpiresAt, err2 = storable("ExpiresAt", g.ExpiresAt)
	}
	if g.GrantedBy == "" {
		err3 = errors.New("the grant does not say who granted it (GrantedBy)")
	}
	return refuse(err1, err2, err3)
}

// Revoke ends a grant and keeps it, with who did it, when and why, as a new revision with
// an entry of its history in the same transaction. It returns the grant as it is stored. A revoked grant stays
// unchanged, without an error; an expired one
// is revoked like any other. The error matches [ErrNotFound] if there is none.
//
// After a nil error, no Check that begins later allows access by the grant.
func (s *Store) Revoke(ctx context.Context, key Key, act Act) (Grant, error) {
	if err := s.usable(); err != nil {
		return Grant{}, err
	}
	act, err := s.act(act)
	if err != nil {
		return Grant{}, failed("Revoke", err)
	}
	revoked, err := s.change(ctx, key, func(current *Grant) (*step, error) {
		switch {
		case current == nil:
			return nil, ErrNotFound
		case current.Revoked != nil:
			return nil, nil
		}
		next := *current
		next.Revoked = &act
		return &step{next: next, event: EventRevoked, act: act}, nil
	})
	return revoked, failed("Revoke", err)
}

// Delete removes a grant, and writes an entry of its history in the same transaction. Unlike after [Store.Revoke],
// Get and the lists no longer return the grant. The history stays; [Store.Erase] removes it
// too. The error matches [ErrNotFound] if there is none.
func (s *Store) Delete(ctx context.Context, key Key, act Act) error {
	if err := s.usable(); err != nil {
		return err
	}
	act, err := s.act(act)
	if err != nil {
		return failed("Delete", err)
	}
	_, err = s.change(ctx, key, func(current *Grant) (*step, error) {
		if current == nil {
			return nil, ErrNotFound
		}
		return &step{next: *current, remove: true, event: EventDeleted, act: act}, nil
	})
	return failed("Delete", err)
}

// act completes an act and refuses one without a name.
func (s *Store) act(a Act) (Act, error) {
	var errs []error
	if a.By == "" {
		errs = append(errs, errors.New("the act does not say who did it (By)"))
	}
	if a.At.IsZero() {
		a.At = s.time()
	}
	at, err := storable("At", a.At)
	a.At = at
	return a, refuse(append(errs, err)...)
}

// step is a change of one grant.
type step struct {
	next   Grant // the grant after the change, or before it for a removal
	remove bool
	event  Event
	act    Act
}

// maxTries is how often a change is tried again because another one came in between. Each
// time another change succeeded, so this is far above any real contention.
const maxTries = 100

// maxUnknownAttempts is how often a change is tried again because its reply was lost.
const maxUnknownAttempts = 5

// unknownAttempt is an attempt with an unknown outcome. Its entry in the history shows whether it was applied.
type unknownAttempt struct {
	entry rowKey
	next  Grant
	err   error
}

// change reads a grant, calls decide for the new state, and commits that with an
// entry of the history. It tries again if another change came in between or the reply was lost. A nil step changes nothing.
func (s *Store) change(ctx context.Context, key Key, decide func(current *Grant) (*step, error)) (Grant, error) {
	var (
		last   error
		doubts []unknownAttempt
		id     = rand.Text() // of this call: no other call writes it
	)
	for range maxTries {
		current, err := s.current(ctx, key)
		if err != nil {
			return Grant{}, withUnknown(doubts, err)
		}
		// After the read: an attempt that was not applied by then cannot be applied in addition to the next.
		if d, err := s.applied(ctx, doubts, id); d != nil || err != nil {
			if err != nil {
				return Grant{}, withUnknown(doubts, err)
			}
			return d.next, nil
		}
		todo, err := decide(current)
		if err != nil {
			return Grant{}, err
		}
		if todo == nil {
			return *current, nil
		}
		if err = s.number(ctx, current, todo); err != nil {
			return Grant{}, withUnknown(doubts, err)
		}
		changes, entry, err := s.changes(current, todo, id)
		if err != nil {
			return Grant{}, err
		}
		err = s.rows.commit(ctx, changes)
		switch {
		case err == nil:
			return todo.next, nil
		case errors.Is(err, ddb.ErrOutcomeUnknown):
			if doubts = append(doubts, unknownAttempt{entry, todo.next, err}); len(doubts) == maxUnknownAttempts || ctx.Err() != nil {
				return Grant{}, err
			}
		case !errors.Is(err, ddb.ErrConditionFailed):
			return Grant{}, withUnknown(doubts, err)
		}
		last = err
	}
	return Grant{}, errors.Join(ErrContended, last)
}

// applied returns the attempt that was applied, nil if none was so far.
func (s *Store) applied(ctx context.Context, doubts []unknownAttempt, id string) (*unknownAttempt, error) {
	for i, d := range doubts {
		got, err := s.rows.get(ctx, d.entry)
		if err != nil {
			return nil, err
		}
		if got.Found && got.Item.ChangeID == id {
			return &doubts[i], nil
		}
	}
	return nil, nil
}

// withUnknown adds to an error that an earlier attempt may have been applied.
func withUnknown(doubts []unknownAttempt, err error) error {
	if len(doubts) == 0 || errors.Is(err, ddb.ErrOutcomeUnknown) {
		return err
	}
	return fmt.Errorf("%w; before that: %w", err, doubts[len(doubts)-1].err)
}

// current returns the stored grant; nil if there is none.
func (s *Store) current(ctx context.Context, key Key) (*Grant, error) {
	k, err := key.rowKey()
	if err != nil {
		return nil, err
	}
	got, err := s.rows.get(ctx, k)
	if err != nil || !got.Found {
		return nil, err
	}
	g, err := got.Item.grantAt(k)
	if err != nil {
		return nil, err
	}
	return &g, nil
}

// number sets the revision of the step: one more than the last, even if that is only in the history.
func (s *Store) number(ctx context.Context, current *Grant, todo *step) error {
	if current != nil {
		todo.next.Rev = current.Rev + 1
		return nil
	}
	prefix, err := todo.next.historyPrefix()
	if err != nil {
		return err
	}
	todo.next.Rev = 1
	for r, err := range s.rows.prefix(ctx, todo.next.Tenant.text, prefix, true) {
		if err != nil {
			return err
		}
		// From the key, which is valid even if the rest of the row is damaged.
		var last historySort
		if err := historySorts.Parse([]byte(r.Sort), &last); err != nil {
			return fmt.Errorf("%w: its key: %w", ErrUnreadable, err)
		}
		todo.next.Rev = last.Rev + 1
		break
	}
	return nil
}

// changes returns the writes of a step; entry is the key of its entry in the history.
func (s *Store) changes(current *Grant, todo *step, id string) (changes []change, entry rowKey, err error) {
	k, err1 := todo.next.rowKey()
	h, err2 := historyRow(todo, id)
	r, err3 := grantRow(k, &todo.next, s.keep)
	if err := refuse(err1, err2, err3); err != nil {
		return nil, rowKey{}, err
	}
	c := change{put: &r}
	if todo.remove {
		c = change{remove: k}
	}
	if current != nil {
		c.rev = current.Rev
	}
	return []change{c, {put: &h}}, h.key(), nil
}

// Erase removes a grant and all of its history, as if it had never existed, whether
// the rows can be read or not. Revisions begin at 1 again: do not erase a grant if others may
// still use one of its revisions. Erasing a missing grant is not an error.
func (s *Store) Erase(ctx context.Context, key Key) error {
	if err := s.usable(); err != nil {
		return err
	}
	return failed("Erase", s.erase(ctx, key))
}

func (s *Store) erase(ctx context.Context, key Key) error {
	k, err := key.rowKey()
	if err != nil {
		return err
	}
	// The grant first: only history is left after an error, which allows nothing.
	if err := s.rows.deleteAll(ctx, []rowKey{k}); err != nil {
		return err
	}
	prefix, err := key.historyPrefix()
	if err != nil {
		return err
	}
	return s.deletePrefix(ctx, key.Tenant, prefix)
}

// deletePrefix deletes all rows of a tenant whose sort keys begin with a text.
func (s *Store) deletePrefix(ctx context.Context, tenant Tenant, prefix string) error {
	var keys []rowKey
	for r, err := range s.rows.prefix(ctx, tenant.text, prefix, false) {
		if err != nil {
			return err
		}
		keys = append(keys, r.key())
	}
	if len(keys) == 0 {
		return nil
	}
	return s.rows.deleteAll(ctx, keys)
}
