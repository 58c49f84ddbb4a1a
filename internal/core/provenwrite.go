// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/proof"
	"github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/internal/transient"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/revision"
)

// provenWrite is a write of one item on a table with a ddb.Revision: it is sent until its outcome is proven by the rules of
// package proof, or cannot be proven.
type provenWrite struct {
	core *Table
	key  func() (map[string]types.AttributeValue, error)
	// base is the state that the write is prepared on; nil if it is read first.
	base *stored
	// send sends one request that applies only to the base and has the tag.
	send func(ctx context.Context, base stored, t revision.Tag, o wire.Options) error
	// again reports whether the write can be prepared again on another state, after it is proven that no
	// request took effect. If not, the write fails.
	again func(now stored) bool
	// gone ends a write that finds no item; nil if that needs no special treatment.
	gone func() error
	// rejected makes the error for a false condition.
	rejected func(err error) error
	// lost gets the stored item after a write that was applied without a reply; nil if the caller needs no item.
	lost func(item map[string]types.AttributeValue) error

	sent int
}

// How long a write waits for a missing reply. DynamoDB answers within some milliseconds. On an item that others write too,
// the evidence exists only as long as the item holds the tag of our write, so it is looked for while the reply is still
// missing.
const (
	firstLook  = 50 * time.Millisecond // the interval then doubles each time
	lastLook   = 2 * time.Second       // after this, only the client's own timeout ends it
	replyShare = 4                     // one part in this many of the time left before the caller's deadline is kept for the proof
	replyMost  = 500 * time.Millisecond
)

func (w *provenWrite) do(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.base == nil && CallOptionsOf(ctx).Explain != nil {
		w.base = &stored{revision: nextRevision(revision.Revision{}, revision.Tag{1})} // nothing was read or sent
	}
	loop := w.core.retrier()
	for races := 0; ; races++ {
		if w.base == nil {
			item, err := w.core.readBack(ctx, w.key)
			if err != nil {
				return fmt.Errorf("reading the item before writing it: %w", err)
			}
			now := w.core.storedState(item)
			if !now.exists() && w.gone != nil {
				return w.gone()
			}
			if !w.again(now) {
				return w.fail(now, nil)
			}
			w.base = &now
		}
		moved, err := w.untilProven(ctx, loop, *w.base)
		if moved == nil {
			return err
		}
		if !moved.exists() && w.gone != nil {
			return w.gone()
		}
		if !w.again(*moved) {
			return w.fail(*moved, err)
		}
		if stop := loop.Restart(ctx, races); stop != nil {
			return fmt.Errorf("%w; nothing was applied, others wrote the item each time", stop)
		}
		w.base = moved
	}
}

// untilProven sends the write on one base until its outcome is proven. If it is proven that nothing was or will be applied,
// moved is the state that replaced the base, and err is the reason.
func (w *provenWrite) untilProven(ctx context.Context, loop *retry.Loop, base stored) (moved *stored, err error) {
	var (
		tags      []revision.Tag
		ambiguous bool
	)
	for {
		// On a revision the same request can be sent any number of times: it applies at most once. If there is no item, a
		// request may be applied and its item deleted before the next arrives, so each has its own tag.
		if len(tags) == 0 || base.revision.IsZero() {
			tags = append(tags, newTag())
		}
		look := &silence{write: w, base: base, tags: tags}
		seen := &attempts{}
		err := look.during(ctx, func(ctx context.Context) error {
			return w.send(ctx, base, tags[len(tags)-1], seen.into(w.core.wire))
		})
		w.sent += max(seen.n, 1)
		if err == nil {
			loop.Succeeded()
			return nil, nil
		}
		last := outcomeOf(err)
		if last == applied {
			loop.Succeeded()
			return nil, w.applied(ctx, nil)
		}
		refusal := conditionFailure(err)
		if refusal != nil && !w.core.isOwn(refusal.Item, w.key) {
			refusal, last = nil, unknown // the answer to another request
		}
		clean := !ambiguous && max(seen.worst, last) == notApplied
		var now stored
		switch {
		case refusal != nil:
			now = w.core.storedState(refusal.Item)
		case clean:
			return nil, err
		case look.found != nil:
			now = *look.found
		default:
			item, readErr := w.evidence(ctx, loop)
			if readErr != nil {
				return nil, unknownAfter(ctx, w.sent, fmt.Errorf("%w; reading the item back, which would prove the outcome, failed: %w%s", err, readErr, hintOfDenied(readErr)))
			}
			now = w.core.storedState(item)
		}
		ambiguous = ambiguous || !clean
		shown := w.core.prove(base, tags, now)
		switch {
		case shown == proof.Applied:
			loop.Succeeded()
			return nil, w.applied(ctx, now.item)
		case shown == proof.Superseded:
			loop.Succeeded()
			return &now, err
		case shown == proof.Pending && refusal != nil:
			// The revision matches and the condition failed: another part of it is false, and stays false on this revision.
			loop.Succeeded()
			return nil, w.fail(now, err)
		case shown == proof.Nothing && clean:
			// The only request was refused; nothing contradicts it.
			switch {
			case base.exists() && now.exists() && base.revision.IsZero() && now.revision.IsZero():
				return nil, w.fail(now, err) // only the caller's condition is false
			case len(base.item) == 0 && base.revision.IsZero() || !now.exists():
				return &now, err
			case w.again(now):
				// Starting again could apply twice what a proxy has sent twice.
				return nil, &transient.ReplacedError{}
			}
			return nil, w.fail(now, err)
		case shown == proof.Nothing && w.gone != nil && !now.exists():
			return nil, w.gone()
		case shown == proof.Nothing:
			return nil, unknownAfter(ctx, w.sent, err)
		}
		if stop := loop.Soon(ctx); stop != nil {
			return nil, unknownAfter(ctx, w.sent, fmt.Errorf("%w; %w", err, stop))
		}
	}
}

