// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

// The limits of a DynamoDB number.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number
const (
	maxDigits   = 38
	maxExponent = 125  // of the first digit: 9.99…E+125
	minExponent = -130 // 1E-130
)

// decimal is the exact value of a number: 0.digits * 10^exp, without leading or trailing zeros; zero has no digits.
type decimal struct {
	neg    bool
	n      int
	exp    int
	digits [maxDigits]byte
}

// parseDecimal parses a number as DynamoDB accepts it; problem is empty if it is valid.
func parseDecimal[T ~string | ~[]byte](s T) (d decimal, problem string) {
	i, n := 0, len(s)
	if n > 0 && (s[0] == '-' || s[0] == '+') {
		d.neg = s[0] == '-'
		i++
	}
	seen, point := false, false
	dropped := 0 // zeros that are significant only if a digit follows
	for ; i < n; i++ {
		c := s[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c -= '0'; c > 9 {
			break
		}
		seen = true
		if !point {
			d.exp++
		}
		switch {
		case c != 0:
			if d.n+dropped >= maxDigits {
				return d, "more than 38 significant digits"
			}
			for ; dropped > 0; dropped-- {
				d.digits[d.n] = '0'
				d.n++
			}
			d.digits[d.n] = c + '0'
			d.n++
		case d.n > 0:
			dropped++
		default: // a leading zero
			d.exp--
		}
	}
	if !seen {
		return d, "not a number"
	}
	if i < n && s[i]|0x20 == 'e' {
		e, ok := parseExponent(s[i+1:])
		if !ok {
			return d, "not a number"
		}
		d.exp += e
		i = n
	}
	switch {
	case i < n:
		return d, "not a number"
	case d.n == 0:
		d.neg, d.exp = false, 0
	case d.exp-1 > maxExponent:
		return d, "magnitude above 9.99E+125"
	case d.exp-1 < minExponent:
		return d, "magnitude below 1E-130"
	}
	return d, ""
}

func parseExponent[T ~string | ~[]byte](s T) (int, bool) {
	i, neg := 0, false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		i++
	}
	if i == len(s) {
		return 0, false
	}
	e := 0
	for ; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		if e = e*10 + int(c); e > 1<<24 {
			e = 1 << 24 // beyond every limit, without overflow
		}
	}
	if neg {
		e = -e
	}
	return e, true
}

// appendKey appends a text that is the same for equal numbers.
func (d *decimal) appendKey(b []byte) []byte {
	if d.neg {
		b = append(b, '-')
	}
	b = append(b, d.digits[:d.n]...)
	b = append(b, 'e')
	return strconv.AppendInt(b, int64(d.exp), 10)
}

// integer returns the value as plain digits; ok is false if it has a fraction.
func (d *decimal) integer(b []byte) (_ []byte, ok bool) {
	if d.n == 0 {
		return append(b, '0'), true
	}
	if d.exp < d.n {
		return b, false
	}
	if d.neg {
		b = append(b, '-')
	}
	b = append(b, d.digits[:d.n]...)
	for range d.exp - d.n {
		b = append(b, '0')
	}
	return b, true
}

// numeric reads the payload of a number. asString also accepts the text form that the tag option string produces.
func (d *Decoder) numeric(v *Value, k Kind) ([]byte, error) {
	if k != N && !(k == S && v.opts.asString) {
		return nil, v.mismatch(k)
	}
	return d.text()
}

// numericText returns the dec of a number that is made from its text.
func (v *Value) numericText(d *Decoder, k Kind, r ref) error {
	s, err := d.numeric(v, k)
	if err != nil {
		return err
	}
	return v.text(d, k, s, r)
}

// wrapped returns the enc of a text or number.
func (v *Value) wrapped(_ *encoder, b []byte, r ref) ([]byte, error) {
	if v.kind == S {
		b = append(b, `{"S":"`...)
	} else {
		b = append(b, `{"N":"`...)
	}
	b, err := v.put(b, r)
	return append(b, endText...), err
}

// wrapNumber writes the type descriptor of a number and returns its end.
func wrapNumber(b []byte, asString bool) []byte {
	if asString {
		return append(b, `{"S":"`...)
	}
	return append(b, `{"N":"`...)
}

const endText = `"}`

type signed interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64
}

