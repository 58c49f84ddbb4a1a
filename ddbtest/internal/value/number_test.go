// SPDX-License-Identifier: Apache-2.0

package value_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

const (
	nines38   = "99999999999999999999999999999999999999"
	overflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	precision = "Attempting to store more than 38 significant digits in a Number"
	numeric   = "The parameter cannot be converted to a numeric value"
)

func TestParseNumber(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"0", "0"}, {"-0", "0"}, {"+0.000", "0"}, {"00", "0"}, {"0e125", "0"}, {"0e-130", "0"},
		{"1", "1"}, {"-1", "-1"}, {"+1", "1"}, {"007", "7"}, {"1.", "1"}, {".5", "0.5"}, {"-.5", "-0.5"},
		{"100", "100"}, {"1e2", "100"}, {"1E+2", "100"}, {"100.00", "100"}, {"1.50", "1.5"}, {"0001.2300", "1.23"},
		{"-17.4E37", "-174" + strings.Repeat("0", 36)},
		{"0.05", "0.05"}, {"5e-2", "0.05"}, {"123e-5", "0.00123"}, {"123.456e1", "1234.56"}, {"123.456e-1", "12.3456"},
		{"12e5", "1200000"}, {"0.000123e6", "123"},
		{nines38, nines38},
		{"0." + nines38, "0." + nines38},
		{nines38 + "000", nines38 + "000"},
		{"1e125", "1" + strings.Repeat("0", 125)},
		{"1e-130", "0." + strings.Repeat("0", 129) + "1"},
		{"9." + nines38[1:] + "E+125", nines38 + strings.Repeat("0", 88)},
		{"-9." + nines38[1:] + "E+125", "-" + nines38 + strings.Repeat("0", 88)},
		{strings.Repeat("0", 300) + "1", "1"},
		{"1" + strings.Repeat("0", 125) + "." + strings.Repeat("0", 300), "1" + strings.Repeat("0", 125)},
	} {
		n, err := value.ParseNumber(c.text)
		if err != nil {
			t.Errorf("ParseNumber(%.60q): %v", c.text, err)
		} else if n.String() != c.want {
			t.Errorf("ParseNumber(%.60q) = %s, want %s", c.text, n, c.want)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"", numeric},
		{"a", numeric + ": a"}, {" 1", numeric + ":  1"}, {"1 ", numeric + ": 1 "}, {"NaN", numeric + ": NaN"}, {"Infinity", numeric + ": Infinity"},
		{"-", numeric + ": -"}, {".", numeric + ": ."}, {"1e", numeric + ": 1e"}, {"1e+", numeric + ": 1e+"}, {"e5", numeric + ": e5"}, {"1.2.3", numeric + ": 1.2.3"},
		{"1+2", numeric + ": 1+2"}, {"+e2", numeric + ": +e2"}, {"0x10", numeric + ": 0x10"}, {"1_000", numeric + ": 1_000"}, {"--1", numeric + ": --1"}, {"1e1.5", numeric + ": 1e1.5"},
		{nines38 + "9", precision}, {"-1." + nines38 + "9", precision}, {nines38 + "001", precision},
		{"1e126", overflow}, {"-1e126", overflow}, {"11e125", overflow}, {"1.0e100000000", overflow},
		{"0e126", overflow}, {"-0e1000", overflow}, {"0e-131", underflow}, {"0.0e-130", underflow},
		{"1e-131", underflow}, {"-1e-131", underflow}, {"0.9e-130", underflow}, {"1e-100000000", underflow},
	} {
		n, err := value.ParseNumber(c.text)
		if err == nil || err.Error() != "ValidationException: "+c.want {
			t.Errorf("ParseNumber(%q) = %v, %v; want %s", c.text, n, err, c.want)
		}
	}
}

