// SPDX-License-Identifier: Apache-2.0

package prefetch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/dynamotable/ddb/internal/prefetch"
)

// counting is a chain of n steps, of which the last returns an error.
func counting(n int, last error, calls *int) prefetch.Next[int] {
	return func(_ context.Context, prev *int) (*int, bool, error) {
		*calls++
		step := 1
		if prev != nil {
			step = *prev + 1
		}
		if step == n {
			return &step, false, last
		}
		return &step, true, nil
	}
}

func TestChain(t *testing.T) {
	boom := errors.New("boom")
	for _, last := range []error{nil, boom} {
		for n := 1; n <= 4; n++ {
			calls, seen := 0, 0
			for step, err := range prefetch.Chain(t.Context(), counting(n, last, &calls)) {
				if seen++; *step != seen || (err != nil) != (seen == n && last != nil) {
					t.Errorf("%d steps: got %d at position %d with %v", n, *step, seen, err)
				}
			}
			if seen != n || calls != n {
				t.Errorf("%d steps, %v: %d seen, %d made", n, last, seen, calls)
			}
		}
	}
}

// TestOneAhead: while the consumer processes a step, exactly one more is running; when the consumer stops, that
// step is cancelled and awaited.
func TestOneAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, ended := 0, 0
		next := func(ctx context.Context, prev *int) (*int, bool, error) {
			begun++
			if prev != nil {
				<-ctx.Done()
				ended++
				return nil, false, ctx.Err()
			}
			return new(int), true, nil
		}
		for range prefetch.Chain(t.Context(), next) {
			synctest.Wait()
			if begun != 2 || ended != 0 {
				t.Errorf("%d steps began, %d ended; want 2, 0", begun, ended)
			}
			break
		}
		if begun != 2 || ended != 1 {
			t.Errorf("after the loop %d steps began, %d ended; want 2, 1", begun, ended)
		}
	})
}

// TestPanic: a panic in a prefetched step is raised in the goroutine of the consumer, with its value and its stack;
// the end of the goroutine becomes an error there.
func TestPanic(t *testing.T) {
	cause := errors.New("cause")
	steps := func(end func()) prefetch.Next[int] {
		return func(_ context.Context, prev *int) (*int, bool, error) {
			if prev != nil {
				end()
			}
			return new(int), true, nil
		}
	}
	last := func(end func()) (err error) {
		for _, err = range prefetch.Chain(t.Context(), steps(end)) {
		}
		return err
	}
	err := last(func() { panic(cause) })
	got := func() (v any) {
		defer func() { v = recover() }()
		prefetch.Repanic(err)
		return nil
	}()
	if again, ok := got.(error); !ok || !errors.Is(again, cause) || !strings.Contains(fmt.Sprint(got), "prefetch_test.go") {
		t.Errorf("panicked with %v", got)
	}
	if err := last(runtime.Goexit); !errors.Is(err, prefetch.ErrGoexit) {
		t.Errorf("after the end of the goroutine: %v", err)
	}
	prefetch.Repanic(nil)
	prefetch.Repanic(cause)
	if err := prefetch.Catch(func() {}); err != nil {
		t.Error(err)
	}
}
