// SPDX-License-Identifier: Apache-2.0

package value

// Add returns n + m. It fails with a ValidationException if the exact sum has
// more than 38 significant digits or lies outside the range of a number.
func (n Number) Add(m Number) (Number, error) {
	switch {
	case n.hi == 0:
		return m, nil
	case m.hi == 0:
		return n, nil
	}
	if n.cmpMagnitude(m) < 0 {
		n, m = m, n
	}
	shift := int(n.exp) - int(m.exp)
	if shift > maxDigits { // the smaller one is entirely beyond the 38 digits of the larger
		return Number{}, Invalid(msgOverflow)
	}
	// One leading digit for the carry, then n's digits, then those of m beyond
	// them.
	var sum [1 + maxDigits + maxDigits]int8
	a, na := n.unpack()
	b, nb := m.unpack()
	for i := range na {
		sum[1+i] = int8(a[i])
	}
	end := 1 + max(na, shift+nb)
	for i := range nb {
		if n.neg == m.neg {
			sum[1+shift+i] += int8(b[i])
		} else {
			sum[1+shift+i] -= int8(b[i])
		}
	}
	for i := end - 1; i > 0; i-- {
		switch {
		case sum[i] > 9:
			sum[i] -= 10
			sum[i-1]++
		case sum[i] < 0:
			sum[i] += 10
			sum[i-1]--
		}
	}
	start := 0
	for start < end && sum[start] == 0 {
		start++
	}
	if start == end {
		return Number{}, nil
	}
	for sum[end-1] == 0 {
		end--
	}
	exp := int(n.exp) + 1 - start
	if end-start > maxDigits || exp > maxExp {
		return Number{}, Invalid(msgOverflow)
	}
	if exp < minExp {
		return Number{}, Invalid(msgUnderflow)
	}
	var digits digits38
	for i := start; i < end; i++ {
		digits[i-start] = byte(sum[i])
	}
	return newNumber(&digits, exp, n.neg), nil
}

// Sub returns n - m, with the errors of [Number.Add].
func (n Number) Sub(m Number) (Number, error) {
	return n.Add(m.Neg())
}
