// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"testing"
	_ "time/tzdata" // the suite uses clocks of several time zones

	"github.com/dynamotable/ddb/eventstore/eventstoretest"
)

func TestSuite(t *testing.T) {
	eventstoretest.Run(t, newStore)
}
