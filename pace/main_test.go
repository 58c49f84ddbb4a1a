// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// long also runs the scenario of the foreground with other controllers.
var long = flag.Bool("long", false, "compare with other controllers")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
