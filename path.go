// SPDX-License-Identifier: Apache-2.0

package ddb

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

// HarmlessSteps declares steps of the client as harmless: they do not look at items in inputs and outputs, nor change or
// keep them. Requests then take the fast path, on which the SDK, and everything added to it, sees inputs and outputs without
// their items. The names are those of [hooks.Call.PathReason]:
//
//   - of middleware at the Initialize and Serialize steps its ID, such as "RequestLogging";
//   - of an interceptor before and after execution, or before serialization, its Go type, such as "*audit.Interceptor";
//   - of a client that wraps or embeds the SDK's its Go type, such as "*tenant.Client". It must hand each call on once, with the same
//     input and all functional options; a write through one that does not fails, and writes nothing. A method
//     ForwardsOptions() bool of the client that returns true declares the same.
//
// Tracing by OpenTelemetry, AWS X-Ray and Datadog is known to be harmless, and so is everything at the Build, Finalize and
// Deserialize steps. For steps that need to see items do nothing, or use [ThroughSDK].
func HarmlessSteps(names ...string) TableOption { return harmlessStepsOption(names) }

// pathReason returns why requests of the table will not take the fast path, empty if they will.
func (c *core) pathReason(ctx context.Context) string { return wire.Probe(ctx, c.client, c.wire) }

// harmlessStepsOption is the option HarmlessSteps.
//
//go:noinline
func harmlessStepsOption(names []string) tableOption {
	return tableOption(func(c *core) error {
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
