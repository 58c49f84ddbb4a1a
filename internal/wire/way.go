// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
)

// Way is how the items of a call travel between Go values and the wire.
type Way uint8

// The ways, from the shortest.
const (
	Direct Way = iota // the SDK does not see the items
	Beside            // the SDK makes attribute values for a step that may look at them; the same reply is decoded from the wire
	Values            // items pass through attribute values
)

// Took is the way that a call took, and why not the direct one.
type Took struct {
	Way Way
	Why string // names what the client has, never data; empty for Direct
}

// took notes the way of the call.
func (k *call) took(w Way) {
	if k.o.Took == nil {
		return
	}
	*k.o.Took = Took{Way: w}
	if w != Direct {
		k.o.Took.Why = k.why
	}
}

// becausef notes why the call does not take the direct way. The text is made only for those who ask.
func (k *call) becausef(format string, args ...any) {
	if k.o.Took != nil && k.why == "" {
		k.why = fmt.Sprintf(format, args...)
	}
}

// interceptors names those that are handed inputs and outputs with items, but for the harmless.
func (k *call) interceptors(o *dynamodb.Options) []string {
	var found []string
	note := func(step string, i any) {
		if name := fmt.Sprintf("%T", i); !slices.Contains(k.o.Harmless, name) {
			found = append(found, fmt.Sprintf("interceptor %s %s", name, step))
		}
	}
	for _, i := range o.Interceptors.BeforeExecution {
		note("before execution", i)
	}
	for _, i := range o.Interceptors.BeforeSerialization {
		note("before serialization", i)
	}
	for _, i := range o.Interceptors.AfterExecution {
		note("after execution", i)
	}
	return found
}

// differs says how the steps of a stack are other than they were.
func (k *call) differs(name string, then, now []string) string {
	var more []string
	for _, id := range now {
		if !slices.Contains(then, id) && !k.harmless(id) {
			more = append(more, id)
		}
	}
	if len(more) > 0 {
		return fmt.Sprintf("middleware %s at the %s step", strings.Join(more, ", "), name)
	}
	return fmt.Sprintf("the SDK's own middleware at the %s step was removed or moved", name)
}

var errProbe = errors.New("this call was not to be sent")

// Probe says why items of calls through c do not take the direct way, and nothing if they do. It lets the client build a call, and
// sends nothing.
func Probe(ctx context.Context, c any, o Options) string {
	o.Took = new(Took)
	k := newCall("GetItem", read, o, c)
	if client, ok := c.(*dynamodb.Client); ok && k.direct {
		stop := func(*middleware.Stack) error { return errProbe }
		_, _ = client.GetItem(ctx, &dynamodb.GetItemInput{}, append(k.options(), func(o *dynamodb.Options) {
			o.APIOptions = append(slices.Clip(o.APIOptions), stop)
		})...)
	}
	return k.why
}
