// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" {
		debug.SetGCPercent(400) // engines come and go: collecting them is a third of the work otherwise
	}
	os.Exit(m.Run())
}
