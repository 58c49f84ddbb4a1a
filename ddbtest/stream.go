// SPDX-License-Identifier: Apache-2.0

package ddbtest

// SplitShards replaces every open shard of a table's stream by n children, as
// DynamoDB does when a table grows; with n = 1 they roll. Shards also roll when they are four hours old by the engine's clock. It reports
// whether the table has an open stream.
func (e *Engine) SplitShards(table string, n int) bool {
	t := e.core.Find(table)
	return t != nil && n > 0 && e.streams.Split(t, n)
}
