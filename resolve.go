package ddb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

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
	// judge says what the stored item (nil for none) proves; nil if none can.
	judge func(stored map[string]types.AttributeValue) verdict
	// refused makes the error of a condition that was false.
	refused func(err error) error
	// lost gets the stored item after a write that was applied without a reply.
	lost func(stored map[string]types.AttributeValue) error
}

// verdict is what a stored item proves about a write.
type verdict uint8

const (
	provesNothing verdict = iota
	provesOurs            // the write was applied
	provesOther           // another write won; ours can no longer be applied
	stillPossible         // the condition could still hold: sending again is safe
)

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
		seen := &attempts{repeat: a.repeat}
		err := a.send(seen.into(a.core.wire))
		sent += max(seen.n, 1)
		if err == nil {
			return nil
		}
		outcome := max(prior, seen.worst, outcomeOf(err))
		refused := conditionRefused(err)
		if outcome == NotApplied {
			if refused != nil {
				return a.refused(err)
			}
			return err
		}
		unknown := &OutcomeUnknownError{Attempts: sent, err: err}
		var stored map[string]types.AttributeValue
		switch {
		case refused != nil:
			stored = refused.Item
		case outcome == Applied:
			return a.applied(ctx, nil)
		case a.judge == nil:
			return unknown
		default:
			var readErr error
			if stored, readErr = a.readBack(ctx); readErr != nil {
				return unknown
			}
		}
		if a.judge == nil {
			return unknown // no stored item can tell
		}
		switch a.judge(stored) {
		case provesOurs:
			return a.applied(ctx, stored)
		case provesOther:
			return a.conflict(stored, err)
		case stillPossible:
			if !a.repeat {
				return unknown
			}
			if retry == nil {
				retry = newRetrier(a.core.retry, a.core.budget)
			}
			if retry.next(ctx, false) != nil {
				return unknown
			}
			prior = Unknown
		default:
			return unknown
		}
	}
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
	in := &dynamodb.GetItemInput{TableName: &a.core.name, Key: key, ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: a.core.consumed()}
	var rows rawRow
	out, _, err := wire.GetItem(ctx, a.core.client, in, nil, a.core.wire, &rows)
	if out != nil {
		a.core.observe(ctx, "GetItem", false, out.ConsumedCapacity)
	}
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

// judgePut is what the stored item proves about a put under a condition. Its
// version, if the table has one, was to become next from next-1.
func (c *core) judgePut(ours []byte, create bool) func(map[string]types.AttributeValue) verdict {
	return func(stored map[string]types.AttributeValue) verdict {
		mine, err := codec.ParseItem(ours)
		if err != nil {
			return provesNothing
		}
		if stored != nil && equalStored(&types.AttributeValueMemberM{Value: mine}, &types.AttributeValueMemberM{Value: stored}) {
			return provesOurs
		}
		return c.judgeVersion(stored, mine, create)
	}
}

// judgeVersion compares versions: a version that is one too low can still become
// ours, our own on a different item is another writer's, one beyond may hide ours.
func (c *core) judgeVersion(stored, mine map[string]types.AttributeValue, create bool) verdict {
	if len(stored) == 0 {
		if create {
			return stillPossible
		}
		return provesNothing
	}
	if c.version == nil {
		return provesNothing
	}
	name := c.version.path.String()
	have, want := numberOf(stored[name]), numberOf(mine[name])
	switch {
	case have == "" || want == "":
		return provesNothing
	case have == want:
		return provesOther
	case have == before(want):
		return stillPossible
	}
	return provesNothing
}

func numberOf(av types.AttributeValue) string {
	if n, ok := av.(*types.AttributeValueMemberN); ok {
		return n.Value
	}
	return ""
}

func before(n string) string {
	v, err := strconv.ParseUint(n, 10, 64)
	if err != nil || v == 0 {
		return ""
	}
	return strconv.FormatUint(v-1, 10)
}

// equalStored compares values as DynamoDB stores them: numbers by value, sets without order.
func equalStored(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && bytes.Equal(normalNumber([]byte(a.Value)), normalNumber([]byte(b.Value)))
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		if !ok || len(a.Value) != len(b.Value) {
			return false
		}
		for k, v := range a.Value {
			if w, ok := b.Value[k]; !ok || !equalStored(v, w) {
				return false
			}
		}
		return true
	case *types.AttributeValueMemberL:
		b, ok := b.(*types.AttributeValueMemberL)
		return ok && slices.EqualFunc(a.Value, b.Value, equalStored)
	case *types.AttributeValueMemberSS:
		b, ok := b.(*types.AttributeValueMemberSS)
		return ok && equalSets(a.Value, b.Value, func(s string) string { return s })
	case *types.AttributeValueMemberNS:
		b, ok := b.(*types.AttributeValueMemberNS)
		return ok && equalSets(a.Value, b.Value, func(s string) string { return string(normalNumber([]byte(s))) })
	case *types.AttributeValueMemberBS:
		b, ok := b.(*types.AttributeValueMemberBS)
		return ok && equalSets(a.Value, b.Value, func(s []byte) string { return string(s) })
	case *types.AttributeValueMemberBOOL:
		b, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	}
	return equalKeyValue(a, b)
}

func equalSets[E any](a, b []E, text func(E) string) bool {
	if len(a) != len(b) {
		return false
	}
	members := make(map[string]bool, len(a))
	for _, m := range a {
		members[text(m)] = true
	}
	for _, m := range b {
		if !members[text(m)] {
			return false
		}
	}
	return true
}