func TestNumberArithmetic(t *testing.T) {
	for _, c := range []struct{ a, b, sum, difference string }{
		{"1", "2", "3", "-1"},
		{"0.1", "0.2", "0.3", "-0.1"},
		{"1", "10000000000000000000000", "10000000000000000000001", "-9999999999999999999999"},
		{nines38, "1", "1" + strings.Repeat("0", 38), nines38[:37] + "8"},
		{"5", "5", "10", "0"},
		{"-5", "5", "0", "-10"},
		{"0", "7", "7", "-7"},
		{"7", "0", "7", "7"},
		{"1e-130", "1e-130", "0." + strings.Repeat("0", 129) + "2", "0"},
		{"1e50", "1", overflow, overflow}, // needs 51 digits
		{"1e37", "0.1", overflow, strings.Repeat("9", 37) + ".9"},
		{"1e38", "0.1", overflow, overflow},
		{"1e36", "0.1", "1" + strings.Repeat("0", 36) + ".1", strings.Repeat("9", 36) + ".9"},
		{"1e125", "1e-130", overflow, overflow},
		{"9e125", "9e125", overflow, "0"},
		{"-9e125", "9e125", "0", overflow},
		{"9e125", "9e124", "99" + strings.Repeat("0", 124), "81" + strings.Repeat("0", 124)},
	} {
		a, b := number(t, c.a), number(t, c.b)
		check := func(op, want string, got value.Number, err error) {
			t.Helper()
			text := got.String()
			if err != nil {
				text = strings.TrimPrefix(err.Error(), "ValidationException: ")
			}
			if text != want {
				t.Errorf("%s %s %s = %s, want %s", c.a, op, c.b, text, want)
			}
		}
		sum, err := a.Add(b)
		check("+", c.sum, sum, err)
		difference, err := a.Sub(b)
		check("-", c.difference, difference, err)
	}
	// A difference may be below the range.
	a, b := number(t, "1.12e-128"), number(t, "1.11e-128")
	if d, err := a.Sub(b); err != nil || d.String() != "0."+strings.Repeat("0", 129)+"1" {
		t.Errorf("got %v, %v", d, err)
	}
	a, b = number(t, "1.001e-128"), number(t, "1e-128")
	if d, err := a.Sub(b); err == nil || err.Error() != "ValidationException: "+underflow {
		t.Errorf("got %v, %v", d, err)
	}
}

func TestNumberInt64(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"-12", -12, true}, {"9223372036854775807", 1<<63 - 1, true}, {"-9223372036854775808", -1 << 63, true},
		{"9223372036854775808", 0, false}, {"1.5", 0, false}, {"0.5", 0, false}, {"1e3", 1000, true}, {"1e30", 0, false}, {"1e-30", 0, false},
	} {
		got, ok := number(t, c.text).Int64()
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %d, %v", c.text, got, ok)
		}
		if c.ok && value.NumberFromInt(c.want) != number(t, c.text) {
			t.Errorf("NumberFromInt(%d) = %s", c.want, value.NumberFromInt(c.want))
		}
	}
}

// genNumber draws numbers of all lengths and magnitudes, often close enough
// to each other that a sum keeps the digits of both.
func genNumber() *rapid.Generator[value.Number] {
	return rapid.Custom(func(t *rapid.T) value.Number {
		digits := rapid.StringMatching(`[0-9]{1,38}`).Draw(t, "digits")
		limits := []int{-130, 87}
		if rapid.Bool().Draw(t, "near") {
			limits = []int{-20, 20}
		}
		exp := rapid.IntRange(limits[0], limits[1]).Draw(t, "exp")
		sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
		n, err := value.ParseNumber(sign + digits + "e" + big.NewInt(int64(exp)).String())
		if err != nil {
			t.Fatalf("%s%se%d: %v", sign, digits, exp, err)
		}
		return n
	})
}

func rat(t interface{ Fatalf(string, ...any) }, n value.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		t.Fatalf("%s is not a number", n)
	}
	return r
}

