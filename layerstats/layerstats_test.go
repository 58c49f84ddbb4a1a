// SPDX-License-Identifier: Apache-2.0

package layerstats_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/dynamotable/ddb/layerstats"
)

// TestBounded: nothing is lost, in bounded memory.
func TestBounded(t *testing.T) {
	t.Parallel()
	const workers, each = 4, 3000
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				layerstats.Add("snapshot", fmt.Sprint("table-", i), "saved", 1)
				layerstats.Add(fmt.Sprint("layer-", w, i), "t", fmt.Sprint("event-", i), 2)
			}
		})
	}
	wg.Wait()
	sum := int64(0)
	list := layerstats.List()
	for i, s := range list {
		sum += s.Count
		if i > 0 && list[i-1] == s {
			t.Errorf("%+v occurs twice", s)
		}
	}
	if want := int64(workers * each * 3); sum != want {
		t.Errorf("%d events, want %d", sum, want)
	}
	if len(list) > 1001 {
		t.Errorf("%d combinations were kept", len(list))
	}
}
