// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/internal/transient"
	"github.com/dynamotable/ddb/internal/unsent"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/progress"
)

// sendBatch sends one request and returns what it left.
type sendBatch func(context.Context, wire.Options, []*batchEntry) (left []*batchEntry, err error)

// writeOverhead is more than the JSON around one write and its share of the rest.
const writeOverhead = 128

// maxForeign is how often an entry may be in a request whose reply is about others.
const maxForeign = 3

const leftUnprocessed = "left unprocessed by DynamoDB"

// refusesAll reports whether every other request of the batch would be refused as
// well: for the table or the credentials, not for what is in this request.
func refusesAll(err error) bool {
	if _, none := errors.AsType[*unsent.CredentialsError](err); none {
		return true // every chunk would wait for the same sources
	}
	if outcomeOf(err) != notApplied || ddberr.IsRetryable(operr.Classify(err)) {
		return false
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code := api.ErrorCode()
		return code != "ValidationException" && code != "ItemCollectionSizeLimitExceededException"
	}
	return true
}

// fail gives entries their error. Those of which it is unknown whether they were written share one for each number of attempts.
func fail(entries []*batchEntry, err error) {
	var unknown *ddberr.OutcomeUnknownError
	for _, e := range entries {
		if e.err = err; !e.unknown {
			continue
		}
		if unknown == nil || unknown.Attempts != e.sent {
			unknown = ddberr.OutcomeUnknown(err, e.sent)
		}
		e.err = unknown
	}
}

// run sends entries, as many requests at a time as the table allows, and gathers what failed.
func (b *batch) run(ctx context.Context, entries []*batchEntry, send sendBatch) error {
	if len(entries) == 0 {
		return b.result(ctx)
	}
	ctx, b.task = progress.Start(ctx, b.op+" "+b.core.Name)
	b.task.Total(int64(len(entries)))
	defer b.task.Stop("it ended with a panic") // unless it has ended before
	err := b.runAll(ctx, entries, send)
	progress.From(ctx).Run() // a call that the batch is part of waits no more, also if the batch has failed
	b.task.End(err)
	return err
}

func (b *batch) runAll(ctx context.Context, entries []*batchEntry, send sendBatch) error {
	ctx, stop := b.bounded(ctx)
	defer stop()
	b.queue, b.all = entries, entries
	workers := min(b.core.concurrency, b.requests(entries))
	if workers == 1 {
		b.work(ctx, send)
		return b.result(ctx)
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { b.work(ctx, send) })
	}
	wg.Wait()
	return b.result(ctx)
}

// limits are how many entries a request may have, and how many bytes; 0 is no bound.
func (b *batch) limits() (entries, bytes int) {
	if b.write {
		return maxBatchWrite, maxBatchBytes
	}
	return maxBatchGet, 0
}

// requests is about how many requests entries need at least.
func (b *batch) requests(entries []*batchEntry) int {
	most, bytes := b.limits()
	n := (len(entries) + most - 1) / most
	if bytes == 0 {
		return n
	}
	size := 0
	for _, e := range entries {
		size += len(e.data) + writeOverhead
	}
	return max(n, (size+bytes-1)/bytes)
}

// take takes the entries of the next request, none at the end.
func (b *batch) take() []*batchEntry {
	most, bytes := b.limits()
	b.mu.Lock()
	defer b.mu.Unlock()
	n, size := 0, 0
	for n < min(most, len(b.queue)) {
		size += len(b.queue[n].data) + writeOverhead
		if bytes > 0 && n > 0 && size > bytes {
			break
		}
		n++
	}
	taken := b.queue[:n:n]
	b.queue = b.queue[n:]
	return taken
}

// putBack puts what a request left behind all others, which it does not keep from being sent.
func (b *batch) putBack(left []*batchEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(b.queue, left...)
}

// work sends requests until nothing is left or the batch ends. A request that is throttled as a whole leaves all of
// it: when it is sent again is for the policy to say, not for the SDK.
func (b *batch) work(ctx context.Context, send sendBatch) {
	loop := b.core.patientRetrier()
	task := progress.From(ctx) // of the batch, or of the call that it is part of
	for pending := b.take(); len(pending) > 0; pending = b.take() {
		if cause := b.stopped(ctx); cause != nil {
			fail(pending, cause)
			continue
		}
		left, rejected, err := b.try(ctx, pending, send)
		if err != nil {
			cause := failure(ctx, err)
			if refusesAll(err) {
				b.halt.CompareAndSwap(nil, halted{cause})
			}
			fail(pending, cause)
			continue
		}
		progressed := len(left) < len(pending)
		if progressed {
			b.advanced()
			b.task.Items(int64(len(pending) - len(left)))
			task.Run()
		}
		if len(left) == 0 {
			loop.Succeeded()
			continue
		}
		if left = b.giveUp(left, rejected); len(left) == 0 {
			continue
		}
		task.Wait(leftUnprocessed)
		if stop := loop.Next(ctx, progressed); stop != nil {
			if end := ended(ctx); end != nil && errors.Is(stop, retry.ErrBudgetEmpty) {
				stop = fmt.Errorf("%w; %w", end, retry.ErrBudgetEmpty)
			} else if end != nil {
				stop = end
			}
			fail(left, &transient.UnprocessedError{What: leftUnprocessed, Why: stop, Last: rejected})
			loop = b.core.patientRetrier()
			continue
		}
		b.putBack(left)
	}
}

// try sends one request. rejected is why it left everything, if the service rejected it as a whole for the moment.
func (b *batch) try(ctx context.Context, pending []*batchEntry, send sendBatch) (left []*batchEntry, rejected, err error) {
	options := b.core.wire
	seen := &attempts{repeat: true, always: true}
	if b.write {
		options = seen.into(options)
	}
	left, err = send(ctx, throttlesOnce(options), pending)
	unknown := b.write && (seen.worst != notApplied || err != nil && outcomeOf(err) != notApplied)
	again := false
	for _, e := range pending {
		again = again || e.rounds > 0
		e.rounds++
		e.sent += max(seen.n, 1)
		e.unknown = e.unknown || unknown
	}
	if err == nil {
		if again {
			b.repeated()
		}
		return left, nil, nil
	}
	if _, throttled := operr.Throttling(err); throttled {
		return pending, operr.Classify(err), nil
	}
	if errors.Is(err, errForeignReply) && pending[0].rounds < maxForeign {
		return pending, err, nil
	}
	return nil, nil, err
}

// giveUp fails the entries that were sent as often as the policy allows, and returns the others.
func (b *batch) giveUp(left []*batchEntry, rejected error) []*batchEntry {
	most := b.core.retry.MaxAttempts
	if most == 0 {
		return left
	}
	var others, done []*batchEntry
	for _, e := range left {
		if e.rounds >= most {
			done = append(done, e)
			continue
		}
		others = append(others, e)
	}
	why := fmt.Errorf("gave up after %d attempts (RetryPolicy.MaxAttempts)", most)
	fail(done, &transient.UnprocessedError{What: leftUnprocessed, Why: why, Last: rejected})
	return others
}

// stopped is the reason why no more requests are sent, or nil.
func (b *batch) stopped(ctx context.Context) error {
	if h, ok := b.halt.Load().(halted); ok {
		return h.cause
	}
	if end := ended(ctx); end != nil {
		return &transient.UnprocessedError{What: "not sent", Why: end}
	}
	return nil
}

// repeated counts an answered request that sent again what was left.
func (b *batch) repeated() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Retries++
}
