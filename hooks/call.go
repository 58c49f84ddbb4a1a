// SPDX-License-Identifier: Apache-2.0

package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
)

// Failure is a call that ended with ddb.ErrOutcomeUnknown, or a request that was not sent because of
// [cost.ErrBudgetExceeded]. Like a [Call] it holds no key values and no item data.
type Failure struct {
	// Operation is the name in the API, such as PutItem; the call's error has the same.
	Operation string
	// Table is the table's name; for a transaction on several tables, the first.
	Table string
	Index string // empty for the table itself
	Label string // see ddb.WithLabel
	// Items is the number of items concerned: those of a batch whose outcome is unknown, those of a transaction, else one.
	// It is 0 for a Query or Scan that a budget stopped.
	Items int
	// Err matches ddb.ErrOutcomeUnknown or cost.ErrBudgetExceeded.
	Err error
}

// Call is one request to DynamoDB, including the retries of the SDK client. It holds no key values and no item data, so all
// of it may be logged.
type Call struct {
	// Operation is the name in the API, such as GetItem.
	Operation string
	// Table is the table's name; for a transaction on several tables, the first.
	Table string
	// Tables are the names of all tables of a transaction.
	Tables []string
	Index  string // empty for the table itself
	Label  string // see ddb.WithLabel
	Write  bool
	// Items is the number of items that are requested or written; 0 for Query and Scan.
	Items int
	// Limit is the most items that a Query or Scan evaluates; 0 means up to 1 MB.
	Limit      int
	Consistent bool
	Descending bool
	// Segment of Segments is the part that a parallel scan reads; Segments is 0 otherwise.
	Segment, Segments int
	// Partitions are hashes of the partition keys: of the key that a Query reads, or of each item. A Scan has none.
	Partitions []PartitionHash
	// Estimate is what the request was expected to cost; see ddb.Explain.
	Estimate cost.Estimate
	Start    time.Time

	// The following fields are set when the request has ended.

	Duration time.Duration
	// Attempts is how often the request was sent.
	Attempts int
	// Throttled are the reasons of attempts that were throttled, even if a retry succeeded. An attempt that was throttled
	// without a reason has an empty one.
	Throttled []ddberr.ThrottlingReason
	// Consumed is the consumed capacity that the reply states.
	Consumed cost.Consumed
	// Capacity is Consumed by table and index.
	Capacity []cost.Entry
	// ItemCollections are the sizes of the item collections that were written to, if they were requested and the reply has
	// them; see collection.Report and collection.Warn.
	ItemCollections []ItemCollection
	// Returned is the number of items in the reply, Scanned the number that a Query or Scan read for them, before the filter.
	Returned, Scanned int
	// Unprocessed is the number of inputs of a batch that DynamoDB left unprocessed.
	Unprocessed int
	// Path says how items travelled. PathReason names what in the client keeps them from the fast path; it is empty for
	// [FastPath]. See ddb.HarmlessSteps.
	Path       Path
	PathReason string
	// Err is nil for a request that was answered, even if parts were left unprocessed.
	Err error

	// Details answers what few hooks ask for; it is nil for a Call that no table made. Use the methods of Call.
	Details Details `json:"-"`
}

// Details computes what a [Call] does not store, since few hooks need it. Package ddb implements it.
type Details interface {
	// Explain returns the explanation of the call; see [Call.Explain].
	Explain(call *Call) cost.Explanation
	// TransactionActions returns the permissions that a transaction needs; see [Call.Actions].
	TransactionActions() []Action
	// TransactionTable returns the table that Partitions[i] of a transaction belongs to, empty for other calls; see
	// [Call.PartitionTable].
	TransactionTable(i int) string
}

// ErrorType returns a short name of Err, for metrics: the service's error code such as ConditionalCheckFailedException, or
// timeout, canceled, network; empty if Err is nil.
func (c *Call) ErrorType() string {
	if c == nil {
		return ""
	}
	switch {
	case c.Err == nil:
		return ""
	case errors.Is(c.Err, context.Canceled):
		return "canceled"
	}
	if api, ok := errors.AsType[smithy.APIError](c.Err); ok {
		return redact.Code(api)
	}
	var timeout interface{ Timeout() bool }
	if errors.Is(c.Err, context.DeadlineExceeded) || errors.As(c.Err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	return "network"
}

// Failed reports whether the request failed. A failed condition, which is an answer, and the caller's own cancellation are
// not failures.
func (c *Call) Failed() bool {
	if c == nil {
		return false
	}
	return c.Err != nil && !answered(c.Err)
}

// Explain returns what the request does and what it was expected to cost; see ddb.Explain. For a Call that no table made it
// uses the exported fields.
func (c *Call) Explain() cost.Explanation {
	if c == nil {
		return cost.Explanation{}
	}
	if c.Details == nil {
		return cost.Explanation{
			Operation: c.Operation, Table: c.Table, Index: c.Index, Consistent: c.Consistent, Descending: c.Descending,
			Items: c.Items, Limit: c.Limit, Read: c.Estimate.Read, Write: c.Estimate.Write, PathReason: c.PathReason,
		}
	}
	return c.Details.Explain(c)
}

// answered reports whether an error is an expected answer.
func answered(err error) bool {
	if tce, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return !slices.ContainsFunc(tce.CancellationReasons, func(r types.CancellationReason) bool {
			return aws.ToString(r.Code) != "None" && aws.ToString(r.Code) != "ConditionalCheckFailed"
		})
	}
	var failed *types.ConditionalCheckFailedException
	return errors.As(err, &failed) || errors.Is(err, context.Canceled)
}

