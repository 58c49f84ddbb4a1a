// SPDX-License-Identifier: Apache-2.0

package partition

import "testing"

// TestSalt changes a setting of the process, so it runs alone.
func TestSalt(t *testing.T) {
	t.Cleanup(func() { SetSalt(nil) })
	hash := func() [2]uint64 {
		return [2]uint64{Hash("orders", "", "S2:c1"), Hash("orders", "by-status", []byte("S2:c1"))}
	}
	random := hash()
	SetSalt([]byte("a salt of the fleet"))
	one := hash()
	SetSalt([]byte("a salt of another fleet"))
	other := hash()
	SetSalt([]byte("a salt of the fleet"))
	if again := hash(); again != one {
		t.Errorf("the same salt gives %v, then %v", one, again)
	}
	// Every other process with this salt computes the same.
	if want := uint64(7896291810936161731); one[0] != want || one == other || one == random {
		t.Errorf("hashes %v, with another salt %v, without %v", one, other, random)
	}
	if a, b := Hash("ab", "c", ""), Hash("a", "bc", ""); a == b {
		t.Error("two places have one hash")
	}
}
