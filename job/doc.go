// SPDX-License-Identifier: Apache-2.0

// Package job runs backfills and migrations: it applies a pure function to every item of a table, while other programs read and write it.
//
//	lower, err := job.New("lower-status", orders, func(o Order) job.Change[Order] {
//		if o.Status == strings.ToLower(o.Status) {
//			return job.Keep[Order]()
//		}
//		return job.Update[Order](orderStatus.Set(strings.ToLower(o.Status)))
//	}, job.StoredIn(store))
//	plan, err := lower.Plan(ctx, 0.01)      // how many would change, and the cost, from a sample; nothing is written
//	report, err := lower.Run(ctx)           // call it again after an error, or a kill: it continues
//	report, err = lower.Verify(ctx)         // reads everything again: Changed must be 0
//
// No concurrent write is lost. A change is sent under the condition that the item is still as it was read: that the attribute of [Guard] has the same value, which
// must never recur for a key; or, without Guard, that
// all attributes that were read have the same value and T's other attributes are still missing. An item that was written meanwhile is read again, and the
// function is applied to its new state. The same happens when a reply is lost. So the function must depend only on the item, and return Keep for an item that it
// has already changed.
//
// A run is a sweep (package sweep): it is paced by the context (package pace), reports its progress (package progress), and its position is stored, so that it
// continues where it was. [Job.Restart] starts from the beginning, whatever is stored. Only one runner has a job at a time: it holds a lease in the store.
//
// Items that earlier versions of a program write behind the sweep are not seen. Either no such program runs any more when the job begins, or a consumer of the
// table's stream (package
// change) applies the job to each changed item, by [Job.Apply]; docs/guides/migrating.md shows both.
package job
