// SPDX-License-Identifier: Apache-2.0

// Package siphash is SipHash-2-4, a keyed hash of 64 bits: without the key, nobody can find the hashed value or make collisions.
//
// Aumasson, Bernstein: SipHash: a fast short-input PRF (2012). https://www.aumasson.jp/siphash/siphash.pdf
package siphash

import (
	"encoding/binary"
	"math/bits"
)

// Key is the key of hashes that compare with each other.
type Key struct{ k0, k1 uint64 }

// NewKey makes a key of 16 random bytes.
func NewKey(key [16]byte) Key {
	return Key{binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])}
}

type state struct{ v0, v1, v2, v3 uint64 }

func (s *state) rounds(n int) {
	for range n {
		s.v0 += s.v1
		s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
		s.v0 = bits.RotateLeft64(s.v0, 32)
		s.v2 += s.v3
		s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
		s.v0 += s.v3
		s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
		s.v2 += s.v1
		s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
		s.v2 = bits.RotateLeft64(s.v2, 32)
	}
}

func (s *state) word(m uint64) {
	s.v3 ^= m
	s.rounds(2)
	s.v0 ^= m
}

// Sum64 is the hash of a text.
func (k *Key) Sum64(text []byte) uint64 {
	s := state{k.k0 ^ 0x736f6d6570736575, k.k1 ^ 0x646f72616e646f6d, k.k0 ^ 0x6c7967656e657261, k.k1 ^ 0x7465646279746573}
	last := uint64(len(text)) << 56
	for ; len(text) >= 8; text = text[8:] {
		s.word(binary.LittleEndian.Uint64(text))
	}
	for i, b := range text {
		last |= uint64(b) << (8 * i)
	}
	s.word(last)
	s.v2 ^= 0xff
	s.rounds(4)
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}
