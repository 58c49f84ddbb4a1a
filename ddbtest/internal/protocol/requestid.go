// SPDX-License-Identifier: Apache-2.0

package protocol

import "sync/atomic"

// requestIDs makes request ids: 52 capital letters and digits, each different. They
// are derived from a counter, so equal runs have equal ids.
type requestIDs struct {
	count atomic.Uint64
}

const requestIDAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// requestIDEnd is the suffix of request ids, as in the service.
const requestIDEnd = "VV4KQNSO5AEMVJF66Q9ASUAAJG"

func (g *requestIDs) next() string {
	const head = 52 - len(requestIDEnd)
	var id [52]byte
	copy(id[head:], requestIDEnd)
	x := g.count.Add(1)
	for i := range head {
		if i%12 == 0 { // spread the counter again over every 12 characters
			x ^= x >> 30
			x *= 0xbf58476d1ce4e5b9
			x ^= x >> 27
			x *= 0x94d049bb133111eb
			x ^= x >> 31
		}
		shift := uint(i%12) * 5
		id[i] = requestIDAlphabet[(x>>shift)&31]
	}
	return string(id[:])
}
