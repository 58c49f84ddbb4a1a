// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/dynamotable/ddb"
)

type backoffTimes struct{ base, ceiling time.Duration }

func (t backoffTimes) new() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(backoff.WithInitialInterval(t.base), backoff.WithMaxInterval(t.ceiling),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0.9), backoff.WithMaxElapsedTime(0))
}

// outcome is what is known about a commit after an attempt.
type outcome uint8

const (
	commitRejected outcome = iota // final, with an error
	commitWritten
	retryChanged // it was not written and can no longer be written: send another transaction
	retrySame    // it may still be written: send the same transaction
)

// lockStreams locks the streams against other appends of this store, in an order that is the same for all.
func (s *Store) lockStreams(ctx context.Context, c *commit) (unlock func(), err error) {
	names := make([]string, len(c.parts))
	for i, p := range c.parts {
		names[i] = p.stream
	}
	slices.Sort(names)
	var held []func()
	unlock = func() {
		for _, u := range slices.Backward(held) {
			u()
		}
	}
	for _, name := range names {
		u, err := s.streams.lock(ctx, name)
		if err != nil {
			unlock()
			return nil, fmt.Errorf("append: %w", err)
		}
		held = append(held, u)
	}
	return unlock, nil
}

// sendUntilKnown sends the commit until it is written or finally refused. The outcome of an attempt that may have been
// written is determined before another transaction is sent.
func (s *Store) sendUntilKnown(ctx context.Context, c *commit) error {
	waits := s.o.backoff.new()
	var (
		last error
		sent int
	)
	for left := s.o.tries * turnsPerTry; left > 0; sent++ {
		if sent > 0 {
			d := waits.NextBackOff()
			if c.shardConflicts > 0 {
				d = contendedWait(c.shardConflicts)
			}
			if err := s.o.wait(ctx, d); err != nil {
				return c.stopped(fmt.Errorf("append: %w; before that: %w", err, last))
			}
		}
		before := c.shardConflicts
		v, err := s.try(ctx, c)
		if c.shardConflicts == before {
			c.shardConflicts = 0 // it failed for another reason
			left -= turnsPerTry
		} else {
			left--
		}
		switch v {
		case commitWritten:
			return nil
		case commitRejected:
			return c.stopped(err)
		case retryChanged:
			c.attempt++
			c.resend = false
		case retrySame:
			c.resend = true
		}
		last = err
	}
	if c.mayBeWritten {
		return &AmbiguousError{CommitID: c.id, cause: last}
	}
	return fmt.Errorf("append: %w (%d tries): %w", ErrContention, sent, last)
}

// turnsPerTry is how many turns of a contended shard a commit may lose for one try. A shard takes one commit after the other, and a commit that
// conflicts with others there only waits in a queue: with 16 equal writers it loses a turn with probability 15/16, 50 turns in a row with 4 %, and 500 with 1e-14.
const turnsPerTry = 10

// contendedWait returns how long a commit waits that conflicted with others on its shard, the given number of times in a row. The longer it has waited, the sooner
// it tries again: a shard takes one commit after the other, and with growing waits the latest arrivals would overtake it.
func contendedWait(times int) time.Duration {
	const first = 20 * time.Millisecond
	return rand.N(first/time.Duration(1+times/2) + time.Millisecond) //nolint:gosec // no secret
}

// stopped returns the error of a commit that is given up.
func (c *commit) stopped(err error) error {
	if _, ok := errors.AsType[*AmbiguousError](err); !ok && c.mayBeWritten {
		return &AmbiguousError{CommitID: c.id, cause: err}
	}
	return err
}

func (s *Store) try(ctx context.Context, c *commit) (outcome, error) {
	if !c.resend {
		if v, err := s.readVersions(ctx, c); v == commitWritten || err != nil {
			return v, err
		}
	}
	err := s.send(ctx, c)
	if err == nil {
		return commitWritten, nil
	}
	if errors.Is(err, ddb.ErrOutcomeUnknown) {
		c.mayBeWritten = true
		return s.onUnknown(ctx, c, err)
	}
	if _, ok := errors.AsType[*ddb.TransactionError](err); ok {
		return s.onCancelled(ctx, c, err)
	}
	if c.resend && ddb.IsRetryable(err) {
		return retrySame, err
	}
	return commitRejected, err
}

