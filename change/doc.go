// SPDX-License-Identifier: Apache-2.0

// Package change delivers the changes of a table's items as typed values, from DynamoDB
// Streams, AWS Lambda or Kinesis. A change is delivered at least once, or its loss is reported.
//
// A [Change] is one insert, modification or removal of an item of type T. There are four
// ways to receive changes:
//
//   - [Stream.All] is an iterator for one process, without any state;
//   - [Consumer] shares the shards of a stream among any number of processes by leases in
//     a table, keeps checkpoints there and takes over when a process dies;
//   - [DecodeLambda] and [LambdaHandler] read the events of an AWS Lambda trigger;
//   - [DecodeKinesis] reads the records of Kinesis Data Streams for DynamoDB.
//
// A [View] keeps a second table up to date from changes of any of these sources.
//
//	leases, err := change.NewTableStore(client, "leases")
//	if err != nil {
//		return err
//	}
//	consumer, err := change.NewConsumer(streams, change.OfTable("orders"), "mailer", leases,
//		change.Each(func(ctx context.Context, c change.Change[Order]) error {
//			if c.Kind != change.Insert {
//				return nil
//			}
//			return mailer.Send(ctx, c.New)
//		}))
//	if err != nil {
//		return err
//	}
//	if err := consumer.Run(ctx); err != nil {
//		return err
//	}
//
// # Guarantees
//
// Every change of a table is delivered at least once, unless all workers
// pause for longer than the 24 hours for which a stream keeps its records. Changes that are lost
// in such a pause are reported by an error or a call of [OnDataLoss], never skipped silently. The changes of
// one item arrive in order. There is no order between items, even under one partition
// key, except that the records of one shard arrive in the order of the shard and a shard
// is read only after its parent.
//
// After a crash, or if a lease could not be renewed, changes since the last
// checkpoint are delivered again, and a worker that was only paused may still be handling them. So handlers
// must be idempotent, as [View] is. Workers that are stopped, or that join, repeat nothing.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
package change
