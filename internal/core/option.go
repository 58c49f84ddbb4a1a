// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemsize"
	"github.com/dynamotable/ddb/internal/retry"
)

// AnyTableOption is a ddb.TableOption.
type AnyTableOption interface{ ApplyTable(*Table) error }

// TableOption is an option of a table.
type TableOption func(*Table) error

// ApplyTable makes it a TableOption.
func (o TableOption) ApplyTable(c *Table) error { return o(c) }

const (
	defaultConcurrency = 8
	maxConcurrency     = 32
)

// VersionOption is the option ddb.Version.
//
//go:noinline
func VersionOption(attr *handle.Handle) TableOption {
	return TableOption(func(c *Table) error {
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

// CreatedOption is the option ddb.Created.
//
//go:noinline
func CreatedOption(attr *handle.Handle) TableOption {
	return TableOption(func(c *Table) (err error) {
		c.created, err = c.stampAttr("Created", attr)
		return err
	})
}

// UpdatedOption is the option ddb.Updated.
//
//go:noinline
func UpdatedOption(attr *handle.Handle) TableOption {
	return TableOption(func(c *Table) (err error) {
		c.updated, err = c.stampAttr("Updated", attr)
		return err
	})
}

// TTLOption is the option ddb.TTL.
//
//go:noinline
func TTLOption(attr *handle.Handle) TableOption {
	return TableOption(func(c *Table) (err error) {
		c.ttl, err = c.ownAttr("TTL", attr, codec.N)
		return err
	})
}

// ClockOption is the option ddb.Clock.
//
//go:noinline
func ClockOption(now func() time.Time) TableOption {
	return TableOption(func(c *Table) error {
		if now == nil {
			return errors.New("option Clock: the function is nil")
		}
		c.now = now
		return nil
	})
}

// WarnSizeOption is the option ddb.WarnSize.
//
//go:noinline
func WarnSizeOption(bytes int, warn func(table string, size int)) TableOption {
	return TableOption(func(c *Table) error {
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

// TablePrefixOption is the option ddb.TablePrefix.
//
//go:noinline
func TablePrefixOption(prefix string) TableOption {
	return TableOption(func(c *Table) error {
		c.Name = prefix + c.Name
		return nil
	})
}

// PageSizeOption is the option ddb.PageSize.
//
//go:noinline
func PageSizeOption(n int) TableOption {
	return TableOption(func(c *Table) error {
		if n < 1 || n > 1<<30 {
			return fmt.Errorf("option PageSize %d: must be at least 1", n)
		}
		c.pageSize = int32(n)
		return nil
	})
}

// ConcurrencyOption is the option ddb.Concurrency.
//
//go:noinline
func ConcurrencyOption(n int) TableOption {
	return TableOption(func(c *Table) error {
		if n < 1 || n > maxConcurrency {
			return fmt.Errorf("option Concurrency %d: must be 1 to %d", n, maxConcurrency)
		}
		c.concurrency = n
		return nil
	})
}

// RetryOption is the option ddb.Retry.
//
//go:noinline
func RetryOption(p retry.Policy) TableOption {
	return TableOption(func(c *Table) error {
		c.retry = p
		return p.Validate()
	})
}

// WithRetryBudgetOption is the option ddb.WithRetryBudget.
//
//go:noinline
func WithRetryBudgetOption(b *retry.Budget) TableOption {
	return TableOption(func(c *Table) error {
		c.budget = b
		return nil
	})
}

// WithLedgerOption is the option ddb.WithLedger.
//
//go:noinline
func WithLedgerOption(l *cost.Ledger) TableOption {
	return TableOption(func(c *Table) error {
		c.ledger = l
		return nil
	})
}

// ThroughSDKOption is the option ddb.ThroughSDK.
//
//go:noinline
func ThroughSDKOption() TableOption {
	return TableOption(func(c *Table) error {
		c.wire.Off = true
		return nil
	})
}

// ownAttr resolves a handle given to an option and checks that it is a top-level
// attribute of the table's items, stored as kind.
func (c *Table) ownAttr(option string, h *handle.Handle, kind codec.Kind) (*handle.Handle, error) {
	if err := resolveFor(c.Plan, h); err != nil {
		return nil, fmt.Errorf("option %s: %w", option, err)
	}
	switch {
	case c.Plan.IsWire():
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
	if throughPointer(gotype.Reflect(c.Plan.Type()), h.Field().Index) {
		return nil, fmt.Errorf("option %s: attribute %s is inside an embedded pointer, which may be nil", option, h.Path())
	}
	for _, name := range c.Key.names() {
		if name == h.Path().String() {
			return nil, fmt.Errorf("option %s: attribute %s is a key of the table", option, name)
		}
	}
	return h, nil
}

func (c *Table) stampAttr(option string, attr *handle.Handle) (*handle.Handle, error) {
	h, err := c.ownAttr(option, attr, codec.KindAny)
	if err != nil {
		return nil, err
	}
	if gotype.Reflect(h.Field().Type) != reflect.TypeFor[time.Time]() {
		return nil, fmt.Errorf("option %s: attribute %s is a %s; it must be a time.Time", option, h.Path(), h.Field().Type)
	}
	return h, nil
}

// SDKTimes is the option ddb.SDKTimes. It is applied before the others, by declareTimes.
type SDKTimes struct{}

// ApplyTable makes it a TableOption.
func (SDKTimes) ApplyTable(*Table) error { return nil } // see declareTimes

// declareTimes sets the form of times before anything else uses the codec of the item type.
func declareTimes(t reflect.Type, opts []AnyTableOption) error {
	keep := slices.Contains(opts, AnyTableOption(SDKTimes{}))
	if codec.KeepSDKTimes(t, keep) {
		return nil
	}
	if keep {
		return fmt.Errorf("option SDKTimes: items of type %s are already in use with times that sort, in another table or in a condition that was made "+
			"before this table; give all tables of the type the option and make conditions after them, or use the tag option sdktime", t)
	}
	return fmt.Errorf("items of type %s keep their times in the form of the SDK in another table; give all tables of the type the option SDKTimes, or none", t)
}
