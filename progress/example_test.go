// SPDX-License-Identifier: Apache-2.0

package progress_test

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb/progress"
)

func Example() {
	jobs := progress.NewTracker()
	rebuild := func(ctx context.Context) {
		_, task := progress.Start(ctx, "rebuild totals")
		task.Total(3)
		for range 3 {
			task.Items(1)
		}
		task.End(nil)
	}
	rebuild(jobs.With(context.Background()))
	for _, p := range jobs.List() {
		fmt.Println(p)
	}

	// Output:
	// rebuild totals: done, 100.0 %, 3 of 3 items, 0s
}
