// SPDX-License-Identifier: Apache-2.0

// Package ddb is a type-safe library for DynamoDB. A [Table] knows its item type
// and the types of its keys, and the compiler checks conditions, updates and
// queries against them. Batches and transactions report what was not done, and
// every call reports the capacity that it consumed.
//
// # Define
//
// An item is a struct with dynamodbav tags. A handle selects a field and takes the
// attribute name from the field's tag:
//
//	type Order struct {
//		Customer CustomerID `dynamodbav:"customer_id"`
//		ID       OrderID    `dynamodbav:"order_id"`
//		Status   string     `dynamodbav:"status"`
//		Total    int64      `dynamodbav:"total"`
//	}
//
//	var (
//		orderCustomer = ddb.StrField(func(o *Order) *CustomerID { return &o.Customer })
//		orderID       = ddb.StrField(func(o *Order) *OrderID { return &o.ID })
//		orderStatus   = ddb.StrField(func(o *Order) *string { return &o.Status })
//		orderTotal    = ddb.NumField(func(o *Order) *int64 { return &o.Total })
//	)
//
//	orders, err := ddb.New(client, "orders", orderCustomer, orderID)
//
// Write and read items, with each error checked:
//
//	err = orders.Create(ctx, &Order{"ann", "o1", "open", 40}) // Put, Create, Replace, Delete
//	order, err := orders.Update(ctx, orders.Key("ann", "o1"),
//		orderStatus.Set("paid"), ddb.If(orderStatus.Eq("open")))
//	order, err = orders.Get(ctx, "ann", "o1")
//	for o, err := range orders.Query("ann").Filter(orderTotal.Gt(10)).All(ctx) {
//		...
//	}
//
// New returns a *ddb.Table[Order, CustomerID, OrderID]. If its keys have named types,
// the compiler refuses swapped keys, conditions on another struct, prefixes on
// numbers and cursors of other tables. [NewSimple] makes a [SimpleTable], which has no
// sort key. An [Index], a [SimpleIndex] or a [LocalIndex] is made from its table. The
// command ddb gen handles (cmd/ddb) writes missing handles.
//
// # Handles
//
// The type of a handle decides which operations an attribute has: [Attr] has
// equality, existence, Set and Remove; [Ord] adds order; [Num] arithmetic; [Str]
// and [Bin] prefixes; [Set] and [List] members and elements; [Map] keys. [And],
// [Or] and [Not] combine conditions. Use rawexpr.Cond or rawexpr.CondText for conditions that
// handles cannot express.
//
// # Tags
//
// Tags have the meaning that the SDK's attributevalue package gives them: names, "-",
// omitempty, omitemptyelem, string, stringset, numberset, binaryset, unixtime, embedded
// structs, Marshaler and Unmarshaler, TextMarshaler; also omitzero. Names are
// case-sensitive, as in DynamoDB. A number keeps all its digits or is refused. The
// file docs/codec.md lists every difference.
//
// # Writes
//
// Put and Delete have no precondition. Create requires that the item does not exist,
// Replace and Update that it does; Update writes the named attributes only. Upsert is
// Update without its precondition. [If] adds conditions. If one is false, the error is
// a [ConditionFailed] with the current item. [Version] guards every write against lost
// updates.
//
// # Reads
//
// Get returns [ErrNotFound] for a missing item. A [Query] is immutable: it can be
// run many times and shared by goroutines. Limit is the number of items returned. All
// is an iterator: it yields at most one error, as its last value, and the loop can be
// left at any time. Only Scan scans.
//
// # Errors
//
// Every error names the operation, the table and the cause, and never shows key values
// or item data. Use errors.Is with sentinels ([ErrNotFound], [ErrConditionFailed],
// [ErrThrottled], [ErrInvalid], ...) and errors.As for details. An invalid call is
// rejected before anything is sent; its [InvalidError] lists all mistakes.
//
// # Cost
//
// Every call requests its consumed capacity and adds it to [DefaultLedger], or to the
// ledger given by [WithLedger], by table, index, operation and label:
//
//	defer ddb.LogCapacity(slog.Default())
//
// # Other packages
//
// What fewer programs need has packages of its own: entity reads several item types of one
// table, multikey makes index keys of several attributes, vector searches by vectors,
// rawexpr and rawtable work without handles and without Go types, pagetoken seals cursors,
// unique keeps values unique, sweep and job go through whole tables.
//
// # Concurrency
//
// Tables, indexes, handles, queries, conditions and changes are immutable and safe
// for concurrent use. No goroutine outlives the call that started it, and every
// wait ends with its context.
package ddb
