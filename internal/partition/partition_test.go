// SPDX-License-Identifier: Apache-2.0

package partition_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/partition"
)

// TestSalt changes a setting of the process, so it runs alone.
func TestSalt(t *testing.T) {
	t.Cleanup(func() { partition.SetSalt(nil) })
	hash := func() [2]uint64 {
		return [2]uint64{partition.Hash("orders", "", "S2:c1"), partition.Hash("orders", "by-status", []byte("S2:c1"))}
	}
	random := hash()
	partition.SetSalt([]byte("a salt of the fleet"))
	one := hash()
	partition.SetSalt([]byte("a salt of another fleet"))
	other := hash()
	partition.SetSalt([]byte("a salt of the fleet"))
	if again := hash(); again != one {
		t.Errorf("the same salt gives %v, then %v", one, again)
	}
	// Every other process with this salt computes the same.
	if want := uint64(7896291810936161731); one[0] != want || one == other || one == random {
		t.Errorf("hashes %v, with another salt %v, without %v", one, other, random)
	}
	if a, b := partition.Hash("ab", "c", ""), partition.Hash("a", "bc", ""); a == b {
		t.Error("two places have one hash")
	}
}
