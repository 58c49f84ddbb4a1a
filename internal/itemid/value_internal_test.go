// SPDX-License-Identifier: Apache-2.0

package itemid

import (
	"math/big"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestCompareValues compares the order of every pair with that of its type: exact fractions, bytes of UTF-8, bytes.
func TestCompareValues(t *testing.T) {
	numbers := []string{"0", "-0", "0.0", "1", "1.0", "1e0", "10", "9", "-9", "-10", "0.1", "0.09", "1e-130", "-1e-130", "9.9999999999999999999999999999999999999E+125",
		"-9.9999999999999999999999999999999999999E+125", "99999999999999999999999999999999999999", "100000000000000000000000000000000000000", "1E+2", "100", "99.5"}
	texts := []string{"", "a", "A", "ab", "b", "é", "z", "\u00e9\u0301", "\uffff", "\U00010000", "SSN-100", "SSN-900"}
	for i, a := range numbers {
		for _, b := range numbers[i:] {
			x, _ := new(big.Rat).SetString(a)
			y, _ := new(big.Rat).SetString(b)
			got, ok := Compare(&types.AttributeValueMemberN{Value: a}, &types.AttributeValueMemberN{Value: b})
			if back, _ := Compare(&types.AttributeValueMemberN{Value: b}, &types.AttributeValueMemberN{Value: a}); !ok || got != x.Cmp(y) || back != -got {
				t.Errorf("numbers %s and %s: %d, reversed %d, want %d", a, b, got, back, x.Cmp(y))
			}
		}
	}
	for _, a := range texts {
		for _, b := range texts {
			if got, ok := Compare(&types.AttributeValueMemberS{Value: a}, &types.AttributeValueMemberS{Value: b}); !ok || got != strings.Compare(a, b) {
				t.Errorf("texts %q and %q: %d", a, b, got)
			}
			got, ok := Compare(&types.AttributeValueMemberB{Value: []byte(a)}, &types.AttributeValueMemberB{Value: []byte(b)})
			if !ok || got != strings.Compare(a, b) {
				t.Errorf("bytes %q and %q: %d", a, b, got)
			}
		}
	}
	if _, ok := Compare(&types.AttributeValueMemberN{Value: "2"}, &types.AttributeValueMemberS{Value: "1"}); ok {
		t.Error("values of different types have an order")
	}
}
