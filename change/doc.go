// Package change reads what happened to the items of a table, from its stream (DynamoDB
// Streams), typed and without loss.
//
// A [Change] is one insert, modification or removal of an item of type T. There are four
// ways to get them:
//
//   - [Stream.All] is an iterator for one process, without any state;
//   - [Consumer] shares the shards of a stream among any number of processes by leases in
//     a table, keeps checkpoints there and takes over when a process dies;
//   - [DecodeLambda] and [LambdaHandler] read the events of an AWS Lambda trigger;
//   - [DecodeKinesis] reads the records of Kinesis Data Streams for DynamoDB.
//
// A [View] keeps a second table in step with changes, whichever way they come.
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
// # What is promised
//
// Every change of a table is delivered at least once, if no pause of all workers
// together is longer than the 24 hours for which a stream keeps its records; what is lost
// after such a pause is an error or a call of [OnDataLoss], never silence. The changes of
// one item come in their order. Between items there is no order, even under one partition
// key, except that the records of one shard come in the order of the shard and a shard
// is read only after the one that it continues.
//
// After a crash, and after a lease was lost because it could not be renewed, changes since the last
// checkpoint are delivered again, and a worker that was only paused may still be at them: handlers
// must allow for that, as [View] does. Workers that are stopped, or that join, repeat nothing.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
package change
