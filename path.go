// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
)

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
func HarmlessSteps(names ...string) TableOption { return core.HarmlessStepsOption(names) }
