// Package debug shows what the program asks of DynamoDB while it runs, in the manner of
// net/http/pprof: a page, and the same as JSON.
//
//	mux.Handle("/debug/ddb", onlyOperators(debug.Handler()))
//
// It shows units by table, index, operation and label; rates of the last five minutes;
// latencies; throttled attempts with the reasons that DynamoDB gives; errors; the partition
// keys that most capacity goes to; the slowest and most expensive calls of the last minutes, each
// with its explanation ([ddb.Call.Explain]); and how estimates compare with what was billed.
// [Snapshot] documents every figure.
//
// The page works without network and without JavaScript; with it, it follows the program.
//
// Put it behind authentication, or on an address that only operators reach: it tells names
// of tables, indexes, attributes and labels, and how much is done with them. It never
// shows item data: key values stand as hashes ([ddb.PartitionHash]), values of conditions
// as question marks, errors as their types. It answers GET and HEAD alone and changes nothing.
// Unlike net/http/pprof it registers itself nowhere.
package debug
