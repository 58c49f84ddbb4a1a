// SPDX-License-Identifier: Apache-2.0

// Package progress reports the progress of long calls: batches, sweeps, jobs, imports, rebuilds, a table that waits for its index. A call reports if its
// context requests it:
//
//	ctx = progress.With(ctx, func(p progress.Progress) { fmt.Fprintln(os.Stderr, p) })
//	err := orders.BatchPut(ctx, list)
//
// A [Tracker] keeps the state of all calls of its contexts, for other goroutines to read:
//
//	jobs := progress.NewTracker()
//	go rebuild(jobs.With(ctx))
//	for _, p := range jobs.List() { fmt.Println(p) }
//
// Without either, calls have no additional cost. Long calls that are made by another long call are part of its progress, and do not
// report themselves. A [Progress] contains no key and no item data, except [Progress.Position], which is made on request.
//
// Your own code can report by [Start]; the requests of its context then count as its units.
package progress
