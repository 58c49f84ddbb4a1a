// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math/rand/v2"
	"sync"
)

// order is the order of results where the service guarantees none. The zero value keeps the
// order in which things are stored or requested.
type order struct {
	seed uint64
	mu   sync.Mutex
	rand *rand.Rand // nil without a seed
}

func newOrder(seed uint64) *order {
	o := &order{seed: seed}
	if seed != 0 {
		o.rand = rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // to be repeated
	}
	return o
}

// of returns the numbers below n, in the order in which they are to be returned.
func (o *order) of(n int) []int {
	if o.rand != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.rand.Perm(n)
	}
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}