// readVersions finds the version behind which each part goes.
func (s *Store) readVersions(ctx context.Context, c *commit) (outcome, error) {
	for _, p := range c.parts {
		if p.based {
			continue
		}
		if p.expected.kind == exactly {
			p.based, p.base = true, p.expected.version
			continue
		}
		head, found, err := s.head(ctx, p.stream)
		if err != nil {
			return commitRejected, err
		}
		if v, err := s.rebase(ctx, c, p, head, found); v != retryChanged {
			return v, err
		}
	}
	return retryChanged, nil
}

// rebase sets the base of a part that expects no exact version from a head that was read.
func (s *Store) rebase(ctx context.Context, c *commit, p *part, head row, found bool) (outcome, error) {
	if first, last, ok := head.remembered(c.id); ok {
		return s.foundAt(ctx, c, p, first, last, nil)
	}
	switch {
	case head.Deleted != 0:
		return commitRejected, ErrStreamDeleted
	case !found && p.expected.kind == streamExists:
		return commitRejected, &WrongExpectedVersion{Stream: p.stream, Expected: p.expected}
	}
	if err := p.follow(&head); err != nil {
		return commitRejected, err
	}
	p.based, p.base = true, head.Version
	return retryChanged, nil
}

// send sends the transaction of the commit.
func (s *Store) send(ctx context.Context, c *commit) error {
	if c.attempt == 0 && !c.resend && slices.ContainsFunc(c.shards(), (*shard).isContended) {
		// Those that have waited already go first; otherwise the last writer would also be the next, because it knows the number.
		if err := s.o.wait(ctx, contendedWait(0)); err != nil {
			return err
		}
	}
	for _, p := range c.parts {
		if err := s.sealPart(ctx, p); err != nil {
			return err
		}
	}
	shards, err := s.lockShards(ctx, c)
	if err != nil {
		return err
	}
	defer func() {
		for _, sh := range shards {
			sh.unlock()
		}
	}()
	ops := append(s.operations(c), ddb.Token(c.token()))
	if err = ddb.Transact(ctx, s.client, ops...); err != nil {
		if errors.Is(err, ddb.ErrOutcomeUnknown) {
			for _, sh := range shards {
				sh.known = false
			}
		}
		return err
	}
	for _, p := range c.parts {
		if p.shard != nil {
			p.shard.last = max(p.shard.last, p.number)
		}
	}
	return nil
}

// lockShards locks the shards of the commit, in an order that is the same for all, and assigns numbers to its parts
// unless the transaction is a repeat.
func (s *Store) lockShards(ctx context.Context, c *commit) (held []*shard, err error) {
	release := func() {
		for _, sh := range held {
			sh.unlock()
		}
	}
	for _, sh := range c.shards() {
		if err := sh.lock(ctx); err != nil {
			release()
			return nil, err
		}
		held = append(held, sh)
		if c.resend {
			continue
		}
		if !sh.known || c.shardConflicts > 0 { // the number is outdated by now
			r, err := s.counter(ctx, sh.number)
			if err != nil {
				release()
				return nil, err
			}
			sh.known, sh.last = true, r
		}
		next := sh.last
		for _, p := range c.parts {
			if p.shard == sh {
				next++
				p.number = next
			}
		}
	}
	return held, nil
}

// shards returns the shards of the commit in their order, each once.
func (c *commit) shards() []*shard {
	var list []*shard
	for _, p := range c.parts {
		if p.shard != nil && !slices.Contains(list, p.shard) {
			list = append(list, p.shard)
		}
	}
	slices.SortFunc(list, func(a, b *shard) int { return a.number - b.number })
	return list
}

// role is what an operation of a commit's transaction is for.
type role uint8

const (
	ofCaller role = iota // given with the append
	ofID                 // reserves the id of an event
	ofHead
	ofEvents
	ofFeedRow
	ofMarker
	ofCounter
)

