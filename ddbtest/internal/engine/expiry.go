// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// oldestExpiry is the age beyond which an expiry time is ignored as a mistake:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
const oldestExpiry = 5 * 365 * 24 * time.Hour

// Expire deletes the items whose time to live is over, and returns how many. The service does it within days
// and consumes no write capacity.
func (e *Engine) Expire(ctx context.Context) (int, error) {
	removed := 0
	for _, t := range e.Tables() {
		now := e.clock.Now()
		attribute := t.TimeToLive(now)
		if attribute == "" || !t.usable(e.clock.Now) {
			continue
		}
		due := func(item value.Item) bool { return isExpired(item[attribute], now) }
		var keys []value.Item
		schema := t.Schema()
		t.Walk(func(stored *storage.Item) bool {
			if item, err := decodeStored(stored); err == nil && due(item) {
				keys = append(keys, schema.Key.Of(item))
			}
			return ctx.Err() == nil
		})
		for _, key := range keys {
			done, err := e.Remove(ctx, t, key, ReasonExpiry, due)
			if err != nil {
				return removed, err
			}
			if done {
				removed++
			}
		}
	}
	return removed, ctx.Err()
}

// isExpired reports whether a value is a time in seconds since 1970 that has passed, but not longer ago than oldestExpiry.
func isExpired(v value.Value, now time.Time) bool {
	n, ok := v.(value.Number)
	if !ok {
		return false
	}
	at, ok := n.Int64()
	return ok && at <= now.Unix() && at >= now.Add(-oldestExpiry).Unix()
}
