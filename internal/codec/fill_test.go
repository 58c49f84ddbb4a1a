// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"
)

// fill sets v to a random value that DynamoDB can store and that is unchanged when it is read.
func fill(t *rapid.T, v reflect.Value, depth int) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = randomTime(t)
		return
	case *stamp:
		*p = stamp(randomTime(t))
		return
	case *big.Int:
		n, _ := new(big.Int).SetString(rapid.StringMatching(`-?[1-9][0-9]{0,37}`).Draw(t, "big"), 10)
		*p = *n
		return
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{10, 0, rapid.Byte().Draw(t, "net"), rapid.Byte().Draw(t, "host")})
		return
	case *attributevalue.Number:
		*p = attributevalue.Number(rapid.StringMatching(`-?[1-9][0-9]{0,20}\.[0-9]{1,15}(E[+-]?[0-9]{1,2})?`).Draw(t, "number"))
		return
	case *money:
		*p = money{rapid.IntRange(-9, 9).Draw(t, "amount"), "EUR"}
		return
	case *color:
		*p = color(rapid.IntRange(0, 1).Draw(t, "color"))
		return
	case *any:
		*p = randomAny(t, depth)
		return
	case **Deep:
		if rapid.Bool().Draw(t, "deep") {
			*p = &Deep{D: rapid.Int().Draw(t, "d")}
		}
		return
	}
	fillKind(t, v, depth)
}

func fillKind(t *rapid.T, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(randomText(t))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int") >> (64 - v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint") >> (64 - v.Type().Bits()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(randomFloat(t, v.Type().Bits()))
	case reflect.Pointer:
		if depth < 4 && rapid.Bool().Draw(t, "pointer") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), depth+1)
			// A nil behind a pointer is read as a nil pointer.
			if k := v.Elem().Kind(); (k == reflect.Slice || k == reflect.Map) && v.Elem().IsNil() {
				v.SetZero()
			}
		}
	case reflect.Slice:
		n := rapid.IntRange(-1, 4).Draw(t, "len")
		if n < 0 || depth > 4 {
			return
		}
		fillSlice(t, v, n, depth)
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), depth+1)
		}
	case reflect.Map:
		n := rapid.IntRange(-1, 4).Draw(t, "len")
		if n < 0 || depth > 4 {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range n {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, k, depth+1)
			fill(t, e, depth+1)
			if e.Type() == reflect.TypeFor[[][]byte]() && e.Len() == 0 {
				continue // the entry of an empty set is not stored
			}
			if k.Kind() != reflect.String || k.Len() > 0 {
				v.SetMapIndex(k, e)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				fill(t, f, depth+1)
				if strings.Contains(string(v.Type().Field(i).Tag), "set") {
					uniqueMembers(f)
				}
			}
		}
	}
}

func fillSlice(t *rapid.T, v reflect.Value, n, depth int) {
	if v.Type().Elem().Kind() == reflect.Slice && v.Type() == reflect.TypeFor[[][]byte]() {
		// A set of this type has no nil members and is not empty.
		for i := range n {
			v.Set(reflect.Append(v, reflect.ValueOf([]byte{byte(i), rapid.Byte().Draw(t, "byte")})))
		}
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		fill(t, v.Index(i), depth+1)
	}
}

// uniqueMembers makes a slice valid for a set: nil rather than empty, and without duplicates.
func uniqueMembers(v reflect.Value) {
	seen := map[any]bool{}
	out := reflect.Zero(v.Type())
	for i := range v.Len() {
		key := v.Index(i).Interface()
		if b, ok := key.([]byte); ok {
			key = string(b)
		}
		if !seen[key] {
			seen[key] = true
			out = reflect.Append(out, v.Index(i))
		}
	}
	v.Set(out)
}

func randomText(t *rapid.T) string {
	return rapid.OneOf(rapid.String(), rapid.StringN(0, 40, 60),
		rapid.SampledFrom([]string{"", "\x00", "\"\\/\b\f\n\r\t", "\u2028\u2029", "\ufffd", "😀", "日本語", strings.Repeat("x", 300), "1234567\"", "12345678\\"})).Draw(t, "text")
}

func randomFloat(t *rapid.T, bits int) float64 {
	f := rapid.OneOf(rapid.Float64Range(-1e30, 1e30), rapid.SampledFrom([]float64{0, 1, -1, 0.1, 1e-6, 9.99e-7, 1e21, 1e20, 123456789.125})).Draw(t, "float")
	if bits == 32 {
		return float64(float32(f))
	}
	if math.Abs(f) < 1e-130 {
		return 0
	}
	return f
}

func randomTime(t *rapid.T) time.Time {
	at := time.Unix(rapid.Int64Range(-60e9, 250e9).Draw(t, "sec"), rapid.Int64Range(0, 999999999).Draw(t, "nsec"))
	return at.In(time.FixedZone("", 60*rapid.IntRange(-12*60, 12*60).Draw(t, "zone")))
}

// randomAny returns a value as decoding into an empty interface returns it.
func randomAny(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 6).Draw(t, "any")
	if depth > 3 {
		kind %= 5
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return randomText(t)
	case 2:
		return randomFloat(t, 64)
	case 3:
		return rapid.Bool().Draw(t, "bool")
	case 4:
		return rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "bytes")
	case 5:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "len") {
			list = append(list, randomAny(t, depth+1))
		}
		return list
	}
	m := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "len") {
		m["k"+randomText(t)] = randomAny(t, depth+1)
	}
	return m
}

// modelSize counts an item by the rules of the CapacityUnitCalculations page.
func modelSize(item map[string]types.AttributeValue) int {
	n := 0
	for name, av := range item {
		n += len(name) + modelValueSize(av)
	}
	return n
}

func modelValueSize(av types.AttributeValue) (n int) {
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return modelNumberSize(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + modelSize(v.Value)
	case *types.AttributeValueMemberL:
		for _, e := range v.Value {
			n += 1 + modelValueSize(e)
		}
		return 3 + n
	case *types.AttributeValueMemberSS:
		return len(strings.Join(v.Value, ""))
	case *types.AttributeValueMemberNS:
		for _, e := range v.Value {
			n += modelNumberSize(e)
		}
		return n
	case *types.AttributeValueMemberBS:
		for _, e := range v.Value {
			n += len(e)
		}
		return n
	}
	return 1
}

// modelNumberSize writes the number out in full and counts pairs of digits that
// are not zero pairs at either end.
func modelNumberSize(s string) int {
	r, _ := new(big.Rat).SetString(s)
	if r.Sign() == 0 {
		return 1
	}
	n := 1
	if r.Sign() < 0 {
		n++
	}
	full := strings.TrimPrefix(r.FloatString(200), "-")
	whole, frac, _ := strings.Cut(full, ".")
	if len(whole)%2 == 1 {
		whole = "0" + whole
	}
	digits := whole + frac
	for strings.HasPrefix(digits, "00") {
		digits = digits[2:]
	}
	for strings.HasSuffix(digits, "00") {
		digits = digits[:len(digits)-2]
	}
	return n + len(digits)/2
}
