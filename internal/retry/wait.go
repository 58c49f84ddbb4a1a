// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Sleep waits for d or until the context ends, whichever comes first.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return waitError(ctx)
	}
}

// Pause waits at random between half of d and all of it. Its error is that of the context.
func Pause(ctx context.Context, d time.Duration) error {
	if Sleep(ctx, d/2+rand.N(d/2+1)) != nil { //nolint:gosec // no secret
		return ctx.Err()
	}
	return nil
}

func waitError(ctx context.Context) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("stopped before a retry: %w: %w", err, cause)
	}
	return fmt.Errorf("stopped before a retry: %w", err)
}

// fullJitter draws each wait between zero and an exponentially growing limit.
type fullJitter struct {
	base, ceiling time.Duration
	retries       int
}

var _ backoff.BackOff = (*fullJitter)(nil)

// NextBackOff is the wait before the next retry; it never is backoff.Stop.
func (f *fullJitter) NextBackOff() time.Duration {
	d := Jitter(f.base, f.ceiling, f.retries)
	f.retries++
	return d
}

// Reset starts again with the shortest limit.
func (f *fullJitter) Reset() { f.retries = 0 }

// Jitter is a random time between zero and base doubled by every earlier retry, at most ceiling.
func Jitter(base, ceiling time.Duration, retries int) time.Duration {
	limit := ceiling
	if n := min(retries, 62); base <= ceiling>>n { // so that the shift does not overflow
		limit = base << n
	}
	return rand.N(limit + 1) //nolint:gosec // jitter is no secret
}
