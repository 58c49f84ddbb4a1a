// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// long runs the scenario of the foreground, also with other controllers.
var long = flag.Bool("long", false, "run the simulation of other callers of a table")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
