// SPDX-License-Identifier: Apache-2.0

// Package rawtable opens tables whose item types a program does not know, for tools: a command line, a page, copies and dumps.
//
//	t, err := rawtable.Open(ctx, client, "orders")
//	key, err := t.ParseKey("c1", "o9")
//	item, err := t.GetKey(ctx, key)
//
// The keys and indexes of the table are those that DynamoDB describes. Items have the type [rawitem.Item]: the bytes that the service sent, read
// and written through no struct, so number text, sets, binary values and attributes that nobody knows stay what they are. The table is a
// [ddb.Table] like any other: all verbs, batches, transactions, queries, scans, cursors, conditions, budgets, hooks and Explain work with it.
package rawtable
