package grant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
)

// Get reads a grant as it is stored, also if it has expired or is revoked: to decide, use
// [Store.Check]. The error matches [ErrNotFound] if there is none. The read is consistent.
func (s *Store) Get(ctx context.Context, key Key) (Grant, error) {
	g, err := s.current(ctx, key)
	if err == nil && g == nil {
		err = ErrNotFound
	}
	if err != nil {
		return Grant{}, failed("Get", err)
	}
	return *g, nil
}

// Save stores a grant under the mode's condition and writes an entry of its history in the
// same transaction. It returns the grant as it is stored, with its new revision; Rev and
// Revoked of the argument are ignored. The revision goes on after deletions, by
// [Store.Delete] or by time to live.
//
// If the mode does not admit it, the error is a [*ConflictError] with the grant that is
// stored. An error that matches [ddb.ErrOutcomeUnknown] is the only one after which it
// may be stored; the history tells.
//
// It costs two read units and at least 4 write units, and 4 more for the indexes.
func (s *Store) Save(ctx context.Context, g Grant, mode Mode) (Grant, error) {
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
		err3 = errors.New("the grant does not say by whom (GrantedBy)")
	}
	return refuse(err1, err2, err3)
}

// Revoke ends a grant and keeps it, with who did it, when and why, as a new revision with
// an entry of its history in the same transaction. It returns the grant as it is stored. A
// grant that is revoked already stays as it is, which is no error; one that has expired
// is revoked as any. The error matches [ErrNotFound] if there is none.
//
// From a nil error on, no Check that begins later allows by the grant.
func (s *Store) Revoke(ctx context.Context, key Key, act Act) (Grant, error) {
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

// Delete removes a grant, with an entry of its history in the same transaction: [Store.Revoke]
// without what Get and the lists would show. The history stays; [Store.Erase] removes it
// too. The error matches [ErrNotFound] if there is none.
func (s *Store) Delete(ctx context.Context, key Key, act Act) error {
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

// act completes an act and refuses one that names nobody.
func (s *Store) act(a Act) (Act, error) {
	var errs []error
	if a.By == "" {
		errs = append(errs, errors.New("the act does not say by whom (By)"))
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
	next   Grant // as it is to be, or as it was if it is to be removed
	remove bool
	event  Event
	act    Act
}

// maxTries is how often a change is begun anew because another one came between. Each
// time another change was done, so that this is far above any honest contention.
const maxTries = 100

// change reads a grant, lets decide say what is to become of it, and commits that with an
// entry of the history, again if another change came between. A nil step leaves it.
func (s *Store) change(ctx context.Context, key Key, decide func(current *Grant) (*step, error)) (Grant, error) {
	var last error
	for range maxTries {
		current, err := s.current(ctx, key)
		if err != nil {
			return Grant{}, err
		}
		todo, err := decide(current)
		if err != nil {
			return Grant{}, err
		}
		if todo == nil {
			return *current, nil
		}
		if err = s.number(ctx, current, todo); err != nil {
			return Grant{}, err
		}
		err = s.commit(ctx, current, todo)
		if err == nil {
			return todo.next, nil
		}
		if !errors.Is(err, ddb.ErrConditionFailed) {
			return Grant{}, err
		}
		last = err
	}
	return Grant{}, errors.Join(ErrContended, last)
}

// current is the grant that is stored; nil if there is none.
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

// number gives the step its revision: one more than the last, also if that is only in the history.
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
		// By the key, which counts even where the rest of the row is damaged.
		var last historySort
		if err := historySorts.Parse([]byte(r.Sort), &last); err != nil {
			return fmt.Errorf("%w: its key: %w", ErrUnreadable, err)
		}
		todo.next.Rev = last.Rev + 1
		break
	}
	return nil
}

// commit writes a step and its entry in the history, if the grant is still as it was read.
func (s *Store) commit(ctx context.Context, current *Grant, todo *step) error {
	id := rand.Text()
	changes, entry, err := s.changes(current, todo, id)
	if err != nil {
		return err
	}
	err = s.rows.commit(ctx, changes)
	if errors.Is(err, ddb.ErrOutcomeUnknown) {
		// Nobody else writes our id, and no revision is used twice.
		got, err2 := s.rows.get(ctx, entry)
		if err2 == nil && got.Found && got.Item.ChangeID == id {
			return nil
		}
	}
	return err
}

// changes are the writes of a step; entry is the key of its entry in the history.
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

// Erase removes a grant and all of its history, as if there had never been one, whether
// the rows can be read or not. Revisions begin at 1 again: do not erase what others may
// hold a revision of. What does not exist is no error.
func (s *Store) Erase(ctx context.Context, key Key) error {
	return failed("Erase", s.erase(ctx, key))
}

func (s *Store) erase(ctx context.Context, key Key) error {
	k, err := key.rowKey()
	if err != nil {
		return err
	}
	// The grant first: what is left after an error is a history and allows nothing.
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
