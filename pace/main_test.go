// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/dynamotable/ddb/internal/longtest"
)

func TestMain(m *testing.M) {
	longtest.ChecksOfPackage(25)
	goleak.VerifyTestMain(m)
}
