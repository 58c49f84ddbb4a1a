// Package position keeps how far consumers have come: in a feed, a queue, a stream of
// changes, or whatever else has partitions and numbers that grow.
//
// A position never goes back by accident: [Store.Save] refuses it with [ErrStale], and only
// [Store.Reset], which leaves a record, can do it. Where several processes may believe
// that they are the consumer, each takes the position over with [Store.Claim]: from then on the
// saves of the one before fail with [ErrFenced], however late they arrive.
//
// A handler that writes to DynamoDB can save its position in the same transaction
// ([Store.SaveTx], [Claim.SaveTx]): then each number takes effect exactly once. Otherwise it
// is at least once, and what was handled since the last save comes again after a crash.
//
// All positions are in one table, with the consumer as partition key and the partition as sort key. A save is one
// write unit, a load one read unit.
package position
