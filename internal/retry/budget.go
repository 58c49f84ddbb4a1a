// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"errors"
	"sync"
	"time"
)

// Prices in tokens, those of the SDK's own bucket.
const (
	Cost            = 5 // of a retry
	FirstSuccess    = 1 // that a success at the first attempt adds
	tokensPerSecond = 5
)

// ErrBudgetEmpty ends work whose budget allows no retry.
var ErrBudgetEmpty = errors.New("the retry budget is empty, so many calls fail that more retries would only add load")

// Budget is a bucket of tokens that bounds the retries of everything that shares it: a retry costs Cost and gives
// them back if it succeeds. A nil *Budget bounds nothing. It is safe for concurrent use.
type Budget struct {
	mu       sync.Mutex
	capacity float64
	tokens   float64
	filled   time.Time // when tokens was last brought up to date
}

// NewBudget makes a full budget for so many retries at once. Zero or less allows no retry, as the zero Budget does.
func NewBudget(retries int) *Budget {
	b := new(Budget)
	b.Fill(retries)
	return b
}

// Fill makes the budget a full one for so many retries at once. It must not be in use.
func (b *Budget) Fill(retries int) {
	b.capacity = float64(max(retries, 0)) * Cost
	b.tokens, b.filled = b.capacity, time.Now()
}

// Take takes n tokens if they are there; it never waits.
func (b *Budget) Take(n float64) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill()
	if b.tokens < n {
		return false
	}
	b.tokens -= n
	return true
}

// Add puts tokens back, up to the capacity.
func (b *Budget) Add(n float64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill()
	b.tokens = min(b.capacity, b.tokens+n)
}

func (b *Budget) refill() {
	now := time.Now()
	if d := now.Sub(b.filled); d > 0 {
		b.tokens = min(b.capacity, b.tokens+d.Seconds()*tokensPerSecond)
	}
	b.filled = now
}