// fits reports whether r is a valid number of the service, and if not, the reason.
func fits(r *big.Rat) string {
	if r.Sign() == 0 {
		return ""
	}
	// r x 10^e is an integer without zeros at its end for exactly one e.
	ten, e := big.NewInt(10), 0
	i := new(big.Int).Set(r.Num())
	for den := new(big.Int).Set(r.Denom()); den.Cmp(big.NewInt(1)) != 0; e-- {
		i.Mul(i, ten)
		g := new(big.Int).GCD(nil, nil, new(big.Int).Abs(i), den)
		i.Quo(i, g)
		den.Quo(den, g)
	}
	for q, m := new(big.Int), new(big.Int); ; e++ {
		if q.QuoRem(i, ten, m); m.Sign() != 0 {
			break
		}
		i.Set(q)
	}
	digits := len(new(big.Int).Abs(i).String())
	switch {
	case digits > 38, digits+e > 126:
		return overflow
	case digits+e < -129:
		return underflow
	}
	return ""
}

func TestNumberArithmeticProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genNumber().Draw(t, "a"), genNumber().Draw(t, "b")
		check := func(op string, want *big.Rat, got value.Number, err error) {
			message := ""
			if err != nil {
				message = strings.TrimPrefix(err.Error(), "ValidationException: ")
			}
			if wantErr := fits(want); message != wantErr {
				t.Fatalf("%s %s %s: error %q, want %q", a, op, b, message, wantErr)
			}
			if err == nil && rat(t, got).Cmp(want) != 0 {
				t.Fatalf("%s %s %s = %s, want %s", a, op, b, got, want)
			}
		}
		sum, err := a.Add(b)
		check("+", new(big.Rat).Add(rat(t, a), rat(t, b)), sum, err)
		difference, err := a.Sub(b)
		check("-", new(big.Rat).Sub(rat(t, a), rat(t, b)), difference, err)
	})
}

func TestNumberTextProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := genNumber().Draw(t, "n")
		text := n.String()
		m, err := value.ParseNumber(text)
		if err != nil || m != n {
			t.Fatalf("%s reads as %v, %v", text, m, err)
		}
		whole, fraction, dot := strings.Cut(strings.TrimPrefix(text, "-"), ".")
		if text != "0" && (strings.HasPrefix(whole, "0") && whole != "0" || dot && strings.HasSuffix(fraction, "0") || dot && fraction == "") {
			t.Fatalf("%s is not in normal form", text)
		}
		if n.Neg().Neg() != n || n.Sign() != rat(t, n).Sign() {
			t.Fatalf("%s: Neg %s, Sign %d", n, n.Neg(), n.Sign())
		}
	})
}

func TestNumberOrderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genNumber().Draw(t, "a"), genNumber().Draw(t, "b")
		want := rat(t, a).Cmp(rat(t, b))
		if got := a.Cmp(b); got != want {
			t.Fatalf("%s.Cmp(%s) = %d, want %d", a, b, got, want)
		}
		if (a == b) != (want == 0) {
			t.Fatalf("%s == %s is %v", a, b, a == b)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"", "0", "-1.5e10", "1e126", "9." + nines38[1:] + "E+125", ".5.", "1e-130", "+00.100"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := value.ParseNumber(s)
		if err != nil {
			return
		}
		if m, err := value.ParseNumber(n.String()); err != nil || m != n {
			t.Errorf("%q reads as %s, which reads as %s, %v", s, n, m, err)
		}
		if size := n.Size(); size < 1 || size > 22 {
			t.Errorf("%s has size %d", n, size)
		}
		if len(s) > 300 || strings.ContainsAny(s, "_xXpP/") {
			return // forms that big.Rat parses differently, or slowly
		}
		if r, ok := new(big.Rat).SetString(s); ok && rat(t, n).Cmp(r) != 0 {
			t.Errorf("%q reads as %s", s, n)
		}
	})
}