func intCodec[I signed](v *Value) {
	v.kind = numberKind(v)
	v.put = func(b []byte, r ref) ([]byte, error) { return strconv.AppendInt(b, int64(*as[I](r)), 10), nil }
	v.enc = v.wrapped
	v.text = func(_ *Decoder, k Kind, s []byte, r ref) error {
		n, problem := parseSigned[I](s)
		if problem != "" {
			return refuse(k, gotype.Reflect(v.typ), problem)
		}
		*as[I](r) = n
		return nil
	}
	v.dec = v.numericText
	v.plain = func(r ref) types.AttributeValue {
		return plainNumber(v, strconv.FormatInt(int64(*as[I](r)), 10))
	}
}

type unsigned interface {
	~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

func uintCodec[U unsigned](v *Value) {
	v.kind = numberKind(v)
	v.put = func(b []byte, r ref) ([]byte, error) { return strconv.AppendUint(b, uint64(*as[U](r)), 10), nil }
	v.enc = v.wrapped
	v.text = func(_ *Decoder, k Kind, s []byte, r ref) error {
		n, problem := parseUnsigned[U](s)
		if problem != "" {
			return refuse(k, gotype.Reflect(v.typ), problem)
		}
		*as[U](r) = n
		return nil
	}
	v.dec = v.numericText
	v.plain = func(r ref) types.AttributeValue {
		return plainNumber(v, strconv.FormatUint(uint64(*as[U](r)), 10))
	}
}

func numberKind(v *Value) Kind {
	if v.opts.asString {
		return S
	}
	return N
}

func plainNumber(v *Value, s string) types.AttributeValue {
	if v.opts.asString {
		return &types.AttributeValueMemberS{Value: s}
	}
	return &types.AttributeValueMemberN{Value: s}
}

const (
	overflow = "the number does not fit"
	fraction = "the number has a fraction"
)

func parseSigned[I signed](s []byte) (I, string) {
	n, problem := parseInt(s)
	if problem == "" && int64(I(n)) != n {
		problem = overflow
	}
	return I(n), problem
}

func parseUnsigned[U unsigned](s []byte) (U, string) {
	n, problem := parseUint(s)
	if problem == "" && uint64(U(n)) != n {
		problem = overflow
	}
	return U(n), problem
}

// parseInt parses an integer in any notation, so 100, 100.0 and 1E2 are equal.
func parseInt(s []byte) (int64, string) {
	if n, ok := shortInt(s); ok {
		return n, ""
	}
	var buf [maxExponent + 2]byte
	digits, problem := plainInteger(buf[:0], s)
	if problem != "" {
		return 0, problem
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0, overflow
	}
	return n, ""
}

func parseUint(s []byte) (uint64, string) {
	if n, ok := shortInt(s); ok && n >= 0 {
		return uint64(n), ""
	}
	var buf [maxExponent + 2]byte
	digits, problem := plainInteger(buf[:0], s)
	if problem != "" {
		return 0, problem
	}
	n, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0, overflow
	}
	return n, ""
}

func plainInteger(buf, s []byte) ([]byte, string) {
	dec, problem := parseDecimal(s)
	if problem != "" {
		return nil, problem
	}
	digits, ok := dec.integer(buf)
	if !ok {
		return nil, fraction
	}
	return digits, ""
}

// shortInt parses up to 18 digits in plain notation.
func shortInt(s []byte) (int64, bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range s {
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	if neg {
		n = -n
	}
	return n, true
}

// isNumber reports whether a text type has the methods of a number, such as json.Number and attributevalue.Number.
func isNumber(t reflect.Type) bool {
	type number interface {
		Float64() (float64, error)
		Int64() (int64, error)
		String() string
	}
	return t.Kind() == reflect.String && t.Implements(reflect.TypeFor[number]())
}

// numberCodec stores a number as its text, with all 38 digits.
func numberCodec(v *Value) {
	v.kind = numberKind(v)
	v.put = func(b []byte, r ref) ([]byte, error) {
		s := *as[string](r)
		if _, problem := parseDecimal(s); problem != "" {
			if s == "" {
				problem = "an empty text is no number; use omitempty or nullempty, or set it"
			}
			return b, unfit(gotype.Reflect(v.typ), problem)
		}
		return append(b, s...), nil
	}
	v.enc = v.wrapped
	v.dec = func(d *Decoder, k Kind, r ref) error {
		if k != N && k != S {
			return v.mismatch(k)
		}
		s, err := d.text()
		if err != nil {
			return err
		}
		return v.text(d, k, s, r)
	}
	v.text = func(d *Decoder, k Kind, s []byte, r ref) error {
		if _, problem := parseDecimal(s); problem != "" {
			return refuse(k, gotype.Reflect(v.typ), problem)
		}
		*as[string](r) = d.keep(s)
		return nil
	}
}
