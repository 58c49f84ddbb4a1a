// SPDX-License-Identifier: Apache-2.0

package hotkeys

import (
	"context"
	"testing"
	"time"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
)

func TestFinderForgets(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	h := New(4, time.Minute)
	h.now = func() time.Time { return now }
	h.Reset()
	use := func(key hooks.PartitionHash, units float64) {
		h.End(context.Background(), &hooks.Call{Partitions: []hooks.PartitionHash{key}, Consumed: cost.Consumed{ReadUnits: units}})
	}
	use(1, 80)
	now = now.Add(3 * time.Minute)
	use(2, 30)
	top := h.Top(2)
	if len(top) != 2 || top[0].Partition != 2 || top[0].Units != 30 || top[1].Units != 10 || top[1].Share != 0.25 {
		t.Errorf("after three half-lives: %+v", top)
	}
	// Far beyond the range of a float64.
	now = now.Add(5000 * time.Minute)
	use(3, 1)
	if top = h.Top(1); top[0].Partition != 3 || top[0].Units != 1 || top[0].Share != 1 {
		t.Errorf("after 5,000 half-lives: %+v", top)
	}
}
