package position

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/dynamotable/ddb"
)

// Reset is the record of a position that was set by hand.
type Reset struct {
	Consumer, Partition string
	From, To            int64
	By, Reason          string
	At                  time.Time
}

// Reset sets a position to any number, also a lower one, so that a consumer handles numbers again or passes over them. Whoever has claimed
// it is fenced. It leaves a record of who did it and why, in the same transaction; see [Store.Resets].
func (s *Store) Reset(ctx context.Context, consumer, partition string, to int64, by, reason string) error {
	err := errors.Join(checkKey(consumer), checkNumber(to))
	if by == "" || reason == "" {
		err = errors.Join(err, &ddb.InvalidError{Problems: []error{errors.New("position: a reset needs a name and a reason")}})
	}
	if err != nil {
		return err
	}
	var last error
	for range claims {
		is, err := s.Get(ctx, consumer, partition)
		if err != nil && !errors.Is(err, ddb.ErrNotFound) {
			return err
		}
		at := s.now().UTC()
		cond := epochIs(is.Epoch)
		if err == nil {
			cond = ddb.And(cond, rowNumber.Eq(is.Number))
		}
		err = ddb.Transact(ctx, s.client,
			s.table.TxUpsert(s.key(consumer, partition), rowNumber.Set(to), rowEpoch.Set(is.Epoch+1), rowUpdatedAt.Set(at),
				rowOwner.Remove(), rowToken.Remove(), ddb.If(cond)),
			s.table.TxCreate(&row{
				Consumer: consumer, Partition: resetPrefix(partition) + at.Format("2006-01-02T15:04:05.000000000Z") + separator + uuid.NewString(),
				Number: to, From: is.Number, By: by, Reason: reason, UpdatedAt: at, Epoch: is.Epoch + 1,
			}))
		if err == nil || !errors.Is(err, ddb.ErrConditionFailed) {
			return err
		}
		last = err // saved or claimed in between
	}
	return fmt.Errorf("position: %d saves were faster: %w", claims, last)
}

func resetPrefix(partition string) string {
	return resetKind + escaper.Replace(partition) + separator
}

// Resets yields the records of all resets of a position, oldest first.
func (s *Store) Resets(ctx context.Context, consumer, partition string) iter.Seq2[Reset, error] {
	return func(yield func(Reset, error) bool) {
		if err := checkKey(consumer); err != nil {
			yield(Reset{}, err)
			return
		}
		for r, err := range s.table.Query(consumer).SortKey(ddb.BeginsWith(resetPrefix(partition))).Consistent().All(ctx) {
			reset := Reset{Consumer: consumer, Partition: partition, From: r.From, To: r.Number, By: r.By, Reason: r.Reason, At: r.UpdatedAt}
			if !yield(reset, err) || err != nil {
				return
			}
		}
	}
}
