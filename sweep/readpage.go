// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"context"
	"errors"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/progress"
)

// How often throttled requests are sent again, after waits that double, before the read ends with the error.
const (
	throttledAgain = 6
	firstWait      = 500 * time.Millisecond
)

// ReadPage reads one page of a segment, as [ddb.ScanSegments.Page] does, for programs that read the segments themselves. As a sweep does, it waits when DynamoDB
// throttles the request, and sends it again, up to six times: half a second at first, and twice as long each time. Half a minute later the error is that of the
// request. If the context ends meanwhile, the error is the context's. The progress of the context's long call is then [progress.Waiting].
func ReadPage[T any](ctx context.Context, scan *ddb.ScanSegments[T], number, total int, after string) (ddb.Page[T], error) {
	for again := 0; ; again++ {
		page, err := scan.Page(ctx, number, total, after)
		if again == throttledAgain || !errors.Is(err, ddb.ErrThrottled) {
			return page, err
		}
		if err := pause(ctx, firstWait<<again); err != nil {
			return page, err // why it ends, not what it waited for
		}
	}
}

// pause waits until a throttled request is sent again.
func pause(ctx context.Context, d time.Duration) error {
	defer progress.From(ctx).Waiting("DynamoDB throttles the scan")() // of the sweep, or of the call that it is part of
	return retry.Pause(ctx, d)
}
