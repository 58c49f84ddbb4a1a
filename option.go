// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"time"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/revision"
)

// TableOption is an option of [New] and [NewSimple]. A handle is not an option: the sort key is the fourth argument of New,
// and NewSimple has none.
type TableOption interface{ ApplyTable(*core.Table) error }

// tableOptions returns the options for the core.
func tableOptions(opts []TableOption) []core.AnyTableOption {
	all := make([]core.AnyTableOption, len(opts))
	for i, o := range opts {
		all[i] = o
	}
	return all
}

// Revision identifies one state of one item; it is the type of an attribute that [Version] names. Package revision has its
// methods, and reads it from the entity tags of HTTP.
type Revision = revision.Revision

// Version makes an attribute guard every write against lost updates (optimistic locking). Give it an
// attribute of type [Revision]:
//
//   - Put, Replace and DeleteItem apply only to the revision that the item was read with. Put of an item without a revision applies only if nothing is stored, or an item from before the table had revisions;
//   - Update, Upsert and Delete by key read the item first and apply only if it is unchanged; if another write changes it in between, they
//     start again. ddb.If(revision.Eq(r)) requires a revision and saves the read;
//   - the caller's item gets its new revision only after success;
//   - after a lost reply the item is read back and proves the outcome, see [ErrOutcomeUnknown]. The read costs a unit for each 4 KB;
//   - BatchPut and BatchDelete are refused, because the BatchWriteItem API takes no conditions.
//
// docs/guarantees.md says what each verb promises. Writers that do not know the attribute, such as the console, do not
// change the revision: a Put of an item that was read before such a write overwrites it.
//
// Use an integer attribute for tables that other programs share. A zero version means that the item was never stored, or is
// stored with version zero or none. Every write raises the stored version by one; Update checks it only if the caller asks
// for it: ddb.If(version.Eq(n)). A number does not show that an item was deleted and created again under the same key, and
// it proves nothing after a lost reply: the error is then [ErrOutcomeUnknown].
//
// A table can have both while programs move from a number to a Revision; docs/guides/writes.md has the steps.
func Version(attr AnyAttr) TableOption { return core.VersionOption(handle.Of(attr)) }

// Created makes a time attribute record when the item was first stored. Put, Create and Replace set it if it is zero, Upsert
// if the attribute is absent.
func Created(attr AnyAttr) TableOption { return core.CreatedOption(handle.Of(attr)) }

// Updated makes a time attribute record when the item was last written. Every write except batches and deletes sets it.
func Updated(attr AnyAttr) TableOption { return core.UpdatedOption(handle.Of(attr)) }

// TTL names the attribute that holds the time after which DynamoDB may delete the item. It must be stored as a number of
// Unix seconds: an integer, or a time with the unixtime tag option. EnsureTable enables TTL for it. Deletion is late,
// typically within days. Reads return expired items until then, unless [HideExpired] hides them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
func TTL(attr AnyAttr) TableOption { return core.TTLOption(handle.Of(attr)) }

// Clock replaces time.Now for [Created], [Updated] and [HideExpired].
func Clock(now func() time.Time) TableOption { return core.ClockOption(now) }

// WarnSize calls warn with the exact size of each item larger than bytes that Put, Create, Replace, a transaction or a batch
// has stored, so that you notice growing items before they reach [MaxItemSize]:
//
//	ddb.WarnSize(300<<10, func(table string, size int) { log.Warn("large item", "table", table, "bytes", size) })
//
// warn is called once the write is known to be applied, before the call returns; never for a write that was refused, failed
// or has an unknown outcome. Updates are not measured, since only DynamoDB knows the resulting item. warn runs on the
// goroutine of the call, so several calls may run it at once.
func WarnSize(bytes int, warn func(table string, size int)) TableOption {
	return core.WarnSizeOption(bytes, warn)
}

// TablePrefix is added before the table's name, for example one per environment; see ddbclient.TablePrefixFromEnv.
func TablePrefix(prefix string) TableOption { return core.TablePrefixOption(prefix) }

// PageSize limits how many items one request of a query or scan evaluates, unless the call sets its own. Without it DynamoDB
// fills pages up to 1 MB.
func PageSize(n int) TableOption { return core.PageSizeOption(n) }

// Concurrency limits how many requests of one batch or parallel scan run at once: 1 to 32, 8 by default.
func Concurrency(n int) TableOption { return core.ConcurrencyOption(n) }

// Retry replaces the policy by which batches and transactions resend what DynamoDB did not process. Single calls are retried
// by the SDK client.
func Retry(p RetryPolicy) TableOption { return core.RetryOption(retry.Policy(p)) }

// WithRetryBudget replaces the table's retry budget, which limits the retries of all tables that share it.
func WithRetryBudget(b *RetryBudget) TableOption { return core.WithRetryBudgetOption(b.shared()) }

// WithLedger counts the table's consumed capacity in a ledger of its own instead of [DefaultLedger].
func WithLedger(l *cost.Ledger) TableOption { return core.WithLedgerOption(l) }

// WithoutCapacity disables the counting of consumed capacity. It is then not requested either, unless the context has a
// [cost.Budget]. Hooks see calls without it.
func WithoutCapacity() TableOption { return WithLedger(nil) }

// ThroughSDK makes the table read and write items through the SDK's attribute maps instead of directly from the wire. This
// is slower, with the same results. It is for middleware that needs to see items in the SDK's inputs and outputs. Middleware
// at the Initialize and Serialize steps sees them without this option too, unless [HarmlessSteps] names it.
func ThroughSDK() TableOption { return core.ThroughSDKOption() }