// fail returns the error of a write whose condition is false, as the state shows.
func (w *provenWrite) fail(now stored, err error) error {
	if err != nil && conditionFailure(err) != nil && !now.tombstone {
		return w.rejected(err)
	}
	shown := now.item
	if !now.exists() {
		shown = nil
	}
	shows := &types.ConditionalCheckFailedException{Message: aws.String("the stored item shows it"), Item: shown}
	if err == nil {
		return w.rejected(shows)
	}
	return w.rejected(errors.Join(shows, err))
}

// evidence reads the stored item. A read without a reply is given up early and sent again, since the evidence does not last.
// It is charged to the retry budget, because when the service is in trouble each write costs a read.
func (w *provenWrite) evidence(ctx context.Context, loop *retry.Loop) (map[string]types.AttributeValue, error) {
	for patience := firstLook; ; patience *= 2 {
		if err := loop.Charge(); err != nil {
			return nil, err
		}
		item, err := w.core.readSoon(ctx, w.key, patience)
		if err == nil || patience >= lastLook || ctx.Err() != nil || isDenied(err) {
			return item, err
		}
	}
}

// applied ends a write that took effect but whose reply was lost.
func (w *provenWrite) applied(ctx context.Context, item map[string]types.AttributeValue) error {
	if w.lost == nil {
		return nil
	}
	if item == nil {
		var err error
		if item, err = w.core.readBack(ctx, w.key); err != nil {
			return fmt.Errorf("%w; reading it back failed: %w", ddberr.ErrReplyLost, err)
		}
	}
	return w.lost(item)
}

// hintOfDenied names the permission that a write-only role lacks.
func hintOfDenied(err error) string {
	if isDenied(err) {
		return "; the proof needs the permission dynamodb:GetItem"
	}
	return ""
}

// silence looks for evidence while a request has no reply.
type silence struct {
	write *provenWrite
	base  stored
	tags  []revision.Tag
	found *stored // evidence that proves the outcome
}

// errSilent is the cause of the end of a request without a reply.
var errSilent = errors.New("no reply came, and the item was read instead")

// during runs the request, and ends it once the item proves the outcome.
func (s *silence) during(ctx context.Context, send func(context.Context) error) error {
	var (
		bounded context.Context
		cancel  context.CancelFunc
	)
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		bounded, cancel = context.WithDeadline(ctx, deadline.Add(-min(left/replyShare, replyMost)))
	} else {
		bounded, cancel = context.WithCancel(ctx)
	}
	defer cancel()
	var (
		looking sync.WaitGroup
		done    = make(chan struct{})
	)
	looking.Add(1)
	timer := time.AfterFunc(firstLook, func() {
		defer looking.Done()
		s.look(ctx, done, cancel)
	})
	err := send(bounded)
	close(done)
	if timer.Stop() {
		looking.Done()
	}
	looking.Wait()
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return silentError{err}
	}
	return err
}

// look reads the item until the request has ended or is no longer needed.
func (s *silence) look(ctx context.Context, done <-chan struct{}, cancel context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-done:
			stop()
		case <-ctx.Done():
		}
	}()
	for wait := firstLook; ; wait *= 2 {
		item, err := s.write.core.readSoon(ctx, s.write.key, max(wait, 2*firstLook))
		if err == nil {
			now := s.write.core.storedState(item)
			// Wait for a pending request: the client may be between two attempts.
			if p := s.write.core.prove(s.base, s.tags, now); p == proof.Applied || p == proof.Superseded {
				s.found = &now
				cancel()
				return
			}
		}
		if retry.Sleep(ctx, wait) != nil {
			return
		}
		if wait >= lastLook {
			return // the client's own timeout ends it
		}
	}
}

// silentError is the error of a request that was given up. It hides the SDK's error for a cancelled call, since the caller
// did not cancel it.
type silentError struct{ err error }

func (e silentError) Error() string { return errSilent.Error() }

// Timeout reports true: the request was not answered in time.
func (e silentError) Timeout() bool { return true }

// Is makes the error match context.DeadlineExceeded.
func (e silentError) Is(target error) bool { return target == context.DeadlineExceeded }

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

// readSoon is readBack, but waits no longer than patience.
func (c *Table) readSoon(ctx context.Context, key func() (map[string]types.AttributeValue, error), patience time.Duration) (map[string]types.AttributeValue, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.readBack(ctx, key)
}

// readBack reads an item consistently, as it is stored.
func (c *Table) readBack(ctx context.Context, itemKey func() (map[string]types.AttributeValue, error)) (map[string]types.AttributeValue, error) {
	key, err := itemKey()
	if err != nil {
		return nil, err
	}
	in := &dynamodb.GetItemInput{TableName: &c.Name, Key: key, ConsistentRead: aws.Bool(true)}
	var rows rawRow
	_, err = c.sendGet(ctx, &requestInfo{op: "GetItem", keyMap: key, consistent: true}, in, nil, &rows)
	if err == nil && len(rows.item) > 0 && c.KeyNames.ID(rows.item) != c.KeyNames.ID(key) {
		return nil, errors.New("the reply shows an item with another key")
	}
	return rows.item, err
}
