// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// long runs the scenario of the foreground, also with other controllers, and all random cases.
var long = flag.Bool("long", false, "run the simulation of other callers of a table, and more random cases")

// Without -long, properties are tested with fewer random cases.
func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); !*long && checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("25"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
