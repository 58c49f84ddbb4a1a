// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
)

const alphabet64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// pairs64 contains the two base64 digits for each value of 12 bits.
var pairs64 = func() (t [1 << 12]uint16) {
	for i := range t {
		t[i] = uint16(alphabet64[i>>6]) | uint16(alphabet64[i&63])<<8
	}
	return t
}()

// digits64 contains, for each position in a group of four, the bits of a base64 digit at that position. The highest bits mark
// characters that are not digits.
var digits64 = func() (t [4][256]uint32) {
	for place := range t {
		for c := range t[place] {
			t[place][c] = math.MaxUint32
		}
	}
	for i := range len(alphabet64) {
		for place := range t {
			t[place][alphabet64[i]] = uint32(i) << (6 * (3 - place))
		}
	}
	return t
}()

// decode64 decodes s, which has no line ends, into p, which has room for all of it.
func decode64(p, s []byte) (int, error) {
	n := 0
	for len(s) > 4 && len(p)-n >= 3 { // the last group may be padded
		w := digits64[0][s[0]] | digits64[1][s[1]] | digits64[2][s[2]] | digits64[3][s[3]]
		if w > 1<<24-1 {
			break
		}
		q := p[n : n+3 : n+3]
		q[0], q[1], q[2] = byte(w>>16), byte(w>>8), byte(w)
		n += 3
		s = s[4:]
	}
	m, err := base64.StdEncoding.Decode(p[n:], s)
	return n + m, err
}

// append64 appends p in base64.
func append64(b, p []byte) []byte {
	b = slices.Grow(b, base64.StdEncoding.EncodedLen(len(p)))
	for len(p) >= 8 { // six of them become eight digits
		w := binary.BigEndian.Uint64(p)
		b = binary.LittleEndian.AppendUint64(b, uint64(pairs64[w>>52])|uint64(pairs64[w>>40&0xfff])<<16|
			uint64(pairs64[w>>28&0xfff])<<32|uint64(pairs64[w>>16&0xfff])<<48)
		p = p[6:]
	}
	return base64.StdEncoding.AppendEncode(b, p)
}
