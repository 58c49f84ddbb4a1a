// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/revision"
)

// updateExactly sends an update as a transaction of one operation, see ddb.ChangeOf.Exact.
func updateExactly(ctx context.Context, c *Table, u *preparedUpdate, item reflect.Value, old any) (err error) {
	verb := "Upsert"
	if u.present {
		verb = "Update"
	}
	tx := &Transaction{client: c.Client, start: time.Now()}
	tx.add(c.updateAction(verb, u, revision.Tag{}), noOld(verb, old))
	if err = tx.check(); err == nil {
		err = tx.send(ctx)
	}
	if err != nil {
		return c.ended(ctx, "TransactWriteItems", onlyFailure(err))
	}
	stored, err := c.readBack(ctx, given(u.key))
	switch {
	case err != nil:
		err = fmt.Errorf("%w; reading it back failed: %w", ddberr.ErrReplyLost, err)
	case len(stored) == 0:
		err = fmt.Errorf("%w; another call has deleted the item since", ddberr.ErrReplyLost)
	default:
		err = decodeOwnMap(c, stored, item)
	}
	if err != nil {
		item.SetZero()
		return operr.New("GetItem", c.Name, "", err)
	}
	return nil
}

// onlyFailure returns the failed condition of a transaction of one operation.
func onlyFailure(err error) error {
	te, ok := errors.AsType[*ddberr.TransactionError](err)
	if !ok || errors.Is(err, ddberr.ErrOutcomeUnknown) || !errors.Is(te, ddberr.ErrConditionFailed) {
		return err
	}
	return te.Failed[0].Err
}
