// SPDX-License-Identifier: Apache-2.0

// Package position stores the positions of consumers in a feed, a queue, a stream of
// changes, or any other source with partitions and increasing numbers.
//
//	positions, err := position.New(client, "positions")
//	if err != nil {
//		return err
//	}
//	if err := positions.EnsureTable(ctx); err != nil {
//		return err
//	}
//	last, err := positions.Load(ctx, "mailer", "shard-0")
//	... // handle the numbers after it
//	err = positions.Save(ctx, "mailer", "shard-0", handled)
//
// A position never goes back by accident: [Store.Save] refuses this with [ErrStale], and only
// [Store.Reset], which leaves a record, can do it. If several processes may act as the same
// consumer, each takes over the position with [Store.Claim]. From then on the
// saves of the previous owner fail with [ErrFenced], however late they arrive.
//
// A handler that writes to DynamoDB can save its position in the same transaction
// ([Store.SaveTx], [Claim.SaveTx]): then each number takes effect exactly once. Otherwise each takes effect
// at least once: after a crash, numbers since the last save are handled again.
//
// All positions are in one table, with the consumer as partition key and the partition as sort key. A save is one
// write unit, a load one read unit.
package position
