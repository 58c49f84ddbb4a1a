// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"slices"

	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/core"
)

// WithGate makes the calls with the context pass the gate, and the gates that the context already has. The same gate may be
// in many contexts; in each it counts once. A nil gate has no effect.
func WithGate(ctx context.Context, g hooks.Gate) context.Context {
	if g == nil {
		return ctx
	}
	s := core.CallOptionsOf(ctx)
	if slices.Contains(s.Gates, g) {
		return ctx
	}
	s.Gates = append(append([]hooks.Gate(nil), s.Gates...), g)
	return s.Into(ctx)
}
