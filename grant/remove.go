// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"

	"github.com/dynamotable/ddb"
)

// DeleteForUser deletes the grants of a user, active or not, in all tenants or in one
// ([Within]), of all types or of one ([OfType]), each as [Store.Delete] does, and returns
// how many there were. After an error some are deleted; calling again deletes the rest.
//
// In all tenants it finds them by an index: a grant that was saved a moment ago may be
// missed. With Within it misses none.
//
// It deletes 50 grants in a transaction, at 4 write units for each and 4 more for the indexes.
func (s *Store) DeleteForUser(ctx context.Context, user string, act Act, opts ...ListOption) (int, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	l, err := deletion(opts, notEmpty("user", user))
	if err == nil {
		act, err = s.act(act)
	}
	if err != nil {
		return 0, failed("DeleteForUser", err)
	}
	source, err := s.ofUser(ctx, user, l)
	if err != nil {
		return 0, failed("DeleteForUser", err)
	}
	n, err := s.deleteMany(ctx, source, act)
	return n, failed("DeleteForUser", err)
}

// DeleteOfType deletes all grants of a type, in all tenants or in one ([Within]); see
// [Store.DeleteForUser]. It finds them by an index: a grant that was saved a moment
// ago may be missed.
func (s *Store) DeleteOfType(ctx context.Context, typ string, act Act, opts ...ListOption) (int, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	l, err := deletion(opts, notEmpty("type", typ))
	if err == nil && l.typ != nil {
		err = refuse(errors.New("option OfType: the type is an argument of DeleteOfType"))
	}
	if err == nil {
		act, err = s.act(act)
	}
	if err != nil {
		return 0, failed("DeleteOfType", err)
	}
	source, err := s.ofType(ctx, typ, l)
	if err != nil {
		return 0, failed("DeleteOfType", err)
	}
	n, err := s.deleteMany(ctx, source, act)
	return n, failed("DeleteOfType", err)
}

// deletion collects the options of a deletion, which includes grants in any state.
func deletion(opts []ListOption, errs ...error) (*listing, error) {
	l, err := newListing(opts, errs...)
	if err == nil && (l.expired || l.revoked || l.verify) {
		err = refuse(errors.New("options IncludeExpired, IncludeRevoked and VerifyConsistent are for lists: a deletion includes all"))
	}
	return l, err
}

// deleteAtOnce is how many grants are deleted in a transaction of 100 operations, two for each.
const deleteAtOnce = 50

// deleteMany deletes the grants of rows, as they are stored by then.
func (s *Store) deleteMany(ctx context.Context, source iter.Seq2[row, error], act Act) (int, error) {
	n := 0
	for keys, err := range keyBatches(source, deleteAtOnce) {
		if err != nil {
			return n, err
		}
		got, err := s.rows.getMany(ctx, keys)
		if err != nil {
			return n, err
		}
		deleted, err := s.deleteTogether(ctx, got, act)
		n += deleted
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (s *Store) deleteTogether(ctx context.Context, got []ddb.Got[row], act Act) (int, error) {
	var (
		grants []Grant
		all    []change
		errs   []error
		doubts []unknownAttempt // one entry is enough for all, because they are one transaction
		id     = rand.Text()
	)
	for _, r := range got {
		if !r.Found {
			continue
		}
		g, err := r.Item.grant()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		todo := &step{next: g, remove: true, event: EventDeleted, act: act}
		todo.next.Rev++
		changes, entry, err := s.changes(&g, todo, id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		grants, all = append(grants, g), append(all, changes...)
		doubts = []unknownAttempt{{entry: entry, next: g}}
	}
	if len(all) == 0 {
		return 0, errors.Join(errs...)
	}
	err := s.rows.commit(ctx, all)
	if err == nil {
		return len(grants), errors.Join(errs...)
	}
	switch {
	case errors.Is(err, ddb.ErrOutcomeUnknown):
		done, err2 := s.applied(ctx, doubts, id)
		if err2 != nil {
			return 0, errors.Join(append(errs, err, err2)...)
		}
		if done != nil {
			return len(grants), errors.Join(errs...)
		}
	case !errors.Is(err, ddb.ErrConditionFailed):
		return 0, errors.Join(append(errs, err)...)
	}
	// One of them was changed meanwhile, or they were not deleted: delete each separately.
	n := 0
	for _, g := range grants {
		switch err := s.Delete(ctx, g.Key, act); {
		case err == nil, errors.Is(err, ErrNotFound):
			n++
		default:
			errs = append(errs, err)
		}
	}
	return n, errors.Join(errs...)
}
