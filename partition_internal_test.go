// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"testing"
)

// TestPartitionSalt changes a setting of the process, so it runs alone.
func TestPartitionSalt(t *testing.T) {
	t.Cleanup(func() { partitionSalt.Store(nil) })
	hash := func() [3]PartitionHash {
		return [3]PartitionHash{PartitionSaltID(), hashPartition("orders", "", "S2:c1"), hashPartition("orders", "by-status", []byte("S2:c1"))}
	}
	set := func(salt string) {
		t.Helper()
		if err := SetPartitionSalt([]byte(salt)); err != nil {
			t.Fatal(err)
		}
	}
	random := hash()
	set("a salt of the fleet")
	one := hash()
	set("a salt of another fleet")
	other := hash()
	set("a salt of the fleet")
	if again := hash(); again != one {
		t.Errorf("the same salt gives %v, then %v", one, again)
	}
	// Every process with this salt computes this hash.
	if want := PartitionHash(7896291810936161731); one[1] != want || one == other || one == random {
		t.Errorf("hashes %v, with another salt %v, without %v", one, other, random)
	}
	if a, b := hashPartition("ab", "c", ""), hashPartition("a", "bc", ""); a == b {
		t.Error("two places have one hash")
	}
	var invalid *InvalidError
	if err := SetPartitionSalt([]byte("short")); !errors.As(err, &invalid) || hash() != one {
		t.Errorf("a short salt is %v", err)
	}
}
