// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemsize"
	"github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/revision"
)

// TableOption is an option of [New] and [NewSimple]. A handle is not an option: the sort key is the fourth argument of New,
// and NewSimple has none.
type TableOption interface{ ApplyTable(*core) error }

// tableOptions returns the options for the core.
func tableOptions(opts []TableOption) []anyTableOption {
	all := make([]anyTableOption, len(opts))
	for i, o := range opts {
		all[i] = o
	}
	return all
}

// anyTableOption is a [TableOption].
type anyTableOption interface{ ApplyTable(*core) error }

type tableOption func(*core) error

// ApplyTable makes it a TableOption.
func (o tableOption) ApplyTable(c *core) error { return o(c) }

const (
	defaultConcurrency = 8
	maxConcurrency     = 32
)

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
func Version(attr AnyAttr) TableOption { return versionOption(handleOf(attr)) }

// Created makes a time attribute record when the item was first stored. Put, Create and Replace set it if it is zero, Upsert
// if the attribute is absent.
func Created(attr AnyAttr) TableOption { return createdOption(handleOf(attr)) }

// Updated makes a time attribute record when the item was last written. Every write except batches and deletes sets it.
func Updated(attr AnyAttr) TableOption { return updatedOption(handleOf(attr)) }

// TTL names the attribute that holds the time after which DynamoDB may delete the item. It must be stored as a number of
// Unix seconds: an integer, or a time with the unixtime tag option. EnsureTable enables TTL for it. Deletion is late,
// typically within days. Reads return expired items until then, unless [HideExpired] hides them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
func TTL(attr AnyAttr) TableOption { return ttlOption(handleOf(attr)) }

// Clock replaces time.Now for [Created], [Updated] and [HideExpired].
func Clock(now func() time.Time) TableOption { return clockOption(now) }

// WarnSize calls warn with the exact size of each item larger than bytes that Put, Create, Replace, a transaction or a batch
// has stored, so that you notice growing items before they reach [MaxItemSize]:
//
//	ddb.WarnSize(300<<10, func(table string, size int) { log.Warn("large item", "table", table, "bytes", size) })
//
// warn is called once the write is known to be applied, before the call returns; never for a write that was refused, failed
// or has an unknown outcome. Updates are not measured, since only DynamoDB knows the resulting item. warn runs on the
// goroutine of the call, so several calls may run it at once.
func WarnSize(bytes int, warn func(table string, size int)) TableOption {
	return warnSizeOption(bytes, warn)
}

// TablePrefix is added before the table's name, for example one per environment; see ddbclient.TablePrefixFromEnv.
func TablePrefix(prefix string) TableOption { return tablePrefixOption(prefix) }

// PageSize limits how many items one request of a query or scan evaluates, unless the call sets its own. Without it DynamoDB
// fills pages up to 1 MB.
func PageSize(n int) TableOption { return pageSizeOption(n) }

// Concurrency limits how many requests of one batch or parallel scan run at once: 1 to 32, 8 by default.
func Concurrency(n int) TableOption { return concurrencyOption(n) }

// Retry replaces the policy by which batches and transactions resend what DynamoDB did not process. Single calls are retried
// by the SDK client.
func Retry(p RetryPolicy) TableOption { return retryOption(retry.Policy(p)) }

// WithRetryBudget replaces the table's retry budget, which limits the retries of all tables that share it.
func WithRetryBudget(b *RetryBudget) TableOption { return withRetryBudgetOption(b.shared()) }

// WithLedger counts the table's consumed capacity in a ledger of its own instead of [DefaultLedger].
func WithLedger(l *cost.Ledger) TableOption { return withLedgerOption(l) }

// WithoutCapacity disables the counting of consumed capacity. It is then not requested either, unless the context has a
// [cost.Budget]. Hooks see calls without it.
func WithoutCapacity() TableOption { return WithLedger(nil) }

// ThroughSDK makes the table read and write items through the SDK's attribute maps instead of directly from the wire. This
// is slower, with the same results. It is for middleware that needs to see items in the SDK's inputs and outputs. Middleware
// at the Initialize and Serialize steps sees them without this option too, unless [HarmlessSteps] names it.
func ThroughSDK() TableOption { return throughSDKOption() }

// ownAttr resolves a handle given to an option and checks that it is a top-level
// attribute of the table's items, stored as kind.
func (c *core) ownAttr(option string, h *handle.Handle, kind codec.Kind) (*handle.Handle, error) {
	if err := h.Resolve(); err != nil {
		return nil, fmt.Errorf("option %s: %w", option, err)
	}
	switch {
	case !gotype.Same(h.Item(), c.plan.Type()):
		return nil, fmt.Errorf("option %s: handle of %s used on a table of %s", option, h.Item(), c.plan.Type())
	case c.plan.IsWire():
		return nil, fmt.Errorf("option %s: a table of raw items does not write attributes itself; the option needs a table of a struct", option)
	case len(h.Path()) != 1:
		return nil, fmt.Errorf("option %s: %s is not a top-level attribute", option, h.Path())
	case gotype.Reflect(h.Field().Type) == nil: // made by Deref or the like
		return nil, fmt.Errorf("option %s: attribute %s is not named by the handle of its field; pass the handle that ddb.Field, StrField or another constructor made", option, h.Path())
	case kind != codec.KindAny && h.Value().Kind() != kind:
		hint := ""
		if kind == codec.N && gotype.Reflect(h.Field().Type) == reflect.TypeFor[time.Time]() {
			hint = "; add unixtime to the dynamodbav tag of that field, which stores a time as a number of seconds"
		}
		return nil, fmt.Errorf("option %s: attribute %s is stored as %s, it must be %s%s", option, h.Path(), h.Value().Kind(), kind, hint)
	}
	if throughPointer(gotype.Reflect(c.plan.Type()), h.Field().Index) {
		return nil, fmt.Errorf("option %s: attribute %s is inside an embedded pointer, which may be nil", option, h.Path())
	}
	for _, name := range c.key.names() {
		if name == h.Path().String() {
			return nil, fmt.Errorf("option %s: attribute %s is a key of the table", option, name)
		}
	}
	return h, nil
}

