// SPDX-License-Identifier: Apache-2.0

package siphash_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/siphash"
)

// TestSum64 has the example of the paper's appendix A, and the first of the authors' test vectors, all with the key 00 01 ... 0f.
func TestSum64(t *testing.T) {
	t.Parallel()
	var raw [16]byte
	text := make([]byte, 64)
	for i := range text {
		text[i] = byte(i)
	}
	copy(raw[:], text)
	key := siphash.NewKey(raw)
	for n, want := range map[int]uint64{0: 0x726fdb47dd0e0e31, 1: 0x74f839c593dc67fd, 15: 0xa129ca6149be45e5} {
		if got := key.Sum64(text[:n]); got != want {
			t.Errorf("of %d bytes: %016x, want %016x", n, got, want)
		}
	}
}
