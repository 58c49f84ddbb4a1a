package ddb

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// updateExactly sends an update as a transaction of one operation, see [ChangeOf.Exact].
func (t *items[T, K]) updateExactly(ctx context.Context, u *preparedUpdate, old *T) (item T, err error) {
	verb := "Upsert"
	if u.present {
		verb = "Update"
	}
	tx := &transaction{client: t.client, start: time.Now()}
	tx.add(t.updateAction(verb, u, Tag{}), noOld(verb, old))
	if err = tx.check(); err == nil {
		err = tx.send(ctx)
	}
	if err != nil {
		return item, opError("TransactWriteItems", t.name, "", onlyFailure(err))
	}
	stored, err := t.readBack(ctx, given(u.key))
	switch {
	case err != nil:
		err = fmt.Errorf("%w; reading it back failed: %w", ErrReplyLost, err)
	case len(stored) == 0:
		err = fmt.Errorf("%w; another call has deleted the item since", ErrReplyLost)
	default:
		item, err = decodeMap[T](t.plan, stored)
	}
	if err != nil {
		var zero T
		return zero, opError("GetItem", t.name, "", err)
	}
	return item, nil
}

// onlyFailure is the failed condition of a transaction that has one operation alone.
func onlyFailure(err error) error {
	te, ok := errors.AsType[*TransactionError](err)
	if !ok || errors.Is(err, ErrOutcomeUnknown) || !errors.Is(te, ErrConditionFailed) {
		return err
	}
	return te.Failed[0].Err
}
