// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
)

// plainWrite is a write of one item on a table without a ddb.Revision. It leaves no evidence, so nothing can prove its outcome
// after a lost reply.
type plainWrite struct {
	core *Table
	// repeat: the request may be applied twice, so it is sent again after a lost reply.
	repeat bool
	// send sends it once; the SDK may repeat it.
	send func(wire.Options) error
	// rejected makes the error for a false condition; nil if there is no condition.
	rejected func(err error) error
	// Key is the key of the item, to compare with the item of a refusal.
	key func() (map[string]types.AttributeValue, error)
	// replyLost is the error of a write that was applied but whose reply should have returned an item.
	replyLost func() error
}

func (w *plainWrite) do(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	seen := &attempts{repeat: w.repeat}
	err := w.send(seen.into(w.core.wire))
	if err == nil {
		return nil
	}
	sent := max(seen.n, 1)
	last := outcomeOf(err)
	refusal := conditionFailure(err)
	if refusal != nil && !w.core.isOwn(refusal.Item, w.key) {
		last = unknown
	}
	switch {
	case last == applied:
		if w.replyLost == nil {
			return nil
		}
		return w.replyLost()
	case max(seen.worst, last) != notApplied:
		return unknownAfter(ctx, sent, unprotected(err))
	case refusal != nil && w.rejected != nil:
		return w.rejected(err)
	}
	return err
}

// unprotected adds to an unknown outcome what would have proved it.
func unprotected(err error) error {
	return fmt.Errorf("%w; on a table with ddb.Version and a ddb.Revision attribute the library could prove the outcome", err)
}

// unknownAfter also makes the error match the end of the context, which the SDK's error may hide.
func unknownAfter(ctx context.Context, sent int, err error) *ddberr.OutcomeUnknownError {
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return ddberr.OutcomeUnknown(operr.Classify(err), sent)
}

func conditionFailure(err error) *types.ConditionalCheckFailedException {
	if ccf, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return ccf
	}
	return nil
}

// given returns a key that is already known.
func given(key map[string]types.AttributeValue) func() (map[string]types.AttributeValue, error) {
	return func() (map[string]types.AttributeValue, error) { return key, nil }
}

// isOwn reports whether the item of a refusal has the requested key; if replies were mixed up on the way, it has another.
func (c *Table) isOwn(item map[string]types.AttributeValue, key func() (map[string]types.AttributeValue, error)) bool {
	if len(item) == 0 {
		return true
	}
	want, err := key()
	return err == nil && c.KeyNames.ID(want) == c.KeyNames.ID(item)
}
