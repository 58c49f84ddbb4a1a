// SPDX-License-Identifier: Apache-2.0

package snapshot_test

import (
	"errors"
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/snapshot"
)

// TestLostReplies: a save whose reply was lost is sent again, whether the snapshot is new, exists already, or replaces one of an older format.
func TestLostReplies(t *testing.T) {
	t.Parallel()
	snap := snapshot.Snapshot{Stream: "s", Version: 3, Type: "t", Schema: 2, State: []byte("new")}
	older, other := snap, snap
	older.Schema, older.State = 1, []byte("old")
	other.State = []byte("other")
	for name, rule := range map[string]func(m fault.Matcher) fault.Rule{
		"lost reply": fault.Matcher.DropReply, "500": func(m fault.Matcher) fault.Rule { return m.Applied().InternalError() },
		"cut": fault.Matcher.TruncateBody, "doubled": fault.Matcher.Duplicate,
	} {
		for before, there := range map[string]*snapshot.Snapshot{"none": nil, "the same": &snap, "an older form": &older, "another state": &other} {
			for n := 1; n <= 3; n++ {
				armed := false
				s := open(t, ddbtest.New(t, ddbtest.WithFaults(rule(fault.On("PutItem").Where(func(fault.Request) bool { return armed }).Nth(n)))))
				if there != nil {
					if err := s.Save(t.Context(), *there); err != nil {
						t.Fatal(err)
					}
				}
				armed = true
				err := s.Save(t.Context(), snap)
				if before == "another state" {
					if !errors.Is(err, snapshot.ErrConflict) {
						t.Errorf("%s at write %d, with %s: %v", name, n, before, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s at write %d, with %s: %v", name, n, before, err)
				}
				if got, err := s.Latest(t.Context(), "s"); err != nil || string(got.State) != "new" || got.Schema != 2 {
					t.Errorf("%s at write %d, with %s: stored %+v, %v", name, n, before, got, err)
				}
			}
		}
	}
}
