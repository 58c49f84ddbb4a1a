// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/wire"
)

func pathOf(w wire.Path) hooks.Path {
	switch w {
	case wire.Direct:
		return hooks.FastPath
	case wire.Beside:
		return hooks.BesidePath
	}
	return hooks.AttributeValuePath
}

// HarmlessStepsOption is the option ddb.HarmlessSteps.
//
//go:noinline
func HarmlessStepsOption(names []string) TableOption {
	return TableOption(func(c *Table) error {
		var errs []error
		for i, n := range names {
			if n == "" {
				errs = append(errs, fmt.Errorf("option HarmlessSteps: name %d is empty", i))
			}
		}
		if len(names) == 0 {
			errs = append(errs, errors.New("option HarmlessSteps: no names; take them from Call.PathReason or Explanation.PathReason"))
		}
		c.wire.Harmless = append(c.wire.Harmless, names...)
		return errors.Join(errs...)
	})
}

// pathReason returns why requests of the table will not take the fast path, empty if they will.
func (c *Table) pathReason(ctx context.Context) string { return wire.Probe(ctx, c.Client, c.wire) }
