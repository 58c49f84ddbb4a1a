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

// Path is the path that the items of a call take between Go values and the wire.
type Path uint8

// The paths, the fastest first.
const (
	Direct Path = iota // the SDK does not see the items
	Beside             // the SDK makes attribute values for a step that may look at them; the items are decoded from the body of the reply
	Values             // items are converted to attribute values and back
)

// Took is the path that a call took, and the reason for not taking the fast path.
type Took struct {
	Path Path
	Why  string // names what the client has, never data; empty for Direct
}

// took records the path of the call.
func (k *call) took(w Path) {
	if k.o.Took == nil {
		return
	}
	*k.o.Took = Took{Path: w}
	if w != Direct {
		k.o.Took.Why = k.why
	}
}

// becausef records why the call does not take the fast path. The text is only made if it is used.
func (k *call) becausef(format string, args ...any) {
	if k.o.Took != nil && k.why == "" {
		k.why = fmt.Sprintf(format, args...)
	}
}

// interceptors returns the names of the interceptors that receive inputs and outputs with items, without the harmless ones.
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

// differs describes how the steps of a stack differ from the previous ones.
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

// Probe returns why items of calls through c do not take the fast path, or "" if they take it. It makes the client build a call,
// and sends nothing.
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
