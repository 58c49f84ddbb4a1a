// SPDX-License-Identifier: Apache-2.0

// Package progress says how far a long call is: batches, sweeps, jobs, imports, rebuilds, a table that waits for its index. A call reports if its
// context asks for it:
//
//	ctx = progress.With(ctx, func(p progress.Progress) { fmt.Fprintln(os.Stderr, p) })
//	err := orders.BatchPut(ctx, list)
//
// A [Tracker] keeps the state of all calls of its contexts, to be read from elsewhere:
//
//	jobs := progress.NewTracker()
//	go rebuild(jobs.With(ctx))
//	for _, p := range jobs.List() { fmt.Println(p) }
//
// A call whose context has neither costs nothing more. What a long call does itself by other long calls is part of its own progress, and not
// reported again. A [Progress] holds no key and no item data, but for [Progress.Position], which is made when it is asked for.
//
// Code of your own reports by [Start]; the requests of its context then count as its units.
package progress
