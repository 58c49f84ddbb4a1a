// SPDX-License-Identifier: Apache-2.0

package exprtext

import (
	"slices"
	"strings"
	"testing"
)

func TestReservedWordList(t *testing.T) {
	words := strings.Fields(reservedWords)
	if len(words) != 573 {
		t.Errorf("the list has %d words, the developer guide 573", len(words))
	}
	if !slices.IsSorted(words) {
		t.Error("the list is not sorted")
	}
	if unique := slices.Compact(slices.Clone(words)); len(unique) != len(words) {
		t.Error("a word occurs twice in the list")
	}
	for _, w := range words {
		if w != strings.ToUpper(w) || strings.Trim(w, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Errorf("%q does not consist of capital letters", w)
		}
		if !IsReserved(w) || !IsReserved(strings.ToLower(w)) {
			t.Errorf("IsReserved(%q) is false", w)
		}
	}
}
