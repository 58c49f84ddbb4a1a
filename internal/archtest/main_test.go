// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"os"
	"testing"

	"github.com/dynamotable/ddb/internal/longtest"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	os.Exit(m.Run())
}
