// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// fetches is how many payloads are fetched at the same time.
const fetches = 8

// resolve finishes events, several at a time and in order, and applies the upcasters. Backward, the events that an upcaster has made from one event come
// in reverse order.
func (s *Store) resolve(ctx context.Context, events iter.Seq2[Event, error], backward bool) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		var buf []Event
		for e, err := range s.restored(ctx, events) {
			if err != nil || !s.upcasts(&e) {
				if !yield(e, err) || err != nil {
					return
				}
				continue
			}
			if buf, err = s.upcast(e, buf[:0]); err != nil {
				yield(e, err)
				return
			}
			if backward {
				slices.Reverse(buf)
			}
			for i, e := range buf {
				e.more = i+1 < len(buf)
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// restored fetches, decrypts and decompresses the data of events, several at a time and in order.
func (s *Store) restored(ctx context.Context, events iter.Seq2[Event, error]) iter.Seq2[Event, error] {
	ring := s.keyring()
	needs := func(e *Event) bool { return e.ref != "" || e.form != (form{}) }
	return mapAhead(ctx, fetches, events, needs, func(ctx context.Context, e *Event) error { return s.restore(ctx, e, ring) })
}

// restore fetches, decrypts and decompresses the data of an event as needed. An event whose key was deleted is marked.
func (s *Store) restore(ctx context.Context, e *Event, ring *keyring) error {
	var aead cipher.AEAD
	if e.form.key != "" {
		var err error
		if aead, err = ring.byID(ctx, e.form.key); errors.Is(err, ErrForgotten) {
			e.forget()
			return nil
		}
		if err != nil {
			return fmt.Errorf("read: the key of version %d: %w", e.Version, err)
		}
	}
	if e.ref != "" {
		if err := s.fetch(ctx, e); err != nil {
			return err
		}
	}
	if aead != nil {
		if err := e.open(aead); err != nil {
			return err
		}
	}
	if e.form.zip != "" {
		if err := s.decompress(e); err != nil {
			return err
		}
	}
	e.form = form{}
	return nil
}

// fetch replaces a reference by the data that it refers to.
func (s *Store) fetch(ctx context.Context, e *Event) error {
	if s.o.payloads == nil {
		return errors.New("read: an event's data are in a payload store; the option Offload is missing")
	}
	data, err := s.o.payloads.Fetch(ctx, e.ref)
	if err != nil {
		return fmt.Errorf("read: data of version %d: %w", e.Version, err)
	}
	e.Data, e.ref = data, ""
	return nil
}

// mapAhead calls work for the values that need it, up to n at a time ahead of the loop, and
// yields all values in their order.
func mapAhead[T any](ctx context.Context, n int, seq iter.Seq2[T, error], needs func(*T) bool, work func(context.Context, *T) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		q := pending[T]{yield: yield}
		defer func() {
			cancel()
			q.wait() // no goroutine outlives the call
		}()
		for v, err := range seq {
			if err == nil && len(q.values) == 0 && !needs(&v) {
				if !yield(v, nil) {
					return
				}
				continue
			}
			p := &pendingValue[T]{value: v, err: err}
			if err == nil && needs(&v) {
				p.done = make(chan struct{})
				q.busy++
				go func() {
					defer close(p.done)
					p.err = work(ctx, &p.value)
				}()
			}
			q.values = append(q.values, p)
			for len(q.values) > 0 && (q.busy >= n || len(q.values) >= 16*n || q.values[0].done == nil) {
				if !q.first() {
					return
				}
			}
			if err != nil {
				break
			}
		}
		for len(q.values) > 0 {
			if !q.first() {
				return
			}
		}
	}
}

// pending holds values that wait for their turn; some of them are being worked on.
type pending[T any] struct {
	values []*pendingValue[T]
	busy   int
	yield  func(T, error) bool
}

type pendingValue[T any] struct {
	value T
	err   error
	done  chan struct{} // nil if there is nothing to wait for
}

// first yields the first value when it is ready.
func (q *pending[T]) first() bool {
	p := q.values[0]
	if p.done != nil {
		<-p.done
		q.busy--
	}
	q.values = q.values[1:]
	return q.yield(p.value, p.err) && p.err == nil
}

func (q *pending[T]) wait() {
	for _, p := range q.values {
		if p.done != nil {
			<-p.done
		}
	}
}
