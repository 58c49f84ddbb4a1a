package ddb

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/wire"
)

// attempt is a single-item write that is sent until its outcome is known.
type attempt struct {
	core *core
	key  func() (map[string]types.AttributeValue, error)
	// repeat: to happen twice does no harm, or the condition forbids it.
	repeat bool
	// send sends it once; the SDK may repeat it within.
	send func(wire.Options) error
	// judge says what the stored item (nil for none) proves; nil if none can. With it the
	// SDK repeats nothing of which it is unknown whether it was applied: the item is read
	// at once, before others write over it.
	judge judge
	// refused makes the error of a condition that was false; nil where there is none, and no judge.
	refused func(err error) error
	// lost gets the stored item after a write that was applied without a reply.
	lost func(stored map[string]types.AttributeValue) error
}

// do sends the write. Without lost replies it costs one request and no more.
func (a *attempt) do(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var (
		retry *retrier
		sent  int
		prior Outcome
	)
	for {
		seen := &attempts{repeat: a.repeat && a.judge == nil}
		err := a.send(seen.into(a.core.wire))
		sent += max(seen.n, 1)
		if err == nil {
			if retry != nil {
				retry.succeeded()
			}
			return nil
		}
		last := outcomeOf(err)
		if last == Applied {
			return a.applied(ctx, nil)
		}
		refused := conditionRefused(err)
		if max(prior, seen.worst, last) == NotApplied {
			if refused != nil && a.refused != nil {
				return a.refused(err)
			}
			return err
		}
		if a.judge == nil {
			return unknownAfter(ctx, sent, err)
		}
		if retry == nil {
			retry = newRetrier(a.core.retry, a.core.budget)
		}
		var stored map[string]types.AttributeValue
		if refused != nil {
			stored = refused.Item
		} else {
			var readErr error
			if stored, readErr = a.evidence(ctx, retry); readErr != nil {
				return unknownAfter(ctx, sent, fmt.Errorf("%w; reading the item back failed: %w", err, readErr))
			}
		}
		switch v := a.judge(stored); {
		case v == provesOurs:
			retry.succeeded()
			return a.applied(ctx, stored)
		case v == provesOther, v == stillPossible && refused != nil:
			// A version that fits and a condition that fails: it is another part that is false.
			retry.succeeded()
			return a.conflict(stored, err)
		case v == provesNothing, refused != nil, !a.repeat:
			return unknownAfter(ctx, sent, err)
		}
		if stop := retry.next(ctx, false); stop != nil {
			return unknownAfter(ctx, sent, fmt.Errorf("%w; %w", err, stop))
		}
		prior = Unknown
	}
}

// unknownAfter also matches the end of the context, which the SDK's error may hide.
func unknownAfter(ctx context.Context, sent int, err error) *OutcomeUnknownError {
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return &OutcomeUnknownError{Attempts: sent, err: classify(err)}
}

// evidence reads the stored item. The budget pays for it, for with a service in trouble
// each write costs a read.
func (a *attempt) evidence(ctx context.Context, retry *retrier) (map[string]types.AttributeValue, error) {
	if err := retry.charge(); err != nil {
		return nil, err
	}
	return a.readBack(ctx)
}

// conflict is the error of a condition that the stored item shows to be false.
func (a *attempt) conflict(stored map[string]types.AttributeValue, err error) error {
	if conditionRefused(err) != nil {
		return a.refused(err)
	}
	return a.refused(errors.Join(&types.ConditionalCheckFailedException{Message: aws.String("the stored item shows that another write came first"), Item: stored}, err))
}

// applied ends a write that took effect but whose reply was lost.
func (a *attempt) applied(ctx context.Context, stored map[string]types.AttributeValue) error {
	if a.lost == nil {
		return nil
	}
	if stored == nil {
		var err error
		if stored, err = a.readBack(ctx); err != nil {
			return fmt.Errorf("%w; reading it back failed: %w", ErrReplyLost, err)
		}
	}
	return a.lost(stored)
}

// given is a key that is known already.
func given(key map[string]types.AttributeValue) func() (map[string]types.AttributeValue, error) {
	return func() (map[string]types.AttributeValue, error) { return key, nil }
}

func (a *attempt) readBack(ctx context.Context) (map[string]types.AttributeValue, error) {
	key, err := a.key()
	if err != nil {
		return nil, err
	}
	rctx, q := a.core.begin(ctx, shape{op: "GetItem", keyMap: key, consistent: true})
	if q.refused != nil {
		return nil, q.refused
	}
	in := &dynamodb.GetItemInput{TableName: &a.core.name, Key: key, ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: a.core.consumed(ctx)}
	var rows rawRow
	out, found, err := wire.GetItem(rctx, a.core.client, in, nil, q.options(a.core.wire), &rows)
	var cc *types.ConsumedCapacity
	if out != nil {
		cc = out.ConsumedCapacity
		a.core.observe(ctx, "GetItem", false, cc)
		a.core.sizes.observed(cc, countOf(found), true)
	}
	q.end(rctx, cc, countOf(found), err)
	return rows.item, err
}

// rawRow keeps an item as attribute values.
type rawRow struct {
	item map[string]types.AttributeValue
}

func (r *rawRow) Reset(int) { r.item = nil }

func (r *rawRow) Row(d *codec.Decoder) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	r.item, err = codec.ParseItem(raw)
	return err
}

func conditionRefused(err error) *types.ConditionalCheckFailedException {
	if ccf, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return ccf
	}
	return nil
}
