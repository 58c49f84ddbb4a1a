// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"math"
	"math/big"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"github.com/dynamotable/ddb/internal/gotype"
)

// floatCodec stores the shortest decimal that is parsed as the same float.
func floatCodec[F ~float32 | ~float64](v *Value, bits int) {
	v.kind = numberKind(v)
	v.put = func(b []byte, r ref) ([]byte, error) {
		b, problem := appendFloat(b, float64(*as[F](r)), bits)
		if problem != "" {
			return b, unfit(gotype.Reflect(v.typ), problem)
		}
		return b, nil
	}
	v.enc = v.wrapped
	v.dec = v.numericText
	v.text = func(_ *Decoder, k Kind, s []byte, r ref) error {
		f, problem := parseFloat(s, bits)
		if problem != "" {
			return refuse(k, gotype.Reflect(v.typ), problem)
		}
		*as[F](r) = F(f)
		return nil
	}
}

func appendFloat(b []byte, f float64, bits int) ([]byte, string) {
	switch a := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return b, "NaN and infinity are no DynamoDB numbers"
	case a == 0:
		return append(b, '0'), "" // DynamoDB has no negative zero
	case a < 1e-130:
		return b, "magnitude below 1E-130"
	case a >= 1e126:
		return b, "magnitude above 9.99E+125"
	}
	return strconv.AppendFloat(b, f, 'f', -1, bits), ""
}

// parseFloat returns the nearest float. It rejects a number beyond the range, and one that would become zero.
func parseFloat(s []byte, bits int) (float64, string) {
	if f, ok := shortFloat(s, bits); ok {
		return f, ""
	}
	zero := true
	for _, c := range s {
		// strconv also accepts names, hexadecimal and underscores.
		switch {
		case c >= '1' && c <= '9':
			zero = false
		case c == '0' || c == '-' || c == '+' || c == '.' || c|0x20 == 'e':
		default:
			return 0, "not a number"
		}
	}
	f, err := strconv.ParseFloat(string(s), bits)
	switch {
	case err != nil && math.IsInf(f, 0):
		return 0, overflow
	case err != nil:
		return 0, "not a number"
	case f == 0 && !zero && !zeroMantissa(s):
		return 0, overflow
	}
	return f, ""
}

// shortFloat parses up to 15 digits in plain notation, up to 7 for a float32. The digits and the power of ten that divides them
// are exact floats, so their quotient is the nearest float.
func shortFloat(s []byte, bits int) (float64, bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	if len(s) == 0 || len(s) > 16 {
		return 0, false
	}
	n, digits, point := uint64(0), 0, -1
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			n = n*10 + uint64(c-'0')
			digits++
		case c == '.' && point < 0:
			point = digits
		default:
			return 0, false
		}
	}
	if digits == 0 || digits > 15 || bits == 32 && digits > 7 {
		return 0, false
	}
	f := float64(n)
	switch {
	case point >= 0 && bits == 32:
		f = float64(float32(n) / float32(tens[digits-point]))
	case point >= 0:
		f /= tens[digits-point]
	}
	if neg {
		f = -f
	}
	return f, true
}

var tens = [16]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// zeroMantissa distinguishes 0E5 from 1E-400.
func zeroMantissa(s []byte) bool {
	for _, c := range s {
		if c|0x20 == 'e' {
			return true
		}
		if c >= '1' && c <= '9' {
			return false
		}
	}
	return true
}

// number returns the value of a number for an interface: a float64 if that is exact, which means that its shortest decimal is the
// same number, and otherwise all digits.
func (d *Decoder) number(s []byte) (any, string) {
	if f, ok := shortFloat(s, 64); ok { // every decimal of 15 digits can be recovered from a float64
		return f, ""
	}
	dec, problem := parseDecimal(s)
	if problem != "" {
		return nil, problem
	}
	if f, ok := dec.float(s); ok {
		return f, ""
	}
	return attributevalue.Number(d.keep(s)), ""
}

// float returns the float64 of s if that represents s exactly.
func (dec *decimal) float(s []byte) (float64, bool) {
	f, err := strconv.ParseFloat(string(s), 64)
	if err != nil {
		return 0, false
	}
	if dec.n <= 15 { // every decimal of 15 digits can be recovered from a float64
		return f, true
	}
	var buf [32]byte
	short, problem := parseDecimal(strconv.AppendFloat(buf[:0], f, 'e', -1, 64))
	return f, problem == "" && short == *dec
}

// The binary exponents of the largest and smallest magnitude.
const (
	maxBits = 420
	minBits = -434
)

// bigIntCodec stores a big.Int as a number.
func bigIntCodec(v *Value) {
	v.kind = numberKind(v)
	v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
		n := as[big.Int](r)
		if n.BitLen() > maxBits {
			return b, unfit(gotype.Reflect(v.typ), "magnitude above 9.99E+125")
		}
		b = wrapNumber(b, v.opts.asString)
		from := len(b)
		b = n.Append(b, 10)
		if _, problem := parseDecimal(b[from:]); problem != "" {
			return b, unfit(gotype.Reflect(v.typ), problem)
		}
		return append(b, endText...), nil
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		s, err := d.numeric(v, k)
		if err != nil {
			return err
		}
		var buf [maxExponent + 2]byte
		digits, problem := plainInteger(buf[:0], s)
		if problem != "" {
			return refuse(k, gotype.Reflect(v.typ), problem)
		}
		n, _ := new(big.Int).SetString(string(digits), 10)
		*as[big.Int](r) = *n
		return nil
	}
}

// bigFloatCodec stores the shortest decimal that is parsed as the same big.Float at its precision. It reads with a precision of
// 128 bits, which distinguishes all numbers of 38 digits.
func bigFloatCodec(v *Value) {
	v.kind = numberKind(v)
	v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
		f := as[big.Float](r)
		if f.IsInf() {
			return b, unfit(gotype.Reflect(v.typ), "NaN and infinity are no DynamoDB numbers")
		}
		// A large exponent would first result in a text of millions of digits.
		if exp := f.MantExp(nil); exp > maxBits || exp < minBits {
			return b, unfit(gotype.Reflect(v.typ), "magnitude outside 1E-130 to 9.99E+125")
		}
		b = wrapNumber(b, v.opts.asString)
		from := len(b)
		b = f.Append(b, 'e', -1)
		dec, problem := parseDecimal(b[from:])
		if problem != "" {
			return b, unfit(gotype.Reflect(v.typ), problem)
		}
		if dec.n == 0 {
			b = append(b[:from], '0')
		}
		return append(b, endText...), nil
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		s, err := d.numeric(v, k)
		if err != nil {
			return err
		}
		if _, problem := parseDecimal(s); problem != "" {
			return refuse(k, gotype.Reflect(v.typ), problem)
		}
		f, _, err := big.ParseFloat(string(s), 10, 128, big.ToNearestEven)
		if err != nil {
			return refuse(k, gotype.Reflect(v.typ), "not a number")
		}
		*as[big.Float](r) = *f
		return nil
	}
}
