// SPDX-License-Identifier: Apache-2.0

package debug_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/dynamotable/ddb/internal/longtest"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	goleak.VerifyTestMain(m)
}
