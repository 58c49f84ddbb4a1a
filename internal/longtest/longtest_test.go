// SPDX-License-Identifier: Apache-2.0

package longtest_test

import (
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/dynamotable/ddb/internal/longtest"
	"pgregory.net/rapid"
)

// TestForms: what a test gets in each form.
func TestForms(t *testing.T) {
	for _, form := range []struct {
		name                string
		long, short         string
		size, every, checks int
	}{
		{"ordinary", "false", "false", 7, 3, 5},
		{"with -short", "false", "true", 4, 6, 3},
		{"in full length", "true", "false", 100, 1, 100},
		{"in full length with -short", "true", "true", 100, 1, 20},
	} {
		t.Run(form.name, func(t *testing.T) {
			set(t, "long", form.long)
			set(t, "test.short", form.short)
			if got := longtest.Size(100, 7); got != form.size {
				t.Errorf("Size returns %d, want %d", got, form.size)
			}
			if got := longtest.Every(3); got != form.every {
				t.Errorf("Every returns %d, want %d", got, form.every)
			}
			if got := longtest.Enabled(); got != (form.size == 100) {
				t.Errorf("Enabled returns %v", got)
			}
			t.Run("checks", func(t *testing.T) {
				longtest.Checks(t, 9)
				longtest.Checks(t, 5) // the later one counts
				if n := checks(t); n != form.checks {
					t.Errorf("a property is checked %d times, want %d", n, form.checks)
				}
			})
			if n := flag.Lookup("rapid.checks").Value.String(); n != "100" {
				t.Errorf("after the test, -rapid.checks is %s, want 100", n)
			}
		})
	}
}

// TestGiven: a number of checks on the command line has priority. The test starts its own program with one.
func TestGiven(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() != "11" {
		out, err := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGiven$", "-rapid.checks=11").CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	longtest.Checks(t, 5)
	if n := checks(t); n != 11 {
		t.Errorf("a property is checked %d times, want 11 as given", n)
	}
}

// checks returns how often rapid checks a property.
func checks(t *testing.T) (n int) {
	t.Helper()
	rapid.Check(t, func(*rapid.T) { n++ })
	return n
}

// set sets a flag for the rest of a test.
func set(t *testing.T, name, value string) {
	t.Helper()
	f := flag.Lookup(name)
	before := f.Value.String()
	if err := f.Value.Set(value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Value.Set(before); err != nil {
			t.Error(err)
		}
	})
}