// operations are those of the caller, then the ids of the events, then of each part its head, events and feed
// row, then the marker and the counters. It notes their roles.
func (s *Store) operations(c *commit) (ops []ddb.TxOp) {
	c.roles = c.roles[:0]
	add := func(r role, list ...ddb.TxOp) {
		ops = append(ops, list...)
		for range list {
			c.roles = append(c.roles, r)
		}
	}
	add(ofCaller, c.extra...)
	add(ofID, s.idOps(c)...)
	for _, p := range c.parts {
		p.first, p.last = p.base+1, p.base+int64(len(p.events))
		p.op = len(ops)
		add(ofHead, s.headOp(c, p))
		rows := p.rows
		if p.aead != nil {
			rows = p.sent
		}
		for i := range rows {
			r := s.atVersion(p, rows[i], p.base)
			add(ofEvents, tableOf(s).TxCreate(&r))
		}
		if p.shard != nil {
			add(ofFeedRow, tableOf(s).TxCreate(s.feedRow(c, p)))
		}
	}
	if c.dedup > 0 {
		add(ofMarker, tableOf(s).TxCreate(c.marker()))
	}
	for _, sh := range c.shards() {
		add(ofCounter, s.counterOp(c, sh))
	}
	return ops
}

func (s *Store) headOp(c *commit, p *part) ddb.TxOp {
	if p.base == 0 {
		h := s.newHead(c, p)
		return tableOf(s).TxCreate(&h)
	}
	conds := []ddb.Cond[row]{rowVersion.Eq(p.base), ddb.NotExists(rowDeleted)}
	if p.expected.kind == exactly && !p.notInHead {
		conds = append(conds, notHeld(c.id))
	}
	if p.expiry != 0 {
		conds = append(conds, rowExpiry.Le(p.expiry))
	} else {
		conds = append(conds, ddb.NotExists(rowExpiry))
	}
	changes := []ddb.UpdateOption[row]{
		ddb.If(conds...),
		rowVersion.Set(p.last), rowSlots[0].Set(slot(c.id, p.first, p.last)),
	}
	for i := 1; i < len(rowSlots); i++ {
		changes = append(changes, ddb.SetFrom(rowSlots[i], rowSlots[i-1]))
	}
	if p.framed() {
		changes = append(changes, rowFramed.Set(true))
	}
	if p.expiry != 0 {
		changes = append(changes, rowExpiry.Set(p.expiry))
	}
	return tableOf(s).TxUpdate(streamKey(p.stream, 0), changes...)
}

// notHeld is the condition that a commit is not among the last ones of a head. It may mistake another id for this one if that
// begins with it; after a refusal the caller compares exactly.
func notHeld(commit string) ddb.Cond[row] {
	held := make([]ddb.Cond[row], len(rowSlots))
	for i, slot := range rowSlots {
		held[i] = slot.Contains(" " + commit)
	}
	return ddb.Not(ddb.Or(held...))
}

func (s *Store) feedRow(c *commit, p *part) *row {
	r := &row{
		PK: feedPartition(p.shard.number, p.number), SK: p.number,
		Stream: p.stream, First: p.first, Last: p.last, At: c.at.UnixNano(), Commit: c.id, Expiry: p.expiry,
	}
	if p.framed() {
		for i := range p.rows {
			r.Keys = append(r.Keys, p.base+p.rows[i].SK)
		}
	}
	r.Types = typesOf(r, p.events)
	return r
}

func (s *Store) counterOp(c *commit, sh *shard) ddb.TxOp {
	first, last := int64(0), int64(0)
	for _, p := range c.parts {
		if p.shard == sh {
			if first == 0 {
				first = p.number
			}
			last = p.number
		}
	}
	cond := rowVersion.Eq(first - 1)
	if first == 1 {
		cond = ddb.NotExists(rowVersion)
	}
	return tableOf(s).TxUpsert(counterKey(sh.number), rowVersion.Set(last), ddb.If(cond))
}

func (c *commit) marker() *row {
	r := &row{PK: markerKey(c.id).Partition, At: c.at.UnixNano(), TTL: c.at.Add(c.dedup).Unix() + 1}
	for _, p := range c.parts {
		r.Parts = append(r.Parts, span{Stream: p.stream, First: p.first, Last: p.last})
	}
	return r
}

// token returns the token of the transaction: the same for a repeat, another one for another transaction.
func (c *commit) token() string {
	var text strings.Builder
	text.WriteString(c.id + "\x00" + c.call) // because of the time in the events, each call is a different transaction
	for _, p := range c.parts {
		fmt.Fprintf(&text, "\x00%s\x00%d\x00%d", p.stream, p.base, p.number)
	}
	text.WriteString("\x00" + strconv.Itoa(c.attempt))
	sum := sha256.Sum256([]byte(text.String()))
	return base64.RawURLEncoding.EncodeToString(sum[:27])
}
