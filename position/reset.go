// SPDX-License-Identifier: Apache-2.0

package position

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
)

// Reset is the record of a position that was set by hand.
type Reset struct {
	Consumer, Partition string
	From, To            int64
	By, Reason          string
	At                  time.Time
}

// Reset sets a position to any number, also a lower one, so that a consumer handles numbers again or skips them. An owner
// that has claimed it is fenced. Reset writes a record of who did it and why in the same transaction; see [Store.Resets]. The record also proves
// a reset whose reply was lost.
func (s *Store) Reset(ctx context.Context, consumer, partition string, to int64, by, reason string) error {
	if err := s.usable(); err != nil {
		return err
	}
	err := errors.Join(checkKey(consumer), checkNumber(to))
	if by == "" || reason == "" {
		err = errors.Join(err, &ddb.InvalidError{Problems: []error{errors.New("position: a reset needs a name and a reason")}})
	}
	if err != nil {
		return err
	}
	// Only this call uses the key of the record, so the record proves that the reset took place.
	at := s.now().UTC()
	record := &row{
		Consumer: consumer, Partition: resetPrefix(partition) + at.Format("2006-01-02T15:04:05.000000000Z") + separator + uuid.NewString(),
		Number: to, By: by, Reason: reason, UpdatedAt: at,
	}
	var last, doubt error
	doubts := 0
	for range maxClaimTries {
		is, err := s.read(ctx, consumer, partition)
		if err != nil && !errors.Is(err, ddb.ErrNotFound) {
			return errors.Join(err, doubt)
		}
		cond := epochIs(is.Epoch)
		if err == nil {
			cond = ddb.And(cond, rowNumber.Eq(is.Number))
		}
		if doubts > 0 { // after the read: an earlier attempt that was not applied by then cannot be applied in addition to the next
			done, err := s.recorded(ctx, record)
			if done {
				return nil
			}
			if err != nil {
				return errors.Join(err, doubt)
			}
		}
		record.From, record.Epoch = is.Number, is.Epoch+1
		err = ddb.Transact(ctx, s.client,
			tableOf(s).TxUpsert(s.key(consumer, partition), rowNumber.Set(to), rowEpoch.Set(is.Epoch+1), rowUpdatedAt.Set(at),
				ddb.Remove(rowOwner), ddb.Remove(rowToken), ddb.If(cond)),
			tableOf(s).TxCreate(record))
		switch {
		case repeat.InDoubt(err):
			if doubts++; doubts == repeat.Attempts || ctx.Err() != nil {
				return err
			}
			doubt = err
		case err == nil:
			return nil
		case !errors.Is(err, ddb.ErrConditionFailed):
			return errors.Join(err, doubt)
		}
		last = err // in doubt, or saved or claimed in between
	}
	return fmt.Errorf("position: %d saves were faster: %w", maxClaimTries, last)
}

// recorded reports whether the record of a reset is stored.
func (s *Store) recorded(ctx context.Context, record *row) (bool, error) {
	_, err := tableOf(s).Get(ctx, record.Consumer, record.Partition, ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func resetPrefix(partition string) string {
	return resetKind + escaper.Replace(partition) + separator
}

// Resets yields the records of all resets of a position, oldest first.
func (s *Store) Resets(ctx context.Context, consumer, partition string) iter.Seq2[Reset, error] {
	if err := s.usable(); err != nil {
		return failing[Reset](err)
	}
	return func(yield func(Reset, error) bool) {
		if err := checkKey(consumer); err != nil {
			yield(Reset{}, err)
			return
		}
		for r, err := range tableOf(s).Query(consumer).SortKey(ddb.BeginsWith(resetPrefix(partition))).Consistent().All(ctx) {
			reset := Reset{Consumer: consumer, Partition: partition, From: r.From, To: r.Number, By: r.By, Reason: r.Reason, At: r.UpdatedAt}
			if !yield(reset, err) || err != nil {
				return
			}
		}
	}
}
