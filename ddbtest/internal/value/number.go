// SPDX-License-Identifier: Apache-2.0

package value

import (
	"cmp"
	"strconv"
)

const (
	maxDigits = 38
	limb      = 10_000_000_000_000_000_000 // 10^19: two limbs hold 38 digits
	minExp    = -129                       // 1E-130 is 0.1E-129
	maxExp    = 126                        // 9.9...9E+125 is 0.99...9E+126
)

// Number is a decimal number of up to 38 significant digits whose magnitude is
// zero or between 1E-130 and 9.9999999999999999999999999999999999999E+125.
// The zero value is 0. Two numbers are equal if and only if == is true.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
type Number struct {
	// The magnitude is 0.DDD... x 10^exp, where the 38 digits are hi then lo,
	// 19 digits each, and the first digit is not 0 unless the number is 0.
	hi, lo uint64
	exp    int16
	neg    bool
}

// The errors of numbers, with the service's texts.
const (
	msgNotNumeric = "The parameter cannot be converted to a numeric value"
	msgPrecision  = "Attempting to store more than 38 significant digits in a Number"
	msgOverflow   = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	msgUnderflow  = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
)

// digits38 is a number's digits, most significant first, each 0 to 9.
type digits38 [maxDigits]byte

// ParseNumber reads a number in decimal or scientific notation. Leading and
// trailing zeros do not count as significant digits. A zero has a magnitude
// too, given by its exponent and its decimals, so 0e126 is out of range. The
// error is a ValidationException.
func ParseNumber(s string) (Number, error) {
	notNumeric := func() (Number, error) {
		if s == "" {
			return Number{}, Invalid(msgNotNumeric)
		}
		return Number{}, Invalid(msgNotNumeric + ": " + s)
	}
	i, neg := 0, false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		neg = s[i] == '-'
		i++
	}
	var (
		digits    digits38
		n         int  // significant digits seen, including trailing zeros
		tooMany   bool // a digit after the 38th is not 0
		seen, dot bool
		exp       int // 0.ddd x 10^exp
	)
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !dot {
			dot = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		seen = true
		if n == 0 && c == '0' {
			if dot {
				exp--
			}
			continue
		}
		if !dot {
			exp++
		}
		if n < maxDigits {
			digits[n] = c - '0'
		} else if c != '0' {
			tooMany = true
		}
		n++
	}
	if !seen {
		return notNumeric()
	}
	if i < len(s) {
		if s[i] != 'e' && s[i] != 'E' {
			return notNumeric()
		}
		e, ok := parseExponent(s[i+1:])
		if !ok {
			return notNumeric()
		}
		exp += e
	}
	if n == 0 { // 0 x 10^exp has its first digit one place higher
		exp++
	}
	switch {
	case exp > maxExp:
		return Number{}, Invalid(msgOverflow)
	case exp < minExp:
		return Number{}, Invalid(msgUnderflow)
	case tooMany:
		return Number{}, Invalid(msgPrecision)
	case n == 0:
		return Number{}, nil
	}
	return newNumber(&digits, exp, neg), nil
}

// parseExponent reads the digits after the E. The result stops growing far outside the
// range, where the answer is an overflow or underflow in any case.
func parseExponent(s string) (int, bool) {
	neg := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if s == "" {
		return 0, false
	}
	e := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if e < 1<<24 {
			e = e*10 + int(s[i]-'0')
		}
	}
	if neg {
		e = -e
	}
	return e, true
}

// NumberFromInt returns the number with the value of i.
func NumberFromInt(i int64) Number {
	n, _ := ParseNumber(strconv.FormatInt(i, 10)) // 19 digits always fit
	return n
}

// newNumber packs digits whose first is not 0.
func newNumber(digits *digits38, exp int, neg bool) Number {
	var hi, lo uint64
	for i := range 19 {
		hi = hi*10 + uint64(digits[i])
		lo = lo*10 + uint64(digits[i+19])
	}
	return Number{hi: hi, lo: lo, exp: int16(exp), neg: neg}
}

// unpack returns the digits and how many of them precede the trailing zeros
// that fill them up.
func (n Number) unpack() (digits digits38, count int) {
	hi, lo := n.hi, n.lo
	for i := 18; i >= 0; i-- {
		digits[i] = byte(hi % 10)
		digits[i+19] = byte(lo % 10)
		hi /= 10
		lo /= 10
	}
	count = maxDigits
	for count > 0 && digits[count-1] == 0 {
		count--
	}
	return digits, count
}

// String returns the number as the service prints it: plain decimal notation
// without superfluous zeros, such as "-0.05", "1200" or "0".
func (n Number) String() string {
	return string(n.AppendText(make([]byte, 0, 48)))
}

// AppendText appends what String returns to b.
func (n Number) AppendText(b []byte) []byte {
	if n.hi == 0 {
		return append(b, '0')
	}
	digits, count := n.unpack()
	if n.neg {
		b = append(b, '-')
	}
	exp := int(n.exp)
	if exp <= 0 {
		b = append(b, '0', '.')
		for range -exp {
			b = append(b, '0')
		}
	}
	for i := range max(count, exp) {
		if i == exp && exp > 0 {
			b = append(b, '.')
		}
		if i < count {
			b = append(b, '0'+digits[i])
		} else {
			b = append(b, '0')
		}
	}
	return b
}

// Sign returns -1, 0 or +1.
func (n Number) Sign() int {
	switch {
	case n.hi == 0:
		return 0
	case n.neg:
		return -1
	default:
		return 1
	}
}

// Neg returns the number with the other sign.
func (n Number) Neg() Number {
	if n.hi != 0 {
		n.neg = !n.neg
	}
	return n
}

// Cmp returns -1, 0 or +1 as n is less than, equal to or greater than m.
func (n Number) Cmp(m Number) int {
	if s, t := n.Sign(), m.Sign(); s != t {
		return cmp.Compare(s, t)
	}
	c := n.cmpMagnitude(m)
	if n.neg {
		return -c
	}
	return c
}

// cmpMagnitude compares two numbers of the same sign, or both zero.
func (n Number) cmpMagnitude(m Number) int {
	return cmp.Or(cmp.Compare(n.exp, m.exp), cmp.Compare(n.hi, m.hi), cmp.Compare(n.lo, m.lo))
}

// Int64 returns the number as an integer, and false if it has a fraction or
// does not fit.
func (n Number) Int64() (int64, bool) {
	if n.exp > 19 || n.exp < 0 {
		return 0, false
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return i, err == nil
}
