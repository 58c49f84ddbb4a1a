// SPDX-License-Identifier: Apache-2.0

// Package prefetch runs the steps of a chain one ahead of their consumer, such as the pages of a query.
package prefetch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
)

// Next is one step of a chain, after prev, which is nil for the first. A step may come with an error, which ends the
// chain; more says that another step follows.
type Next[S any] func(ctx context.Context, prev *S) (step *S, more bool, err error)

type result[S any] struct {
	step *S
	more bool
	err  error
}

// Chain yields the steps in order, and runs the next while the consumer has one. When the consumer
// stops, the running step is cancelled and awaited. A panic of a step becomes an error for [Repanic], without a step.
func Chain[S any](ctx context.Context, next Next[S]) iter.Seq2[*S, error] {
	return func(yield func(*S, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pending := make(chan result[S], 1)
		running := false
		defer func() {
			cancel()
			if running {
				<-pending
			}
		}()
		step, more, err := next(ctx, nil)
		for r := (result[S]{step, more, err}); ; {
			if running = r.err == nil && r.more; running {
				go func(prev *S) {
					r := result[S]{err: ErrGoexit}
					defer func() { pending <- r }()
					err := Catch(func() {
						step, more, err := next(ctx, prev)
						r = result[S]{step, more, err}
					})
					if err != nil {
						r = result[S]{err: err}
					}
				}(r.step)
			}
			if !yield(r.step, r.err) || !running {
				return
			}
			r = <-pending
			running = false
		}
	}
}

// panicked is a panic on its way from a goroutine to the caller's, where it can
// be recovered: code of the caller, such as an UnmarshalText, runs in both.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

func (p *panicked) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// ErrGoexit is the error of a step whose goroutine was ended by runtime.Goexit.
var ErrGoexit = errors.New("the client ended the goroutine of its call")

// Catch runs fn and turns a panic into an error for [Repanic].
func Catch(fn func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{v, debug.Stack()}
		}
	}()
	fn()
	return nil
}

// Repanic resumes, in the goroutine of the caller, a panic that Catch or Chain turned into an error. It ignores other errors.
func Repanic(err error) {
	if p, ok := errors.AsType[*panicked](err); ok {
		panic(p)
	}
}
