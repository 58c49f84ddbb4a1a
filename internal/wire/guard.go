// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"slices"

	"github.com/aws/smithy-go/middleware"
)

// OperationTimeout is the name of the step with which the library's own clients limit the duration of a call.
const OperationTimeout = "ddbOperationTimeout"

// harmless lists steps that never look at an item: the library's own, and those of tracing libraries, which read table names from
// inputs: OpenTelemetry, AWS X-Ray, Datadog.
var harmless = []string{
	OperationTimeout,
	"OTelInitializeMiddlewareBefore", "OTelInitializeMiddlewareAfter",
	"XRayInitializeMiddlewareBefore", "XRayInitializeMiddlewareAfter",
	"InitTraceMiddleware", "StartTraceMiddleware",
}

// stackGuard detects whether a client's own API options change the steps that handle inputs and outputs. It compares the steps
// before and after the options, so it needs no list of the SDK's own steps.
type stackGuard struct {
	call                  *call
	initialize, serialize []string
}

func (g *stackGuard) before(s *middleware.Stack) error {
	g.initialize, g.serialize = s.Initialize.List(), s.Serialize.List()
	return nil
}

func (g *stackGuard) after(s *middleware.Stack) error {
	i, e := s.Initialize.List(), s.Serialize.List()
	switch {
	case !g.call.same(g.initialize, i):
		g.call.becausef("%s", g.call.differs("Initialize", g.initialize, i))
	case !g.call.same(g.serialize, e):
		g.call.becausef("%s", g.call.differs("Serialize", g.serialize, e))
	default:
		return nil
	}
	g.call.direct = false
	if g.call.requestItems != nil {
		return g.call.requestItems.setAttributeValues()
	}
	return nil
}

// same reports whether now has the steps of then, in the same order, and apart from them only harmless ones.
func (k *call) same(then, now []string) bool {
	for _, id := range now {
		if len(then) > 0 && id == then[0] {
			then = then[1:]
		} else if !k.harmless(id) {
			return false
		}
	}
	return len(then) == 0
}

// harmless reports whether a step is known or declared not to look at items.
func (k *call) harmless(id string) bool {
	return slices.Contains(harmless, id) || slices.Contains(k.o.Harmless, id)
}
