// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	lo8 = 0x0101010101010101
	hi8 = 0x8080808080808080
)

// special marks the bytes of w that are a quote, a backslash or a control character. Only the lowest mark is exact.
func special(w uint64) uint64 {
	// Flipping bit 1 turns the quote into 0x20, the first byte after the control characters; no other byte after them becomes less
	// than 0x21.
	return (((w ^ lo8*0x02) - lo8*0x21) | ((w ^ lo8*'\\') - lo8)) &^ w & hi8
}

// rawText reads a string and returns the bytes between its quotes. esc reports whether it contains a backslash, high whether it
// contains a byte beyond ASCII.
func (d *Decoder) rawText() (s []byte, esc, high bool, err error) {
	if d.i < len(d.b) && d.b[d.i] == '"' {
		d.i++
	} else if err = d.expect('"'); err != nil {
		return s, esc, high, err
	}
	b, i := d.b, d.i
	start := i
	var seen uint64
	for {
		i, seen = plainUntil(b, i, seen)
		d.i = i
		switch {
		case i >= len(b):
			return nil, false, false, d.fail("closing quote")
		case b[i] == '"':
			d.i = i + 1
			return b[start:i], esc, seen&hi8 != 0, nil
		case b[i] != '\\':
			return nil, false, false, d.fail("no control character")
		case i+1 >= len(b):
			return nil, false, false, d.fail("escape")
		}
		esc = true
		i += 2
	}
}

// plainUntil returns the position of the first special byte from i on, or the end, and adds the bytes before it to seen.
func plainUntil(b []byte, i int, seen uint64) (int, uint64) {
	for words := 0; len(b)-i >= 8; words++ {
		w := binary.LittleEndian.Uint64(b[i:])
		if m := special(w); m != 0 {
			n := bits.TrailingZeros64(m) >> 3
			return i + n, seen | w&(1<<(uint(n)*8)-1)
		}
		seen |= w
		if i += 8; words == 4 { // a long text
			i, seen = plainBlocks(b, i, seen)
		}
	}
	for i < len(b) && b[i] >= 0x20 && b[i] != '"' && b[i] != '\\' {
		seen |= uint64(b[i])
		i++
	}
	return i, seen
}

// plainBlocks is plainUntil, but stops before the four words that contain the special byte.
func plainBlocks(b []byte, i int, seen uint64) (int, uint64) {
	rest := b[i:]
	for len(rest) >= 32 {
		w, x := binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:])
		y, z := binary.LittleEndian.Uint64(rest[16:]), binary.LittleEndian.Uint64(rest[24:])
		if special(w)|special(x)|special(y)|special(z) != 0 {
			break
		}
		seen |= w | x | y | z
		rest = rest[32:]
	}
	return len(b) - len(rest), seen
}

// Text reads a string and returns its unescaped bytes, valid until the next
// call on d.
func (d *Decoder) Text() ([]byte, error) { return d.text() }

func (d *Decoder) text() ([]byte, error) {
	s, esc, high, err := d.rawText()
	if err != nil {
		return nil, err
	}
	if high && !utf8.Valid(s) {
		return nil, d.fail("valid UTF-8")
	}
	if !esc {
		return s, nil
	}
	return d.unescape(s)
}

func (d *Decoder) skipText() error {
	s, esc, high, err := d.rawText()
	if err != nil {
		return err
	}
	if high && !utf8.Valid(s) {
		return d.fail("valid UTF-8")
	}
	if esc {
		_, err = d.unescape(s)
	}
	return err
}

func (d *Decoder) unescape(s []byte) ([]byte, error) {
	out := d.scratch[:0]
	for len(s) > 0 {
		k := bytes.IndexByte(s, '\\')
		if k < 0 {
			out = append(out, s...)
			break
		}
		out = append(out, s[:k]...)
		c := s[k+1] // rawText has checked that an escape has a second byte
		s = s[k+2:]
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(s)
			if !ok {
				return nil, d.fail("four hex digits")
			}
			s = s[4:]
			if utf16.IsSurrogate(r) {
				r, ok = lowSurrogate(r, s)
				if !ok {
					return nil, d.fail("surrogate pair")
				}
				s = s[6:]
			}
			out = utf8.AppendRune(out, r)
		default:
			return nil, d.fail("known escape")
		}
	}
	d.scratch = out
	return out, nil
}

func lowSurrogate(high rune, s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	low, ok := hex4(s[2:])
	if !ok {
		return 0, false
	}
	r := utf16.DecodeRune(high, low)
	return r, r != utf8.RuneError
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

const hexDigits = "0123456789abcdef"

// appendText appends s as a JSON string; ok is false if s is not valid UTF-8.
func appendText(b []byte, s string) (_ []byte, ok bool) {
	b, ok = appendEscaped(append(b, '"'), s)
	return append(b, '"'), ok
}

// appendEscaped appends the content of the JSON string s, without quotes.
func appendEscaped(b []byte, s string) (_ []byte, ok bool) {
	start, i := 0, 0
	for {
		if i += asIs(s[i:]); i == len(s) {
			return append(b, s[start:]...), true
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return b, false
			}
			i += n
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
}

// asIs returns how many leading bytes of s are ASCII and need no escape in JSON.
func asIs(s string) int {
	rest := s
	for len(rest) >= 32 {
		if (specialBytes(word(rest))|specialBytes(word(rest[8:]))|specialBytes(word(rest[16:]))|specialBytes(word(rest[24:])))&hi8 != 0 {
			break
		}
		rest = rest[32:]
	}
	for len(rest) >= 8 && specialBytes(word(rest))&hi8 == 0 {
		rest = rest[8:]
	}
	if len(rest) < 8 && len(s) >= 8 && specialBytes(word(s[len(s)-8:]))&hi8 == 0 { // the last word overlaps the previous one
		return len(s)
	}
	i := 0
	for i < len(rest) && rest[i] >= 0x20 && rest[i] < utf8.RuneSelf && rest[i] != '"' && rest[i] != '\\' {
		i++
	}
	return len(s) - len(rest) + i
}

// specialBytes sets the high bit of the bytes of w that are special or not ASCII. Only the lowest mark is exact.
func specialBytes(w uint64) uint64 {
	return ((w ^ lo8*0x02) - lo8*0x21) | ((w ^ lo8*'\\') - lo8) | w
}

// word returns the first eight bytes of s. The compiler makes it one load.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
