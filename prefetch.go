package ddb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// chained is one page of a chain; left is what the limit leaves for the next.
type chained struct {
	page *pageData
	next map[string]types.AttributeValue
	left int
	err  error
}

func (c *chained) more() bool { return c.err == nil && c.next != nil }

// prefetch chains calls of next, one ahead of the consumer. When the consumer
// stops, the call under way is cancelled and awaited.
func prefetch(ctx context.Context, next func(context.Context, *chained) *chained) iter.Seq[*chained] {
	return func(yield func(*chained) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pending := make(chan *chained, 1)
		running := false
		defer func() {
			cancel()
			if running {
				<-pending
			}
		}()
		for p := next(ctx, nil); ; {
			if running = p.more(); running {
				go func(prev *chained) {
					c := &chained{err: errGoexit}
					defer func() { pending <- c }()
					if err := contain(func() { c = next(ctx, prev) }); err != nil {
						c.err = err
					}
				}(p)
			}
			if !yield(p) || !running {
				return
			}
			p = <-pending
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

var errGoexit = errors.New("the client ended the goroutine of its call")

// contain runs fn and turns a panic into an error for [rethrow].
func contain(fn func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{v, debug.Stack()}
		}
	}()
	fn()
	return nil
}

// rethrow goes on with a panic in the goroutine of the caller.
func rethrow(err error) {
	if p, ok := errors.AsType[*panicked](err); ok {
		panic(p)
	}
}
