// Package ddb turns DynamoDB tables into typed Go values: [Table] with its item
// type and the types of its keys, attribute handles that the compiler checks,
// typed conditions, updates and cursors, batches and transactions that say what
// was not done, and consumed capacity counted for every call.
//
// # Define
//
// A struct with dynamodbav tags is the item; handles select its fields. The
// attribute name comes from the tag and is never written again:
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
//	if err != nil {
//		return err
//	}
//
// The result is a *ddb.Table[Order, CustomerID, OrderID]. With keys of named types
// the compiler refuses swapped keys, conditions on another struct, prefixes on
// numbers and cursors of other tables. A table without a sort key is a
// [SimpleTable], made by [NewSimple]; an [Index], a [SimpleIndex] or a [LocalIndex]
// is made from its table. The command ddb gen handles (cmd/ddb) writes the handles that a struct lacks.
//
// # Handles
//
// What an attribute can do depends on its handle: [Attr] has equality, existence,
// Set and Remove; [Ord] adds order; [Num] arithmetic; [Str] and [Bin] prefixes;
// [Set] and [List] members and elements; [Map] keys. [And], [Or] and [Not]
// combine conditions. [Raw] and [RawText] take what handles cannot say.
//
// # Tags
//
// Tags mean what they mean to the SDK's attributevalue package: names, "-",
// omitempty, omitemptyelem, string, stringset, numberset, binaryset, unixtime, embedded
// structs, Marshaler and Unmarshaler, TextMarshaler; also omitzero. Names match by
// case, as in DynamoDB. Numbers keep all their digits or are refused. The file
// docs/codec.md lists every difference.
//
// # Writes
//
// There are five verbs with one precondition each: Put (none), Create (absent),
// Replace (present), Update (present, named attributes only) and Delete (none);
// Upsert is Update without its precondition. [If] adds conditions; a false one is
// a [ConditionFailed] that holds the item as it is. With [Version] every write
// is guarded against lost updates.
//
// # Reads
//
// Get returns [ErrNotFound] for a missing item. A [Query] is immutable:
// built once, run often, shared by goroutines. Limit is the number of items
// returned; All is an iterator that yields at most one error, last, and can be left at
// any time. Only Scan scans.
//
// # Errors
//
// Every error says operation, table and cause, and never shows key values or
// item data. Test sentinels with errors.Is ([ErrNotFound], [ErrConditionFailed],
// [ErrThrottled], [ErrInvalid], ...) and take details with errors.As. A call
// that is wrong in itself is refused before anything is sent, with everything that is
// wrong named at once ([InvalidError]).
//
// # Cost
//
// Every call asks for its consumed capacity and counts it in [DefaultLedger], or
// the ledger given by [WithLedger], by table, index, operation and label:
//
//	defer ddb.LogCapacity(slog.Default())
//
// # Concurrency
//
// Tables, indexes, handles, queries, conditions and changes are immutable and safe
// for concurrent use. No goroutine outlives the call that started it, and every
// wait obeys its context.
package ddb
