// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/dynamotable/ddb/internal/longtest"
)

func TestMain(m *testing.M) {
	longtest.ChecksOfPackage(25)
	longtest.CollectLess()
	goleak.VerifyTestMain(m)
}
