// SPDX-License-Identifier: Apache-2.0

// Package sweep reads a whole table or index in segments, several pages at a time. It can be stopped at any request, or killed, and resumed
// from a short text.
//
//	s, err := sweep.Of(orders.Scan()).Resume(load()) // "" is the beginning
//	if err != nil {
//		return err
//	}
//	for page, err := range s.Pages(ctx) {
//		if err != nil {
//			return err               // sweep.PositionOf(err) is where to resume
//		}
//		...                          // the work of the page
//		save(page.Position())        // counts this page and all whose loop body has ended
//	}
//
// The guarantee: every item that is in the table from the beginning of the first run to the end of the last, and passes the filter, is at least once in a page whose loop
// body has ended. When a run is stopped, at most as many pages as there are workers are read again, including that of the loop body; pages that the loop body has handled
// since the position was stored are handled again, too. An item that is written in the meantime may be seen or not, and in its old or its new state; it does not move to
// another segment, because a segment is a range of the hashes of partition keys.
//
// Positions rest on one property that AWS does not state: that a cursor of a segment stays valid, and the segment the same range, while the table grows and its partitions are split. All tools that resume
// parallel scans rely on it.
//
// The number of pages that are read at a time adapts: it grows while that makes the sweep faster, and decreases when DynamoDB throttles, when a pace of the context
// delays the requests, or when the loop body is slower than the reads. A throttled page is read again for about half a minute before the run ends with the error. A hot
// key range waits while other segments continue, until more of them wait than the maximum number of workers.
//
// [Sample] estimates how many items a filtered scan would find, from a part of the segments.
package sweep
