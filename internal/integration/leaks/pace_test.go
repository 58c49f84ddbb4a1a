// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/pace"
	"github.com/dynamotable/ddb/tableinfo"
)

func init() { //nolint:gochecknoinits // part of two lists
	exportedTypes["pace.Pace"] = points[pace.Pace]()
	exportedTypes["pace.Rates"] = holds[pace.Rates]()
	exportedTypes["pace.Stats"] = holds[pace.Stats]("State", "Reason", "Resource", "Source", "FollowError", "Throttled.Reason")
	exportedTypes["pace.Throttle"] = holds[pace.Throttle]("Reason")
	functions["tableinfo.Describe"], functions["ddb.WithGate"] = tableinfo.Describe, ddb.WithGate
	functions["pace.From"], functions["pace.New"], functions["pace.Of"], functions["pace.With"] = pace.From, pace.New, pace.Of, pace.With
}
