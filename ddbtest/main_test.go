// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"os"
	"testing"

	"github.com/dynamotable/ddb/internal/longtest"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	os.Exit(m.Run())
}