func (c *core) stampAttr(option string, attr *handle.Handle) (*handle.Handle, error) {
	h, err := c.ownAttr(option, attr, codec.KindAny)
	if err != nil {
		return nil, err
	}
	if gotype.Reflect(h.Field().Type) != reflect.TypeFor[time.Time]() {
		return nil, fmt.Errorf("option %s: attribute %s is a %s; it must be a time.Time", option, h.Path(), h.Field().Type)
	}
	return h, nil
}

// throughPointer reports whether a promoted field is reached through an embedded pointer.
func throughPointer(t reflect.Type, index []int) bool {
	for _, x := range index[:len(index)-1] {
		t = t.Field(x).Type
		if t.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}

// versionOption is the option Version.
//
//go:noinline
func versionOption(attr *handle.Handle) tableOption {
	return tableOption(func(c *core) error {
		h, err := c.ownAttr("Version", attr, codec.KindAny)
		if err != nil {
			return err
		}
		switch gotype.Reflect(h.Field().Type).Kind() {
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
			reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			if h.Value().Kind() == codec.N {
				c.version = h
				return nil
			}
		}
		if gotype.Reflect(h.Field().Type) != revisionType {
			return fmt.Errorf("option Version: attribute %s is a %s stored as %s; it must be a ddb.Revision, or an integer stored as a number", h.Path(), h.Field().Type, h.Value().Kind())
		}
		c.revision = h
		return nil
	})
}

// createdOption is the option Created.
//
//go:noinline
func createdOption(attr *handle.Handle) tableOption {
	return tableOption(func(c *core) (err error) {
		c.created, err = c.stampAttr("Created", attr)
		return err
	})
}

// updatedOption is the option Updated.
//
//go:noinline
func updatedOption(attr *handle.Handle) tableOption {
	return tableOption(func(c *core) (err error) {
		c.updated, err = c.stampAttr("Updated", attr)
		return err
	})
}

// ttlOption is the option TTL.
//
//go:noinline
func ttlOption(attr *handle.Handle) tableOption {
	return tableOption(func(c *core) (err error) {
		c.ttl, err = c.ownAttr("TTL", attr, codec.N)
		return err
	})
}

// clockOption is the option Clock.
//
//go:noinline
func clockOption(now func() time.Time) tableOption {
	return tableOption(func(c *core) error {
		if now == nil {
			return errors.New("option Clock: the function is nil")
		}
		c.now = now
		return nil
	})
}

// warnSizeOption is the option WarnSize.
//
//go:noinline
func warnSizeOption(bytes int, warn func(table string, size int)) tableOption {
	return tableOption(func(c *core) error {
		var errs []error
		if bytes < 1 || bytes >= itemsize.MaxItem {
			errs = append(errs, fmt.Errorf("option WarnSize %d: the mark must be 1 to %d bytes", bytes, itemsize.MaxItem-1))
		}
		if warn == nil {
			errs = append(errs, errors.New("option WarnSize: the function is nil"))
		}
		c.warnMark, c.warn = bytes, warn
		return errors.Join(errs...)
	})
}

// tablePrefixOption is the option TablePrefix.
//
//go:noinline
func tablePrefixOption(prefix string) tableOption {
	return tableOption(func(c *core) error {
		c.name = prefix + c.name
		return nil
	})
}

// pageSizeOption is the option PageSize.
//
//go:noinline
func pageSizeOption(n int) tableOption {
	return tableOption(func(c *core) error {
		if n < 1 || n > 1<<30 {
			return fmt.Errorf("option PageSize %d: must be at least 1", n)
		}
		c.pageSize = int32(n)
		return nil
	})
}

// concurrencyOption is the option Concurrency.
//
//go:noinline
func concurrencyOption(n int) tableOption {
	return tableOption(func(c *core) error {
		if n < 1 || n > maxConcurrency {
			return fmt.Errorf("option Concurrency %d: must be 1 to %d", n, maxConcurrency)
		}
		c.concurrency = n
		return nil
	})
}

// retryOption is the option Retry.
//
//go:noinline
func retryOption(p retry.Policy) tableOption {
	return tableOption(func(c *core) error {
		c.retry = p
		return p.Validate()
	})
}

// withRetryBudgetOption is the option WithRetryBudget.
//
//go:noinline
func withRetryBudgetOption(b *retry.Budget) tableOption {
	return tableOption(func(c *core) error {
		c.budget = b
		return nil
	})
}

// withLedgerOption is the option WithLedger.
//
//go:noinline
func withLedgerOption(l *cost.Ledger) tableOption {
	return tableOption(func(c *core) error {
		c.ledger = l
		return nil
	})
}

// throughSDKOption is the option ThroughSDK.
//
//go:noinline
func throughSDKOption() tableOption {
	return tableOption(func(c *core) error {
		c.wire.Off = true
		return nil
	})
}