// Actions are the permissions that the request needs. A transaction needs those of its operations; there is no permission
// for the transaction as a whole.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
func (c *Call) Actions() []Action {
	if c == nil {
		return nil
	}
	if c.Details != nil {
		if all := c.Details.TransactionActions(); len(all) > 0 {
			return all
		}
	}
	return []Action{{"dynamodb:" + c.Operation, c.Table, c.Index}}
}

// largestCollection returns the upper bound of the largest item collection that the call wrote to, in gigabytes.
func (c *Call) largestCollection() (gb float64) {
	for _, found := range c.ItemCollections {
		gb = max(gb, found.MaxGB)
	}
	return gb
}

func (c *Call) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("operation", c.Operation), slog.String("table", c.Table)}
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	count := func(name string, n int) {
		if n != 0 {
			attrs = append(attrs, slog.Int(name, n))
		}
	}
	text("index", c.Index)
	text("label", c.Label)
	if len(c.Tables) > 1 {
		attrs = append(attrs, slog.Any("tables", c.Tables))
	}
	attrs = append(attrs, slog.Duration("duration", c.Duration))
	count("attempts", c.Attempts)
	count("items", c.Items)
	count("returned", c.Returned)
	count("scanned", c.Scanned)
	attrs = append(attrs, slog.Float64("read_units", c.Consumed.ReadUnits), slog.Float64("write_units", c.Consumed.WriteUnits))
	if len(c.ItemCollections) > 0 {
		attrs = append(attrs, slog.Float64("item_collection_gb", c.largestCollection()))
	}
	if len(c.Throttled) > 0 {
		reasons := make([]string, len(c.Throttled))
		for i, r := range c.Throttled {
			reasons[i] = r.Reason
		}
		attrs = append(attrs, slog.Any("throttled", reasons))
	}
	if c.Err != nil {
		attrs = append(attrs, slog.String("error_type", c.ErrorType()), slog.String("error", redact.Text(c.Err)))
	}
	return attrs
}

// PartitionTable returns the name of the table that Partitions[i] belongs to, empty if there is no such partition.
func (c *Call) PartitionTable(i int) string {
	if c == nil || i < 0 || i >= len(c.Partitions) {
		return ""
	}
	if c.Details != nil {
		if table := c.Details.TransactionTable(i); table != "" {
			return table
		}
	}
	return c.Table
}

// Format prints what [Call.LogValue] holds, for every verb.
func (c Call) Format(s fmt.State, verb rune) {
	attrs := c.attrs()
	texts := make([]string, len(attrs))
	for i, a := range attrs {
		texts[i] = a.String()
	}
	quiet.Format(s, verb, strings.Join(texts, " "))
}

// LogValue is a group of what is known of the call.
func (c Call) LogValue() slog.Value { return slog.GroupValue(c.attrs()...) }

// MarshalJSON is an object with the fields, Err as text.
func (c Call) MarshalJSON() ([]byte, error) {
	type fields Call // without the methods
	out := struct {
		fields
		Err string `json:",omitempty"`
	}{fields: fields(c)}
	if c.Err != nil {
		out.Err = redact.Text(c.Err)
	}
	return json.Marshal(out)
}

func (f *Failure) text() string {
	at := f.Operation + " " + f.Table
	if f.Index != "" {
		at += "/" + f.Index
	}
	if f.Err == nil {
		return at
	}
	return at + ": " + redact.Text(f.Err)
}

// Format prints operation, table, index and the error's text, for every verb.
func (f Failure) Format(s fmt.State, verb rune) { quiet.Format(s, verb, f.text()) }

// LogValue is the text that Format prints.
func (f Failure) LogValue() slog.Value { return slog.StringValue(f.text()) }

// MarshalJSON is an object with the fields, Err as text.
func (f Failure) MarshalJSON() ([]byte, error) {
	type fields Failure // without the methods
	out := struct {
		fields
		Err string `json:",omitempty"`
	}{fields: fields(f)}
	if f.Err != nil {
		out.Err = redact.Text(f.Err)
	}
	return json.Marshal(out)
}
